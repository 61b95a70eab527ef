/*
 * Each step works on a copy of what the steps before it have committed, because a transaction may
 * be rolled back and its messages run again. All of a step goes by one look at real time: with a
 * clock that runs, its present instant is the later of what the clock shows and the last event.
 */
#include "engine/advance.h"

#include "base/time.h"
#include "engine/internal.h"
#include "engine/job_state.h"
#include "engine/plan.h"

#include <assert.h>
#include <string.h>

enum {
    /* Timers of one step: about as long as a commit; fewer where others share its transaction. */
    STEP_TIMERS = 256,
    STEP_TIMERS_MIN = 16,
};

/* -- a job that is to reach a state ------------------------------------------------------------ */

static bool has_reached(const struct job *job, enum job_status goal)
{
    if (goal == ADVANCE_TERMINAL)
        return job_state_is_end(job->status);
    if (goal == JOB_PROCESSING)
        return job->started_at >= 0;
    return job->status == goal;
}

static enum advance_outcome marked(unsigned marks)
{
    return marks & JOB_IS_HELD     ? ADVANCE_JOB_HELD
           : marks & JOB_IS_POLLED ? ADVANCE_JOB_POLLED
                                   : ADVANCE_DONE;
}

/* Whether it has arrived, or never will: then `outcome` says why. */
static int examine(struct advance *self, struct db *db, const struct job *job)
{
    struct plan_row planned;
    int status = 0;
    self->seen = *job;
    self->step.arrived = has_reached(job, self->goal);
    if (self->step.arrived)
        return 0;
    self->outcome = job_state_is_end(job->status) ? ADVANCE_JOB_ENDED : marked(job->marks);
    if (self->outcome == ADVANCE_DONE && job->status == JOB_QUEUED &&
        self->goal != JOB_PROCESSING && job->marks & JOB_HAS_PLAN) {
        status = plan_read(db, job->seq, &planned);
        if (status == 0)
            self->outcome = marked(plan_marks(&planned.plan, JOB_PROCESSING));
    }
    self->step.arrived = self->outcome != ADVANCE_DONE;
    return status;
}

/* Requests may have changed it since the last step. */
static int look_at_job(struct advance *self, struct db *db)
{
    struct job job;
    int status = job_by_id(db, self->operation.workspace->row.pk, self->job, &job);
    if (status == ERR_NOT_FOUND) {
        self->outcome = ADVANCE_NO_JOB;
        self->step.arrived = true;
        return 0;
    }
    return status < 0 ? status : examine(self, db, &job);
}

/* -- a step ------------------------------------------------------------------------------------ */

static void refuse(struct advance *self, enum advance_outcome outcome)
{
    self->outcome = outcome;
    self->ends = true;
}

/* The first step settles how far it goes. */
static void begin(struct advance *self, int64_t now)
{
    struct advance_progress *step = &self->step;
    step->begun = true;
    step->target = TIME_MAX;
    if (self->until == ADVANCE_TO && self->amount < now)
        refuse(self, ADVANCE_BACKWARD);
    else if (self->until == ADVANCE_TO)
        step->target = self->amount;
    else if (self->until == ADVANCE_BY && self->amount > TIME_MAX - now)
        refuse(self, ADVANCE_TOO_FAR);
    else if (self->until == ADVANCE_BY)
        step->target = now + self->amount;
}

struct watching {
    struct advance *self;
    struct db *db;
    int status;
};

static void note(struct advance_event *event, const struct timer_event *seen)
{
    *event = (struct advance_event){.at = seen->at};
    if (seen->job) {
        event->from = seen->from;
        event->to = seen->job->status;
        memcpy(event->job, seen->job->id, sizeof event->job);
        return;
    }
    assert(seen->delivery); /* what is no job is one */
    event->attempt = seen->delivery->attempts + 1;
    memcpy(event->job, seen->delivery->job_id, sizeof event->job);
    memcpy(event->delivery, seen->delivery->id, sizeof event->delivery);
}

static bool saw(void *arg, const struct timer_event *seen)
{
    struct watching *watching = arg;
    struct advance *self = watching->self;
    struct advance_progress *step = &self->step;
    bool is_first = seen->delivery && !self->detaches && !self->awaits; /* of its instant */
    if (step->fired < ADVANCE_SHOWN)
        note(&self->fired[step->fired], seen);
    step->fired++;
    self->last = seen->at;
    self->awaits |= is_first;
    if (step->arrived)
        return false;
    if (self->until == ADVANCE_COUNT)
        step->arrived = step->fired >= (size_t)self->amount;
    else if (self->until == ADVANCE_JOB && seen->job && strcmp(seen->job->id, self->job) == 0)
        watching->status = examine(self, watching->db, seen->job);
    return is_first || step->arrived || watching->status < 0;
}

