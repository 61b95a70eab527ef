/*
 * The worker: one thread that sleeps until a workspace's next timer is due by its clock (for ever,
 * where that stands before it), then sends the writer a tick for it; or until a real deadline has
 * passed, which it then says. It knows of each workspace only when; which jobs, the store knows.
 */
#ifndef UNDERSTUDY_ENGINE_WORKER_H
#define UNDERSTUDY_ENGINE_WORKER_H

#include "base/deadlines.h"
#include "engine/workspace.h"
#include "store/store.h"

struct worker;

/* `deadlines` must outlive it. */
int worker_start(struct store *store, struct deadlines *deadlines, struct worker **ret_worker,
                 struct err *err);

/* NULL is fine. Waits for a tick that is under way; no deadline passes any more. */
void worker_stop(struct worker *worker);

/* The workspace has a timer at `due_at` on its clock, among others perhaps. Any thread. */
void worker_schedule(struct worker *worker, struct workspace *workspace, int64_t due_at);

/* Its next timer is that one, whatever was scheduled before. The writer's thread, after the commit.
 */
void worker_settle(struct worker *worker, struct workspace *workspace, int64_t due_at);

/* Its clock was moved or goes otherwise, or was given back. Any thread. */
void worker_reclock(struct worker *worker, struct workspace *workspace);

/* The workspace is gone: none of its timers fires any more. The writer's thread. */
void worker_forget(struct worker *worker, struct workspace *workspace);

#endif
