/*
 * What is due is asked of the store: two index look-ups, the first queued job and the first
 * processed one. Under max_processing, a queued job whose time has come waits; the invariant after
 * every transaction is that no such job waits while a place is free, because whatever frees a place
 * fills it at once (timers_fill). So a start that finds a place free is on time, and times come out
 * the same whether they are lived through or caught up with after a restart.
 */
#include "engine/timers.h"

#include "base/time.h"
#include "engine/transition.h"

/* Whether the workspace may process one more job. */
static int has_place(struct db *db, const struct workspace *workspace, bool *ret_has)
{
    int64_t limit = workspace->settings.max_processing, count = 0;
    int status = limit ? job_count_processing(db, workspace->row.pk, &count) : 0;
    if (status == 0)
        *ret_has = !limit || count < limit;
    return status;
}

/* The next timer at or before `until`: a start only where there is a place. ERR_NOT_FOUND. */
static int next_timer(struct db *db, const struct workspace *workspace, int64_t until,
                      struct job *ret_job)
{
    struct job start;
    bool may_start = false;
    int status = has_place(db, workspace, &may_start);
    if (status < 0)
        return status;
    int found = job_next_due(db, workspace->row.pk, JOB_PROCESSING, until, ret_job);
    if (!may_start || (found < 0 && found != ERR_NOT_FOUND))
        return found;
    /* Ends win over starts of the same time only by being older: (due, creation) is the order. */
    status = job_next_due(db, workspace->row.pk, JOB_QUEUED, found == 0 ? ret_job->due_at : until,
                          &start);
    if (status == ERR_NOT_FOUND)
        return found;
    if (status == 0 &&
        (found == ERR_NOT_FOUND || start.due_at < ret_job->due_at || start.seq < ret_job->seq))
        *ret_job = start;
    return status;
}

static int fire(struct db *db, const struct workspace *workspace, struct job *job)
{
    int64_t at = job->due_at, ignored = TIME_NEVER;
    if (job->status == JOB_QUEUED)
        return transition_start(db, job, at);
    int status = transition_finish(db, workspace, job, at);
    return status < 0 ? status : timers_fill(db, workspace, at, &ignored);
}

int timers_fire(struct db *db, const struct workspace *workspace, int64_t now, size_t limit,
                int64_t *ret_next)
{
    struct job job;
    int status = 0;
    for (; limit && (status = next_timer(db, workspace, now, &job)) == 0; limit--)
        if ((status = fire(db, workspace, &job)) < 0)
            return status;
    if (status == 0 || status == ERR_NOT_FOUND)
        status = next_timer(db, workspace, TIME_NEVER, &job);
    if (status < 0 && status != ERR_NOT_FOUND)
        return status;
    *ret_next = status == 0 ? job.due_at : TIME_NEVER;
    return 0;
}

int timers_fill(struct db *db, const struct workspace *workspace, int64_t at, int64_t *io_next)
{
    bool may_start = false;
    struct job job;
    int status = 0;
    if (!workspace->settings.max_processing)
        return 0; /* nobody waits */
    while ((status = has_place(db, workspace, &may_start)) == 0 && may_start) {
        status = job_next_due(db, workspace->row.pk, JOB_QUEUED, at, &job);
        if (status == 0)
            status = transition_start(db, &job, at);
        if (status < 0)
            break;
        if (job.due_at < *io_next)
            *io_next = job.due_at;
    }
    return status == ERR_NOT_FOUND ? 0 : status;
}
