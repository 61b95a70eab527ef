/* createScenarioJob, getScenarioJob, cancelScenarioJob. */
#include "engine/jobs.h"
#include "base/json.h"
#include "engine/callback_headers.h"
#include "engine/job_json.h"
#include "engine/jump.h"
#include "engine/magic.h"
#include "engine/plan.h"
#include "engine/steer.h"
#include "http/respond.h"
#include "studio/callback_wait.h"
#include "studio/check.h"
#include "studio/internal.h"

#include <stdio.h>

struct job_body {
    struct field_text user_email, prompt, context, scenario_slug, request_id, callback_url;
    const json_t *callback_headers;
};

#define TO(member_) .offset = offsetof(struct job_body, member_)

const struct field job_fields[] = {
    {"user_email", FIELD_STRING, .required = true, .what = "a valid email address",
     .check = check_email, TO(user_email)},
    {"prompt", FIELD_STRING, .required = true, .max_chars = 10000, .what = "a string", TO(prompt)},
    {"context", FIELD_STRING, .max_chars = 50000, .what = "a string", TO(context)},
    {"scenario_slug", FIELD_STRING, .what = "a non-empty string", .check = check_not_empty,
     TO(scenario_slug)},
    {"request_id", FIELD_STRING, .what = "a non-empty string", .check = check_not_empty,
     TO(request_id)},
    {"callback_url", FIELD_STRING, .what = "an absolute http or https URL without user info",
     .check = callback_url_is_right, TO(callback_url)},
    {"callback_headers", FIELD_OBJECT,
     .what = "an object of header names and string values that may be sent",
     .check = callback_headers_are_right, TO(callback_headers)},
};
const size_t job_field_count = sizeof job_fields / sizeof *job_fields;

static void answer_job(struct request *request, int status, const struct job *job,
                       enum job_newness newness)
{
    struct buf body = BUF_INIT;
    job_put_json(&body, job, newness);
    respond(request, status, content_type_json, &body);
}

/* -- createScenarioJob --------------------------------------------------------------------------
 */

struct creation {
    struct callback_wait wait;
    struct job_create operation;
    struct job_body body;
    struct buf headers;
    char base[URL_BASE_SIZE];
};

static void finish_creation(void *state)
{
    struct creation *creation = state;
    callback_wait_finish(&creation->wait);
    buf_finish(&creation->headers);
}

static void answer_new(struct request *request)
{
    const struct creation *creation = request_state(request);
    answer_job(request, 201, &creation->operation.job, JOB_IS_NEW);
}

static void answer_creation(struct request *request)
{
    struct creation *creation = request_state(request);
    const struct job_create *result = &creation->operation;
    const struct job_body *body = &creation->body;

    if (studio_failed(request, &result->operation))
        return;
    switch (result->outcome) {
    case CREATE_NEW:
        if (*result->delivery)
            callback_wait(request, result->delivery, answer_new);
        else
            answer_new(request);
        break;
    case CREATE_KNOWN:
        answer_job(request, 200, &result->job, JOB_IS_KNOWN);
        break;
    case CREATE_NO_MEMBER:
        studio_error(request, STUDIO_NO_MEMBER, body->user_email.data);
        break;
    case CREATE_NO_SOURCE:
        studio_error(request, STUDIO_NO_SCENARIO, body->scenario_slug.data);
        break;
    }
}

void job_create_handler(struct request *request)
{
    struct creation *creation = request_new_state(request, sizeof *creation, finish_creation);
    if (!creation) {
        router_fail(request, ERR_NO_MEMORY, NULL);
        return;
    }
    struct job_body *body = &creation->body;
    if (!studio_read_body(request, job_fields, job_field_count, body) ||
        !studio_base(request, creation->base))
        return;
    if (body->callback_headers)
        json_put_value(&creation->headers, body->callback_headers);
    if (buf_failed(&creation->headers)) {
        router_fail(request, ERR_NO_MEMORY, NULL);
        return;
    }
    struct job_create *create = &creation->operation;
    plan_init(&create->plan);
    create->input = (struct job_input){.user_email = body->user_email.data,
                                       .prompt = body->prompt.data,
                                       .context = body->context.data,
                                       .scenario_slug = body->scenario_slug.data,
                                       .request_id = body->request_id.data,
                                       .callback_url = body->callback_url.data,
                                       .callback_headers = creation->headers.data};
    create->base = creation->base;
    create->subject = auth_subject(request);
    int status = magic_plan(engine_registry(studio_of(request)->engine), auth_workspace(request),
                            &create->input, &create->plan, &create->is_member);
    if (status < 0) {
        router_fail(request, status, NULL);
        return;
    }
    studio_operate(request, &create->operation, job_create_run, answer_creation);
}

