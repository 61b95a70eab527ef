/*
 * Clocks, and moving them: C10, and that all that falls due fires in (due, creation) order, each at
 * its own due time, with what is scheduled on the way; against a model that looks at every job for
 * every event. The chain of steps runs on a real engine, with others at work meanwhile.
 */
#include <check.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "engine/admin.h"
#include "engine/advance.h"
#include "engine/delivery.h"
#include "engine/internal.h"
#include "engine/jobs.h"
#include "engine/jump.h"
#include "engine/plan.h"
#include "support.h"

/* -- what a clock shows ------------------------------------------------------------------------ */

static const struct {
    struct clock_row clock;
    int64_t real, shown;
} shown[] = {
    {{CLOCK_REAL, 1, 0, 0}, 1234567, 1234567}, /* real time itself */
    {{CLOCK_REAL, 1, 5000, 100}, 100, 5000},
    {{CLOCK_REAL, 1, 5000, 100}, 350, 5250},
    {{CLOCK_SCALED, 60, 5000, 100}, 101, 5060},
    {{CLOCK_SCALED, 0.5, 5000, 100}, 103, 5001},
    {{CLOCK_MANUAL, 1, 5000, 100}, 999999, 5000},
    {{CLOCK_AUTO, 1, 5000, 100}, 999999, 5000},
    {{CLOCK_SCALED, 1e6, TIME_MAX - 5, 100}, 101, TIME_MAX}, /* no year 10000 */
};

START_TEST(clocks_show)
{
    ck_assert_int_eq(clock_show(&shown[_i].clock, shown[_i].real), shown[_i].shown);
}
END_TEST

/* A timer's real time is the first millisecond at which the clock shows its due time. */
START_TEST(real_time_of_a_due_time)
{
    static const double scales[] = {0.001, 0.3, 1, 3, 60, 999.5, 1e6};
    const int64_t base = 1709287200000, anchor = 1800000000000;
    for (size_t i = 0; i < COUNT(scales); i++) {
        struct clock_row clock = clock_make(CLOCK_SCALED, scales[i], base, anchor);
        for (int64_t at = base - 100; at < base + 100000; at += 37) {
            int64_t real = clock_real_at(&clock, at);
            ck_assert_int_ge(clock_show(&clock, real), at);
            if (at > base)
                ck_assert_int_lt(clock_show(&clock, real - 1), at);
        }
    }
    struct clock_row real = clock_make(CLOCK_REAL, 1, base, anchor);
    ck_assert_int_eq(clock_real_at(&real, base + 5), anchor + 5);
    ck_assert_int_eq(clock_real_at(&real, TIME_NEVER), TIME_NEVER);
    ck_assert_int_eq(clock_real_at(&real, TIME_MAX + 1), TIME_NEVER);
}
END_TEST

START_TEST(standing_clocks_never_get_there)
{
    struct clock_row clock = clock_make(_i ? CLOCK_MANUAL : CLOCK_AUTO, 1, 5000, 100);
    ck_assert(clock_stands(&clock));
    ck_assert_int_eq(clock_real_at(&clock, 5001), TIME_NEVER);
    ck_assert_int_eq(clock_real_at(&clock, 5000), 100); /* due now: at once */
    ck_assert_int_eq(clock_real_at(&clock, 4000), 100);
}
END_TEST

/* -- against a model --------------------------------------------------------------------------- */

enum { MODEL_JOBS = 60, MODEL_TRIES = 4, MODEL_EVENTS = (2 + MODEL_TRIES) * MODEL_JOBS };

struct model_job {
    char id[ID_HEX_SIZE];
    enum job_status status;
    int64_t due, processing;
};

struct model_delivery {
    int job, tries;
    int64_t due; /* -1: no try is left */
};

struct model_event {
    int64_t at;
    int job, attempt; /* 0: it is the job that moved */
    enum job_status from;
};

struct model {
    struct model_job jobs[MODEL_JOBS];            /* by creation */
    struct model_delivery deliveries[MODEL_JOBS]; /* likewise */
    struct model_event events[MODEL_EVENTS];
    int count, owed, limit;
};

/* Two of three jobs have a callback, which fails so many times, each at once; what it waits then.
 */
