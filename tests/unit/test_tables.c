/*
 * The store's tables, function by function: what is read is what was written; S2 (every key is of a
 * workspace), S12 (request ids), S22 (compare and set).
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/delivery.h"
#include "store/scenario.h"
#include "store/session.h"
#include "support.h"

static struct db *db;
static int64_t one, two; /* workspaces */

static void begin(void)
{
    db = support_new_db();
    one = support_workspace(db, "one");
    two = support_workspace(db, "two");
}

static void end(void)
{
    db_close(db);
}

/* -- workspaces, keys, members ----------------------------------------------------------------- */

static int take_workspace(const struct workspace_row *row, void *arg)
{
    struct workspace_row **at = arg;
    *(*at)++ = *row;
    return 0;
}

START_TEST(workspaces)
{
    struct workspace_row rows[4], *at = rows;
    struct workspace_row row = {.id = "id3",
                                .slug = "slug3",
                                .name = "N\xc3\xa4me \"3\"",
                                .project_id = "project3",
                                .active = false,
                                .created_at = 1709287200123};
    ck_assert_int_eq(workspace_insert(db, &row), 0);
    ck_assert_int_gt(row.pk, two);
    ck_assert_int_eq(workspace_each(db, take_workspace, &at), 0);
    ck_assert_int_eq(at - rows, 3);
    ck_assert_str_eq(rows[0].id, "one");
    ck_assert_str_eq(rows[1].id, "two");
    ck_assert_int_eq(rows[2].pk, row.pk);
    ck_assert_str_eq(rows[2].id, row.id);
    ck_assert_str_eq(rows[2].slug, row.slug);
    ck_assert_str_eq(rows[2].name, row.name);
    ck_assert_str_eq(rows[2].project_id, row.project_id);
    ck_assert(!rows[2].active && rows[0].active);
    ck_assert_int_eq(rows[2].created_at, row.created_at);
}
END_TEST

START_TEST(workspace_names_are_unique)
{
    for (int taken = 0; taken < 4; taken++) {
        struct workspace_row row = {.pk = 99, .active = true};
        snprintf(row.id, sizeof row.id, "%s", taken == 0 ? "one" : "x");
        snprintf(row.slug, sizeof row.slug, "%s", taken == 1 ? "one" : "x");
        snprintf(row.project_id, sizeof row.project_id, "%s", taken == 2 ? "one" : "x");
        ck_assert_int_eq(workspace_insert(db, &row), taken < 3 ? ERR_EXISTS : 0);
        ck_assert(taken == 3 || row.pk == 99);
    }
}
END_TEST

static int take_key(const struct key_row *row, void *arg)
{
    struct key_row **at = arg;
    *(*at)++ = *row;
    return 0;
}

START_TEST(keys)
{
    struct key_row rows[3], *at = rows;
    struct key_row row = {.workspace = one, .last4 = "zA7b", .active = true, .created_at = 5};
    memset(row.hash, 0xab, sizeof row.hash);
    row.hash[3] = 0; /* bytes, not text */
    ck_assert_int_eq(key_insert(db, &row), 0);
    ck_assert_int_eq(key_insert(db, &row), ERR_EXISTS);
    row.workspace = two; /* a key is one workspace's */
    ck_assert_int_eq(key_insert(db, &row), ERR_EXISTS);
    row.hash[31] = 1;
    row.active = false;
    ck_assert_int_eq(key_insert(db, &row), 0);
    ck_assert_int_eq(key_each(db, take_key, &at), 0);
    ck_assert_int_eq(at - rows, 2);
    ck_assert_int_eq(rows[0].workspace, one);
    ck_assert(rows[0].active && !rows[1].active);
    ck_assert_str_eq(rows[0].last4, "zA7b");
    ck_assert_int_eq(rows[0].created_at, 5);
    ck_assert_int_eq(rows[1].workspace, two);
    ck_assert_mem_eq(rows[1].hash, row.hash, sizeof row.hash);
    row.workspace = 999;
    row.hash[0] = 1;
    ck_assert_int_lt(key_insert(db, &row), 0); /* of no workspace */
}
END_TEST

static int join_member(const struct member_row *row, void *arg)
{
    char *text = arg;
    sprintf(text + strlen(text), "%d:%s@%d ", row->workspace == one ? 1 : 2, row->email,
            (int)row->created_at);
    return 0;
}

static int stop(const struct member_row *row, void *arg)
{
    (void)row;
    ++*(int *)arg;
    return ERR_INTERNAL;
}

