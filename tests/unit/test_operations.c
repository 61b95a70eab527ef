/*
 * What the Studio API asks of the engine, run as the writer runs it: S10 and S12 (known request
 * ids, and what comes before what), S8, S9, S13 (a session's job, once), S16, S17, S21.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "engine/jobs.h"
#include "engine/plan.h"
#include "engine/transition.h"
#include "store/scenario.h"
#include "support.h"

static struct db *db;
static struct workspace one, two;

static void begin(void)
{
    struct settings settings = {.queue_time = 500, .processing_time = 2000};
    db = support_new_db();
    one = (struct workspace){.row.pk = support_workspace(db, "one"), .settings = settings};
    two = (struct workspace){.row.pk = support_workspace(db, "two"), .settings = settings};
    struct scenario source = {.id = "0123456789ab", .slug = "source", .name = "Source"};
    ck_assert_int_eq(scenario_insert(db, one.row.pk, &source), 0);
}

static void end(void)
{
    db_close(db);
}

static struct job_create create(struct workspace *workspace, const struct job_input *input,
                                bool is_member)
{
    struct job_create self = {
        .input = *input, .base = "http://b", .is_member = is_member, .plan = PLAN_NONE};
    operation_init(&self.operation, NULL, workspace, job_create_run);
    ck_assert_int_eq(job_create_run(&self.operation.write, db), 0);
    return self;
}

static int64_t count_jobs(void)
{
    return support_integer(db, "SELECT count(*) FROM job");
}

/* -- jobs -------------------------------------------------------------------------------------- */

START_TEST(new_job)
{
    struct job_input input = {.user_email = "jane@acme.com", .prompt = "p", .request_id = "r"};
    struct job stored;
    int64_t before = time_steady_ms();
    struct job_create self = create(&one, &input, true);
    int64_t after = time_steady_ms();
    ck_assert_int_eq(self.outcome, CREATE_NEW);
    ck_assert_uint_eq(strspn(self.job.id, "0123456789abcdef"), 12);
    ck_assert_int_eq(self.job.status, JOB_QUEUED);
    ck_assert_int_ge(self.job.created_at, before);
    ck_assert_int_le(self.job.created_at, after);
    ck_assert_int_eq(self.job.due_at, self.job.created_at + 500);
    ck_assert_int_eq(self.operation.due_at, self.job.due_at); /* for the worker */
    ck_assert_int_eq(self.job.processing_time, 2000);
    ck_assert_int_eq(job_by_id(db, one.row.pk, self.job.id, &stored), 0);
    ck_assert_mem_eq(&stored, &self.job, sizeof stored);
}
END_TEST

/* S10: the request id is looked up before the member, and the member before the source. A known
 * one answers with the job as it is now, whatever else the body says. */
static const struct {
    struct job_input input;
    bool is_member;
    enum create_outcome outcome;
} orders[] = {
    {{.request_id = "r", .user_email = "x", .prompt = "other"}, true, CREATE_KNOWN},
    {{.request_id = "r", .user_email = "x", .prompt = "p"}, false, CREATE_KNOWN},
    {{.request_id = "r", .user_email = "x", .prompt = "p", .scenario_slug = "none"},
     false,
     CREATE_KNOWN},
    {{.request_id = "s", .user_email = "x", .prompt = "p", .scenario_slug = "none"},
     false,
     CREATE_NO_MEMBER},
    {{.user_email = "x", .prompt = "p"}, false, CREATE_NO_MEMBER},
    {{.user_email = "x", .prompt = "p", .scenario_slug = "none"}, true, CREATE_NO_SOURCE},
    {{.user_email = "x", .prompt = "p", .scenario_slug = "Source"}, true, CREATE_NO_SOURCE},
    {{.user_email = "x", .prompt = "p", .scenario_slug = "source"}, true, CREATE_NEW},
    {{.user_email = "x", .prompt = "p"}, true, CREATE_NEW},
};