static bool has_callback(int job)
{
    return job % 3 > 0;
}

static int64_t wait_after(int job, int64_t tries)
{
    return tries < job % (MODEL_TRIES + 1) ? (job * 7 + tries * 5) % 11 : -1;
}

static int model_processing(const struct model *model)
{
    int count = 0;
    for (int i = 0; i < MODEL_JOBS; i++)
        count += model->jobs[i].status == JOB_PROCESSING;
    return count;
}

static void model_move(struct model *model, int job, int64_t at)
{
    struct model_job *moved = &model->jobs[job];
    model->events[model->count++] = (struct model_event){at, job, 0, moved->status};
    moved->status = moved->status == JOB_QUEUED ? JOB_PROCESSING : JOB_COMPLETED;
    moved->due = at + moved->processing;
    if (moved->status == JOB_COMPLETED && has_callback(job))
        model->deliveries[model->owed++] = (struct model_delivery){job, 0, at};
}

static void model_try(struct model *model, struct model_delivery *delivery)
{
    int64_t at = delivery->due, wait = wait_after(delivery->job, ++delivery->tries);
    model->events[model->count++] = (struct model_event){at, delivery->job, delivery->tries, 0};
    delivery->due = wait < 0 ? -1 : at + wait;
}

/* The earliest that is due before `before`, the first made among equals; NULL: none. */
static struct model_delivery *model_due(struct model *model, int64_t before)
{
    struct model_delivery *found = NULL;
    for (int i = 0; i < model->owed; i++) {
        struct model_delivery *delivery = &model->deliveries[i];
        if (delivery->due >= 0 && delivery->due < (found ? found->due : before))
            found = delivery;
    }
    return found;
}

/* The earliest of all that may move, the first made among equals; -1: none until `until`. */
static int model_next(const struct model *model, bool starts_only, int64_t until)
{
    bool place = !model->limit || model_processing(model) < model->limit;
    int next = -1;
    for (int i = 0; i < MODEL_JOBS; i++) {
        const struct model_job *job = &model->jobs[i];
        bool may = job->status == JOB_QUEUED ? place : job->status == JOB_PROCESSING;
        if (!may || job->due > until || (starts_only && job->status != JOB_QUEUED))
            continue;
        if (next < 0 || job->due < model->jobs[next].due)
            next = i;
    }
    return next;
}

static void model_run(struct model *model)
{
    for (;;) {
        int job = model_next(model, false, TIME_MAX);
        int64_t at = job >= 0 ? model->jobs[job].due : TIME_MAX;
        struct model_delivery *delivery = model_due(model, at);
        bool ends = job >= 0 && model->jobs[job].status == JOB_PROCESSING;
        if (delivery)
            model_try(model, delivery);
        else if (job >= 0)
            model_move(model, job, at);
        else
            return;
        /* Who waited for the place has it at once. */
        while (!delivery && ends && model->limit && (job = model_next(model, true, at)) >= 0)
            model_move(model, job, at);
    }
}

struct comparison {
    const struct model *model;
    struct db *db;
    int seen;
};

/* Its receiver fails at once. */
static void refuse(struct db *db, const struct timer_event *seen, const struct model_event *event)
{
    struct delivery delivery = *seen->delivery;
    delivery_go_on(&delivery, ATTEMPT_FAILED, wait_after(event->job, event->attempt), -1, seen->at);
    ck_assert_int_eq(delivery_update(db, &delivery), 0);
}

static bool compare(void *arg, const struct timer_event *seen)
{
    struct comparison *comparison = arg;
    ck_assert_int_lt(comparison->seen, comparison->model->count);
    const struct model_event *event = &comparison->model->events[comparison->seen++];
    const char *expected = comparison->model->jobs[event->job].id;
    const char *id = seen->delivery ? seen->delivery->job_id : seen->job->id;
    int64_t attempt = seen->delivery ? seen->delivery->attempts + 1 : 0;
    ck_assert_msg(seen->at == event->at && attempt == event->attempt && strcmp(id, expected) == 0 &&
                      (attempt || seen->from == event->from),
                  "event %d: job %s, attempt %d, at %d, not %s, attempt %d, at %d",
                  comparison->seen, id, (int)attempt, (int)seen->at, expected, event->attempt,
                  (int)event->at);
    if (seen->delivery)
        refuse(comparison->db, seen, event);
    return false;
}

