#include "engine/state_fields.h"

#include "base/duration.h"
#include "base/json.h"
#include "base/nearest.h"
#include "base/time.h"
#include "base/url.h"
#include "engine/callback_headers.h"
#include "engine/delivery.h"
#include "store/job.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *const job_states[] = {"queued", "processing", "completed",
                                         "failed", "cancelled",  NULL};
static const char *const causes[] = {"none", "timer", "request", "poll", "rule", "control", NULL};
static const char *const endings[] = {"none", "completed", "failed", NULL};
static const char *const holds[] = {"queued", "processing", NULL};
static const char *const modes[] = {"on_max_messages", "every_turn", NULL};

/* Texts that the store keeps in full are bounded by the document alone. */
#define ANY_LENGTH SIZE_MAX
#define AN_ID      .type = STATE_ID, .max = ID_HEX_SIZE - 1
#define A_SLUG     .type = STATE_SLUG, .max = SCENARIO_SLUG_SIZE - 1
#define A_BASE     .type = STATE_BASE, .max = URL_BASE_SIZE - STATE_PREFIX_SIZE
#define READS      .type = STATE_WHOLE, .max = 1000000000
#define A_TEXT     .type = STATE_TEXT, .max = ANY_LENGTH
#define A_TIME     .type = STATE_TIME
#define WORD(list) .type = STATE_WORD, .words = (list)

static const struct state_field scenario_fields[] = {
    {"id", AN_ID, .required = true},
    {"slug", A_SLUG, .required = true},
    {"name", .type = STATE_TEXT, .max = SCENARIO_NAME_SIZE - 1, .required = true},
    {"source", AN_ID},
    {"job", AN_ID},
    {"created_at", A_TIME, .required = true},
};

static const struct state_field job_fields[] = {
    {"number", .type = STATE_WHOLE, .min = 1, .or_zero = true},
    {"id", AN_ID, .required = true},
    {"status", WORD(job_states), .required = true},
    {"created_at", A_TIME, .required = true},
    {"started_at", A_TIME},
    {"completed_at", A_TIME},
    {"due_at", A_TIME},
    {"queue_time", .type = STATE_DURATION, .or_zero = true},
    {"processing_time", .type = STATE_DURATION, .or_zero = true},
    {"start_cause", WORD(causes), .or_zero = true},
    {"end_cause", WORD(causes), .or_zero = true},
    {"scenario", AN_ID},
    {"error_code", .type = STATE_TEXT, .max = ERROR_CODE_SIZE - 1},
    {"error_message", .type = STATE_TEXT, .max = ERROR_MESSAGE_SIZE - 1},
    {"base_url", A_BASE, .required = true},
    {"request_id", A_TEXT},
    {"session", AN_ID},
    {"user_email", A_TEXT, .required = true},
    {"scenario_slug", A_TEXT},
    {"callback_url", .type = STATE_URL, .max = ANY_LENGTH},
    {"callback_headers", .type = STATE_HEADERS},
    {"prompt", A_TEXT, .required = true},
    {"context", A_TEXT},
};

const struct state_field state_plan_fields[] = {
    {"end", WORD(endings)},
    {"error_code", .type = STATE_TEXT, .max = ERROR_CODE_SIZE - 1},
    {"error_message", .type = STATE_TEXT, .max = ERROR_MESSAGE_SIZE - 1},
    {"scenario_name", .type = STATE_TEXT, .max = SCENARIO_NAME_SIZE - 1},
    {"scenario_slug", A_SLUG},
    {"polls_queued", READS},
    {"polls_processing", READS},
    {"hold_at", WORD(holds)},
    {"polls", READS, .or_zero = true},
    {"rule", AN_ID},
    {"webhook", .type = STATE_OBJECT},
    {"webhook_rule", AN_ID},
};
const size_t state_plan_field_count = sizeof state_plan_fields / sizeof *state_plan_fields;

