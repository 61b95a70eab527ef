/* createSourceScenario: a scenario that jobs can remix, without a job that made it. */
#include "base/json.h"
#include "control/internal.h"
#include "http/respond.h"

#include <stdio.h>
#include <string.h>

struct source_body {
    struct field_text name, slug, id;
};

static bool check_id(const json_t *value)
{
    size_t len = json_string_length(value);
    return len == ID_HEX_SIZE - 1 &&
           strspn(json_string_value(value), "abcdefghijklmnopqrstuvwxyz0123456789") == len;
}

#define TO(member_) .offset = offsetof(struct source_body, member_)

const struct field source_fields[] = {
    {"name", FIELD_STRING, .required = true, .what = "a text of 1 to 199 bytes",
     .check = check_scenario_name, TO(name)},
    {"slug", FIELD_STRING,
     .what = "1 to 119 lower-case letters, digits and -, neither first nor last a -",
     .check = check_scenario_slug, TO(slug)},
    {"id", FIELD_STRING, .what = "12 lower-case letters and digits", .check = check_id, TO(id)},
};
const size_t source_field_count = sizeof source_fields / sizeof *source_fields;

static void answer(struct request *request)
{
    const struct source_make *make = request_state(request);
    const struct scenario *scenario = &make->scenario;
    struct buf body = BUF_INIT;
    if (control_failed(request, &make->operation))
        return;
    if (make->id_taken || make->slug_taken) {
        control_problem(request, 409, make->id_taken ? "scenario_id_taken" : "scenario_slug_taken",
                        make->id_taken ? "Another scenario has this id"
                                       : "Another scenario has this slug",
                        "Choose another one");
        return;
    }
    buf_printf(&body, "{\"id\":\"%s\",\"slug\":\"%s\",\"name\":", scenario->id, scenario->slug);
    json_put_text(&body, scenario->name);
    buf_puts(&body, ",\"created_at\":");
    control_put_time(&body, scenario->created_at);
    buf_putc(&body, '}');
    respond(request, 201, content_type_json, &body);
}

void source_create_handler(struct request *request)
{
    struct source_body body = {.name = {0}};
    struct source_make *make = control_state(request, sizeof *make);
    if (!make || !control_read_body(request, source_fields, source_field_count, &body))
        return;
    struct scenario *scenario = &make->scenario;
    source_make_init(make, control_of(request)->engine, mock_workspace(request));
    snprintf(scenario->name, sizeof scenario->name, "%s", body.name.data);
    make->id = body.id.data;
    make->slug = body.slug.data;
    control_operate(request, &make->operation, answer);
}
