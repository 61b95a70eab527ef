/* What the control plane's handlers share: problems, bodies, operations. */
#include "base/json.h"
#include "base/memory.h"
#include "base/time.h"
#include "control/internal.h"
#include "http/problem.h"

#include <stdio.h>
#include <string.h>

struct journal *control_journal(struct request *request)
{
    struct journal *journal = mock_journal(request);
    if (!journal)
        control_problem(request, 409, "journal_off", "Requests are not written down",
                        "The server was started with --journal off");
    return journal;
}

struct control *control_of(struct request *request)
{
    return request_api(request)->context;
}

static const char *title_of(int status)
{
    switch (status) {
    case 400:
        return "Bad Request";
    case 403:
        return "Forbidden";
    case 404:
        return "Not Found";
    case 409:
        return "Conflict";
    case 415:
        return "Unsupported Media Type";
    default:
        return "Unprocessable Content";
    }
}

void control_problem(struct request *request, int status, const char *name, const char *detail,
                     const char *hint)
{
    problem_answer(request, status, name, title_of(status), detail, hint);
}

void control_complain(struct request *request, struct complaint *complaint)
{
    if (buf_failed(&complaint->detail) || buf_failed(&complaint->hint))
        router_fail(request, ERR_NO_MEMORY, NULL);
    else
        control_problem(request, 422, complaint->name, complaint->detail.data,
                        complaint->hint.data);
    complaint_finish(complaint);
}

void control_wrong_name(struct request *request, const char *prefix, const char *field,
                        const char *given, const char *const *names)
{
    struct buf detail = BUF_INIT, hint = BUF_INIT;
    buf_printf(&detail, "%s%s must be ", prefix, field);
    for (const char *const *name = names; *name; name++)
        buf_printf(&detail, "%s%s", name == names ? "" : name[1] ? ", " : " or ", *name);
    buf_puts(&detail, ", not ");
    complain_quote(&detail, given);
    complain_names(&hint, given, names);
    if (buf_failed(&detail) || buf_failed(&hint))
        router_fail(request, ERR_NO_MEMORY, NULL);
    else
        control_problem(request, 422, "invalid_field", detail.data, hint.data);
    buf_finish(&detail);
    buf_finish(&hint);
}

/* -- bodies ------------------------------------------------------------------------------------ */

bool control_read_object(struct request *request, const char *prefix, const json_t *object,
                         const struct field *table, size_t count, void *dest)
{
    struct complaint complaint = COMPLAINT_INIT;
    if (complain_read(&complaint, prefix, object, table, count, dest) == 0)
        return true;
    control_complain(request, &complaint);
    return false;
}

bool control_read_value(struct request *request, const json_t **ret_value)
{
    const json_t *body = NULL;
    struct err err;
    size_t len;
    request_body(request, &len);
    int status = len ? request_json(request, &body, &err) : 0;
    if (status == ERR_NO_MEMORY) {
        router_fail(request, status, NULL);
    } else if (status < 0) {
        char detail[ERR_TEXT_SIZE + 40];
        snprintf(detail, sizeof detail, "The body is not valid JSON: %s", err.text);
        control_problem(request, 400, "invalid_json", detail, NULL);
    } else {
        *ret_value = body;
    }
    return status == 0;
}

bool control_read_body_object(struct request *request, const json_t **ret_object)
{
    const json_t *body;
    if (!control_read_value(request, &body))
        return false;
    if (body && !json_is_object(body)) {
        control_problem(request, 422, "invalid_body", "The body must be a JSON object", NULL);
        return false;
    }
    *ret_object = body; /* NULL, too, jansson takes for an object without members */
    return true;
}

bool control_read_body(struct request *request, const struct field *table, size_t count, void *dest)
{
    const json_t *body;
    return control_read_body_object(request, &body) &&
           control_read_object(request, "", body, table, count, dest);
}

/* -- the store --------------------------------------------------------------------------------- */

struct db *control_reader(struct request *request)
{
    struct err err;
    struct db *db = store_reader(engine_store(control_of(request)->engine), &err);
    if (!db)
        router_fail(request, ERR_IO, err.text);
    return db;
}

void control_wake(void *request)
{
    request_resume(request);
}

void control_operate(struct request *request, struct operation *operation, request_handler *then)
{
    if (memory_lacked()) { /* what it is to write may not be all */
        router_fail(request, ERR_NO_MEMORY, NULL);
        return;
    }
    request_suspend(request, then);
    operation_submit(operation, control_wake, request);
}

void control_forget_attempts(struct request *request, struct workspace *workspace,
                             request_handler *then)
{
    request_suspend(request, then);
    sender_forget(engine_sender(control_of(request)->engine), workspace, control_wake, request);
}

bool control_failed(struct request *request, const struct operation *operation)
{
    if (operation->status == ERR_GONE || operation->status == ERR_NOT_FOUND)
        control_problem(request, 404, "workspace_not_found", "The workspace has just been deleted",
                        NULL);
    else if (operation->status < 0)
        router_fail(request, operation->status, NULL);
    return operation->status < 0;
}

void *control_state(struct request *request, size_t size)
{
    void *state = request_new_state(request, size, NULL);
    if (!state)
        router_fail(request, ERR_NO_MEMORY, NULL);
    return state;
}

void control_put_time(struct buf *out, int64_t ms)
{
    char text[TIME_TEXT_SIZE];
    time_format_millis(ms, text);
    buf_printf(out, "\"%s\"", text);
}
