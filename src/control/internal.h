/* Inside the control room. HTTP threads. */
#ifndef UNDERSTUDY_CONTROL_INTERNAL_H
#define UNDERSTUDY_CONTROL_INTERNAL_H

#include "base/buf.h"
#include "base/complaint.h"
#include "base/fields.h"
#include "control/control.h"
#include "control/params.h"
#include "engine/admin.h"
#include "engine/check.h"
#include "engine/clock.h"
#include "engine/settings.h"
#include "engine/timers.h"

extern const struct route control_routes[];
extern const size_t control_route_count;
extern const struct route mock_routes[];
extern const size_t mock_route_count;

/* The fields of the bodies, in the document's order. */
extern const struct field workspace_fields[];
extern const size_t workspace_field_count;
extern const struct field workspace_patch_fields[];
extern const size_t workspace_patch_field_count;
extern const struct field key_fields[];
extern const size_t key_field_count;
extern const struct field key_patch_fields[];
extern const size_t key_patch_field_count;
extern const struct field member_fields[];
extern const size_t member_field_count;
extern const struct field reset_fields[];
extern const size_t reset_field_count;
extern const struct field clock_fields[];
extern const size_t clock_field_count;
extern const struct field advance_fields[];
extern const size_t advance_field_count;
extern const struct field source_fields[];
extern const size_t source_field_count;
extern const struct field transition_fields[];
extern const size_t transition_field_count;
extern const struct field settle_fields[];
extern const size_t settle_field_count;
extern const struct field verify_fields[];
extern const size_t verify_field_count;

/* The query parameters of the operations that have any (control/params.h). */
extern const struct param workspace_list_params[];
extern const size_t workspace_list_param_count;
extern const struct param job_list_params[];
extern const size_t job_list_param_count;
extern const struct param state_get_params[];
extern const size_t state_get_param_count;
extern const struct param rule_list_params[];
extern const size_t rule_list_param_count;
extern const struct param rule_get_params[];
extern const size_t rule_get_param_count;
extern const struct param rule_delete_params[];
extern const size_t rule_delete_param_count;
extern const struct param inbox_list_params[];
extern const size_t inbox_list_param_count;
extern const struct param timeline_params[];
extern const size_t timeline_param_count;
extern const struct param request_list_params[];
extern const size_t request_list_param_count;
extern const struct param lint_list_params[];
extern const size_t lint_list_param_count;
extern const struct param job_get_params[];
extern const size_t job_get_param_count;
extern const struct param report_get_params[];
extern const size_t report_get_param_count;
extern const struct param webhook_list_params[];
extern const size_t webhook_list_param_count;
extern const struct param webhook_get_params[];
extern const size_t webhook_get_param_count;

/* -- admit.c: struct api's admit, deny and leave of /_mock --------------------------------------
 */

bool mock_admit(struct request *request, const struct route *route);
void mock_deny(struct request *request);
void mock_leave(struct request *request);

/* The workspace that the request is about; the request holds the reference. NULL: none. */
struct workspace *mock_workspace(struct request *request);

/* Of a request that has a workspace: who sent it, as access_caller() says; and what the workspace's
 * clock showed when it began. */
const char *mock_caller(struct request *request);
int64_t mock_begun_at(struct request *request);

/* The journal that it is about: the workspace's, or that of no workspace's requests, which
 * ?workspace=_none names where the operation may be about them. NULL: nothing is journaled. */
#define NOBODY "_none"
struct journal *mock_journal(struct request *request);

/* -- answer.c ------------------------------------------------------------------------------------
 */

struct control *control_of(struct request *request);

/* Answers with a problem (C4); `hint` NULL where there is nothing to advise. */
void control_problem(struct request *request, int status, const char *name, const char *detail,
                     const char *hint);

/* The journal that the request is about (mock_journal()); NULL: the request was answered. */
struct journal *control_journal(struct request *request);

/* Answers 422 with what is wrong with a body, and frees the complaint (C2). */
void control_complain(struct request *request, struct complaint *complaint);
/* 422: the field's text is none of `names`, which are all that may come; with the nearest one. */
void control_wrong_name(struct request *request, const char *prefix, const char *field,
                        const char *given, const char *const *names);

/*
 * Reads the body into `dest` by `table` (C2); none at all is {}. False: the request was answered.
 * control_read_object() does so with a part of a body, whose fields are named after `prefix`.
 */
bool control_read_body(struct request *request, const struct field *table, size_t count,
                       void *dest);

/* Just the object; *ret_object is NULL where there is no body at all, which reads as {}. */
bool control_read_body_object(struct request *request, const json_t **ret_object);
bool control_read_object(struct request *request, const char *prefix, const json_t *object,
                         const struct field *table, size_t count, void *dest);

/* The body's JSON value, whatever it is; NULL: there is no body. False: the request was answered.
 */
bool control_read_value(struct request *request, const json_t **ret_value);

/* Just an object; *ret_object is NULL where there is no body at all, which reads as {}. */
bool control_read_body_object(struct request *request, const json_t **ret_object);

/* Answers with what is wrong (422), and frees it. */
void control_complain(struct request *request, struct complaint *complaint);

/* This thread's connection to the store; NULL, with the request answered, where there is none. */
struct db *control_reader(struct request *request);

/* Suspends the request and sends an operation off, set up already. */
void control_operate(struct request *request, struct operation *operation, request_handler *then);

/* Suspends the request until attempts at callbacks that the workspace has no more are given up. */
void control_forget_attempts(struct request *request, struct workspace *workspace,
                             request_handler *then);

