/* listScenarios, getScenario, createScenario, updateScenario, deleteScenario. */
#include "base/json.h"
#include "engine/draw.h"
#include "http/respond.h"
#include "scenarios/internal.h"

#include <string.h>

static const struct scenarios *scenarios_of(struct request *request)
{
    return request_api(request)->context;
}

static void answer_not_found(struct request *request)
{
    scenarios_error(request, SCENARIOS_NOT_FOUND, "");
}

/* -- reads ---------------------------------------------------------------------------------------
 */

static struct db *reader(struct request *request)
{
    struct err err;
    struct db *db = store_reader(engine_store(scenarios_of(request)->engine), &err);
    if (!db)
        router_fail(request, ERR_IO, err.text);
    return db;
}

static int put_item(const struct project_scenario *scenario, void *out)
{
    struct buf *array = out;
    if (array->len > 1)
        buf_putc(array, ',');
    scenario_put_json(array, scenario);
    return buf_failed(array) ? ERR_NO_MEMORY : 0;
}

void scenario_list_handler(struct request *request)
{
    struct buf body = BUF_INIT;
    struct db *db = reader(request);
    if (!db)
        return;
    buf_putc(&body, '[');
    int status = project_scenario_each(db, project_workspace(request)->row.pk,
                                       request_param(request, 0), put_item, &body);
    buf_putc(&body, ']');
    if (status == 0) {
        respond(request, 200, content_type_json, &body);
        return;
    }
    buf_finish(&body);
    router_fail(request, status, "cannot read the scenarios");
}

static int put_one(const struct project_scenario *scenario, void *out)
{
    scenario_put_json(out, scenario);
    return 0;
}

void scenario_get_handler(struct request *request)
{
    struct buf body = BUF_INIT;
    struct db *db = reader(request);
    if (!db)
        return;
    int status =
        project_scenario_by_id(db, project_workspace(request)->row.pk, request_param(request, 0),
                               request_param(request, 1), put_one, &body);
    if (status == 0)
        respond(request, 200, content_type_json, &body);
    else if (status == ERR_NOT_FOUND)
        answer_not_found(request);
    else
        router_fail(request, status, "cannot read a scenario");
}

/* -- writes --------------------------------------------------------------------------------------
 */

enum change_result { DONE, NOT_FOUND, NAME_TAKEN };

/* A write under way: what the three have in common, and the two that bring a body. */
struct change {
    struct operation operation;
    const char *project, *id;
    char new_id[ID_UUID_SIZE];
    struct scenario_body body;
    struct buf messages, evaluators, persona_ids; /* compact JSON */
    enum change_result outcome;
    struct buf answer; /* the scenario as it was committed */
};

/* What a refusal wrote nothing of: a constraint undoes its statement. Else the status. */
static int settle(struct change *change, int status)
{
    change->outcome = status == ERR_NOT_FOUND ? NOT_FOUND
                      : status == ERR_EXISTS  ? NAME_TAKEN
                                              : DONE;
    return change->outcome == DONE ? status : 0;
}

static struct project_scenario row_of(const struct change *change, int64_t now)
{
    const struct scenario_body *body = &change->body;
    return (struct project_scenario){
        .id = change->id,
        .name = body->name.data,
        .instructions = body->instructions.data,
        .messages = change->messages.data,
        .max_messages = body->max_messages.given ? body->max_messages.value : -1,
        .success_criteria = body->success_criteria.data,
        .failure_criteria = body->failure_criteria.data,
        .failure_criteria_mode = body->failure_criteria_mode.data,
        .evaluators = change->evaluators.data,
        .persona_ids = change->persona_ids.data,
        .created_at = now,
        .updated_at = now,
    };
}

/* Reads what was written, in its transaction, for the answer. */
static int read_back(struct change *change, struct db *db)
{
    buf_finish(&change->answer);
    return project_scenario_by_id(db, change->operation.workspace->row.pk, change->project,
                                  change->id, put_one, &change->answer);
}

