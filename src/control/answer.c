/* What the control plane's handlers share: problems, bodies, operations. */
#include "base/duration.h"
#include "base/escape.h"
#include "base/json.h"
#include "base/nearest.h"
#include "base/time.h"
#include "control/internal.h"
#include "http/problem.h"

#include <stdio.h>
#include <string.h>

enum { NAMES_MAX = 24, SHOWN_SIZE = 100 };

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

void control_quote(struct buf *out, const char *text)
{
    char shown[SHOWN_SIZE];
    escape_text(ESCAPE_TEXT, text, strlen(text), shown, sizeof shown);
    buf_printf(out, "\"%s\"", shown);
}

void control_hint(struct buf *out, const char *given, const char *const *names)
{
    const char *near = nearest_name(given, names);
    if (near) {
        buf_printf(out, "did you mean \"%s\"?", near);
        return;
    }
    buf_puts(out, *names ? "known here: " : "none is known here");
    for (const char *const *name = names; *name; name++)
        buf_printf(out, "%s%s", name == names ? "" : ", ", *name);
}

void control_wrong_name(struct request *request, const char *prefix, const char *field,
                        const char *given, const char *const *names)
{
    struct buf detail = BUF_INIT, hint = BUF_INIT;
    buf_printf(&detail, "%s%s must be ", prefix, field);
    for (const char *const *name = names; *name; name++)
        buf_printf(&detail, "%s%s", name == names ? "" : name[1] ? ", " : " or ", *name);
    buf_puts(&detail, ", not ");
    control_quote(&detail, given);
    control_hint(&hint, given, names);
    if (buf_failed(&detail) || buf_failed(&hint))
        router_fail(request, ERR_NO_MEMORY, NULL);
    else
        control_problem(request, 422, "invalid_field", detail.data, hint.data);
    buf_finish(&detail);
    buf_finish(&hint);
}

/* -- bodies ------------------------------------------------------------------------------------ */

static void tell_unknown(struct request *request, const char *prefix, const char *given,
                         const struct field *table, size_t count)
{
    const char *names[NAMES_MAX + 1] = {NULL};
    struct buf detail = BUF_INIT, hint = BUF_INIT;
    for (size_t i = 0; i < count && i < NAMES_MAX; i++)
        names[i] = table[i].name;
    buf_printf(&detail, "There is no field %s", prefix);
    control_quote(&detail, given);
    control_hint(&hint, given, names);
    if (buf_failed(&detail) || buf_failed(&hint))
        router_fail(request, ERR_NO_MEMORY, NULL);
    else
        control_problem(request, 422, "unknown_field", detail.data, hint.data);
    buf_finish(&detail);
    buf_finish(&hint);
}

/* Why a duration is none, where it is a text at all (C3). */
static void tell_reason(struct buf *hint, const struct field *field, const json_t *value)
{
    struct err err;
    int64_t ms;
    if (field->type != FIELD_DURATION || !json_is_string(value))
        return;
    if (duration_parse(json_string_value(value), &ms, &err) < 0) {
        control_quote(hint, json_string_value(value));
        buf_printf(hint, " %s", err.text);
    }
}

static void tell_fault(struct request *request, const char *prefix, const json_t *object,
                       enum field_fault fault, const struct field *field)
{
    struct buf detail = BUF_INIT, hint = BUF_INIT;
    buf_printf(&detail, "%s%s", prefix, field->name);
    if (fault == FIELD_MISSING)
        buf_puts(&detail, " is required");
    else
        buf_printf(&detail, " must be %s", field->what);
    tell_reason(&hint, field, json_object_get(object, field->name));
    if (buf_failed(&detail) || buf_failed(&hint))
        router_fail(request, ERR_NO_MEMORY, NULL);
    else
        control_problem(request, 422, fault == FIELD_MISSING ? "missing_field" : "invalid_field",
                        detail.data, hint.data);
    buf_finish(&detail);
    buf_finish(&hint);
}

bool control_read_object(struct request *request, const char *prefix, const json_t *object,
                         const struct field *table, size_t count, void *dest)
{
    const struct field *field = NULL;
    const char *unknown = fields_unknown(table, count, object);
    if (unknown) {
        tell_unknown(request, prefix, unknown, table, count);
        return false;
    }
    enum field_fault fault = fields_read(table, count, object, dest, &field);
    if (fault != FIELD_FINE)
        tell_fault(request, prefix, object, fault, field);
    return fault == FIELD_FINE;
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

bool control_read_body(struct request *request, const struct field *table, size_t count, void *dest)
{
    const json_t *body;
    if (!control_read_value(request, &body))
        return false;
    if (!body) { /* none is {}, so that what has no required field needs none */
        json_t *empty = json_object();
        bool good = control_read_object(request, "", empty, table, count, dest);
        json_decref(empty);
        return good;
    }
    if (json_is_object(body))
        return control_read_object(request, "", body, table, count, dest);
    control_problem(request, 422, "invalid_body", "The body must be a JSON object", NULL);
    return false;
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
    request_suspend(request, then);
    operation_submit(operation, control_wake, request);
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
