/*
 * What happens in a workspace and those who wait for it (C9), as threads meet there: nobody misses
 * what happens between his look and his sleep, and everybody is woken once.
 */
#include <check.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

#include "base/time.h"
#include "engine/engine.h"
#include "support.h"

static struct store *store;
static struct engine *engine;
static struct workspace *workspace;

static void begin(void)
{
    struct err err = {""};
    struct engine_options options = {.settings = {.queue_time = 3600000}};
    store = support_new_store();
    ck_assert_msg(engine_start(store, &options, &engine, &err) == 0, "%s", err.text);
    workspace = registry_default(engine_registry(engine));
}

static void end(void)
{
    workspace_release(workspace);
    engine_stop(engine);
    store_close(store);
}

/* -- one who waits ----------------------------------------------------------------------------- */

struct sleeper {
    struct waiter waiter;
    pthread_mutex_t lock;
    pthread_cond_t woken;
    int wakes;
};

static void wake(void *arg)
{
    struct sleeper *sleeper = arg;
    pthread_mutex_lock(&sleeper->lock);
    sleeper->wakes++;
    pthread_cond_signal(&sleeper->woken);
    pthread_mutex_unlock(&sleeper->lock);
}

static void sleeper_init(struct sleeper *sleeper, unsigned kinds, int64_t ms)
{
    *sleeper =
        (struct sleeper){.lock = PTHREAD_MUTEX_INITIALIZER, .woken = PTHREAD_COND_INITIALIZER};
    sleeper->waiter = (struct waiter){.engine = engine,
                                      .workspace = workspace,
                                      .kinds = kinds,
                                      .seen = events_seen(workspace, kinds),
                                      .resets = events_resets(workspace),
                                      .until = time_steady_ms() + ms,
                                      .wake = wake,
                                      .arg = sleeper};
}

static int wakes_of(struct sleeper *sleeper)
{
    pthread_mutex_lock(&sleeper->lock);
    int wakes = sleeper->wakes;
    pthread_mutex_unlock(&sleeper->lock);
    return wakes;
}

static enum wait_end wait_for_wake(struct sleeper *sleeper)
{
    pthread_mutex_lock(&sleeper->lock);
    while (!sleeper->wakes)
        pthread_cond_wait(&sleeper->woken, &sleeper->lock);
    ck_assert_int_eq(sleeper->wakes, 1);
    pthread_mutex_unlock(&sleeper->lock);
    return sleeper->waiter.end;
}

enum { LONG = 60000, TURN_THREADS = 4 };

START_TEST(what_happened_before_the_sleep)
{
    struct sleeper sleeper;
    sleeper_init(&sleeper, EVENT_JOB, LONG);
    events_post(workspace, EVENT_JOB);
    waiter_begin(&sleeper.waiter);
    ck_assert_int_eq(wakes_of(&sleeper), 1);
    ck_assert_int_eq(sleeper.waiter.end, WAIT_HAPPENED);
}
END_TEST

START_TEST(what_happens_after)
{
    struct sleeper job, rule, both;
    sleeper_init(&job, EVENT_JOB, LONG);
    sleeper_init(&rule, EVENT_RULE, LONG);
    sleeper_init(&both, EVENT_RULE | EVENT_JOB, LONG);
    waiter_begin(&job.waiter);
    waiter_begin(&rule.waiter);
    waiter_begin(&both.waiter);
    events_post(workspace, EVENT_REQUEST | EVENT_CLOCK);
    ck_assert_int_eq(wakes_of(&job) + wakes_of(&rule) + wakes_of(&both), 0);
    events_post(workspace, EVENT_JOB);
    ck_assert_int_eq(wait_for_wake(&job), WAIT_HAPPENED);
    ck_assert_int_eq(wait_for_wake(&both), WAIT_HAPPENED);
    ck_assert_int_eq(wakes_of(&rule), 0);
    events_post(workspace, EVENT_RULE);
    ck_assert_int_eq(wait_for_wake(&rule), WAIT_HAPPENED);
}
END_TEST

/* Minds what is a number of his own; counts how often he is asked. */
struct picky {
    struct sleeper sleeper;
    int number, asked;
};

static bool minds(struct waiter *waiter, void *what)
{
    struct picky *picky = (struct picky *)waiter; /* which is its first member's first */
    picky->asked++;
    return *(int *)what == picky->number;
}

