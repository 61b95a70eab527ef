/*
 * A heap of workspaces by the real time when their clocks will show the due time of their next
 * timer; those whose clock will not, or is taken, are not in it. When one is due, a tick goes to
 * the writer, which fires the workspace's timers and says when the next is due. Only one tick of a
 * workspace is under way at a time; a timer that is set meanwhile is kept in the workspace's
 * due_at. The writer tells of commits in their order, so what a tick says is never older than what
 * was scheduled before. The real deadlines are a set of their own, with its own lock.
 */
#include "engine/worker.h"

#include "base/heap.h"
#include "base/log.h"
#include "base/time.h"
#include "engine/feed.h"
#include "engine/timers.h"

#include <pthread.h>
#include <stdlib.h>

enum {
    /* Timers that one tick fires: so few that a request which comes meanwhile hardly waits for
       them, and fewer, down to two, the more requests share the tick's commit. */
    TICK_TIMERS = 16,
    TICK_TIMERS_MIN = 2,
    /* When the store fails a tick, the jobs wait, and are tried again. */
    RETRY_MS = 1000,
    /* The monotonic clock stands still while a laptop sleeps; waking up now and then notices. */
    SLEEP_MAX_MS = 10000,
};

struct worker {
    struct store *store;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake, idle;
    struct heap timers; /* of workspaces, by the due time of their next timer */
    struct deadlines *deadlines;
    size_t ticks; /* with the writer */
    bool sooner;  /* a deadline came nearer since the worker last looked */
    bool stopping;
    bool failing; /* the last tick failed: said once */
};

struct tick {
    struct write write;
    struct worker *worker;
    struct workspace *workspace;
    int64_t due_at, next; /* what it was sent for; the next one */
    struct feed_notes notes;
};

/* -- the heap, under the lock ------------------------------------------------------------------ */

static struct workspace *first(const struct worker *worker)
{
    struct heap_entry *entry = heap_first(&worker->timers);
    return entry ? HEAP_OWNER(entry, struct workspace, timer) : NULL;
}

/* The real time of its next tick. */
static int64_t tick_at(const struct workspace *workspace)
{
    struct clock_row clock = workspace_clock(workspace);
    if (atomic_load(&workspace->gone) || clock_is_taken(workspace))
        return TIME_NEVER;
    int64_t at = clock_real_at(&clock, workspace->due_at);
    return at < workspace->retry_at ? workspace->retry_at : at;
}

static void place(struct worker *worker, struct workspace *workspace)
{
    if (workspace->ticking)
        return; /* tick_done() places it */
    int64_t at = tick_at(workspace);
    if (at == TIME_NEVER)
        heap_remove(&worker->timers, &workspace->timer);
    else if (heap_put(&worker->timers, &workspace->timer, at) < 0)
        workspace->due_at = TIME_NEVER; /* the next request that sets a timer tries again */
    else if (first(worker) == workspace)
        pthread_cond_signal(&worker->wake);
}

static void schedule(struct worker *worker, struct workspace *workspace, int64_t due_at)
{
    if (due_at >= workspace->due_at)
        return;
    workspace->due_at = due_at;
    place(worker, workspace);
}

/* -- ticks ------------------------------------------------------------------------------------- */

static int tick_run(struct write *write, struct db *db)
{
    struct tick *tick = (struct tick *)write;
    bool gone;
    int status = workspace_is_gone(db, tick->workspace, &gone);
    tick->next = TIME_NEVER;
    feed_drop_notes(&tick->notes); /* of a run that was rolled back */
    if (status < 0 || gone)
        return status;
    tick->next = tick->due_at;
    if (clock_is_taken(tick->workspace))
        return 0;
    size_t limit = TICK_TIMERS / db_batch_size(db);
    if (limit < TICK_TIMERS_MIN)
        limit = TICK_TIMERS_MIN;
    status =
        timers_fire(db, tick->workspace, workspace_now_in(db, tick->workspace), limit, &tick->next);
    feed_take_notes(tick->workspace, &tick->notes);
    return status;
}

/* Says once that timers fail, and once that they work again, where the store does not. */
static void note_failure(struct worker *worker, const struct workspace *workspace, int status)
{
    bool failing = status < 0 && !store_logs(status);
    if (failing == worker->failing)
        return;
    worker->failing = failing;
    if (failing)
        log_event(LOG_ERROR, "jobs wait", LOG_STR("workspace", workspace->row.slug),
                  LOG_STR("reason", err_reason(status)));
    else
        log_message(LOG_INFO, "jobs go on");
}

static void tick_done(struct write *write, int status)
{
    struct tick *tick = (struct tick *)write;
    struct worker *worker = tick->worker;
    struct workspace *workspace = tick->workspace;

    pthread_mutex_lock(&worker->lock);
    note_failure(worker, workspace, status);
    workspace->ticking = false;
    workspace->retry_at = status == 0 ? 0 : time_steady_ms() + RETRY_MS;
    int64_t next = status == 0 ? tick->next : tick->due_at;
    if (next < workspace->due_at)
        workspace->due_at = next;
    place(worker, workspace);
    pthread_mutex_unlock(&worker->lock);
    if (status == 0) {
        feed_tell_notes(workspace, &tick->notes);
        events_post(workspace, EVENT_JOB);
    }
    feed_drop_notes(&tick->notes);
    workspace_release(workspace);
    free(tick);

    /* The last of all: worker_stop() waits for it, and then goes what a workspace is made of. */
    pthread_mutex_lock(&worker->lock);
    worker->ticks--;
    pthread_cond_signal(&worker->idle);
    pthread_mutex_unlock(&worker->lock);
}