/* By time; the jobs' before the attempts'; those made first. */
static bool is_before(const struct timer *a, const struct timer *b)
{
    bool a_job = !*a->delivery, b_job = !*b->delivery;
    return a->at != b->at ? a->at < b->at : a_job != b_job ? a_job : a->seq < b->seq;
}

/* Few different times, so that many are equal; in one go, and in pieces. */
START_TEST(order_is_that_of_the_model)
{
    struct db *db = support_new_db();
    struct workspace workspace = {.row.pk = support_workspace(db, "one")};
    struct model model = {.limit = _i % 4};
    struct comparison comparison = {&model, db, 0};
    const struct timers_watch watch = {compare, &comparison};
    int64_t next = 0;
    srand((unsigned)_i);
    workspace.settings.max_processing = model.limit;
    for (int i = 0; i < MODEL_JOBS; i++) {
        struct model_job *made = &model.jobs[i];
        *made = (struct model_job){.due = rand() % 12, .processing = rand() % 9};
        struct job job = {.due_at = made->due,
                          .processing_time = made->processing,
                          .event = i + 1,
                          .base = "http://b"};
        struct job_input input = {.user_email = "a@b.example",
                                  .prompt = "A call",
                                  .callback_url = has_callback(i) ? "http://c" : NULL};
        snprintf(made->id, sizeof made->id, "j%d", i);
        memcpy(job.id, made->id, sizeof job.id);
        ck_assert_int_eq(job_insert(db, workspace.row.pk, &job, &input), 0);
    }
    model_run(&model);
    ck_assert_int_gt(model.count, 3 * MODEL_JOBS);
    for (int64_t now = 0; next != TIME_NEVER; now += 1 + _i % 3) {
        struct timer first, list[10];
        size_t listed = 0;
        ck_assert_int_eq(timers_next(db, &workspace, &first), 0);
        ck_assert_int_eq(
            timers_list(db, workspace.row.pk, &workspace.settings, COUNT(list), list, &listed), 0);
        ck_assert_uint_gt(listed, 0);
        ck_assert_int_eq(list[0].at, first.at);
        ck_assert_str_eq(list[0].job, first.job);
        ck_assert_int_eq(first.at, model.events[comparison.seen].at);
        for (size_t i = 1; i < listed; i++)
            ck_assert(is_before(&list[i - 1], &list[i]));
        ck_assert_int_eq(timers_fire_watched(db, &workspace, now, 7, &watch, &next), 0);
    }
    ck_assert_int_eq(comparison.seen, model.count);
    db_close(db);
}
END_TEST

/* -- on an engine ------------------------------------------------------------------------------ */

static struct store *store;
static struct engine *engine;
static struct workspace *workspace;

static void begin(void)
{
    struct err err = {""};
    struct engine_options options = {.settings = {.queue_time = 10000, .processing_time = 290000}};
    store = support_new_store();
    int status = engine_start(store, &options, &engine, &err);
    ck_assert_msg(status == 0, "%d: %s", status, err.text);
    workspace = registry_default(engine_registry(engine));
    ck_assert_ptr_nonnull(workspace);
}

static void end(void)
{
    workspace_release(workspace);
    engine_stop(engine);
    store_close(store);
}

struct wait {
    pthread_mutex_t lock;
    pthread_cond_t woken;
    int wakes;
};
#define WAIT                                                                                       \
    {                                                                                              \
        PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0                                     \
    }

static void wake(void *arg)
{
    struct wait *wait = arg;
    pthread_mutex_lock(&wait->lock);
    wait->wakes++;
    pthread_cond_signal(&wait->woken);
    pthread_mutex_unlock(&wait->lock);
}

static void await(struct wait *wait)
{
    pthread_mutex_lock(&wait->lock);
    while (!wait->wakes)
        pthread_cond_wait(&wait->woken, &wait->lock);
    ck_assert_int_eq(wait->wakes, 1);
    pthread_mutex_unlock(&wait->lock);
}

static int operate(struct operation *operation)
{
    struct wait wait = WAIT;
    operation_submit(operation, wake, &wait);
    await(&wait);
    return operation->status;
}

