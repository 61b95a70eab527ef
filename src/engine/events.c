/*
 * A workspace's events are counters, and its waiters a list under its lock. To post without anybody
 * waiting costs two atomic operations: the poster counts and then looks whether somebody waits; a
 * waiter says that he waits and then looks at the count. One of the two sees the other.
 *
 * A waiter is woken once, by whoever takes him off the list. Where that is not his deadline, but
 * his deadline has begun to pass, it is left to that to wake him, since it still uses his memory.
 */
#include "engine/events.h"

#include "base/time.h"
#include "engine/engine.h"
#include "engine/workspace.h"

#include <stddef.h>

void events_init(struct events *events, int64_t jobs)
{
    atomic_init(&events->jobs, jobs);
    events->jobs_drawn = jobs;
    pthread_mutex_init(&events->lock, NULL);
}

void events_finish(struct events *events)
{
    pthread_mutex_destroy(&events->lock);
}

int64_t events_seen(const struct workspace *workspace, unsigned kinds)
{
    int64_t seen = 0;
    for (unsigned i = 0; i < EVENT_KINDS; i++)
        if (kinds & 1U << i)
            seen += atomic_load(&workspace->events.happened[i]);
    return seen;
}

int64_t events_resets(const struct workspace *workspace)
{
    return atomic_load(&workspace->events.resets);
}

/* -- waking, under the lock -------------------------------------------------------------------- */

static void take_off(struct events *events, struct waiter *waiter)
{
    *waiter->place = waiter->next;
    if (waiter->next)
        waiter->next->place = waiter->place;
    waiter->place = NULL;
    atomic_fetch_sub(&events->waiting, 1);
}

static bool minds(struct waiter *waiter, unsigned kinds, void *what)
{
    return (waiter->kinds & kinds) && (!what || !waiter->minds || waiter->minds(waiter, what));
}

/* Moves those whom `end` concerns to a list of their own; kinds 0: everybody. */
static struct waiter *collect(struct events *events, unsigned kinds, void *what, enum wait_end end)
{
    struct waiter *woken = NULL;
    for (struct waiter *waiter = events->first, *next; waiter; waiter = next) {
        next = waiter->next;
        if (kinds && !minds(waiter, kinds, what))
            continue;
        take_off(events, waiter);
        waiter->end = end;
        if (!deadlines_cancel(engine_deadlines(waiter->engine), &waiter->deadline))
            continue; /* passed() wakes him */
        waiter->next = woken;
        woken = waiter;
    }
    return woken;
}

/* Without the lock: once woken, a waiter may be gone. */
static void wake_all(struct waiter *waiter)
{
    for (struct waiter *next; waiter; waiter = next) {
        next = waiter->next;
        waiter->wake(waiter->arg);
    }
}

static void passed(struct deadline *deadline)
{
    struct waiter *waiter = (struct waiter *)((char *)deadline - offsetof(struct waiter, deadline));
    struct events *events = &waiter->workspace->events;
    pthread_mutex_lock(&events->lock);
    if (waiter->place) {
        take_off(events, waiter);
        waiter->end = WAIT_PASSED;
    }
    pthread_mutex_unlock(&events->lock);
    waiter->wake(waiter->arg);
}

/* -- waiting ----------------------------------------------------------------------------------- */

/* With the lock held: whether he need not wait, and why. */
static bool is_over(struct events *events, struct waiter *waiter)
{
    bool happened = events_seen(waiter->workspace, waiter->kinds) != waiter->seen;
    bool reset = atomic_load(&events->resets) != waiter->resets;
    waiter->end = events->ended ? events->end : reset ? WAIT_RESET : WAIT_HAPPENED;
    return events->ended || reset || happened;
}

void waiter_begin(struct waiter *waiter)
{
    struct events *events = &waiter->workspace->events;
    waiter->deadline = (struct deadline){.passed = passed};
    pthread_mutex_lock(&events->lock);
    atomic_fetch_add(&events->waiting, 1);
    bool over = is_over(events, waiter);
    waiter->place = &events->first;
    waiter->next = events->first;
    if (events->first)
        events->first->place = &waiter->next;
    events->first = waiter;
    if (!over &&
        deadlines_set(engine_deadlines(waiter->engine), &waiter->deadline, waiter->until) < 0) {
        waiter->end = WAIT_PASSED; /* without memory for a deadline nobody waits */
        over = true;
    }
    if (over)
        take_off(events, waiter);
    pthread_mutex_unlock(&events->lock);
    if (over)
        waiter->wake(waiter->arg);
}

void workspace_begin_wait(struct workspace *workspace)
{
    atomic_fetch_add(&workspace->events.open, 1);
}

void workspace_end_wait(struct workspace *workspace)
{
    /* First, so that whoever finds no wait open finds when the last one ended. */
    atomic_store(&workspace->used_at, time_steady_ms());
    atomic_fetch_sub(&workspace->events.open, 1);
}

