/*
 * What a job is made to do out of its turn, as the writer does it: S22 (transitions), C1 (a release
 * and its effects), and reads that move a job, with the clock.
 */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "base/time.h"
#include "engine/plan.h"
#include "engine/steer.h"
#include "support.h"

enum { START = 1000000, QUEUED = 60, PROCESSING = 300 };

static struct db *db;
static struct workspace workspace;

static void begin(void)
{
    db = support_new_db();
    workspace = (struct workspace){.row.pk = support_workspace(db, "one")};
    struct clock_row clock = clock_make(CLOCK_MANUAL, 1, START, time_steady_ms());
    clock_share(&workspace.clock, &clock);
}

static void end(void)
{
    db_close(db);
}

static struct job add_job(const char *id, const struct plan *plan)
{
    static const struct job_input input = {
        .user_email = "jane@acme.com", .prompt = "A call", .callback_url = "http://127.0.0.1:9/"};
    static int64_t event;
    struct plan_row row = {.plan = *plan};
    struct job job = {.created_at = START,
                      .queue_time = QUEUED,
                      .processing_time = PROCESSING,
                      .marks = plan_marks(plan, JOB_QUEUED),
                      .event = ++event,
                      .base = "http://b"};
    job.due_at = job.marks & (JOB_IS_HELD | JOB_IS_POLLED) ? -1 : START + QUEUED;
    snprintf(job.id, sizeof job.id, "%s", id);
    ck_assert_int_eq(job_insert(db, workspace.row.pk, &job, &input), 0);
    if (job.marks & JOB_HAS_PLAN)
        ck_assert_int_eq(plan_insert(db, job.seq, &row), 0);
    ck_assert_int_eq(job_by_id(db, workspace.row.pk, id, &job), 0);
    return job;
}

static struct job get(const char *id)
{
    struct job job;
    ck_assert_int_eq(job_by_id(db, workspace.row.pk, id, &job), 0);
    return job;
}

static const struct plan nothing = PLAN_NONE;
static const struct transition_order by_rule = {.cause = JOB_CAUSE_RULE};

/* -- transitions ------------------------------------------------------------------------------- */

START_TEST(moves)
{
    enum job_status from = _i / JOB_STATUSES, to = _i % JOB_STATUSES;
    struct job job = add_job("a", &nothing);
    int64_t due = TIME_NEVER;
    if (from != JOB_QUEUED)
        ck_assert_int_eq(steer_move(db, &workspace, &job, from, &by_rule, START + 5, &due), 0);
    struct job before = get("a");
    int64_t owed = support_integer(db, "SELECT count(*) FROM delivery");
    bool legal =
        (from == JOB_QUEUED && to != JOB_QUEUED) || (from == JOB_PROCESSING && to > JOB_PROCESSING);
    due = TIME_NEVER;
    int status = steer_move(db, &workspace, &job, to, &by_rule, START + 7, &due);
    struct job after = get("a");
    ck_assert_int_eq(status, legal ? 0 : ERR_INVALID);
    /* An end's callback is due at once. */
    ck_assert_int_eq(due, !legal                 ? TIME_NEVER
                          : to == JOB_PROCESSING ? START + 7 + PROCESSING
                                                 : START + 7);
    if (!legal) {
        ck_assert_mem_eq(&after, &before, sizeof after);
        return;
    }
    ck_assert_int_eq(after.status, to);
    ck_assert_int_eq(job.status, to);
    ck_assert_int_eq(support_integer(db, "SELECT count(*) FROM delivery") - owed,
                     to > JOB_PROCESSING);
    if (to > JOB_PROCESSING)
        ck_assert_int_eq(after.end_cause, JOB_CAUSE_RULE);
    if (from == JOB_QUEUED && to != JOB_CANCELLED) {
        ck_assert_int_eq(after.started_at, START + 7); /* by way of processing, at one instant */
        ck_assert_int_eq(after.start_cause, JOB_CAUSE_RULE);
    }
}
END_TEST

