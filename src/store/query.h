/*
 * Inside the store: one run of a prepared statement.
 *
 *     struct query query = query_begin(db, TABLE_JOB, JOB_BY_ID);
 *     query_int(&query, workspace);
 *     query_text(&query, id, -1);
 *     int rc = query_step(&query);        1 a row, 0 no more rows, negative an error
 *     … query_get_int(&query, 0) …
 *     query_end(&query);
 *
 * Parameters are bound in their order. A failed bind is remembered and is what query_step()
 * returns.
 */
#ifndef UNDERSTUDY_STORE_QUERY_H
#define UNDERSTUDY_STORE_QUERY_H

#include "store/db.h"

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A statement's text; `writes` ones are prepared on the writer's connection only. */
struct sql {
    const char *text;
    bool writes;
};
#define READS(text_)                                                                               \
    {                                                                                              \
        (text_), false                                                                             \
    }
#define WRITES(text_)                                                                              \
    {                                                                                              \
        (text_), true                                                                              \
    }

struct sql_list {
    const struct sql *statements;
    size_t count;
};

/* One list a table, each beside the functions that use it. */
enum table {
    TABLE_WORKSPACE,
    TABLE_ACCESS,
    TABLE_PURGE,
    TABLE_JOB,
    TABLE_JOB_LIST,
    TABLE_PLAN,
    TABLE_SESSION,
    TABLE_SNAPSHOT,
    TABLE_SCENARIO,
    TABLE_DELIVERY,
    TABLE_DELIVERY_LIST,
    TABLE_ATTEMPT,
    TABLE_PROJECT_SCENARIO,
    TABLE_RULE,
    TABLE_INBOX,
    TABLES,
};
extern const struct sql_list workspace_sql, access_sql, purge_sql;
extern const struct sql_list job_sql, job_list_sql, plan_sql, snapshot_sql, delivery_sql,
    delivery_list_sql, attempt_sql;
extern const struct sql_list session_sql, scenario_sql, project_scenario_sql, rule_sql, inbox_sql;

struct query {
    struct db *db;
    sqlite3_stmt *statement;
    int bound;  /* parameters bound so far */
    int status; /* SQLITE_OK, or the first failed bind */
};

struct query query_begin(struct db *db, enum table table, int statement);

/* Bind the next parameter. Text and bytes must stay as they are until query_end(). */
void query_int(struct query *query, int64_t value);
void query_int_or_null(struct query *query, int64_t value); /* null when negative */
void query_real(struct query *query, double value);
void query_text(struct query *query, const char *text); /* null when NULL */
void query_text_n(struct query *query, const char *text, size_t len);
void query_blob(struct query *query, const void *bytes, size_t len);

/* 1: there is a row to read. 0: done. Negative: an error. */
int query_step(struct query *query);

/* Runs a statement that gives no rows, and ends it: 0 or an error. */
int query_run(struct query *query);

/* Whether a statement gives any row, and ends it. */
int query_exists(struct query *query, bool *ret_exists);

/* The present row's columns. */
int64_t query_get_int(struct query *query, int column);
int64_t query_get_int_or(struct query *query, int column, int64_t absent); /* for NULL */
double query_get_real(struct query *query, int column);
const char *query_get_text(struct query *query,
                           int column); /* NULL for NULL; until the next step */

/* Copies a column's text into `dest` of `size` bytes ("" for NULL). */
void query_copy_text(struct query *query, int column, char *dest, size_t size);

/* Copies the first `size` bytes of a column, with zeros where it is shorter. */
void query_copy_blob(struct query *query, int column, void *dest, size_t size);

/* Makes the statement ready for its next use. */
void query_end(struct query *query);

/* Rows that the last statement changed; the integer key that the last insert made. */
int query_changes(struct db *db);
int64_t query_last_key(struct db *db);

/* What an SQLite result means to the rest of the program: 0 or an ERR_ code. */
int query_error(int sqlite_result);

#endif
