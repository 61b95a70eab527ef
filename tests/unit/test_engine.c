/*
 * The engine as it runs: the worker moves jobs at their times, and a start brings up to date what
 * fell due while the server was down (S20, S22). A test waits for a state by being told of each
 * change to a job's row, on the writer's thread, and then reading behind it.
 */
#include <check.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "engine/internal.h"
#include "engine/jobs.h"
#include "engine/plan.h"
#include "store/db_internal.h"
#include "support.h"

static struct store *store;
static struct engine *engine;

/* -- being told of changes --------------------------------------------------------------------- */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static unsigned long changes;

static void note_change(void *arg, int operation, const char *schema, const char *table,
                        sqlite3_int64 row)
{
    (void)arg;
    (void)operation;
    (void)schema;
    (void)row;
    if (strcmp(table, "job") != 0)
        return;
    pthread_mutex_lock(&lock);
    changes++;
    pthread_cond_signal(&changed);
    pthread_mutex_unlock(&lock);
}

static int watch(struct db *db, void *arg)
{
    (void)arg;
    sqlite3_update_hook(db->connection, note_change, NULL);
    return 0;
}

static int count_unended(struct db *db, void *arg)
{
    *(int64_t *)arg = support_integer(db, "SELECT count(*) FROM job WHERE status < 2");
    return 0;
}

/* Waits until every job has ended. The read is a message, so it comes after the change's commit. */
static void wait_for_ends(void)
{
    for (;;) {
        int64_t left = 0;
        pthread_mutex_lock(&lock);
        unsigned long seen = changes;
        pthread_mutex_unlock(&lock);
        ck_assert_int_eq(support_write(store, count_unended, &left), 0);
        if (!left)
            return;
        pthread_mutex_lock(&lock);
        while (changes == seen)
            pthread_cond_wait(&changed, &lock);
        pthread_mutex_unlock(&lock);
    }
}

/* -- the engine -------------------------------------------------------------------------------- */

static void begin(void)
{
    changes = 0;
    engine = NULL;
    store = support_new_store();
    ck_assert_int_eq(support_write(store, watch, NULL), 0);
}

static void end(void)
{
    engine_stop(engine);
    store_close(store);
}

static void start_engine(int64_t queue_time, int64_t processing_time, int64_t max_processing)
{
    struct err err = {""};
    struct engine_options options = {.settings = {queue_time, processing_time, max_processing}};
    int status = engine_start(store, &options, &engine, &err);
    ck_assert_msg(status == 0, "%d: %s", status, err.text);
}

static struct workspace *take_default(void)
{
    struct workspace *workspace = registry_default(engine_registry(engine));
    ck_assert_ptr_nonnull(workspace);
    return workspace;
}

/* -- operations of the tests' own thread ------------------------------------------------------- */

struct wait {
    pthread_mutex_t lock;
    pthread_cond_t woken;
    int wakes;
};

static void wake(void *arg)
{
    struct wait *wait = arg;
    pthread_mutex_lock(&wait->lock);
    wait->wakes++;
    pthread_cond_signal(&wait->woken);
    pthread_mutex_unlock(&wait->lock);
}

/* Submits an operation and waits for its wake; its status. */
static int operate(struct operation *operation)
{
    struct wait wait = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0};
    operation_submit(operation, wake, &wait);
    pthread_mutex_lock(&wait.lock);
    while (!wait.wakes)
        pthread_cond_wait(&wait.woken, &wait.lock);
    pthread_mutex_unlock(&wait.lock);
    return operation->status;
}

static struct job create(struct workspace *workspace)
{
    struct job_create self = {.input = {.user_email = "jane@acme.com", .prompt = "A sales call"},
                              .plan = PLAN_NONE,
                              .base = "http://b",
                              .is_member = true};
    operation_init(&self.operation, engine, workspace, job_create_run);
    ck_assert_int_eq(operate(&self.operation), 0);
    ck_assert_int_eq(self.outcome, CREATE_NEW);
    return self.job;
}

static struct job get(struct workspace *workspace, const char *id)
{
    struct job job;
    struct db *db = store_reader(store, NULL);
    ck_assert_int_eq(job_by_id(db, workspace->row.pk, id, &job), 0);
    return job;
}

static void check_times(const struct job *made, int64_t started, int64_t completed,
                        struct workspace *workspace)
{
    struct job job = get(workspace, made->id);
    ck_assert_int_eq(job.status, JOB_COMPLETED);
    ck_assert_int_eq(job.started_at - made->created_at, started);
    ck_assert_int_eq(job.completed_at - made->created_at, completed);
}

