#include "store/job.h"

#include "store/job_row.h"

enum {
    INSERT,
    BY_ID,
    BY_REQUEST_ID,
    INPUT,
    NEXT_QUEUED,
    NEXT_PROCESSING,
    DUE_QUEUED,
    DUE_PROCESSING,
    COUNT_PROCESSING,
    COUNT_QUEUED,
    COUNT_BY_STATUS,
    LAST_EVENT,
    CHANGE,
    STATEMENTS,
};

#define WITH_SCENARIO "SELECT " JOB_COLUMNS ", " JOB_SCENARIO_COLUMNS " FROM job" JOB_SCENARIO_JOIN
/* INDEXED BY makes a plan that would read every job fail at the start. */
#define NEXT_DUE(index_, status_)                                                                  \
    "SELECT " JOB_COLUMNS " FROM job INDEXED BY " index_                                           \
    " WHERE workspace = ? AND status = " status_ " AND due_at <= ? ORDER BY due_at, seq LIMIT 1"
#define DUE(index_, status_)                                                                       \
    "SELECT " JOB_COLUMNS " FROM job INDEXED BY " index_                                           \
    " WHERE workspace = ? AND status = " status_                                                   \
    " AND due_at IS NOT NULL ORDER BY due_at, seq LIMIT ?"

/* One pass, where GROUP BY would sort. */
#define COUNT_IF(status_) "count(*) FILTER (WHERE status = " status_ ")"

static const struct sql statements[STATEMENTS] = {
    [INSERT] = WRITES("INSERT INTO job (workspace, id, status, created_at, due_at, queue_time,"
                      " processing_time, event, marks, base, request_id, session, user_email,"
                      " scenario_slug, callback_url, callback_headers, prompt, context)"
                      " VALUES (?, ?, 0, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"),
    [BY_ID] = READS(WITH_SCENARIO " WHERE job.workspace = ? AND job.id = ?"),
    [BY_REQUEST_ID] = READS(WITH_SCENARIO " WHERE job.workspace = ? AND job.request_id = ?"),
    [INPUT] = READS("SELECT user_email, prompt, context, scenario_slug, request_id, callback_url,"
                    " callback_headers, session FROM job WHERE seq = ?"),
    [NEXT_QUEUED] = READS(NEXT_DUE("job_queued", "0")),
    [NEXT_PROCESSING] = READS(NEXT_DUE("job_processing", "1")),
    [DUE_QUEUED] = READS(DUE("job_queued", "0")),
    [DUE_PROCESSING] = READS(DUE("job_processing", "1")),
    [COUNT_PROCESSING] = READS("SELECT count(*) FROM job INDEXED BY job_processing"
                               " WHERE workspace = ? AND status = 1"),
    [COUNT_BY_STATUS] = READS("SELECT " COUNT_IF("0") ", " COUNT_IF("1") ", " COUNT_IF(
        "2") ", " COUNT_IF("3") ", " COUNT_IF("4") " FROM job"),
    [COUNT_QUEUED] = READS("SELECT count(*) FROM job INDEXED BY job_queued"
                           " WHERE workspace = ? AND status = 0"),
    [LAST_EVENT] = READS("SELECT coalesce(max(event), 0) FROM job INDEXED BY job_event"
                         " WHERE workspace = ?"),
    [CHANGE] = WRITES(
        "UPDATE job SET status = ?, started_at = ?, completed_at = ?, due_at = ?,"
        " marks = ?, start_cause = ?, end_cause = ?, scenario = ?, error_code = ?, error_message = ?"
        " WHERE seq = ? AND status = ?"),
};
const struct sql_list job_sql = {statements, STATEMENTS};

const char *job_status_name(enum job_status status)
{
    static const char *const names[JOB_STATUSES] = {
        [JOB_QUEUED] = "queued", [JOB_PROCESSING] = "processing", [JOB_COMPLETED] = "completed",
        [JOB_FAILED] = "failed", [JOB_CANCELLED] = "cancelled",
    };
    return names[status];
}

int job_insert(struct db *db, int64_t workspace, struct job *job, const struct job_input *input)
{
    struct query query = query_begin(db, TABLE_JOB, INSERT);
    query_int(&query, workspace);
    query_text(&query, job->id);
    query_int(&query, job->created_at);
    query_int_or_null(&query, job->due_at);
    query_int(&query, job->queue_time);
    query_int(&query, job->processing_time);
    query_int(&query, job->event);
    query_int(&query, job->marks);
    query_text(&query, job->base);
    query_text(&query, input->request_id);
    query_text(&query, input->session);
    query_text(&query, input->user_email);
    query_text(&query, input->scenario_slug);
    query_text(&query, input->callback_url);
    query_text(&query, input->callback_headers);
    query_text(&query, input->prompt);
    query_text(&query, input->context);
    int status = query_run(&query);
    if (status == 0) {
        job->seq = query_last_key(db);
        job->has_callback = input->callback_url != NULL;
    }
    return status;
}

void job_row_read(struct query *query, bool with_scenario, struct job *job)
{
    *job = (struct job){
        .seq = query_get_int(query, 0),
        .status = (enum job_status)query_get_int(query, 2),
        .created_at = query_get_int(query, 3),
        .started_at = query_get_int_or(query, 4, -1),
        .completed_at = query_get_int_or(query, 5, -1),
        .due_at = query_get_int_or(query, 6, -1),
        .processing_time = query_get_int(query, 7),
        .has_callback = query_get_int(query, 11) != 0,
        .queue_time = query_get_int(query, 12),
        .event = query_get_int(query, 13),
        .marks = (unsigned)query_get_int(query, 14),
        .start_cause = (enum job_cause)query_get_int(query, 15),
        .end_cause = (enum job_cause)query_get_int(query, 16),
    };
    query_copy_text(query, 1, job->id, sizeof job->id);
    query_copy_text(query, 8, job->error_code, sizeof job->error_code);
    query_copy_text(query, 9, job->error_message, sizeof job->error_message);
    query_copy_text(query, 10, job->base, sizeof job->base);
    if (!with_scenario)
        return;
    query_copy_text(query, 17, job->scenario_id, sizeof job->scenario_id);
    query_copy_text(query, 18, job->scenario_slug, sizeof job->scenario_slug);
    query_copy_text(query, 19, job->scenario_name, sizeof job->scenario_name);
}

