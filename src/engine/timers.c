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

#include <stdlib.h>
#include <string.h>

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
static int64_t start_at(const struct settings *settings, const struct job *job)
{
    int64_t since = settings->room_since;
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
    int64_t at = start ? start_at(&workspace->settings, start) : TIME_NEVER;
    if (start && end)
        *ret_job = at < end->due_at || (at == end->due_at && start->seq < end->seq) ? start : end;
    else
        *ret_job = start ? start : end;
    return 0;
}

/* Tells who watches; whether no further timer is to fire. */
static bool tell(const struct timers_watch *watch, const struct job *job, enum job_status from,
                 int64_t at)
{
    return watch && watch->saw(watch->arg, job, from, at);
}

static int fire_start(struct db *db, const struct workspace *workspace, struct due *due,
                      const struct timers_watch *watch, bool *io_stop)
{
    struct job *job = &due->start;
    int64_t at = start_at(&workspace->settings, job);
    int status = transition_start(db, job, JOB_CAUSE_TIMER, at);
    due->knows_start = false;
    if (!due->has_end || job->due_at <= due->end.due_at)
        due->knows_end = false; /* its own end comes first now */
    if (status == 0)
        *io_stop |= tell(watch, job, JOB_QUEUED, at);
    return status;
}

/* Starts those that waited for a place which is free since `at`. */
static int fill(struct db *db, const struct workspace *workspace, int64_t at,
                const struct timers_watch *watch, bool *io_stop, int64_t *io_next)
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
        *io_stop |= tell(watch, &job, JOB_QUEUED, at);
        if (job.due_at >= 0 && job.due_at < *io_next)
            *io_next = job.due_at;
    }
    return status == ERR_NOT_FOUND ? 0 : status;
}

static int fire_end(struct db *db, struct workspace *workspace, struct due *due,
                    const struct timers_watch *watch, bool *io_stop)
{
    int64_t at = due->end.due_at, ignored = TIME_NEVER;
    static const struct transition_order by_timer = {.cause = JOB_CAUSE_TIMER};
    int status = transition_finish(db, workspace, &due->end, &by_timer, at);
    due->knows_end = false;
    if (status < 0)
        return status;
    *io_stop |= tell(watch, &due->end, JOB_PROCESSING, at);
    if (!workspace->settings.max_processing)
        return 0;
    due->knows_start = false;
    return fill(db, workspace, at, watch, io_stop, &ignored);
}

int timers_fire_watched(struct db *db, struct workspace *workspace, int64_t now, size_t limit,
                        const struct timers_watch *watch, int64_t *ret_next)
{
    struct due due = {0};
    struct job *next = NULL;
    bool stop = false;
    int status;
    while ((status = next_timer(db, workspace, &due, &next)) == 0 && next && next->due_at <= now &&
           !stop && limit--) {
        status = next->status == JOB_QUEUED ? fire_start(db, workspace, &due, watch, &stop)
                                            : fire_end(db, workspace, &due, watch, &stop);
        if (status < 0)
            break;
    }
    if (status == 0)
        *ret_next = next ? next->due_at : TIME_NEVER;
    return status;
}

int timers_fire(struct db *db, struct workspace *workspace, int64_t now, size_t limit,
                int64_t *ret_next)
{
    return timers_fire_watched(db, workspace, now, limit, NULL, ret_next);
}

int timers_fill(struct db *db, const struct workspace *workspace, int64_t at, int64_t *io_next)
{
    bool ignored = false;
    return fill(db, workspace, at, NULL, &ignored, io_next);
}

/* -- looking ahead ----------------------------------------------------------------------------- */

/* When a job's timer fires. */
static int64_t fires_at(const struct settings *settings, const struct job *job)
{
    return job->status == JOB_QUEUED ? start_at(settings, job) : job->due_at;
}

static int describe(struct db *db, const struct settings *settings, const struct job *job,
                    struct timer *ret_timer)
{
    struct timer timer = {.at = fires_at(settings, job), .seq = job->seq};
    memcpy(timer.job, job->id, sizeof timer.job);
    int status = transition_expect(db, job, &timer.to);
    if (status == 0)
        *ret_timer = timer;
    return status;
}

int timers_next(struct db *db, const struct workspace *workspace, struct timer *ret_timer)
{
    struct due due = {0};
    struct job *next = NULL;
    int status = next_timer(db, workspace, &due, &next);
    if (status < 0 || !next)
        return status < 0 ? status : ERR_NOT_FOUND;
    return describe(db, &workspace->settings, next, ret_timer);
}

/* How many jobs may start before one that is processed has ended. */
static int free_places(struct db *db, int64_t workspace, const struct settings *settings,
                       size_t size, size_t *ret_free)
{
    int64_t limit = settings->max_processing, count = 0;
    int status = limit ? job_count_processing(db, workspace, &count) : 0;
    int64_t left = limit > count ? limit - count : 0;
    if (status == 0)
        *ret_free = !limit || left > (int64_t)size ? size : (size_t)left;
    return status;
}

/* Some jobs in order of their timers, as they are found. */
struct upcoming {
    struct job *jobs;
    size_t count;
};

static int keep(const struct job *job, void *arg)
{
    struct upcoming *upcoming = arg;
    upcoming->jobs[upcoming->count++] = *job;
    return 0;
}

/* The one whose timer is first; either may be NULL. */
static const struct job *earlier(const struct settings *settings, const struct job *start,
                                 const struct job *end)
{
    if (!start || !end)
        return start ? start : end;
    int64_t at = fires_at(settings, start);
    return at < end->due_at || (at == end->due_at && start->seq < end->seq) ? start : end;
}

/* Takes the earlier of the two lists' first ones, until there are `size`. */
static int merge(struct db *db, const struct settings *settings, const struct upcoming *starts,
                 const struct upcoming *ends, size_t size, struct timer *timers, size_t *ret_count)
{
    size_t taken = 0, start = 0;
    int status = 0;
    while (status == 0 && taken < size) {
        size_t end = taken - start;
        const struct job *job =
            earlier(settings, start < starts->count ? &starts->jobs[start] : NULL,
                    end < ends->count ? &ends->jobs[end] : NULL);
        if (!job)
            break;
        start += job->status == JOB_QUEUED;
        status = describe(db, settings, job, &timers[taken++]);
    }
    *ret_count = taken;
    return status;
}

int timers_list(struct db *db, int64_t workspace, const struct settings *settings, size_t size,
                struct timer *ret_timers, size_t *ret_count)
{
    struct upcoming starts = {calloc(size, sizeof *starts.jobs), 0};
    struct upcoming ends = {calloc(size, sizeof *ends.jobs), 0};
    size_t may_start = 0, count = 0;
    int status = starts.jobs && ends.jobs ? 0 : ERR_NO_MEMORY;
    if (status == 0)
        status = free_places(db, workspace, settings, size, &may_start);
    if (status == 0)
        status = job_each_due(db, workspace, JOB_QUEUED, may_start, keep, &starts);
    if (status == 0)
        status = job_each_due(db, workspace, JOB_PROCESSING, size, keep, &ends);
    if (status == 0)
        status = merge(db, settings, &starts, &ends, size, ret_timers, &count);
    free(starts.jobs);
    free(ends.jobs);
    if (status == 0)
        *ret_count = count;
    return status;
}
