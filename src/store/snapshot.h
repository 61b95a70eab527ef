/*
 * The rows of a workspace, all of them, as plain values: to be written down whole and put back.
 * Which value means what, engine/state.c knows; here is only their order.
 */
#ifndef UNDERSTUDY_STORE_SNAPSHOT_H
#define UNDERSTUDY_STORE_SNAPSHOT_H

#include "store/db.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * In the order in which they are put back: deliveries name jobs. A row of jobs is followed by the
 * values of its plan, which are put back by themselves.
 */
enum snapshot_table {
    SNAPSHOT_SCENARIOS,
    SNAPSHOT_JOBS,
    SNAPSHOT_DELIVERIES,
    SNAPSHOT_SESSIONS,
    SNAPSHOT_PROJECT_SCENARIOS,
    SNAPSHOT_RULES,
    SNAPSHOT_TABLES,
};
enum { SNAPSHOT_COLUMNS_MAX = 40 };

/* `text` NULL: a number, or null where `is_null`. Borrowed. */
struct snapshot_value {
    bool is_null;
    int64_t number;
    const char *text;
    size_t len;
};

/* Visits a table's rows of a workspace in order of creation; a negative result ends it. The visitor
 * may change the values. */
int snapshot_each(struct db *db, enum snapshot_table table, int64_t workspace,
                  int (*visit)(struct snapshot_value *values, void *arg), void *arg);

/* Puts a row back. ERR_EXISTS: something in it is another row's; ERR_NOT_FOUND: its job is not
 * there. Writer. */
int snapshot_insert(struct db *db, enum snapshot_table table, int64_t workspace,
                    const struct snapshot_value *values);

/* Puts back the plan of the job with that id: the values that follow a job's. Writer. */
int snapshot_insert_plan(struct db *db, int64_t workspace, const char *job,
                         const struct snapshot_value *values);

/* Removes all rows of a workspace's table; those of jobs take their plans and deliveries along.
 * Writer. */
int snapshot_clear(struct db *db, enum snapshot_table table, int64_t workspace);

#endif
