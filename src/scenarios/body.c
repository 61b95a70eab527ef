#include "base/json.h"
#include "base/time.h"
#include "http/respond.h"
#include "scenarios/internal.h"

#include <string.h>
#include <strings.h>

/* -- in ------------------------------------------------------------------------------------------
 */

static bool is_positive(const json_t *value)
{
    return json_number_value(value) >= 1;
}

static bool is_mode(const json_t *value)
{
    const char *mode = json_string_value(value);
    return strcmp(mode, "on_max_messages") == 0 || strcmp(mode, "every_turn") == 0;
}

static bool all(const json_t *array, bool (*is_right)(const json_t *item))
{
    size_t index;
    json_t *item;
    json_array_foreach(array, index, item)
    {
        if (!is_right(item))
            return false;
    }
    return true;
}

static bool is_message(const json_t *item)
{
    return json_is_string(json_object_get(item, "role")) && json_object_get(item, "content");
}

static bool is_object(const json_t *item)
{
    return json_is_object(item);
}

static bool is_string(const json_t *item)
{
    return json_is_string(item);
}

static bool are_messages(const json_t *value)
{
    return all(value, is_message);
}

static bool are_objects(const json_t *value)
{
    return all(value, is_object);
}

static bool are_strings(const json_t *value)
{
    return all(value, is_string);
}

#define TO(member_) .offset = offsetof(struct scenario_body, member_)

const struct field scenario_fields[] = {
    {"name", FIELD_STRING, .required = true, .what = "a string", TO(name)},
    {"instructions", FIELD_STRING, .what = "a string", TO(instructions)},
    {"messages", FIELD_ARRAY, .what = "an array of objects with a string role and a content",
     .check = are_messages, TO(messages)},
    {"maxMessages", FIELD_WHOLE, .what = "a whole number of at least 1", .check = is_positive,
     TO(max_messages)},
    {"successCriteria", FIELD_STRING, .what = "a string", TO(success_criteria)},
    {"failureCriteria", FIELD_STRING, .what = "a string", TO(failure_criteria)},
    {"failureCriteriaMode", FIELD_STRING, .what = "\"on_max_messages\" or \"every_turn\"",
     .check = is_mode, TO(failure_criteria_mode)},
    {"evaluators", FIELD_ARRAY, .what = "an array of objects", .check = are_objects,
     TO(evaluators)},
    {"personaIds", FIELD_ARRAY, .what = "an array of strings", .check = are_strings,
     TO(persona_ids)},
};
const size_t scenario_field_count = sizeof scenario_fields / sizeof *scenario_fields;

static bool is_json_type(const char *content_type)
{
    static const char json[] = "application/json";
    size_t len = sizeof json - 1;
    if (!content_type || !*content_type)
        return true;
    return strncasecmp(content_type, json, len) == 0 &&
           (!content_type[len] || strchr("; \t", content_type[len]));
}

/* The parsed body; NULL: the request was answered with what is wrong (E11). */
static const json_t *read_object(struct request *request)
{
    const json_t *body;
    struct err err;
    size_t len;
    const char *content_type = request_content_type(request);

    request_body(request, &len);
    if (len && !is_json_type(content_type)) {
        scenarios_error(request, SCENARIOS_MEDIA_TYPE, content_type);
        return NULL;
    }
    int status = request_json(request, &body, &err);
    if (status == 0 && json_is_object(body))
        return body;
    if (status == ERR_NO_MEMORY)
        router_fail(request, status, NULL);
    else if (status < 0)
        scenarios_error(request, SCENARIOS_NOT_JSON, err.text);
    else
        scenarios_error(request, SCENARIOS_NO_OBJECT, "");
    return NULL;
}

static bool is_empty_name(const json_t *body)
{
    const json_t *name = json_object_get(body, "name");
    return json_is_string(name) && !json_string_length(name);
}

bool scenarios_read_body(struct request *request, bool creating, struct scenario_body *ret_body)
{
    const json_t *body = read_object(request);
    if (!body)
        return false;
    /* A PUT may leave the name out, as null too, but not take it away (E4). */
    bool may_lack_name = !creating && !is_empty_name(body);
    const struct field *table = scenario_fields, *field;
    size_t count = scenario_field_count;
    struct field without_requirement[sizeof scenario_fields / sizeof *scenario_fields];
    if (may_lack_name) {
        memcpy(without_requirement, scenario_fields, sizeof scenario_fields);
        without_requirement[0].required = false;
        table = without_requirement;
    }
    switch (fields_read(table, count, body, ret_body, &field)) {
    case FIELD_FINE:
        return true;
    case FIELD_MISSING: /* the name is the only one */
        scenarios_error(request, SCENARIOS_NO_NAME, "");
        return false;
    case FIELD_WRONG:
    case FIELD_TOO_LONG: /* no field has a limit */
        break;
    }
    struct buf answer = BUF_INIT;
    scenarios_put_wrong(&answer, field);
    respond(request, 400, content_type_json, &answer);
    return false;
}

/* -- out -----------------------------------------------------------------------------------------
 */

static void put_text(struct buf *out, const char *name, const char *text)
{
    if (!text)
        return;
    buf_puts(out, name);
    json_put_text(out, text);
}

static void put_raw(struct buf *out, const char *name, const char *json)
{
    if (!json)
        return;
    buf_puts(out, name);
    buf_puts(out, json);
}

static void put_time(struct buf *out, const char *name, int64_t ms)
{
    char text[TIME_TEXT_SIZE];
    time_format_millis(ms, text);
    put_text(out, name, text);
}

void scenario_put_json(struct buf *out, const struct project_scenario *scenario)
{
    put_text(out, "{\"id\":", scenario->id);
    put_text(out, ",\"name\":", scenario->name);
    put_text(out, ",\"instructions\":", scenario->instructions);
    put_raw(out, ",\"messages\":", scenario->messages);
    if (scenario->max_messages >= 0) {
        buf_puts(out, ",\"maxMessages\":");
        buf_int(out, scenario->max_messages);
    }
    put_text(out, ",\"successCriteria\":", scenario->success_criteria);
    put_text(out, ",\"failureCriteria\":", scenario->failure_criteria);
    put_text(out, ",\"failureCriteriaMode\":", scenario->failure_criteria_mode);
    put_raw(out, ",\"evaluators\":", scenario->evaluators);
    put_raw(out, ",\"personaIds\":", scenario->persona_ids);
    put_time(out, ",\"createdAt\":", scenario->created_at);
    put_time(out, ",\"updatedAt\":", scenario->updated_at);
    buf_putc(out, '}');
}