/* How far it goes now: while attempts are under way, to the present instant, which a clock that
 * runs may have beyond the target. */
static int64_t horizon(const struct advance *self, int64_t now)
{
    return self->awaits ? now : self->step.target;
}

/* Fires up to there or the end of the step; where it arrives on the way, or an attempt begins, the
 * rest of that instant. */
static int fire(struct advance *self, struct db *db, size_t end, int64_t *io_now, int64_t *ret_next)
{
    struct advance_progress *step = &self->step;
    struct watching watching = {.self = self, .db = db};
    const struct timers_watch watch = {saw, &watching};
    int64_t next = TIME_NEVER;
    int status;
    do {
        status = timers_fire_watched(db, self->operation.workspace, horizon(self, *io_now),
                                     end - step->fired, &watch, &next);
        if (status == 0)
            status = watching.status;
        if (self->last > *io_now)
            *io_now = self->last;
        if (step->arrived)
            step->target = *io_now;
    } while (status == 0 && next <= horizon(self, *io_now) && step->fired < end);
    *ret_next = next;
    return status;
}

static size_t step_end(const struct advance *self, const struct db *db)
{
    size_t limit = STEP_TIMERS / db_batch_size(db);
    if (limit < STEP_TIMERS_MIN)
        limit = STEP_TIMERS_MIN;
    size_t end = self->step.fired + limit;
    return !self->changes_mode && end > ADVANCE_EVENTS ? ADVANCE_EVENTS : end;
}

/* Whether jobs wait for a place that none is going to leave by a timer. */
static int look_for_waiting(const struct advance *self, struct db *db, bool *ret_waiting)
{
    struct job job;
    int status = job_next_due(db, self->operation.workspace->row.pk, JOB_QUEUED, TIME_NEVER, &job);
    *ret_waiting = status == 0;
    return status == ERR_NOT_FOUND ? 0 : status;
}

/* Nothing is due any more before the target, and no attempt under way. What is to be settled are
 * the jobs: deliveries go on by timers alone. */
static int conclude(struct advance *self, struct db *db, int64_t *io_now)
{
    bool waiting = self->until == ADVANCE_JOB;
    int status = 0;
    self->ends = true;
    if (self->until == ADVANCE_TO || self->until == ADVANCE_BY) {
        if (*io_now < self->step.target)
            *io_now = self->step.target;
        return 0;
    }
    if (self->step.arrived || self->until == ADVANCE_COUNT)
        return 0;
    if (self->until == ADVANCE_SETTLED)
        status = look_for_waiting(self, db, &waiting);
    if (waiting)
        self->outcome = ADVANCE_STUCK;
    return status;
}

/* Writes what has become of the clock, as of that real time. */
static int set_clock(struct advance *self, struct db *db, const struct clock_row *before,
                     int64_t now, int64_t real)
{
    struct operation *operation = &self->operation;
    struct clock_row clock = clock_moved(before, now, real);
    bool moves = now > clock_show(before, real);
    bool changes = self->changes_mode && self->ends && self->outcome == ADVANCE_DONE;
    if (changes && before->mode == self->mode && before->scale == self->scale)
        changes = false;
    if (changes)
        clock = clock_make(self->mode, self->scale, now, real);
    operation->moves_clock = moves || changes;
    return moves || changes ? workspace_set_clock_in(db, operation->workspace, &clock) : 0;
}

/* What is due next, for the answer and for the worker. */
static int look_ahead(struct advance *self, struct db *db)
{
    int status = timers_next(db, self->operation.workspace, &self->next);
    self->has_next = status == 0;
    self->operation.due_at = status == 0 ? self->next.at : TIME_NEVER;
    self->operation.settles = true;
    return status == ERR_NOT_FOUND ? 0 : status;
}

static int go_on(struct advance *self, struct db *db, int64_t *io_now)
{
    struct advance_progress *step = &self->step;
    int64_t next = TIME_NEVER;
    int status = 0;
    if (self->until == ADVANCE_JOB && !step->arrived) {
        status = look_at_job(self, db);
        if (status < 0 || step->arrived) {
            self->ends = true; /* without an event: at once, or by a request */
            return status;
        }
    }
    if (!self->detaches)
        status = delivery_any_sending(db, self->operation.workspace->row.pk, &self->awaits);
    if (status == 0)
        status = fire(self, db, step_end(self, db), io_now, &next);
    if (status < 0)
        return status;
    self->waits = self->awaits && next > horizon(self, *io_now);
    if (self->waits)
        return 0;
    if (next > step->target)
        return conclude(self, db, io_now);
    if (!self->changes_mode && step->fired >= ADVANCE_EVENTS)
        refuse(self, ADVANCE_LIMIT);
    return 0;
}

