#include "studio/callback_wait.h"

#include "base/time.h"
#include "engine/callback.h"
#include "engine/engine.h"
#include "store/delivery.h"
#include "studio/internal.h"

#include <string.h>

static void wake(void *request)
{
    request_resume(request);
}

/* Under the lock of the waits; who is hurried looks again, because the hurry itself is an event. */
static void hurry(void *wait)
{
    atomic_store(&((struct callback_wait *)wait)->hurried, true);
}

void callback_wait_finish(struct callback_wait *wait)
{
    if (!wait->waiter.workspace)
        return;
    events_let_go(wait->waiter.workspace, &wait->held);
    workspace_end_wait(wait->waiter.workspace);
    wait->waiter.workspace = NULL;
}

/* Also where it is gone, or nobody can tell. */
static bool was_sent(struct request *request, const struct callback_wait *wait)
{
    struct delivery delivery;
    struct err err;
    struct db *db = store_reader(engine_store(studio_of(request)->engine), &err);
    return !db ||
           delivery_by_id(db, wait->waiter.workspace->row.pk, wait->delivery, &delivery) < 0 ||
           delivery.attempts > 0;
}

static void look(struct request *request)
{
    struct callback_wait *wait = request_state(request);
    struct waiter *waiter = &wait->waiter;
    int64_t seen = events_seen(waiter->workspace, EVENT_DELIVERY);
    if (waiter->end != WAIT_HAPPENED || atomic_load(&wait->hurried) || was_sent(request, wait)) {
        callback_wait_finish(wait);
        wait->then(request);
        return;
    }
    waiter->seen = seen;
    request_suspend(request, look);
    waiter_begin(waiter);
}

void callback_wait(struct request *request, const char *delivery, request_handler *then)
{
    struct callback_wait *wait = request_state(request);
    struct engine *engine = studio_of(request)->engine;
    struct workspace *workspace = auth_workspace(request);
    struct workspace_row row;
    registry_read_row(engine_registry(engine), workspace, &row);
    memcpy(wait->delivery, delivery, sizeof wait->delivery);
    wait->then = then;
    wait->waiter = (struct waiter){.engine = engine,
                                   .workspace = workspace,
                                   .kinds = EVENT_DELIVERY,
                                   .resets = events_resets(workspace),
                                   .until = time_steady_ms() + callback_timeout(&row.settings),
                                   .wake = wake,
                                   .arg = request,
                                   .end = WAIT_HAPPENED};
    wait->held = (struct held){.hurry = hurry, .arg = wait};
    workspace_begin_wait(workspace);
    events_hold(workspace, &wait->held);
    look(request);
}