/* Resumes the request: what operations and their like call when they are over. */
void control_wake(void *request);

/* Whether an operation was undone; then the request has been answered (H6). */
bool control_failed(struct request *request, const struct operation *operation);

/* The request's new state of `size` zero bytes; NULL: answered. */
void *control_state(struct request *request, size_t size);

/* Milliseconds since the epoch as a JSON string. */
void control_put_time(struct buf *out, int64_t ms);

bool check_wait(const json_t *value);  /* real time, at most WAIT_MAX_MS */
bool check_count(const json_t *value); /* at least 1 */

/* -- settings.c ----------------------------------------------------------------------------------
 */

/* Reads an object of settings into a change. False: the request was answered. */
bool settings_read(struct request *request, const char *prefix, const json_t *object,
                   struct settings_change *change);

/* Makes the change, starts what it makes room for, and goes on with `then`. */
void settings_operate(struct request *request, struct workspace_change *change,
                      request_handler *then);

void settings_put_json(struct request *request, struct buf *out, const struct settings_row *own);

/* -- clock.c -------------------------------------------------------------------------------------
 */

/* What a clock is to be. */
struct clock_wish {
    enum clock_mode mode;
    double scale;
    int64_t now; /* -1: not said */
};

/* Reads an object of a clock, or a mode's name. False: the request was answered. */
bool clock_read(struct request *request, const char *prefix, const json_t *value,
                struct clock_wish *wish);

/* Writes {mode, scale, now} without its brackets. */
void clock_put_members(struct buf *out, const struct clock_row *clock, int64_t now);

/* What is due, or has fired, as an object: a job's, `from` NULL where that is not said, or an
 * attempt at its callback. */
void clock_put_transition(struct buf *out, int64_t at, const char *job, const char *from,
                          enum job_status to);
void clock_put_attempt(struct buf *out, int64_t at, const char *delivery, const char *job,
                       int64_t attempt);
void clock_put_timer(struct buf *out, const struct timer *timer);

/* 409 clock_busy. */
void clock_answer_busy(struct request *request);

/* -- handlers ------------------------------------------------------------------------------------
 */

void health_handler(struct request *request);    /* health.c */
void readiness_handler(struct request *request); /* health.c */
void openapi_handler(struct request *request);   /* openapi.c */

void workspace_list_handler(struct request *request);   /* workspaces.c */
void workspace_create_handler(struct request *request); /* workspace_create.c */
void workspace_put_handler(struct request *request);    /* workspace_create.c */
void workspace_get_handler(struct request *request);
void workspace_patch_handler(struct request *request);
void workspace_delete_handler(struct request *request);

/* Answers with a workspace as it is; `api_key` is shown whole where it was just made. */
void workspace_answer(struct request *request, int status, int64_t pk, const char *api_key);

void settings_get_handler(struct request *request); /* settings.c */
void settings_patch_handler(struct request *request);

void clock_get_handler(struct request *request); /* clock.c */
void clock_put_handler(struct request *request);
void clock_advance_handler(struct request *request); /* clock_advance.c */

void key_list_handler(struct request *request); /* keys.c */
void key_create_handler(struct request *request);
void key_patch_handler(struct request *request);
void key_delete_handler(struct request *request);

void member_list_handler(struct request *request); /* members.c */
void member_create_handler(struct request *request);
void member_delete_handler(struct request *request);

void state_get_handler(struct request *request); /* state.c */
void state_put_handler(struct request *request);

/* Answers with what is wrong with a state document; nothing was changed. */
struct state_fault;
void control_tell_state(struct request *request, const struct state_fault *fault);
void reset_handler(struct request *request);
void mock_job_list_handler(struct request *request); /* jobs.c */
void mock_job_get_handler(struct request *request);
void job_transition_handler(struct request *request); /* job_steer.c */
void job_release_handler(struct request *request);

void webhook_list_handler(struct request *request); /* webhooks.c */
void webhook_get_handler(struct request *request);
void webhook_redeliver_handler(struct request *request); /* webhook_again.c */
void webhook_release_handler(struct request *request);

void settle_handler(struct request *request); /* settle.c */
void verify_handler(struct request *request); /* verify.c */

void source_create_handler(struct request *request); /* sources.c */
void rule_list_handler(struct request *request);     /* rules.c */
void rule_create_handler(struct request *request);
void rule_get_handler(struct request *request);
void rule_delete_handler(struct request *request);
void rules_delete_handler(struct request *request);

void inbox_post_handler(struct request *request); /* inbox.c */
void inbox_list_handler(struct request *request);
void inbox_empty_handler(struct request *request);
void inbox_replies_get_handler(struct request *request);
void inbox_replies_put_handler(struct request *request);

void event_list_handler(struct request *request);        /* events.c */
void metrics_handler(struct request *request);           /* metrics_page.c */
void mock_request_list_handler(struct request *request); /* requests.c */
void mock_request_get_handler(struct request *request);
void mock_requests_delete_handler(struct request *request);
void lint_handler(struct request *request); /* lint_list.c */

/* The findings that the request's workspace does not want to hear of; none where it is about no
 * workspace. */
uint64_t lint_ignored(struct request *request);

void timeline_handler(struct request *request); /* timeline.c */
void job_timeline_handler(struct request *request);

void report_handler(struct request *request);       /* report.c */
void info_handler(struct request *request);         /* info.c */
void outcome_list_handler(struct request *request); /* outcomes.c */

#endif
