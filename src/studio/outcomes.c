/*
 * What the Studio API's operations may answer, by name. The bodies are what the handlers answer
 * with; what a handler would have from the store is the job that the request is about, as far as
 * the outcome's state leaves it, or else the example of the API's document.
 */
#include "engine/job_json.h"
#include "engine/plan.h"
#include "http/outcome.h"
#include "http/respond.h"
#include "studio/internal.h"

#include <stdio.h>
#include <string.h>

enum {
    /* Of a 429 that says nothing else: half of the vendor's minute. */
    USUAL_RETRY_AFTER = 30,
};

/* The document's examples. */
#define SAMPLE_BASE    "http://localhost:3000"
#define SAMPLE_SESSION "9e8d7c6b5a43"
#define SAMPLE_JOB     "4b7d10c92f3e"
static void put_json_type(struct outcome_reply *reply)
{
    reply->content_type = content_type_json;
}

/* The base of this request's urls; the sample's without one. */
static void find_base(const struct outcome_call *call, struct outcome_reply *reply,
                      char ret_base[URL_BASE_SIZE])
{
    snprintf(ret_base, URL_BASE_SIZE, "%s", SAMPLE_BASE);
    if (call->request && studio_find_base(call->request, ret_base) < 0)
        reply->body.failed = true;
}

/* -- jobs ---------------------------------------------------------------------------------------
 */

struct job_outcome {
    enum job_status status;
    int64_t started, completed; /* the sample's, in ms since its creation; -1: not */
    const char *error;          /* failed: its code */
    enum job_newness newness;
};

static void fill_scenario(struct job *job)
{
    snprintf(job->scenario_id, sizeof job->scenario_id, "51c0e3a4d5f6");
    snprintf(job->scenario_slug, sizeof job->scenario_slug,
             "discovery-call-with-skeptical-it-director");
    snprintf(job->scenario_name, sizeof job->scenario_name,
             "Discovery Call with Skeptical IT Director");
}

static void sample_job(const struct job_outcome *outcome, struct job *ret_job)
{
    *ret_job = (struct job){.created_at = SAMPLE_CREATED_AT, .started_at = -1, .completed_at = -1};
    snprintf(ret_job->id, sizeof ret_job->id, SAMPLE_JOB);
    if (outcome->started >= 0)
        ret_job->started_at = SAMPLE_CREATED_AT + outcome->started;
    if (outcome->completed >= 0)
        ret_job->completed_at = SAMPLE_CREATED_AT + outcome->completed;
}

/* The job that the request is about: by its path, or by its request_id. */
static bool find_job(const struct outcome_call *call, struct job *ret_job)
{
    struct err err;
    struct request *request = call->request;
    if (!request)
        return false;
    struct db *db = store_reader(engine_store(studio_of(request)->engine), &err);
    int64_t workspace = auth_workspace(request)->row.pk;
    const char *request_id = outcome_text(call, "request_id", NULL);
    if (!db)
        return false;
    if (strcmp(call->operation, "createScenarioJob") != 0)
        return job_by_id(db, workspace, request_param(request, 0), ret_job) == 0;
    return request_id && job_by_request_id(db, workspace, request_id, ret_job) == 0;
}

/* Leaves a job's times as far as they fit a state that it may not be in. */
static void fit_times(struct request *request, enum job_status status, struct job *job)
{
    int64_t now = workspace_now(auth_workspace(request));
    bool has_started = status == JOB_PROCESSING || status == JOB_COMPLETED || status == JOB_FAILED;
    bool has_ended = status != JOB_QUEUED && status != JOB_PROCESSING;
    if (status == JOB_QUEUED)
        job->started_at = -1;
    else if (has_started && job->started_at < 0)
        job->started_at = job->created_at;
    if (!has_ended)
        job->completed_at = -1;
    else if (job->completed_at < 0)
        job->completed_at = now;
}

static void fit_job(const struct outcome_call *call, const struct job_outcome *outcome,
                    struct job *job)
{
    fit_times(call->request, outcome->status, job);
    if (outcome->status != JOB_COMPLETED)
        *job->scenario_id = '\0';
}

static void write_job(const struct outcome_call *call, struct outcome_reply *reply)
{
    const struct job_outcome *outcome = call->outcome->what;
    struct job job;
    if (outcome->newness != JOB_IS_NEW && find_job(call, &job)) {
        fit_job(call, outcome, &job);
    } else {
        sample_job(outcome, &job);
        find_base(call, reply, job.base);
    }
    job.status = outcome->status;
    if (job.status == JOB_COMPLETED && !*job.scenario_id)
        fill_scenario(&job);
    if (job.status == JOB_FAILED) {
        struct plan plan = PLAN_NONE;
        snprintf(plan.error_code, sizeof plan.error_code, "%s", outcome->error);
        plan_error(&plan, job.error_code, job.error_message);
    }
    put_json_type(reply);
    job_put_json(&reply->body, &job, outcome->newness);
}

