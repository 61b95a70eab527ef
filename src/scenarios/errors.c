#include "base/json.h"
#include "http/respond.h"
#include "scenarios/internal.h"

void scenarios_error(struct request *request, int status, const char *message)
{
    struct buf body = BUF_INIT;
    buf_puts(&body, "{\"error\":");
    json_put_text(&body, message);
    buf_putc(&body, '}');
    respond(request, status, content_type_json, &body);
}

void scenarios_error_about(struct request *request, int status, const char *before,
                           const char *value, const char *after)
{
    struct buf message = BUF_INIT;
    buf_puts(&message, before);
    buf_puts(&message, value);
    buf_puts(&message, after);
    if (buf_failed(&message))
        router_fail(request, ERR_NO_MEMORY, NULL);
    else
        scenarios_error(request, status, message.data);
    buf_finish(&message);
}

void scenarios_refuse(struct request *request, const struct refusal *refusal)
{
    scenarios_error(request, refusal->status, refusal->detail);
}
