/* Inside the store: what a connection is made of. */
#ifndef UNDERSTUDY_STORE_DB_INTERNAL_H
#define UNDERSTUDY_STORE_DB_INTERNAL_H

#include "store/db.h"
#include "store/query.h"

#include <sqlite3.h>
#include <stdatomic.h>

struct db {
    sqlite3 *connection;
    sqlite3_stmt **statements[TABLES];
    sqlite3_stmt *begin; /* the writer's */
    sqlite3_stmt *commit, *roll_back;
    bool is_writer, is_broken;
    unsigned long rollbacks;
    int64_t numbers;     /* drawn so far; see db_next_number() */
    size_t batch_size;   /* messages in the present transaction */
    int64_t patience_ms; /* how long a lock is waited for */
    int64_t waits_since;
    atomic_bool hurries;
    int kept_pages; /* that the last checkpoint could not let go of */
    int log_pages;  /* in the write-ahead log, as of the last commit */
};

/* Applies the migrations that a store lacks (store/migrate.c). */
int db_migrate(struct db *db, struct err *err);

/*
 * What a result of SQLite's on this connection means, as an ERR_ code. Where the medium failed the
 * writer, the connection is broken from then on; a reader's fault is logged, now and then, because
 * those who read are told nothing but that it failed.
 */
int db_error(struct db *db, int sqlite_result);

/* The present layout's number. */
int db_newest_layout(void);

/* Runs SQL that gives no rows and takes no parameters. */
int db_execute(struct db *db, const char *sql, struct err *err);

/* A single integer's worth of SQL. */
int db_integer(struct db *db, const char *sql, int64_t *ret_value, struct err *err);

enum { STORE_APPLICATION_ID = 0x55447374 }; /* "UDst" */

#endif