/* -- sessions -----------------------------------------------------------------------------------
 */

/* `which`: whether it is new. */
static void write_session(const struct outcome_call *call, struct outcome_reply *reply)
{
    char base[URL_BASE_SIZE];
    find_base(call, reply, base);
    put_json_type(reply);
    session_put_json(&reply->body, SAMPLE_SESSION, base, call->outcome->which);
}

/* -- errors -------------------------------------------------------------------------------------
 */

/* In the path of the request, if it has one. */
static const char *job_of(const struct outcome_call *call)
{
    return call->request ? request_param(call->request, 0) : "j1o2b3i4d5x6";
}

/* What a job that has ended says of itself; one that has not might just have completed. */
static const char *end_of(const struct outcome_call *call)
{
    struct job job;
    bool has_ended =
        find_job(call, &job) && job.status != JOB_QUEUED && job.status != JOB_PROCESSING;
    return job_status_name(has_ended ? job.status : JOB_COMPLETED);
}

static const char *value_of(const struct outcome_call *call)
{
    switch ((enum studio_error)call->outcome->which) {
    case STUDIO_NOT_JSON:
        return "string or '}' expected near end of file at line 1, column 1";
    case STUDIO_NO_MEMBER:
        return outcome_text(call, "user_email", "unknown@example.com");
    case STUDIO_NO_SCENARIO:
        return outcome_text(call, "scenario_slug", "invalid-slug");
    case STUDIO_NO_JOB:
        return job_of(call);
    case STUDIO_ENDED:
        return end_of(call);
    case STUDIO_NO_KEY:
    case STUDIO_INACTIVE:
    case STUDIO_NO_OBJECT:
        break;
    }
    return "";
}

/* `which`: an enum studio_error. */
static void write_error(const struct outcome_call *call, struct outcome_reply *reply)
{
    if (call->outcome->which == STUDIO_NO_KEY)
        outcome_header(reply, "WWW-Authenticate", "Bearer");
    put_json_type(reply);
    studio_put_error(&reply->body, (enum studio_error)call->outcome->which, value_of(call));
}

/* `which`: an enum field_fault; `what`: the field's name. */
static void write_fault(const struct outcome_call *call, struct outcome_reply *reply)
{
    bool is_job = strcmp(call->operation, "createScenarioJob") == 0;
    const struct field *field = is_job ? job_fields : session_fields;
    size_t count = is_job ? job_field_count : session_field_count;
    put_json_type(reply);
    for (size_t i = 0; i < count; i++, field++)
        if (strcmp(field->name, call->outcome->what) == 0)
            studio_put_fault(&reply->body, (enum field_fault)call->outcome->which, field);
}

static void write_rate(const struct outcome_call *call, struct outcome_reply *reply)
{
    char seconds[OUTCOME_SECONDS_SIZE];
    outcome_retry_after(call, reply, USUAL_RETRY_AFTER, seconds);
    put_json_type(reply);
    studio_put_rate_error(&reply->body, seconds);
}

/* `which`: an enum outcome_refusal, or an ERR_ code. */
static void write_refusal(const struct outcome_call *call, struct outcome_reply *reply)
{
    struct refusal refusal;
    outcome_refusal(call, reply, &refusal);
    put_json_type(reply);
    studio_put_refusal(&reply->body, &refusal);
}

/* -- the table ----------------------------------------------------------------------------------
 */

#define SESSION "createScenarioStudioSession"
#define CREATE  "createScenarioJob"
#define GET     "getScenarioJob"
#define CANCEL  "cancelScenarioJob"

static const char *const session[] = {SESSION, NULL}, *const create[] = {CREATE, NULL},
                         *const get[] = {GET, NULL}, *const cancel[] = {CANCEL, NULL},
                         *const creations[] = {SESSION, CREATE, NULL},
                         *const of_a_job[] = {GET, CANCEL, NULL},
                         *const all[] = {SESSION, CREATE, GET, CANCEL, NULL};

#define JOB(...) (&(const struct job_outcome){__VA_ARGS__})