START_TEST(members)
{
    char text[200] = "";
    int visits = 0;
    ck_assert_int_eq(member_insert(db, &(struct member_row){one, "b", 3}), 0);
    ck_assert_int_eq(member_insert(db, &(struct member_row){one, "b", 4}), ERR_EXISTS);
    ck_assert_int_eq(member_insert(db, &(struct member_row){two, "b", 5}), 0);
    ck_assert_int_eq(member_insert(db, &(struct member_row){one, "a", 6}), 0);
    ck_assert_int_eq(member_each(db, join_member, text), 0);
    ck_assert_str_eq(text, "1:b@3 2:b@5 1:a@6 ");
    ck_assert_int_eq(member_each(db, stop, &visits), ERR_INTERNAL);
    ck_assert_int_eq(visits, 1);
}
END_TEST

/* -- jobs -------------------------------------------------------------------------------------- */

static const struct job_input full = {.user_email = "jane@acme.com",
                                      .prompt = "p\xe2\x82\xac; DROP TABLE job; --",
                                      .context = "c",
                                      .scenario_slug = "s",
                                      .request_id = "r",
                                      .callback_url = "http://a/",
                                      .callback_headers = "{\"A\":\"b\"}",
                                      .session = "0123456789ab"};
static const struct job_input least = {.user_email = "jane@acme.com", .prompt = "p"};

static struct job add_job(int64_t workspace, const char *id, int64_t due_at,
                          const struct job_input *input)
{
    static int64_t event;
    struct job job = {.created_at = 10,
                      .due_at = due_at,
                      .queue_time = 3,
                      .processing_time = 7,
                      .event = ++event,
                      .marks = JOB_IS_HELD,
                      .base = "http://b"};
    snprintf(job.id, sizeof job.id, "%s", id);
    ck_assert_int_eq(job_insert(db, workspace, &job, input), 0);
    return job;
}

START_TEST(job_is_read_as_written)
{
    struct job job = add_job(one, "a", 20, &full), found, known;
    ck_assert_int_gt(job.seq, 0);
    ck_assert_int_eq(job_by_id(db, one, "a", &found), 0);
    ck_assert_int_eq(job_by_request_id(db, one, "r", &known), 0);
    ck_assert_mem_eq(&found, &known, sizeof found);
    ck_assert_int_eq(found.seq, job.seq);
    ck_assert_str_eq(found.id, "a");
    ck_assert_int_eq(found.status, JOB_QUEUED);
    ck_assert_int_eq(found.created_at, 10);
    ck_assert_int_eq(found.started_at, -1);
    ck_assert_int_eq(found.completed_at, -1);
    ck_assert_int_eq(found.due_at, 20);
    ck_assert_int_eq(found.queue_time, 3);
    ck_assert_int_eq(found.processing_time, 7);
    ck_assert_int_eq(found.event, job.event);
    ck_assert_int_eq(found.marks, JOB_IS_HELD);
    ck_assert_str_eq(found.base, "http://b");
    ck_assert_str_eq(found.error_code, "");
    ck_assert_str_eq(found.scenario_id, "");
}
END_TEST

/* S2, S12: both are unknown in another workspace, and taken in their own. */
START_TEST(job_keys_are_the_workspaces)
{
    struct job job = add_job(one, "a", 20, &full), other = {.id = "b", .event = 1000};
    ck_assert_int_eq(job_by_id(db, two, "a", &job), ERR_NOT_FOUND);
    ck_assert_int_eq(job_by_request_id(db, two, "r", &job), ERR_NOT_FOUND);
    ck_assert_int_eq(job_by_request_id(db, one, "", &job), ERR_NOT_FOUND);
    ck_assert_str_eq(job.id, "a");                                    /* untouched */
    ck_assert_int_eq(job_insert(db, one, &other, &full), ERR_EXISTS); /* its request id */
    ck_assert_int_eq(other.seq, 0);
    ck_assert_int_eq(job_insert(db, one, &job, &least), ERR_EXISTS); /* its id */
    ck_assert_int_eq(job_insert(db, two, &job, &full), 0);
    add_job(one, "c", 20, &least); /* any number without a request id */
    add_job(one, "d", 20, &least);
}
END_TEST

static int check_input(const struct job_input *input, void *arg)
{
    const struct job_input *wanted = arg;
    const char *const *a = (const char *const *)input, *const *b = (const char *const *)wanted;
    for (size_t i = 0; i < sizeof *input / sizeof *a; i++)
        ck_assert_pstr_eq(a[i], b[i]);
    return 42;
}

