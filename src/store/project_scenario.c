#include "store/project_scenario.h"

#include "store/query.h"

enum { LIST, BY_ID, INSERT, UPDATE, DELETE, STATEMENTS };

#define SELECT                                                                                     \
    "SELECT id, name, instructions, messages, max_messages, success_criteria, failure_criteria,"   \
    " failure_criteria_mode, evaluators, persona_ids, created_at, updated_at FROM project_scenario"
#define WHERE_ID      " WHERE workspace = ? AND id = ? AND project = ?"
#define KEEP(column_) column_ " = coalesce(?, " column_ ")"

static const struct sql statements[STATEMENTS] = {
    [LIST] = READS(SELECT " WHERE workspace = ? AND project = ? ORDER BY seq"),
    [BY_ID] = READS(SELECT WHERE_ID),
    [INSERT] = WRITES("INSERT INTO project_scenario (workspace, project, id, name, instructions,"
                      " messages, max_messages, success_criteria, failure_criteria,"
                      " failure_criteria_mode, evaluators, persona_ids, created_at, updated_at)"
                      " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"),
    [UPDATE] = WRITES(
        "UPDATE project_scenario SET " KEEP("name") ", " KEEP("instructions") ", " KEEP("messages") ", " KEEP("max_messages") ", " KEEP("success_criteria") ", " KEEP(
            "failure_criteria") ", " KEEP("failure_criteria_mode") ", " KEEP("evaluators") ", " KEEP("persona_ids") ", updated_at = max(updated_at, ?)" WHERE_ID),
    [DELETE] = WRITES("DELETE FROM project_scenario" WHERE_ID),
};
const struct sql_list project_scenario_sql = {statements, STATEMENTS};

static int visit_row(struct query *query, project_scenario_visitor *visit, void *arg)
{
    struct project_scenario scenario = {
        .id = query_get_text(query, 0),
        .name = query_get_text(query, 1),
        .instructions = query_get_text(query, 2),
        .messages = query_get_text(query, 3),
        .max_messages = query_get_int_or(query, 4, -1),
        .success_criteria = query_get_text(query, 5),
        .failure_criteria = query_get_text(query, 6),
        .failure_criteria_mode = query_get_text(query, 7),
        .evaluators = query_get_text(query, 8),
        .persona_ids = query_get_text(query, 9),
        .created_at = query_get_int(query, 10),
        .updated_at = query_get_int(query, 11),
    };
    return visit(&scenario, arg);
}

int project_scenario_each(struct db *db, int64_t workspace, const char *project,
                          project_scenario_visitor *visit, void *arg)
{
    struct query query = query_begin(db, TABLE_PROJECT_SCENARIO, LIST);
    query_int(&query, workspace);
    query_text(&query, project);
    int status;
    while ((status = query_step(&query)) > 0)
        if ((status = visit_row(&query, visit, arg)) < 0)
            break;
    query_end(&query);
    return status;
}

static void bind_id(struct query *query, int64_t workspace, const char *project, const char *id)
{
    query_int(query, workspace);
    query_text(query, id);
    query_text(query, project);
}

int project_scenario_by_id(struct db *db, int64_t workspace, const char *project, const char *id,
                           project_scenario_visitor *visit, void *arg)
{
    struct query query = query_begin(db, TABLE_PROJECT_SCENARIO, BY_ID);
    bind_id(&query, workspace, project, id);
    int status = query_step(&query);
    if (status > 0)
        status = visit_row(&query, visit, arg);
    else if (status == 0)
        status = ERR_NOT_FOUND;
    query_end(&query);
    return status;
}

/* Binds name … persona_ids, in the columns' order. */
static void bind_values(struct query *query, const struct project_scenario *scenario)
{
    query_text(query, scenario->name);
    query_text(query, scenario->instructions);
    query_text(query, scenario->messages);
    query_int_or_null(query, scenario->max_messages);
    query_text(query, scenario->success_criteria);
    query_text(query, scenario->failure_criteria);
    query_text(query, scenario->failure_criteria_mode);
    query_text(query, scenario->evaluators);
    query_text(query, scenario->persona_ids);
}

int project_scenario_insert(struct db *db, int64_t workspace, const char *project,
                            const struct project_scenario *scenario)
{
    struct query query = query_begin(db, TABLE_PROJECT_SCENARIO, INSERT);
    query_int(&query, workspace);
    query_text(&query, project);
    query_text(&query, scenario->id);
    bind_values(&query, scenario);
    query_int(&query, scenario->created_at);
    query_int(&query, scenario->updated_at);
    return query_run(&query);
}

int project_scenario_update(struct db *db, int64_t workspace, const char *project, const char *id,
                            const struct project_scenario *changes)
{
    struct query query = query_begin(db, TABLE_PROJECT_SCENARIO, UPDATE);
    bind_values(&query, changes);
    query_int(&query, changes->updated_at);
    bind_id(&query, workspace, project, id);
    int status = query_run(&query);
    return status < 0 || query_changes(db) == 1 ? status : ERR_NOT_FOUND;
}

int project_scenario_delete(struct db *db, int64_t workspace, const char *project, const char *id)
{
    struct query query = query_begin(db, TABLE_PROJECT_SCENARIO, DELETE);
    bind_id(&query, workspace, project, id);
    int status = query_run(&query);
    return status < 0 || query_changes(db) == 1 ? status : ERR_NOT_FOUND;
}
