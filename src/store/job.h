/* Jobs. All times in milliseconds; -1 stands for one that is not there. */
#ifndef UNDERSTUDY_STORE_JOB_H
#define UNDERSTUDY_STORE_JOB_H

#include "store/plan.h"

#include <stdbool.h>
#include <stdint.h>

enum job_status { JOB_QUEUED, JOB_PROCESSING, JOB_COMPLETED, JOB_FAILED, JOB_CANCELLED };
enum { JOB_STATUSES = JOB_CANCELLED + 1 };

enum {
    URL_BASE_SIZE = 512, /* scheme, authority, path prefix and workspace prefix, and a NUL */
};

/* What is special about a job; the others need no look at the plan. */
enum job_mark {
    JOB_HAS_PLAN = 1,
    JOB_IS_HELD = 2,  /* in its present state, until it is released */
    JOB_IS_POLLED = 4 /* reading it moves it */
};

/* Why a job was started, or ended. */
enum job_cause {
    JOB_CAUSE_NONE, /* it was not */
    JOB_CAUSE_TIMER,
    JOB_CAUSE_REQUEST, /* a DELETE of the job */
    JOB_CAUSE_POLL,    /* a GET, as the plan says */
    JOB_CAUSE_RULE,    /* a rule's transition */
    JOB_CAUSE_CONTROL, /* the control plane */
};

/* What GET shows of a job (S18). Plain values: whoever has it, has all of it. */
struct job {
    int64_t seq;
    char id[ID_HEX_SIZE];
    enum job_status status;
    int64_t created_at, started_at, completed_at;
    int64_t due_at;                      /* of its next timer */
    int64_t queue_time, processing_time; /* how long it is in each state */
    int64_t event;                       /* the number of its creation (engine/events.h) */
    unsigned marks;                      /* of enum job_mark */
    enum job_cause start_cause, end_cause;
    bool has_callback;
    char base[URL_BASE_SIZE];                                            /* of its scenario's url */
    char error_code[ERROR_CODE_SIZE], error_message[ERROR_MESSAGE_SIZE]; /* failed */
    char scenario_id[ID_HEX_SIZE];                                       /* completed; else "" */
    char scenario_slug[SCENARIO_SLUG_SIZE];
    char scenario_name[SCENARIO_NAME_SIZE];
};

/* What it was asked with; NULL where it was not. Borrowed: whose it is, is said where it is used.
 */
struct job_input {
    const char *user_email, *prompt, *context, *scenario_slug, *request_id;
    const char *callback_url, *callback_headers; /* the headers as a JSON object */
    const char *session;                         /* the id of the session that started it */
};

/* A change of state: what UPDATE writes where the status is still `from`. */
struct job_change {
    enum job_status from, to;
    int64_t started_at, completed_at, due_at;
    unsigned marks;
    enum job_cause start_cause, end_cause;
    const char *scenario, *error_code, *error_message; /* NULL where there is none */
};

/* The job's words for a status, as the API spells them. */
const char *job_status_name(enum job_status status);

/* Writes a queued job; sets job->seq and job->has_callback. ERR_EXISTS: its id or request id is
 * taken. Writer. */
int job_insert(struct db *db, int64_t workspace, struct job *job, const struct job_input *input);

/* Read a job by id or by request id. ERR_NOT_FOUND. */
int job_by_id(struct db *db, int64_t workspace, const char *id, struct job *ret_job);
int job_by_request_id(struct db *db, int64_t workspace, const char *request_id,
                      struct job *ret_job);

/* Lets `visit` see what a job was asked with, which lasts until it returns. ERR_NOT_FOUND. */
int job_input(struct db *db, int64_t seq, int (*visit)(const struct job_input *input, void *arg),
              void *arg);

/*
 * The first job in `status` (queued or processing) whose timer is due at or before `until`, in
 * order of (due time, creation). ERR_NOT_FOUND when there is none.
 */
int job_next_due(struct db *db, int64_t workspace, enum job_status status, int64_t until,
                 struct job *ret_job);

/* Visits the first `limit` of those, in that order; a negative result ends it and is returned. */
int job_each_due(struct db *db, int64_t workspace, enum job_status status, size_t limit,
                 int (*visit)(const struct job *job, void *arg), void *arg);

/* How many jobs of the workspace are being processed. */
int job_count_processing(struct db *db, int64_t workspace, int64_t *ret_count);

/* How many are queued or being processed. */
int job_count_unfinished(struct db *db, int64_t workspace, int64_t *ret_count);

/* How many jobs there are of each status, of all workspaces: looks at every row. */
int job_count_by_status(struct db *db, int64_t ret_counts[JOB_STATUSES]);

/* The event number of the workspace's newest job; 0 where there is none. */
int job_last_event(struct db *db, int64_t workspace, int64_t *ret_event);

/* Compare and set: ERR_NOT_FOUND where the job is not in `change->from` any more. Writer. */
int job_change(struct db *db, int64_t seq, const struct job_change *change);

#endif
