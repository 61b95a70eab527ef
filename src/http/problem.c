#include "http/problem.h"

#include "base/json.h"
#include "http/respond.h"

/* For a terminal: what is wrong first, then what to do (C4). */
static void answer_text(struct request *request, int status, const char *name, const char *title,
                        const char *detail, const char *hint)
{
    struct buf body = BUF_INIT;
    buf_printf(&body, "%d %s\n%s\n", status, title, detail);
    if (hint)
        buf_printf(&body, "hint: %s\n", hint);
    buf_printf(&body, "type: urn:understudy:%s\n", name);
    respond(request, status, content_type_text, &body);
}

void problem_answer(struct request *request, int status, const char *name, const char *title,
                    const char *detail, const char *hint)
{
    struct buf body = BUF_INIT;
    if (request_prefers_text(request)) {
        answer_text(request, status, name, title, detail, hint);
        return;
    }
    buf_printf(&body, "{\"type\":\"urn:understudy:%s\",\"title\":", name);
    json_put_text(&body, title);
    buf_printf(&body, ",\"status\":%d,\"detail\":", status);
    json_put_text(&body, detail);
    if (hint) {
        buf_puts(&body, ",\"hint\":");
        json_put_text(&body, hint);
    }
    buf_putc(&body, '}');
    respond(request, status, content_type_problem, &body);
}

void problem_refuse(struct request *request, const struct refusal *refusal)
{
    static const struct {
        const char *name, *title;
    } kinds[] = {
        [REFUSED_MALFORMED] = {"malformed_request", "Bad Request"},
        [REFUSED_NOT_FOUND] = {"not_found", "Not Found"},
        [REFUSED_METHOD] = {"method_not_allowed", "Method Not Allowed"},
        [REFUSED_TOO_LARGE] = {"payload_too_large", "Content Too Large"},
        [REFUSED_FAILURE] = {"server_error", "Internal Server Error"},
        [REFUSED_UNAVAILABLE] = {"unavailable", "Service Unavailable"},
    };
    problem_answer(request, refusal->status,
                   refusal->code ? refusal->code : kinds[refusal->kind].name,
                   kinds[refusal->kind].title, refusal->detail, NULL);
}
