#include "engine/jump.h"

#include "base/time.h"
#include "engine/internal.h"
#include "engine/job_state.h"
#include "engine/timers.h"

#include <string.h>

/* Timers of one step: others wait for the same writer. */
enum { JUMP_TIMERS = 256 };

static bool is_timed(const struct job *job)
{
    return !job_state_is_end(job->status) && !(job->marks & (JOB_IS_HELD | JOB_IS_POLLED));
}

bool jump_follows(const struct workspace *workspace, const struct job *job)
{
    return atomic_load(&workspace->clock.mode) == CLOCK_AUTO && is_timed(job) &&
           !clock_is_taken(workspace);
}

static bool saw(void *arg, const struct timer_event *event)
{
    struct jump *self = arg;
    self->last = event->at;
    self->moved |= !*self->job || (event->job && strcmp(self->job, event->job->id) == 0);
    return self->moved;
}

/* Whether the job still is as it was seen, or, where there is none, no attempt is under way. */
static int may_begin(const struct jump *self, struct db *db, bool *ret_may)
{
    struct job job;
    bool any = false;
    int status;
    if (!*self->job) {
        status = delivery_any_sending(db, self->operation.workspace->row.pk, &any);
        *ret_may = !any;
        return status;
    }
    status = job_by_id(db, self->operation.workspace->row.pk, self->job, &job);
    *ret_may = status == 0 && job.status == self->seen && is_timed(&job);
    return status == ERR_NOT_FOUND ? 0 : status;
}

/* Fires up to the event that is sought, unless an earlier step did, and then what is due at the
 * same instant. */
static int fire(struct jump *self, struct db *db, int64_t now)
{
    struct workspace *workspace = self->operation.workspace;
    const struct timers_watch watch = {saw, self};
    int64_t next = TIME_NEVER;
    int status = 0;
    if (!self->arrived)
        status = timers_fire_watched(db, workspace, TIME_MAX, JUMP_TIMERS, &watch, &next);
    if (self->last > now)
        now = self->last;
    if (status == 0 && (self->arrived || self->moved))
        status = timers_fire(db, workspace, now, JUMP_TIMERS, &next);
    if (status == 0)
        status = workspace_move_clock_in(db, workspace, now, &self->operation.moves_clock);
    /* Where nothing was due nothing happened: who waits need not look, and jump, again. */
    self->operation.posts = self->arrived || self->last >= 0 ? EVENT_JOB : 0;
    self->operation.due_at = next;
    self->operation.settles = true;
    self->over = self->arrived || self->moved ? next > now : next > TIME_MAX;
    return status;
}

static int jump_run(struct write *write, struct db *db)
{
    struct jump *self = (struct jump *)write;
    struct workspace *workspace = self->operation.workspace;
    struct clock_row clock = workspace_clock_in(db, workspace);
    bool goes_on = true;
    self->over = true;
    self->moved = self->arrived;
    self->last = -1;
    if (clock.mode != CLOCK_AUTO || clock_is_taken(workspace))
        return 0;
    int status = self->arrived ? 0 : may_begin(self, db, &goes_on);
    return status < 0 || !goes_on ? status : fire(self, db, clock.base);
}

static void step_over(void *arg)
{
    struct jump *self = arg;
    struct operation *operation = &self->operation;
    if (operation->status < 0 || self->over || atomic_load(&operation->engine->stopping)) {
        self->wake(self->arg);
        return;
    }
    self->arrived = self->moved;
    operation_submit(operation, step_over, self);
}

void jump_begin(struct jump *jump, struct engine *engine, struct workspace *workspace,
                const struct job *job, void (*wake)(void *arg), void *arg)
{
    *jump = (struct jump){.wake = wake, .arg = arg};
    if (job) {
        memcpy(jump->job, job->id, sizeof jump->job);
        jump->seen = job->status;
    }
    operation_init(&jump->operation, engine, workspace, jump_run);
    operation_submit(&jump->operation, step_over, jump);
}
