/*
 * A set of deadlines in real time (time_steady_ms), without a thread of its own: whoever has one to
 * spare calls deadlines_run() and sleeps until the time that it returns. All but create and destroy
 * may be called by any thread.
 *
 * A deadline is embedded in what waits for it. Of those who might end the wait, exactly one gets
 * to: either deadlines_cancel() returns true, and `passed` will not be called; or `passed` is
 * called, once for each deadlines_set() that was not moved or cancelled. Whoever gets to end the
 * wait may free the deadline, from within `passed` too. Who is told false has lost: `passed` may be
 * about to begin, or be running, so the deadline must stay where it is, and what it waits for is
 * ended by `passed` alone. Setting a deadline again is for him who ended the wait before, not for
 * one who races with `passed`.
 */
#ifndef UNDERSTUDY_BASE_DEADLINES_H
#define UNDERSTUDY_BASE_DEADLINES_H

#include "base/heap.h"

#include <stdbool.h>
#include <stdint.h>

struct deadlines;

/* Zeroed but for `passed`, it is not set. */
struct deadline {
    struct heap_entry entry; /* the set's own */
    /* Called by deadlines_run() without a lock held; it must not wait. It may set, move and cancel
       deadlines, itself included. */
    void (*passed)(struct deadline *self);
};

struct deadlines *deadlines_create(void); /* NULL: out of memory */

/* NULL is fine. What is still set is never called; nobody may use the set any more. */
void deadlines_destroy(struct deadlines *deadlines);

/* Sets a deadline, or moves it, either way. ERR_NO_MEMORY, where it was not set before. */
int deadlines_set(struct deadlines *deadlines, struct deadline *deadline, int64_t at);

/* True: it was set, and will not be called. False: it was not set, it was called, or is being
 * called. */
bool deadlines_cancel(struct deadlines *deadlines, struct deadline *deadline);

/*
 * Calls `passed` of those whose time is `now` or earlier, earliest first; returns when the next one
 * passes, or TIME_NEVER. A bounded number of calls: where more are left, the time returned is `now`
 * or earlier. Not by two threads at once.
 */
int64_t deadlines_run(struct deadlines *deadlines, int64_t now);

/*
 * Who runs them is to be woken when the earliest came nearer: `wake` is called with the set's lock
 * held, so it must not come back to the set; NULL ends it, and when this returns, no call is under
 * way.
 */
void deadlines_on_sooner(struct deadlines *deadlines, void (*wake)(void *arg), void *arg);

#endif
