#include "base/json.h"
#include "engine/magic.h"
#include "http/respond.h"
#include "studio/internal.h"

#include <stdio.h>
#include <string.h>

void studio_error(struct request *request, int status, const char *type, const char *code,
                  const char *message)
{
    struct buf body = BUF_INIT;
    buf_puts(&body, "{\"error\":{\"type\":");
    json_put_text(&body, type);
    if (code) {
        buf_puts(&body, ",\"code\":");
        json_put_text(&body, code);
    }
    buf_puts(&body, ",\"message\":");
    json_put_text(&body, message);
    buf_puts(&body, "}}");
    respond(request, status, content_type_json, &body);
}

void studio_invalid(struct request *request, const char *code, const char *message)
{
    studio_error(request, 400, "invalid_request", code, message);
}

/* An error whose message ends in what the client sent. */
static void tell(struct request *request, int status, const char *type, const char *code,
                 const char *message, const char *value)
{
    struct buf text = BUF_INIT;
    buf_puts(&text, message);
    buf_puts(&text, value);
    if (buf_failed(&text))
        router_fail(request, ERR_NO_MEMORY, NULL);
    else
        studio_error(request, status, type, code, text.data);
    buf_finish(&text);
}

void studio_no_member(struct request *request, const char *email)
{
    tell(request, 400, "invalid_request", "user_not_found", "No user found with email: ", email);
}

void studio_no_scenario(struct request *request, const char *slug)
{
    tell(request, 404, "not_found", NULL, "Scenario not found: ", slug);
}

void studio_no_job(struct request *request, const char *id)
{
    tell(request, 404, "not_found", "job_not_found", "Job not found: ", id);
}

void studio_refuse(struct request *request, const struct refusal *refusal)
{
    static const char *const types[] = {
        [REFUSED_MALFORMED] = "invalid_request", [REFUSED_NOT_FOUND] = "not_found",
        [REFUSED_METHOD] = "method_not_allowed", [REFUSED_TOO_LARGE] = "payload_too_large",
        [REFUSED_FAILURE] = "server_error",      [REFUSED_UNAVAILABLE] = "server_error",
    };
    studio_error(request, refusal->status, types[refusal->kind], refusal->code, refusal->detail);
}

static void tell_fault(struct request *request, enum field_fault fault, const struct field *field)
{
    char code[64], message[160];
    switch (fault) {
    case FIELD_FINE:
        break;
    case FIELD_MISSING:
        snprintf(message, sizeof message, "%s is required", field->name);
        studio_invalid(request, NULL, message);
        break;
    case FIELD_WRONG:
        snprintf(code, sizeof code, "invalid_%s", field->name);
        snprintf(message, sizeof message, "%s must be %s", field->name, field->what);
        studio_invalid(request, code, message);
        break;
    case FIELD_TOO_LONG:
        snprintf(code, sizeof code, "%s_too_long", field->name);
        snprintf(message, sizeof message, "%s must be %zu characters or fewer", field->name,
                 field->max_chars);
        studio_invalid(request, code, message);
        break;
    }
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
        char message[ERR_TEXT_SIZE + 40];
        snprintf(message, sizeof message, "Request body is not valid JSON: %s", err.text);
        studio_invalid(request, "invalid_json", message);
        return false;
    }
    if (!json_is_object(body)) {
        studio_invalid(request, "invalid_json", "Request body must be a JSON object");
        return false;
    }
    enum field_fault fault = fields_read(table, count, body, dest, &field);
    if (fault != FIELD_MISSING && atomic_load(&auth_workspace(request)->magic) &&
        !check_lines(request, body, table, fault == FIELD_WRONG ? field : table + count))
        return false;
    tell_fault(request, fault, field);
    return fault == FIELD_FINE;
}
