#include "engine/steer.h"

#include "base/time.h"
#include "engine/job_state.h"
#include "engine/plan.h"
#include "engine/timers.h"

#include <string.h>

/* Timers that fire with a release, so that its effects are there when it returns; what is left of
   them the worker fires. */
enum { RELEASE_TIMERS = 100 };

/* -- in a transaction -------------------------------------------------------------------------- */

static void lower(int64_t *io_due, const struct job *job)
{
    if (job->due_at >= 0 && job->due_at < *io_due)
        *io_due = job->due_at;
}

static bool may_move(const struct job *job, enum job_status to)
{
    if (to == JOB_QUEUED || job_state_is_end(job->status))
        return false;
    return to != JOB_PROCESSING || job->status == JOB_QUEUED;
}

/* From queued or processing to an end. */
static int move_to_end(struct db *db, struct workspace *workspace, struct job *job,
                       enum job_status to, const struct transition_order *order, int64_t at,
                       int64_t *io_due)
{
    if (to == JOB_CANCELLED)
        return transition_cancel(db, workspace, job, order->cause, at, io_due);
    int status = 0;
    if (job->status == JOB_QUEUED)
        status = transition_start(db, workspace, job, order->cause, at);
    return status < 0 ? status : transition_finish(db, workspace, job, order, at, io_due);
}

int steer_move(struct db *db, struct workspace *workspace, struct job *job, enum job_status to,
               const struct transition_order *order, int64_t at, int64_t *io_due)
{
    if (!may_move(job, to))
        return ERR_INVALID;
    bool frees_place = job->status == JOB_PROCESSING;
    int status;
    if (to == JOB_PROCESSING) {
        status = transition_start(db, workspace, job, order->cause, at);
        lower(io_due, job);
        return status;
    }
    /* How a completed or failed job ends is the order's to say, or else this. */
    struct plan said;
    struct transition_order full = *order;
    if (order->said)
        said = *order->said;
    else
        plan_init(&said);
    said.end = to == JOB_FAILED ? PLAN_FAILED : PLAN_COMPLETED;
    full.said = &said;
    status = move_to_end(db, workspace, job, to, &full, at, io_due);
    if (status == 0 && frees_place)
        status = timers_fill(db, workspace, at, io_due);
    return status;
}

/* When the job's time in its present state is over, by its times alone. */
static int64_t due_time(const struct job *job)
{
    return job->status == JOB_QUEUED ? time_add(job->created_at, job->queue_time)
                                     : time_add(job->started_at, job->processing_time);
}

int steer_release(struct db *db, const struct workspace *workspace, struct job *job,
                  int64_t *io_due)
{
    int64_t now = workspace_now_in(db, workspace);
    if (job_state_is_end(job->status) || !(job->marks & JOB_IS_HELD))
        return ERR_INVALID;
    struct job_change change = {.from = job->status,
                                .to = job->status,
                                .started_at = job->started_at,
                                .completed_at = -1,
                                .due_at = -1,
                                .marks = job->marks & ~(unsigned)JOB_IS_HELD,
                                .start_cause = job->start_cause};
    if (!(job->marks & JOB_IS_POLLED))
        change.due_at = due_time(job) > now ? due_time(job) : now;
    int status = plan_release(db, job->seq);
    if (status == 0)
        status = job_change(db, job->seq, &change);
    if (status < 0)
        return status;
    job->marks = change.marks;
    job->due_at = change.due_at;
    lower(io_due, job);
    return 0;
}

/* -- reads that move a job --------------------------------------------------------------------- */

bool steer_is_polled(const struct job *job)
{
    return !job_state_is_end(job->status) && job->marks & JOB_IS_POLLED &&
           !(job->marks & JOB_IS_HELD);
}

/* Makes the clock show `at` where it does not yet, after what is due until then. */
static int jump(struct db *db, struct workspace *workspace, int64_t at, int64_t *io_due,
                bool *ret_jumped)
{
    bool moved = false;
    int64_t next = TIME_NEVER;
    int status = workspace_move_clock_in(db, workspace, at, &moved);
    *ret_jumped |= moved;
    if (status == 0)
        status = timers_fire(db, workspace, workspace_now_in(db, workspace), SIZE_MAX, &next);
    if (status == 0 && next < *io_due)
        *io_due = next;
    return status;
}

/* The transition that follows the last read of the present state. */
static int move_on(struct db *db, struct workspace *workspace, struct job *job, int64_t *io_due,
                   bool *ret_jumped)
{
    static const struct transition_order by_poll = {.cause = JOB_CAUSE_POLL};
    int64_t at = due_time(job);
    int status = jump(db, workspace, at, io_due, ret_jumped);
    if (status < 0)
        return status;
    if (job->status == JOB_QUEUED) {
        status = transition_start(db, workspace, job, JOB_CAUSE_POLL, at);
        lower(io_due, job);
        return status;
    }
    status = transition_finish(db, workspace, job, &by_poll, at, io_due);
    /* Its place was not free before this moment. */
    return status < 0 ? status
                      : timers_fill(db, workspace, workspace_now_in(db, workspace), io_due);
}

