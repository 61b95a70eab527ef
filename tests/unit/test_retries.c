/*
 * How deliveries go on after their attempts, on the workspace's clock, and how advances and jumps
 * wait for these. The test is the receiver: no sender runs, and an attempt ends when the test says
 * so.
 */
#include <check.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "base/time.h"
#include "engine/admin.h"
#include "engine/advance.h"
#include "engine/callback.h"
#include "engine/delivery.h"
#include "engine/draw.h"
#include "engine/internal.h"
#include "engine/jobs.h"
#include "engine/jump.h"
#include "support.h"

enum { SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE };
enum { NOW = 100 * MINUTE, DUE = 7 * MINUTE };

/* -- how one goes on --------------------------------------------------------------------------- */

static const struct {
    enum delivery_status before;
    bool by_hand;
    enum attempt_outcome outcome;
    int64_t wait, retry_after;
    enum delivery_status after;
    int64_t due; /* -1: it has ended, or ended before */
} steps[] = {
    {DELIVERY_PENDING, false, ATTEMPT_DELIVERED, 5, -1, DELIVERY_DELIVERED, -1},
    {DELIVERY_PENDING, false, ATTEMPT_FAILED, -1, -1, DELIVERY_EXHAUSTED, -1},
    {DELIVERY_PENDING, false, ATTEMPT_FAILED, -1, 5000, DELIVERY_EXHAUSTED, -1},
    {DELIVERY_PENDING, false, ATTEMPT_GONE, 5, -1, DELIVERY_GONE, -1},
    {DELIVERY_PENDING, false, ATTEMPT_BLOCKED, 5, -1, DELIVERY_BLOCKED, -1},
    {DELIVERY_PENDING, false, ATTEMPT_FAILED, 5, -1, DELIVERY_RETRYING, NOW + 5},
    {DELIVERY_PENDING, false, ATTEMPT_FAILED, 0, -1, DELIVERY_RETRYING, NOW},
    {DELIVERY_RETRYING, false, ATTEMPT_FAILED, 5, 4, DELIVERY_RETRYING, NOW + 5},
    {DELIVERY_RETRYING, false, ATTEMPT_FAILED, 5, 7000, DELIVERY_RETRYING, NOW + 7000},
    {DELIVERY_RETRYING, false, ATTEMPT_FAILED, 5, HOUR, DELIVERY_RETRYING, NOW + HOUR},
    {DELIVERY_RETRYING, false, ATTEMPT_FAILED, 5, HOUR + 1, DELIVERY_RETRYING, NOW + HOUR},
    {DELIVERY_RETRYING, false, ATTEMPT_FAILED, 2 * HOUR, INT64_MAX, DELIVERY_RETRYING,
     NOW + 2 * HOUR},
    {DELIVERY_RETRYING, false, ATTEMPT_FAILED, INT64_MAX, -1, DELIVERY_RETRYING, TIME_MAX},
    {DELIVERY_RETRYING, false, ATTEMPT_DELIVERED, -1, 5000, DELIVERY_DELIVERED, -1},
    {DELIVERY_RETRYING, false, ATTEMPT_FAILED, -1, -1, DELIVERY_EXHAUSTED, -1},
    {DELIVERY_PENDING, true, ATTEMPT_DELIVERED, -1, -1, DELIVERY_DELIVERED, -1},
    {DELIVERY_RETRYING, true, ATTEMPT_DELIVERED, -1, -1, DELIVERY_DELIVERED, -1},
    {DELIVERY_EXHAUSTED, true, ATTEMPT_DELIVERED, -1, -1, DELIVERY_DELIVERED, -1},
    {DELIVERY_DROPPED, true, ATTEMPT_DELIVERED, -1, -1, DELIVERY_DELIVERED, -1},
    {DELIVERY_PENDING, true, ATTEMPT_FAILED, -1, 5000, DELIVERY_PENDING, DUE},
    {DELIVERY_RETRYING, true, ATTEMPT_FAILED, 5, 5000, DELIVERY_RETRYING, DUE},
    {DELIVERY_RETRYING, true, ATTEMPT_GONE, -1, -1, DELIVERY_RETRYING, DUE},
    {DELIVERY_RETRYING, true, ATTEMPT_BLOCKED, -1, -1, DELIVERY_RETRYING, DUE},
    {DELIVERY_EXHAUSTED, true, ATTEMPT_FAILED, 5, -1, DELIVERY_EXHAUSTED, -1},
    {DELIVERY_DELIVERED, true, ATTEMPT_FAILED, 5, -1, DELIVERY_DELIVERED, -1},
    {DELIVERY_BLOCKED, true, ATTEMPT_BLOCKED, 5, -1, DELIVERY_BLOCKED, -1},
};

