/*
 * The states of a job (S22), as a pure function: queued → processing → completed or failed; queued
 * or processing → cancelled; an end never changes.
 */
#ifndef UNDERSTUDY_ENGINE_JOB_STATE_H
#define UNDERSTUDY_ENGINE_JOB_STATE_H

#include "store/job.h"

#include <stdbool.h>

enum job_event { JOB_START, JOB_COMPLETE, JOB_FAIL, JOB_CANCEL };
enum { JOB_EVENTS = JOB_CANCEL + 1 };

/* Whether the event is allowed in this state, and the state it leads to. */
bool job_state_next(enum job_status from, enum job_event event, enum job_status *ret_to);

/* Whether a state is an end. */
bool job_state_is_end(enum job_status status);

#endif
