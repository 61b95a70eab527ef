/*
 * The timers of a workspace's jobs: S20 (a timer's transition carries its due time), S22, and
 * --max-processing: first in, first out, with the same times whether they are lived through or
 * caught up with.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "engine/timers.h"
#include "engine/transition.h"
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

static const struct job_input input = {.user_email = "jane@acme.com", .prompt = "A sales call"};

static struct job add_job(const char *id, int64_t due_at, int64_t processing_time)
{
    static int64_t event;
    struct job job = {
        .due_at = due_at, .processing_time = processing_time, .event = ++event, .base = "http://b"};
    snprintf(job.id, sizeof job.id, "%s", id);
    ck_assert_int_eq(job_insert(db, workspace.row.pk, &job, &input), 0);
    return job;
}

static struct job get(const char *id)
{
    struct job job;
    ck_assert_int_eq(job_by_id(db, workspace.row.pk, id, &job), 0);
    return job;
}

static int64_t fire(int64_t now, size_t limit)
{
    int64_t next = -7;
    ck_assert_int_eq(timers_fire(db, &workspace, now, limit, &next), 0);
    return next;
}

static void check_times(const char *id, enum job_status status, int64_t started, int64_t completed)
{
    struct job job = get(id);
    ck_assert_msg(job.status == status && job.started_at == started &&
                      job.completed_at == completed,
                  "%s is %s, %d to %d", id, job_status_name(job.status), (int)job.started_at,
                  (int)job.completed_at);
}

START_TEST(nothing_to_do)
{
    ck_assert_int_eq(fire(1000, 100), TIME_NEVER);
    add_job("a", 50, 10);
    ck_assert_int_eq(fire(49, 100), 50);
    check_times("a", JOB_QUEUED, -1, -1);
    ck_assert_int_eq(fire(50, 0), 50); /* the limit: due already, and left */
    check_times("a", JOB_QUEUED, -1, -1);
}
END_TEST

START_TEST(job_moves_at_its_due_times)
{
    add_job("a", 50, 10);
    ck_assert_int_eq(fire(53, 100), 60);
    check_times("a", JOB_PROCESSING, 50, -1);
    ck_assert_int_eq(get("a").due_at, 60);
    ck_assert_int_eq(fire(59, 100), 60);
    check_times("a", JOB_PROCESSING, 50, -1);
    ck_assert_int_eq(fire(9999, 100), TIME_NEVER);
    check_times("a", JOB_COMPLETED, 50, 60);
    ck_assert_int_eq(get("a").due_at, -1);
    ck_assert_int_eq(fire(INT64_MAX, 100), TIME_NEVER); /* an end never changes */
    check_times("a", JOB_COMPLETED, 50, 60);
}
END_TEST

START_TEST(both_transitions_in_one_go)
{
    add_job("a", 50, 10);
    add_job("b", 55, 0);
    ck_assert_int_eq(fire(60, 100), TIME_NEVER);
    check_times("a", JOB_COMPLETED, 50, 60);
    check_times("b", JOB_COMPLETED, 55, 55);
}
END_TEST

/* One at a time, in order of (due time, creation), starts and ends alike. */
START_TEST(order_is_due_time_then_creation)
{
    static const struct {
        const char *id;
        enum job_status status;
        int64_t next; /* due after this step */
    } steps[] = {
        {"d", JOB_PROCESSING, 20}, /* 10: the last made, the first due; will end at 40 */
        {"a", JOB_PROCESSING, 20}, /* 20: before b by creation; will end at 40 */
        {"b", JOB_PROCESSING, 20}, /* 20; will end at 20 */
        {"b", JOB_COMPLETED, 40},  /* 20 */
        {"a", JOB_COMPLETED, 40},  /* 40: an end, older than c's start */
        {"c", JOB_PROCESSING, 40}, /* 40: a start, older than d's end */
        {"d", JOB_COMPLETED, 41},  /* 40 */
        {"c", JOB_COMPLETED, TIME_NEVER},
    };
    add_job("a", 20, 20);
    add_job("b", 20, 0);
    add_job("c", 40, 1);
    add_job("d", 10, 30);
    for (size_t i = 0; i < COUNT(steps); i++) {
        enum job_status before = get(steps[i].id).status;
        ck_assert_int_ne(before, steps[i].status);
        ck_assert_int_eq(fire(1000, 1), steps[i].next);
        ck_assert_msg(get(steps[i].id).status == steps[i].status, "step %zu", i);
    }
}
END_TEST

START_TEST(other_workspaces_are_left_alone)
{
    struct workspace other = {.row.pk = support_workspace(db, "two")};
    int64_t next = 0;
    add_job("a", 50, 10);
    ck_assert_int_eq(timers_fire(db, &other, 1000, 100, &next), 0);
    ck_assert_int_eq(next, TIME_NEVER);
    check_times("a", JOB_QUEUED, -1, -1);
}
END_TEST

/* -- max_processing ---------------------------------------------------------------------------- */

START_TEST(places_are_taken_in_order)
{
    workspace.settings.max_processing = 1;
    add_job("a", 100, 1000);
    add_job("b", 90, 1000); /* due first, so first */
    add_job("c", 100, 1000);
    ck_assert_int_eq(fire(500, 100), 1090); /* nobody's start: they wait for b's end */
    check_times("b", JOB_PROCESSING, 90, -1);
    check_times("a", JOB_QUEUED, -1, -1);
    ck_assert_int_eq(fire(1090, 100), 2090);
    check_times("b", JOB_COMPLETED, 90, 1090);
    check_times("a", JOB_PROCESSING, 1090, -1);
    check_times("c", JOB_QUEUED, -1, -1);
    ck_assert_int_eq(fire(99999, 100), TIME_NEVER);
    check_times("a", JOB_COMPLETED, 1090, 2090);
    check_times("c", JOB_COMPLETED, 2090, 3090);
}
END_TEST

