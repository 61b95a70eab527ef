/* Real deadlines: who is called, when, and who wins where setting, cancelling and passing race. */
#include "support.h"

#include "base/deadlines.h"
#include "base/time.h"
#include "engine/engine.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

static struct deadlines *set;

/* A deadline that writes down that it passed. */
struct noted {
    struct deadline deadline;
    int calls;
    int64_t again_at; /* set again from within `passed`; 0: not */
};

static struct noted *order[1000];
static size_t called;

static void note(struct deadline *self)
{
    struct noted *noted = (struct noted *)self;
    noted->calls++;
    order[called++ % COUNT(order)] = noted;
    if (noted->again_at)
        ck_assert_int_eq(deadlines_set(set, self, noted->again_at), 0);
}

static void begin(void)
{
    set = deadlines_create();
    ck_assert_ptr_nonnull(set);
    called = 0;
}

static void end(void)
{
    deadlines_destroy(set);
}

static void put(struct noted *noted, int64_t at)
{
    noted->deadline.passed = note;
    ck_assert_int_eq(deadlines_set(set, &noted->deadline, at), 0);
}

START_TEST(nothing_is_set)
{
    struct noted noted = {.deadline.passed = note};
    ck_assert_int_eq(deadlines_run(set, 1000), TIME_NEVER);
    ck_assert_int_eq(deadlines_run(set, TIME_NEVER), TIME_NEVER);
    ck_assert(!deadlines_cancel(set, &noted.deadline));
    deadlines_destroy(NULL);
}
END_TEST

START_TEST(passed_in_order_and_once)
{
    struct noted late = {0}, early = {0}, middle = {0}, future = {0};
    put(&late, 30);
    put(&early, 10);
    put(&middle, 20);
    put(&future, 31);
    ck_assert_int_eq(deadlines_run(set, 9), 10);
    ck_assert_uint_eq(called, 0);
    ck_assert_int_eq(deadlines_run(set, 10), 20);
    ck_assert_int_eq(deadlines_run(set, 30), 31);
    ck_assert_uint_eq(called, 3);
    ck_assert(order[0] == &early && order[1] == &middle && order[2] == &late);
    ck_assert_int_eq(deadlines_run(set, 31), TIME_NEVER);
    ck_assert_int_eq(future.calls, 1);
    ck_assert(!deadlines_cancel(set, &future.deadline));
}
END_TEST

START_TEST(moved_and_cancelled)
{
    struct noted nearer = {0}, farther = {0}, cancelled = {0};
    put(&nearer, 100);
    put(&farther, 10);
    put(&cancelled, 15);
    put(&nearer, 20);
    put(&farther, 50);
    ck_assert(deadlines_cancel(set, &cancelled.deadline));
    ck_assert(!deadlines_cancel(set, &cancelled.deadline));
    ck_assert_int_eq(deadlines_run(set, 19), 20);
    ck_assert_uint_eq(called, 0);
    ck_assert_int_eq(deadlines_run(set, 20), 50);
    ck_assert_int_eq(nearer.calls, 1);
    put(&cancelled, 30); /* and may be set again */
    ck_assert_int_eq(deadlines_run(set, 50), TIME_NEVER);
    ck_assert(order[1] == &cancelled && order[2] == &farther);
}
END_TEST

/* One that is always due again does not keep the caller; the others get their turn. */
START_TEST(a_run_is_bounded)
{
    struct noted always = {.again_at = 5}, other = {0};
    put(&always, 5);
    put(&other, 6);
    ck_assert_int_le(deadlines_run(set, 5), 5);
    ck_assert_int_gt(always.calls, 1);
    always.again_at = 50;
    ck_assert_int_eq(deadlines_run(set, 6), 50);
    ck_assert_int_eq(other.calls, 1);
}
END_TEST

static void free_it(struct deadline *self)
{
    free(self);
    called++;
}

START_TEST(freed_by_who_is_called)
{
    for (int i = 0; i < 100; i++) {
        struct deadline *deadline = calloc(1, sizeof *deadline);
        deadline->passed = free_it;
        ck_assert_int_eq(deadlines_set(set, deadline, i), 0);
    }
    ck_assert_int_eq(deadlines_run(set, 100), TIME_NEVER);
    ck_assert_uint_eq(called, 100);
}
END_TEST

static void count_wake(void *arg)
{
    ++*(int *)arg;
}

START_TEST(sooner_is_told)
{
    struct noted first = {0}, second = {0};
    int wakes = 0;
    deadlines_on_sooner(set, count_wake, &wakes);
    put(&first, 100);
    ck_assert_int_eq(wakes, 1);
    put(&second, 200);
    put(&second, 100);
    ck_assert_int_eq(wakes, 1); /* not nearer than the first */
    put(&second, 50);
    ck_assert_int_eq(wakes, 2);
    put(&second, 60); /* farther: who sleeps wakes up for nothing, that is all */
    ck_assert(deadlines_cancel(set, &second.deadline));
    ck_assert_int_eq(wakes, 2);
    deadlines_on_sooner(set, NULL, NULL);
    put(&second, 1);
    ck_assert_int_eq(wakes, 2);
}
END_TEST

