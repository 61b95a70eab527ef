#include "receiving.h"

#include <sched.h>
#include <stdio.h>

#include "base/time.h"
#include "engine/internal.h"
#include "engine/jobs.h"
#include "engine/plan.h"
#include "support.h"

struct store *store;
struct engine *engine;
struct workspace *workspace;

static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int64_t last, taken; /* numbers that were given, and those that the test has seen */
} given = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, 0};

static void take_note(void *arg, int64_t number)
{
    (void)arg;
    pthread_mutex_lock(&given.lock);
    given.last = number;
    pthread_cond_signal(&given.changed);
    pthread_mutex_unlock(&given.lock);
}

void wake(void *arg)
{
    struct wait *wait = arg;
    pthread_mutex_lock(&wait->lock);
    wait->wakes++;
    pthread_cond_signal(&wait->woken);
    pthread_mutex_unlock(&wait->lock);
}

void await(struct wait *wait)
{
    pthread_mutex_lock(&wait->lock);
    while (!wait->wakes)
        pthread_cond_wait(&wait->woken, &wait->lock);
    ck_assert_int_eq(wait->wakes, 1);
    pthread_mutex_unlock(&wait->lock);
}

static bool is_over(struct wait *wait)
{
    pthread_mutex_lock(&wait->lock);
    bool is = wait->wakes > 0;
    pthread_mutex_unlock(&wait->lock);
    return is;
}

int operate(struct operation *operation)
{
    struct wait wait = WAIT;
    operation_submit(operation, wake, &wait);
    await(&wait);
    return operation->status;
}

struct advance advance;
static struct wait advanced;

struct advance *prepare(enum advance_until until, int64_t amount)
{
    advance = (struct advance){0};
    advance_init(&advance, engine, workspace);
    advance.until = until;
    advance.amount = amount;
    advance.timeout = 10 * MINUTE;
    return &advance;
}

void start(void)
{
    advanced.wakes = 0;
    ck_assert(clock_take(workspace));
    advance_begin(&advance, wake, &advanced);
}

enum advance_outcome finish(void)
{
    await(&advanced);
    ck_assert(!clock_is_taken(workspace));
    return advance.outcome;
}

void set_mode(enum clock_mode mode, int64_t now)
{
    prepare(ADVANCE_TO, now);
    advance.changes_mode = true;
    advance.mode = mode;
    advance.scale = 1;
    start();
    ck_assert_int_eq(finish(), ADVANCE_DONE);
}

void receiving_begin(void)
{
    struct err err = {""};
    struct engine_options options = {.settings = {.queue_time = 10000, .processing_time = 290000}};
    store = support_new_store();
    given.last = given.taken = 0;
    store_watch(store, take_note, NULL);
    int status = engine_start(store, &options, &engine, &err);
    ck_assert_msg(status == 0, "%d: %s", status, err.text);
    workspace = registry_default(engine_registry(engine));
    ck_assert_ptr_nonnull(workspace);
    advanced = (struct wait)WAIT;
}

void receiving_end(void)
{
    workspace_release(workspace);
    engine_stop(engine);
    store_close(store);
}

void set_retries(const char *json)
{
    char *to = workspace->row.settings.callback.retries;
    snprintf(to, sizeof workspace->row.settings.callback.retries, "%s", json);
}

struct job create(int64_t end_in)
{
    struct job_create self = {.input = {.user_email = "jane@acme.com", .prompt = "A sales call"},
                              .plan = PLAN_NONE,
                              .base = "http://b",
                              .is_member = true};
    if (end_in >= 0) {
        self.input.callback_url = "http://127.0.0.1:9/";
        self.plan.queued = 0;
        self.plan.processing = end_in;
    }
    operation_init(&self.operation, engine, workspace, job_create_run);
    ck_assert_int_eq(operate(&self.operation), 0);
    return self.job;
}

enum job_status status_of(const struct job *job)
{
    struct job now;
    ck_assert_int_eq(job_by_id(store_reader(store, NULL), workspace->row.pk, job->id, &now), 0);
    return now.status;
}

/* -- the receiver ------------------------------------------------------------------------------ */

static int keep(const struct delivery_given *found, void *arg)
{
    struct delivery_given *ret = arg;
    *ret = *found;
    return 0;
}

static struct delivery read_delivery(int64_t seq)
{
    struct delivery delivery;
    ck_assert_int_eq(delivery_by_seq(store_reader(store, NULL), seq, &delivery), 0);
    return delivery;
}

struct delivery take(void)
{
    struct delivery_given found = {0};
    pthread_mutex_lock(&given.lock);
    while (given.last <= given.taken)
        pthread_cond_wait(&given.changed, &given.lock);
    pthread_mutex_unlock(&given.lock);
    ck_assert_int_eq(delivery_each_given(store_reader(store, NULL), given.taken, 1, keep, &found),
                     0);
    ck_assert_int_eq(found.workspace, workspace->row.pk);
    given.taken = found.sending;
    return read_delivery(found.seq);
}

bool has_begun(void)
{
    pthread_mutex_lock(&given.lock);
    bool has = given.last > given.taken;
    pthread_mutex_unlock(&given.lock);
    return has;
}

struct delivery answer(const struct delivery *delivery, enum attempt_outcome outcome,
                       int64_t retry_after)
{
    struct delivery_end self;
    delivery_end_init(&self, engine, workspace);
    self.delivery = delivery->seq;
    self.sending = delivery->sending;
    self.retry_after = retry_after;
    self.attempt = (struct attempt_row){.outcome = outcome,
                                        .url = "http://127.0.0.1:9/",
                                        .headers = "{}",
                                        .body = "",
                                        .status = 500};
    ck_assert_int_eq(operate(&self.operation), 0);
    return read_delivery(delivery->seq);
}

void let_wait(void)
{
    while (!is_over(&advanced) && !atomic_load(&workspace->events.waiting))
        sched_yield();
    ck_assert(!is_over(&advanced));
}
