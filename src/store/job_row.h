/* Inside the store: a job's columns, for every statement that reads whole jobs. */
#ifndef UNDERSTUDY_STORE_JOB_ROW_H
#define UNDERSTUDY_STORE_JOB_ROW_H

#include "store/job.h"
#include "store/query.h"

/* What a statement selects first, and then, if it does, what of the job's scenario. */
#define JOB_COLUMNS                                                                                \
    "job.seq, job.id, job.status, job.created_at, job.started_at, job.completed_at, job.due_at,"   \
    " job.processing_time, job.error_code, job.error_message, job.base,"                           \
    " job.callback_url IS NOT NULL, job.queue_time, job.event, job.marks, job.start_cause,"        \
    " job.end_cause"
#define JOB_SCENARIO_COLUMNS "scenario.id, scenario.slug, scenario.name"
#define JOB_SCENARIO_JOIN                                                                          \
    " LEFT JOIN scenario ON scenario.workspace = job.workspace AND scenario.id = job.scenario"

enum { JOB_COLUMN_COUNT = 17, JOB_SCENARIO_COLUMN_COUNT = 3 };

/* Reads them from the present row. */
void job_row_read(struct query *query, bool with_scenario, struct job *ret_job);

#endif
