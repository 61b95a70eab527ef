/* transitionJob and releaseJob. */
#include "control/internal.h"
#include "control/job_view.h"
#include "engine/plan.h"
#include "engine/steer.h"
#include "http/respond.h"

#include <stdio.h>
#include <string.h>

/* -- the body ---------------------------------------------------------------------------------- */

struct move_body {
    struct field_text to;
    const json_t *error, *scenario;
};

static const char *const targets[] = {"processing", "completed", "failed", "cancelled", NULL};

static bool find_target(const char *name, enum job_status *ret_status)
{
    for (int i = 0; targets[i]; i++) {
        if (strcmp(targets[i], name) == 0) {
            *ret_status = (enum job_status)(i + JOB_PROCESSING);
            return true;
        }
    }
    return false;
}

const struct field transition_fields[] = {
    {"to", FIELD_STRING, .required = true, .what = "a status",
     .offset = offsetof(struct move_body, to)},
    {"error", FIELD_OBJECT, .what = "an object of code and message",
     .offset = offsetof(struct move_body, error)},
    {"scenario", FIELD_OBJECT, .what = "an object of name and slug",
     .offset = offsetof(struct move_body, scenario)},
};
const size_t transition_field_count = sizeof transition_fields / sizeof *transition_fields;

struct end_body {
    struct field_text code, message, name, slug;
};

static const struct field error_fields[] = {
    {"code", FIELD_STRING, .what = "a text of 1 to 63 bytes", .check = check_error_code,
     .offset = offsetof(struct end_body, code)},
    {"message", FIELD_STRING, .what = "a text of 1 to 511 bytes", .check = check_error_message,
     .offset = offsetof(struct end_body, message)},
};

static const struct field scenario_fields_of_end[] = {
    {"name", FIELD_STRING, .what = "a text of 1 to 199 bytes", .check = check_scenario_name,
     .offset = offsetof(struct end_body, name)},
    {"slug", FIELD_STRING,
     .what = "1 to 119 lower-case letters, digits and -, neither first nor last a -",
     .check = check_scenario_slug, .offset = offsetof(struct end_body, slug)},
};

struct moving {
    struct job_move move;
    struct plan said;
};

static void copy(char *dest, size_t size, const struct field_text *given)
{
    snprintf(dest, size, "%s", given->data ? given->data : "");
}

static void refuse_target(struct request *request, const char *given)
{
    struct buf hint = BUF_INIT;
    complain_names(&hint, given, targets);
    if (buf_failed(&hint))
        router_fail(request, ERR_NO_MEMORY, NULL);
    else
        control_problem(request, 422, "invalid_field",
                        "to must be a status that a job can be moved to", hint.data);
    buf_finish(&hint);
}

/* What the body says of the end, which must be one that it can be said of. */
static bool read_end(struct request *request, const struct move_body *body, struct moving *moving)
{
    struct end_body end = {.code = {0}};
    enum job_status to = moving->move.to;
    if ((body->error && to != JOB_FAILED) || (body->scenario && to != JOB_COMPLETED)) {
        control_problem(request, 422, "invalid_field",
                        body->error && to != JOB_FAILED ? "error is for a job that becomes failed"
                                                        : "scenario is for a job that becomes "
                                                          "completed",
                        NULL);
        return false;
    }
    if (body->error && !control_read_object(request, "error.", body->error, error_fields,
                                            sizeof error_fields / sizeof *error_fields, &end))
        return false;
    if (body->scenario &&
        !control_read_object(request, "scenario.", body->scenario, scenario_fields_of_end,
                             sizeof scenario_fields_of_end / sizeof *scenario_fields_of_end, &end))
        return false;
    struct plan *said = &moving->said;
    plan_init(said);
    copy(said->error_code, sizeof said->error_code, &end.code);
    copy(said->error_message, sizeof said->error_message, &end.message);
    copy(said->scenario_name, sizeof said->scenario_name, &end.name);
    copy(said->scenario_slug, sizeof said->scenario_slug, &end.slug);
    return true;
}

static bool read_move(struct request *request, struct moving *moving)
{
    struct move_body body = {.to = {0}};
    if (!control_read_body(request, transition_fields, transition_field_count, &body))
        return false;
    if (!find_target(body.to.data, &moving->move.to)) {
        refuse_target(request, body.to.data);
        return false;
    }
    return read_end(request, &body, moving);
}

/* -- answers ------------------------------------------------------------------------------------
 */

static void answer_move(struct request *request)
{
    const struct job_move *move = request_state(request);
    char detail[100];
    if (control_failed(request, &move->operation))
        return;
    switch (move->outcome) {
    case STEER_DONE:
        job_view_answer(request, &move->job);
        break;
    case STEER_NO_JOB:
        job_view_refuse(request);
        break;
    case STEER_REFUSED:
        snprintf(detail, sizeof detail, "The job is %s and cannot become %s",
                 job_status_name(move->job.status), job_status_name(move->to));
        control_problem(request, 409, "illegal_transition", detail,
                        move->job.status == JOB_PROCESSING
                            ? "From processing it can become completed, failed or cancelled"
                            : "A job that has ended never changes");
        break;
    }
}

static void answer_release(struct request *request)
{
    const struct job_release *release = request_state(request);
    char detail[100];
    if (control_failed(request, &release->operation))
        return;
    switch (release->outcome) {
    case STEER_DONE:
        job_view_answer(request, &release->job);
        break;
    case STEER_NO_JOB:
        job_view_refuse(request);
        break;
    case STEER_REFUSED:
        snprintf(detail, sizeof detail, "The job is %s and is not held",
                 job_status_name(release->job.status));
        control_problem(request, 409, "not_held", detail,
                        "A job is held where a rule, a #mock line or a tag says so");
        break;
    }
}

/* -- handlers -----------------------------------------------------------------------------------
 */

void job_transition_handler(struct request *request)
{
    struct moving *moving = control_state(request, sizeof *moving);
    if (!moving || !read_move(request, moving))
        return;
    struct job_move *move = &moving->move;
    move->id = request_param(request, 0);
    move->order = (struct transition_order){.cause = JOB_CAUSE_CONTROL, .said = &moving->said};
    operation_init(&move->operation, control_of(request)->engine, mock_workspace(request),
                   job_move_run);
    control_operate(request, &move->operation, answer_move);
}

void job_release_handler(struct request *request)
{
    struct job_release *release = control_state(request, sizeof *release);
    if (!release || !control_read_body(request, NULL, 0, NULL)) /* there is nothing to say */
        return;
    release->id = request_param(request, 0);
    operation_init(&release->operation, control_of(request)->engine, mock_workspace(request),
                   job_release_run);
    control_operate(request, &release->operation, answer_release);
}
