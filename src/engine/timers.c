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

/* When a queued job starts: not before the place that it waited for was there. */
static int64_t start_at(const struct workspace *workspace, const struct job *job)
{
    int64_t since = workspace->settings.room_since;
    return job->due_at < since ? since : job->due_at;
}

/* What is next of each kind, looked up once and kept until something may have changed it. */
struct due {
    struct job start, end;
    bool has_start, has_end;     /* whether there is one */
    bool knows_start, knows_end; /* whether that was looked up */
};

static int look_up(struct db *db, const struct workspace *workspace, enum job_status status,
                   struct job *job, bool *has, bool *knows)
{
    if (*knows)
        return 0;
    int found = job_next_due(db, workspace->row.pk, status, TIME_NEVER, job);
    if (found < 0 && found != ERR_NOT_FOUND)
        return found;
    *has = found == 0;
    *knows = true;
    return 0;
}

/* The next timer, in order of (due time, creation); a start only where there is a place. */
static int next_timer(struct db *db, const struct workspace *workspace, struct due *due,
                      struct job **ret_job)
{
    bool may_start = false;
    int status = has_place(db, workspace, &may_start);
    if (status == 0)
        status = look_up(db, workspace, JOB_PROCESSING, &due->end, &due->has_end, &due->knows_end);
    if (status == 0)
        status =
            look_up(db, workspace, JOB_QUEUED, &due->start, &due->has_start, &due->knows_start);
    if (status < 0)
        return status;
    struct job *end = due->has_end ? &due->end : NULL;
    struct job *start = due->has_start && may_start ? &due->start : NULL;
    int64_t at = start ? start_at(workspace, start) : TIME_NEVER;
    if (start && end)
        *ret_job = at < end->due_at || (at == end->due_at && start->seq < end->seq) ? start : end;
    else
        *ret_job = start ? start : end;
    return 0;
}

static int fire_start(struct db *db, const struct workspace *workspace, struct due *due)
{
    struct job *job = &due->start;
    int status = transition_start(db, job, JOB_CAUSE_TIMER, start_at(workspace, job));
    due->knows_start = false;
    if (!due->has_end || job->due_at <= due->end.due_at)
        due->knows_end = false; /* its own end comes first now */
    return status;
}

static int fire_end(struct db *db, struct workspace *workspace, struct due *due)
{
    int64_t at = due->end.due_at, ignored = TIME_NEVER;
    static const struct transition_order by_timer = {.cause = JOB_CAUSE_TIMER};
    int status = transition_finish(db, workspace, &due->end, &by_timer, at);
    due->knows_end = false;
    if (status < 0 || !workspace->settings.max_processing)
        return status;
    due->knows_start = false;
    return timers_fill(db, workspace, at, &ignored);
}

int timers_fire(struct db *db, struct workspace *workspace, int64_t now, size_t limit,
                int64_t *ret_next)
{
    struct due due = {0};
    struct job *next = NULL;
    int status;
    while ((status = next_timer(db, workspace, &due, &next)) == 0 && next && next->due_at <= now &&
           limit--) {
        status = next->status == JOB_QUEUED ? fire_start(db, workspace, &due)
                                            : fire_end(db, workspace, &due);
        if (status < 0)
            break;
    }
    if (status == 0)
        *ret_next = next ? next->due_at : TIME_NEVER;
    return status;
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
            status = transition_start(db, &job, JOB_CAUSE_TIMER, at);
        if (status < 0)
            break;
        if (job.due_at < *io_next)
            *io_next = job.due_at;
    }
    return status == ERR_NOT_FOUND ? 0 : status;
}
