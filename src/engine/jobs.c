#include "engine/jobs.h"

#include "base/time.h"
#include "engine/draw.h"
#include "engine/internal.h"
#include "engine/job_state.h"
#include "engine/magic.h"
#include "engine/plan.h"
#include "engine/timers.h"
#include "engine/transition.h"
#include "store/delivery.h"
#include "store/scenario.h"

#include <stdio.h>
#include <string.h>

/* A job's time in a state: what is said, or the setting, varied either way by the workspace's
 * share. */
static int time_in(struct db *db, const struct workspace *workspace, int64_t said, int64_t setting,
                   int64_t *ret_time)
{
    double jitter = workspace->settings.jitter, share = 0;
    int status = said < 0 && jitter > 0 ? draw_share(db, workspace, &share) : 0;
    if (status == 0)
        *ret_time = said < 0 ? (int64_t)((double)setting * (1 + jitter * share) + 0.5) : said;
    return status;
}

static int insert_job(struct db *db, struct workspace *workspace, const struct job_input *input,
                      struct job *job)
{
    int status;
    do { /* the request id is known to be free, so what may be taken is the id (S21) */
        job->event = events_draw_job(workspace);
        status = draw_hex(db, workspace, job->id);
    } while (status == 0 && (status = job_insert(db, workspace->row.pk, job, input)) == ERR_EXISTS);
    return status;
}

/* Writes a new job, queued, with its plan and its first timer. */
static int queue_job(struct db *db, struct operation *operation, const struct job_input *input,
                     const char *base, const struct plan_row *planned, struct job *job)
{
    struct workspace *workspace = operation->workspace;
    const struct plan *plan = &planned->plan;
    /* So that it is kept which one it was, and what is to come. */
    unsigned ruled = *planned->rule || planned->webhook ? JOB_HAS_PLAN : 0;
    const struct settings *settings = &workspace->settings;
    int64_t now = workspace_now_in(db, workspace);
    *job = (struct job){.status = JOB_QUEUED,
                        .created_at = now,
                        .started_at = -1,
                        .completed_at = -1,
                        .due_at = -1,
                        .marks = plan_marks(plan, JOB_QUEUED) | ruled};
    snprintf(job->base, sizeof job->base, "%s", base);
    int status = time_in(db, workspace, plan->queued, settings->queue_time, &job->queue_time);
    if (status == 0)
        status = time_in(db, workspace, plan->processing, settings->processing_time,
                         &job->processing_time);
    if (status == 0 && !(job->marks & (JOB_IS_HELD | JOB_IS_POLLED)))
        operation->due_at = job->due_at = time_add(now, job->queue_time);
    if (status == 0)
        status = insert_job(db, workspace, input, job);
    if (status == 0 && job->marks & JOB_HAS_PLAN)
        status = plan_insert(db, job->seq, planned);
    if (status == 0)
        operation->new_job = job->event;
    return status;
}

/* Writes a new job, by the rule that acts on it and what is said under that. */
static int queue_ruled(struct db *db, struct operation *operation, struct rule_subject *subject,
                       const struct job_input *input, const char *base, const struct plan *under,
                       struct job *job)
{
    struct plan_row planned = {.polls = 0};
    plan_init(&planned.plan);
    int status = rule_subject_claim_job(db, subject, input->callback_url, &planned);
    plan_add(&planned.plan, under);
    return status < 0 ? status : queue_job(db, operation, input, base, &planned, job);
}

/*
 * A rule has the callback come before the answer: the job runs to its end, whatever is said of its
 * times. Who made it is told of it as it was before.
 */
static int run_to_end(struct db *db, struct job_create *self)
{
    static const struct transition_order by_rule = {.cause = JOB_CAUSE_RULE};
    struct operation *operation = &self->operation;
    struct job job = self->job;
    struct delivery delivery;
    int status = transition_start(db, &job, JOB_CAUSE_RULE, job.created_at);
    if (status == 0)
        status = transition_finish(db, operation->workspace, &job, &by_rule, job.created_at,
                                   &operation->due_at);
    if (status == 0)
        status = delivery_first_of(db, job.seq, &delivery);
    if (status == 0)
        memcpy(self->delivery, delivery.id, sizeof self->delivery);
    return status == ERR_NOT_FOUND ? 0 : status; /* nothing is owed, as settings say */
}

static bool comes_before_answer(const struct rule_subject *subject)
{
    return subject && subject->webhook && subject->webhook->action.webhook.before_answer;
}

/* After the commit: which job it is, those that watch are told. */
static int tell_rules(struct operation *operation)
{
    struct job_create *self = (struct job_create *)operation;
    bool has_job = self->outcome == CREATE_NEW || self->outcome == CREATE_KNOWN;
    rule_subject_commit_job(self->subject, has_job ? self->job.id : "");
    return 0;
}