static int create_run(struct write *write, struct db *db)
{
    struct change *change = (struct change *)write;
    const struct workspace *workspace = change->operation.workspace;
    int status = draw_uuid(db, workspace, change->new_id);
    struct project_scenario row = row_of(change, workspace_now_in(db, workspace));
    if (!row.failure_criteria_mode)
        row.failure_criteria_mode = "on_max_messages"; /* E7 */
    if (status == 0)
        status = project_scenario_insert(db, workspace->row.pk, change->project, &row);
    buf_finish(&change->answer); /* of a run that was rolled back */
    if (status == 0)
        scenario_put_json(&change->answer, &row);
    return settle(change, status);
}

static int update_run(struct write *write, struct db *db)
{
    struct change *change = (struct change *)write;
    const struct workspace *workspace = change->operation.workspace;
    struct project_scenario row = row_of(change, workspace_now_in(db, workspace));
    int status = project_scenario_update(db, workspace->row.pk, change->project, change->id, &row);
    if (status == 0)
        status = read_back(change, db);
    return settle(change, status);
}

static int delete_run(struct write *write, struct db *db)
{
    struct change *change = (struct change *)write;
    return settle(change, project_scenario_delete(db, change->operation.workspace->row.pk,
                                                  change->project, change->id));
}

static void finish_change(void *state)
{
    struct change *change = state;
    buf_finish(&change->messages);
    buf_finish(&change->evaluators);
    buf_finish(&change->persona_ids);
    buf_finish(&change->answer);
}

static void answer_change(struct request *request)
{
    struct change *change = request_state(request);
    int status = change->operation.status;
    if (status == ERR_GONE)
        scenarios_error(request, SCENARIOS_GONE, "");
    else if (status < 0)
        router_fail(request, status, NULL);
    else if (change->outcome == NOT_FOUND)
        answer_not_found(request);
    else if (change->outcome == NAME_TAKEN)
        scenarios_error(request, SCENARIOS_NAME_TAKEN, change->body.name.data);
    else if (strcmp(request_method(request), "DELETE") == 0)
        respond_empty(request);
    else
        respond(request, strcmp(request_method(request), "POST") == 0 ? 201 : 200,
                content_type_json, &change->answer);
}

static void wake(void *request)
{
    request_resume(request);
}

static void operate(struct request *request, struct change *change,
                    int (*run)(struct write *write, struct db *db))
{
    change->project = request_param(request, 0);
    operation_init(&change->operation, scenarios_of(request)->engine, project_workspace(request),
                   run);
    request_suspend(request, answer_change);
    operation_submit(&change->operation, wake, request);
}

static struct change *new_change(struct request *request)
{
    struct change *change = request_new_state(request, sizeof *change, finish_change);
    if (!change)
        router_fail(request, ERR_NO_MEMORY, NULL);
    return change;
}

/* Reads the body and puts its arrays into the form that is stored; false: answered. */
static bool read_change(struct request *request, bool creating, struct change *change)
{
    struct scenario_body *body = &change->body;
    if (!scenarios_read_body(request, creating, body))
        return false;
    if (body->messages)
        json_put_value(&change->messages, body->messages);
    if (body->evaluators)
        json_put_value(&change->evaluators, body->evaluators);
    if (body->persona_ids)
        json_put_value(&change->persona_ids, body->persona_ids);
    if (!buf_failed(&change->messages) && !buf_failed(&change->evaluators) &&
        !buf_failed(&change->persona_ids))
        return true;
    router_fail(request, ERR_NO_MEMORY, NULL);
    return false;
}

void scenario_create_handler(struct request *request)
{
    struct change *change = new_change(request);
    if (!change || !read_change(request, true, change))
        return;
    change->id = change->new_id;
    operate(request, change, create_run);
}

void scenario_update_handler(struct request *request)
{
    struct change *change = new_change(request);
    if (!change || !read_change(request, false, change))
        return;
    change->id = request_param(request, 1);
    operate(request, change, update_run);
}

void scenario_delete_handler(struct request *request)
{
    struct change *change = new_change(request);
    if (!change)
        return;
    change->id = request_param(request, 1);
    operate(request, change, delete_run);
}
