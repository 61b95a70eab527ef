/*
 * What the Scenarios API's operations may answer, by name. The bodies are what the handlers answer
 * with; the scenario is the one that the request is about where there is one, or else the example
 * of the API's document.
 */
#include "http/outcome.h"

#include "http/respond.h"
#include "scenarios/internal.h"

#include <string.h>

/* 2026-01-28T10:00:00.000Z, and half an hour later. */
#define SAMPLE_AT         INT64_C(1769594400000)
#define SAMPLE_UPDATED_AT (SAMPLE_AT + INT64_C(30) * 60 * 1000)

#define SAMPLE_ID         "987fcdeb-51a2-4bc4-9567-890123456789"
#define SAMPLE_NAME       "booking-cancellation"
#define SAMPLE_CRITERIA                                                                            \
    .success_criteria = "Agent confirms cancellation",                                             \
    .failure_criteria = "Agent fails to process", .failure_criteria_mode = "on_max_messages"
#define SAMPLE_INSTRUCTIONS                                                                        \
    "Customer wants to cancel a haircut appointment for tomorrow. They have a scheduling "         \
    "conflict. Booking was made 3 days ago with 24h cancellation policy."

static const struct project_scenario sample = {.id = SAMPLE_ID,
                                               .name = SAMPLE_NAME,
                                               .instructions = SAMPLE_INSTRUCTIONS,
                                               .max_messages = 10,
                                               SAMPLE_CRITERIA,
                                               .created_at = SAMPLE_AT,
                                               .updated_at = SAMPLE_AT};

static const struct project_scenario created = {
    .id = SAMPLE_ID,
    .name = SAMPLE_NAME,
    .instructions = SAMPLE_INSTRUCTIONS,
    .messages =
        "[{\"role\":\"user\",\"content\":\"Hi, I need to cancel my appointment\"},"
        "{\"role\":\"assistant\",\"content\":\"I'd be happy to help. Can you provide your booking "
        "reference?\"}]",
    .max_messages = 10,
    SAMPLE_CRITERIA,
    .created_at = SAMPLE_AT,
    .updated_at = SAMPLE_AT};

static const struct project_scenario updated = {
    .id = SAMPLE_ID,
    .name = SAMPLE_NAME,
    .instructions = "Customer wants to cancel appointment. VIP customer with flexible policy.",
    .messages = "[{\"role\":\"user\",\"content\":\"Hi, I need to cancel\"}]",
    .max_messages = 15,
    SAMPLE_CRITERIA,
    .created_at = SAMPLE_AT,
    .updated_at = SAMPLE_UPDATED_AT};

/* -- scenarios ----------------------------------------------------------------------------------
 */

static int put_one(const struct project_scenario *scenario, void *out)
{
    scenario_put_json(out, scenario);
    return 0;
}

/* Writes the scenario that the request's path names; false: there is none. */
static bool put_own(const struct outcome_call *call, struct buf *out)
{
    struct err err;
    struct request *request = call->request;
    if (!request || strcmp(call->operation, "createScenario") == 0)
        return false;
    const struct scenarios *scenarios = request_api(request)->context;
    struct db *db = store_reader(engine_store(scenarios->engine), &err);
    return db &&
           project_scenario_by_id(db, project_workspace(request)->row.pk, request_param(request, 0),
                                  request_param(request, 1), put_one, out) == 0;
}

/* `what`: the sample. */
static void write_scenario(const struct outcome_call *call, struct outcome_reply *reply)
{
    reply->content_type = content_type_json;
    if (!put_own(call, &reply->body))
        scenario_put_json(&reply->body, call->outcome->what);
}

/* `what`: its one scenario, or NULL. */
static void write_list(const struct outcome_call *call, struct outcome_reply *reply)
{
    reply->content_type = content_type_json;
    buf_putc(&reply->body, '[');
    if (call->outcome->what)
        scenario_put_json(&reply->body, call->outcome->what);
    buf_putc(&reply->body, ']');
}

static void write_nothing(const struct outcome_call *call, struct outcome_reply *reply)
{
    (void)call;
    (void)reply;
}

/* -- errors -------------------------------------------------------------------------------------
 */

static const char *project_of(const struct outcome_call *call)
{
    return call->request ? request_param(call->request, 0) : "nowhere";
}

static const char *prefix_of(const struct outcome_call *call)
{
    const char *prefix = call->request ? request_workspace_prefix(call->request) : NULL;
    return prefix ? prefix : "nobody";
}

static const char *media_type_of(const struct outcome_call *call)
{
    const char *type = call->request ? request_content_type(call->request) : NULL;
    return type && *type ? type : "text/plain";
}