/* Who says what happened wakes those who mind it, and those who do not say what they mind. */
START_TEST(what_nobody_minds)
{
    struct picky one = {.number = 1}, two = {.number = 2};
    struct sleeper any;
    sleeper_init(&one.sleeper, EVENT_JOURNAL, LONG);
    sleeper_init(&two.sleeper, EVENT_JOURNAL | EVENT_CLOCK, LONG);
    sleeper_init(&any, EVENT_JOURNAL, LONG);
    one.sleeper.waiter.minds = two.sleeper.waiter.minds = minds;
    ck_assert(!events_are_waited_for(workspace));
    waiter_begin(&one.sleeper.waiter);
    waiter_begin(&two.sleeper.waiter);
    waiter_begin(&any.waiter);
    ck_assert(events_are_waited_for(workspace));
    events_post_about(workspace, EVENT_RULE, &(int){1});
    ck_assert_int_eq(one.asked + two.asked, 0);
    events_post_about(workspace, EVENT_JOURNAL, &(int){1});
    ck_assert_int_eq(wait_for_wake(&one.sleeper), WAIT_HAPPENED);
    ck_assert_int_eq(wait_for_wake(&any), WAIT_HAPPENED);
    ck_assert_int_eq(wakes_of(&two.sleeper), 0);
    ck_assert_int_eq(two.asked, 1);
    events_post(workspace, EVENT_CLOCK); /* of which nothing is said */
    ck_assert_int_eq(wait_for_wake(&two.sleeper), WAIT_HAPPENED);
    ck_assert_int_eq(two.asked, 1);
    ck_assert(!events_are_waited_for(workspace));
}
END_TEST

/* What happened before his sleep he looks at himself, whatever it was; a reset he is not asked. */
START_TEST(what_happened_before_is_minded)
{
    struct picky before = {.number = 1}, reset = {.number = 1};
    sleeper_init(&before.sleeper, EVENT_JOURNAL, LONG);
    sleeper_init(&reset.sleeper, EVENT_JOURNAL, LONG);
    before.sleeper.waiter.minds = reset.sleeper.waiter.minds = minds;
    events_post_about(workspace, EVENT_JOURNAL, &(int){2});
    waiter_begin(&before.sleeper.waiter);
    ck_assert_int_eq(wait_for_wake(&before.sleeper), WAIT_HAPPENED);
    reset.sleeper.waiter.seen = events_seen(workspace, EVENT_JOURNAL);
    waiter_begin(&reset.sleeper.waiter);
    events_end_waits(workspace, WAIT_RESET);
    ck_assert_int_eq(wait_for_wake(&reset.sleeper), WAIT_RESET);
    ck_assert_int_eq(before.asked + reset.asked, 0);
}
END_TEST

START_TEST(time_passes)
{
    struct sleeper sleeper, past;
    sleeper_init(&sleeper, EVENT_JOB, 5);
    sleeper_init(&past, EVENT_JOB, -1000);
    int64_t until = sleeper.waiter.until;
    waiter_begin(&sleeper.waiter);
    waiter_begin(&past.waiter);
    ck_assert_int_eq(wait_for_wake(&sleeper), WAIT_PASSED);
    ck_assert_int_ge(time_steady_ms(), until);
    ck_assert_int_eq(wait_for_wake(&past), WAIT_PASSED);
}
END_TEST

/* A reset ends those under way, and one whose request began before it; a later one waits. */
START_TEST(resets)
{
    struct sleeper under_way, late, later;
    sleeper_init(&under_way, EVENT_JOB, LONG);
    sleeper_init(&late, EVENT_JOB, LONG);
    waiter_begin(&under_way.waiter);
    events_end_waits(workspace, WAIT_RESET);
    ck_assert_int_eq(wait_for_wake(&under_way), WAIT_RESET);
    waiter_begin(&late.waiter);
    ck_assert_int_eq(wait_for_wake(&late), WAIT_RESET);
    sleeper_init(&later, EVENT_JOB, LONG);
    waiter_begin(&later.waiter);
    ck_assert_int_eq(wakes_of(&later), 0);
    events_post(workspace, EVENT_JOB);
    ck_assert_int_eq(wait_for_wake(&later), WAIT_HAPPENED);
}
END_TEST

static const enum wait_end ends[] = {WAIT_DELETED, WAIT_STOPPED};

