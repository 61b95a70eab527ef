#include "store/plan.h"

#include "store/query.h"

enum { INSERT, READ, READ_WEBHOOK, SET_POLLS, RELEASE, STATEMENTS };

#define COLUMNS                                                                                    \
    "ending, error_code, error_message, scenario_name, scenario_slug, polls_queued,"               \
    " polls_processing, hold_at, polls, rule"
#define WEBHOOK "webhook, webhook_rule"

static const struct sql statements[STATEMENTS] = {
    [INSERT] = WRITES("INSERT INTO job_plan (" COLUMNS ", " WEBHOOK ", job)"
                      " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"),
    [READ] = READS("SELECT " COLUMNS " FROM job_plan WHERE job = ?"),
    [READ_WEBHOOK] = READS("SELECT " WEBHOOK " FROM job_plan WHERE job = ? AND webhook NOT NULL"),
    [SET_POLLS] = WRITES("UPDATE job_plan SET polls = ? WHERE job = ?"),
    [RELEASE] = WRITES("UPDATE job_plan SET hold_at = NULL WHERE job = ?"),
};
const struct sql_list plan_sql = {statements, STATEMENTS};

static const char *text_or_null(const char *text)
{
    return *text ? text : NULL;
}

int plan_insert(struct db *db, int64_t job, const struct plan_row *row)
{
    const struct plan *plan = &row->plan;
    struct query query = query_begin(db, TABLE_PLAN, INSERT);
    query_int_or_null(&query, plan->end == PLAN_END_UNSAID ? -1 : (int64_t)plan->end);
    query_text(&query, text_or_null(plan->error_code));
    query_text(&query, text_or_null(plan->error_message));
    query_text(&query, text_or_null(plan->scenario_name));
    query_text(&query, text_or_null(plan->scenario_slug));
    query_int_or_null(&query, plan->polls_queued);
    query_int_or_null(&query, plan->polls_processing);
    query_int_or_null(&query, plan->hold_at);
    query_int(&query, row->polls);
    query_text(&query, text_or_null(row->rule));
    query_text(&query, row->webhook);
    query_text(&query, text_or_null(row->webhook_rule));
    query_int(&query, job);
    return query_run(&query);
}

int plan_set_polls(struct db *db, int64_t job, int64_t polls)
{
    struct query query = query_begin(db, TABLE_PLAN, SET_POLLS);
    query_int(&query, polls);
    query_int(&query, job);
    return query_run(&query);
}

int plan_release(struct db *db, int64_t job)
{
    struct query query = query_begin(db, TABLE_PLAN, RELEASE);
    query_int(&query, job);
    return query_run(&query);
}

int plan_read(struct db *db, int64_t job, struct plan_row *ret_row)
{
    struct query query = query_begin(db, TABLE_PLAN, READ);
    query_int(&query, job);
    int status = query_step(&query);
    if (status > 0) {
        struct plan *plan = &ret_row->plan;
        *ret_row = (struct plan_row){.polls = query_get_int(&query, 8)};
        *plan = (struct plan){.queued = -1,
                              .processing = -1,
                              .end = (enum plan_end)query_get_int_or(&query, 0, PLAN_END_UNSAID),
                              .polls_queued = (int)query_get_int_or(&query, 5, -1),
                              .polls_processing = (int)query_get_int_or(&query, 6, -1),
                              .hold_at = (int)query_get_int_or(&query, 7, -1)};
        query_copy_text(&query, 1, plan->error_code, sizeof plan->error_code);
        query_copy_text(&query, 2, plan->error_message, sizeof plan->error_message);
        query_copy_text(&query, 3, plan->scenario_name, sizeof plan->scenario_name);
        query_copy_text(&query, 4, plan->scenario_slug, sizeof plan->scenario_slug);
        query_copy_text(&query, 9, ret_row->rule, sizeof ret_row->rule);
    }
    query_end(&query);
    return status > 0 ? 0 : status < 0 ? status : ERR_NOT_FOUND;
}

int plan_webhook(struct db *db, int64_t job,
                 int (*visit)(const char *webhook, const char *rule, void *arg), void *arg,
                 bool *ret_any)
{
    struct query query = query_begin(db, TABLE_PLAN, READ_WEBHOOK);
    query_int(&query, job);
    int status = query_step(&query);
    if (status >= 0)
        *ret_any = status > 0;
    if (status > 0)
        status = visit(query_get_text(&query, 0), query_get_text(&query, 1), arg);
    query_end(&query);
    return status;
}