static const struct state_field delivery_fields[] = {
    {"job", AN_ID, .required = true},
    {"status", WORD(delivery_status_names), .required = true},
    {"created_at", A_TIME, .required = true},
    {"id", AN_ID},
    {"message", AN_ID},
    {"due_at", A_TIME},
    {"ended_at", A_TIME},
    {"attempts", .type = STATE_WHOLE, .or_zero = true},
    {"tries", .type = STATE_WHOLE, .or_zero = true},
    {"rule", AN_ID},
    {"cut", .type = STATE_WHOLE},
    {"body", A_TEXT},
};

static const struct state_field session_fields[] = {
    {"id", AN_ID, .required = true},
    {"job", AN_ID},
    {"created_at", A_TIME, .required = true},
    {"base_url", A_BASE, .required = true},
    {"request_id", A_TEXT},
    {"user_email", A_TEXT, .required = true},
    {"prompt", A_TEXT, .required = true},
};

static const struct state_field project_scenario_fields[] = {
    {"project", A_TEXT, .required = true},
    {"id", .type = STATE_ID, .max = ID_UUID_SIZE - 1, .required = true},
    {"name", A_TEXT, .required = true},
    {"instructions", A_TEXT},
    {"messages", .type = STATE_LIST},
    {"max_messages", .type = STATE_WHOLE, .min = 1, .max = SIZE_MAX},
    {"success_criteria", A_TEXT},
    {"failure_criteria", A_TEXT},
    {"failure_criteria_mode", A_TEXT, .required = true, .words = modes},
    {"evaluators", .type = STATE_LIST},
    {"persona_ids", .type = STATE_LIST},
    {"created_at", A_TIME, .required = true},
    {"updated_at", A_TIME, .required = true},
};

static const struct state_field rule_rows[] = {
    {"id", AN_ID, .required = true},
    {"rule", .type = STATE_OBJECT, .required = true},
    {"left", .type = STATE_WHOLE},
    {"skip_left", .type = STATE_WHOLE, .or_zero = true},
    {"hits", .type = STATE_WHOLE, .or_zero = true},
    {"created_at", A_TIME, .required = true},
};

#define LIST(name_, table_, fields_)                                                               \
    [table_] = {name_, table_, fields_, sizeof(fields_) / sizeof *(fields_)}

const struct state_list state_lists[SNAPSHOT_TABLES] = {
    LIST("scenarios", SNAPSHOT_SCENARIOS, scenario_fields),
    LIST("jobs", SNAPSHOT_JOBS, job_fields),
    LIST("deliveries", SNAPSHOT_DELIVERIES, delivery_fields),
    LIST("sessions", SNAPSHOT_SESSIONS, session_fields),
    LIST("project_scenarios", SNAPSHOT_PROJECT_SCENARIOS, project_scenario_fields),
    LIST("rules", SNAPSHOT_RULES, rule_rows),
};

int state_base_place(enum snapshot_table table)
{
    return table == SNAPSHOT_JOBS       ? (int)STATE_JOB_BASE
           : table == SNAPSHOT_SESSIONS ? (int)STATE_SESSION_BASE
                                        : -1;
}

void state_url_prefix(const struct workspace_row *row, char ret_prefix[STATE_PREFIX_SIZE])
{
    bool is_default = strcmp(row->id, DEFAULT_WORKSPACE) == 0;
    snprintf(ret_prefix, STATE_PREFIX_SIZE, is_default ? "" : "/w/%s", row->slug);
}

/* -- out --------------------------------------------------------------------------------------- */

/* Names, without the values, so that a document can be shown and put back where it came from. */
static void put_headers(struct buf *out, const struct snapshot_value *value, bool reveal)
{
    const char *name, *separator = "";
    json_t *member, *headers = reveal ? NULL : json_read(value->text, value->len, 0, NULL);
    if (reveal) {
        buf_append(out, value->text, value->len);
        return;
    }
    buf_putc(out, '{');
    json_object_foreach(headers, name, member)
    {
        buf_puts(out, separator);
        json_put_text(out, name);
        buf_puts(out, ":null");
        separator = ",";
    }
    buf_putc(out, '}');
    out->failed |= !headers;
    json_decref(headers);
}