static struct job create(const struct plan *plan)
{
    struct job_create self = {.input = {.user_email = "jane@acme.com", .prompt = "A sales call"},
                              .plan = PLAN_NONE,
                              .base = "http://b",
                              .is_member = true};
    if (plan)
        self.plan = *plan;
    operation_init(&self.operation, engine, workspace, job_create_run);
    ck_assert_int_eq(operate(&self.operation), 0);
    return self.job;
}

static struct job get(const char *id)
{
    struct job job;
    ck_assert_int_eq(job_by_id(store_reader(store, NULL), workspace->row.pk, id, &job), 0);
    return job;
}

static struct advance *prepare(enum advance_until until, int64_t amount)
{
    static struct advance advance;
    advance = (struct advance){0};
    advance_init(&advance, engine, workspace);
    advance.until = until;
    advance.amount = amount;
    advance.timeout = 600000;
    return &advance;
}

/* Lets it run; its outcome. */
static enum advance_outcome run(struct advance *advance)
{
    struct wait wait = WAIT;
    ck_assert(clock_take(workspace));
    advance_begin(advance, wake, &wait);
    await(&wait);
    ck_assert(!clock_is_taken(workspace));
    return advance->outcome;
}

static void set_mode(enum clock_mode mode, double scale, int64_t now)
{
    struct advance *advance = prepare(now < 0 ? ADVANCE_BY : ADVANCE_TO, now < 0 ? 0 : now);
    advance->changes_mode = true;
    advance->mode = mode;
    advance->scale = scale;
    ck_assert_int_eq(run(advance), ADVANCE_DONE);
    ck_assert_int_eq(advance->operation.status, 0);
}

START_TEST(one_job_by_hand)
{
    set_mode(CLOCK_MANUAL, 1, 4000000000000);
    ck_assert_int_eq(workspace_now(workspace), 4000000000000);
    struct job job = create(NULL);
    ck_assert_int_eq(job.created_at, 4000000000000);
    ck_assert_uint_eq(workspace->timer.place, 0); /* nobody waits for a clock that stands */
    struct advance *advance = prepare(ADVANCE_COUNT, 1);
    ck_assert_int_eq(run(advance), ADVANCE_DONE);
    ck_assert_uint_eq(advance->fired_count, 1);
    ck_assert_int_eq(advance->now, 4000000010000);
    ck_assert_int_eq(advance->next.at, 4000000300000);
    ck_assert_int_eq(advance->next.to, JOB_COMPLETED);
    ck_assert_int_eq(get(job.id).status, JOB_PROCESSING);
    advance = prepare(ADVANCE_BY, 290000);
    ck_assert_int_eq(run(advance), ADVANCE_DONE);
    ck_assert_int_eq(advance->fired[0].at, 4000000300000);
    ck_assert(!advance->has_next);
    job = get(job.id);
    ck_assert_int_eq(job.started_at, 4000000010000);
    ck_assert_int_eq(job.completed_at, 4000000300000);
    ck_assert_int_eq(workspace_now(workspace), 4000000300000);
    ck_assert_int_eq(run(prepare(ADVANCE_TO, 4000000299999)), ADVANCE_BACKWARD);
    ck_assert_int_eq(workspace_now(workspace), 4000000300000);
    ck_assert_int_eq(run(prepare(ADVANCE_BY, TIME_MAX)), ADVANCE_TOO_FAR);
}
END_TEST

/* What is due at the instant at which it stops comes along, in several steps where it is much. */
START_TEST(an_instant_is_not_cut)
{
    enum { JOBS = 700 };
    set_mode(CLOCK_MANUAL, 1, -1);
    for (int i = 0; i < JOBS; i++)
        create(NULL);
    struct advance *advance = prepare(ADVANCE_COUNT, 5);
    ck_assert_int_eq(run(advance), ADVANCE_DONE);
    ck_assert_uint_eq(advance->fired_count, JOBS);
    for (size_t i = 1; i < JOBS; i++)
        ck_assert_int_eq(advance->fired[i].at, advance->fired[0].at);
    advance = prepare(ADVANCE_SETTLED, 0);
    ck_assert_int_eq(run(advance), ADVANCE_DONE);
    ck_assert_uint_eq(advance->fired_count, JOBS);
}
END_TEST

