#include "control/wait.h"

#include "base/duration.h"
#include "base/time.h"
#include "control/internal.h"
#include "engine/timers.h"
#include "http/problem.h"
#include "http/respond.h"

#include <stddef.h>
#include <stdio.h>

/* -- how it ends ------------------------------------------------------------------------------- */

/* 409, with what `tell` says (C5). */
static void refuse(struct request *request, struct control_wait *wait, const char *name)
{
    struct buf detail = BUF_INIT, hint = BUF_INIT;
    if (wait->refuse) {
        wait->refuse(request, wait);
        return;
    }
    wait->tell(request, wait, &detail, &hint);
    if (buf_failed(&detail) || buf_failed(&hint))
        router_fail(request, ERR_NO_MEMORY, NULL);
    else
        control_problem(request, 409, name, detail.data ? detail.data : "", hint.data);
    buf_finish(&detail);
    buf_finish(&hint);
}

void control_refuse_end(struct request *request, enum wait_end end)
{
    if (end == WAIT_RESET) {
        control_problem(request, 409, "workspace_reset",
                        "The workspace was reset while this request waited", NULL);
    } else if (end == WAIT_DELETED) {
        control_problem(request, 409, "workspace_deleted",
                        "The workspace was deleted while this request waited", NULL);
    } else { /* no fault of ours that the log should tell of, for each of those who wait */
        respond_header(request, "Retry-After", "1");
        problem_answer(request, 503, "stopping", "Service Unavailable",
                       "The server stops; what was waited for did not happen until then", NULL);
    }
}

/* -- sleeping ---------------------------------------------------------------------------------- */

static void look_again(struct request *request);

static void wake(void *request)
{
    request_resume(request);
}

static bool minds(struct waiter *waiter, void *what)
{
    struct control_wait *wait =
        (struct control_wait *)((char *)waiter - offsetof(struct control_wait, waiter));
    return wait->minds(wait, what);
}

/* -- an auto clock ----------------------------------------------------------------------------- */

/*
 * Where several wait, one of them has the clock jump, and nobody who has not looked since the last
 * jump: so it goes no further than the first of them needs.
 */
static bool may_jump(struct control_wait *wait, unsigned kinds, int64_t seen)
{
    struct workspace *workspace = wait->waiter.workspace;
    struct events *events = &workspace->events;
    if (atomic_load(&workspace->clock.mode) != CLOCK_AUTO || events_unanswered(workspace))
        return false;
    if (atomic_exchange(&events->jumping, true))
        return false;
    if (events_seen(workspace, kinds) == seen)
        return true;
    atomic_store(&events->jumping, false);
    return false;
}

static void jumped(void *arg)
{
    struct control_wait *wait = arg;
    struct workspace *workspace = wait->waiter.workspace;
    atomic_store(&workspace->events.jumping, false);
    if (wait->jump.moved) /* who looked again before this moment could not jump */
        events_post(workspace, EVENT_CLOCK);
    request_resume(wait->waiter.arg);
}

static void look_after_jump(struct request *request)
{
    struct control_wait *wait = request_state(request);
    int error = wait->jump.operation.status;
    wait->jumped_in_vain = !wait->jump.moved;
    wait->passed |= time_steady_ms() >= wait->waiter.until;
    if (error == ERR_GONE)
        control_refuse_end(request, WAIT_DELETED);
    else if (events_resets(wait->waiter.workspace) != wait->waiter.resets)
        control_refuse_end(request, WAIT_RESET);
    else if (error < 0)
        router_fail(request, error, NULL);
    else
        control_wait(request);
}

/* -- the loop ---------------------------------------------------------------------------------- */

/* What may change the answer; and what may change how one waits. */
static unsigned kinds_of(const struct control_wait *wait)
{
    bool is_auto = atomic_load(&wait->waiter.workspace->clock.mode) == CLOCK_AUTO;
    return wait->kinds | EVENT_CLOCK | (is_auto ? EVENT_REQUEST | EVENT_DELIVERY : 0U);
}

static void wait_on(struct request *request, struct control_wait *wait, unsigned kinds,
                    int64_t seen, bool in_vain)
{
    if (!wait->open) {
        wait->open = true;
        wait->waiter.until = time_steady_ms() + wait->ms;
        workspace_begin_wait(wait->waiter.workspace);
    }
    wait->waiter.kinds = kinds;
    wait->waiter.minds = wait->minds ? minds : NULL;
    wait->waiter.seen = seen;
    if (!in_vain && may_jump(wait, kinds, seen)) {
        request_suspend(request, look_after_jump);
        jump_begin(&wait->jump, wait->waiter.engine, wait->waiter.workspace, NULL, jumped, wait);
    } else {
        request_suspend(request, look_again);
        waiter_begin(&wait->waiter); /* from here on another thread may have the request */
    }
}

void control_wait(struct request *request)
{
    struct control_wait *wait = request_state(request);
    unsigned kinds = kinds_of(wait);
    int64_t seen =
        events_seen(wait->waiter.workspace, kinds); /* first, so that nothing is missed */
    enum wait_look found = wait->look(request, wait);
    /* It may have been in vain only because of what has happened since. */
    bool in_vain = wait->jumped_in_vain && kinds == wait->waiter.kinds && seen == wait->waiter.seen;
    wait->jumped_in_vain = false;
    if (found == LOOK_ANSWERED)
        return;
    if (found == LOOK_NEVER)
        refuse(request, wait, "wait_impossible");
    else if (wait->ms == 0)
        refuse(request, wait, "not_so");
    else if (wait->passed)
        refuse(request, wait, "wait_expired");
    else if (request_server_stops(request)) /* its waits are ended already, or will be */
        control_refuse_end(request, WAIT_STOPPED);
    else
        wait_on(request, wait, kinds, seen, in_vain);
}

bool control_wait_is_open(const struct control_wait *wait)
{
    return wait->open;
}

static void look_again(struct request *request)
{
    struct control_wait *wait = request_state(request);
    enum wait_end end = wait->waiter.end;
    if (end == WAIT_HAPPENED || end == WAIT_PASSED) {
        wait->passed |= end == WAIT_PASSED;
        control_wait(request);
    } else {
        control_refuse_end(request, end);
    }
}

/* -- the state --------------------------------------------------------------------------------- */

static void finish(void *state)
{
    struct control_wait *wait = state;
    if (wait->finish)
        wait->finish(wait);
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

/* When the next timer is due, as far as is known; TIME_NEVER: none. */
static int64_t next_due(struct request *request)
{
    struct engine *engine = control_of(request)->engine;
    struct registry *registry = engine_registry(engine);
    const struct workspace *workspace = mock_workspace(request);
    struct db *db = store_reader(engine_store(engine), NULL);
    struct settings settings = *registry_defaults(registry);
    struct workspace_row row;
    struct timer timer;
    size_t count = 0;
    registry_read_row(registry, workspace, &row);
    if (row.settings.given & GIVEN_MAX_PROCESSING)
        settings.max_processing = row.settings.max_processing;
    settings.room_since = row.settings.room_since;
    if (!db || timers_list(db, workspace->row.pk, &settings, 1, &timer, &count) < 0 || !count)
        return TIME_NEVER;
    return timer.at;
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
    int64_t next = next_due(request);
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
