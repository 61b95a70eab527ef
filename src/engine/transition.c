#include "engine/transition.h"

#include "base/time.h"
#include "engine/delivery.h"
#include "engine/draw.h"
#include "engine/feed.h"
#include "engine/generator.h"
#include "engine/job_state.h"
#include "engine/plan.h"
#include "engine/tally.h"
#include "store/scenario.h"

#include <stdio.h>
#include <string.h>

/*
 * Between two starts of the server the wall clock may have been put back: then what happens now
 * happened, as far as anybody is told, at the moment that it follows. Timers go by the clock.
 */
static int64_t not_before(int64_t at, int64_t before)
{
    return at < before ? before : at;
}

/* Moves the job in the store and in memory; `scenario` and `error` NULL where there is none. */
static int move(struct db *db, const struct workspace *workspace, struct job *job,
                enum job_event event, const struct job_change *details)
{
    struct job_change change = *details;
    change.from = job->status;
    if (!job_state_next(job->status, event, &change.to))
        return ERR_INVALID;
    int status = job_change(db, job->seq, &change);
    if (status < 0)
        return status;
    job->status = change.to;
    job->started_at = change.started_at;
    job->completed_at = change.completed_at;
    job->due_at = change.due_at;
    job->marks = change.marks;
    job->start_cause = change.start_cause;
    job->end_cause = change.end_cause;
    feed_note_transition(workspace, job, &change);
    if (workspace->tally && job_state_is_end(job->status)) /* which a roll-back only puts off */
        tally_job_ended(workspace->tally, job->id);
    return 0;
}

/* Reads what is planned for the job; a plan that says nothing where there is none. */
static int read_plan(struct db *db, const struct job *job, struct plan *ret_plan)
{
    struct plan_row row;
    plan_init(ret_plan);
    if (!(job->marks & JOB_HAS_PLAN))
        return 0;
    int status = plan_read(db, job->seq, &row);
    if (status == 0)
        *ret_plan = row.plan;
    return status;
}

int transition_start(struct db *db, const struct workspace *workspace, struct job *job,
                     enum job_cause cause, int64_t at)
{
    struct plan plan;
    int status = read_plan(db, job, &plan);
    if (status < 0)
        return status;
    /* The plan of times alone is kept for the rule that it names. */
    unsigned marks = plan_marks(&plan, JOB_PROCESSING) | (job->marks & JOB_HAS_PLAN);
    status = move(db, workspace, job, JOB_START,
                  &(struct job_change){.started_at = not_before(at, job->created_at),
                                       .completed_at = -1,
                                       .marks = marks,
                                       .start_cause = cause,
                                       .due_at = marks & (JOB_IS_HELD | JOB_IS_POLLED)
                                                     ? -1
                                                     : time_add(at, job->processing_time)});
    if (status == 0 && marks & JOB_HAS_PLAN)
        status = plan_set_polls(db, job->seq, 0);
    return status;
}

static int look_whether_named(const struct job_input *input, void *named)
{
    *(bool *)named = generator_can_name(input->prompt, strlen(input->prompt));
    return 0;
}

int transition_expect(struct db *db, const struct job *job, enum job_status *ret_to)
{
    struct plan plan;
    bool named = true;
    if (job->status == JOB_QUEUED) {
        *ret_to = JOB_PROCESSING;
        return 0;
    }
    int status = read_plan(db, job, &plan);
    if (status == 0 && plan_says_end(&plan) == PLAN_END_UNSAID)
        status = job_input(db, job->seq, look_whether_named, &named);
    if (status == 0)
        *ret_to = plan_says_end(&plan) == PLAN_FAILED || !named ? JOB_FAILED : JOB_COMPLETED;
    return status;
}

/* Where the last number of a stem is remembered; two stems may share a place. */
static struct slug_hint *hint_of(struct db *db, struct workspace *workspace, const char *stem)
{
    uint64_t hash = UINT64_C(14695981039346656037); /* FNV-1a */
    for (; *stem; stem++)
        hash = (hash ^ (unsigned char)*stem) * UINT64_C(1099511628211);
    struct slug_hint *hint = &workspace->slug_hints[hash % SLUG_HINTS];
    if (hint->hash != hash || hint->rollbacks != db_rollbacks(db))
        *hint = (struct slug_hint){.hash = hash, .rollbacks = db_rollbacks(db)};
    return hint;
}

static int is_taken(struct db *db, const struct workspace *workspace, const char *stem, long number,
                    char slug[SCENARIO_SLUG_SIZE], bool *ret_taken)
{
    snprintf(slug, SCENARIO_SLUG_SIZE, number > 1 ? "%s-%ld" : "%s", stem, number);
    return scenario_slug_exists(db, workspace->row.pk, slug, ret_taken);
}

/*
 * A slug that nobody has: the name's, or else that with -2, -3 …. Most often it is the number after
 * the last one that was given. Where that is not known, numbers are tried one by one for a while,
 * as names that bear a number themselves leave gaps, and then by doubling and halving, as many that
 * were given run without one.
 */
