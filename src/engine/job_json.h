/* The one serializer of a job (S18 to S20). Any thread. */
#ifndef UNDERSTUDY_ENGINE_JOB_JSON_H
#define UNDERSTUDY_ENGINE_JOB_JSON_H

#include "base/buf.h"
#include "store/job.h"

enum job_newness { JOB_PLAIN, JOB_IS_NEW, JOB_IS_KNOWN }; /* without is_new; true; false */

/* Its members alone, without the braces, for an object that has more. */
void job_put_members(struct buf *out, const struct job *job);

void job_put_json(struct buf *out, const struct job *job, enum job_newness newness);

#endif