START_TEST(order_of_refusals)
{
    struct job_input input = {.user_email = "jane@acme.com", .prompt = "p", .request_id = "r"};
    struct job first = create(&one, &input, true).job, now;
    ck_assert_int_eq(transition_start(db, &one, &first, JOB_CAUSE_TIMER, 77), 0);
    struct job_create self = create(&one, &orders[_i].input, orders[_i].is_member);
    ck_assert_int_eq(self.outcome, orders[_i].outcome);
    ck_assert_int_eq(count_jobs(), orders[_i].outcome == CREATE_NEW ? 2 : 1);
    if (self.outcome != CREATE_NEW)
        ck_assert_int_eq(self.operation.due_at, TIME_NEVER);
    if (self.outcome != CREATE_KNOWN)
        return;
    ck_assert_int_eq(job_by_id(db, one.row.pk, first.id, &now), 0);
    ck_assert_mem_eq(&self.job, &now, sizeof now);
    ck_assert_int_eq(self.job.status, JOB_PROCESSING);
}
END_TEST

/* S2, S12: request ids and slugs are each workspace's own, sessions' and jobs' apart. */
START_TEST(other_workspaces_are_unknown)
{
    struct job_input input = {.user_email = "jane@acme.com", .prompt = "p", .request_id = "r"};
    struct job first = create(&one, &input, true).job;
    ck_assert_int_eq(create(&two, &input, true).outcome, CREATE_NEW);
    input.request_id = NULL;
    input.scenario_slug = "source";
    ck_assert_int_eq(create(&two, &input, true).outcome, CREATE_NO_SOURCE);
    struct job_cancel cancel = {.id = first.id};
    operation_init(&cancel.operation, NULL, &two, job_cancel_run);
    ck_assert_int_eq(job_cancel_run(&cancel.operation.write, db), 0);
    ck_assert_int_eq(cancel.outcome, CANCEL_NO_JOB);
}
END_TEST

static struct job_cancel cancel_job(const char *id)
{
    struct job_cancel self = {.id = id};
    operation_init(&self.operation, NULL, &one, job_cancel_run);
    ck_assert_int_eq(job_cancel_run(&self.operation.write, db), 0);
    return self;
}

START_TEST(cancels)
{
    struct job_input input = {.user_email = "jane@acme.com", .prompt = "p"};
    struct job queued = create(&one, &input, true).job, processed = create(&one, &input, true).job;
    ck_assert_int_eq(transition_start(db, &one, &processed, JOB_CAUSE_TIMER, processed.due_at), 0);
    ck_assert_int_eq(cancel_job("none").outcome, CANCEL_NO_JOB);
    int64_t before = time_steady_ms();
    struct job_cancel done = cancel_job(queued.id);
    ck_assert_int_eq(done.outcome, CANCEL_DONE);
    ck_assert_int_eq(done.job.status, JOB_CANCELLED);
    ck_assert_int_eq(done.job.started_at, -1);
    ck_assert_int_ge(done.job.completed_at, before);
    struct job_cancel again = cancel_job(queued.id);
    ck_assert_int_eq(again.outcome, CANCEL_ENDED);
    ck_assert_mem_eq(&again.job, &done.job, sizeof done.job);
    ck_assert_int_eq(cancel_job(processed.id).outcome, CANCEL_DONE);
}
END_TEST

START_TEST(cancel_fills_the_place)
{
    struct job_input input = {.user_email = "jane@acme.com", .prompt = "p"};
    struct job next;
    one.settings.max_processing = 1;
    one.settings.queue_time = 0;
    struct job first = create(&one, &input, true).job, second = create(&one, &input, true).job;
    ck_assert_int_eq(transition_start(db, &one, &first, JOB_CAUSE_TIMER, first.due_at), 0);
    struct job_cancel cancel = cancel_job(first.id);
    ck_assert_int_eq(job_by_id(db, one.row.pk, second.id, &next), 0);
    ck_assert_int_eq(next.status, JOB_PROCESSING);
    ck_assert_int_eq(next.started_at, cancel.job.completed_at);
    ck_assert_int_le(cancel.operation.due_at, next.due_at); /* the worker looks in time */
}
END_TEST

/* -- sessions ---------------------------------------------------------------------------------- */

