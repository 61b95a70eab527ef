#include "control/intercept.h"

#include "control/input.h"
#include "control/perform.h"
#include "engine/job_state.h"
#include "engine/rules.h"
#include "engine/steer.h"
#include "http/outcome.h"

#include <stdio.h>
#include <string.h>

/* A request while rules are looked at; as long as it has not come to its handler, it is the
 * request's state. */
struct interception {
    struct rule_request rules; /* first */
    struct engine *engine;
    struct request *request;
    struct rule_subject *subject;
    bool makes_job;
    json_t *input;         /* of the job or session that the request is about, as a body */
    char job[ID_HEX_SIZE]; /* that it is about; "" */
    bool knows_state;      /* of that job; it is there */
    enum job_status state;
    struct rule_claim claim; /* of an answer or a fault */
    struct job_move move;    /* of a transition */
};

/* -- what rules ask of a request --------------------------------------------------------------- */

static const char *header(struct rule_request *self, const char *name)
{
    return request_header(((struct interception *)self)->request, name);
}

static bool has_outcome(struct rule_request *self, const char *name)
{
    const struct request *request = ((struct interception *)self)->request;
    return outcome_find(request_api(request), request_operation(request), name) != NULL;
}

/* A body that is no JSON object has nothing that a rule could ask for. */
static int fill_body(struct rule_request *rules)
{
    struct interception *self = (struct interception *)rules;
    const json_t *body = NULL;
    struct err err;
    int status = request_json(self->request, &body, &err);
    if (status == 0 && json_is_object(body))
        input_fill(rules, body);
    return status == ERR_NO_MEMORY ? status : 0;
}

static struct db *reader(const struct interception *self)
{
    struct err err;
    return store_reader(engine_store(self->engine), &err);
}

/* For rules that move it. */
static void note_state(struct interception *self, const struct job *job)
{
    self->knows_state = true;
    self->state = job->status;
}

static bool may_move(struct rule_request *rules, int to)
{
    const struct interception *self = (const struct interception *)rules;
    return self->knows_state && !job_state_is_end(self->state) && (int)self->state != to;
}

/* A request about a job has what the job was made with. */
static int fill_job(struct rule_request *rules)
{
    struct interception *self = (struct interception *)rules;
    struct job job;
    struct db *db = reader(self);
    int status = db ? input_of_job(db, self->subject->workspace->row.pk,
                                   request_param(self->request, 0), &job, &self->input)
                    : ERR_IO;
    if (status == 0) {
        note_state(self, &job);
        input_fill(rules, self->input);
    }
    return status == ERR_NOT_FOUND ? 0 : status;
}

/* A session's page, what the session was made with, which is what its job is made with. */
static int fill_session(struct rule_request *rules)
{
    struct interception *self = (struct interception *)rules;
    int64_t workspace = self->subject->workspace->row.pk;
    struct session session;
    struct job job;
    struct db *db = reader(self);
    int status = db ? input_of_session(db, workspace, request_param(self->request, 0), &session,
                                       &self->input)
                    : ERR_IO;
    if (status == 0) {
        memcpy(self->job, session.job, sizeof self->job);
        input_fill(rules, self->input);
    }
    rules->job = *self->job ? self->job : NULL;
    if (rules->job && job_by_id(db, workspace, self->job, &job) == 0) /* as long as its session */
        note_state(self, &job);
    return status == ERR_NOT_FOUND ? 0 : status;
}

static int fill_nothing(struct rule_request *rules)
{
    (void)rules;
    return 0;
}

/* What each operation has; the order of rule_operations. */
static const struct {
    const char *operation;
    int (*fill)(struct rule_request *rules);
    enum { ABOUT_NOTHING, ABOUT_JOB, ABOUT_SLUG, ABOUT_PROJECT } about; /* the path's first part */
    bool makes_job;
} operations[] = {
    {"createScenarioStudioSession", fill_body, ABOUT_NOTHING, false},
    {"createScenarioJob", fill_body, ABOUT_NOTHING, true},
    {"getScenarioJob", fill_job, ABOUT_JOB, false},
    {"cancelScenarioJob", fill_job, ABOUT_JOB, false},
    {"openChat", fill_session, ABOUT_NOTHING, true},
    {"showScenario", fill_nothing, ABOUT_SLUG, false},
    {"listScenarios", fill_nothing, ABOUT_PROJECT, false},
    {"createScenario", fill_body, ABOUT_PROJECT, false},
    {"getScenario", fill_nothing, ABOUT_PROJECT, false},
    {"updateScenario", fill_body, ABOUT_PROJECT, false},
    {"deleteScenario", fill_nothing, ABOUT_PROJECT, false},
};

