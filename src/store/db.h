/*
 * One SQLite connection with all its statements prepared. A connection belongs to one thread at a
 * time. The writer's is the only one that ever writes or checkpoints: the SQLite that Debian ships
 * (3.40.1) can lose a transaction when one connection resets the log while another commits.
 */
#ifndef UNDERSTUDY_STORE_DB_H
#define UNDERSTUDY_STORE_DB_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct db;

enum db_role { DB_WRITER, DB_READER };

enum durability {
    DURABILITY_POWER,   /* a commit survives a power cut: synchronous=FULL */
    DURABILITY_PROCESS, /* a commit survives the process's end: synchronous=NORMAL */
};

/*
 * Opens `path`. A writer makes a new store where there is none and brings an older one up to date;
 * a reader needs one that is there. ERR_CORRUPT, ERR_NEWER, ERR_CREATE, ERR_PERMISSION, ERR_IO, …
 * with the reason in `err`.
 */
int db_open(const char *path, enum db_role role, enum durability durability, struct db **ret_db,
            struct err *err);

/* Closes it; NULL is fine. */
void db_close(struct db *db);

/* The writer's transaction: 0 or an error. db_rollback() also serves where SQLite already did. */
int db_begin(struct db *db);
int db_commit(struct db *db);
void db_rollback(struct db *db);

/* Whether the medium failed the writer: then nothing of its is written, synced or tried again. */
bool db_is_broken(const struct db *db);

/* Whether there is room again: 0, or what is still the matter. The writer's, between transactions.
 */
int db_try(struct db *db);

/* A reader's: until its end, all that is read is as of one moment. 0 or an error. */
int db_hold(struct db *db);
void db_let_go(struct db *db);

/* The server is about to end: locks of other processes are not waited for as long. Any thread. */
void db_hurry(struct db *db);

/*
 * How many messages share the writer's present transaction: what could also be done later, does
 * less where others wait for the same commit.
 */
size_t db_batch_size(const struct db *db);

/*
 * How many transactions were rolled back: what was remembered of one may not be true after another.
 */
unsigned long db_rollbacks(const struct db *db);

/*
 * The next of a count that only grows while the store is open: what is read in the order of these
 * numbers misses nothing, since writes are committed in their order. A roll-back leaves gaps. The
 * writer's connection.
 */
int64_t db_next_number(struct db *db);

/*
 * Whether the log is so long that a checkpoint is due: already when the writer is idle, or although
 * it is not.
 */
bool db_wants_checkpoint(const struct db *db, bool idle);

enum checkpoint {
    CHECKPOINT_PASSIVE,  /* what can be copied without waiting for anyone */
    CHECKPOINT_RESTART,  /* everything, waiting for readers, so that the log starts anew */
    CHECKPOINT_TRUNCATE, /* the same, and the log's file is emptied */
};

/* Copies what the log holds into the store's file. Where it fails, the log still holds everything.
 */
int db_checkpoint(struct db *db, enum checkpoint checkpoint);

#endif