START_TEST(job_input_is_read_as_written)
{
    struct job a = add_job(one, "a", 20, &full), b = add_job(one, "b", 20, &least);
    ck_assert(a.has_callback && !b.has_callback);
    ck_assert_int_eq(job_input(db, a.seq, check_input, (void *)(uintptr_t)&full), 42);
    ck_assert_int_eq(job_input(db, b.seq, check_input, (void *)(uintptr_t)&least), 42);
    ck_assert_int_eq(job_input(db, b.seq + 1, check_input, NULL), ERR_NOT_FOUND);
}
END_TEST

/* S22: whoever comes second sees it, and changes nothing. */
START_TEST(job_change_compares_and_sets)
{
    struct job job = add_job(one, "a", 20, &least), found;
    struct job_change start = {JOB_QUEUED,     JOB_PROCESSING, 21,   -1,   30,  0,
                               JOB_CAUSE_NONE, JOB_CAUSE_NONE, NULL, NULL, NULL};
    struct job_change cancel = {JOB_QUEUED,     JOB_CANCELLED,  -1,   22,   -1,  0,
                                JOB_CAUSE_NONE, JOB_CAUSE_NONE, NULL, NULL, NULL};
    struct job_change fail = {JOB_PROCESSING, JOB_FAILED,     21,   30,     -1,       0,
                              JOB_CAUSE_NONE, JOB_CAUSE_NONE, NULL, "CODE", "message"};
    ck_assert_int_eq(job_change(db, job.seq, &start), 0);
    ck_assert_int_eq(job_change(db, job.seq, &start), ERR_NOT_FOUND);
    ck_assert_int_eq(job_change(db, job.seq, &cancel), ERR_NOT_FOUND);
    ck_assert_int_eq(job_change(db, job.seq + 1, &start), ERR_NOT_FOUND);
    job_by_id(db, one, "a", &found);
    ck_assert_int_eq(found.status, JOB_PROCESSING);
    ck_assert_int_eq(found.started_at, 21);
    ck_assert_int_eq(found.completed_at, -1);
    ck_assert_int_eq(found.due_at, 30);
    ck_assert_int_eq(job_change(db, job.seq, &fail), 0);
    job_by_id(db, one, "a", &found);
    ck_assert_int_eq(found.status, JOB_FAILED);
    ck_assert_int_eq(found.completed_at, 30);
    ck_assert_int_eq(found.due_at, -1);
    ck_assert_str_eq(found.error_code, "CODE");
    ck_assert_str_eq(found.error_message, "message");
}
END_TEST

START_TEST(next_due_is_by_time_then_creation)
{
    struct job c = add_job(one, "c", 30, &least), b = add_job(one, "b", 20, &least), found;
    struct job a = add_job(one, "a", 20, &least);
    struct job_change start = {JOB_QUEUED,     JOB_PROCESSING, 20,   -1,   25,  0,
                               JOB_CAUSE_NONE, JOB_CAUSE_NONE, NULL, NULL, NULL};
    int64_t count = 9;
    add_job(two, "x", 1, &least);
    ck_assert_int_eq(job_next_due(db, one, JOB_QUEUED, 19, &found), ERR_NOT_FOUND);
    ck_assert_int_eq(job_next_due(db, one, JOB_QUEUED, 20, &found), 0);
    ck_assert_str_eq(found.id, "b");
    ck_assert_int_eq(job_next_due(db, one, JOB_PROCESSING, INT64_MAX, &found), ERR_NOT_FOUND);
    ck_assert_int_eq(job_count_processing(db, one, &count), 0);
    ck_assert_int_eq(count, 0);
    ck_assert_int_eq(job_change(db, b.seq, &start), 0);
    ck_assert_int_eq(job_next_due(db, one, JOB_QUEUED, INT64_MAX, &found), 0);
    ck_assert_str_eq(found.id, "a");
    ck_assert_int_eq(job_change(db, a.seq, &start), 0);
    ck_assert_int_eq(job_next_due(db, one, JOB_QUEUED, INT64_MAX, &found), 0);
    ck_assert_int_eq(found.seq, c.seq);
    ck_assert_int_eq(job_next_due(db, one, JOB_PROCESSING, 24, &found), ERR_NOT_FOUND);
    ck_assert_int_eq(job_next_due(db, one, JOB_PROCESSING, 25, &found), 0);
    ck_assert_int_eq(found.seq, b.seq);
    ck_assert_int_eq(job_count_processing(db, one, &count), 0);
    ck_assert_int_eq(count, 2);
    ck_assert_int_eq(job_count_processing(db, two, &count), 0);
    ck_assert_int_eq(count, 0);
}
END_TEST

/* -- sessions, scenarios, deliveries ----------------------------------------------------------- */

