#include "http/problem.h"

#include "base/json.h"
#include "http/respond.h"

/* For a terminal: what is wrong first, then what to do (C4). */
static void put_lines(struct buf *out, int status, const char *name, const char *title,
                      const char *detail, const char *hint, const struct problem_more *more)
{
    buf_printf(out, "%d %s\n%s\n", status, title, detail);
    if (more->lines)
        buf_puts(out, more->lines);
    if (hint)
        buf_printf(out, "hint: %s\n", hint);
    buf_printf(out, "type: urn:understudy:%s\n", name);
}

static const char *write(struct request *request, struct buf *out, int status, const char *name,
                         const char *title, const char *detail, const char *hint,
                         const struct problem_more *more)
{
    if (request && request_prefers_text(request)) {
        put_lines(out, status, name, title, detail, hint, more);
        return content_type_text;
    }
    buf_printf(out, "{\"type\":\"urn:understudy:%s\",\"title\":", name);
    json_put_text(out, title);
    buf_printf(out, ",\"status\":%d,\"detail\":", status);
    json_put_text(out, detail);
    if (hint) {
        buf_puts(out, ",\"hint\":");
        json_put_text(out, hint);
    }
    if (more->members)
        buf_puts(out, more->members);
    buf_putc(out, '}');
    return content_type_problem;
}

const char *problem_write(struct request *request, struct buf *out, int status, const char *name,
                          const char *title, const char *detail, const char *hint)
{
    static const struct problem_more nothing;
    return write(request, out, status, name, title, detail, hint, &nothing);
}

void problem_answer_more(struct request *request, int status, const char *name, const char *title,
                         const char *detail, const char *hint, const struct problem_more *more)
{
    struct buf body = BUF_INIT;
    const char *type = write(request, &body, status, name, title, detail, hint, more);
    respond(request, status, type, &body);
}

void problem_answer(struct request *request, int status, const char *name, const char *title,
                    const char *detail, const char *hint)
{
    static const struct problem_more nothing;
    problem_answer_more(request, status, name, title, detail, hint, &nothing);
}

const char *problem_write_refusal(struct request *request, struct buf *out,
                                  const struct refusal *refusal)
{
    static const struct {
        const char *name, *title;
    } kinds[] = {
        [REFUSED_MALFORMED] = {"malformed_request", "Bad Request"},
        [REFUSED_NOT_FOUND] = {"not_found", "Not Found"},
        [REFUSED_METHOD] = {"method_not_allowed", "Method Not Allowed"},
        [REFUSED_LATE] = {"request_timeout", "Request Timeout"},
        [REFUSED_TOO_LARGE] = {"payload_too_large", "Content Too Large"},
        [REFUSED_FAILURE] = {"server_error", "Internal Server Error"},
        [REFUSED_UNAVAILABLE] = {"unavailable", "Service Unavailable"},
    };
    return problem_write(request, out, refusal->status,
                         refusal->code ? refusal->code : kinds[refusal->kind].name,
                         kinds[refusal->kind].title, refusal->detail, NULL);
}

void problem_refuse(struct request *request, const struct refusal *refusal)
{
    struct buf body = BUF_INIT;
    const char *type = problem_write_refusal(request, &body, refusal);
    respond(request, refusal->status, type, &body);
}