START_TEST(what_is_said_counts_above_the_plan)
{
    struct plan planned = nothing, said = nothing;
    struct transition_order order = {.cause = JOB_CAUSE_CONTROL, .said = &said};
    int64_t due = TIME_NEVER;
    planned.end = PLAN_COMPLETED;
    snprintf(planned.scenario_name, sizeof planned.scenario_name, "Planned");
    snprintf(said.error_code, sizeof said.error_code, "SAID");
    struct job job = add_job("a", &planned);
    ck_assert_int_eq(steer_move(db, &workspace, &job, JOB_FAILED, &order, 7, &due), 0);
    ck_assert_str_eq(get("a").error_code, "SAID");
    job = add_job("b", &planned);
    ck_assert_int_eq(steer_move(db, &workspace, &job, JOB_COMPLETED, &by_rule, 7, &due), 0);
    ck_assert_str_eq(get("b").scenario_name, "Planned");
}
END_TEST

START_TEST(a_freed_place_is_filled)
{
    int64_t due = TIME_NEVER;
    workspace.settings.max_processing = 1;
    struct job first = add_job("a", &nothing);
    add_job("b", &nothing);
    ck_assert_int_eq(steer_move(db, &workspace, &first, JOB_PROCESSING, &by_rule, 1, &due), 0);
    due = TIME_NEVER;
    int64_t at = START + 2 * QUEUED;
    ck_assert_int_eq(steer_move(db, &workspace, &first, JOB_FAILED, &by_rule, at, &due), 0);
    ck_assert_int_eq(get("b").status, JOB_PROCESSING);
    ck_assert_int_eq(get("b").started_at, at);
    ck_assert_int_eq(get("b").due_at, at + PROCESSING);
    ck_assert_int_eq(due, at); /* the callback */
}
END_TEST

/* -- release ----------------------------------------------------------------------------------- */

START_TEST(release)
{
    struct plan held = nothing;
    int64_t due = TIME_NEVER;
    held.hold_at = JOB_QUEUED;
    struct job job = add_job("a", &held), free_job = add_job("b", &nothing);
    ck_assert_int_eq(steer_release(db, &workspace, &free_job, &due), ERR_INVALID);
    ck_assert_int_eq(steer_release(db, &workspace, &job, &due), 0);
    ck_assert_int_eq(due, START + QUEUED); /* what is left of its time */
    struct job after = get("a");
    ck_assert_int_eq(after.due_at, START + QUEUED);
    ck_assert_uint_eq(after.marks & JOB_IS_HELD, 0);
    ck_assert_int_eq(steer_release(db, &workspace, &after, &due), ERR_INVALID);
}
END_TEST

START_TEST(release_when_its_time_is_over)
{
    struct plan held = nothing;
    int64_t due = TIME_NEVER;
    held.hold_at = JOB_QUEUED;
    struct job job = add_job("a", &held);
    struct clock_row clock = clock_make(CLOCK_MANUAL, 1, START + 2 * QUEUED, 0);
    clock_share(&workspace.clock, &clock);
    ck_assert_int_eq(steer_release(db, &workspace, &job, &due), 0);
    ck_assert_int_eq(job.due_at, START + 2 * QUEUED); /* now, and not when it would have been */
}
END_TEST

/* -- reads that move a job --------------------------------------------------------------------- */

/* Reads it once; its state. */
static enum job_status poll(const char *id, bool *ret_jumped)
{
    struct job job = get(id);
    bool moved = false;
    int64_t due = TIME_NEVER;
    ck_assert(steer_is_polled(&job));
    *ret_jumped = false;
    ck_assert_int_eq(steer_poll(db, &workspace, &job, &due, &moved, ret_jumped), 0);
    struct job stored = get(id);
    ck_assert_int_eq(stored.status, job.status);
    return job.status;
}