START_TEST(a_delivery_goes_on)
{
    bool had_ended = delivery_has_ended(steps[_i].before);
    struct delivery delivery = {.status = steps[_i].before,
                                .by_hand = steps[_i].by_hand,
                                .sending = 9,
                                .attempts = 3,
                                .tries = 2,
                                .due_at = had_ended ? -1 : DUE,
                                .ended_at = had_ended ? DUE : -1};
    delivery_go_on(&delivery, steps[_i].outcome, steps[_i].wait, steps[_i].retry_after, NOW);
    ck_assert_int_eq(delivery.status, steps[_i].after);
    ck_assert_int_eq(delivery.due_at, steps[_i].due);
    ck_assert_int_eq(delivery.sending, 0);
    ck_assert(!delivery.by_hand);
    ck_assert_int_eq(delivery.attempts, 4);
    ck_assert_int_eq(delivery.tries, steps[_i].by_hand ? 2 : 3);
    bool ends = delivery_has_ended(delivery.status);
    bool changes = delivery.status != steps[_i].before;
    ck_assert_int_eq(delivery.ended_at, !ends ? -1 : changes ? NOW : DUE);
}
END_TEST

/* With a seed the same for the same, and spread over all of what may be; nothing is counted. */
START_TEST(shares_of_a_thing)
{
    struct workspace one = {.row.seed = "\"one\""}, two = {.row.seed = "\"two\""}, none = {0};
    double low = 0, high = 0;
    for (int64_t i = 1; i <= 1000; i++) {
        double share = draw_share_for(&one, "0123456789ab", i);
        ck_assert(share >= -1 && share <= 1);
        ck_assert(share == draw_share_for(&one, "0123456789ab", i));
        ck_assert(share != draw_share_for(&one, "0123456789ac", i));
        ck_assert(share != draw_share_for(&two, "0123456789ab", i));
        ck_assert(share != draw_share_for(&none, "0123456789ab", i));
        low = share < low ? share : low;
        high = share > high ? share : high;
    }
    ck_assert(low < -0.98 && high > 0.98);
}
END_TEST

/* -- on an engine ------------------------------------------------------------------------------ */

static struct store *store;
static struct engine *engine;
static struct workspace *workspace;

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

static bool is_over(struct wait *wait)
{
    pthread_mutex_lock(&wait->lock);
    bool is = wait->wakes > 0;
    pthread_mutex_unlock(&wait->lock);
    return is;
}

static int operate(struct operation *operation)
{
    struct wait wait = WAIT;
    operation_submit(operation, wake, &wait);
    await(&wait);
    return operation->status;
}

static struct advance advance;
static struct wait advanced;

static struct advance *prepare(enum advance_until until, int64_t amount)
{
    advance = (struct advance){0};
    advance_init(&advance, engine, workspace);
    advance.until = until;
    advance.amount = amount;
    advance.timeout = 10 * MINUTE;
    return &advance;
}

static void start(void)
{
    advanced.wakes = 0;
    ck_assert(clock_take(workspace));
    advance_begin(&advance, wake, &advanced);
}

static enum advance_outcome finish(void)
{
    await(&advanced);
    ck_assert(!clock_is_taken(workspace));
    return advance.outcome;
}

static void set_mode(enum clock_mode mode, int64_t now)
{
    prepare(ADVANCE_TO, now);
    advance.changes_mode = true;
    advance.mode = mode;
    advance.scale = 1;
    start();
    ck_assert_int_eq(finish(), ADVANCE_DONE);
}

static void begin(void)
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

static void end(void)
{
    workspace_release(workspace);
    engine_stop(engine);
    store_close(store);
}