static void put_value(struct buf *out, const struct state_field *field,
                      const struct snapshot_value *value, bool reveal)
{
    char text[TIME_TEXT_SIZE];
    _Static_assert((int)DURATION_TEXT_SIZE <= (int)TIME_TEXT_SIZE, "a duration fits");
    if (value->is_null) {
        buf_puts(out, "null");
        return;
    }
    switch (field->type) {
    case STATE_TEXT:
    case STATE_ID:
    case STATE_SLUG:
    case STATE_BASE:
    case STATE_URL:
        json_put_string(out, value->text, value->len);
        break;
    case STATE_WHOLE:
        buf_int(out, value->number);
        break;
    case STATE_TIME:
        time_format_millis(value->number, text);
        json_put_text(out, text);
        break;
    case STATE_DURATION:
        duration_format(value->number, text);
        json_put_text(out, text);
        break;
    case STATE_WORD:
        json_put_text(out, field->words[value->number]);
        break;
    case STATE_LIST:
    case STATE_OBJECT:
        buf_append(out, value->text, value->len);
        break;
    case STATE_HEADERS:
        put_headers(out, value, reveal);
        break;
    }
}

void state_put_fields(struct buf *out, const struct state_field *fields, size_t count,
                      const struct snapshot_value *values, bool reveal)
{
    for (size_t i = 0; i < count; i++) {
        buf_printf(out, "\"%s\":", fields[i].name);
        put_value(out, &fields[i], &values[i], reveal);
        buf_putc(out, ',');
    }
}

/* -- in ---------------------------------------------------------------------------------------- */

static bool wrong(struct state_fault *fault, const struct state_field *field, const char *format,
                  ...) __attribute__((format(printf, 3, 4)));

static bool wrong(struct state_fault *fault, const struct state_field *field, const char *format,
                  ...)
{
    size_t len = strlen(fault->path);
    va_list args;
    snprintf(fault->path + len, sizeof fault->path - len, "%s%s", len ? "." : "", field->name);
    va_start(args, format);
    (void)vsnprintf(fault->problem, sizeof fault->problem, format, args);
    va_end(args);
    return false;
}

static bool is_word(const char *text, const struct state_field *field)
{
    for (const char *const *word = field->words; *word; word++)
        if (strcmp(text, *word) == 0)
            return true;
    return false;
}

bool state_is_id(const char *text, size_t max)
{
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
    size_t len = strlen(text);
    return len > 0 && len <= max && strspn(text, letters) == len;
}

static bool is_slug(const char *text)
{
    size_t len = strlen(text);
    return len > 0 && strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-") == len;
}

/* Answers have bases as they are: nothing in one may have to be escaped in JSON. */
static bool is_base(const char *text)
{
    for (const char *c = text; *c; c++)
        if ((unsigned char)*c <= ' ' || *c == 0x7f || *c == '"' || *c == '\\')
            return false;
    return url_is_base(text);
}

/* What a text must be beyond its length. */
static bool check_text(const struct state_field *field, const struct snapshot_value *value,
                       struct state_fault *fault)
{
    switch (field->type) {
    case STATE_ID:
        return state_is_id(value->text, field->max) ||
               wrong(fault, field, "must be 1 to %zu letters, digits, - and _", field->max);
    case STATE_SLUG:
        return is_slug(value->text) ||
               wrong(fault, field, "must be of lower-case letters, digits and -");
    case STATE_BASE:
        return is_base(value->text) ||
               wrong(fault, field, "must be the base of urls, as \"http://127.0.0.1:3000\"");
    case STATE_URL:
        return url_is_callable(value->text) ||
               wrong(fault, field, "must be an absolute http or https URL without user info");
    default:
        return !field->words || is_word(value->text, field) ||
               wrong(fault, field, "must be one of: %s, %s", field->words[0], field->words[1]);
    }
}

static bool take_text(const json_t *json, const struct state_field *field,
                      struct snapshot_value *value, struct state_fault *fault)
{
    if (!json_is_string(json))
        return wrong(fault, field, "must be a text");
    *value =
        (struct snapshot_value){.text = json_string_value(json), .len = json_string_length(json)};
    if (field->required && !value->len)
        return wrong(fault, field, "is required");
    if (value->len > field->max)
        return wrong(fault, field, "must have %zu bytes or fewer", field->max);
    return check_text(field, value, fault);
}

