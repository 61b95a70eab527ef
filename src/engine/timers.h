/* The timers of a workspace's jobs: what is due is done, in order. The writer's thread. */
#ifndef UNDERSTUDY_ENGINE_TIMERS_H
#define UNDERSTUDY_ENGINE_TIMERS_H

#include "engine/workspace.h"
#include "store/db.h"

#include <stddef.h>

/*
 * Fires what is due at or before `now`, in order of (due time, creation), each at its own due time,
 * with what becomes due on the way; at most `limit` timers. *ret_next is the next one's due time
 * (at or before `now` where the limit ended it), or TIME_NEVER.
 */
int timers_fire(struct db *db, struct workspace *workspace, int64_t now, size_t limit,
                int64_t *ret_next);

/*
 * After a job left processing at `at`: starts those that waited for its place, first in first out.
 * *io_next is lowered to the earliest timer that this sets.
 */
int timers_fill(struct db *db, const struct workspace *workspace, int64_t at, int64_t *io_next);

#endif
