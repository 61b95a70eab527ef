#include "base/json.h"
#include "engine/magic.h"
#include "http/respond.h"
#include "studio/internal.h"

#include <stdio.h>
#include <string.h>

/* What the API says of what; `before` and `after` stand around a value of the request. */
static const struct {
    int status;
    const char *type, *code, *before, *after;
} errors[] = {
    [STUDIO_NO_KEY] = {401, "authentication_error", "invalid_api_key",
                       "Invalid or inactive API key", ""},
    [STUDIO_INACTIVE] = {403, "authorization_error", "workspace_inactive", "Workspace is inactive",
                         ""},
    [STUDIO_NOT_JSON] = {400, "invalid_request", "invalid_json",
                         "Request body is not valid JSON: ", ""},
    [STUDIO_NO_OBJECT] = {400, "invalid_request", "invalid_json",
                          "Request body must be a JSON object", ""},
    [STUDIO_NO_MEMBER] = {400, "invalid_request", "user_not_found",
                          "No user found with email: ", ""},
    [STUDIO_NO_SCENARIO] = {404, "not_found", NULL, "Scenario not found: ", ""},
    [STUDIO_NO_JOB] = {404, "not_found", "job_not_found", "Job not found: ", ""},
    [STUDIO_ENDED] = {400, "invalid_request", "job_not_cancellable", "Cannot cancel job in '",
                      "' state"},
};

static void put_error(struct buf *out, const char *type, const char *code, const char *message)
{
    buf_puts(out, "{\"error\":{\"type\":");
    json_put_text(out, type);
    if (code) {
        buf_puts(out, ",\"code\":");
        json_put_text(out, code);
    }
    buf_puts(out, ",\"message\":");
    json_put_text(out, message);
    buf_puts(out, "}}");
}

void studio_put_error(struct buf *out, enum studio_error error, const char *value)
{
    struct buf message = BUF_INIT;
    buf_puts(&message, errors[error].before);
    buf_puts(&message, value);
    buf_puts(&message, errors[error].after);
    if (buf_failed(&message))
        out->failed = true;
    else
        put_error(out, errors[error].type, errors[error].code, message.data);
    buf_finish(&message);
}

void studio_error(struct request *request, enum studio_error error, const char *value)
{
    struct buf body = BUF_INIT;
    studio_put_error(&body, error, value);
    respond(request, errors[error].status, content_type_json, &body);
}

void studio_invalid(struct request *request, const char *code, const char *message)
{
    struct buf body = BUF_INIT;
    put_error(&body, "invalid_request", code, message);
    respond(request, 400, content_type_json, &body);
}

void studio_put_rate_error(struct buf *out, const char *seconds)
{
    buf_printf(out,
               "{\"error\":{\"type\":\"rate_limited\",\"message\":\"Rate limit exceeded\","
               "\"retry_after\":%s}}",
               seconds);
}

void studio_put_refusal(struct buf *out, const struct refusal *refusal)
{
    static const char *const types[] = {
        [REFUSED_MALFORMED] = "invalid_request",   [REFUSED_NOT_FOUND] = "not_found",
        [REFUSED_METHOD] = "method_not_allowed",   [REFUSED_LATE] = "request_timeout",
        [REFUSED_TOO_LARGE] = "payload_too_large", [REFUSED_FAILURE] = "server_error",
        [REFUSED_UNAVAILABLE] = "server_error",
    };
    put_error(out, types[refusal->kind], refusal->code, refusal->detail);
}

const char studio_failure[] = "{\"error\":{\"type\":\"server_error\",\"message\":"
                              "\"" FAILURE_TEXT "\"}}";

const char *studio_write_refusal(struct buf *out, const struct refusal *refusal)
{
    studio_put_refusal(out, refusal);
    return content_type_json;
}

void studio_refuse(struct request *request, const struct refusal *refusal)
{
    struct buf body = BUF_INIT;
    studio_put_refusal(&body, refusal);
    respond(request, refusal->status, content_type_json, &body);
}

void studio_put_fault(struct buf *out, enum field_fault fault, const struct field *field)
{
    char code[64], message[160];
    switch (fault) {
    case FIELD_FINE:
        break;
    case FIELD_MISSING:
        snprintf(message, sizeof message, "%s is required", field->name);
        put_error(out, "invalid_request", NULL, message);
        break;
    case FIELD_WRONG:
        snprintf(code, sizeof code, "invalid_%s", field->name);
        snprintf(message, sizeof message, "%s must be %s", field->name, field->what);
        put_error(out, "invalid_request", code, message);
        break;
    case FIELD_TOO_LONG:
        snprintf(code, sizeof code, "%s_too_long", field->name);
        snprintf(message, sizeof message, "%s must be %zu characters or fewer", field->name,
                 field->max_chars);
        put_error(out, "invalid_request", code, message);
        break;
    }
}

static void tell_fault(struct request *request, enum field_fault fault, const struct field *field)
{
    struct buf body = BUF_INIT;
    if (fault == FIELD_FINE)
        return;
    studio_put_fault(&body, fault, field);
    respond(request, 400, content_type_json, &body);
}

/*
 * Looks at the #mock lines of the texts that have some: a wrong word is a wrong format, whose turn
 * comes with its field's (S6, S10). `wrong` is the first row that is wrong without that, or the
 * table's end. False: the request was answered.
 */
static bool check_lines(struct request *request, const json_t *body, const struct field *table,
                        const struct field *wrong)
{
    static const char *const texts[] = {"prompt", "context"};
    struct plan plan;
    struct err err;
    plan_init(&plan);
    for (const struct field *field = table; field < wrong; field++)
        for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
            const char *text = json_string_value(json_object_get(body, texts[i]));
            if (strcmp(field->name, texts[i]) != 0 || !text ||
                magic_read_lines(text, &plan, &err) == 0)
                continue;
            char code[64], message[ERR_TEXT_SIZE + 40];
            snprintf(code, sizeof code, "invalid_%s", texts[i]);
            snprintf(message, sizeof message, "%s %s", texts[i], err.text);
            studio_invalid(request, code, message);
            return false;
        }
    return true;
}

bool studio_read_body(struct request *request, const struct field *table, size_t count, void *dest)
{
    const json_t *body;
    const struct field *field = NULL;
    struct err err;
    int status = request_json(request, &body, &err);
    if (status == ERR_NO_MEMORY) {
        router_fail(request, status, NULL);
        return false;
    }
    if (status < 0) {
        studio_error(request, STUDIO_NOT_JSON, err.text);
        return false;
    }
    if (!json_is_object(body)) {
        studio_error(request, STUDIO_NO_OBJECT, "");
        return false;
    }
    enum field_fault fault = fields_read(table, count, body, dest, &field);
    if (fault != FIELD_MISSING && atomic_load(&auth_workspace(request)->magic) &&
        !check_lines(request, body, table, fault == FIELD_WRONG ? field : table + count))
        return false;
    tell_fault(request, fault, field);
    return fault == FIELD_FINE;
}
