/*
 * The timers of a workspace, of its jobs and of the attempts at its deliveries: what is due is
 * done, in order. The writer's thread.
 */
#ifndef UNDERSTUDY_ENGINE_TIMERS_H
#define UNDERSTUDY_ENGINE_TIMERS_H

#include "engine/workspace.h"
#include "store/db.h"
#include "store/delivery.h"
#include "store/job.h"

#include <stddef.h>

/* A timer: what becomes of which job, or which attempt is made at its delivery, and when. */
struct timer {
    int64_t at;
    int64_t seq; /* the job's, or the delivery's */
    char job[ID_HEX_SIZE];
    enum job_status to;
    char delivery[ID_HEX_SIZE]; /* "": it is the job's own */
    int64_t attempt;            /* of the delivery, from 1 */
};

/* What a timer did: a job, as it is now, left `from`; or, where `delivery` is not NULL, an attempt
 * at that began. */
struct timer_event {
    int64_t at;
    const struct job *job;
    enum job_status from;
    const struct delivery *delivery;
};

/* Who wants to see each. True from `saw`: no further timer. */
struct timers_watch {
    bool (*saw)(void *arg, const struct timer_event *event);
    void *arg;
};

/*
 * Fires what is due at or before `now`, in order of (due time, creation), a delivery's after the
 * jobs' of the same time, each at its own due time, with what becomes due on the way; at most
 * `limit` timers. *ret_next is the next one's due time (at or before `now` where the limit ended
 * it), or TIME_NEVER.
 */
int timers_fire(struct db *db, struct workspace *workspace, int64_t now, size_t limit,
                int64_t *ret_next);

/* The same, watched; a start in a place that an end makes free belongs to that end's timer. */
int timers_fire_watched(struct db *db, struct workspace *workspace, int64_t now, size_t limit,
                        const struct timers_watch *watch, int64_t *ret_next);

/* The next timer. ERR_NOT_FOUND where there is none. */
int timers_next(struct db *db, const struct workspace *workspace, struct timer *ret_timer);

/*
 * The next timers in their order, as far as is known now, at most `size`; jobs that have to wait
 * for a place under `max_processing` are left out. `settings` are the workspace's. Any thread, on
 * its own connection.
 */
int timers_list(struct db *db, int64_t workspace, const struct settings *settings, size_t size,
                struct timer *ret_timers, size_t *ret_count);

/*
 * After a job left processing at `at`: starts those that waited for its place, first in first out.
 * *io_next is lowered to the earliest timer that this sets.
 */
int timers_fill(struct db *db, const struct workspace *workspace, int64_t at, int64_t *io_next);

#endif