static void set_retries(const char *json)
{
    char *to = workspace->row.settings.callback.retries;
    snprintf(to, sizeof workspace->row.settings.callback.retries, "%s", json);
}

/* A job; where `end_in` is 0 or more, with a callback, and ending after so long. */
static struct job create(int64_t end_in)
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

static enum job_status status_of(const struct job *job)
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

/* The next attempt that begins. */
static struct delivery take(void)
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

static bool has_begun(void)
{
    pthread_mutex_lock(&given.lock);
    bool has = given.last > given.taken;
    pthread_mutex_unlock(&given.lock);
    return has;
}

/* It ends so; the delivery as it is then. */
static struct delivery answer(const struct delivery *delivery, enum attempt_outcome outcome,
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

/* Until the advance waits for somebody: whatever it was to do first is done. */
static void let_wait(void)
{
    while (!is_over(&advanced) && !atomic_load(&workspace->events.waiting))
        sched_yield();
    ck_assert(!is_over(&advanced));
}

/* -- retries ----------------------------------------------------------------------------------- */

static const int64_t base = 4000000000000; /* what the clocks show first */

/* What a schedule waits after each try, until it is exhausted; it is on the way then. */
static size_t play(int64_t *waits, size_t size)
{
    size_t count = 0;
    create(1000);
    prepare(ADVANCE_SETTLED, 0);
    start();
    for (;;) {
        struct delivery delivery = take();
        let_wait();
        int64_t now = workspace_now(workspace);
        ck_assert_int_eq(delivery.due_at, now); /* not earlier, not later */
        delivery = answer(&delivery, ATTEMPT_FAILED, -1);
        if (delivery.status == DELIVERY_EXHAUSTED)
            break;
        ck_assert_int_eq(delivery.status, DELIVERY_RETRYING);
        ck_assert_uint_lt(count, size);
        waits[count++] = delivery.due_at - now;
    }
    ck_assert_int_eq(finish(), ADVANCE_DONE);
    return count;
}

START_TEST(no_schedule)
{
    int64_t waits[1];
    set_mode(CLOCK_MANUAL, base);
    ck_assert_uint_eq(play(waits, 1), 0);
    set_retries("[]");
    ck_assert_uint_eq(play(waits, 1), 0);
}
END_TEST

START_TEST(a_schedule_of_its_own)
{
    const int64_t expected[] = {SECOND, 0, 250, 90 * MINUTE};
    int64_t waits[COUNT(expected) + 1];
    set_mode(CLOCK_MANUAL, base);
    set_retries("[\"1s\",\"0s\",\"250ms\",\"90m\"]");
    ck_assert_uint_eq(play(waits, COUNT(waits)), COUNT(expected));
    for (size_t i = 0; i < COUNT(expected); i++)
        ck_assert_int_eq(waits[i], expected[i]);
}
END_TEST

/* Varied by the seed alone, whatever else is drawn; differently for another delivery. */
START_TEST(the_standard_schedule)
{
    const int64_t expected[] = {5 * SECOND, 5 * MINUTE, 30 * MINUTE, 2 * HOUR,
                                5 * HOUR,   10 * HOUR,  10 * HOUR};
    int64_t waits[2][COUNT(expected) + 1];
    set_mode(CLOCK_MANUAL, base);
    set_retries("\"standard\"");
    snprintf(workspace->row.seed, sizeof workspace->row.seed, "\"s\"");
    for (int i = 0; i < 2; i++)
        ck_assert_uint_eq(play(waits[i], COUNT(waits[i])), COUNT(expected));
    for (size_t i = 0; i < COUNT(expected); i++) {
        ck_assert_int_ge(waits[0][i], expected[i] * 9 / 10);
        ck_assert_int_le(waits[0][i], expected[i] * 11 / 10);
        ck_assert_int_ne(waits[0][i], waits[1][i]);
    }
}
END_TEST

START_TEST(a_receiver_that_asks_for_patience)
{
    set_mode(CLOCK_MANUAL, base);
    set_retries("[\"10s\",\"10s\",\"2h\",\"10s\"]");
    create(0);
    prepare(ADVANCE_SETTLED, 0);
    start();
    const struct {
        int64_t asked, wait;
    } tries[] = {
        {7 * SECOND, 10 * SECOND}, {90 * SECOND, 90 * SECOND}, {HOUR, 2 * HOUR}, {5 * HOUR, HOUR}};
    for (size_t i = 0; i < COUNT(tries); i++) {
        struct delivery delivery = take();
        int64_t now = delivery.due_at;
        delivery = answer(&delivery, ATTEMPT_FAILED, tries[i].asked);
        ck_assert_int_eq(delivery.due_at - now, tries[i].wait);
        ck_assert_int_eq(delivery.tries, (int64_t)i + 1);
    }
    struct delivery delivery = take();
    ck_assert_int_eq(answer(&delivery, ATTEMPT_DELIVERED, -1).status, DELIVERY_DELIVERED);
    ck_assert_int_eq(finish(), ADVANCE_DONE);
}
END_TEST

/* What a clock that stands is not moved by; and a late result that nobody waits for. */
START_TEST(only_an_advance_brings_it)
{
    set_mode(CLOCK_MANUAL, base);
    set_retries("[\"10s\"]");
    create(0);
    struct delivery delivery =
        take(); /* due at once: it began in the transaction of the job's end */
    answer(&delivery, ATTEMPT_FAILED, -1);
    struct delivery none = answer(&delivery, ATTEMPT_DELIVERED, -1); /* it has ended already */
    ck_assert_int_eq(none.status, DELIVERY_RETRYING);
    ck_assert_int_eq(none.attempts, 1);
    prepare(ADVANCE_BY, 9999);
    start();
    ck_assert_int_eq(finish(), ADVANCE_DONE);
    ck_assert(!has_begun());
    ck_assert_str_eq(advance.next.delivery, delivery.id);
    ck_assert_int_eq(advance.next.attempt, 2);
    prepare(ADVANCE_BY, 1);
    start();
    delivery = take();
    ck_assert_int_eq(answer(&delivery, ATTEMPT_DELIVERED, -1).ended_at, base + 10 * SECOND);
    ck_assert_int_eq(finish(), ADVANCE_DONE);
    ck_assert_uint_eq(advance.fired_count, 1);
    ck_assert_str_eq(advance.fired[0].delivery, delivery.id);
    ck_assert_int_eq(advance.fired[0].attempt, 2);
}
END_TEST

/* -- by hand ----------------------------------------------------------------------------------- */

static struct delivery again(const char *id, bool release, enum delivery_again_outcome outcome)
{
    struct delivery_again self;
    delivery_again_init(&self, engine, workspace);
    self.id = id;
    self.release = release;
    ck_assert_int_eq(operate(&self.operation), 0);
    ck_assert_int_eq(self.outcome, outcome);
    return self.delivery;
}

START_TEST(an_attempt_by_hand_leaves_the_schedule)
{
    set_mode(CLOCK_MANUAL, base);
    set_retries("[\"10s\"]");
    create(0);
    struct delivery delivery = take();
    again(delivery.id, false, AGAIN_UNDER_WAY);
    delivery = answer(&delivery, ATTEMPT_FAILED, -1);
    again(delivery.id, false, AGAIN_DONE);
    struct delivery by_hand = take();
    ck_assert(by_hand.by_hand);
    prepare(ADVANCE_BY, 10 * SECOND); /* its turn comes while that is under way */
    start();
    let_wait();
    by_hand = answer(&by_hand, ATTEMPT_FAILED, HOUR);
    ck_assert_int_eq(by_hand.due_at, delivery.due_at);
    ck_assert_int_eq(by_hand.tries, 1);
    delivery = take();
    ck_assert(!delivery.by_hand);
    ck_assert_int_eq(answer(&delivery, ATTEMPT_FAILED, -1).status, DELIVERY_EXHAUSTED);
    ck_assert_int_eq(finish(), ADVANCE_DONE);
    again(delivery.id, false, AGAIN_DONE);
    delivery = take();
    ck_assert_int_eq(answer(&delivery, ATTEMPT_DELIVERED, -1).status, DELIVERY_DELIVERED);
}
END_TEST

static int hold(struct db *db, void *arg)
{
    struct delivery *delivery = arg;
    delivery->status = DELIVERY_HELD;
    delivery->due_at = -1;
    delivery->sending = 0;
    return delivery_update(db, delivery);
}

static int forget(struct db *db, void *arg)
{
    (void)arg;
    return delivery_forget_sending(db);
}

/* A release is a try of the schedule, and made again where the server ended in it. */
START_TEST(a_release_that_is_cut_off)
{
    set_mode(CLOCK_MANUAL, base);
    create(0);
    struct delivery delivery = take();
    again(delivery.id, true, AGAIN_NOT_HELD);
    ck_assert_int_eq(support_write(store, hold, &delivery), 0);
    again(delivery.id, true, AGAIN_DONE);
    delivery = take();
    ck_assert_int_eq(support_write(store, forget, NULL), 0);
    prepare(ADVANCE_BY, 1);
    start();
    struct delivery second = take();
    ck_assert_int_eq(second.seq, delivery.seq);
    ck_assert_int_eq(second.due_at, base);
    ck_assert_int_eq(answer(&second, ATTEMPT_FAILED, -1).tries, 1);
    ck_assert_int_eq(finish(), ADVANCE_DONE);
}
END_TEST

/* -- an advance that waits --------------------------------------------------------------------- */

/* It stands at an attempt's instant, having begun all that is due then, until it has ended. */
START_TEST(no_instant_is_passed)
{
    enum { TOGETHER = 20 };
    struct delivery attempts[TOGETHER];
    set_mode(CLOCK_MANUAL, base);
    set_retries("[\"10s\"]");
    for (int i = 0; i < TOGETHER; i++)
        create(20 * SECOND);
    struct job later = create(35 * SECOND);
    prepare(ADVANCE_BY, HOUR);
    start();
    for (int i = 0; i < TOGETHER; i++)
        attempts[i] = take(); /* all, before one has ended */
    let_wait();
    ck_assert_int_eq(workspace_now(workspace), base + 20 * SECOND);
    for (int i = 0; i < TOGETHER; i++) {
        ck_assert_int_eq(status_of(&later), JOB_PROCESSING);
        ck_assert(!has_begun());
        answer(&attempts[i], i % 2 ? ATTEMPT_FAILED : ATTEMPT_DELIVERED, -1);
    }
    for (int i = 1; i < TOGETHER; i += 2) {
        struct delivery second = take();
        ck_assert_int_eq(second.seq, attempts[i].seq); /* in the order in which they were made */
        ck_assert_int_eq(second.due_at, base + 30 * SECOND);
        attempts[i] = second;
    }
    let_wait();
    ck_assert_int_eq(workspace_now(workspace), base + 30 * SECOND);
    for (int i = 1; i < TOGETHER; i += 2)
        answer(&attempts[i], ATTEMPT_DELIVERED, -1);
    struct delivery last = take();
    ck_assert_str_eq(last.job_id, later.id);
    ck_assert_int_eq(last.due_at, base + 35 * SECOND);
    answer(&last, ATTEMPT_DELIVERED, -1);
    ck_assert_int_eq(finish(), ADVANCE_DONE);
    ck_assert_int_eq(advance.now, base + HOUR);
    ck_assert_uint_eq(advance.fired_count, TOGETHER + TOGETHER + TOGETHER / 2 + 2);
    ck_assert(!advance.has_next);
}
END_TEST

/* What a request brings about while it waits is due at that instant, and not later. */
START_TEST(what_comes_meanwhile)
{
    set_mode(CLOCK_MANUAL, base);
    create(20 * SECOND);
    struct job other = create(HOUR);
    prepare(ADVANCE_BY, MINUTE);
    start();
    struct delivery first = take();
    let_wait();
    struct job_cancel cancel = {.id = other.id};
    operation_init(&cancel.operation, engine, workspace, job_cancel_run);
    ck_assert_int_eq(operate(&cancel.operation), 0);
    struct delivery second = take(); /* though the first has not ended */
    ck_assert_str_eq(second.job_id, other.id);
    ck_assert_int_eq(second.due_at, base + 20 * SECOND);
    answer(&first, ATTEMPT_DELIVERED, -1);
    let_wait();
    ck_assert_int_eq(workspace_now(workspace), base + 20 * SECOND);
    answer(&second, ATTEMPT_DELIVERED, -1);
    ck_assert_int_eq(finish(), ADVANCE_DONE);
}
END_TEST

/* Also what began before it. */
START_TEST(what_was_under_way)
{
    set_mode(CLOCK_MANUAL, base);
    set_retries("[\"1m\"]");
    create(0);
    struct delivery delivery = take();
    prepare(ADVANCE_BY, MINUTE);
    start();
    let_wait();
    ck_assert_int_eq(workspace_now(workspace), base);
    answer(&delivery, ATTEMPT_FAILED, -1);
    delivery = take();
    let_wait();
    ck_assert_int_eq(workspace_now(workspace), base + MINUTE);
    answer(&delivery, ATTEMPT_FAILED, -1);
    ck_assert_int_eq(finish(), ADVANCE_DONE);
}
END_TEST

/* Where it stops at an event, the attempts of that instant are waited for, too. */
START_TEST(where_it_stops)
{
    set_mode(CLOCK_MANUAL, base);
    struct job job = create(20 * SECOND);
    create(20 * SECOND);
    if (_i == 0) {
        prepare(ADVANCE_COUNT, 1);
    } else {
        prepare(ADVANCE_JOB, 0);
        advance.job = job.id;
        advance.goal = ADVANCE_TERMINAL;
    }
    start();
    struct delivery first = take(), second = take();
    answer(&second, ATTEMPT_DELIVERED, -1);
    let_wait();
    answer(&first, ATTEMPT_DELIVERED, -1);
    ck_assert_int_eq(finish(), ADVANCE_DONE);
    ck_assert_uint_eq(advance.fired_count, 4);
    ck_assert_int_eq(advance.now, base + 20 * SECOND);
}
END_TEST

START_TEST(who_detaches_goes_on)
{
    set_mode(CLOCK_MANUAL, base);
    create(20 * SECOND);
    prepare(ADVANCE_BY, MINUTE);
    if (_i == 0) {
        advance.detaches = true;
    } else {
        advance.changes_mode = true; /* as every change of the clock does */
        advance.mode = CLOCK_MANUAL;
    }
    start();
    ck_assert_int_eq(finish(), ADVANCE_DONE);
    ck_assert_int_eq(advance.now, base + MINUTE);
    ck_assert_uint_eq(advance.fired_count, 2);
    struct delivery delivery = take();
    ck_assert_int_eq(answer(&delivery, ATTEMPT_DELIVERED, -1).ended_at, base + MINUTE);
}
END_TEST

/* While it waits a clock that runs goes on, and so does what falls due by that. */
START_TEST(a_clock_that_runs)
{
    create(20 * SECOND);
    struct job other = create(20 * SECOND + 200);
    prepare(ADVANCE_BY, 20 * SECOND);
    start();
    struct delivery delivery = take(), second = take(); /* the other's, 200 ms later */
    ck_assert_int_eq(status_of(&other), JOB_COMPLETED);
    let_wait();
    answer(&second, ATTEMPT_DELIVERED, -1);
    answer(&delivery, ATTEMPT_DELIVERED, -1);
    ck_assert_int_eq(finish(), ADVANCE_DONE);
}
END_TEST

START_TEST(its_time_runs_out)
{
    set_mode(CLOCK_MANUAL, base);
    create(20 * SECOND);
    prepare(ADVANCE_BY, HOUR);
    advance.timeout = 100;
    start();
    struct delivery delivery = take();
    ck_assert_int_eq(finish(), ADVANCE_TIMEOUT);
    ck_assert_int_eq(advance.now, base + 20 * SECOND);
    answer(&delivery, ATTEMPT_DELIVERED, -1);
}
END_TEST

/* What ends it while it waits: a reset that asks for the clock, before or meanwhile; the
 * workspace's deletion; the server's stop. */
START_TEST(ended_while_it_waits)
{
    struct workspace_delete deletion;
    struct wait deleted = WAIT;
    set_mode(CLOCK_MANUAL, base);
    create(20 * SECOND);
    prepare(ADVANCE_BY, HOUR);
    if (_i == 0)
        clock_ask_back(workspace);
    start();
    if (_i > 0)
        let_wait();
    if (_i == 1)
        clock_ask_back(workspace);
    workspace_delete_init(&deletion, engine, workspace);
    if (_i == 2)
        operation_submit(&deletion.operation, wake, &deleted);
    if (_i == 3)
        engine_end_waits(engine);
    finish();
    if (_i < 2)
        ck_assert_int_eq(advance.outcome, ADVANCE_RESET);
    if (_i == 2)
        await(&deleted);
    ck_assert_int_eq(advance.operation.status, _i < 2 ? 0 : _i == 2 ? ERR_GONE : ERR_STOPPING);
    ck_assert_int_eq(workspace_now(workspace), base + 20 * SECOND);
}
END_TEST

/* Its own waiting is use enough for the workspace's ttl. */
START_TEST(an_advance_is_use)
{
    set_mode(CLOCK_MANUAL, base);
    create(0);
    struct delivery delivery = take();
    prepare(ADVANCE_BY, HOUR);
    start();
    let_wait();
    atomic_store(&workspace->used_at, 0);
    ck_assert_int_gt(workspace_used_at(workspace), 0);
    answer(&delivery, ATTEMPT_DELIVERED, -1);
    finish();
    ck_assert_int_gt(workspace_used_at(workspace), 0);
}
END_TEST

/* -- an auto clock ----------------------------------------------------------------------------- */

static bool jump(const struct job *job)
{
    struct wait wait = WAIT;
    struct jump self;
    jump_begin(&self, engine, workspace, job, wake, &wait);
    await(&wait);
    ck_assert_int_eq(self.operation.status, 0);
    return self.moved;
}

/* A wait does not jump past an attempt; who polls does, as a receiver may from within. */
START_TEST(jumps_and_attempts)
{
    set_mode(CLOCK_AUTO, base);
    set_retries("[\"10s\"]");
    struct job job = create(-1);
    create(0);
    struct delivery delivery = take();
    ck_assert(!jump(NULL));
    ck_assert_int_eq(workspace_now(workspace), base);
    answer(&delivery, ATTEMPT_FAILED, -1);
    ck_assert(jump(NULL)); /* to the other's start and the retry, both due then */
    ck_assert_int_eq(workspace_now(workspace), base + 10 * SECOND);
    delivery = take();
    ck_assert(!jump(NULL));
    job.status = status_of(&job);
    ck_assert(jump(&job));
    ck_assert_int_eq(status_of(&job), JOB_COMPLETED);
    delivery = answer(&delivery, ATTEMPT_DELIVERED, -1);
    ck_assert_int_eq(delivery.status, DELIVERY_DELIVERED);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("retries");
    TCase *pure = tcase_create("pure");
    tcase_add_loop_test(pure, a_delivery_goes_on, 0, COUNT(steps));
    tcase_add_test(pure, shares_of_a_thing);
    suite_add_tcase(suite, pure);
    TCase *running = tcase_create("C10");
    tcase_set_timeout(running, 60);
    tcase_add_checked_fixture(running, begin, end);
    tcase_add_test(running, no_schedule);
    tcase_add_test(running, a_schedule_of_its_own);
    tcase_add_test(running, the_standard_schedule);
    tcase_add_test(running, a_receiver_that_asks_for_patience);
    tcase_add_test(running, only_an_advance_brings_it);
    tcase_add_test(running, an_attempt_by_hand_leaves_the_schedule);
    tcase_add_test(running, a_release_that_is_cut_off);
    tcase_add_test(running, no_instant_is_passed);
    tcase_add_test(running, what_comes_meanwhile);
    tcase_add_test(running, what_was_under_way);
    tcase_add_loop_test(running, where_it_stops, 0, 2);
    tcase_add_loop_test(running, who_detaches_goes_on, 0, 2);
    tcase_add_test(running, a_clock_that_runs);
    tcase_add_test(running, its_time_runs_out);
    tcase_add_loop_test(running, ended_while_it_waits, 0, 4);
    tcase_add_test(running, an_advance_is_use);
    tcase_add_test(running, jumps_and_attempts);
    suite_add_tcase(suite, running);
    return support_run(suite);
}
