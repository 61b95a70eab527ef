/* The record of deliveries: the list, and what is kept of it. */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "engine/delivery.h"
#include "engine/delivery_keep.h"
#include "store/delivery_list.h"
#include "store/job.h"
#include "support.h"

static struct db *db;
static struct workspace workspace;

static void begin(void)
{
    db = support_new_db();
    workspace = (struct workspace){.row.pk = support_workspace(db, "one")};
}

static void end(void)
{
    db_close(db);
}

static struct job add_job(const char *id, const char *url)
{
    static int64_t event;
    struct job_input input = {
        .user_email = "jane@acme.com", .prompt = "A sales call", .callback_url = url};
    struct job job = {.due_at = -1, .event = ++event, .base = "http://b"};
    snprintf(job.id, sizeof job.id, "%s", id);
    ck_assert_int_eq(job_insert(db, workspace.row.pk, &job, &input), 0);
    return job;
}

/* A delivery that ended at `ended_at`, or -1 and it is pending. */
static struct delivery add_delivery(const struct job *job, const char *id,
                                    enum delivery_status status, int64_t ended_at)
{
    struct delivery delivery = {.job = job->seq,
                                .status = status,
                                .created_at = 1,
                                .due_at = ended_at < 0 ? 1 : -1,
                                .ended_at = ended_at,
                                .cut = -1};
    snprintf(delivery.id, sizeof delivery.id, "%s", id);
    snprintf(delivery.message, sizeof delivery.message, "%s", id);
    ck_assert_int_eq(delivery_insert(db, workspace.row.pk, &delivery, NULL), 0);
    return delivery;
}

/* An attempt, as the sender ends it; its body has so many bytes. */
static void attempt(struct delivery *delivery, int64_t status, const char *error, size_t body_len)
{
    static char body[1024 * 1024];
    struct delivery_end result;
    ck_assert_uint_le(body_len, sizeof body);
    memset(body, 'x', sizeof body);
    ck_assert_int_eq(delivery_begin(db, delivery, true), 0);
    delivery_end_init(&result, NULL, &workspace);
    result.delivery = delivery->seq;
    result.sending = delivery->sending;
    result.attempt =
        (struct attempt_row){.outcome = status == 200 ? ATTEMPT_DELIVERED : ATTEMPT_FAILED,
                             .url = "http://a/",
                             .headers = "{}",
                             .body = body,
                             .body_len = body_len,
                             .status = status,
                             .error = error};
    ck_assert_int_eq(result.operation.run(&result.operation.write, db), 0);
    int found = delivery_by_seq(db, delivery->seq, delivery);
    ck_assert(found == 0 || found == ERR_NOT_FOUND);
}

/* -- the list ---------------------------------------------------------------------------------- */

static int note(const struct delivery_item *item, void *arg)
{
    char *text = arg;
    snprintf(text + strlen(text), 200 - strlen(text), "%s %s %s %s %d %s\n", item->delivery.id,
             item->delivery.job_id, delivery_status_names[item->delivery.status],
             item->callback_url, item->attempted ? (int)item->last_status : -1,
             item->last_error ? item->last_error : "-");
    return 0;
}

static void check_list(const struct delivery_filter *filter, const char *expected)
{
    char text[200] = "";
    ck_assert_int_eq(delivery_each(db, workspace.row.pk, filter, note, text), 0);
    ck_assert_str_eq(text, expected);
}

START_TEST(list)
{
    struct job one = add_job("j1", "http://a/"), two = add_job("j2", "https://b/");
    int64_t own = workspace.row.pk;
    workspace.row.pk = support_workspace(db, "two");
    struct job other = add_job("j1", "http://c/");
    add_delivery(&other, "d0", DELIVERY_PENDING, -1);
    workspace.row.pk = own;
    struct delivery first = add_delivery(&one, "d1", DELIVERY_EXHAUSTED, 5);
    struct delivery second = add_delivery(&two, "d2", DELIVERY_PENDING, -1);
    add_delivery(&one, "d3", DELIVERY_HELD, -1);
    attempt(&first, 500, "no", 10);
    attempt(&first, 404, NULL, 10);
#define D1 "d1 j1 exhausted http://a/ 404 -\n"
#define D2 "d2 j2 pending https://b/ -1 -\n"
#define D3 "d3 j1 held http://a/ -1 -\n"
    struct delivery_filter all = {.until = INT64_MAX, .status = -1}, filter = all;
    check_list(&all, D1 D2 D3);
    filter.after = first.seq;
    check_list(&filter, D2 D3);
    filter.until = second.seq;
    check_list(&filter, D2);
    filter = all, filter.status = DELIVERY_HELD;
    check_list(&filter, D3);
    filter = all, filter.job = "j1";
    check_list(&filter, D1 D3);
    filter.after = first.seq;
    check_list(&filter, D3);
    filter = all, filter.id = "d2";
    check_list(&filter, D2);
    filter.id = "d0"; /* another workspace's */
    check_list(&filter, "");
}
END_TEST

