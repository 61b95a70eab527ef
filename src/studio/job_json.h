/* The one serializer of a job (S18 to S20). Any thread. */
#ifndef UNDERSTUDY_STUDIO_JOB_JSON_H
#define UNDERSTUDY_STUDIO_JOB_JSON_H

#include "base/buf.h"
#include "store/job.h"

enum job_newness { JOB_PLAIN, JOB_IS_NEW, JOB_IS_KNOWN }; /* without is_new; true; false */

void job_put_json(struct buf *out, const struct job *job, enum job_newness newness);

#endif
