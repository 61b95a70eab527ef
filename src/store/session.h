/* The Studio API's sessions. */
#ifndef UNDERSTUDY_STORE_SESSION_H
#define UNDERSTUDY_STORE_SESSION_H

#include "base/id.h"
#include "store/job.h"

struct session {
    int64_t seq;
    char id[ID_HEX_SIZE];
    char job[ID_HEX_SIZE]; /* the id of the job that opening it started; else "" */
    int64_t created_at;
    char base[URL_BASE_SIZE]; /* of its url */
};

/* Borrowed strings; NULL where there is none. */
struct session_input {
    const char *user_email, *prompt, *request_id;
};

/* Writes a session; sets session->seq. ERR_EXISTS: its id or request id is taken. Writer. */
int session_insert(struct db *db, int64_t workspace, struct session *session,
                   const struct session_input *input);

/* Read a session by id or by request id. ERR_NOT_FOUND. */
int session_by_id(struct db *db, int64_t workspace, const char *id, struct session *ret_session);
int session_by_request_id(struct db *db, int64_t workspace, const char *request_id,
                          struct session *ret_session);

/* Lets `visit` see what a session was asked with, which lasts until it returns. ERR_NOT_FOUND. */
int session_input(struct db *db, int64_t workspace, const char *id,
                  int (*visit)(const struct session_input *input, void *arg), void *arg);

/* Notes the job that a session started. Writer. */
int session_set_job(struct db *db, int64_t seq, const char *job);

#endif