/* -- what is kept ------------------------------------------------------------------------------ */

static int64_t count(const char *what)
{
    return support_integer(db, "SELECT count(*) FROM %s", what);
}

START_TEST(ended_ones_go_first_in_first_out)
{
    struct job job = add_job("j1", "http://a/");
    for (int i = 0; i < 6; i++) { /* the later made, the earlier ended */
        char id[8];
        snprintf(id, sizeof id, "d%d", i);
        add_delivery(&job, id, DELIVERY_DELIVERED, 100 - i);
    }
    struct delivery pending = add_delivery(&job, "p", DELIVERY_PENDING, -1);
    ck_assert_int_eq(delivery_prune(db, workspace.row.pk, 6, 1000, 0), 0);
    ck_assert_int_eq(count("delivery"), 7);
    ck_assert_int_eq(delivery_prune(db, workspace.row.pk, 4, 1000, 0), 0);
    ck_assert_int_eq(count("delivery WHERE id IN ('d0', 'd1', 'd2', 'd3', 'p')"), 5);
    ck_assert_int_eq(count("delivery"), 5);
    support_sql(db, "UPDATE delivery SET bytes = 400");
    support_sql(db, "UPDATE delivery SET sending = 9 WHERE id = 'd3'");
    ck_assert_int_eq(delivery_prune(db, workspace.row.pk, 4, 1000, 0), 0);
    ck_assert_int_eq(count("delivery WHERE id IN ('d0', 'd1', 'd3', 'p')"), 4); /* d3 goes on */
    ck_assert_int_eq(count("delivery"), 4);
    support_sql(db, "UPDATE delivery SET sending = 0");
    ck_assert_int_eq(delivery_prune(db, workspace.row.pk, 0, 0, pending.seq - 3), 0);
    ck_assert_int_eq(count("delivery WHERE id IN ('d3', 'p')"), 2); /* d3 is the exception */
    ck_assert_int_eq(count("delivery"), 2);
}
END_TEST

START_TEST(others_keep_theirs)
{
    struct job job = add_job("j1", "http://a/");
    add_delivery(&job, "d1", DELIVERY_DELIVERED, 1);
    ck_assert_int_eq(delivery_prune(db, support_workspace(db, "two"), 0, 0, 0), 0);
    ck_assert_int_eq(count("delivery"), 1);
}
END_TEST

START_TEST(at_most_ten_thousand)
{
    enum { MORE = 300, LOOK = 256 };
    struct job job = add_job("j1", "http://a/");
    ck_assert_int_eq(db_begin(db), 0);
    support_sql(db,
                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d)"
                " INSERT INTO delivery (workspace, job, id, message, status, created_at, ended_at)"
                " SELECT %d, %d, printf('e%%d', i), 'm', 4, 1, i FROM n",
                DELIVERIES_KEPT + MORE - LOOK, (int)workspace.row.pk, (int)job.seq);
    for (int i = 0; i < LOOK; i++) {
        char id[8];
        snprintf(id, sizeof id, "n%d", i);
        ck_assert_int_eq(count("delivery"), DELIVERIES_KEPT + MORE - LOOK + i);
        struct delivery delivery = add_delivery(&job, id, DELIVERY_PENDING, -1);
        attempt(&delivery, 200, NULL, 10);
    }
    ck_assert_int_eq(db_commit(db), 0);
    ck_assert_int_eq(count("delivery"), DELIVERIES_KEPT);
    ck_assert_int_eq(count("attempt"), LOOK);
    ck_assert_int_eq(support_integer(db, "SELECT min(ended_at) FROM delivery WHERE status = 4"),
                     MORE + 1);
}
END_TEST

