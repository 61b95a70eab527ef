/*
 * A job's transitions, with all that belongs to each: the scenario that a completed one makes, and
 * the outbox row of an ended one, in the same transaction. The writer's thread.
 */
#ifndef UNDERSTUDY_ENGINE_TRANSITION_H
#define UNDERSTUDY_ENGINE_TRANSITION_H

#include "engine/workspace.h"
#include "store/job.h"

/* What somebody says about an end that is brought about now, above what is planned; see struct
 * plan.
 */
struct transition_order {
    enum job_cause cause;
    const struct plan *said; /* NULL: nothing */
};

/* What a job's next timer makes of it: processing, completed or failed (S23). Any thread, on its
 * own connection. */
int transition_expect(struct db *db, const struct job *job, enum job_status *ret_to);

/* queued → processing at `at`. */
int transition_start(struct db *db, const struct workspace *workspace, struct job *job,
                     enum job_cause cause, int64_t at);

/* processing → completed or failed at `at`: as the order says, or the job's plan, or else the
 * prompt (S23, S24). *io_due is lowered to the earliest timer that this sets: its delivery's. */
int transition_finish(struct db *db, struct workspace *workspace, struct job *job,
                      const struct transition_order *order, int64_t at, int64_t *io_due);

/* queued or processing → cancelled at `at`. ERR_INVALID where the job has ended. *io_due as above.
 */
int transition_cancel(struct db *db, struct workspace *workspace, struct job *job,
                      enum job_cause cause, int64_t at, int64_t *io_due);

#endif
