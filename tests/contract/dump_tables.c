/*
 * Prints the route tables and the field tables as JSON, for the test that holds them against
 * openapi/: {"routes":[{api, method, path, operationId}],
 * "fields":[{operationId, name, type, required, maxLength}],
 * "params":[{operationId, name, type, words, max}]}.
 */
#include "control/internal.h"
#include "engine/inbox.h"
#include "engine/rule.h"
#include "scenarios/internal.h"
#include "studio/internal.h"

#include <stdio.h>

static const char *const types[] = {
    [FIELD_STRING] = "string",   [FIELD_WHOLE] = "integer", [FIELD_ARRAY] = "array",
    [FIELD_OBJECT] = "object",   [FIELD_BOOL] = "boolean",  [FIELD_REAL] = "number",
    [FIELD_DURATION] = "string", [FIELD_ANY] = "any"};

static void put_routes(json_t *out, const char *api, const struct route *routes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        json_array_append_new(out, json_pack("{ssssssss}", "api", api, "method", routes[i].method,
                                             "path", routes[i].pattern, "operationId",
                                             routes[i].operation_id));
}

static void put_fields(json_t *out, const char *operation, const struct field *fields, size_t count,
                       bool requires)
{
    for (size_t i = 0; i < count; i++) {
        const struct field *field = &fields[i];
        json_t *limit = field->max_chars ? json_integer((json_int_t)field->max_chars) : json_null();
        json_array_append_new(out, json_pack("{sssssssbso}", "operationId", operation, "name",
                                             field->name, "type", types[field->type], "required",
                                             field->required && requires, "maxLength", limit));
    }
}

static const char *const param_types[] = {[PARAM_TEXT] = "string",
                                          [PARAM_WHOLE] = "integer",
                                          [PARAM_DURATION] = "string",
                                          [PARAM_WORD] = "string"};

static void put_params(json_t *out, const struct operation_params *table)
{
    for (size_t i = 0; i < *table->count; i++) {
        const struct param *param = &table->params[i];
        json_t *words = param->words ? json_array() : json_null();
        for (size_t j = 0; param->words && param->words[j]; j++)
            json_array_append_new(words, json_string(param->words[j]));
        json_array_append_new(
            out, json_pack("{sssssssoso}", "operationId", table->operation_id, "name", param->name,
                           "type", param_types[param->type], "words", words, "max",
                           param->type == PARAM_WHOLE ? json_integer(param->max) : json_null()));
    }
}

int main(void)
{
    json_t *routes = json_array(), *fields = json_array(), *params = json_array();
    put_routes(routes, "studio", studio_routes, studio_route_count);
    put_routes(routes, "studio", page_routes, page_route_count);
    put_routes(routes, "scenarios", scenario_routes, scenario_route_count);
    put_routes(routes, "control", control_routes, control_route_count);
    put_routes(routes, "control", mock_routes, mock_route_count);
    put_fields(fields, "createScenarioStudioSession", session_fields, session_field_count, true);
    put_fields(fields, "createScenarioJob", job_fields, job_field_count, true);
    put_fields(fields, "createScenario", scenario_fields, scenario_field_count, true);
    put_fields(fields, "updateScenario", scenario_fields, scenario_field_count, false);
    put_fields(fields, "createWorkspace", workspace_fields, workspace_field_count, true);
    put_fields(fields, "ensureWorkspace", workspace_fields, workspace_field_count, true);
    put_fields(fields, "updateWorkspace", workspace_patch_fields, workspace_patch_field_count,
               true);
    put_fields(fields, "createKey", key_fields, key_field_count, true);
    put_fields(fields, "updateKey", key_patch_fields, key_patch_field_count, true);
    put_fields(fields, "createMember", member_fields, member_field_count, true);
    put_fields(fields, "updateSettings", settings_fields, settings_field_count, true);
    put_fields(fields, "setClock", clock_fields, clock_field_count, true);
    put_fields(fields, "advanceClock", advance_fields, advance_field_count, true);
    put_fields(fields, "createSourceScenario", source_fields, source_field_count, true);
    put_fields(fields, "createRule", rule_fields, rule_field_count, true);
    put_fields(fields, "setInboxReplies", inbox_reply_fields, inbox_reply_field_count, true);
    put_fields(fields, "replaceState", state_document_fields, state_document_field_count, true);
    put_fields(fields, "resetWorkspace", reset_fields, reset_field_count, true);
    put_fields(fields, "transitionJob", transition_fields, transition_field_count, true);
    put_fields(fields, "waitUntilSettled", settle_fields, settle_field_count, true);
    put_fields(fields, "verifyRequests", verify_fields, verify_field_count, true);
    for (size_t i = 0; i < operation_params_count; i++)
        put_params(params, &operation_params[i]);
    json_t *tables = json_pack("{sososo}", "routes", routes, "fields", fields, "params", params);
    int status = json_dumpf(tables, stdout, JSON_INDENT(1));
    json_decref(tables);
    return status == 0 ? 0 : 1;
}
