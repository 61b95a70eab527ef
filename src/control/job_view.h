/* A job as the control plane shows it: as its API does (S18), and what a tester needs besides. */
#ifndef UNDERSTUDY_CONTROL_JOB_VIEW_H
#define UNDERSTUDY_CONTROL_JOB_VIEW_H

#include "base/buf.h"
#include "http/request.h"
#include "store/job.h"

/* Appends one; reads its plan from `db`, where it has one. 0 or the store's error. */
int job_view_put(struct buf *out, struct db *db, const struct job *job,
                 const struct job_input *input);

/* Answers with a job that was read, 200; and that there is none of the id in the path, 404. HTTP
 * threads. */
void job_view_answer(struct request *request, const struct job *job);
void job_view_refuse(struct request *request);

#endif
