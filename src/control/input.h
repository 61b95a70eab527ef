/* What a job or a session was made with, as the body of the request that made it; and what rules
 * ask of a body. HTTP threads. */
#ifndef UNDERSTUDY_CONTROL_INPUT_H
#define UNDERSTUDY_CONTROL_INPUT_H

#include "engine/rule_match.h"
#include "store/job.h"
#include "store/session.h"

/* The body is the caller's, to be let go of by json_decref(). ERR_NOT_FOUND, ERR_NO_MEMORY. */
int input_of_job(struct db *db, int64_t workspace, const char *id, struct job *ret_job,
                 json_t **ret_input);
int input_of_session(struct db *db, int64_t workspace, const char *id, struct session *ret_session,
                     json_t **ret_input);

/* Fills in what a body has, which must live as long as the request; no object has nothing. */
void input_fill(struct rule_request *rules, const json_t *body);

#endif