static int advance_run(struct write *write, struct db *db)
{
    struct advance *self = (struct advance *)write;
    struct workspace *workspace = self->operation.workspace;
    struct clock_row clock = workspace_clock_in(db, workspace);
    int64_t real = time_steady_ms(), now = clock_show(&clock, real);
    int status = 0;
    self->step = self->done;
    self->outcome = self->found;
    self->ends = self->awaits = self->waits = false;
    self->last = -1;
    if (!self->step.begun)
        begin(self, now);
    if (!self->ends)
        status = go_on(self, db, &now);
    if (status == 0)
        status = set_clock(self, db, &clock, now, real);
    if (status == 0)
        status = look_ahead(self, db);
    self->now = now;
    self->operation.posts = self->step.fired > self->done.fired ? EVENT_JOB : 0;
    return status;
}

/* -- the chain --------------------------------------------------------------------------------- */

static void finish(struct advance *self)
{
    struct operation *operation = &self->operation;
    self->fired_count = self->done.fired;
    workspace_end_wait(operation->workspace);
    clock_give_back(operation->engine, operation->workspace);
    self->wake(self->arg);
}

static void step_over(void *arg);

static void waited(void *arg)
{
    struct advance *self = arg;
    enum wait_end end = self->waiter.end;
    if (end == WAIT_DELETED || end == WAIT_STOPPED) {
        self->operation.status = end == WAIT_DELETED ? ERR_GONE : ERR_STOPPING;
        finish(self);
    } else {
        operation_submit(&self->operation, step_over, self);
    }
}

/* Until an attempt has ended, or something has fallen due at this instant; with a clock that runs,
 * until something falls due by itself. On the writer's thread: whatever the step has not seen is
 * told after this. */
static void await_attempts(struct advance *self)
{
    struct workspace *workspace = self->operation.workspace;
    struct clock_row clock = workspace_clock(workspace);
    int64_t next = self->has_next ? clock_real_at(&clock, self->next.at) : TIME_NEVER;
    unsigned kinds = EVENT_DELIVERY | EVENT_JOB | EVENT_CLOCK;
    self->waiter = (struct waiter){.engine = self->operation.engine,
                                   .workspace = workspace,
                                   .kinds = kinds,
                                   .seen = events_seen(workspace, kinds),
                                   .resets = events_resets(workspace),
                                   .until = next < self->stops_at ? next : self->stops_at,
                                   .wake = waited,
                                   .arg = self};
    if (!clock_is_asked_back(workspace)) {
        waiter_begin(&self->waiter);
        return;
    }
    self->outcome = ADVANCE_RESET;
    finish(self);
}

static void step_over(void *arg)
{
    struct advance *self = arg;
    struct operation *operation = &self->operation;
    bool timed = !self->changes_mode && time_steady_ms() >= self->stops_at;
    if (operation->status < 0) {
        finish(self);
        return;
    }
    self->done = self->step;
    self->found = self->outcome;
    if (self->ends) {
        finish(self);
    } else if (atomic_load(&operation->engine->stopping)) {
        operation->status = ERR_STOPPING;
        finish(self);
    } else if (timed) {
        self->outcome = ADVANCE_TIMEOUT;
        finish(self);
    } else if (self->waits) {
        await_attempts(self);
    } else {
        operation_submit(operation, step_over, self);
    }
}

void advance_init(struct advance *advance, struct engine *engine, struct workspace *workspace)
{
    operation_init(&advance->operation, engine, workspace, advance_run);
}

void advance_begin(struct advance *advance, void (*wake)(void *arg), void *arg)
{
    int64_t now = time_steady_ms();
    advance->wake = wake;
    advance->arg = arg;
    advance->detaches |= advance->changes_mode;
    advance->stops_at = advance->timeout < TIME_NEVER - now ? now + advance->timeout : TIME_NEVER;
    workspace_begin_wait(advance->operation.workspace);
    operation_submit(&advance->operation, step_over, advance);
}

void clock_give_back(struct engine *engine, struct workspace *workspace)
{
    atomic_store(&workspace->clock_taken, false);
    worker_reclock(engine->worker, workspace);
    events_post(workspace, EVENT_CLOCK); /* a blocked wait may have an auto clock jump again */
}
