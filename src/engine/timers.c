/*
 * What is due is asked of the store: three index look-ups, the first queued job, the first
 * processed one, and the first delivery whose attempt is due. Under max_processing, a queued job
 * whose time has come waits; the invariant after every transaction is that no such job waits while
 * a place is free, because whatever frees a place fills it at once (timers_fill). So a start that
 * finds a place free is on time, and times come out the same whether they are lived through or
 * caught up with after a restart.
 */
#include "engine/timers.h"

#include "base/time.h"
#include "engine/delivery.h"
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

enum kind { NOTHING, A_START, AN_END, AN_ATTEMPT };

/* What is next of each kind, looked up once and kept until something may have changed it. */
struct due {
    struct job start, end;
    struct delivery attempt;
    bool has_start, has_end, has_attempt;       /* whether there is one */
    bool knows_start, knows_end, knows_attempt; /* whether that was looked up */
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

static int look_up_attempt(struct db *db, const struct workspace *workspace, struct due *due)
{
    if (due->knows_attempt)
        return 0;
    int found = delivery_next_due(db, workspace->row.pk, TIME_NEVER, &due->attempt);
    if (found < 0 && found != ERR_NOT_FOUND)
        return found;
    due->has_attempt = found == 0;
    due->knows_attempt = true;
    return 0;
}

/* The first of the three, in order of (due time, creation), an attempt after the jobs' of that
 * time; each may be NULL. *ret_at is its due time. */
static enum kind first_of(const struct settings *settings, const struct job *start,
                          const struct job *end, const struct delivery *attempt, int64_t *ret_at)
{
    enum kind kind = NOTHING;
    *ret_at = TIME_NEVER;
    if (start) {
        kind = A_START;
        *ret_at = start_at(settings, start);
    }
    if (end &&
        (!start || end->due_at < *ret_at || (end->due_at == *ret_at && end->seq < start->seq))) {
        kind = AN_END;
        *ret_at = end->due_at;
    }
    if (attempt && attempt->due_at < *ret_at) {
        kind = AN_ATTEMPT;
        *ret_at = attempt->due_at;
    }
    return kind;
}

/* The next timer; a start only where there is a place. */
static int next_timer(struct db *db, const struct workspace *workspace, struct due *due,
                      enum kind *ret_kind, int64_t *ret_at)
{
    bool may_start = false;
    int status = has_place(db, workspace, &may_start);
    if (status == 0)
        status = look_up(db, workspace, JOB_PROCESSING, &due->end, &due->has_end, &due->knows_end);
    if (status == 0)
        status =
            look_up(db, workspace, JOB_QUEUED, &due->start, &due->has_start, &due->knows_start);
    if (status == 0)
        status = look_up_attempt(db, workspace, due);
    if (status == 0)
        *ret_kind = first_of(&workspace->settings, due->has_start && may_start ? &due->start : NULL,
                             due->has_end ? &due->end : NULL,
                             due->has_attempt ? &due->attempt : NULL, ret_at);
    return status;
}

/* Tells who watches; whether no further timer is to fire. */
static bool tell(const struct timers_watch *watch, const struct job *job, enum job_status from,
                 int64_t at)
{
    return watch &&
           watch->saw(watch->arg, &(struct timer_event){.at = at, .job = job, .from = from});
}

static int fire_start(struct db *db, const struct workspace *workspace, struct due *due,
                      const struct timers_watch *watch, bool *io_stop)
{
    struct job *job = &due->start;
    int64_t at = start_at(&workspace->settings, job);
    int status = transition_start(db, workspace, job, JOB_CAUSE_TIMER, at);
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
            status = transition_start(db, workspace, &job, JOB_CAUSE_TIMER, at);
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
    int64_t at = due->end.due_at, ignored = TIME_NEVER; /* the next is looked up */
    static const struct transition_order by_timer = {.cause = JOB_CAUSE_TIMER};
    int status = transition_finish(db, workspace, &due->end, &by_timer, at, &ignored);
    due->knows_end = false;
    due->knows_attempt &= !due->end.has_callback;
    if (status < 0)
        return status;
    *io_stop |= tell(watch, &due->end, JOB_PROCESSING, at);
    if (!workspace->settings.max_processing)
        return 0;
    due->knows_start = false;
    return fill(db, workspace, at, watch, io_stop, &ignored);
}

static int fire_attempt(struct db *db, struct due *due, const struct timers_watch *watch,
                        bool *io_stop)
{
    struct timer_event event = {.at = due->attempt.due_at, .delivery = &due->attempt};
    int status = delivery_begin(db, &due->attempt, false);
    due->knows_attempt = false;
    if (status == 0 && watch)
        *io_stop |= watch->saw(watch->arg, &event);
    return status;
}

static int fire(struct db *db, struct workspace *workspace, struct due *due, enum kind kind,
                const struct timers_watch *watch, bool *io_stop)
{
    switch (kind) {
    case A_START:
        return fire_start(db, workspace, due, watch, io_stop);
    case AN_END:
        return fire_end(db, workspace, due, watch, io_stop);
    default:
        return fire_attempt(db, due, watch, io_stop);
    }
}

int timers_fire_watched(struct db *db, struct workspace *workspace, int64_t now, size_t limit,
                        const struct timers_watch *watch, int64_t *ret_next)
{
    struct due due = {0};
    enum kind kind = NOTHING;
    int64_t at = TIME_NEVER;
    bool stop = false;
    int status;
    while ((status = next_timer(db, workspace, &due, &kind, &at)) == 0 && kind != NOTHING &&
           at <= now && !stop && limit--) {
        status = fire(db, workspace, &due, kind, watch, &stop);
        if (status < 0)
            break;
    }
    if (status == 0)
        *ret_next = at;
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

static int describe(struct db *db, const struct settings *settings, const struct job *job,
                    struct timer *ret_timer)
{
    struct timer timer = {.at = job->status == JOB_QUEUED ? start_at(settings, job) : job->due_at,
                          .seq = job->seq};
    memcpy(timer.job, job->id, sizeof timer.job);
    int status = transition_expect(db, job, &timer.to);
    if (status == 0)
        *ret_timer = timer;
    return status;
}

static void describe_attempt(const struct delivery *delivery, struct timer *ret_timer)
{
    *ret_timer = (struct timer){
        .at = delivery->due_at, .seq = delivery->seq, .attempt = delivery->attempts + 1};
    memcpy(ret_timer->job, delivery->job_id, sizeof ret_timer->job);
    memcpy(ret_timer->delivery, delivery->id, sizeof ret_timer->delivery);
}

int timers_next(struct db *db, const struct workspace *workspace, struct timer *ret_timer)
{
    struct due due = {0};
    enum kind kind = NOTHING;
    int64_t at;
    int status = next_timer(db, workspace, &due, &kind, &at);
    if (status < 0 || kind == NOTHING)
        return status < 0 ? status : ERR_NOT_FOUND;
    if (kind == AN_ATTEMPT)
        describe_attempt(&due.attempt, ret_timer);
    else
        status =
            describe(db, &workspace->settings, kind == A_START ? &due.start : &due.end, ret_timer);
    return status;
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

/* Some in order of their timers, as they are found; all lists have room for as many. */
struct upcoming {
    struct job *starts, *ends;
    struct delivery *attempts;
    size_t start_count, end_count, attempt_count;
};

static int keep_start(const struct job *job, void *arg)
{
    struct upcoming *upcoming = arg;
    upcoming->starts[upcoming->start_count++] = *job;
    return 0;
}

static int keep_end(const struct job *job, void *arg)
{
    struct upcoming *upcoming = arg;
    upcoming->ends[upcoming->end_count++] = *job;
    return 0;
}

static int keep_attempt(const struct delivery *delivery, void *arg)
{
    struct upcoming *upcoming = arg;
    upcoming->attempts[upcoming->attempt_count++] = *delivery;
    return 0;
}

/* Takes the earliest of the lists' first ones, until there are `size`. */
static int merge(struct db *db, const struct settings *settings, const struct upcoming *upcoming,
                 size_t size, struct timer *timers, size_t *ret_count)
{
    size_t taken = 0, start = 0, end = 0, attempt = 0;
    int status = 0;
    while (status == 0 && taken < size) {
        int64_t at;
        enum kind kind =
            first_of(settings, start < upcoming->start_count ? &upcoming->starts[start] : NULL,
                     end < upcoming->end_count ? &upcoming->ends[end] : NULL,
                     attempt < upcoming->attempt_count ? &upcoming->attempts[attempt] : NULL, &at);
        if (kind == NOTHING)
            break;
        if (kind == AN_ATTEMPT)
            describe_attempt(&upcoming->attempts[attempt++], &timers[taken]);
        else if (kind == A_START)
            status = describe(db, settings, &upcoming->starts[start++], &timers[taken]);
        else
            status = describe(db, settings, &upcoming->ends[end++], &timers[taken]);
        taken++;
    }
    *ret_count = taken;
    return status;
}

int timers_list(struct db *db, int64_t workspace, const struct settings *settings, size_t size,
                struct timer *ret_timers, size_t *ret_count)
{
    struct upcoming upcoming = {.starts = calloc(size, sizeof *upcoming.starts),
                                .ends = calloc(size, sizeof *upcoming.ends),
                                .attempts = calloc(size, sizeof *upcoming.attempts)};
    size_t may_start = 0, count = 0;
    int status = upcoming.starts && upcoming.ends && upcoming.attempts ? 0 : ERR_NO_MEMORY;
    if (status == 0)
        status = free_places(db, workspace, settings, size, &may_start);
    if (status == 0)
        status = job_each_due(db, workspace, JOB_QUEUED, may_start, keep_start, &upcoming);
    if (status == 0)
        status = job_each_due(db, workspace, JOB_PROCESSING, size, keep_end, &upcoming);
    if (status == 0)
        status = delivery_each_due(db, workspace, size, keep_attempt, &upcoming);
    if (status == 0)
        status = merge(db, settings, &upcoming, size, ret_timers, &count);
    free(upcoming.starts);
    free(upcoming.ends);
    free(upcoming.attempts);
    if (status == 0)
        *ret_count = count;
    return status;
}