static struct session_create create_session(struct workspace *workspace, const char *request_id,
                                            bool is_member)
{
    struct session_create self = {.input = {"jane@acme.com", "a prompt", request_id},
                                  .base = "http://b",
                                  .is_member = is_member};
    operation_init(&self.operation, NULL, workspace, session_create_run);
    ck_assert_int_eq(session_create_run(&self.operation.write, db), 0);
    return self;
}

START_TEST(sessions_are_made_once)
{
    struct job_input input = {.user_email = "jane@acme.com", .prompt = "p", .request_id = "r"};
    create(&one, &input, true); /* a job's request id is another */
    struct session_create first = create_session(&one, "r", true);
    ck_assert_int_eq(first.outcome, CREATE_NEW);
    ck_assert_uint_eq(strspn(first.session.id, "0123456789abcdef"), 12);
    ck_assert_str_eq(first.session.base, "http://b");
    struct session_create again = create_session(&one, "r", false);
    ck_assert_int_eq(again.outcome, CREATE_KNOWN);
    ck_assert_str_eq(again.session.id, first.session.id);
    ck_assert_int_eq(create_session(&one, "s", false).outcome, CREATE_NO_MEMBER);
    ck_assert_int_eq(create_session(&two, "r", true).outcome, CREATE_NEW);
    ck_assert_int_eq(create_session(&one, NULL, true).outcome, CREATE_NEW);
    ck_assert_int_eq(create_session(&one, NULL, true).outcome, CREATE_NEW);
    ck_assert_int_eq(support_integer(db, "SELECT count(*) FROM session"), 4);
}
END_TEST

static struct session_open open_session(struct workspace *workspace, const char *id)
{
    struct session_open self = {.id = id};
    operation_init(&self.operation, NULL, workspace, session_open_run);
    ck_assert_int_eq(session_open_run(&self.operation.write, db), 0);
    return self;
}

static int check_input(const struct job_input *input, void *session)
{
    ck_assert_str_eq(input->user_email, "jane@acme.com");
    ck_assert_str_eq(input->prompt, "a prompt");
    ck_assert_str_eq(input->session, session);
    ck_assert_ptr_null(input->request_id);
    ck_assert_ptr_null(input->callback_url);
    return 0;
}

START_TEST(opening_starts_the_job_once)
{
    struct session session = create_session(&one, "r", true).session, found;
    struct job job;
    ck_assert_int_eq(count_jobs(), 0);
    ck_assert_int_eq(open_session(&one, "none").operation.due_at, TIME_NEVER);
    ck_assert_int_eq(open_session(&two, session.id).operation.due_at, TIME_NEVER);
    ck_assert_int_eq(count_jobs(), 0);
    struct session_open first = open_session(&one, session.id);
    ck_assert_int_eq(session_by_id(db, one.row.pk, session.id, &found), 0);
    ck_assert_int_eq(job_by_id(db, one.row.pk, found.job, &job), 0);
    ck_assert_int_eq(first.operation.due_at, job.due_at);
    ck_assert_str_eq(job.base, session.base);
    ck_assert_int_eq(job_input(db, job.seq, check_input, session.id), 0);
    struct session_open again = open_session(&one, session.id);
    ck_assert_int_eq(again.operation.due_at, TIME_NEVER);
    ck_assert_int_eq(count_jobs(), 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("operations");
    TCase *jobs = tcase_create("S8, S9, S10, S12, S16, S17"), *sessions = tcase_create("S12, S13");
    tcase_set_timeout(jobs, 30);
    tcase_add_checked_fixture(jobs, begin, end);
    tcase_add_test(jobs, new_job);
    tcase_add_loop_test(jobs, order_of_refusals, 0, (int)COUNT(orders));
    tcase_add_test(jobs, other_workspaces_are_unknown);
    tcase_add_test(jobs, cancels);
    tcase_add_test(jobs, cancel_fills_the_place);
    suite_add_tcase(suite, jobs);
    tcase_set_timeout(sessions, 30);
    tcase_add_checked_fixture(sessions, begin, end);
    tcase_add_test(sessions, sessions_are_made_once);
    tcase_add_test(sessions, opening_starts_the_job_once);
    suite_add_tcase(suite, sessions);
    return support_run(suite);
}