START_TEST(until_a_job_has_reached)
{
    struct plan held = PLAN_NONE, polled = PLAN_NONE, later = PLAN_NONE;
    held.hold_at = JOB_QUEUED;
    polled.polls_queued = 2;
    later.hold_at = JOB_PROCESSING;
    set_mode(CLOCK_MANUAL, 1, -1);
    const struct {
        const struct plan *plan;
        enum job_status goal;
        enum advance_outcome outcome;
        size_t fired;
    } cases[] = {
        {NULL, JOB_PROCESSING, ADVANCE_DONE, 1},
        {NULL, ADVANCE_TERMINAL, ADVANCE_DONE, 2},
        {NULL, JOB_COMPLETED, ADVANCE_DONE, 2},
        {NULL, JOB_FAILED, ADVANCE_JOB_ENDED, 2},
        {NULL, JOB_CANCELLED, ADVANCE_JOB_ENDED, 2},
        {&held, JOB_PROCESSING, ADVANCE_JOB_HELD, 0},
        {&polled, ADVANCE_TERMINAL, ADVANCE_JOB_POLLED, 0},
        {&later, JOB_PROCESSING, ADVANCE_DONE, 1},
        {&later, JOB_COMPLETED, ADVANCE_JOB_HELD, 0}, /* at once */
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct job job = create(cases[i].plan);
        struct advance *advance = prepare(ADVANCE_JOB, 0);
        advance->job = job.id;
        advance->goal = cases[i].goal;
        ck_assert_msg(run(advance) == cases[i].outcome, "case %zu: %d", i, advance->outcome);
        ck_assert_uint_eq(advance->fired_count, cases[i].fired);
        int64_t now = workspace_now(workspace);
        run(advance = prepare(ADVANCE_SETTLED, 0)); /* so that each case has but its own job */
        if (cases[i].outcome == ADVANCE_DONE && cases[i].fired == 2)
            ck_assert_int_eq(workspace_now(workspace), now);
    }
    struct advance *advance = prepare(ADVANCE_JOB, 0);
    advance->job = "nobody";
    ck_assert_int_eq(run(advance), ADVANCE_NO_JOB);
}
END_TEST

/* Held jobs have all places: the others can wait for ever. */
START_TEST(stuck_behind_a_held_job)
{
    struct plan held = PLAN_NONE;
    held.hold_at = JOB_PROCESSING;
    workspace->settings.max_processing = 1;
    set_mode(CLOCK_MANUAL, 1, -1);
    create(&held);
    struct job job = create(NULL);
    ck_assert_int_eq(run(prepare(ADVANCE_SETTLED, 0)), ADVANCE_STUCK);
    struct advance *advance = prepare(ADVANCE_JOB, 0);
    advance->job = job.id;
    ck_assert_int_eq(run(advance), ADVANCE_STUCK);
    ck_assert_int_eq(run(prepare(ADVANCE_BY, 1000)), ADVANCE_DONE); /* no need for anything */
}
END_TEST

/* A clock that runs goes on from where it jumped to, and its timers with it. */
START_TEST(running_clocks_go_on)
{
    int64_t before = workspace_now(workspace);
    struct job job = create(NULL);
    struct advance *advance = prepare(ADVANCE_BY, 299900);
    ck_assert_int_eq(run(advance), ADVANCE_DONE);
    ck_assert_uint_eq(advance->fired_count, 1);
    ck_assert_int_ge(workspace_now(workspace), before + 299900);
    ck_assert_int_ne(get(job.id).status, JOB_QUEUED);
    while (get(job.id).status != JOB_COMPLETED) { /* 100 ms from there, by itself */
        int64_t seen = events_seen(workspace, EVENT_JOB);
        struct wait wait = WAIT;
        struct waiter waiter = {.engine = engine,
                                .workspace = workspace,
                                .kinds = EVENT_JOB,
                                .seen = seen,
                                .until = time_steady_ms() + 60000,
                                .wake = wake,
                                .arg = &wait};
        if (get(job.id).status == JOB_COMPLETED)
            break;
        waiter_begin(&waiter);
        await(&wait);
        ck_assert_int_eq(waiter.end, WAIT_HAPPENED);
    }
    job = get(job.id);
    ck_assert_int_eq(job.completed_at - job.created_at, 300000);
}
END_TEST

