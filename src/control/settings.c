/* getSettings, updateSettings, and the settings of a workspace that is made. */
#include "base/duration.h"
#include "base/json.h"
#include "control/internal.h"
#include "http/respond.h"

#include <stdio.h>
#include <string.h>

bool settings_read(struct request *request, const char *prefix, const json_t *object,
                   struct settings_change *change)
{
    struct complaint complaint = COMPLAINT_INIT;
    bool good = settings_take(object, prefix, change, &complaint) == 0;
    if (!good)
        control_complain(request, &complaint);
    return good;
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

static void put_duration(struct buf *out, const char *name, int64_t ms)
{
    char text[DURATION_TEXT_SIZE];
    duration_format(ms, text);
    buf_printf(out, "\"%s\":\"%s\",", name, text);
}

static void put_limit(struct buf *out, const char *separator, const char *name, int64_t limit)
{
    if (limit)
        buf_printf(out, "%s\"%s\":%lld", separator, name, (long long)limit);
}

static void put_rate(struct buf *out, const struct rate_limit *limit)
{
    bool minute = limit->per_minute != 0, day = limit->per_day != 0;
    buf_puts(out, "\"rate_limit\":");
    if (!minute && !day && !limit->creations_per_minute) {
        buf_puts(out, "null,");
        return;
    }
    buf_putc(out, '{');
    put_limit(out, "", "per_minute", limit->per_minute);
    put_limit(out, minute ? "," : "", "per_day", limit->per_day);
    put_limit(out, minute || day ? "," : "", "creations_per_minute", limit->creations_per_minute);
    buf_puts(out, "},");
}

void settings_put_json(struct request *request, struct buf *out, const struct settings_row *own)
{
    const struct control *control = control_of(request);
    const struct settings *server = registry_defaults(engine_registry(control->engine));
    const char *url = *own->public_url ? own->public_url : control->options.policy.public_url;
    unsigned given = own->given;

    buf_putc(out, '{');
    put_duration(out, "queue_time",
                 given & GIVEN_QUEUE_TIME ? own->queue_time : server->queue_time);
    put_duration(out, "processing_time",
                 given & GIVEN_PROCESSING_TIME ? own->processing_time : server->processing_time);
    buf_puts(out, "\"jitter\":");
    json_put_real(out, own->jitter);
    buf_printf(
        out, ",\"max_processing\":%lld,",
        (long long)(given & GIVEN_MAX_PROCESSING ? own->max_processing : server->max_processing));
    put_rate(out, &own->rate);
    bool magic = given & GIVEN_MAGIC ? own->magic : server->magic;
    buf_printf(out, "\"magic\":%s,\"any_key\":%s,\"public_url\":", magic ? "true" : "false",
               own->any_key ? "true" : "false");
    json_put_text(out, url);
    buf_putc(out, '}');
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