/* -- races ------------------------------------------------------------------------------------- */

enum { RACERS = 8, ROUNDS = 20000 };

/* What waits: ended either by its deadline or by the one who cancels. */
struct wait {
    struct deadline deadline;
    atomic_int ended, passed;
};

static atomic_bool racing;

static void wait_passed(struct deadline *self)
{
    struct wait *wait = (struct wait *)self;
    atomic_fetch_add(&wait->passed, 1);
    atomic_fetch_add(&wait->ended, 1); /* the last touch: from here on the other may free it */
}

static void *run_them(void *arg)
{
    (void)arg;
    while (atomic_load(&racing))
        deadlines_run(set, 1);
    deadlines_run(set, TIME_NEVER - 1);
    return NULL;
}

/* Sets a deadline that is due at once, or later, and cancels it at once: exactly one ends it. */
static void *race(void *arg)
{
    int *lost = arg;
    for (int i = 0; i < ROUNDS; i++) {
        struct wait *wait = calloc(1, sizeof *wait);
        wait->deadline.passed = wait_passed;
        if (deadlines_set(set, &wait->deadline, i % 3) < 0)
            abort();
        if (deadlines_cancel(set, &wait->deadline)) {
            if (atomic_fetch_add(&wait->ended, 1) != 0)
                abort();
        } else {
            ++*lost;
            while (!atomic_load(&wait->ended))
                sched_yield();
            if (atomic_load(&wait->passed) != 1)
                abort();
        }
        if (atomic_load(&wait->ended) != 1)
            abort();
        free(wait);
    }
    return NULL;
}

START_TEST(one_alone_ends_a_wait)
{
    pthread_t runner, racers[RACERS];
    int lost[RACERS] = {0};
    atomic_store(&racing, true);
    ck_assert_int_eq(pthread_create(&runner, NULL, run_them, NULL), 0);
    for (int i = 0; i < RACERS; i++)
        ck_assert_int_eq(pthread_create(&racers[i], NULL, race, &lost[i]), 0);
    for (int i = 0; i < RACERS; i++)
        pthread_join(racers[i], NULL);
    atomic_store(&racing, false);
    pthread_join(runner, NULL);
    ck_assert_int_eq(deadlines_run(set, 0), TIME_NEVER);
}
END_TEST

/* -- the engine runs them ---------------------------------------------------------------------- */

struct signalled {
    struct deadline deadline;
    pthread_mutex_t lock;
    pthread_cond_t cond;
    int64_t passed_at;
};

static void signal_it(struct deadline *self)
{
    struct signalled *signalled = (struct signalled *)self;
    pthread_mutex_lock(&signalled->lock);
    signalled->passed_at = time_steady_ms();
    pthread_cond_signal(&signalled->cond);
    pthread_mutex_unlock(&signalled->lock);
}

static int64_t await(struct signalled *signalled)
{
    pthread_mutex_lock(&signalled->lock);
    while (!signalled->passed_at)
        pthread_cond_wait(&signalled->cond, &signalled->lock);
    int64_t at = signalled->passed_at;
    pthread_mutex_unlock(&signalled->lock);
    return at;
}

/* Nothing else wakes the worker: it sleeps until the later one, and the nearer one wakes it. */
START_TEST(the_worker_runs_them)
{
    struct store *store = support_new_store();
    struct engine_options options = {.settings = {.queue_time = 1000, .processing_time = 1000}};
    struct engine *engine = NULL;
    struct err err;
    struct signalled far = {.deadline.passed = signal_it,
                            .lock = PTHREAD_MUTEX_INITIALIZER,
                            .cond = PTHREAD_COND_INITIALIZER},
                     near = far;
    ck_assert_int_eq(engine_start(store, &options, &engine, &err), 0);
    struct deadlines *deadlines = engine_deadlines(engine);
    int64_t now = time_steady_ms();
    ck_assert_int_eq(deadlines_set(deadlines, &far.deadline, now + 300000), 0);
    ck_assert_int_eq(deadlines_set(deadlines, &near.deadline, now + 30), 0);
    ck_assert_int_ge(await(&near), now + 30);
    ck_assert_int_eq(deadlines_set(deadlines, &far.deadline, now + 60), 0);
    ck_assert_int_ge(await(&far), now + 60);
    engine_stop(engine);
    store_close(store);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("deadlines");
    TCase *deadlines = tcase_create("deadlines");
    tcase_set_timeout(deadlines, 50);
    tcase_add_checked_fixture(deadlines, begin, end);
    tcase_add_test(deadlines, nothing_is_set);
    tcase_add_test(deadlines, passed_in_order_and_once);
    tcase_add_test(deadlines, moved_and_cancelled);
    tcase_add_test(deadlines, a_run_is_bounded);
    tcase_add_test(deadlines, freed_by_who_is_called);
    tcase_add_test(deadlines, sooner_is_told);
    tcase_add_test(deadlines, one_alone_ends_a_wait);
    tcase_add_test(deadlines, the_worker_runs_them);
    suite_add_tcase(suite, deadlines);
    return support_run(suite);
}