START_TEST(auto_clock_jumps)
{
    struct wait wait = WAIT, again = WAIT, third = WAIT;
    struct jump jump;
    set_mode(CLOCK_AUTO, 1, -1);
    struct job first = create(NULL), second = create(NULL);
    ck_assert(jump_follows(workspace, &second));
    jump_begin(&jump, engine, workspace, &first, wake, &wait);
    await(&wait);
    ck_assert(jump.moved);
    ck_assert_int_eq(get(first.id).status, JOB_PROCESSING);
    ck_assert_int_eq(get(second.id).status, JOB_PROCESSING);     /* due at the same instant */
    jump_begin(&jump, engine, workspace, &second, wake, &again); /* it has moved since */
    await(&again);
    ck_assert(!jump.moved);
    ck_assert_int_eq(get(second.id).status, JOB_PROCESSING);
    jump_begin(&jump, engine, workspace, NULL, wake, &third);
    await(&third);
    ck_assert(jump.moved);
    ck_assert_int_eq(get(second.id).status, JOB_COMPLETED);
    ck_assert_int_eq(workspace_now(workspace), first.created_at + 300000);
}
END_TEST

START_TEST(who_has_the_clock_keeps_it)
{
    struct wait wait = WAIT;
    struct jump jump;
    set_mode(CLOCK_AUTO, 1, -1);
    struct job job = create(NULL);
    ck_assert(clock_take(workspace));
    ck_assert(!clock_take(workspace));
    ck_assert(!jump_follows(workspace, &job));
    jump_begin(&jump, engine, workspace, &job, wake, &wait);
    await(&wait);
    ck_assert(!jump.moved);
    clock_give_back(engine, workspace);
    ck_assert(clock_take(workspace));
    clock_give_back(engine, workspace);
}
END_TEST

/* -- with others at work ----------------------------------------------------------------------- */

static int refuse_all(struct write *write, struct db *db)
{
    (void)write;
    (void)db;
    return ERR_INVALID;
}

static void ignore(struct write *write, int status)
{
    (void)write;
    (void)status;
}

struct gate {
    struct write write;
    pthread_mutex_t lock;
};

static int pass(struct write *write, struct db *db)
{
    struct gate *gate = (struct gate *)write;
    (void)db;
    pthread_mutex_lock(&gate->lock);
    pthread_mutex_unlock(&gate->lock);
    return 0;
}

/* Its step runs twice, since another message of its transaction failed: nothing counts twice. */
START_TEST(a_step_that_is_run_again)
{
    static struct gate gate = {{.run = pass, .done = ignore}, PTHREAD_MUTEX_INITIALIZER};
    static struct write failing = {.run = refuse_all, .done = ignore};
    struct wait wait = WAIT;
    set_mode(CLOCK_MANUAL, 1, -1);
    int64_t before = workspace_now(workspace);
    for (int i = 0; i < 20; i++)
        create(NULL);
    struct advance *advance = prepare(ADVANCE_BY, 400000);
    ck_assert(clock_take(workspace));
    pthread_mutex_lock(&gate.lock);
    ck_assert_int_eq(store_submit(store, &gate.write), 0);
    advance_begin(advance, wake, &wait);
    ck_assert_int_eq(store_submit(store, &failing), 0);
    pthread_mutex_unlock(&gate.lock);
    await(&wait);
    ck_assert_int_eq(advance->operation.status, 0);
    ck_assert_uint_eq(advance->fired_count, 40);
    ck_assert_int_eq(advance->now, before + 400000);
    ck_assert_int_eq(workspace_now(workspace), before + 400000);
}
END_TEST

struct look {
    struct write write;
    int64_t unended;
};

static int count_unended(struct write *write, struct db *db)
{
    ((struct look *)write)->unended =
        support_integer(db, "SELECT count(*) FROM job WHERE status < 2");
    return 0;
}