START_TEST(worker_moves_a_job)
{
    int64_t queue_time = _i ? 0 : 20, processing_time = _i ? 0 : 30;
    start_engine(queue_time, processing_time, 0);
    struct workspace *workspace = take_default();
    struct job job = create(workspace);
    ck_assert_int_eq(job.status, JOB_QUEUED);
    wait_for_ends();
    check_times(&job, queue_time, queue_time + processing_time, workspace);
    ck_assert_int_ge(workspace_now(workspace), job.created_at + queue_time + processing_time);
    job = create(workspace); /* it sleeps without a timer now, and wakes again */
    wait_for_ends();
    check_times(&job, queue_time, queue_time + processing_time, workspace);
    workspace_release(workspace);
}
END_TEST

START_TEST(worker_moves_many_jobs)
{
    enum { JOBS = 100 };
    static struct job jobs[JOBS];
    start_engine(5, 10, 0);
    struct workspace *workspace = take_default();
    for (int i = 0; i < JOBS; i++)
        jobs[i] = create(workspace);
    wait_for_ends();
    for (int i = 0; i < JOBS; i++)
        check_times(&jobs[i], 5, 15, workspace);
    workspace_release(workspace);
}
END_TEST

/* --max-processing: the second starts when the first ends, not when it was due. */
START_TEST(jobs_wait_for_a_place)
{
    start_engine(0, 40, 1);
    struct workspace *workspace = take_default();
    struct job first = create(workspace), second = create(workspace);
    wait_for_ends();
    struct job a = get(workspace, first.id), b = get(workspace, second.id);
    ck_assert_int_eq(a.started_at, first.created_at);
    ck_assert_int_eq(b.started_at,
                     a.completed_at > second.created_at ? a.completed_at : second.created_at);
    ck_assert_int_eq(b.completed_at, b.started_at + 40);
    workspace_release(workspace);
}
END_TEST

/* A cancel frees the place, and the worker learns of the timer that this set. */
START_TEST(cancel_lets_the_next_one_in)
{
    start_engine(0, 600000, 1); /* only a cancel ends the first in this test's life */
    struct workspace *workspace = take_default();
    struct job first = create(workspace);
    pthread_mutex_lock(&lock);
    while (changes < 2) /* its insertion and its start */
        pthread_cond_wait(&changed, &lock);
    pthread_mutex_unlock(&lock);
    workspace->settings.processing_time = 20;
    struct job second = create(workspace);
    struct job_cancel self = {.id = first.id};
    operation_init(&self.operation, engine, workspace, job_cancel_run);
    ck_assert_int_eq(operate(&self.operation), 0);
    ck_assert_int_eq(self.outcome, CANCEL_DONE);
    wait_for_ends();
    struct job next = get(workspace, second.id);
    ck_assert_int_eq(get(workspace, first.id).status, JOB_CANCELLED);
    ck_assert_int_eq(next.status, JOB_COMPLETED);
    ck_assert_int_eq(next.started_at, self.job.completed_at);
    workspace_release(workspace);
}
END_TEST

START_TEST(failed_operation_is_told)
{
    start_engine(0, 0, 0);
    struct workspace *workspace = take_default();
    struct job_create self = {
        .input = {.prompt = "no address"}, .base = "", .is_member = true, .plan = PLAN_NONE};
    operation_init(&self.operation, engine, workspace, job_create_run);
    ck_assert_int_lt(operate(&self.operation), 0);
    workspace_release(workspace);
}
END_TEST

/* -- catching up ------------------------------------------------------------------------------- */

struct past {
    int jobs;
    int64_t due, every;
};

/* Writes jobs into the default workspace as a server before this one left them. */
static int add_past(struct db *db, void *arg)
{
    struct past *past = arg;
    struct job_input input = {.user_email = "jane@acme.com", .prompt = "A sales call"};
    for (int i = 0; i < past->jobs; i++) {
        struct job job = {
            .due_at = past->due + i * past->every, .processing_time = 1000, .event = i + 1};
        job.created_at = job.due_at - 500;
        snprintf(job.id, sizeof job.id, "%d", i);
        ck_assert_int_eq(job_insert(db, 1, &job, &input), 0);
    }
    return 0;
}

static void leave_past(int jobs, int64_t due, int64_t every)
{
    struct past past = {jobs, due, every};
    struct engine_options options = {.no_defaults = true};
    ck_assert_int_eq(engine_bootstrap(store, &options, NULL), 0);
    ck_assert_int_eq(support_write(store, add_past, &past), 0);
}

