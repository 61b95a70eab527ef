#include "engine/transition.h"

#include "engine/generator.h"
#include "engine/job_state.h"
#include "store/delivery.h"
#include "store/scenario.h"

#include <stdio.h>
#include <string.h>

/* Moves the job in the store and in memory; `scenario` and `error` NULL where there is none. */
static int move(struct db *db, struct job *job, enum job_event event,
                const struct job_change *details)
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
    return 0;
}

int transition_start(struct db *db, struct job *job, int64_t at)
{
    return move(db, job, JOB_START,
                &(struct job_change){
                    .started_at = at, .completed_at = -1, .due_at = at + job->processing_time});
}

/*
 * A slug that nobody has: the name's, or else that with -2, -3 …. Taken numbers run without a gap,
 * so the first free one is found by doubling and halving, and a thousandth scenario of one name
 * costs twenty look-ups, not a thousand.
 */
static int free_slug(struct db *db, int64_t workspace, const char *stem,
                     char slug[SCENARIO_SLUG_SIZE])
{
    long low = 1, high = 2; /* `low` is taken, `high` may be */
    bool taken;
    snprintf(slug, SCENARIO_SLUG_SIZE, "%s", stem);
    int status = scenario_slug_exists(db, workspace, slug, &taken);
    if (status < 0 || !taken)
        return status;
    for (;; low = high, high *= 2) {
        snprintf(slug, SCENARIO_SLUG_SIZE, "%s-%ld", stem, high);
        if ((status = scenario_slug_exists(db, workspace, slug, &taken)) < 0)
            return status;
        if (!taken)
            break;
    }
    while (high - low > 1) {
        long middle = low + (high - low) / 2;
        snprintf(slug, SCENARIO_SLUG_SIZE, "%s-%ld", stem, middle);
        if ((status = scenario_slug_exists(db, workspace, slug, &taken)) < 0)
            return status;
        if (taken)
            low = middle;
        else
            high = middle;
    }
    snprintf(slug, SCENARIO_SLUG_SIZE, "%s-%ld", stem, high);
    return 0;
}

static int free_id(struct db *db, int64_t workspace, char id[ID_HEX_SIZE])
{
    bool taken;
    int status;
    do {
        id_hex(id);
        status = scenario_id_exists(db, workspace, id, &taken);
    } while (status == 0 && taken);
    return status;
}

struct making {
    struct db *db;
    int64_t workspace;
    struct scenario scenario;
    bool named;
};

/* Names the scenario from the job's prompt, and finds what it was remixed from. */
static int name_scenario(const struct job_input *input, void *arg)
{
    struct making *making = arg;
    struct scenario source;
    size_t len = strlen(input->prompt);
    making->named = generator_can_name(input->prompt, len);
    if (!making->named)
        return 0;
    generator_name(input->prompt, len, making->scenario.name);
    if (!input->scenario_slug)
        return 0;
    int status = scenario_by_slug(making->db, making->workspace, input->scenario_slug, &source);
    if (status == 0)
        memcpy(making->scenario.source, source.id, sizeof source.id);
    return status == ERR_NOT_FOUND ? 0 : status;
}

static int make_scenario(struct making *making, const struct job *job, int64_t at)
{
    struct scenario *scenario = &making->scenario;
    char stem[GENERATOR_SLUG_SIZE];
    int status = free_id(making->db, making->workspace, scenario->id);
    if (status < 0)
        return status;
    if (!generator_slug(scenario->name, stem))
        snprintf(stem, sizeof stem, "scenario-%s", scenario->id);
    status = free_slug(making->db, making->workspace, stem, scenario->slug);
    if (status < 0)
        return status;
    memcpy(scenario->job, job->id, sizeof scenario->job);
    scenario->created_at = at;
    return scenario_insert(making->db, making->workspace, scenario);
}

/* What every end has in common. */
static int end(struct db *db, const struct workspace *workspace, struct job *job,
               enum job_event event, struct job_change *details, int64_t at)
{
    details->started_at = job->started_at;
    details->completed_at = at;
    details->due_at = -1;
    int status = move(db, job, event, details);
    return status < 0 ? status : delivery_insert(db, workspace->row.pk, job->seq, at);
}

int transition_finish(struct db *db, const struct workspace *workspace, struct job *job, int64_t at)
{
    struct making making = {.db = db, .workspace = workspace->row.pk};
    int status = job_input(db, workspace->row.pk, job->id, name_scenario, &making);
    if (status < 0)
        return status;
    if (!making.named)
        return end(db, workspace, job, JOB_FAIL,
                   &(struct job_change){.error_code = "GENERATION_ERROR",
                                        .error_message = "Unable to generate scenario from the "
                                                         "provided prompt"},
                   at);
    status = make_scenario(&making, job, at);
    if (status < 0)
        return status;
    return end(db, workspace, job, JOB_COMPLETE,
               &(struct job_change){.scenario = making.scenario.id}, at);
}

int transition_cancel(struct db *db, const struct workspace *workspace, struct job *job, int64_t at)
{
    return end(db, workspace, job, JOB_CANCEL, &(struct job_change){0}, at);
}