/* The very next message finds it: not the worker has done it, but the one that set the timer. */
START_TEST(due_at_once_on_a_standing_clock)
{
    static struct gate gate = {{.run = pass, .done = ignore}, PTHREAD_MUTEX_INITIALIZER};
    static struct look look = {{.run = count_unended, .done = ignore}, -1};
    struct job_create self = {.input = {.user_email = "jane@acme.com", .prompt = "A sales call"},
                              .plan = PLAN_NONE,
                              .base = "http://b",
                              .is_member = true};
    struct wait wait = WAIT;
    self.plan.queued = self.plan.processing = 0;
    set_mode(_i ? CLOCK_MANUAL : CLOCK_AUTO, 1, -1);
    operation_init(&self.operation, engine, workspace, job_create_run);
    pthread_mutex_lock(&gate.lock);
    ck_assert_int_eq(store_submit(store, &gate.write), 0);
    operation_submit(&self.operation, wake, &wait);
    ck_assert_int_eq(store_submit(store, &look.write), 0);
    pthread_mutex_unlock(&gate.lock);
    await(&wait);
    ck_assert_int_eq(self.job.status, JOB_QUEUED);
    ck_assert_int_eq(get(self.job.id).status, JOB_COMPLETED);
    ck_assert_int_eq(look.unended, 0);
}
END_TEST

/* A message of a batch whose clock was moved fails; what comes after it goes by the clock as it was
 * committed. */
static int move_then_fail(struct write *write, struct db *db)
{
    bool moved;
    (void)write;
    ck_assert_int_eq(
        workspace_move_clock_in(db, workspace, workspace_now_in(db, workspace) + 1000, &moved), 0);
    return ERR_INVALID;
}

START_TEST(a_move_that_is_rolled_back)
{
    static struct write failing = {.run = move_then_fail, .done = ignore};
    set_mode(CLOCK_MANUAL, 1, -1);
    int64_t now = workspace_now(workspace);
    ck_assert_int_eq(store_submit(store, &failing), 0);
    ck_assert_int_eq(create(NULL).created_at, now);
    ck_assert_int_eq(workspace_now(workspace), now);
    struct advance *advance = prepare(ADVANCE_BY, 5000);
    ck_assert_int_eq(run(advance), ADVANCE_DONE);
    ck_assert_int_eq(workspace_now(workspace), now + 5000);
}
END_TEST

enum { MAKERS = 3, MADE = 300 };

static void *make_jobs(void *arg)
{
    char(*ids)[ID_HEX_SIZE] = arg;
    for (int i = 0; i < MADE; i++) {
        int64_t before = workspace_now(workspace);
        struct job job = create(NULL);
        ck_assert_int_ge(job.created_at, before);
        memcpy(ids[i], job.id, sizeof ids[i]);
        if (i % 7 == 0) {
            struct job_cancel self = {.id = ids[i]};
            operation_init(&self.operation, engine, workspace, job_cancel_run);
            ck_assert_int_eq(operate(&self.operation), 0);
        }
    }
    return NULL;
}

/* Jobs are made and cancelled while the clock is moved, again and again: no time ever runs back,
 * and each timer fires at its own due time. */
START_TEST(others_meanwhile)
{
    static char ids[MAKERS][MADE][ID_HEX_SIZE];
    pthread_t makers[MAKERS];
    workspace->settings.max_processing = _i;
    set_mode(_i == 2 ? CLOCK_REAL : CLOCK_MANUAL, 1, -1);
    for (int i = 0; i < MAKERS; i++)
        pthread_create(&makers[i], NULL, make_jobs, ids[i]);
    for (int i = 0; i < 50; i++) {
        int64_t now = workspace_now(workspace);
        struct advance *advance = prepare(ADVANCE_BY, 7777);
        ck_assert_int_eq(run(advance), ADVANCE_DONE);
        ck_assert_int_ge(advance->now, now + 7777);
        for (size_t j = 1; j < advance->fired_count && j < ADVANCE_SHOWN; j++)
            ck_assert_int_ge(advance->fired[j].at, advance->fired[j - 1].at);
    }
    for (int i = 0; i < MAKERS; i++)
        pthread_join(makers[i], NULL);
    ck_assert_int_eq(run(prepare(ADVANCE_SETTLED, 0)), ADVANCE_DONE);
    for (int i = 0; i < MAKERS * MADE; i++) {
        struct job job = get(ids[i / MADE][i % MADE]);
        ck_assert_int_ge(job.status, JOB_COMPLETED);
        if (job.status == JOB_CANCELLED)
            continue;
        if (!_i)
            ck_assert_int_eq(job.started_at, job.created_at + 10000);
        ck_assert_int_ge(job.started_at, job.created_at + 10000);
        ck_assert_int_eq(job.completed_at, job.started_at + 290000);
    }
}
END_TEST