static int check_session_input(const struct session_input *input, void *arg)
{
    ck_assert_str_eq(input->user_email, "jane@acme.com");
    ck_assert_str_eq(input->prompt, "p");
    ck_assert_pstr_eq(input->request_id, arg);
    return 42;
}

START_TEST(sessions)
{
    struct session_input input = {"jane@acme.com", "p", "r"},
                         nameless = {"jane@acme.com", "p", NULL};
    struct session session = {.id = "a", .created_at = 5, .base = "http://b"}, found;
    char request_id[] = "r";
    ck_assert_int_eq(session_insert(db, one, &session, &input), 0);
    ck_assert_int_eq(session_insert(db, one, &session, &nameless), ERR_EXISTS);
    ck_assert_int_eq(session_insert(db, one, &(struct session){.id = "b"}, &input), ERR_EXISTS);
    ck_assert_int_eq(session_insert(db, one, &(struct session){.id = "c"}, &nameless), 0);
    ck_assert_int_eq(session_insert(db, one, &(struct session){.id = "d"}, &nameless), 0);
    ck_assert_int_eq(session_insert(db, two, &(struct session){.id = "a"}, &input), 0);
    ck_assert_int_eq(session_set_job(db, session.seq, "0123456789ab"), 0);

    ck_assert_int_eq(session_by_id(db, one, "a", &found), 0);
    ck_assert_int_eq(found.seq, session.seq);
    ck_assert_str_eq(found.job, "0123456789ab");
    ck_assert_int_eq(found.created_at, 5);
    ck_assert_str_eq(found.base, "http://b");
    ck_assert_int_eq(session_by_request_id(db, two, "r", &found), 0);
    ck_assert_str_eq(found.job, "");
    ck_assert_int_eq(session_by_id(db, two, "c", &found), ERR_NOT_FOUND);
    ck_assert_int_eq(session_by_request_id(db, one, "q", &found), ERR_NOT_FOUND);
    ck_assert_int_eq(session_input(db, one, "a", check_session_input, request_id), 42);
    ck_assert_int_eq(session_input(db, one, "c", check_session_input, NULL), 42);
    ck_assert_int_eq(session_input(db, one, "x", check_session_input, NULL), ERR_NOT_FOUND);
}
END_TEST

START_TEST(scenarios)
{
    struct scenario a = {"a", "slug", "Name", "source", "job", 5},
                    b = {"b", "slug-2", "B", "", "", 6};
    struct scenario found;
    bool exists;
    ck_assert_int_eq(scenario_insert(db, one, &a), 0);
    ck_assert_int_eq(scenario_insert(db, one, &b), 0);
    ck_assert_int_eq(scenario_insert(db, two, &a), 0);
    ck_assert_int_eq(scenario_insert(db, one, &(struct scenario){.id = "a", .slug = "x"}),
                     ERR_EXISTS);
    ck_assert_int_eq(scenario_insert(db, one, &(struct scenario){.id = "x", .slug = "slug"}),
                     ERR_EXISTS);
    ck_assert_int_eq(scenario_by_slug(db, one, "slug", &found), 0);
    ck_assert_str_eq(found.id, "a");
    ck_assert_str_eq(found.slug, "slug");
    ck_assert_str_eq(found.name, "Name");
    ck_assert_str_eq(found.source, "source");
    ck_assert_str_eq(found.job, "job");
    ck_assert_int_eq(found.created_at, 5);
    ck_assert_int_eq(scenario_by_id(db, one, "b", &found), 0);
    ck_assert_str_eq(found.slug, "slug-2");
    ck_assert_str_eq(found.source, "");
    ck_assert_str_eq(found.job, "");
    ck_assert_int_eq(support_integer(db, "SELECT count(*) FROM scenario WHERE source = ''"), 0);
    ck_assert_int_eq(scenario_by_id(db, two, "b", &found), ERR_NOT_FOUND);
    ck_assert_int_eq(scenario_by_slug(db, one, "Slug", &found), ERR_NOT_FOUND);
    ck_assert_int_eq(scenario_slug_exists(db, one, "slug-2", &exists), 0);
    ck_assert(exists);
    ck_assert_int_eq(scenario_slug_exists(db, one, "slug-3", &exists), 0);
    ck_assert(!exists);
}
END_TEST