static const struct {
    int queued, processing; /* polls */
    const char *seen;       /* first letters of what the reads show until the end */
} reads[] = {
    {2, 3, "qqpppc"}, {0, 3, "pppc"}, {2, 0, "qqc"}, {0, 0, "c"}, {1, 1, "qpc"},
};

START_TEST(polls)
{
    struct plan plan = nothing;
    plan.polls_queued = reads[_i].queued;
    plan.polls_processing = reads[_i].processing;
    add_job("a", &plan);
    for (const char *expected = reads[_i].seen; *expected; expected++) {
        bool jumped;
        enum job_status status = poll("a", &jumped);
        ck_assert_int_eq(job_status_name(status)[0], *expected);
    }
    struct job job = get("a");
    ck_assert(!steer_is_polled(&job));
    ck_assert_int_eq(job.started_at, START + QUEUED);
    ck_assert_int_eq(job.completed_at, START + QUEUED + PROCESSING);
    ck_assert_int_eq(job.start_cause, JOB_CAUSE_POLL);
    ck_assert_int_eq(job.end_cause, JOB_CAUSE_POLL);
    ck_assert_int_eq(workspace_now_in(db, &workspace), START + QUEUED + PROCESSING);
}
END_TEST

START_TEST(the_clock_jumps_only_ahead)
{
    struct plan plan = nothing;
    bool jumped;
    plan.polls_queued = 0;
    struct clock_row clock = clock_make(CLOCK_MANUAL, 1, START + 10 * QUEUED, 0);
    clock_share(&workspace.clock, &clock);
    add_job("a", &plan);
    ck_assert_int_eq(poll("a", &jumped), JOB_PROCESSING);
    ck_assert(!jumped);
    ck_assert_int_eq(get("a").started_at, START + QUEUED); /* its due time all the same */
    ck_assert_int_eq(workspace_now_in(db, &workspace), START + 10 * QUEUED);
}
END_TEST

START_TEST(what_is_due_on_the_way_fires_first)
{
    struct plan plan = nothing;
    bool jumped;
    plan.polls_queued = 0;
    plan.polls_processing = 9;
    add_job("a", &nothing);
    add_job("b", &plan);
    ck_assert_int_eq(poll("b", &jumped), JOB_PROCESSING);
    ck_assert(jumped);
    ck_assert_int_eq(get("a").status, JOB_PROCESSING);
    ck_assert_int_eq(get("a").start_cause, JOB_CAUSE_TIMER);
}
END_TEST

START_TEST(a_hold_comes_first)
{
    struct plan plan = nothing;
    int64_t due = TIME_NEVER;
    bool jumped;
    plan.polls_queued = 1;
    plan.hold_at = JOB_QUEUED;
    struct job job = add_job("a", &plan);
    ck_assert(!steer_is_polled(&job));
    ck_assert_int_eq(steer_release(db, &workspace, &job, &due), 0);
    ck_assert_int_eq(due, TIME_NEVER);
    ck_assert_int_eq(poll("a", &jumped), JOB_QUEUED);
    ck_assert_int_eq(poll("a", &jumped), JOB_PROCESSING);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("steer");
    TCase *all = tcase_create("S22, C1");
    tcase_set_timeout(all, 30);
    tcase_add_checked_fixture(all, begin, end);
    tcase_add_loop_test(all, moves, 0, JOB_STATUSES * JOB_STATUSES);
    tcase_add_test(all, what_is_said_counts_above_the_plan);
    tcase_add_test(all, a_freed_place_is_filled);
    tcase_add_test(all, release);
    tcase_add_test(all, release_when_its_time_is_over);
    tcase_add_loop_test(all, polls, 0, COUNT(reads));
    tcase_add_test(all, the_clock_jumps_only_ahead);
    tcase_add_test(all, what_is_due_on_the_way_fires_first);
    tcase_add_test(all, a_hold_comes_first);
    suite_add_tcase(suite, all);
    return support_run(suite);
}
