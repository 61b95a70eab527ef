#include "engine/plan.h"

#include <stdio.h>
#include <string.h>

/* The errors that the contract knows (S23); the first is what a failure without a code means. */
static const struct {
    const char *code, *message;
} known_errors[] = {
    {"GENERATION_ERROR", "Unable to generate scenario from the provided prompt"},
    {"CONTENT_POLICY_VIOLATION", "The prompt violates the content policy"},
};

void plan_init(struct plan *plan)
{
    *plan = (struct plan)PLAN_NONE;
}

unsigned plan_marks(const struct plan *plan, enum job_status status)
{
    int polls = status == JOB_QUEUED ? plan->polls_queued : plan->polls_processing;
    return (plan_is_kept(plan) ? JOB_HAS_PLAN : 0U) |
           (plan->hold_at == (int)status ? JOB_IS_HELD : 0U) | (polls >= 0 ? JOB_IS_POLLED : 0U);
}

bool plan_is_kept(const struct plan *plan)
{
    return plan->end != PLAN_END_UNSAID || *plan->error_code || *plan->error_message ||
           *plan->scenario_name || *plan->scenario_slug || plan->polls_queued >= 0 ||
           plan->polls_processing >= 0 || plan->hold_at >= 0;
}

enum plan_end plan_says_end(const struct plan *plan)
{
    if (plan->end == PLAN_END_UNSAID && (*plan->error_code || *plan->error_message))
        return PLAN_FAILED;
    return plan->end;
}

static void add_text(char *text, const char *under, size_t size)
{
    if (!*text)
        memcpy(text, under, size);
}

static void add_number(int *number, int under)
{
    if (*number < 0)
        *number = under;
}

static void add_time(int64_t *time, int64_t under)
{
    if (*time < 0)
        *time = under;
}

/* The end and its error, which belong together. */
static void add_end(struct plan *plan, const struct plan *under)
{
    plan->end = plan_says_end(plan);
    if (plan->end == PLAN_END_UNSAID)
        plan->end = plan_says_end(under);
    if (plan->end != PLAN_FAILED || plan_says_end(under) != PLAN_FAILED)
        return;
    if (!*plan->error_code || strcmp(plan->error_code, under->error_code) == 0)
        add_text(plan->error_message, under->error_message, sizeof plan->error_message);
    add_text(plan->error_code, under->error_code, sizeof plan->error_code);
}

void plan_add(struct plan *plan, const struct plan *under)
{
    add_time(&plan->queued, under->queued);
    add_time(&plan->processing, under->processing);
    add_end(plan, under);
    add_text(plan->scenario_name, under->scenario_name, sizeof plan->scenario_name);
    add_text(plan->scenario_slug, under->scenario_slug, sizeof plan->scenario_slug);
    add_number(&plan->polls_queued, under->polls_queued);
    add_number(&plan->polls_processing, under->polls_processing);
    add_number(&plan->hold_at, under->hold_at);
}

void plan_error(const struct plan *plan, char ret_code[ERROR_CODE_SIZE],
                char ret_message[ERROR_MESSAGE_SIZE])
{
    const char *code = *plan->error_code ? plan->error_code : known_errors[0].code;
    const char *message = *plan->error_message ? plan->error_message : NULL;
    for (size_t i = 0; !message && i < sizeof known_errors / sizeof *known_errors; i++)
        if (strcmp(code, known_errors[i].code) == 0)
            message = known_errors[i].message;
    snprintf(ret_code, ERROR_CODE_SIZE, "%s", code);
    if (message)
        snprintf(ret_message, ERROR_MESSAGE_SIZE, "%s", message);
    else
        snprintf(ret_message, ERROR_MESSAGE_SIZE, "The job failed: %s", code);
}
