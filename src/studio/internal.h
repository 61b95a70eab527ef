/* Inside the Studio API: what its handlers share. HTTP threads. */
#ifndef UNDERSTUDY_STUDIO_INTERNAL_H
#define UNDERSTUDY_STUDIO_INTERNAL_H

#include "base/fields.h"
#include "engine/engine.h"
#include "http/request.h"
#include "store/job.h"
#include "studio/studio.h"

extern const struct route studio_routes[];
extern const size_t studio_route_count;
extern const struct route page_routes[];
extern const size_t page_route_count;

/* The fields of the bodies, in the documents' order. */
extern const struct field job_fields[];
extern const size_t job_field_count;
extern const struct field session_fields[];
extern const size_t session_field_count;

/* -- auth.c: who calls ------------------------------------------------------------------------- */

/* struct api's admit, deny and leave. */
bool auth_admit(struct request *request, const struct route *route);
void auth_deny(struct request *request);
void auth_deny_key(struct request *request); /* 401 (S1) */
bool page_admit(struct request *request, const struct route *route);
void page_deny(struct request *request);
void auth_leave(struct request *request);

/*
 * Before the route's handler: where the key is nobody's yet (--open-keys), makes its workspace.
 * Goes on with `then`, unless the request was answered.
 */
void auth_enter(struct request *request, request_handler *then);

/* The workspace that the request belongs to; the request holds the reference. NULL: it is yet to be
 * made by auth_enter(). */
struct workspace *auth_workspace(struct request *request);

/* -- errors.c: {"error":{type, code?, message}} -------------------------------------------------
 */

/* Answers with an error; `code` NULL where the contract lists none. */
void studio_error(struct request *request, int status, const char *type, const char *code,
                  const char *message);

/* 400 invalid_request. */
void studio_invalid(struct request *request, const char *code, const char *message);

/* S8, S9 and S16. */
void studio_no_member(struct request *request, const char *email);
void studio_no_scenario(struct request *request, const char *slug);
void studio_no_job(struct request *request, const char *id);

/* struct api's refuse. */
void studio_refuse(struct request *request, const struct refusal *refusal);

/*
 * Reads the body into `dest` by `table` (S4 to S7); where magic is on, #mock lines are looked at as
 * formats are (S6). False: the request was answered with what is
 * wrong.
 */
bool studio_read_body(struct request *request, const struct field *table, size_t count, void *dest);

/* -- what else is shared ------------------------------------------------------------------------
 */

struct studio *studio_of(struct request *request);

/*
 * Writes the base of urls for what this request makes (S13, H7); false, with the request answered,
 * when there is no memory for it.
 */
bool studio_base(struct request *request, char ret_base[URL_BASE_SIZE]);

/* This thread's connection to the store; NULL, with the request answered, where there is none. */
struct db *studio_reader(struct request *request);

/* Sets an operation up for this request, suspends it, and sends the operation off. */
void studio_operate(struct request *request, struct operation *operation,
                    int (*run)(struct write *write, struct db *db), request_handler *then);

/* Suspends the request and sends off an operation that is set up. */
void studio_submit(struct request *request, struct operation *operation, request_handler *then);

/* Whether an operation was undone; then the request has been answered (H6). */
bool studio_failed(struct request *request, const struct operation *operation);

/* -- handlers -----------------------------------------------------------------------------------
 */

void session_create_handler(struct request *request);
void job_create_handler(struct request *request);
void job_get_handler(struct request *request);
void job_cancel_handler(struct request *request);
void chat_handler(struct request *request);
void scenario_handler(struct request *request);

#endif
