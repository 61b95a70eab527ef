/* Reading the rows of a state document, and what must hold between them (engine/state.h). */
#include "base/complaint.h"
#include "base/escape.h"
#include "base/json.h"
#include "engine/delivery.h"
#include "engine/plan.h"
#include "engine/rule_place.h"
#include "engine/rules.h"
#include "engine/state.h"
#include "engine/state_fields.h"
#include "engine/webhook.h"

#include <stdio.h>
#include <string.h>

enum { NAME_SHOWN = 44 }; /* bytes of a name that somebody chose, in a path */

static void show_name(const char *name, char ret_shown[NAME_SHOWN])
{
    escape_text(ESCAPE_TEXT, name, strlen(name), ret_shown, NAME_SHOWN);
}

/* The first member that none of the fields, and not `besides`, is named after. */
static bool check_names(const json_t *object, const struct state_list *list, const char *besides,
                        struct state_fault *fault)
{
    const char *name;
    json_t *member;
    json_object_foreach((json_t *)object, name, member)
    {
        bool known = besides && strcmp(name, besides) == 0;
        for (size_t i = 0; !known && i < list->count; i++)
            known = strcmp(list->fields[i].name, name) == 0;
        if (known)
            continue;
        size_t len = strlen(fault->path);
        char shown[NAME_SHOWN];
        show_name(name, shown);
        snprintf(fault->path + len, sizeof fault->path - len, ".%s", shown);
        return state_wrong(fault, "is not known here");
    }
    return true;
}

static int64_t time_of(const struct snapshot_value *value)
{
    return value->is_null ? -1 : value->number;
}

/* What a job may not be although each value by itself is fine. */
static const char *job_contradiction(const struct snapshot_value *values, unsigned marks)
{
    enum job_status status = (enum job_status)values[STATE_JOB_STATUS].number;
    int64_t created = time_of(&values[STATE_JOB_CREATED]);
    int64_t started = time_of(&values[STATE_JOB_STARTED]);
    int64_t completed = time_of(&values[STATE_JOB_COMPLETED]);
    bool ended = status > JOB_PROCESSING;
    bool waits = !ended && !(marks & (JOB_IS_HELD | JOB_IS_POLLED));
    if ((completed >= 0) != ended)
        return "must have completed_at if it has ended, and else none";
    if (status == JOB_QUEUED && started >= 0)
        return "must not have started_at while it is queued";
    if (started < 0 && status != JOB_QUEUED && status != JOB_CANCELLED)
        return "must have started_at";
    if ((started >= 0 && started < created) || (completed >= 0 && completed < created) ||
        (completed >= 0 && completed < started))
        return "must have been created, started and completed in this order";
    if (waits == values[STATE_JOB_DUE].is_null)
        return "must have due_at while it is queued or processing and neither held nor polled, and "
               "else none";
    if (status == JOB_COMPLETED && values[STATE_JOB_SCENARIO].is_null)
        return "must have the id of its scenario";
    if (status == JOB_FAILED && values[STATE_JOB_ERROR_CODE].is_null)
        return "must have error_code";
    return NULL;
}

/* The same of a delivery; what a pending or ended one leaves out is when it, or its job, ended. */
static const char *delivery_contradiction(const struct snapshot_value *values)
{
    enum delivery_status status = (enum delivery_status)values[STATE_DELIVERY_STATUS].number;
    bool is_due = !values[STATE_DELIVERY_DUE].is_null;
    if (!values[STATE_DELIVERY_ENDED].is_null && !delivery_has_ended(status))
        return "must have ended_at only if it has ended";
    if (status == DELIVERY_PENDING || is_due == (status == DELIVERY_RETRYING))
        return NULL;
    return "must have due_at if it is retrying, may have it if it is pending, and else none";
}

/* What its callback is to do, as a rule would say it. */
static bool check_webhook(const json_t *plan, struct state_fault *fault)
{
    struct complaint complaint = COMPLAINT_INIT;
    struct webhook webhook;
    char path[STATE_PATH_SIZE + 2];
    const json_t *object = json_object_get(plan, "webhook");
    snprintf(path, sizeof path, "%s.", fault->path);
    return !object || json_is_null(object) ||
           webhook_take(&(struct rule_place){&complaint, path}, object, &webhook) == 0 ||
           state_complain(&complaint, fault);
}

