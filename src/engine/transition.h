/*
 * A job's transitions, with all that belongs to each: the scenario that a completed one makes, and
 * the outbox row of an ended one, in the same transaction. The writer's thread.
 */
#ifndef UNDERSTUDY_ENGINE_TRANSITION_H
#define UNDERSTUDY_ENGINE_TRANSITION_H

#include "engine/workspace.h"
#include "store/job.h"

/* queued → processing at `at`. */
int transition_start(struct db *db, struct job *job, int64_t at);

/* processing → completed or failed at `at`, as the prompt decides (S23, S24). */
int transition_finish(struct db *db, struct workspace *workspace, struct job *job, int64_t at);

/* queued or processing → cancelled at `at`. ERR_INVALID where the job has ended. */
int transition_cancel(struct db *db, const struct workspace *workspace, struct job *job,
                      int64_t at);

#endif
