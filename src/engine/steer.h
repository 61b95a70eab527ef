/*
 * What somebody has a job do, out of its turn: the control plane's transition and release, a rule's
 * transition, and the reads that move a job whose plan says so. Each in a transaction of the
 * writer's, and as an operation (engine/engine.h) whose `run` fills in the outcome; its refusals
 * have written nothing.
 */
#ifndef UNDERSTUDY_ENGINE_STEER_H
#define UNDERSTUDY_ENGINE_STEER_H

#include "engine/engine.h"
#include "engine/transition.h"

/* -- in a transaction; the writer's thread ----------------------------------------------------- */

/*
 * Moves a job that was just read to `to` (not queued) at `at`: from queued to completed or failed
 * by way of processing, at the same instant, without regard to max_processing. What the order says
 * of the end counts above the plan. A place that an end frees is filled. ERR_INVALID, with nothing
 * written, where the job's state does not allow it; *io_due is lowered to the earliest timer set.
 */
int steer_move(struct db *db, struct workspace *workspace, struct job *job, enum job_status to,
               const struct transition_order *order, int64_t at, int64_t *io_due);

/*
 * Ends the hold of a job that was just read: what is left of its time runs from now. ERR_INVALID
 * where it is not held. A job that reading moves, is moved by that from now on.
 */
int steer_release(struct db *db, const struct workspace *workspace, struct job *job,
                  int64_t *io_due);

/*
 * One read of a job that reading moves, and that is not held: counts it and, where the reads of its
 * state are used up, moves it at its due time, to which the workspace's clock jumps first where
 * that lies ahead, the timers on the way firing first. `job` becomes what the reader is to see.
 * *ret_moved, *ret_jumped: whether it was moved, and the clock.
 */
int steer_poll(struct db *db, struct workspace *workspace, struct job *job, int64_t *io_due,
               bool *ret_moved, bool *ret_jumped);

/* Whether a read of this job is more than a read. Any thread. */
bool steer_is_polled(const struct job *job);

/* -- as operations ------------------------------------------------------------------------------
 */

enum steer_outcome { STEER_DONE, STEER_NO_JOB, STEER_REFUSED };

struct job_move {
    struct operation operation;
    const char *id;
    enum job_status to;
    struct transition_order order;
    enum steer_outcome outcome;
    struct job job; /* STEER_DONE, STEER_REFUSED: as it is now */
};

struct job_release {
    struct operation operation;
    const char *id;
    enum steer_outcome outcome;
    struct job job;
};

struct job_poll {
    struct operation operation;
    const char *id;
    enum steer_outcome outcome; /* STEER_DONE, STEER_NO_JOB */
    struct job job;
};

/* The `run` of each, for operation_init(). */
int job_move_run(struct write *write, struct db *db);
int job_release_run(struct write *write, struct db *db);
int job_poll_run(struct write *write, struct db *db);

#endif