/* Reads what is planned for a job; *ret_marks is how it is marked for that. */
static bool take_plan(const json_t *job, const struct snapshot_value *values, struct state_row *row,
                      struct state_fault *fault)
{
    const json_t *object = json_object_get(job, "plan");
    struct plan plan;
    plan_init(&plan);
    row->has_plan = object && !json_is_null(object);
    if (!row->has_plan)
        return true;
    size_t len = strlen(fault->path);
    snprintf(fault->path + len, sizeof fault->path - len, ".plan");
    struct state_list planned = {"plan", SNAPSHOT_JOBS, state_plan_fields, state_plan_field_count};
    if (!json_is_object(object))
        return state_wrong(fault, "must be an object");
    if (!check_names(object, &planned, NULL, fault) ||
        !state_take_fields(object, state_plan_fields, state_plan_field_count, row->plan,
                           row->plan_texts, fault) ||
        !check_webhook(object, fault))
        return false;
    fault->path[len] = '\0';
    if (!row->plan[STATE_PLAN_HOLD].is_null)
        plan.hold_at = (int)row->plan[STATE_PLAN_HOLD].number;
    if (!row->plan[STATE_PLAN_POLLS_QUEUED].is_null)
        plan.polls_queued = 0;
    if (!row->plan[STATE_PLAN_POLLS_PROCESSING].is_null)
        plan.polls_processing = 0;
    enum job_status status = (enum job_status)values[STATE_JOB_STATUS].number;
    row->marks = JOB_HAS_PLAN;
    if (status <= JOB_PROCESSING)
        row->marks |= plan_marks(&plan, status);
    return true;
}

static bool check_rule(const json_t *object, const struct snapshot_value *values,
                       struct state_fault *fault)
{
    struct complaint complaint = COMPLAINT_INIT;
    struct rule *rule = NULL;
    char prefix[STATE_PATH_SIZE + 8];
    snprintf(prefix, sizeof prefix, "%s.rule.", fault->path);
    int status = rule_parse(json_object_get(object, "rule"), prefix, &complaint, &rule);
    if (status < 0)
        return state_complain(&complaint, fault);
    bool fits = values[STATE_RULE_LEFT].is_null ? rule->times < 0
                                                : values[STATE_RULE_LEFT].number <= rule->times;
    rule_release(rule);
    return fits || state_wrong(fault, "must have left, at most its times, if it has times, and "
                                      "else none");
}

/* What a job that was written by hand leaves out follows from the rest. */
static void fill_in(struct snapshot_value *values, size_t index)
{
    enum job_status status = (enum job_status)values[STATE_JOB_STATUS].number;
    int64_t *start = &values[STATE_JOB_START_CAUSE].number;
    int64_t *end = &values[STATE_JOB_END_CAUSE].number;
    if (!values[STATE_JOB_NUMBER].number)
        values[STATE_JOB_NUMBER].number = (int64_t)index + 1;
    if (!*start && !values[STATE_JOB_STARTED].is_null)
        *start = JOB_CAUSE_TIMER;
    if (!*end && status > JOB_PROCESSING)
        *end = status == JOB_CANCELLED ? JOB_CAUSE_REQUEST : JOB_CAUSE_TIMER;
}

bool state_take_row(const struct state_list *list, size_t index, const json_t *object,
                    struct state_row *row, struct state_fault *fault)
{
    bool is_job = list->table == SNAPSHOT_JOBS;
    snprintf(fault->path, sizeof fault->path, "%s[%zu]", list->name, index);
    row->marks = 0;
    if (!json_is_object(object))
        return state_wrong(fault, "must be an object");
    if (!check_names(object, list, is_job ? "plan" : NULL, fault) ||
        !state_take_fields(object, list->fields, list->count, row->values, row->texts, fault))
        return false;
    if (list->table == SNAPSHOT_RULES)
        return check_rule(object, row->values, fault);
    const char *problem = NULL;
    if (list->table == SNAPSHOT_DELIVERIES)
        problem = delivery_contradiction(row->values);
    if (is_job) {
        if (!take_plan(object, row->values, row, fault))
            return false;
        fill_in(row->values, index);
        row->values[list->count] = (struct snapshot_value){.number = row->marks};
        problem = job_contradiction(row->values, row->marks);
    }
    return !problem || state_wrong(fault, problem);
}

