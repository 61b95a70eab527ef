/*
 * What is to become of a job, as a rule, a #mock line or a tag may say it, each part or not. What
 * none of them says, the prompt and the workspace's settings decide.
 *
 * Plain values, that whoever has them has all of. Pure; any thread.
 */
#ifndef UNDERSTUDY_ENGINE_PLAN_H
#define UNDERSTUDY_ENGINE_PLAN_H

#include "store/job.h"

/* Says nothing. */
#define PLAN_NONE                                                                                  \
    {                                                                                              \
        .queued = -1, .processing = -1, .polls_queued = -1, .polls_processing = -1, .hold_at = -1  \
    }
void plan_init(struct plan *plan);

/*
 * What `plan` does not say, `under` says: added in the order of precedence, rule, line, tag. An
 * error (its code, its message or both) that comes without an end means failed, in `under` too.
 * So an error of `under` is left out where `plan` has the job complete, and its message where
 * `plan` names another code.
 */
void plan_add(struct plan *plan, const struct plan *under);

/* How a job that enters this state is marked: of enum job_mark. */
unsigned plan_marks(const struct plan *plan, enum job_status status);

/* Whether it says more than times, which the job itself has. */
bool plan_is_kept(const struct plan *plan);

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
