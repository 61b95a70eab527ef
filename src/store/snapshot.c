#include "store/snapshot.h"

#include "store/query.h"

/* Columns and as many placeholders; `job` in plans and deliveries is the job's id. */
#define SCENARIO "id, slug, name, source, job, created_at"
#define JOB                                                                                        \
    "event, id, status, job.created_at, started_at, completed_at, due_at, queue_time,"             \
    " processing_time, start_cause, end_cause, scenario, job.error_code, job.error_message, base," \
    " request_id, session, user_email, job.scenario_slug, callback_url, callback_headers, prompt," \
    " context, marks"
#define PLAN                                                                                       \
    "ending, plan.error_code, plan.error_message, plan.scenario_name, plan.scenario_slug,"         \
    " polls_queued, polls_processing, hold_at, polls, rule, webhook, webhook_rule"
#define SESSION "id, job, created_at, base, request_id, user_email, prompt"
#define PROJECT_SCENARIO                                                                           \
    "project, id, name, instructions, messages, max_messages, success_criteria, failure_criteria," \
    " failure_criteria_mode, evaluators, persona_ids, created_at, updated_at"

/* ?1 is the workspace, and where the row names a job, ?2 its id. */
#define SEVEN "?2, ?3, ?4, ?5, ?6, ?7, ?8"

enum {
    READ,
    PUT = READ + SNAPSHOT_TABLES,
    PUT_PLAN = PUT + SNAPSHOT_TABLES,
    CLEAR,
    STATEMENTS = CLEAR + SNAPSHOT_TABLES,
};

#define OWN(table_)    " FROM " table_ " WHERE workspace = ? ORDER BY seq"

#define REMOVE(table_) WRITES("DELETE FROM " table_ " WHERE workspace = ?")

static const struct sql statements[STATEMENTS] = {
    [READ + SNAPSHOT_SCENARIOS] = READS("SELECT " SCENARIO OWN("scenario")),
    [READ + SNAPSHOT_JOBS] =
        READS("SELECT " JOB ", " PLAN " FROM job INDEXED BY job_event"
              " LEFT JOIN job_plan AS plan ON plan.job = job.seq AND job.marks & 1"
              " WHERE workspace = ? ORDER BY event"),
    [READ + SNAPSHOT_DELIVERIES] =
        READS("SELECT job.id, delivery.status, delivery.created_at, delivery.id, message,"
              " delivery.due_at, ended_at, attempts, tries, rule, cut, body FROM delivery"
              " JOIN job ON job.seq = delivery.job WHERE delivery.workspace = ?"
              " ORDER BY delivery.seq"),
    [READ + SNAPSHOT_SESSIONS] = READS("SELECT " SESSION OWN("session")),
    [READ + SNAPSHOT_PROJECT_SCENARIOS] = READS("SELECT " PROJECT_SCENARIO OWN("project_scenario")),
    [READ + SNAPSHOT_RULES] =
        READS("SELECT id, document, uses_left, skip_left, hits, created_at" OWN("rule")),
    [PUT + SNAPSHOT_RULES] =
        WRITES("INSERT INTO rule (workspace, id, document, uses_left, skip_left, hits, created_at,"
               " label) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, json_extract(?3, '$.label'))"),
    [PUT + SNAPSHOT_SCENARIOS] = WRITES("INSERT INTO scenario (workspace, " SCENARIO ")"
                                        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)"),
    [PUT + SNAPSHOT_JOBS] = WRITES(
        "INSERT INTO job (workspace, event, id, status, created_at, started_at,"
        " completed_at, due_at, queue_time, processing_time, start_cause, end_cause,"
        " scenario, error_code, error_message, base, request_id, session, user_email,"
        " scenario_slug, callback_url, callback_headers, prompt, context, marks) VALUES (?1, " SEVEN
        ", ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24,"
        " ?25)"),
    [PUT_PLAN] = WRITES("INSERT INTO job_plan (job, ending, error_code, error_message,"
                        " scenario_name, scenario_slug, polls_queued, polls_processing, hold_at,"
                        " polls, rule, webhook, webhook_rule) SELECT seq, ?3, ?4, ?5, ?6, ?7, ?8,"
                        " ?9, ?10, ?11, ?12, ?13, ?14 FROM job WHERE workspace = ?1 AND id = ?2"),
    [PUT + SNAPSHOT_DELIVERIES] =
        /* By hand a document may say no more than its status. */
    WRITES("INSERT INTO delivery (workspace, job, status, created_at, id, message, due_at,"
           " ended_at, attempts, tries, rule, cut, body, bytes)"
           " SELECT ?1, seq, ?3, ?4, coalesce(?5, lower(hex(randomblob(6)))),"
           " coalesce(?6, ?5, lower(hex(randomblob(6)))),"
           " coalesce(?7, CASE ?3 WHEN 0 THEN ?4 END), coalesce(?8, CASE WHEN ?3 > 2 THEN ?4 END),"
           " ?9, ?10, ?11, ?12, ?13, coalesce(length(CAST(?13 AS BLOB)), 0)"
           " FROM job WHERE workspace = ?1 AND id = ?2"),
    [PUT + SNAPSHOT_SESSIONS] = WRITES("INSERT INTO session (workspace, " SESSION ")"
                                       " VALUES (?1, " SEVEN ")"),
    [PUT + SNAPSHOT_PROJECT_SCENARIOS] =
        WRITES("INSERT INTO project_scenario (workspace, " PROJECT_SCENARIO ") VALUES (?1, " SEVEN
               ", ?9, ?10, ?11, ?12, ?13, ?14)"),
    [CLEAR + SNAPSHOT_SCENARIOS] = REMOVE("scenario"),
    [CLEAR + SNAPSHOT_JOBS] = REMOVE("job"),
    [CLEAR + SNAPSHOT_DELIVERIES] = REMOVE("delivery"),
    [CLEAR + SNAPSHOT_SESSIONS] = REMOVE("session"),
    [CLEAR + SNAPSHOT_PROJECT_SCENARIOS] = REMOVE("project_scenario"),
    [CLEAR + SNAPSHOT_RULES] = REMOVE("rule"),
};
const struct sql_list snapshot_sql = {statements, STATEMENTS};