/* A cancelled job's place is filled at once, at the time of the cancel. */
START_TEST(freed_place_is_filled)
{
    int64_t next = TIME_NEVER;
    workspace.settings.max_processing = 1;
    add_job("a", 100, 1000);
    add_job("b", 100, 700);
    add_job("c", 100, 700);
    add_job("later", 900, 700);
    fire(100, 100);
    struct job a = get("a");
    ck_assert_int_eq(timers_fill(db, &workspace, 250, &next), 0); /* none is free */
    ck_assert_int_eq(next, TIME_NEVER);
    ck_assert_int_eq(transition_cancel(db, &workspace, &a, JOB_CAUSE_REQUEST, 300, &next), 0);
    ck_assert_int_eq(timers_fill(db, &workspace, 300, &next), 0);
    ck_assert_int_eq(next, 1000);
    check_times("a", JOB_CANCELLED, 100, 300);
    check_times("b", JOB_PROCESSING, 300, -1);
    check_times("c", JOB_QUEUED, -1, -1);

    workspace.settings.max_processing = 4; /* two more places: c's, but not who is not due */
    next = 500;
    ck_assert_int_eq(timers_fill(db, &workspace, 400, &next), 0);
    ck_assert_int_eq(next, 500); /* only ever lowered */
    check_times("c", JOB_PROCESSING, 400, -1);
    check_times("later", JOB_QUEUED, -1, -1);
}
END_TEST

/* -- lived through, or caught up with ---------------------------------------------------------- */

enum { JOBS = 40 };

struct reckoned {
    char id[ID_HEX_SIZE];
    int64_t created, due, processing, start, end;
    size_t order; /* of creation */
};

static int by_due(const void *a, const void *b)
{
    const struct reckoned *first = a, *second = b;
    if (first->due != second->due)
        return first->due < second->due ? -1 : 1;
    return first->order < second->order ? -1 : 1;
}

/* A queue with `places` servers, reckoned by itself: each takes the place that is free first. */
static void reckon(struct reckoned plans[JOBS], int64_t places)
{
    int64_t free_at[JOBS] = {0};
    struct reckoned sorted[JOBS];
    memcpy(sorted, plans, sizeof sorted);
    qsort(sorted, JOBS, sizeof *sorted, by_due);
    for (size_t i = 0; i < JOBS; i++) {
        size_t place = 0;
        for (size_t j = 1; j < (size_t)(places ? places : JOBS); j++)
            if (free_at[j] < free_at[place])
                place = j;
        struct reckoned *plan = &plans[sorted[i].order];
        plan->start = plan->due > free_at[place] ? plan->due : free_at[place];
        free_at[place] = plan->end = plan->start + plan->processing;
    }
}

/* Jobs of one workspace have one queue time while the server runs: due in order of creation. */
static void make_plans(struct reckoned plans[JOBS], unsigned seed)
{
    int64_t created = 0;
    srand(seed);
    for (size_t i = 0; i < JOBS; i++) {
        created += rand() % 30;
        plans[i] = (struct reckoned){
            .created = created, .due = created + 20, .processing = rand() % 100, .order = i};
        snprintf(plans[i].id, sizeof plans[i].id, "%u-%zu", seed, i);
    }
}

static void check_plans(const struct reckoned plans[JOBS])
{
    for (size_t i = 0; i < JOBS; i++)
        check_times(plans[i].id, JOB_COMPLETED, plans[i].start, plans[i].end);
}

START_TEST(caught_up_times_are_those_lived_through)
{
    struct reckoned plans[JOBS];
    workspace.settings.max_processing = _i % 4;

    make_plans(plans, 1 + (unsigned)_i);
    reckon(plans, _i % 4);
    for (size_t i = 0; i < JOBS; i++)
        add_job(plans[i].id, plans[i].due, plans[i].processing);
    ck_assert_int_eq(fire(1000000, 1000), TIME_NEVER);
    check_plans(plans);

    make_plans(plans, 1000 + (unsigned)_i);
    reckon(plans, _i % 4);
    int64_t now = 0, next = TIME_NEVER;
    for (size_t i = 0; i < JOBS || next != TIME_NEVER;) {
        if (i < JOBS && plans[i].created <= now) {
            add_job(plans[i].id, plans[i].due, plans[i].processing);
            i++;
            continue;
        }
        next = fire(now, (size_t)(1 + rand() % 3));
        now += rand() % 15;
    }
    check_plans(plans);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("timers");
    TCase *timers = tcase_create("S20, S22");
    tcase_set_timeout(timers, 30);
    tcase_add_checked_fixture(timers, begin, end);
    tcase_add_test(timers, nothing_to_do);
    tcase_add_test(timers, job_moves_at_its_due_times);
    tcase_add_test(timers, both_transitions_in_one_go);
    tcase_add_test(timers, order_is_due_time_then_creation);
    tcase_add_test(timers, other_workspaces_are_left_alone);
    tcase_add_test(timers, places_are_taken_in_order);
    tcase_add_test(timers, freed_place_is_filled);
    tcase_add_loop_test(timers, caught_up_times_are_those_lived_through, 0, 12);
    suite_add_tcase(suite, timers);
    return support_run(suite);
}