START_TEST(ends_for_good)
{
    struct sleeper under_way, later;
    sleeper_init(&under_way, EVENT_JOB, LONG);
    waiter_begin(&under_way.waiter);
    if (ends[_i] == WAIT_STOPPED)
        engine_end_waits(engine);
    else
        events_end_waits(workspace, ends[_i]);
    ck_assert_int_eq(wait_for_wake(&under_way), ends[_i]);
    sleeper_init(&later, EVENT_JOB, LONG);
    waiter_begin(&later.waiter);
    ck_assert_int_eq(wait_for_wake(&later), ends[_i]);
}
END_TEST

START_TEST(an_open_wait_keeps_the_workspace_used)
{
    atomic_store(&workspace->used_at, 5);
    ck_assert_int_eq(workspace_used_at(workspace), 5);
    int64_t before = time_steady_ms();
    workspace_begin_wait(workspace);
    ck_assert_int_ge(workspace_used_at(workspace), before);
    workspace_begin_wait(workspace);
    workspace_end_wait(workspace);
    atomic_store(&workspace->used_at, 5);
    ck_assert_int_ge(workspace_used_at(workspace), before);
    workspace_end_wait(workspace);
    int64_t ended = workspace_used_at(workspace);
    ck_assert_int_ge(ended, before);
    ck_assert_int_le(ended, time_steady_ms());
}
END_TEST

/* -- turns and requests that are held up, as a reset needs them -------------------------------- */

START_TEST(turns)
{
    unsigned over = 0, again = 0, one = events_begin_request(workspace);
    ck_assert(events_turn(workspace, &over));
    ck_assert_uint_eq(over, one);
    unsigned two = events_begin_request(workspace);
    ck_assert_uint_ne(two & 1, one & 1);
    ck_assert_int_eq(events_unanswered_of(workspace, over), 1);
    ck_assert_int_eq(events_unanswered(workspace), 2);
    /* Whoever gave up has left one: no new turn begins before that is answered. */
    ck_assert(!events_turn(workspace, &again));
    ck_assert_uint_eq(again & 1, one & 1);
    unsigned three = events_begin_request(workspace);
    ck_assert_uint_eq(three, two);
    events_end_request(workspace, one);
    ck_assert_int_eq(events_unanswered_of(workspace, again), 0);
    ck_assert(events_turn(workspace, &again));
    ck_assert_uint_eq(again, two);
    ck_assert_int_eq(events_unanswered_of(workspace, again), 2);
    events_end_request(workspace, two);
    events_end_request(workspace, three);
    ck_assert_int_eq(events_unanswered(workspace), 0);
}
END_TEST

static atomic_bool requesting;

static void *make_requests(void *arg)
{
    (void)arg;
    while (atomic_load(&requesting))
        events_end_request(workspace, events_begin_request(workspace));
    return NULL;
}

/* Requests begin while turns end: each is counted in the turn that it says. */
START_TEST(turns_among_threads)
{
    pthread_t threads[TURN_THREADS];
    atomic_store(&requesting, true);
    for (int i = 0; i < TURN_THREADS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, make_requests, NULL), 0);
    for (int round = 0; round < 1000; round++) {
        unsigned over;
        while (!events_turn(workspace, &over))
            sched_yield();
        while (events_unanswered_of(workspace, over))
            sched_yield();
    }
    atomic_store(&requesting, false);
    for (int i = 0; i < TURN_THREADS; i++)
        pthread_join(threads[i], NULL);
    ck_assert_int_eq(atomic_load(&workspace->events.unanswered[0]), 0);
    ck_assert_int_eq(atomic_load(&workspace->events.unanswered[1]), 0);
}
END_TEST

static void count_hurry(void *arg)
{
    ++*(int *)arg;
}

START_TEST(held_requests)
{
    int hurried[3] = {0};
    struct held held[3];
    for (int i = 0; i < 3; i++) {
        held[i] = (struct held){.hurry = count_hurry, .arg = &hurried[i]};
        int64_t seen = events_seen(workspace, EVENT_REQUEST);
        events_hold(workspace, &held[i]);
        ck_assert_int_eq(events_seen(workspace, EVENT_REQUEST), seen + 1);
    }
    events_hurry(workspace);
    events_let_go(workspace, &held[1]);
    events_hurry(workspace);
    events_let_go(workspace, &held[1]); /* again: nothing */
    events_let_go(workspace, &held[2]);
    events_hurry(workspace);
    events_let_go(workspace, &held[0]);
    events_hurry(workspace);
    ck_assert_int_eq(hurried[0], 3);
    ck_assert_int_eq(hurried[1], 1);
    ck_assert_int_eq(hurried[2], 2);
    ck_assert_ptr_null(workspace->events.held);
}
END_TEST

