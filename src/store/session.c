#include "store/session.h"

#include "store/query.h"

enum { INSERT, BY_ID, BY_REQUEST_ID, INPUT, SET_JOB, STATEMENTS };

#define SELECT "SELECT seq, id, job, created_at, base FROM session"

static const struct sql statements[STATEMENTS] = {
    [INSERT] = WRITES("INSERT INTO session (workspace, id, created_at, base, request_id,"
                      " user_email, prompt) VALUES (?, ?, ?, ?, ?, ?, ?)"),
    [BY_ID] = READS(SELECT " WHERE workspace = ? AND id = ?"),
    [BY_REQUEST_ID] = READS(SELECT " WHERE workspace = ? AND request_id = ?"),
    [INPUT] = READS("SELECT user_email, prompt, request_id FROM session"
                    " WHERE workspace = ? AND id = ?"),
    [SET_JOB] = WRITES("UPDATE session SET job = ? WHERE seq = ?"),
};
const struct sql_list session_sql = {statements, STATEMENTS};

int session_insert(struct db *db, int64_t workspace, struct session *session,
                   const struct session_input *input)
{
    struct query query = query_begin(db, TABLE_SESSION, INSERT);
    query_int(&query, workspace);
    query_text(&query, session->id);
    query_int(&query, session->created_at);
    query_text(&query, session->base);
    query_text(&query, input->request_id);
    query_text(&query, input->user_email);
    query_text(&query, input->prompt);
    int status = query_run(&query);
    if (status == 0)
        session->seq = query_last_key(db);
    return status;
}

static int read_one(struct query *query, struct session *ret_session)
{
    int status = query_step(query);
    if (status > 0) {
        *ret_session =
            (struct session){.seq = query_get_int(query, 0), .created_at = query_get_int(query, 3)};
        query_copy_text(query, 1, ret_session->id, sizeof ret_session->id);
        query_copy_text(query, 2, ret_session->job, sizeof ret_session->job);
        query_copy_text(query, 4, ret_session->base, sizeof ret_session->base);
    }
    query_end(query);
    return status > 0 ? 0 : status < 0 ? status : ERR_NOT_FOUND;
}

int session_by_id(struct db *db, int64_t workspace, const char *id, struct session *ret_session)
{
    struct query query = query_begin(db, TABLE_SESSION, BY_ID);
    query_int(&query, workspace);
    query_text(&query, id);
    return read_one(&query, ret_session);
}

int session_by_request_id(struct db *db, int64_t workspace, const char *request_id,
                          struct session *ret_session)
{
    struct query query = query_begin(db, TABLE_SESSION, BY_REQUEST_ID);
    query_int(&query, workspace);
    query_text(&query, request_id);
    return read_one(&query, ret_session);
}

int session_input(struct db *db, int64_t workspace, const char *id,
                  int (*visit)(const struct session_input *input, void *arg), void *arg)
{
    struct query query = query_begin(db, TABLE_SESSION, INPUT);
    query_int(&query, workspace);
    query_text(&query, id);
    int status = query_step(&query);
    if (status > 0) {
        struct session_input input = {.user_email = query_get_text(&query, 0),
                                      .prompt = query_get_text(&query, 1),
                                      .request_id = query_get_text(&query, 2)};
        status = visit(&input, arg);
    } else if (status == 0) {
        status = ERR_NOT_FOUND;
    }
    query_end(&query);
    return status;
}

int session_set_job(struct db *db, int64_t seq, const char *job)
{
    struct query query = query_begin(db, TABLE_SESSION, SET_JOB);
    query_text(&query, job);
    query_int(&query, seq);
    return query_run(&query);
}