void state_row_finish(struct state_row *row)
{
    for (size_t i = 0; i < SNAPSHOT_COLUMNS_MAX; i++) {
        buf_finish(&row->texts[i]);
        buf_finish(&row->plan_texts[i]);
    }
}

/* -- between rows ------------------------------------------------------------------------------ */

/* What a row has that no other one of its list may have. */
struct once {
    enum snapshot_table table;
    const char *field;
    const char *within; /* a field: once for each value of it; or NULL */
};

static const struct once onces[] = {
    {SNAPSHOT_SCENARIOS, "id", NULL},
    {SNAPSHOT_SCENARIOS, "slug", NULL},
    {SNAPSHOT_JOBS, "id", NULL},
    {SNAPSHOT_JOBS, "number", NULL},
    {SNAPSHOT_JOBS, "request_id", NULL},
    {SNAPSHOT_SESSIONS, "id", NULL},
    {SNAPSHOT_SESSIONS, "request_id", NULL},
    {SNAPSHOT_RULES, "id", NULL},
    {SNAPSHOT_PROJECT_SCENARIOS, "id", NULL},
    {SNAPSHOT_PROJECT_SCENARIOS, "name", "project"},
};

static bool tell_row(struct state_fault *fault, const char *list, size_t index, const char *field,
                     const char *problem)
{
    snprintf(fault->path, sizeof fault->path, "%s[%zu].%s", list, index, field);
    return state_wrong(fault, problem);
}

/* Notes a value; false: it was noted before. */
static bool note(json_t *seen, const json_t *value, const json_t *within)
{
    struct buf key = BUF_INIT;
    if (within)
        buf_printf(&key, "%zu ", json_string_length(within));
    if (within)
        buf_append(&key, json_string_value(within), json_string_length(within));
    json_put_value(&key, value);
    bool is_new = !buf_failed(&key) && !json_object_get(seen, key.data) &&
                  json_object_set_new(seen, key.data, json_true()) == 0;
    buf_finish(&key);
    return is_new;
}

static bool check_once(const json_t *rows, const struct once *once, struct state_fault *fault)
{
    json_t *seen = json_object();
    bool good = seen != NULL;
    for (size_t i = 0; good && i < json_array_size(rows); i++) {
        const json_t *row = json_array_get(rows, i), *value = json_object_get(row, once->field);
        if (!value || json_is_null(value))
            continue;
        good = note(seen, value, once->within ? json_object_get(row, once->within) : NULL) ||
               tell_row(fault, state_lists[once->table].name, i, once->field,
                        "is that of another one before it");
    }
    json_decref(seen);
    return good;
}

/* What a row names must be there. */
static const struct reference {
    enum snapshot_table from;
    const char *field;
    enum snapshot_table to;
    const char *problem;
    const char *with; /* a field that it must have; or NULL */
} references[] = {
    {SNAPSHOT_JOBS, "scenario", SNAPSHOT_SCENARIOS, "is no scenario of the document", NULL},
    {SNAPSHOT_DELIVERIES, "job", SNAPSHOT_JOBS, "is no job of the document", NULL},
    {SNAPSHOT_DELIVERIES, "job", SNAPSHOT_JOBS, "is a job with no callback_url", "callback_url"},
    {SNAPSHOT_DELIVERIES, "job", SNAPSHOT_JOBS, "is a job that has not ended", "completed_at"},
    {SNAPSHOT_SESSIONS, "job", SNAPSHOT_JOBS, "is no job of the document", NULL},
};

static bool can_be_named(const json_t *row, const struct reference *reference)
{
    const json_t *value = reference->with ? json_object_get(row, reference->with) : NULL;
    return !reference->with || (value && !json_is_null(value));
}