static void describe(struct interception *self)
{
    struct rule_request *rules = &self->rules;
    rules->operation = rule_operation(request_operation(self->request));
    rules->header = header;
    rules->has_outcome = has_outcome;
    rules->may_move = may_move;
    if (rules->operation < 0)
        return;
    const char *part = request_param(self->request, 0);
    rules->fill = operations[rules->operation].fill;
    self->makes_job = operations[rules->operation].makes_job;
    switch (operations[rules->operation].about) {
    case ABOUT_JOB:
        rules->job = part;
        if (strlen(part) < sizeof self->job)
            snprintf(self->job, sizeof self->job, "%s", part);
        break;
    case ABOUT_SLUG:
        rules->scenario_slug = part;
        break;
    case ABOUT_PROJECT:
        rules->project = part;
        break;
    case ABOUT_NOTHING:
        break;
    }
}

/* -- what is done to it ------------------------------------------------------------------------ */

/* Whether the request's handler has its turn, by what acts on it. */
static bool reaches_handler(const struct action *action)
{
    switch (action->kind) {
    case ACTION_ANSWER:
    case ACTION_OUTCOME:
    case ACTION_DROP:
    case ACTION_HANG:
    case ACTION_GARBAGE:
        return action->after_commit;
    default:
        return true;
    }
}

static void hurry(void *request)
{
    request_hurry(request);
}

/* A reset, or a deletion, does not wait for what takes its time on purpose; nor anybody for an
 * answer that never comes. */
static void hold(struct interception *self, const struct action *action)
{
    if (action->kind != ACTION_DELAY && action->kind != ACTION_HANG && action->kind != ACTION_DRIP)
        return;
    if (action->kind == ACTION_HANG && !action->after_commit)
        rule_subject_give_up(self->subject);
    self->subject->held = (struct held){.hurry = hurry, .arg = self->request};
    events_hold(self->subject->workspace, &self->subject->held);
}

/* The hits are noted now, or where a job may be made, when it is known which. */
static void perform(struct interception *self)
{
    struct rule_subject *subject = self->subject;
    const struct rule *rule = subject->answer;
    if (!self->makes_job || *self->job || (rule && !reaches_handler(&rule->action)))
        rule_subject_settle(subject, self->job);
    if (rule)
        hold(self, &rule->action);
    if (rule) /* whatever is left of this request's state is over with it */
        perform_action(self->request, &rule->action, rule->id);
    else
        request_handle(self->request);
}

static void wake(void *request)
{
    request_resume(request);
}

/* Where the job's state does not allow the transition, the request goes on all the same. */
static void moved(struct request *request)
{
    struct interception *self = request_state(request);
    int status = self->move.operation.status;
    if (status < 0 && status != ERR_GONE) /* which the handler finds, too */
        router_fail(request, status, NULL);
    else
        perform(self);
}

static void act(struct interception *self)
{
    const struct rule *rule = self->subject->answer;
    struct job_move *move = &self->move;
    if (!rule || rule->action.kind != ACTION_TRANSITION || !*self->job) {
        perform(self);
        return;
    }
    operation_init(&move->operation, self->engine, self->subject->workspace, job_move_run);
    move->id = self->job;
    move->to = (enum job_status)rule->action.to;
    move->order = (struct transition_order){JOB_CAUSE_RULE, &rule->action.plan};
    request_suspend(self->request, moved);
    operation_submit(&move->operation, wake, self->request);
}

static void claimed(struct request *request)
{
    struct interception *self = request_state(request);
    int status = self->claim.operation.status;
    if (status < 0 && status != ERR_GONE)
        router_fail(request, status, NULL);
    else
        act(self);
}

/* The input of a job is needed for the matching alone; but which job it is, for the hits too. */
static int match(struct interception *self)
{
    struct rule_subject *subject = self->subject;
    int status = rule_subject_match(subject, &self->rules);
    if (status == 0 && subject->rules && self->makes_job)
        status = rule_request_fill(&self->rules);
    json_decref(self->input);
    self->input = NULL;
    return status;
}

static void intercept(void *engine, struct request *request, void *about)
{
    struct rule_subject *subject = about;
    if (!atomic_load(&subject->workspace->rules) || request_is_head(request)) {
        request_handle(request); /* HEAD has no side effects (H3) */
        return;
    }
    struct interception *self = request_new_state(request, sizeof *self, NULL);
    if (!self) {
        router_fail(request, ERR_NO_MEMORY, NULL);
        return;
    }
    self->engine = engine;
    self->request = request;
    self->subject = subject;
    describe(self);
    int status = match(self);
    if (status < 0) {
        router_fail(request, status, "cannot match the rules");
    } else if (rule_subject_must_claim(subject)) {
        rule_claim_init(&self->claim, engine, subject);
        request_suspend(request, claimed);
        operation_submit(&self->claim.operation, wake, request);
    } else {
        act(self);
    }
}

struct hook intercept_hook(struct engine *engine)
{
    return (struct hook){.call = intercept, .context = engine};
}