/* -- getScenarioJob -----------------------------------------------------------------------------
 */

static void answer_poll(struct request *request)
{
    const struct job_poll *poll = request_state(request);
    if (studio_failed(request, &poll->operation))
        return;
    if (poll->outcome == STEER_DONE)
        answer_job(request, 200, &poll->job, JOB_PLAIN);
    else
        studio_error(request, STUDIO_NO_JOB, poll->id);
}

/* A job whose plan says so is moved by those who read it. */
static void poll_job(struct request *request, const char *id)
{
    struct job_poll *poll = request_new_state(request, sizeof *poll, NULL);
    if (!poll) {
        router_fail(request, ERR_NO_MEMORY, NULL);
        return;
    }
    poll->id = id;
    studio_operate(request, &poll->operation, job_poll_run, answer_poll);
}

struct reading {
    struct jump jump;
    struct job job;
};

static void wake(void *request)
{
    request_resume(request);
}

static void answer_reading(struct request *request)
{
    const struct reading *reading = request_state(request);
    if (!studio_failed(request, &reading->jump.operation))
        answer_job(request, 200, &reading->job, JOB_PLAIN);
}

/* Shows the job as it is; by the time that the client has the answer, an auto clock has jumped to
 * the job's next event. */
static void show_and_jump(struct request *request, const struct job *job)
{
    struct reading *reading = request_new_state(request, sizeof *reading, NULL);
    if (!reading) {
        router_fail(request, ERR_NO_MEMORY, NULL);
        return;
    }
    reading->job = *job;
    request_suspend(request, answer_reading);
    jump_begin(&reading->jump, studio_of(request)->engine, auth_workspace(request), job, wake,
               request);
}

void job_get_handler(struct request *request)
{
    struct job job;
    const char *id = request_param(request, 0);
    struct db *db = studio_reader(request);
    if (!db)
        return;
    int status = job_by_id(db, auth_workspace(request)->row.pk, id, &job);
    bool shows_only = request_is_head(request);
    if (status == 0 && !shows_only && steer_is_polled(&job))
        poll_job(request, id);
    else if (status == 0 && !shows_only && jump_follows(auth_workspace(request), &job))
        show_and_jump(request, &job);
    else if (status == 0)
        answer_job(request, 200, &job, JOB_PLAIN);
    else if (status == ERR_NOT_FOUND)
        studio_error(request, STUDIO_NO_JOB, id);
    else
        router_fail(request, status, "cannot read a job");
}

/* -- cancelScenarioJob --------------------------------------------------------------------------
 */

static void answer_cancel(struct request *request)
{
    const struct job_cancel *cancel = request_state(request);
    if (studio_failed(request, &cancel->operation))
        return;
    switch (cancel->outcome) {
    case CANCEL_DONE:
        answer_job(request, 200, &cancel->job, JOB_PLAIN);
        break;
    case CANCEL_NO_JOB:
        studio_error(request, STUDIO_NO_JOB, cancel->id);
        break;
    case CANCEL_ENDED:
        studio_error(request, STUDIO_ENDED, job_status_name(cancel->job.status));
        break;
    }
}

void job_cancel_handler(struct request *request)
{
    struct job_cancel *cancel = request_new_state(request, sizeof *cancel, NULL);
    if (!cancel) {
        router_fail(request, ERR_NO_MEMORY, NULL);
        return;
    }
    cancel->id = request_param(request, 0);
    studio_operate(request, &cancel->operation, job_cancel_run, answer_cancel);
}