int steer_poll(struct db *db, struct workspace *workspace, struct job *job, int64_t *io_due,
               bool *ret_moved, bool *ret_jumped)
{
    bool moved = false, jumped = false;
    int status = 0;
    while (status == 0 && steer_is_polled(job)) { /* twice at most: an end is not polled */
        struct plan_row row;
        status = plan_read(db, job->seq, &row);
        if (status < 0)
            break;
        int reads = job->status == JOB_QUEUED ? row.plan.polls_queued : row.plan.polls_processing;
        if (row.polls < reads) {
            status = plan_set_polls(db, job->seq, row.polls + 1);
            break;
        }
        status = move_on(db, workspace, job, io_due, &jumped);
        moved = true;
    }
    if (status < 0)
        return status;
    *ret_moved = moved;
    *ret_jumped = jumped;
    return 0;
}

/* -- operations -------------------------------------------------------------------------------- */

/*
 * Reads the job, after what fell due before this moment: else a place that this frees would go to
 * a job that an earlier end, not yet written, is to start.
 */
static int read_job(struct db *db, struct operation *operation, const char *id, struct job *job,
                    enum steer_outcome *outcome)
{
    struct workspace *workspace = operation->workspace;
    int status = 0;
    if (workspace->settings.max_processing) {
        int64_t now = workspace_now_in(db, workspace);
        status = timers_fire(db, workspace, now, SIZE_MAX, &operation->due_at);
        operation->posts = EVENT_JOB;
    }
    if (status == 0)
        status = job_by_id(db, workspace->row.pk, id, job);
    *outcome = status == ERR_NOT_FOUND ? STEER_NO_JOB : STEER_DONE;
    return status == ERR_NOT_FOUND ? 0 : status;
}

/* The job as it now is, its scenario included. */
static int read_again(struct db *db, const struct operation *operation, struct job *job)
{
    char id[ID_HEX_SIZE];
    memcpy(id, job->id, sizeof id);
    return job_by_id(db, operation->workspace->row.pk, id, job);
}

int job_move_run(struct write *write, struct db *db)
{
    struct job_move *self = (struct job_move *)write;
    struct operation *operation = &self->operation;
    int status = read_job(db, operation, self->id, &self->job, &self->outcome);
    if (status < 0 || self->outcome == STEER_NO_JOB)
        return status;
    status = steer_move(db, operation->workspace, &self->job, self->to, &self->order,
                        workspace_now_in(db, operation->workspace), &operation->due_at);
    if (status == ERR_INVALID) {
        self->outcome = STEER_REFUSED;
        return 0;
    }
    operation->posts = EVENT_JOB;
    return status < 0 ? status : read_again(db, operation, &self->job);
}

int job_release_run(struct write *write, struct db *db)
{
    struct job_release *self = (struct job_release *)write;
    struct operation *operation = &self->operation;
    struct workspace *workspace = operation->workspace;
    int64_t next = TIME_NEVER;
    int status = read_job(db, operation, self->id, &self->job, &self->outcome);
    if (status < 0 || self->outcome == STEER_NO_JOB)
        return status;
    status = steer_release(db, workspace, &self->job, &operation->due_at);
    if (status == ERR_INVALID) {
        self->outcome = STEER_REFUSED;
        return 0;
    }
    operation->posts = EVENT_JOB;
    if (status == 0) /* its time may be over already */
        status = timers_fire(db, workspace, workspace_now_in(db, workspace), RELEASE_TIMERS, &next);
    if (next < operation->due_at)
        operation->due_at = next;
    return status < 0 ? status : read_again(db, operation, &self->job);
}

int job_poll_run(struct write *write, struct db *db)
{
    struct job_poll *self = (struct job_poll *)write;
    struct operation *operation = &self->operation;
    struct workspace *workspace = operation->workspace;
    bool moved = false;
    int status = job_by_id(db, workspace->row.pk, self->id, &self->job);
    self->outcome = status == ERR_NOT_FOUND ? STEER_NO_JOB : STEER_DONE;
    if (status < 0)
        return status == ERR_NOT_FOUND ? 0 : status;
    status =
        steer_poll(db, workspace, &self->job, &operation->due_at, &moved, &operation->moves_clock);
    if (status < 0 || !moved)
        return status;
    operation->posts = EVENT_JOB;
    return read_again(db, operation, &self->job);
}