/* Reads the one job that a query gives, and ends it. */
static int read_one(struct query *query, bool with_scenario, struct job *ret_job)
{
    int status = query_step(query);
    if (status > 0)
        job_row_read(query, with_scenario, ret_job);
    query_end(query);
    return status > 0 ? 0 : status < 0 ? status : ERR_NOT_FOUND;
}

int job_by_id(struct db *db, int64_t workspace, const char *id, struct job *ret_job)
{
    struct query query = query_begin(db, TABLE_JOB, BY_ID);
    query_int(&query, workspace);
    query_text(&query, id);
    return read_one(&query, true, ret_job);
}

int job_by_request_id(struct db *db, int64_t workspace, const char *request_id, struct job *ret_job)
{
    struct query query = query_begin(db, TABLE_JOB, BY_REQUEST_ID);
    query_int(&query, workspace);
    query_text(&query, request_id);
    return read_one(&query, true, ret_job);
}

int job_input(struct db *db, int64_t seq, int (*visit)(const struct job_input *input, void *arg),
              void *arg)
{
    struct query query = query_begin(db, TABLE_JOB, INPUT);
    query_int(&query, seq);
    int status = query_step(&query);
    if (status > 0) {
        struct job_input input = {
            .user_email = query_get_text(&query, 0),
            .prompt = query_get_text(&query, 1),
            .context = query_get_text(&query, 2),
            .scenario_slug = query_get_text(&query, 3),
            .request_id = query_get_text(&query, 4),
            .callback_url = query_get_text(&query, 5),
            .callback_headers = query_get_text(&query, 6),
            .session = query_get_text(&query, 7),
        };
        status = visit(&input, arg);
    } else if (status == 0) {
        status = ERR_NOT_FOUND;
    }
    query_end(&query);
    return status;
}

int job_next_due(struct db *db, int64_t workspace, enum job_status status, int64_t until,
                 struct job *ret_job)
{
    struct query query =
        query_begin(db, TABLE_JOB, status == JOB_QUEUED ? NEXT_QUEUED : NEXT_PROCESSING);
    query_int(&query, workspace);
    query_int(&query, until);
    return read_one(&query, false, ret_job);
}

int job_each_due(struct db *db, int64_t workspace, enum job_status status, size_t limit,
                 int (*visit)(const struct job *job, void *arg), void *arg)
{
    struct query query =
        query_begin(db, TABLE_JOB, status == JOB_QUEUED ? DUE_QUEUED : DUE_PROCESSING);
    struct job job;
    int result;
    query_int(&query, workspace);
    query_int(&query, (int64_t)limit);
    while ((result = query_step(&query)) > 0) {
        job_row_read(&query, false, &job);
        if ((result = visit(&job, arg)) < 0)
            break;
    }
    query_end(&query);
    return result;
}

static int count(struct db *db, int statement, int64_t workspace, int64_t *ret_count)
{
    struct query query = query_begin(db, TABLE_JOB, statement);
    query_int(&query, workspace);
    int status = query_step(&query);
    if (status > 0)
        *ret_count = query_get_int(&query, 0);
    query_end(&query);
    return status > 0 ? 0 : status < 0 ? status : ERR_INTERNAL;
}

int job_count_processing(struct db *db, int64_t workspace, int64_t *ret_count)
{
    return count(db, COUNT_PROCESSING, workspace, ret_count);
}

int job_count_unfinished(struct db *db, int64_t workspace, int64_t *ret_count)
{
    int64_t queued = 0, processing = 0;
    int status = count(db, COUNT_QUEUED, workspace, &queued);
    if (status == 0)
        status = count(db, COUNT_PROCESSING, workspace, &processing);
    if (status == 0)
        *ret_count = queued + processing;
    return status;
}

int job_count_by_status(struct db *db, int64_t ret_counts[JOB_STATUSES])
{
    struct query query = query_begin(db, TABLE_JOB, COUNT_BY_STATUS);
    int status = query_step(&query);
    for (int i = 0; i < JOB_STATUSES && status > 0; i++)
        ret_counts[i] = query_get_int(&query, i);
    query_end(&query);
    return status > 0 ? 0 : status < 0 ? status : ERR_INTERNAL;
}

int job_last_event(struct db *db, int64_t workspace, int64_t *ret_event)
{
    return count(db, LAST_EVENT, workspace, ret_event);
}

int job_change(struct db *db, int64_t seq, const struct job_change *change)
{
    struct query query = query_begin(db, TABLE_JOB, CHANGE);
    query_int(&query, change->to);
    query_int_or_null(&query, change->started_at);
    query_int_or_null(&query, change->completed_at);
    query_int_or_null(&query, change->due_at);
    query_int(&query, change->marks);
    query_int(&query, change->start_cause);
    query_int(&query, change->end_cause);
    query_text(&query, change->scenario);
    query_text(&query, change->error_code);
    query_text(&query, change->error_message);
    query_int(&query, seq);
    query_int(&query, change->from);
    int status = query_run(&query);
    return status < 0 || query_changes(db) == 1 ? status : ERR_NOT_FOUND;
}
