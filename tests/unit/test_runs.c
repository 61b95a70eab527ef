/* Runs: what their workspaces count, once each, while they come and go; what is forgotten. */
#include "engine/runs.h"
#include "support.h"

#include "base/err.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { THREADS = 3, WORKSPACES = 3000, REQUESTS = 5, STANDING = 300 };

static struct runs *runs;

static void set_up(void)
{
    runs = runs_create();
    ck_assert_ptr_nonnull(runs);
}

static void tear_down(void)
{
    runs_destroy(runs);
}

struct guest {
    struct run_place *place;
    struct tally *tally;
};

static struct guest enter(const char *label)
{
    struct guest guest = {.tally = tally_create()};
    ck_assert_ptr_nonnull(guest.tally);
    guest.place = runs_enter(runs, label, guest.tally);
    ck_assert_ptr_nonnull(guest.place);
    return guest;
}

static void poll(struct guest guest, const char *job)
{
    struct tally_note note = {.kind = TALLY_POLL,
                              .outcome = 7,
                              .operation = "getScenarioJob",
                              .status = 200,
                              .sent_at = 1000,
                              .ended_at = 1001,
                              .key = "",
                              .job = job};
    tally_note(guest.tally, &note);
}

static void make_job(struct guest guest, const char *job)
{
    struct tally_note note = {.kind = TALLY_CREATE,
                              .outcome = 3,
                              .operation = "createScenarioJob",
                              .status = 201,
                              .sent_at = 1000,
                              .ended_at = 1001,
                              .key = "",
                              .job = job,
                              .is_new = true};
    tally_note(guest.tally, &note);
}

struct sum {
    int status;
    int64_t workspaces;
    struct tally_counts counts;
};

static struct sum sum_of(const char *label)
{
    struct tally *tally = tally_create();
    struct sum sum = {.workspaces = 0};
    ck_assert_ptr_nonnull(tally);
    sum.status = runs_read(runs, label, tally, &sum.workspaces);
    tally_counts(tally, &sum.counts);
    tally_destroy(tally);
    return sum;
}

static void add_label(const char *label, void *text)
{
    strcat(strcat(text, label), " ");
}

START_TEST(each_run_has_its_own_and_all_have_all)
{
    struct guest a = enter("a"), other_a = enter("a"), b = enter("b"), none = enter("");
    char labels[40] = "";
    poll(a, "000000000001");
    poll(other_a, "000000000002");
    poll(b, "000000000003");
    poll(none, "000000000004");
    poll(none, "000000000004");
    ck_assert_int_eq(sum_of("a").counts.requests, 2);
    ck_assert_int_eq(sum_of("a").workspaces, 2);
    ck_assert_int_eq(sum_of("b").counts.requests, 1);
    ck_assert_int_eq(sum_of(NULL).counts.requests, 5);
    ck_assert_int_eq(sum_of(NULL).workspaces, 4);
    ck_assert_int_eq(sum_of(NULL).counts.polling.jobs, 4);
    ck_assert_int_eq(runs_each_label(runs, RUNS_MAX, add_label, labels), 0);
    ck_assert_str_eq(labels, "a b ");
    ck_assert_int_eq(sum_of("c").status, ERR_NOT_FOUND);
    runs_leave(a.place);
    runs_leave(other_a.place);
    runs_leave(b.place);
    runs_leave(none.place);
    ck_assert_int_eq(sum_of("a").counts.requests, 2);
    ck_assert_int_eq(sum_of("a").workspaces, 2);
    ck_assert_int_eq(sum_of(NULL).counts.requests, 5);
    ck_assert_int_eq(sum_of(NULL).workspaces, 4);
    runs_leave(NULL);
}
END_TEST

START_TEST(a_workspace_without_requests_is_none_of_them)
{
    struct guest idle = enter("a"), busy = enter("a");
    poll(busy, "000000000001");
    ck_assert_int_eq(sum_of("a").workspaces, 1);
    runs_leave(idle.place);
    runs_leave(busy.place);
    ck_assert_int_eq(sum_of("a").workspaces, 1);
}
END_TEST

/* Whether its end comes first or later: it is abandoned once. */
START_TEST(what_ends_with_its_workspace_is_counted_once)
{
    for (int i = 0; i < 3; i++) {
        struct guest guest = enter("a");
        make_job(guest, "00000000000a");
        tally_job_ended(guest.tally, "00000000000a");
        ck_assert_int_eq(sum_of("a").counts.findings[FINDING_JOB_ABANDONED], i + 1);
        runs_leave(guest.place);
        ck_assert_int_eq(sum_of("a").counts.findings[FINDING_JOB_ABANDONED], i + 1);
        ck_assert_int_eq(sum_of(NULL).counts.findings[FINDING_JOB_ABANDONED], i + 1);
    }
    ck_assert_int_eq(sum_of("a").workspaces, 3);
}
END_TEST

static void enter_and_leave(const char *label)
{
    struct guest guest = enter(label);
    poll(guest, "000000000001");
    runs_leave(guest.place);
}