/* Values of a row, as they are put back. */
static const size_t columns[SNAPSHOT_TABLES] = {
    [SNAPSHOT_SCENARIOS] = 6,          [SNAPSHOT_JOBS] = 24,
    [SNAPSHOT_DELIVERIES] = 12,        [SNAPSHOT_SESSIONS] = 7,
    [SNAPSHOT_PROJECT_SCENARIOS] = 13, [SNAPSHOT_RULES] = 6,
};
enum { PLAN_COLUMNS = 12 };

static struct snapshot_value read_value(struct query *query, int column)
{
    switch (sqlite3_column_type(query->statement, column)) {
    case SQLITE_NULL:
        return (struct snapshot_value){.is_null = true};
    case SQLITE_INTEGER:
        return (struct snapshot_value){.number = query_get_int(query, column)};
    default:
        return (struct snapshot_value){.text = query_get_text(query, column),
                                       .len =
                                           (size_t)sqlite3_column_bytes(query->statement, column)};
    }
}

int snapshot_each(struct db *db, enum snapshot_table table, int64_t workspace,
                  int (*visit)(struct snapshot_value *values, void *arg), void *arg)
{
    struct snapshot_value values[SNAPSHOT_COLUMNS_MAX];
    struct query query = query_begin(db, TABLE_SNAPSHOT, READ + (int)table);
    int status;
    query_int(&query, workspace);
    while ((status = query_step(&query)) > 0) {
        int count = sqlite3_column_count(query.statement);
        for (int i = 0; i < count; i++)
            values[i] = read_value(&query, i);
        if ((status = visit(values, arg)) < 0)
            break;
    }
    query_end(&query);
    return status;
}

static int insert(struct query *query, const struct snapshot_value *values, size_t count)
{
    struct db *db = query->db;
    for (size_t i = 0; i < count; i++) {
        if (values[i].text)
            query_text_n(query, values[i].text, values[i].len);
        else if (values[i].is_null)
            query_text(query, NULL);
        else
            query_int(query, values[i].number);
    }
    int status = query_run(query);
    return status < 0 || query_changes(db) == 1 ? status : ERR_NOT_FOUND;
}

int snapshot_insert(struct db *db, enum snapshot_table table, int64_t workspace,
                    const struct snapshot_value *values)
{
    struct query query = query_begin(db, TABLE_SNAPSHOT, PUT + (int)table);
    query_int(&query, workspace);
    return insert(&query, values, columns[table]);
}

int snapshot_insert_plan(struct db *db, int64_t workspace, const char *job,
                         const struct snapshot_value *values)
{
    struct query query = query_begin(db, TABLE_SNAPSHOT, PUT_PLAN);
    query_int(&query, workspace);
    query_text(&query, job);
    return insert(&query, values, PLAN_COLUMNS);
}

int snapshot_clear(struct db *db, enum snapshot_table table, int64_t workspace)
{
    struct query query = query_begin(db, TABLE_SNAPSHOT, CLEAR + (int)table);
    query_int(&query, workspace);
    return query_run(&query);
}