/* -- threads ----------------------------------------------------------------------------------- */

enum { THREADS = 4, ROUNDS = 400 };

static atomic_int turn; /* whom the next event is for */

/* Waits for its turn with events alone: an event missed is a wait that never ends. */
static void *take_turns(void *arg)
{
    int me = *(int *)arg;
    for (int round = 0; round < ROUNDS; round++) {
        for (;;) {
            struct sleeper sleeper;
            sleeper_init(&sleeper, EVENT_JOB, LONG);
            if (atomic_load(&turn) % THREADS == me)
                break;
            waiter_begin(&sleeper.waiter);
            if (wait_for_wake(&sleeper) != WAIT_HAPPENED)
                return arg; /* it ran out */
        }
        atomic_fetch_add(&turn, 1);
        events_post(workspace, EVENT_JOB);
    }
    return NULL;
}

START_TEST(nobody_misses_an_event)
{
    pthread_t threads[THREADS];
    int names[THREADS];
    atomic_store(&turn, 0);
    for (int i = 0; i < THREADS; i++) {
        names[i] = i;
        ck_assert_int_eq(pthread_create(&threads[i], NULL, take_turns, &names[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        void *complaint = NULL;
        pthread_join(threads[i], &complaint);
        ck_assert_ptr_null(complaint);
    }
    ck_assert_int_eq(atomic_load(&turn), THREADS * ROUNDS);
}
END_TEST

/* Waits that are over at about the time that somebody posts: each is woken once, by either. */
static void *wait_briefly(void *arg)
{
    for (int round = 0; round < ROUNDS; round++) {
        struct sleeper sleeper;
        sleeper_init(&sleeper, EVENT_JOB, round % 3);
        waiter_begin(&sleeper.waiter);
        enum wait_end end_ = wait_for_wake(&sleeper);
        if (end_ != WAIT_HAPPENED && end_ != WAIT_PASSED && end_ != WAIT_RESET)
            return arg;
    }
    return NULL;
}

static atomic_bool posting;

static void *post(void *arg)
{
    (void)arg;
    while (atomic_load(&posting)) {
        struct timespec pause = {.tv_nsec = 300000};
        nanosleep(&pause, NULL);
        events_post(workspace, EVENT_JOB);
        events_end_waits(workspace, WAIT_RESET);
    }
    return NULL;
}

START_TEST(everybody_is_woken_once)
{
    pthread_t threads[THREADS], poster;
    atomic_store(&posting, true);
    ck_assert_int_eq(pthread_create(&poster, NULL, post, NULL), 0);
    for (int i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, wait_briefly, &posting), 0);
    for (int i = 0; i < THREADS; i++) {
        void *complaint = NULL;
        pthread_join(threads[i], &complaint);
        ck_assert_ptr_null(complaint);
    }
    atomic_store(&posting, false);
    pthread_join(poster, NULL);
    ck_assert_int_eq(atomic_load(&workspace->events.waiting), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("events");
    TCase *waits = tcase_create("C9");
    tcase_set_timeout(waits, 60);
    tcase_add_checked_fixture(waits, begin, end);
    tcase_add_test(waits, what_happened_before_the_sleep);
    tcase_add_test(waits, what_happens_after);
    tcase_add_test(waits, what_nobody_minds);
    tcase_add_test(waits, what_happened_before_is_minded);
    tcase_add_test(waits, time_passes);
    tcase_add_test(waits, resets);
    tcase_add_loop_test(waits, ends_for_good, 0, COUNT(ends));
    tcase_add_test(waits, an_open_wait_keeps_the_workspace_used);
    tcase_add_test(waits, turns);
    tcase_add_test(waits, turns_among_threads);
    tcase_add_test(waits, held_requests);
    tcase_add_test(waits, nobody_misses_an_event);
    tcase_add_test(waits, everybody_is_woken_once);
    suite_add_tcase(suite, waits);
    return support_run(suite);
}