/* More timers than one transaction of the start fires; done when the start is, with the times that
 * they would have had. */
START_TEST(start_catches_up)
{
    enum { JOBS = 700 };
    int64_t past = time_steady_ms() - 86400000;
    char id[ID_HEX_SIZE];
    leave_past(JOBS, past, 10);
    start_engine(1, 1, _i ? 1 : 0);
    struct workspace *workspace = take_default();
    for (int i = 0; i < JOBS; i++) {
        snprintf(id, sizeof id, "%d", i);
        struct job job = get(workspace, id);
        int64_t started = _i ? past + i * 1000 : past + i * 10;
        ck_assert_int_eq(job.status, JOB_COMPLETED);
        ck_assert_int_eq(job.started_at, started);
        ck_assert_int_eq(job.completed_at, started + 1000);
    }
    workspace_release(workspace);
}
END_TEST

/* What is not due yet is left, and the worker knows of it. */
START_TEST(start_resumes)
{
    int64_t due = time_steady_ms() - 700;
    leave_past(4, due, 400); /* two are being processed, two are queued when it starts */
    start_engine(1, 1, 0);
    wait_for_ends();
    struct workspace *workspace = take_default();
    for (int i = 0; i < 4; i++) {
        char id[] = {(char)('0' + i), '\0'};
        ck_assert_int_eq(get(workspace, id).started_at, due + 400 * i);
        ck_assert_int_eq(get(workspace, id).completed_at, due + 400 * i + 1000);
    }
    workspace_release(workspace);
}
END_TEST

/* -- many workspaces --------------------------------------------------------------------------- */

enum { WORKSPACES = 30 };

/* One job each, due within the next tenth of a second in no order. */
static int add_to_each(struct db *db, void *arg)
{
    struct job_input input = {.user_email = "jane@acme.com", .prompt = "A sales call"};
    int64_t now = *(int64_t *)arg;
    for (int i = 1; i <= WORKSPACES; i++) {
        struct job job = {.id = "a", .due_at = now + i * 17 % 100, .processing_time = i * 7 % 50};
        ck_assert_int_eq(job_insert(db, i, &job, &input), 0);
    }
    return 0;
}

START_TEST(worker_serves_every_workspace)
{
    char names[WORKSPACES][8];
    struct engine_grant members[WORKSPACES];
    for (int i = 0; i < WORKSPACES; i++) {
        snprintf(names[i], sizeof names[i], "w%d", i);
        members[i] = (struct engine_grant){"jane@acme.com", i ? names[i] : NULL};
    }
    struct engine_options options = {.members = members, .member_count = WORKSPACES};
    int64_t now = time_steady_ms();
    ck_assert_int_eq(engine_bootstrap(store, &options, NULL), 0);
    ck_assert_int_eq(support_write(store, add_to_each, &now), 0);
    start_engine(1, 1, 0);
    wait_for_ends();
    struct db *db = store_reader(store, NULL);
    for (int i = 1; i <= WORKSPACES; i++) {
        struct job job;
        ck_assert_int_eq(job_by_id(db, i, "a", &job), 0);
        ck_assert_int_eq(job.started_at, now + i * 17 % 100);
        ck_assert_int_eq(job.completed_at, job.started_at + i * 7 % 50);
    }
}
END_TEST

START_TEST(stop_with_timers_ahead)
{
    start_engine(600000, 1, 0);
    struct workspace *workspace = take_default();
    for (int i = 0; i < 5; i++)
        create(workspace);
    workspace_release(workspace); /* end() stops it: neither a wait nor a leak */
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("engine");
    TCase *running = tcase_create("S20, S22");
    tcase_set_timeout(running, 60);
    tcase_add_checked_fixture(running, begin, end);
    tcase_add_loop_test(running, worker_moves_a_job, 0, 2);
    tcase_add_test(running, worker_moves_many_jobs);
    tcase_add_test(running, jobs_wait_for_a_place);
    tcase_add_test(running, cancel_lets_the_next_one_in);
    tcase_add_test(running, failed_operation_is_told);
    tcase_add_loop_test(running, start_catches_up, 0, 2);
    tcase_add_test(running, start_resumes);
    tcase_add_test(running, worker_serves_every_workspace);
    tcase_add_test(running, stop_with_timers_ahead);
    suite_add_tcase(suite, running);
    return support_run(suite);
}
