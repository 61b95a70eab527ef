#include "base/json.h"
#include "http/respond.h"
#include "scenarios/internal.h"

/* What the API says of what; `before` and `after` stand around a value of the request. */
static const struct {
    int status;
    const char *before, *after;
} errors[] = {
    [SCENARIOS_NOT_JSON] = {400, "Request body is not valid JSON: ", ""},
    [SCENARIOS_NO_OBJECT] = {400, "Request body must be a JSON object", ""},
    [SCENARIOS_NO_NAME] = {400, "Name is required", ""},
    [SCENARIOS_NOT_FOUND] = {404, "Scenario not found", ""},
    [SCENARIOS_NO_PROJECT] = {404, "Project \"", "\" not found"},
    [SCENARIOS_NO_WORKSPACE] = {404, "Workspace \"", "\" not found"},
    [SCENARIOS_GONE] = {404, "The workspace has just been deleted", ""},
    [SCENARIOS_NAME_TAKEN] = {409, "Scenario with name \"", "\" already exists"},
    [SCENARIOS_MEDIA_TYPE] = {415, "Unsupported Media Type: ", ""},
};

static void put_error(struct buf *out, const char *message)
{
    buf_puts(out, "{\"error\":");
    json_put_text(out, message);
    buf_putc(out, '}');
}

void scenarios_put_error(struct buf *out, enum scenarios_error error, const char *value)
{
    struct buf message = BUF_INIT;
    buf_puts(&message, errors[error].before);
    buf_puts(&message, value);
    buf_puts(&message, errors[error].after);
    if (buf_failed(&message))
        out->failed = true;
    else
        put_error(out, message.data);
    buf_finish(&message);
}

void scenarios_error(struct request *request, enum scenarios_error error, const char *value)
{
    struct buf body = BUF_INIT;
    scenarios_put_error(&body, error, value);
    respond(request, errors[error].status, content_type_json, &body);
}

void scenarios_put_wrong(struct buf *out, const struct field *field)
{
    struct buf message = BUF_INIT;
    buf_printf(&message, "%s must be %s", field->name, field->what);
    if (buf_failed(&message))
        out->failed = true;
    else
        put_error(out, message.data);
    buf_finish(&message);
}

void scenarios_put_refusal(struct buf *out, const struct refusal *refusal)
{
    put_error(out, refusal->detail);
}

const char scenarios_failure[] = "{\"error\":\"" FAILURE_TEXT "\"}";

const char *scenarios_write_refusal(struct buf *out, const struct refusal *refusal)
{
    scenarios_put_refusal(out, refusal);
    return content_type_json;
}

void scenarios_refuse(struct request *request, const struct refusal *refusal)
{
    struct buf body = BUF_INIT;
    scenarios_put_refusal(&body, refusal);
    respond(request, refusal->status, content_type_json, &body);
}
