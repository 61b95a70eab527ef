#include "control/wait.h"

#include "base/duration.h"
#include "base/time.h"
#include "control/internal.h"
#include "http/problem.h"

#include <stdio.h>

/* -- how it ends ------------------------------------------------------------------------------- */

/* 409, with what `tell` says (C5). */
static void refuse(struct request *request, struct control_wait *wait, const char *name)
{
    struct buf detail = BUF_INIT, hint = BUF_INIT;
    wait->tell(request, wait, &detail, &hint);
    if (buf_failed(&detail) || buf_failed(&hint))
        router_fail(request, ERR_NO_MEMORY, NULL);
    else
        control_problem(request, 409, name, detail.data ? detail.data : "", hint.data);
    buf_finish(&detail);
    buf_finish(&hint);
}

static void refuse_end(struct request *request, enum wait_end end)
{
    if (end == WAIT_RESET)
        control_problem(request, 409, "workspace_reset",
                        "The workspace was reset while this request waited", NULL);
    else if (end == WAIT_DELETED)
        control_problem(request, 409, "workspace_deleted",
                        "The workspace was deleted while this request waited", NULL);
    else /* as many as wait end at once: no fault that the log should tell of each */
        problem_answer(request, 503, "stopping", "Service Unavailable",
                       "The server stops; what was waited for did not happen until then", NULL);
}

/* -- the loop ---------------------------------------------------------------------------------- */

static void look_again(struct request *request);

static void wake(void *request)
{
    request_resume(request);
}

static void sleep_until_it_happens(struct request *request, struct control_wait *wait,
                                   unsigned kinds, int64_t seen)
{
    if (!wait->open) {
        wait->open = true;
        wait->waiter.until = time_steady_ms() + wait->ms;
        workspace_begin_wait(wait->waiter.workspace);
    }
    wait->waiter.kinds = kinds;
    wait->waiter.seen = seen;
    request_suspend(request, look_again);
    waiter_begin(&wait->waiter); /* from here on another thread may have the request */
}

/* What may change the answer; a change of the clock changes how one waits. */
static unsigned kinds_of(const struct control_wait *wait)
{
    return wait->kinds | EVENT_CLOCK;
}

void control_wait(struct request *request)
{
    struct control_wait *wait = request_state(request);
    struct workspace *workspace = wait->waiter.workspace;
    unsigned kinds = kinds_of(wait);
    int64_t seen = events_seen(workspace, kinds); /* before the look: nothing is missed */
    enum wait_look found = wait->look(request, wait);
    if (found == LOOK_ANSWERED)
        return;
    if (found == LOOK_NEVER)
        refuse(request, wait, "wait_impossible");
    else if (wait->ms == 0)
        refuse(request, wait, "not_so");
    else if (wait->passed)
        refuse(request, wait, "wait_expired");
    else if (request_server_stops(request)) /* its waits are ended already, or will be */
        refuse_end(request, WAIT_STOPPED);
    else
        sleep_until_it_happens(request, wait, kinds, seen);
}

static void look_again(struct request *request)
{
    struct control_wait *wait = request_state(request);
    enum wait_end end = wait->waiter.end;
    if (end == WAIT_HAPPENED || end == WAIT_PASSED) {
        wait->passed |= end == WAIT_PASSED;
        control_wait(request);
    } else {
        refuse_end(request, end);
    }
}

/* -- the state --------------------------------------------------------------------------------- */

static void finish(void *state)
{
    struct control_wait *wait = state;
    if (wait->open)
        workspace_end_wait(wait->waiter.workspace);
}

void *control_wait_state(struct request *request, size_t size)
{
    struct workspace *workspace = mock_workspace(request);
    struct control_wait *wait = request_new_state(request, size, finish);
    if (!wait) {
        router_fail(request, ERR_NO_MEMORY, NULL);
        return NULL;
    }
    wait->waiter = (struct waiter){.engine = control_of(request)->engine,
                                   .workspace = workspace,
                                   .resets = events_resets(workspace),
                                   .wake = wake,
                                   .arg = request};
    return wait;
}

/* -- why it is not so -------------------------------------------------------------------------- */

/* When the next timer is due, as far as can be told without the writer; TIME_NEVER: none. */
static int64_t next_due(struct request *request, int64_t now)
{
    const struct workspace *workspace = mock_workspace(request);
    struct db *db = store_reader(engine_store(control_of(request)->engine), NULL);
    struct job job;
    int64_t next = TIME_NEVER;
    if (!db)
        return next;
    if (job_next_due(db, workspace->row.pk, JOB_PROCESSING, TIME_NEVER, &job) == 0)
        next = job.due_at;
    /* One whose time has come waits for a place, and so for another one's end. */
    if (job_next_due(db, workspace->row.pk, JOB_QUEUED, TIME_NEVER, &job) == 0 &&
        (job.due_at > now || next == TIME_NEVER) && job.due_at < next)
        next = job.due_at;
    return next;
}

/* A span until something; what moves on meanwhile is told in whole seconds. */
static void put_span(struct buf *out, int64_t ms, bool exact)
{
    char text[DURATION_TEXT_SIZE];
    if (ms < 0)
        ms = 0;
    if (!exact && ms > 1000)
        ms = (ms + 999) / 1000 * 1000;
    duration_format(ms, text);
    buf_puts(out, text);
}

void wait_tell_clock(struct request *request, struct buf *out)
{
    const struct workspace *workspace = mock_workspace(request);
    struct clock_row clock = workspace_clock(workspace);
    int64_t now = clock_show(&clock, time_steady_ms());
    int64_t next = next_due(request, now);
    buf_printf(out, "the clock is %s, ", clock_mode_name(clock.mode));
    if (next == TIME_NEVER) {
        buf_puts(out, "nothing is due");
        return;
    }
    buf_puts(out, "next event in ");
    put_span(out, next - now, clock_stands(&clock));
    if (clock.mode == CLOCK_MANUAL)
        buf_puts(out, ": POST /_mock/clock/advance");
}