/* Sends a tick for a workspace that was taken off the heap; called and left with the lock held. */
static void send_tick(struct worker *worker, struct workspace *workspace)
{
    struct tick *tick = calloc(1, sizeof *tick);
    if (!tick) {
        workspace->retry_at = time_steady_ms() + RETRY_MS;
        place(worker, workspace);
        return;
    }
    *tick = (struct tick){.write = {.run = tick_run, .done = tick_done},
                          .worker = worker,
                          .workspace = workspace,
                          .due_at = workspace->due_at};
    workspace->due_at = TIME_NEVER;
    workspace->ticking = true;
    atomic_fetch_add(&workspace->references, 1);
    worker->ticks++;
    pthread_mutex_unlock(&worker->lock);
    int status = store_submit(worker->store, &tick->write);
    if (status < 0)
        tick_done(&tick->write, status);
    pthread_mutex_lock(&worker->lock);
}

/* -- the thread -------------------------------------------------------------------------------- */

/* With the lock held; woken earlier where there is something to do. */
static void sleep_for(struct worker *worker, int64_t left_ms)
{
    time_wait(&worker->wake, &worker->lock, left_ms < SLEEP_MAX_MS ? left_ms : SLEEP_MAX_MS);
}

/* What is left until the earlier of the next timer and a deadline at `next_deadline`. */
static int64_t time_left(const struct worker *worker, int64_t next_deadline)
{
    const struct workspace *workspace = first(worker);
    int64_t left = next_deadline == TIME_NEVER ? TIME_NEVER : next_deadline - time_steady_ms();
    int64_t timer = workspace ? workspace->timer.at - time_steady_ms() : TIME_NEVER;
    return timer < left ? timer : left;
}

/* Sends one tick where one is due; called and left with the lock held. */
static void send_due(struct worker *worker)
{
    struct workspace *workspace = first(worker);
    if (!workspace || workspace->timer.at > time_steady_ms())
        return;
    heap_remove(&worker->timers, &workspace->timer);
    send_tick(worker, workspace);
}

/* The two take turns, a tick and some deadlines at a time, so that neither waits for the other. */
static void *worker_main(void *arg)
{
    struct worker *worker = arg;
    pthread_mutex_lock(&worker->lock);
    while (!worker->stopping) {
        worker->sooner = false;
        pthread_mutex_unlock(&worker->lock);
        int64_t next_deadline = deadlines_run(worker->deadlines, time_steady_ms());
        pthread_mutex_lock(&worker->lock);
        send_due(worker);
        int64_t left = time_left(worker, next_deadline);
        if (left > 0 && !worker->sooner && !worker->stopping)
            sleep_for(worker, left);
    }
    pthread_mutex_unlock(&worker->lock);
    return NULL;
}

/* deadlines_on_sooner(): under the lock of the deadlines, which nobody takes with this one held. */
static void wake_for_deadline(void *arg)
{
    struct worker *worker = arg;
    pthread_mutex_lock(&worker->lock);
    worker->sooner = true;
    pthread_cond_signal(&worker->wake);
    pthread_mutex_unlock(&worker->lock);
}

int worker_start(struct store *store, struct deadlines *deadlines, struct worker **ret_worker,
                 struct err *err)
{
    struct worker *worker = calloc(1, sizeof *worker);
    if (!worker)
        return err_set(err, ERR_NO_MEMORY, "out of memory");
    worker->store = store;
    worker->deadlines = deadlines;
    pthread_mutex_init(&worker->lock, NULL);
    time_init_wake(&worker->wake);
    pthread_cond_init(&worker->idle, NULL);
    if (pthread_create(&worker->thread, NULL, worker_main, worker) != 0) {
        free(worker);
        return err_set(err, ERR_INTERNAL, "cannot start the worker's thread");
    }
    deadlines_on_sooner(deadlines, wake_for_deadline, worker);
    *ret_worker = worker;
    return 0;
}

void worker_stop(struct worker *worker)
{
    if (!worker)
        return;
    deadlines_on_sooner(worker->deadlines, NULL, NULL);
    pthread_mutex_lock(&worker->lock);
    worker->stopping = true;
    pthread_cond_signal(&worker->wake);
    pthread_mutex_unlock(&worker->lock);
    pthread_join(worker->thread, NULL); /* which may send a last tick */
    pthread_mutex_lock(&worker->lock);
    while (worker->ticks)
        pthread_cond_wait(&worker->idle, &worker->lock);
    pthread_mutex_unlock(&worker->lock);
    pthread_cond_destroy(&worker->wake);
    pthread_cond_destroy(&worker->idle);
    pthread_mutex_destroy(&worker->lock);
    heap_finish(&worker->timers);
    free(worker);
}

void worker_schedule(struct worker *worker, struct workspace *workspace, int64_t due_at)
{
    pthread_mutex_lock(&worker->lock);
    schedule(worker, workspace, due_at);
    pthread_mutex_unlock(&worker->lock);
}

void worker_settle(struct worker *worker, struct workspace *workspace, int64_t due_at)
{
    pthread_mutex_lock(&worker->lock);
    workspace->due_at = due_at;
    place(worker, workspace);
    pthread_mutex_unlock(&worker->lock);
}

void worker_reclock(struct worker *worker, struct workspace *workspace)
{
    pthread_mutex_lock(&worker->lock);
    place(worker, workspace);
    pthread_mutex_unlock(&worker->lock);
}

void worker_forget(struct worker *worker, struct workspace *workspace)
{
    pthread_mutex_lock(&worker->lock);
    atomic_store(&workspace->gone, true);
    heap_remove(&worker->timers, &workspace->timer);
    pthread_mutex_unlock(&worker->lock);
}
