#include "control/params.h"

#include "base/duration.h"
#include "control/internal.h"

#include <string.h>

const struct operation_params operation_params[] = {
    {"listWorkspaces", workspace_list_params, &workspace_list_param_count},
    {"listJobs", job_list_params, &job_list_param_count},
    {"getJob", job_get_params, &job_get_param_count},
    {"listWebhooks", webhook_list_params, &webhook_list_param_count},
    {"getWebhook", webhook_get_params, &webhook_get_param_count},
    {"listRequests", request_list_params, &request_list_param_count},
    {"getReport", report_get_params, &report_get_param_count},
    {"getTimeline", timeline_params, &timeline_param_count},
    {"getJobTimeline", timeline_params, &timeline_param_count},
    {"listFindings", lint_list_params, &lint_list_param_count},
    {"getState", state_get_params, &state_get_param_count},
    {"listRules", rule_list_params, &rule_list_param_count},
    {"getRule", rule_get_params, &rule_get_param_count},
    {"listInbox", inbox_list_params, &inbox_list_param_count},
    {"deleteRules", rule_delete_params, &rule_delete_param_count},
};
const size_t operation_params_count = sizeof operation_params / sizeof *operation_params;

static const struct operation_params *find(const char *operation_id)
{
    for (size_t i = 0; i < operation_params_count; i++)
        if (operation_id && strcmp(operation_params[i].operation_id, operation_id) == 0)
            return &operation_params[i];
    return NULL;
}

static const struct param *find_param(const struct operation_params *table, const char *name)
{
    for (size_t i = 0; table && i < *table->count; i++)
        if (strcmp(table->params[i].name, name) == 0)
            return &table->params[i];
    return NULL;
}

bool params_know(const char *operation_id, const char *name)
{
    return find_param(find(operation_id), name) != NULL;
}

void params_names(const char *operation_id, bool with_workspace,
                  const char *ret_names[PARAMS_MAX + 2])
{
    const struct operation_params *table = find(operation_id);
    size_t count = 0;
    for (size_t i = 0; table && i < *table->count && i < PARAMS_MAX; i++)
        ret_names[count++] = table->params[i].name;
    if (with_workspace)
        ret_names[count++] = "workspace";
    ret_names[count] = NULL;
}

/* -- reading ----------------------------------------------------------------------------------- */

static bool read_number(const struct param *param, const char *value, struct field_whole *dest,
                        struct err *err)
{
    int status = param->type == PARAM_WHOLE ? number_parse(value, &dest->value, err)
                                            : duration_parse(value, &dest->value, err);
    dest->given = true;
    if (status < 0)
        return false;
    *err->text = '\0';
    return dest->value >= param->min && dest->value <= param->max;
}

static bool read_word(const struct param *param, const char *value, struct field_whole *dest)
{
    for (int64_t i = 0; param->words[i]; i++) {
        if (strcmp(param->words[i], value) == 0) {
            *dest = (struct field_whole){.given = true, .value = i};
            return true;
        }
    }
    return false;
}

/* Whether the value is one; `err` says what is wrong with a number's or a duration's form. */
static bool read_value(const struct param *param, const char *value, void *dest, struct err *err)
{
    void *place = (char *)dest + param->offset;
    *err->text = '\0';
    switch (param->type) {
    case PARAM_TEXT:
        *(const char **)place = value;
        return *value != '\0';
    case PARAM_WORD:
        return read_word(param, value, place);
    default:
        return read_number(param, value, place, err);
    }
}

static void tell_wrong(struct request *request, const struct param *param, const char *value,
                       const struct err *err)
{
    struct buf detail = BUF_INIT, hint = BUF_INIT;
    buf_printf(&detail, "%s must be %s", param->name, param->what);
    if (param->type == PARAM_WORD) {
        complain_names(&hint, value, param->words);
    } else if (*err->text) {
        complain_quote(&hint, value);
        buf_printf(&hint, " %s", err->text);
    }
    if (buf_failed(&detail) || buf_failed(&hint))
        router_fail(request, ERR_NO_MEMORY, NULL);
    else
        control_problem(request, 422, "invalid_parameter", detail.data, hint.data);
    buf_finish(&detail);
    buf_finish(&hint);
}

static void tell_twice(struct request *request, const char *name)
{
    struct buf detail = BUF_INIT;
    buf_printf(&detail, "The query gives %s twice", name);
    if (buf_failed(&detail))
        router_fail(request, ERR_NO_MEMORY, NULL);
    else
        control_problem(request, 422, "invalid_parameter", detail.data, NULL);
    buf_finish(&detail);
}

bool params_read(struct request *request, void *dest)
{
    const struct operation_params *table = find(request_operation(request));
    const struct query_param *given = NULL;
    size_t count = 0;
    struct err err;
    /* That the query is well-formed and has no unknown name, the admission has seen to. */
    if (request_query(request, &given, &count, &err) < 0) {
        router_fail(request, ERR_NO_MEMORY, NULL);
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        const struct param *param = find_param(table, given[i].name);
        if (!param)
            continue;
        for (size_t before = 0; before < i; before++) {
            if (strcmp(given[before].name, param->name) == 0) {
                tell_twice(request, param->name);
                return false;
            }
        }
        if (!read_value(param, given[i].value, dest, &err)) {
            tell_wrong(request, param, given[i].value, &err);
            return false;
        }
    }
    return true;
}
