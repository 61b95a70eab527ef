#include "engine/job_state.h"

enum { REFUSED = -1 };

static const signed char moves[JOB_STATUSES][JOB_EVENTS] = {
    /*                  JOB_START       JOB_COMPLETE   JOB_FAIL    JOB_CANCEL */
    [JOB_QUEUED] = {JOB_PROCESSING, REFUSED, REFUSED, JOB_CANCELLED},
    [JOB_PROCESSING] = {REFUSED, JOB_COMPLETED, JOB_FAILED, JOB_CANCELLED},
    [JOB_COMPLETED] = {REFUSED, REFUSED, REFUSED, REFUSED},
    [JOB_FAILED] = {REFUSED, REFUSED, REFUSED, REFUSED},
    [JOB_CANCELLED] = {REFUSED, REFUSED, REFUSED, REFUSED},
};

bool job_state_next(enum job_status from, enum job_event event, enum job_status *ret_to)
{
    signed char to = moves[from][event];
    if (to == REFUSED)
        return false;
    *ret_to = (enum job_status)to;
    return true;
}

bool job_state_is_end(enum job_status status)
{
    enum job_status to;
    return !job_state_next(status, JOB_CANCEL, &to);
}