/* A completed job is read with what it made, of its own workspace. */
START_TEST(job_is_read_with_its_scenario)
{
    struct job job = add_job(one, "a", 20, &least), found;
    struct scenario scenario = {"s", "slug", "Name", "", "a", 5},
                    other = {"s", "x", "X", "", "", 6};
    struct job_change start = {JOB_QUEUED,     JOB_PROCESSING, 21,   -1,   30,  0,
                               JOB_CAUSE_NONE, JOB_CAUSE_NONE, NULL, NULL, NULL};
    struct job_change complete = {JOB_PROCESSING, JOB_COMPLETED,  21,  30,   -1,  0,
                                  JOB_CAUSE_NONE, JOB_CAUSE_NONE, "s", NULL, NULL};
    scenario_insert(db, two, &other);
    scenario_insert(db, one, &scenario);
    job_change(db, job.seq, &start);
    ck_assert_int_eq(job_change(db, job.seq, &complete), 0);
    ck_assert_int_eq(job_by_id(db, one, "a", &found), 0);
    ck_assert_str_eq(found.scenario_id, "s");
    ck_assert_str_eq(found.scenario_slug, "slug");
    ck_assert_str_eq(found.scenario_name, "Name");
}
END_TEST

START_TEST(deliveries)
{
    struct job job = add_job(one, "a", 20, &full), found;
    ck_assert_int_eq(job_by_id(db, one, "a", &found), 0);
    ck_assert(found.has_callback);
    struct delivery owed = {.job = job.seq,
                            .id = "d",
                            .message = "d",
                            .created_at = 50,
                            .due_at = 60,
                            .ended_at = -1,
                            .cut = -1,
                            .rule = "r"};
    struct delivery seen;
    int64_t count = -1;
    ck_assert_int_eq(delivery_insert(db, one, &owed, NULL), 0);
    ck_assert_int_eq(delivery_insert(db, one, &owed, NULL), ERR_EXISTS);
    ck_assert_int_eq(delivery_next_due(db, one, 59, &seen), ERR_NOT_FOUND);
    ck_assert_int_eq(delivery_next_due(db, one, 60, &seen), 0);
    ck_assert_int_eq(delivery_by_id(db, one, "d", &seen), 0);
    ck_assert_str_eq(seen.job_id, "a");
    ck_assert_str_eq(seen.rule, "r");
    ck_assert_int_eq(seen.cut, -1);
    seen.sending = 7;
    ck_assert_int_eq(delivery_update(db, &seen), 0);
    ck_assert_int_eq(delivery_next_due(db, one, 60, &seen), ERR_NOT_FOUND);
    ck_assert_int_eq(delivery_count_sending(db, one, &count), 0);
    ck_assert_int_eq(count, 1);
    ck_assert_int_eq(delivery_forget_sending(db), 0);
    ck_assert_int_eq(delivery_next_due(db, one, 60, &seen), 0);
    seen.status = DELIVERY_EXHAUSTED;
    seen.due_at = -1;
    seen.ended_at = 70;
    ck_assert_int_eq(delivery_update(db, &seen), 0);
    ck_assert_int_eq(delivery_count_failed(db, one, &count), 0);
    ck_assert_int_eq(count, 1);
    ck_assert_int_eq(delivery_count_unsettled(db, one, &count), 0);
    ck_assert_int_eq(count, 0);
}
END_TEST

/* Only a unique value that is taken is ERR_EXISTS: who draws ids draws again at that. */
START_TEST(other_constraints_are_faults)
{
    struct job job = {.id = "a", .due_at = 5};
    struct job_input nobody = {.prompt = "p"};
    ck_assert_int_eq(job_insert(db, one, &job, &nobody), ERR_INTERNAL); /* NOT NULL */
    ck_assert_int_eq(job_insert(db, 999, &job, &least), ERR_INTERNAL);  /* FOREIGN KEY */
    struct delivery of_no_job = {.job = 999, .id = "d", .message = "d"};
    ck_assert_int_eq(delivery_insert(db, one, &of_no_job, NULL), ERR_INTERNAL);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("tables");
    TCase *tables = tcase_create("S2, S12, S22, S25");
    tcase_set_timeout(tables, 30);
    tcase_add_checked_fixture(tables, begin, end);
    tcase_add_test(tables, workspaces);
    tcase_add_test(tables, workspace_names_are_unique);
    tcase_add_test(tables, keys);
    tcase_add_test(tables, members);
    tcase_add_test(tables, job_is_read_as_written);
    tcase_add_test(tables, job_keys_are_the_workspaces);
    tcase_add_test(tables, job_input_is_read_as_written);
    tcase_add_test(tables, job_change_compares_and_sets);
    tcase_add_test(tables, next_due_is_by_time_then_creation);
    tcase_add_test(tables, sessions);
    tcase_add_test(tables, scenarios);
    tcase_add_test(tables, job_is_read_with_its_scenario);
    tcase_add_test(tables, deliveries);
    tcase_add_test(tables, other_constraints_are_faults);
    suite_add_tcase(suite, tables);
    return support_run(suite);
}
