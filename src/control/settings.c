/* getSettings, updateSettings, and the settings of a workspace that is made. */
#include "control/internal.h"
#include "http/respond.h"

bool settings_read(struct request *request, const char *prefix, const json_t *object,
                   struct settings_change *change)
{
    struct complaint complaint = COMPLAINT_INIT;
    int status = settings_take(object, prefix, change, &complaint);
    if (status == ERR_INVALID)
        control_complain(request, &complaint);
    else if (status < 0)
        router_fail(request, status, NULL);
    return status == 0;
}

/* -- changing ---------------------------------------------------------------------------------- */

/* What follows a change: the jobs that it made room for start before it is answered (C1). */
struct filling {
    struct timers_run timers;
    request_handler *then;
    struct workspace_change *change;
};

static void fill(struct request *request)
{
    struct filling *filling = request_state(request);
    if (filling->timers.operation.status == 0 && filling->timers.more) {
        timers_run_init(&filling->timers, control_of(request)->engine, mock_workspace(request));
        control_operate(request, &filling->timers.operation, fill);
        return;
    }
    filling->then(request);
}

static void changed(struct request *request)
{
    struct filling *filling = request_state(request);
    const struct workspace_change *change = filling->change;
    if (control_failed(request, &change->operation))
        return;
    filling->timers.more = change->made_room;
    fill(request);
}

void settings_operate(struct request *request, struct workspace_change *change,
                      request_handler *then)
{
    struct filling *filling = control_state(request, sizeof *filling);
    if (!filling)
        return;
    *filling = (struct filling){.then = then, .change = change};
    control_operate(request, &change->operation, changed);
}

/* -- answering --------------------------------------------------------------------------------- */

void settings_put_json(struct request *request, struct buf *out, const struct settings_row *own)
{
    const struct control *control = control_of(request);
    settings_put(
        out, own,
        &(struct settings_view){.server = registry_defaults(engine_registry(control->engine)),
                                .public_url = control->options.policy.public_url,
                                .secrets = SECRETS_SHOWN_BY_END});
}

static void answer(struct request *request)
{
    struct workspace_row row;
    struct buf body = BUF_INIT;
    registry_read_row(engine_registry(control_of(request)->engine), mock_workspace(request), &row);
    settings_put_json(request, &body, &row.settings);
    respond(request, 200, content_type_json, &body);
}

void settings_get_handler(struct request *request)
{
    answer(request);
}

void settings_patch_handler(struct request *request)
{
    struct workspace_change *change = request_alloc(request, sizeof *change);
    if (!change) {
        router_fail(request, ERR_NO_MEMORY, NULL);
        return;
    }
    const json_t *body;
    workspace_change_init(change, control_of(request)->engine, mock_workspace(request));
    if (control_read_body_object(request, &body) &&
        settings_read(request, "", body, &change->settings))
        settings_operate(request, change, answer);
}
