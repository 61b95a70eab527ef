/* Inside the Studio API: what its handlers share. HTTP threads. */
#ifndef UNDERSTUDY_STUDIO_INTERNAL_H
#define UNDERSTUDY_STUDIO_INTERNAL_H

#include "base/fields.h"
#include "engine/rules.h"
#include "http/outcome.h"
#include "http/request.h"
#include "store/job.h"
#include "studio/studio.h"

extern const struct route studio_routes[];
extern const size_t studio_route_count;
extern const struct route page_routes[];
extern const size_t page_route_count;

/* What the operations may answer (outcomes.c, page_outcomes.c). */
extern const struct outcome studio_outcomes[];
extern const size_t studio_outcome_count;
extern const struct outcome page_outcomes[];
extern const size_t page_outcome_count;

/* When what the documents' examples show was created: 2024-03-01T10:00:00Z. */
#define SAMPLE_CREATED_AT INT64_C(1709287200000)

/* The fields of the bodies, in the documents' order. */
extern const struct field job_fields[];
extern const size_t job_field_count;
extern const struct field session_fields[];
extern const size_t session_field_count;

/* -- auth.c: who calls ------------------------------------------------------------------------- */

/* struct api's admit, deny, begin and leave. */
bool auth_admit(struct request *request, const struct route *route);
void auth_deny(struct request *request);
void auth_deny_key(struct request *request); /* 401 (S1) */
bool page_admit(struct request *request, const struct route *route);
void page_deny(struct request *request);
void auth_begin(struct request *request);
void auth_leave(struct request *request);

/*
 * Before the route's handler: where the key is nobody's yet (--open-keys), makes its workspace.
 * Goes on with `then`, unless the request was answered.
 */
void auth_enter(struct request *request, request_handler *then);

/* The workspace that the request belongs to; the request holds the reference. NULL: it is yet to be
 * made by auth_enter(). */
struct workspace *auth_workspace(struct request *request);

/* The request among the workspace's rules; once its workspace is there. */
struct rule_subject *auth_subject(struct request *request);

/* The same as struct api's `about`: NULL where the request was refused before it came to that. */
void *auth_about(struct request *request);

/* -- errors.c: {"error":{type, code?, message}} -------------------------------------------------
 */

enum studio_error {
    STUDIO_NO_KEY,      /* S1 */
    STUDIO_INACTIVE,    /* S3 */
    STUDIO_NOT_JSON,    /* S4; the value says why */
    STUDIO_NO_OBJECT,   /* S4 */
    STUDIO_NO_MEMBER,   /* S8; the email */
    STUDIO_NO_SCENARIO, /* S9; the slug */
    STUDIO_NO_JOB,      /* S16; the id */
    STUDIO_ENDED,       /* S17; the job's status */
};

/* Answers with an error, whose message has `value` in it where it is about one. */
void studio_error(struct request *request, enum studio_error error, const char *value);

/* 400 invalid_request; `code` NULL where the contract lists none. */
void studio_invalid(struct request *request, const char *code, const char *message);

/* The bodies: of an error, of a field that is wrong (S5 to S7), of a rate limit (S26), of a
 * refusal. */
void studio_put_error(struct buf *out, enum studio_error error, const char *value);
extern const char studio_failure[]; /* that of 500 (H6) */

void studio_put_fault(struct buf *out, enum field_fault fault, const struct field *field);
void studio_put_rate_error(struct buf *out, const char *seconds);
void studio_put_refusal(struct buf *out, const struct refusal *refusal);

/* struct api's refuse and write_refusal. */
const char *studio_write_refusal(struct buf *out, const struct refusal *refusal);
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

/* The same without an answer: ERR_NO_MEMORY. */
int studio_find_base(struct request *request, char ret_base[URL_BASE_SIZE]);

/* This thread's connection to the store; NULL, with the request answered, where there is none. */
struct db *studio_reader(struct request *request);

/* Sets an operation up for this request, suspends it, and sends the operation off. */
void studio_operate(struct request *request, struct operation *operation,
                    int (*run)(struct write *write, struct db *db), request_handler *then);

/* Suspends the request and sends off an operation that is set up. */
void studio_submit(struct request *request, struct operation *operation, request_handler *then);

/* Whether an operation was undone; then the request has been answered (H6). */
bool studio_failed(struct request *request, const struct operation *operation);

/* Writes a session as its creation answers (S13). */
void session_put_json(struct buf *out, const char *id, const char *base, bool is_new);

/* The page of an address where nothing is, and the headers of every page. */
enum { PAGE_HEADERS = 6 };
struct page_header {
    const char *name, *value;
};
extern const struct page_header page_headers[PAGE_HEADERS];
void chat_put_absent(struct buf *html);
void scenario_put_absent(struct buf *html);

/* -- handlers -----------------------------------------------------------------------------------
 */

void session_create_handler(struct request *request);
void job_create_handler(struct request *request);
void job_get_handler(struct request *request);
void job_cancel_handler(struct request *request);
void chat_handler(struct request *request);
void scenario_handler(struct request *request);

#endif
