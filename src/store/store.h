/*
 * The store: one SQLite file, one writer thread, a read-only connection for each thread that reads.
 *
 * Writes are messages. The writer takes all that wait, runs them in one transaction and commits;
 * only then is each told. So a lone client pays one commit, and a hundred clients share one.
 */
#ifndef UNDERSTUDY_STORE_STORE_H
#define UNDERSTUDY_STORE_STORE_H

#include "base/err.h"
#include "base/histogram.h"
#include "store/db.h"

#include <stdbool.h>
#include <stddef.h>

struct store;

/*
 * A write, embedded in whatever its sender needs. The sender keeps it alive until `done` was
 * called.
 *
 * `run` is called on the writer's thread inside a transaction, perhaps more than once (when another
 * message of its batch failed, all of it is rolled back and each message runs by itself): it must
 * do nothing that a roll-back would not undo, but write results into its own memory. It returns 0,
 * or an error that undoes what it wrote. What is refused by a rule is a result, not an error.
 *
 * `done` is called on the writer's thread, once, after the commit or the failure. In a batch, the
 * order of the calls is that of the runs.
 */
struct write {
    int (*run)(struct write *self, struct db *db);
    void (*done)(struct write *self, int status);
    struct write *next; /* the queue's */
};

/*
 * Opens the store and starts its writer. `path` ":memory:" means a private directory that is gone
 * after store_close(). ERR_HELD where another server has it, ERR_FOREIGN, ERR_NEWER and ERR_CORRUPT
 * with the file untouched, ERR_CREATE, ERR_PERMISSION, …; `err` says more.
 */
int store_open(const char *path, enum durability durability, struct store **ret_store,
               struct err *err);

/* Where the store's file is. Owned by the store. */
const char *store_path(const struct store *store);

/*
 * Queues a write; any thread. ERR_OVERLOADED when too many wait, ERR_STOPPING when the store is
 * closing: then neither `run` nor `done` is called.
 */
int store_submit(struct store *store, struct write *write);

/* Queues a write and waits for it. Its `done` is not called. For the start and for tests. */
int store_write(struct store *store, struct write *write);

/*
 * From now on, after each batch in which a number was drawn (db_next_number()), `committed` is
 * called with the last one on the writer's thread, after the senders of its messages were told:
 * what they publish in memory, such as a clock, is there before anything follows from the number.
 * One at a time; NULL ends it, and once that has returned, nobody is called any more.
 */
void store_watch(struct store *store, void (*committed)(void *arg, int64_t number), void *arg);

/*
 * From now on `failed` is called, once, on the writer's thread, when the store's medium has failed
 * to write or to sync, after those whose writes were under way were told: what is on it nobody
 * knows then, so every write is refused with ERR_IO from that moment, nothing is tried again, and
 * the server is to end. At once where it has failed already.
 */
void store_on_failure(struct store *store, void (*failed)(void *arg), void *arg);

/* Whether it takes writes: 0, or ERR_FULL until there is room again, or ERR_IO for good. Any
 * thread. */
int store_health(const struct store *store);

/* Whether the store itself logs that its writes fail so, once for all who are told of it. */
bool store_logs(int status);

/* What the writer did since the start, and what waits for it. Any thread. */
extern const struct histogram_bounds store_batch_sizes, store_commit_times; /* times in µs */

struct store_stats {
    size_t queued;
    struct histogram batch_sizes; /* messages that shared a transaction */
    struct histogram commit_times;
};

void store_read_stats(struct store *store, struct store_stats *ret_stats);

/*
 * The calling thread's read-only connection, opened at its first use and closed with the store.
 * NULL, with the reason in `err`, where that fails.
 */
struct db *store_reader(struct store *store, struct err *err);

/* "SQLite 3.40.1": what is linked in. */
const char *store_library(void);

/* The server is about to end: from now on other processes' locks are waited for half a second at
 * most. */
void store_hurry(struct store *store);

/*
 * Runs the writes that are queued, checkpoints, closes everything and frees it. No other thread may
 * use the store any more.
 */
void store_close(struct store *store);

#endif
