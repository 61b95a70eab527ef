/* redeliverWebhook and releaseWebhook: an attempt now, answered when it has ended. */
#include "control/internal.h"
#include "control/list.h"
#include "control/wait.h"
#include "control/webhook_view.h"
#include "engine/delivery.h"

#include <stdio.h>

struct again {
    struct control_wait wait; /* first */
    struct delivery_again delivery;
};

/* There is none of this id any more, or never was; or its workspace began anew meanwhile. */
static void refuse_absent(struct request *request, const struct again *again)
{
    const struct workspace *workspace = mock_workspace(request);
    if (atomic_load(&workspace->gone))
        control_refuse_end(request, WAIT_DELETED);
    else if (events_resets(workspace) != again->wait.waiter.resets)
        control_refuse_end(request, WAIT_RESET);
    else
        webhook_refuse(request);
}

/* -- waiting for the end ----------------------------------------------------------------------- */

static enum wait_look look(struct request *request, struct control_wait *self)
{
    const struct again *again = (struct again *)self;
    struct delivery delivery;
    struct db *db = control_reader(request);
    if (!db)
        return LOOK_ANSWERED;
    int status = delivery_by_seq(db, again->delivery.delivery.seq, &delivery);
    if (status == ERR_NOT_FOUND)
        refuse_absent(request, again);
    else if (status < 0)
        router_fail(request, status, "cannot read a delivery");
    else if (delivery.sending == again->delivery.delivery.sending)
        return LOOK_NOT_YET;
    else
        webhook_answer(request, &delivery, false);
    return LOOK_ANSWERED;
}

static void tell(struct request *request, struct control_wait *self, struct buf *detail,
                 struct buf *hint)
{
    (void)request;
    (void)self;
    buf_puts(detail, "The attempt is still under way");
    buf_puts(hint, "GET /_mock/webhooks/{id} shows what comes of it");
}

/* -- how it begins ------------------------------------------------------------------------------
 */

static void refuse_state(struct request *request, const struct delivery_again *again)
{
    char detail[100];
    if (again->outcome == AGAIN_UNDER_WAY) {
        control_problem(request, 409, "delivery_under_way",
                        "An attempt at this delivery is under way already",
                        "Wait for its end: GET /_mock/webhooks/{id}?status=ended&wait=30s");
        return;
    }
    snprintf(detail, sizeof detail, "The delivery is %s and is not held",
             delivery_status_names[again->delivery.status]);
    control_problem(request, 409, "delivery_not_held", detail,
                    "POST /_mock/webhooks/{id}/redeliver makes an attempt at once, whatever it is");
}

static void begun(struct request *request)
{
    struct again *again = request_state(request);
    if (control_failed(request, &again->delivery.operation))
        return;
    if (again->delivery.outcome == AGAIN_NO_DELIVERY)
        refuse_absent(request, again);
    else if (again->delivery.outcome != AGAIN_DONE)
        refuse_state(request, &again->delivery);
    else
        control_wait(request);
}

static void begin(struct request *request, bool release)
{
    struct again *again = control_wait_state(request, sizeof *again);
    if (!again || !control_read_body(request, NULL, 0, NULL)) /* there is nothing to say */
        return;
    again->wait.kinds = EVENT_DELIVERY;
    again->wait.ms = WAIT_MAX_MS;
    again->wait.look = look;
    again->wait.tell = tell;
    delivery_again_init(&again->delivery, control_of(request)->engine, mock_workspace(request));
    again->delivery.id = request_param(request, 0);
    again->delivery.release = release;
    control_operate(request, &again->delivery.operation, begun);
}

void webhook_redeliver_handler(struct request *request)
{
    begin(request, false);
}

void webhook_release_handler(struct request *request)
{
    begin(request, true);
}