int64_t workspace_used_at(const struct workspace *workspace)
{
    return atomic_load(&workspace->events.open) ? time_steady_ms()
                                                : atomic_load(&workspace->used_at);
}

/* -- posting ----------------------------------------------------------------------------------- */

static void post(struct workspace *workspace, unsigned kinds, void *what)
{
    struct events *events = &workspace->events;
    for (unsigned i = 0; i < EVENT_KINDS; i++)
        if (kinds & 1U << i)
            atomic_fetch_add(&events->happened[i], 1);
    if (!atomic_load(&events->waiting))
        return;
    pthread_mutex_lock(&events->lock);
    struct waiter *woken = collect(events, kinds, what, WAIT_HAPPENED);
    pthread_mutex_unlock(&events->lock);
    wake_all(woken);
}

void events_post(struct workspace *workspace, unsigned kinds)
{
    post(workspace, kinds, NULL);
}

void events_post_about(struct workspace *workspace, unsigned kind, void *what)
{
    post(workspace, kind, what);
}

bool events_are_waited_for(const struct workspace *workspace)
{
    return atomic_load(&workspace->events.waiting) > 0;
}

int64_t events_draw_job(struct workspace *workspace)
{
    return ++workspace->events.jobs_drawn;
}

void events_post_job(struct workspace *workspace, int64_t event)
{
    struct events *events = &workspace->events;
    if (event > atomic_load(&events->jobs))
        atomic_store(&events->jobs, event);
    events_post(workspace, EVENT_JOB);
}

unsigned events_begin_request(struct workspace *workspace)
{
    struct events *events = &workspace->events;
    unsigned turn = atomic_load(&events->turn), now;
    atomic_fetch_add(&events->untold, 1);
    atomic_fetch_add(&events->unanswered[turn & 1], 1);
    /* Where a new turn began in between, nobody may have seen that this one was counted. */
    while ((now = atomic_load(&events->turn)) != turn) {
        atomic_fetch_sub(&events->unanswered[turn & 1], 1);
        turn = now;
        atomic_fetch_add(&events->unanswered[turn & 1], 1);
    }
    events_post(workspace, EVENT_REQUEST);
    return turn;
}

void events_end_request(struct workspace *workspace, unsigned turn)
{
    atomic_fetch_sub(&workspace->events.unanswered[turn & 1], 1);
    events_post(workspace, EVENT_REQUEST);
}

void events_tell_request(struct workspace *workspace)
{
    atomic_fetch_sub(&workspace->events.untold, 1);
}

int events_untold(const struct workspace *workspace)
{
    return atomic_load(&workspace->events.untold);
}

int events_unanswered_of(const struct workspace *workspace, unsigned turn)
{
    return atomic_load(&workspace->events.unanswered[turn & 1]);
}

int events_unanswered(const struct workspace *workspace)
{
    return events_unanswered_of(workspace, 0) + events_unanswered_of(workspace, 1);
}

bool events_turn(struct workspace *workspace, unsigned *ret_turn)
{
    struct events *events = &workspace->events;
    unsigned turn = atomic_load(&events->turn);
    bool begins = !atomic_load(&events->unanswered[(turn + 1) & 1]);
    *ret_turn = begins ? atomic_fetch_add(&events->turn, 1) : turn - 1;
    return begins;
}

void events_end_waits(struct workspace *workspace, enum wait_end end)
{
    struct events *events = &workspace->events;
    pthread_mutex_lock(&events->lock);
    if (end == WAIT_RESET) {
        atomic_fetch_add(&events->resets, 1);
    } else {
        events->ended = true;
        events->end = end;
    }
    struct waiter *woken = collect(events, 0, NULL, end);
    pthread_mutex_unlock(&events->lock);
    wake_all(woken);
}

/* -- requests that are held up ----------------------------------------------------------------- */

void events_hold(struct workspace *workspace, struct held *held)
{
    struct events *events = &workspace->events;
    pthread_mutex_lock(&events->lock);
    held->place = &events->held;
    held->next = events->held;
    if (events->held)
        events->held->place = &held->next;
    events->held = held;
    pthread_mutex_unlock(&events->lock);
    events_post(workspace, EVENT_REQUEST); /* who waits for all to be answered hurries this one */
}

void events_let_go(struct workspace *workspace, struct held *held)
{
    if (!held->hurry)
        return;
    pthread_mutex_lock(&workspace->events.lock);
    *held->place = held->next;
    if (held->next)
        held->next->place = held->place;
    pthread_mutex_unlock(&workspace->events.lock);
    held->hurry = NULL;
}

void events_hurry(struct workspace *workspace)
{
    bool any = false;
    pthread_mutex_lock(&workspace->events.lock);
    for (struct held *held = workspace->events.held; held; held = held->next, any = true)
        held->hurry(held->arg);
    pthread_mutex_unlock(&workspace->events.lock);
    if (any) /* one of them may wait for a callback */
        events_post(workspace, EVENT_DELIVERY);
}
