/*
 * The worker: one thread that sleeps until a workspace's next timer is due, then sends the writer a
 * tick for it. It knows of each workspace only when; which jobs, the store knows.
 */
#ifndef UNDERSTUDY_ENGINE_WORKER_H
#define UNDERSTUDY_ENGINE_WORKER_H

#include "engine/workspace.h"
#include "store/store.h"

struct worker;

int worker_start(struct store *store, struct worker **ret_worker, struct err *err);
void worker_stop(struct worker *worker); /* NULL is fine; waits for a tick that is under way */

/* The workspace has a timer at `due_at`, among others perhaps. Any thread. */
void worker_schedule(struct worker *worker, struct workspace *workspace, int64_t due_at);

/* The workspace is gone: none of its timers fires any more. The writer's thread. */
void worker_forget(struct worker *worker, struct workspace *workspace);

#endif