static int count_advanced(struct db *db, void *arg)
{
    *(int64_t *)arg = support_integer(db, "SELECT count(*) FROM job WHERE status = 2");
    return 0;
}

/* What ends it early: the server's stop, and the workspace's deletion. What was committed stays. */
START_TEST(ended_early)
{
    enum { JOBS = 600 };
    struct wait wait = WAIT, deleted = WAIT;
    struct workspace_delete deletion;
    int64_t done = 0;
    set_mode(CLOCK_MANUAL, 1, -1);
    for (int i = 0; i < JOBS; i++)
        create(NULL);
    struct advance *advance = prepare(ADVANCE_SETTLED, 0);
    ck_assert(clock_take(workspace));
    static struct gate gate = {{.run = pass, .done = ignore}, PTHREAD_MUTEX_INITIALIZER};
    pthread_mutex_lock(&gate.lock);
    ck_assert_int_eq(store_submit(store, &gate.write), 0);
    advance_begin(advance, wake, &wait);
    workspace_delete_init(&deletion, engine, workspace);
    if (_i)
        operation_submit(&deletion.operation, wake, &deleted);
    else
        engine_end_waits(engine);
    pthread_mutex_unlock(&gate.lock);
    await(&wait);
    if (_i)
        await(&deleted);
    ck_assert_int_eq(advance->operation.status, _i ? ERR_GONE : ERR_STOPPING);
    ck_assert(!clock_is_taken(workspace));
    ck_assert_int_eq(support_write(store, count_advanced, &done), 0);
    ck_assert_int_lt(done, JOBS);
}
END_TEST

START_TEST(stopped_by_its_time)
{
    set_mode(CLOCK_MANUAL, 1, -1);
    for (int i = 0; i < 600; i++)
        create(NULL);
    struct advance *advance = prepare(ADVANCE_SETTLED, 0);
    advance->timeout = 0; /* passed after the first step */
    ck_assert_int_eq(run(advance), ADVANCE_TIMEOUT);
    ck_assert_uint_gt(advance->fired_count, 0);
    ck_assert_uint_lt(advance->fired_count, 1200);
    ck_assert(advance->has_next);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("clock");
    TCase *pure = tcase_create("C10");
    tcase_add_loop_test(pure, clocks_show, 0, COUNT(shown));
    tcase_add_test(pure, real_time_of_a_due_time);
    tcase_add_loop_test(pure, standing_clocks_never_get_there, 0, 2);
    tcase_add_loop_test(pure, order_is_that_of_the_model, 0, 24);
    tcase_set_timeout(pure, 60);
    suite_add_tcase(suite, pure);
    TCase *running = tcase_create("C1, C10, S20");
    tcase_set_timeout(running, 120);
    tcase_add_checked_fixture(running, begin, end);
    tcase_add_test(running, one_job_by_hand);
    tcase_add_test(running, an_instant_is_not_cut);
    tcase_add_test(running, until_a_job_has_reached);
    tcase_add_test(running, stuck_behind_a_held_job);
    tcase_add_test(running, running_clocks_go_on);
    tcase_add_test(running, auto_clock_jumps);
    tcase_add_test(running, who_has_the_clock_keeps_it);
    tcase_add_test(running, a_step_that_is_run_again);
    tcase_add_loop_test(running, due_at_once_on_a_standing_clock, 0, 2);
    tcase_add_test(running, a_move_that_is_rolled_back);
    tcase_add_loop_test(running, others_meanwhile, 0, 3);
    tcase_add_loop_test(running, ended_early, 0, 2);
    tcase_add_test(running, stopped_by_its_time);
    suite_add_tcase(suite, running);
    return support_run(suite);
}