static int free_slug(struct db *db, struct workspace *workspace, const char *stem,
                     char slug[SCENARIO_SLUG_SIZE])
{
    struct slug_hint *hint = hint_of(db, workspace, stem);
    enum { ONE_BY_ONE = 8 };
    long first = hint->number + 1;
    long low = hint->number, high = first; /* `low` is taken */
    bool taken;
    int status;
    while ((status = is_taken(db, workspace, stem, high, slug, &taken)) == 0 && taken) {
        low = high;
        high = high - first < ONE_BY_ONE ? high + 1 : high * 2;
    }
    while (status == 0 && high - low > 1) {
        long middle = low + (high - low) / 2;
        status = is_taken(db, workspace, stem, middle, slug, &taken);
        if (taken)
            low = middle;
        else
            high = middle;
    }
    if (status < 0)
        return status;
    hint->number = high;
    return is_taken(db, workspace, stem, high, slug, &taken); /* leaves it in `slug` */
}

struct making {
    struct db *db;
    struct workspace *workspace;
    struct plan plan;
    struct scenario scenario;
    bool named;
};

/* Names the scenario from the plan or the job's prompt, and finds what it was remixed from. */
static int name_scenario(const struct job_input *input, void *arg)
{
    struct making *making = arg;
    struct scenario source;
    size_t len = strlen(input->prompt);
    making->named = plan_says_end(&making->plan) || generator_can_name(input->prompt, len);
    if (!making->named)
        return 0;
    if (*making->plan.scenario_name)
        memcpy(making->scenario.name, making->plan.scenario_name, sizeof making->scenario.name);
    else
        generator_name(input->prompt, len, making->scenario.name);
    if (!input->scenario_slug)
        return 0;
    int status =
        scenario_by_slug(making->db, making->workspace->row.pk, input->scenario_slug, &source);
    if (status == 0)
        memcpy(making->scenario.source, source.id, sizeof source.id);
    return status == ERR_NOT_FOUND ? 0 : status;
}

static int make_scenario(struct making *making, const struct job *job, int64_t at)
{
    struct scenario *scenario = &making->scenario;
    char stem[SCENARIO_SLUG_SIZE];
    int status = draw_hex(making->db, making->workspace, scenario->id);
    if (status < 0)
        return status;
    if (*making->plan.scenario_slug)
        memcpy(stem, making->plan.scenario_slug, sizeof stem);
    else if (!generator_slug(scenario->name, stem))
        snprintf(stem, sizeof stem, "scenario-%s", scenario->id);
    status = free_slug(making->db, making->workspace, stem, scenario->slug);
    if (status < 0)
        return status;
    memcpy(scenario->job, job->id, sizeof scenario->job);
    scenario->created_at = at;
    /* The slug is free, so what may be taken is the id (S21). */
    while ((status = scenario_insert(making->db, making->workspace->row.pk, scenario)) ==
           ERR_EXISTS)
        if ((status = draw_hex(making->db, making->workspace, scenario->id)) < 0)
            break;
    return status;
}

/* What every end has in common. */
static int end(struct db *db, struct workspace *workspace, struct job *job, enum job_event event,
               struct job_change *details, int64_t at, int64_t *io_due)
{
    details->started_at = job->started_at;
    details->start_cause = job->start_cause;
    details->completed_at = not_before(at, job->started_at < 0 ? job->created_at : job->started_at);
    details->due_at = -1;
    details->marks = job->marks & JOB_HAS_PLAN;
    int status = move(db, workspace, job, event, details);
    if (status < 0 || !job->has_callback)
        return status;
    return delivery_owe(db, workspace, job, at, io_due);
}

static int fail(struct making *making, struct job *job, enum job_cause cause, int64_t at,
                int64_t *io_due)
{
    char code[ERROR_CODE_SIZE], message[ERROR_MESSAGE_SIZE];
    plan_error(&making->plan, code, message);
    return end(
        making->db, making->workspace, job, JOB_FAIL,
        &(struct job_change){.error_code = code, .error_message = message, .end_cause = cause}, at,
        io_due);
}

int transition_finish(struct db *db, struct workspace *workspace, struct job *job,
                      const struct transition_order *order, int64_t at, int64_t *io_due)
{
    struct making making = {.db = db, .workspace = workspace};
    int status = read_plan(db, job, &making.plan);
    if (status == 0 && order->said) {
        struct plan planned = making.plan;
        making.plan = *order->said;
        plan_add(&making.plan, &planned);
    }
    if (status == 0)
        status = job_input(db, job->seq, name_scenario, &making);
    if (status < 0)
        return status;
    if (plan_says_end(&making.plan) == PLAN_FAILED || !making.named)
        return fail(&making, job, order->cause, at, io_due);
    status = make_scenario(&making, job, at);
    if (status < 0)
        return status;
    return end(db, workspace, job, JOB_COMPLETE,
               &(struct job_change){.scenario = making.scenario.id, .end_cause = order->cause}, at,
               io_due);
}

int transition_cancel(struct db *db, struct workspace *workspace, struct job *job,
                      enum job_cause cause, int64_t at, int64_t *io_due)
{
    return end(db, workspace, job, JOB_CANCEL, &(struct job_change){.end_cause = cause}, at,
               io_due);
}