static const char *value_of(const struct outcome_call *call)
{
    switch ((enum scenarios_error)call->outcome->which) {
    case SCENARIOS_NOT_JSON:
        return "string or '}' expected near end of file at line 1, column 1";
    case SCENARIOS_NO_PROJECT:
        return project_of(call);
    case SCENARIOS_NO_WORKSPACE:
        return prefix_of(call);
    case SCENARIOS_NAME_TAKEN:
        return outcome_text(call, "name", SAMPLE_NAME);
    case SCENARIOS_MEDIA_TYPE:
        return media_type_of(call);
    case SCENARIOS_NO_OBJECT:
    case SCENARIOS_NO_NAME:
    case SCENARIOS_NOT_FOUND:
    case SCENARIOS_GONE:
        break;
    }
    return "";
}

/* `which`: an enum scenarios_error. */
static void write_error(const struct outcome_call *call, struct outcome_reply *reply)
{
    reply->content_type = content_type_json;
    scenarios_put_error(&reply->body, (enum scenarios_error)call->outcome->which, value_of(call));
}

/* `what`: the field's name. */
static void write_wrong(const struct outcome_call *call, struct outcome_reply *reply)
{
    reply->content_type = content_type_json;
    for (size_t i = 0; i < scenario_field_count; i++)
        if (strcmp(scenario_fields[i].name, call->outcome->what) == 0)
            scenarios_put_wrong(&reply->body, &scenario_fields[i]);
}

/* `which`: an enum outcome_refusal, or an ERR_ code. */
static void write_refusal(const struct outcome_call *call, struct outcome_reply *reply)
{
    struct refusal refusal;
    outcome_refusal(call, reply, &refusal);
    reply->content_type = content_type_json;
    scenarios_put_refusal(&reply->body, &refusal);
}

/* -- the table ----------------------------------------------------------------------------------
 */

#define LIST   "listScenarios"
#define CREATE "createScenario"
#define GET    "getScenario"
#define UPDATE "updateScenario"
#define DELETE "deleteScenario"

static const char *const list[] = {LIST, NULL}, *const create[] = {CREATE, NULL},
                         *const get[] = {GET, NULL}, *const update[] = {UPDATE, NULL},
                         *const delete[] = {DELETE, NULL}, *const bodies[] = {CREATE, UPDATE, NULL},
                         *const of_one[] = {GET, UPDATE, DELETE, NULL},
                         *const all[] = {LIST, CREATE, GET, UPDATE, DELETE, NULL};

#define WRONG(field_)                                                                              \
    {                                                                                              \
        bodies, "400:invalid_" field_, 400, "A", "E8", field_ " has a wrong type or value",        \
            write_wrong, 0, field_                                                                 \
    }

/* clang-format off */
const struct outcome scenario_outcomes[] = {
    {list, "200", 200, "D", "E1", "One scenario", write_list, 0, &sample},
    {list, "200:empty", 200, "OA", "E1", "No scenario", write_list, 0, NULL},
    {create, "201", 201, "D", "E2", "A new scenario", write_scenario, 0, &created},
    {get, "200", 200, "D", "E3", "The scenario", write_scenario, 0, &sample},
    {update, "200", 200, "D", "E4", "The scenario as it is now", write_scenario, 0, &updated},
    {delete, "204", 204, "D", "E5", "It is gone", write_nothing, 0, NULL},
    {bodies, "400:name_required", 400, "DA", "E2", "name is missing, null or empty", write_error,
     SCENARIOS_NO_NAME, NULL},
    {bodies, "400:invalid_json", 400, "OA", "E11", "The body is not JSON", write_error,
     SCENARIOS_NOT_JSON, NULL},
    {bodies, "400:not_an_object", 400, "OA", "E11", "The body is JSON but no object", write_error,
     SCENARIOS_NO_OBJECT, NULL},
    WRONG("name"),
    WRONG("instructions"),
    WRONG("messages"),
    WRONG("maxMessages"),
    WRONG("successCriteria"),
    WRONG("failureCriteria"),
    WRONG("failureCriteriaMode"),
    WRONG("evaluators"),
    WRONG("personaIds"),
    {of_one, "404", 404, "D", "E3", "No scenario of the project has the id", write_error,
     SCENARIOS_NOT_FOUND, NULL},
    {all, "404:project_not_found", 404, "A", "E10", "No workspace has the project", write_error,
     SCENARIOS_NO_PROJECT, NULL},
    {all, "404:workspace_not_found", 404, "A", "H7", "No workspace has the prefix's slug",
     write_error, SCENARIOS_NO_WORKSPACE, NULL},
    {bodies, "409", 409, "D", "E2", "The name is taken in this project", write_error,
     SCENARIOS_NAME_TAKEN, NULL},
    {bodies, "415", 415, "O", "E11", "The body's content type is not JSON", write_error,
     SCENARIOS_MEDIA_TYPE, NULL},
    OUTCOMES_OF_PARAMS(all, write_refusal),
    OUTCOMES_OF_HEADS(all, write_refusal),
    OUTCOMES_OF_BODIES(bodies, write_refusal),
    OUTCOMES_OF_FAULTS(all, write_refusal),
};
/* clang-format on */
const size_t scenario_outcome_count = sizeof scenario_outcomes / sizeof *scenario_outcomes;