START_TEST(at_most_64_mib)
{
    enum { EACH = 1000 * 1000, MORE = 20 };
    struct job job = add_job("j1", "http://a/");
    int fit = DELIVERIES_KEPT_BYTES / EACH;
    for (int i = 0; i < fit + MORE; i++) {
        char id[8];
        snprintf(id, sizeof id, "n%d", i);
        struct delivery delivery = add_delivery(&job, id, DELIVERY_PENDING, -1);
        attempt(&delivery, 200, NULL, EACH);
    }
    int64_t bytes = support_integer(db, "SELECT sum(bytes) FROM delivery");
    ck_assert_int_le(bytes, DELIVERIES_KEPT_BYTES + 5 * EACH); /* a look each 4 MiB */
    ck_assert_int_ge(bytes, DELIVERIES_KEPT_BYTES - EACH);
    ck_assert_int_eq(bytes, support_integer(db, "SELECT sum(bytes) FROM attempt"));
    ck_assert_int_eq(count("delivery WHERE id = 'n0'"), 0);
    ck_assert_int_eq(count("delivery WHERE id = 'n83'"), 1);
}
END_TEST

START_TEST(what_never_was_to_be_sent_counts)
{
    enum { LOOK = 256 };
    struct job job = add_job("j1", "http://a/");
    struct delivery dropped = add_delivery(&job, "d", DELIVERY_DROPPED, 1);
    support_sql(db, "UPDATE delivery SET bytes = %d", DELIVERIES_KEPT_BYTES);
    add_delivery(&job, "e", DELIVERY_DROPPED, 2);
    support_sql(db, "UPDATE delivery SET bytes = 1 WHERE id = 'e'");
    for (int i = 0; i < LOOK; i++) {
        ck_assert_int_eq(count("delivery"), 2);
        ck_assert_int_eq(delivery_keep(db, &workspace, &(struct delivery){.seq = 9}, 0), 0);
    }
    ck_assert_int_eq(count("delivery"), 1);
    ck_assert_int_eq(delivery_by_seq(db, dropped.seq, &dropped), ERR_NOT_FOUND);
}
END_TEST

START_TEST(newest_attempts_of_a_delivery)
{
    struct job job = add_job("j1", "http://a/");
    struct delivery delivery = add_delivery(&job, "d", DELIVERY_EXHAUSTED, 5);
    for (int i = 0; i < ATTEMPTS_KEPT + 5; i++)
        attempt(&delivery, 500, "no", 10);
    ck_assert_int_eq(delivery.attempts, ATTEMPTS_KEPT + 5);
    ck_assert_int_eq(count("attempt"), ATTEMPTS_KEPT);
    ck_assert_int_eq(support_integer(db, "SELECT min(number) FROM attempt"), 6);
    for (int i = 0; i < 10; i++)
        attempt(&delivery, 500, "no", 1000 * 1000);
    ck_assert_int_eq(count("attempt"), 8);
    ck_assert_int_eq(support_integer(db, "SELECT sum(bytes) FROM attempt"), delivery.bytes);
    ck_assert_int_eq(support_integer(db, "SELECT max(number) FROM attempt"), delivery.attempts);
    ck_assert_int_le(delivery.bytes, ATTEMPTS_KEPT_BYTES);
}
END_TEST

START_TEST(failed_ones_are_counted)
{
    struct job job = add_job("j1", "http://a/");
    int64_t failed;
    for (int status = 0; status < DELIVERY_STATUSES; status++) {
        char id[8];
        snprintf(id, sizeof id, "d%d", status);
        add_delivery(&job, id, (enum delivery_status)status,
                     delivery_has_ended((enum delivery_status)status) ? 5 : -1);
    }
    ck_assert_int_eq(delivery_count_failed(db, workspace.row.pk, &failed), 0);
    ck_assert_int_eq(failed, 3); /* exhausted, gone, blocked */
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("delivery_list");
    TCase *record = tcase_create("record");
    tcase_add_checked_fixture(record, begin, end);
    tcase_add_test(record, list);
    tcase_add_test(record, failed_ones_are_counted);
    tcase_add_test(record, ended_ones_go_first_in_first_out);
    tcase_add_test(record, others_keep_theirs);
    tcase_add_test(record, at_most_ten_thousand);
    tcase_add_test(record, at_most_64_mib);
    tcase_add_test(record, what_never_was_to_be_sent_counts);
    tcase_add_test(record, newest_attempts_of_a_delivery);
    suite_add_tcase(suite, record);
    return support_run(suite);
}