/* clang-format off */
const struct outcome studio_outcomes[] = {
    {session, "200", 200, "D", "S13", "A new session", write_session, true, NULL},
    {session, "200:existing", 200, "D", "S12", "The session that the request_id made earlier",
     write_session, false, NULL},
    {create, "201", 201, "D", "S14", "A new job", write_job, 0,
     JOB(JOB_QUEUED, -1, -1, NULL, JOB_IS_NEW)},
    {create, "200", 200, "D", "S12", "The job that the request_id made earlier", write_job, 0,
     JOB(JOB_COMPLETED, 5000, 150000, NULL, JOB_IS_KNOWN)},
    {get, "200:queued", 200, "D", "S18", "The job waits for its turn", write_job, 0,
     JOB(JOB_QUEUED, -1, -1, NULL, JOB_PLAIN)},
    {get, "200:processing", 200, "D", "S18", "The job is at work", write_job, 0,
     JOB(JOB_PROCESSING, 5000, -1, NULL, JOB_PLAIN)},
    {get, "200:completed", 200, "DA", "S19", "The job has made a scenario", write_job, 0,
     JOB(JOB_COMPLETED, 5000, 45000, NULL, JOB_PLAIN)},
    {get, "200:failed:GENERATION_ERROR", 200, "D", "S23", "The job could not make a scenario",
     write_job, 0, JOB(JOB_FAILED, 5000, 30000, "GENERATION_ERROR", JOB_PLAIN)},
    {get, "200:failed:CONTENT_POLICY_VIOLATION", 200, "DA", "S23",
     "The job's prompt is against the content policy", write_job, 0,
     JOB(JOB_FAILED, 5000, 30000, "CONTENT_POLICY_VIOLATION", JOB_PLAIN)},
    {get, "200:cancelled", 200, "DA", "S18", "The job was cancelled", write_job, 0,
     JOB(JOB_CANCELLED, -1, 2000, NULL, JOB_PLAIN)},
    {cancel, "200", 200, "D", "S15", "The job is cancelled", write_job, 0,
     JOB(JOB_CANCELLED, 5000, 10000, NULL, JOB_PLAIN)},

    {creations, "400:missing_field", 400, "D", "S5", "prompt is missing, null or empty",
     write_fault, FIELD_MISSING, "prompt"},
    {creations, "400:missing_field:user_email", 400, "D", "S5",
     "user_email is missing, null or empty", write_fault, FIELD_MISSING, "user_email"},
    {creations, "400:invalid_json", 400, "A", "S4", "The body is not JSON", write_error,
     STUDIO_NOT_JSON, NULL},
    {creations, "400:not_an_object", 400, "A", "S4", "The body is JSON but no object",
     write_error, STUDIO_NO_OBJECT, NULL},
    {creations, "400:invalid_user_email", 400, "A", "S6", "user_email is no address", write_fault,
     FIELD_WRONG, "user_email"},
    {creations, "400:invalid_prompt", 400, "A", "S6", "prompt is no text", write_fault,
     FIELD_WRONG, "prompt"},
    {create, "400:invalid_context", 400, "A", "S6", "context is no text", write_fault,
     FIELD_WRONG, "context"},
    {create, "400:invalid_scenario_slug", 400, "A", "S6", "scenario_slug is no text, or empty",
     write_fault, FIELD_WRONG, "scenario_slug"},
    {creations, "400:invalid_request_id", 400, "A", "S6", "request_id is no text, or empty",
     write_fault, FIELD_WRONG, "request_id"},
    {create, "400:invalid_callback_url", 400, "A", "S6", "callback_url cannot be called",
     write_fault, FIELD_WRONG, "callback_url"},
    {create, "400:invalid_callback_headers", 400, "A", "S6", "callback_headers cannot be sent",
     write_fault, FIELD_WRONG, "callback_headers"},
    {create, "400:field_too_long", 400, "D", "S7", "prompt has more than 10,000 characters",
     write_fault, FIELD_TOO_LONG, "prompt"},
    {create, "400:field_too_long:context", 400, "DA", "S7",
     "context has more than 50,000 characters", write_fault, FIELD_TOO_LONG, "context"},
    {creations, "400:user_not_found", 400, "D", "S8", "user_email is no member's", write_error,
     STUDIO_NO_MEMBER, NULL},
    {cancel, "400:job_not_cancellable", 400, "D", "S17", "The job has already ended", write_error,
     STUDIO_ENDED, NULL},
    {all, "401:invalid_api_key", 401, "D", "S1", "No key, or one that is not valid", write_error,
     STUDIO_NO_KEY, NULL},
    {all, "403:workspace_inactive", 403, "P", "S3", "The workspace is switched off", write_error,
     STUDIO_INACTIVE, NULL},
    {create, "404", 404, "D", "S9", "No scenario has the scenario_slug", write_error,
     STUDIO_NO_SCENARIO, NULL},
    {of_a_job, "404:job_not_found", 404, "DA", "S16", "No job has the id", write_error,
     STUDIO_NO_JOB, NULL},
    {all, "429", 429, "PA", "S26", "Too many requests", write_rate, 0, NULL},
    OUTCOMES_OF_PARAMS(of_a_job, write_refusal),
    OUTCOMES_OF_HEADS(all, write_refusal),
    OUTCOMES_OF_BODIES(creations, write_refusal),
    OUTCOMES_OF_FAULTS(all, write_refusal),
};
/* clang-format on */
const size_t studio_outcome_count = sizeof studio_outcomes / sizeof *studio_outcomes;