static bool take_whole(const json_t *json, const struct state_field *field,
                       struct snapshot_value *value, struct state_fault *fault)
{
    int64_t max = !field->max                ? STATE_WHOLE_MAX
                  : field->max == ANY_LENGTH ? INT64_MAX
                                             : (int64_t)field->max;
    value->number = json_integer_value(json);
    return (json_is_integer(json) && value->number >= (int64_t)field->min &&
            value->number <= max) ||
           wrong(fault, field, "must be a whole number from %zu to %lld", field->min,
                 (long long)max);
}

static bool take_time(const json_t *json, const struct state_field *field,
                      struct snapshot_value *value, struct state_fault *fault)
{
    struct err err;
    if (!json_is_string(json) || time_parse(json_string_value(json), &value->number, &err) < 0)
        return wrong(fault, field, "must be a time, as \"2024-03-01T10:00:00.000Z\"");
    return true;
}

static bool take_duration(const json_t *json, const struct state_field *field,
                          struct snapshot_value *value, struct state_fault *fault)
{
    struct err err;
    if (!json_is_string(json) || duration_parse(json_string_value(json), &value->number, &err) < 0)
        return wrong(fault, field, "must be a duration with its unit, as \"90s\"");
    return true;
}

static bool take_word(const json_t *json, const struct state_field *field,
                      struct snapshot_value *value, struct state_fault *fault)
{
    char known[STATE_PROBLEM_SIZE / 2] = "";
    size_t len = 0;
    const char *given = json_is_string(json) ? json_string_value(json) : "";
    for (value->number = 0; field->words[value->number]; value->number++) {
        const char *word = field->words[value->number];
        if (strcmp(given, word) == 0)
            return true;
        len += (size_t)snprintf(known + len, sizeof known - len, "%s%s", len ? ", " : "", word);
    }
    return wrong(fault, field, "must be one of: %s", known);
}

static bool take_json(const json_t *json, const struct state_field *field,
                      struct snapshot_value *value, struct buf *text, struct state_fault *fault)
{
    bool is_list = field->type == STATE_LIST;
    if (is_list ? !json_is_array(json) : !json_is_object(json))
        return wrong(fault, field, is_list ? "must be a list" : "must be an object");
    json_put_value(text, json);
    *value = (struct snapshot_value){.text = text->data, .len = text->len};
    return true;
}

static bool take_headers(const json_t *json, const struct state_field *field,
                         struct snapshot_value *value, struct buf *text, struct state_fault *fault)
{
    if (!json_is_object(json) || !callback_headers_may_be_right(json))
        return wrong(fault, field,
                     "must be an object of header names and values that may be sent, or null in "
                     "place of one that is kept");
    json_put_value(text, json);
    *value = (struct snapshot_value){.text = text->data, .len = text->len};
    return true;
}

static bool take_value(const json_t *json, const struct state_field *field,
                       struct snapshot_value *value, struct buf *text, struct state_fault *fault)
{
    *value = (struct snapshot_value){.is_null = !json || json_is_null(json)};
    if (value->is_null) {
        value->is_null = !field->or_zero;
        return !field->required || wrong(fault, field, "is required");
    }
    switch (field->type) {
    case STATE_TEXT:
    case STATE_ID:
    case STATE_SLUG:
    case STATE_BASE:
    case STATE_URL:
        return take_text(json, field, value, fault);
    case STATE_WHOLE:
        return take_whole(json, field, value, fault);
    case STATE_TIME:
        return take_time(json, field, value, fault);
    case STATE_DURATION:
        return take_duration(json, field, value, fault);
    case STATE_WORD:
        return take_word(json, field, value, fault);
    case STATE_LIST:
    case STATE_OBJECT:
        return take_json(json, field, value, text, fault);
    default:
        return take_headers(json, field, value, text, fault);
    }
}

bool state_take_fields(const json_t *object, const struct state_field *fields, size_t count,
                       struct snapshot_value *values, struct buf *texts, struct state_fault *fault)
{
    for (size_t i = 0; i < count; i++) {
        buf_finish(&texts[i]);
        if (!take_value(json_object_get(object, fields[i].name), &fields[i], &values[i], &texts[i],
                        fault))
            return false;
    }
    return true;
}
