/*
 * What is to become of a job, as a rule, a #mock line or a tag may say it, each part or not. What
 * none of them says, the prompt and the workspace's settings decide.
 *
 * Plain values, that whoever has them has all of. Pure; any thread.
 */
#ifndef UNDERSTUDY_ENGINE_PLAN_H
#define UNDERSTUDY_ENGINE_PLAN_H

#include "store/job.h"

#include <stdint.h>

enum plan_end { PLAN_END_UNSAID, PLAN_COMPLETED, PLAN_FAILED };

struct plan {
    int64_t queued, processing; /* ms; -1: not said */
    enum plan_end end;
    char error_code[ERROR_CODE_SIZE], error_message[ERROR_MESSAGE_SIZE]; /* "": not said */
    /* Of the scenario that it makes; "": not said. */
    char scenario_name[SCENARIO_NAME_SIZE], scenario_slug[SCENARIO_SLUG_SIZE];
    int polls_queued, polls_processing; /* GETs that show the state; -1: not said */
    int hold_at; /* JOB_QUEUED or JOB_PROCESSING, where it stays until released; -1: not said */
};

/* Says nothing. */
void plan_init(struct plan *plan);

/*
 * What `plan` does not say, `under` says: added in the order of precedence, rule, line, tag. An
 * error (its code, its message or both) that comes without an end means failed, in `under` too.
 * So an error of `under` is left out where `plan` has the job complete, and its message where
 * `plan` names another code.
 */
void plan_add(struct plan *plan, const struct plan *under);

/* Whether it says how the job ends, an error without an end included. */
enum plan_end plan_says_end(const struct plan *plan);

/*
 * The error of a job that fails by this plan (S23): what it says, GENERATION_ERROR where it says
 * no code, the contract's message where it says none for a code that the contract knows, and else
 * one made for the code.
 */
void plan_error(const struct plan *plan, char ret_code[ERROR_CODE_SIZE],
                char ret_message[ERROR_MESSAGE_SIZE]);

#endif