static bool check_reference(const json_t *const lists[SNAPSHOT_TABLES],
                            const struct reference *reference, struct state_fault *fault)
{
    const json_t *rows = lists[reference->from], *others = lists[reference->to];
    json_t *known = json_object();
    bool good = known != NULL;
    for (size_t i = 0; good && i < json_array_size(others); i++) {
        const json_t *other = json_array_get(others, i);
        if (can_be_named(other, reference))
            good = note(known, json_object_get(other, "id"), NULL);
    }
    for (size_t i = 0; good && i < json_array_size(rows); i++) {
        const char *id =
            json_string_value(json_object_get(json_array_get(rows, i), reference->field));
        char quoted[ID_HEX_SIZE + 2];
        snprintf(quoted, sizeof quoted, "\"%s\"", id ? id : "");
        good = !id || json_object_get(known, quoted) ||
               tell_row(fault, state_lists[reference->from].name, i, reference->field,
                        reference->problem);
    }
    json_decref(known);
    return good;
}

static bool check_rows(const json_t *const lists[SNAPSHOT_TABLES], struct state_fault *fault)
{
    struct state_row row = {.marks = 0};
    bool good = true;
    for (size_t i = 0; good && i < SNAPSHOT_TABLES; i++)
        for (size_t j = 0; good && j < json_array_size(lists[i]); j++)
            good = state_take_row(&state_lists[i], j, json_array_get(lists[i], j), &row, fault);
    state_row_finish(&row);
    return good;
}

bool state_check_lists(const json_t *const lists[SNAPSHOT_TABLES], struct state_fault *fault)
{
    if (json_array_size(lists[SNAPSHOT_RULES]) > RULES_MAX) {
        snprintf(fault->path, sizeof fault->path, "rules");
        return state_wrong(fault, "must be 10000 or fewer");
    }
    bool good = check_rows(lists, fault);
    for (size_t i = 0; good && i < sizeof onces / sizeof *onces; i++)
        good = check_once(lists[onces[i].table], &onces[i], fault);
    for (size_t i = 0; good && i < sizeof references / sizeof *references; i++)
        good = check_reference(lists, &references[i], fault);
    return good;
}

/* -- secrets ----------------------------------------------------------------------------------- */

const char *state_lacks_secret(const json_t *headers)
{
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)headers, name, value)
    {
        if (json_is_null(value))
            return name;
    }
    return NULL;
}

void state_want_secret(struct state_fault *fault, size_t job, const char *header)
{
    char shown[NAME_SHOWN], field[sizeof "callback_headers." + NAME_SHOWN];
    show_name(header, shown);
    snprintf(field, sizeof field, "callback_headers.%s", shown);
    tell_row(fault, "jobs", job, field,
             "has no value, and there is no such job here that has one: GET "
             "/_mock/state?reveal=true writes values too");
}

void state_want_webhook_secret(struct state_fault *fault, size_t index)
{
    snprintf(fault->path, sizeof fault->path, "settings.webhook_secrets[%zu]", index);
    state_wrong(fault, "has no value, and there is no such secret here: GET "
                       "/_mock/state?reveal=true writes values too");
}

static bool check_webhook_secrets(const json_t *secrets, struct state_fault *fault)
{
    for (size_t i = 0; i < json_array_size(secrets); i++) {
        if (!json_is_null(json_array_get(secrets, i)))
            continue;
        state_want_webhook_secret(fault, i);
        return false;
    }
    return true;
}

bool state_check_secrets(const json_t *document, struct state_fault *ret_fault)
{
    const json_t *jobs = json_object_get(document, "jobs");
    const json_t *settings = json_object_get(document, "settings");
    *ret_fault = (struct state_fault){.path = ""};
    if (!check_webhook_secrets(json_object_get(settings, "webhook_secrets"), ret_fault))
        return false;
    for (size_t i = 0; i < json_array_size(jobs); i++) {
        const char *header =
            state_lacks_secret(json_object_get(json_array_get(jobs, i), "callback_headers"));
        if (!header)
            continue;
        state_want_secret(ret_fault, i, header);
        return false;
    }
    return true;
}
