/* Jobs with what they were asked with, in the order of their creation, as the control plane sees
 * them. Any thread's connection. */
#ifndef UNDERSTUDY_STORE_JOB_LIST_H
#define UNDERSTUDY_STORE_JOB_LIST_H

#include "store/job.h"

/* Which jobs; a NULL or a negative number excludes none. */
struct job_filter {
    int64_t after, until; /* events: of those created after the one, up to the other */
    int status;
    const char *request_id, *scenario_slug, *session; /* equal */
    const char *prompt;                               /* a part of it */
};

/*
 * Visits the jobs of a workspace; what they were asked with lasts until the visitor returns. A
 * result of the visitor other than 0 ends it, and is returned.
 */
int job_each(struct db *db, int64_t workspace, const struct job_filter *filter,
             int (*visit)(const struct job *job, const struct job_input *input, void *arg),
             void *arg);

/* The unfinished jobs of a workspace: those that time moves, and those that it does not, because
 * they are held or reading moves them. */
int job_count_waiting(struct db *db, int64_t workspace, int64_t *ret_timed, int64_t *ret_untimed);

#endif