START_TEST(the_oldest_that_ended_are_forgotten_and_count_still)
{
    enum { MORE = 10 };
    struct guest first = enter("first");
    char label[20], all[RUNS_MAX * 8 + 100] = "";
    for (int i = 0; i < RUNS_MAX + MORE; i++) {
        snprintf(label, sizeof label, "%d", i);
        enter_and_leave(label);
    }
    /* One that lives stays, however old. */
    ck_assert_int_eq(runs_each_label(runs, RUNS_MAX, add_label, all), MORE + 1);
    ck_assert_int_eq(strncmp(all, "first 11 12 ", 12), 0);
    ck_assert_int_eq(sum_of("10").status, ERR_NOT_FOUND);
    ck_assert_int_eq(sum_of("11").counts.requests, 1);
    ck_assert_int_eq(sum_of(NULL).counts.requests, RUNS_MAX + MORE);
    ck_assert_int_eq(sum_of(NULL).workspaces, RUNS_MAX + MORE);
    enter_and_leave("10");
    ck_assert_int_eq(sum_of("10").counts.requests, 1);
    runs_leave(first.place);
}
END_TEST

START_TEST(details_have_a_bound)
{
    enum { HOW_MANY = RUNS_DETAILS_MAX / TALLY_JOBS_MAX + 2 };
    char label[20], job[ID_HEX_SIZE];
    for (int i = 0; i < HOW_MANY; i++) {
        snprintf(label, sizeof label, "%d", i);
        struct guest guest = enter(label);
        for (int j = 0; j < TALLY_JOBS_MAX; j++) {
            snprintf(job, sizeof job, "%06x%06x", i, j);
            poll(guest, job);
        }
        runs_leave(guest.place);
    }
    ck_assert_int_eq(sum_of("1").status, ERR_NOT_FOUND);
    ck_assert_int_eq(sum_of("2").counts.polling.jobs, TALLY_JOBS_MAX);
    ck_assert_int_eq(sum_of(NULL).counts.requests, HOW_MANY * TALLY_JOBS_MAX);
}
END_TEST

static void count_label(const char *label, void *count)
{
    (void)label;
    ++*(size_t *)count;
}

/* Who comes or goes does not look at all of the others, or this would take a minute. */
START_TEST(runs_that_live_may_be_many)
{
    enum { MANY = 50000, NAMED = 7 };
    struct guest *guests = calloc(MANY, sizeof *guests);
    char label[20];
    size_t named = 0;
    ck_assert_ptr_nonnull(guests);
    for (int i = 0; i < MANY; i++) {
        snprintf(label, sizeof label, "%d", i);
        guests[i] = enter(label);
        poll(guests[i], "000000000001");
    }
    ck_assert_int_eq(runs_each_label(runs, NAMED, count_label, &named), 0);
    ck_assert_uint_eq(named, NAMED);
    ck_assert_int_eq(sum_of("49999").counts.requests, 1);
    for (int i = MANY; i-- > 0;)
        runs_leave(guests[i].place);
    named = 0;
    ck_assert_int_eq(runs_each_label(runs, MANY, count_label, &named), MANY - RUNS_MAX);
    ck_assert_uint_eq(named, RUNS_MAX);
    ck_assert_int_eq(sum_of("0").counts.requests, 1); /* of those that all had ended, the oldest */
    ck_assert_int_eq(sum_of("49999").status, ERR_NOT_FOUND);
    ck_assert_int_eq(sum_of(NULL).counts.requests, MANY);
    free(guests);
}
END_TEST

/* -- threads ----------------------------------------------------------------------------------- */

static atomic_llong begun, done;

static void *come_and_go(void *arg)
{
    static const char *const labels[] = {"", "a", "b"};
    (void)arg;
    for (int i = 0; i < WORKSPACES; i++) {
        struct guest guest = enter(labels[i % 3]);
        for (int j = 0; j < REQUESTS; j++) {
            atomic_fetch_add(&begun, 1);
            poll(guest, "000000000001");
            atomic_fetch_add(&done, 1);
        }
        runs_leave(guest.place);
    }
    return NULL;
}

START_TEST(none_is_counted_twice_or_never_while_it_leaves)
{
    const int64_t all = THREADS * WORKSPACES * REQUESTS;
    struct guest standing[STANDING]; /* so that reading takes its time */
    pthread_t threads[THREADS];
    int64_t seen = 0;
    for (int i = 0; i < STANDING; i++)
        standing[i] = enter("");
    atomic_store(&begun, 0);
    atomic_store(&done, 0);
    for (int i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, come_and_go, NULL), 0);
    while (seen < all) {
        int64_t least = atomic_load(&done);
        seen = sum_of(NULL).counts.requests;
        ck_assert_int_ge(seen, least);
        ck_assert_int_le(seen, atomic_load(&begun));
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    ck_assert_int_eq(sum_of(NULL).workspaces, THREADS * WORKSPACES);
    ck_assert_int_eq(sum_of("a").counts.requests, all / 3);
    for (int i = 0; i < STANDING; i++)
        runs_leave(standing[i].place);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("runs");
    TCase *cases = tcase_create("runs");
    tcase_add_checked_fixture(cases, set_up, tear_down);
    tcase_add_test(cases, each_run_has_its_own_and_all_have_all);
    tcase_add_test(cases, a_workspace_without_requests_is_none_of_them);
    tcase_add_test(cases, what_ends_with_its_workspace_is_counted_once);
    tcase_add_test(cases, the_oldest_that_ended_are_forgotten_and_count_still);
    tcase_add_test(cases, details_have_a_bound);
    tcase_add_test(cases, runs_that_live_may_be_many);
    tcase_add_test(cases, none_is_counted_twice_or_never_while_it_leaves);
    suite_add_tcase(suite, cases);
    return support_run(suite);
}
