#include "store/job_list.h"

#include "store/job_row.h"

enum { ALL, BY_REQUEST_ID, COUNT_WAITING, STATEMENTS };

#define COLUMNS                                                                                    \
    "SELECT " JOB_COLUMNS ", " JOB_SCENARIO_COLUMNS ", job.user_email, job.prompt, job.context,"   \
    " job.scenario_slug, job.request_id, job.callback_url, job.callback_headers, job.session"      \
    " FROM job"
/* A prompt is looked into last: long ones lie apart from the row. */
#define WHERE                                                                                      \
    " WHERE job.workspace = ?1 AND job.event > ?2 AND job.event <= ?3"                             \
    " AND (?4 IS NULL OR job.status = ?4) AND (?5 IS NULL OR job.request_id = ?5)"                 \
    " AND (?6 IS NULL OR job.scenario_slug = ?6) AND (?7 IS NULL OR job.session = ?7)"             \
    " AND (?8 IS NULL OR instr(job.prompt, ?8) > 0)"
/* Held and polled jobs have no due_at; both indexes are of unfinished jobs alone. */
#define COUNT(index_, status_, due_)                                                               \
    "(SELECT count(*) FROM job INDEXED BY " index_ " WHERE workspace = ?1 AND status = " status_   \
    " AND due_at " due_ ")"

static const struct sql statements[STATEMENTS] = {
    [ALL] = READS(COLUMNS " INDEXED BY job_event" JOB_SCENARIO_JOIN WHERE " ORDER BY job.event"),
    [BY_REQUEST_ID] = READS(COLUMNS " INDEXED BY job_request_id" JOB_SCENARIO_JOIN WHERE
                                    " AND job.request_id = ?5"),
    /* One statement, so that no job moves between the counts. */
    [COUNT_WAITING] = READS("SELECT " COUNT("job_queued", "0", ">= 0") " + " COUNT(
        "job_processing", "1", ">= 0") ", " COUNT("job_queued", "0",
                                                  "IS NULL") " + " COUNT("job_processing", "1",
                                                                         "IS NULL")),
};
const struct sql_list job_list_sql = {statements, STATEMENTS};

static void read_input(struct query *query, struct job_input *input)
{
    int first = JOB_COLUMN_COUNT + JOB_SCENARIO_COLUMN_COUNT;
    *input = (struct job_input){
        .user_email = query_get_text(query, first),
        .prompt = query_get_text(query, first + 1),
        .context = query_get_text(query, first + 2),
        .scenario_slug = query_get_text(query, first + 3),
        .request_id = query_get_text(query, first + 4),
        .callback_url = query_get_text(query, first + 5),
        .callback_headers = query_get_text(query, first + 6),
        .session = query_get_text(query, first + 7),
    };
}

int job_each(struct db *db, int64_t workspace, const struct job_filter *filter,
             int (*visit)(const struct job *job, const struct job_input *input, void *arg),
             void *arg)
{
    struct query query = query_begin(db, TABLE_JOB_LIST, filter->request_id ? BY_REQUEST_ID : ALL);
    query_int(&query, workspace);
    query_int(&query, filter->after);
    query_int(&query, filter->until);
    query_int_or_null(&query, filter->status);
    query_text(&query, filter->request_id);
    query_text(&query, filter->scenario_slug);
    query_text(&query, filter->session);
    query_text(&query, filter->prompt);
    int status;
    while ((status = query_step(&query)) > 0) {
        struct job job;
        struct job_input input;
        job_row_read(&query, true, &job);
        read_input(&query, &input);
        if ((status = visit(&job, &input, arg)) != 0)
            break;
    }
    query_end(&query);
    return status;
}

int job_count_waiting(struct db *db, int64_t workspace, int64_t *ret_timed, int64_t *ret_untimed)
{
    struct query query = query_begin(db, TABLE_JOB_LIST, COUNT_WAITING);
    query_int(&query, workspace);
    int status = query_step(&query);
    if (status > 0) {
        *ret_timed = query_get_int(&query, 0);
        *ret_untimed = query_get_int(&query, 1);
    }
    query_end(&query);
    return status > 0 ? 0 : status < 0 ? status : ERR_INTERNAL;
}