int job_create_run(struct write *write, struct db *db)
{
    struct job_create *self = (struct job_create *)write;
    int64_t workspace = self->operation.workspace->row.pk;
    const struct job_input *input = &self->input;
    bool has_source = true;
    int status = ERR_NOT_FOUND;

    self->operation.apply = tell_rules;
    *self->delivery = '\0';
    rule_subject_forget_job(self->subject);
    if (input->request_id)
        status = job_by_request_id(db, workspace, input->request_id, &self->job);
    if (status != ERR_NOT_FOUND) {
        self->outcome = CREATE_KNOWN;
        return status;
    }
    if (!self->is_member) {
        self->outcome = CREATE_NO_MEMBER;
        return 0;
    }
    status = 0;
    if (input->scenario_slug)
        status = scenario_slug_exists(db, workspace, input->scenario_slug, &has_source);
    self->outcome = has_source ? CREATE_NEW : CREATE_NO_SOURCE;
    if (status < 0 || !has_source)
        return status;
    status = queue_ruled(db, &self->operation, self->subject, input, self->base, &self->plan,
                         &self->job);
    if (status == 0 && comes_before_answer(self->subject))
        status = run_to_end(db, self);
    return status;
}

int job_cancel_run(struct write *write, struct db *db)
{
    struct job_cancel *self = (struct job_cancel *)write;
    struct workspace *workspace = self->operation.workspace;
    int64_t now = workspace_now_in(db, workspace);
    /* What fell due before this moment comes first. Else this place would go to a job that an
       earlier end, not yet written, is to start, and a later one would overtake it. */
    int status = workspace->settings.max_processing
                     ? timers_fire(db, workspace, now, SIZE_MAX, &self->operation.due_at)
                     : 0;
    if (workspace->settings.max_processing)
        self->operation.posts = EVENT_JOB;
    if (status == 0)
        status = job_by_id(db, workspace->row.pk, self->id, &self->job);
    if (status == ERR_NOT_FOUND) {
        self->outcome = CANCEL_NO_JOB;
        return 0;
    }
    if (status < 0)
        return status;
    if (job_state_is_end(self->job.status)) {
        self->outcome = CANCEL_ENDED;
        return 0;
    }
    self->outcome = CANCEL_DONE;
    bool frees_place = self->job.status == JOB_PROCESSING;
    status = transition_cancel(db, workspace, &self->job, JOB_CAUSE_REQUEST, now,
                               &self->operation.due_at);
    self->operation.posts = EVENT_JOB;
    if (status == 0 && frees_place)
        status = timers_fill(db, workspace, now, &self->operation.due_at);
    return status;
}

int session_create_run(struct write *write, struct db *db)
{
    struct session_create *self = (struct session_create *)write;
    const struct workspace *workspace = self->operation.workspace;
    int status = ERR_NOT_FOUND;

    if (self->input.request_id)
        status =
            session_by_request_id(db, workspace->row.pk, self->input.request_id, &self->session);
    if (status != ERR_NOT_FOUND) {
        self->outcome = CREATE_KNOWN;
        return status;
    }
    if (!self->is_member) {
        self->outcome = CREATE_NO_MEMBER;
        return 0;
    }
    self->outcome = CREATE_NEW;
    self->session = (struct session){.created_at = workspace_now_in(db, workspace)};
    snprintf(self->session.base, sizeof self->session.base, "%s", self->base);
    do /* as in insert_job() */
        status = draw_hex(db, workspace, self->session.id);
    while (status == 0 && (status = session_insert(db, workspace->row.pk, &self->session,
                                                   &self->input)) == ERR_EXISTS);
    return status;
}

/* What session_open_run() has in hand while it reads what the session was asked with. */
struct opening {
    struct session_open *self;
    struct db *db;
    struct session session;
};

static int start_job(const struct session_input *input, void *arg)
{
    struct opening *opening = arg;
    struct job job;
    struct plan under = PLAN_NONE;
    struct job_input job_input = {
        .user_email = input->user_email, .prompt = input->prompt, .session = opening->session.id};
    const struct operation *operation = &opening->self->operation;
    const struct workspace *workspace = operation->workspace;
    bool is_member; /* was asked when the session was made */
    int status = 0;
    if (atomic_load(&workspace->magic))
        status = magic_plan(operation->engine->registry, workspace, &job_input, &under, &is_member);
    if (status == 0)
        status = queue_ruled(opening->db, &opening->self->operation, opening->self->subject,
                             &job_input, opening->session.base, &under, &job);
    if (status == 0)
        memcpy(opening->self->job, job.id, sizeof job.id);
    if (status == 0)
        status = session_set_job(opening->db, opening->session.seq, job.id);
    return status;
}

static int tell_rules_of_opening(struct operation *operation)
{
    struct session_open *self = (struct session_open *)operation;
    rule_subject_commit_job(self->subject, self->job);
    return 0;
}

int session_open_run(struct write *write, struct db *db)
{
    struct session_open *self = (struct session_open *)write;
    self->operation.apply = tell_rules_of_opening;
    rule_subject_forget_job(self->subject);
    *self->job = '\0';
    int64_t workspace = self->operation.workspace->row.pk;
    struct opening opening = {.self = self, .db = db};
    int status = session_by_id(db, workspace, self->id, &opening.session);
    if (status == ERR_NOT_FOUND)
        return 0;
    if (status < 0)
        return status;
    memcpy(self->job, opening.session.job, sizeof self->job);
    if (*self->job)
        return 0;
    return session_input(db, workspace, self->id, start_job, &opening);
}
