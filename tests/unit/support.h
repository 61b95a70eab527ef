/*
 * What several test programs share: a place for files that is gone afterwards, a store's connection
 * to play with, and running a suite.
 */
#ifndef UNDERSTUDY_TESTS_SUPPORT_H
#define UNDERSTUDY_TESTS_SUPPORT_H

#include <check.h>
#include <stdint.h>

#include "store/db.h"
#include "store/store.h"
#include "store/workspace.h"

#define COUNT(array_) (sizeof(array_) / sizeof *(array_))

/*
 * Runs a suite inside a directory of the program's own, which is removed at the end, also when a
 * test was killed. Returns what main() is to return; frees the suite.
 */
int support_run(Suite *suite);

/* A new empty directory of the calling test's. Static memory; the next call changes it. */
const char *support_directory(void);

/* A path of a file that is not there, in a new directory. To be freed. */
char *support_new_path(void);

/* The whole file, NUL-terminated, to be freed; fails the test where it cannot be read. */
char *support_read_file(const char *path, size_t *ret_len);
void support_write_file(const char *path, const void *bytes, size_t len);

/* The names in a directory, sorted, each followed by a blank. To be freed. */
char *support_list(const char *directory);

/* A new store's writing connection, without a writer's thread; db_close() ends it. */
struct db *support_new_db(void);

/* A new store with its writer; store_close() ends it. */
struct store *support_new_store(void);

/* SQL of the test's own. A statement without rows, or the one integer that a query gives. */
void support_sql(struct db *db, const char *format, ...) __attribute__((format(printf, 2, 3)));
int64_t support_integer(struct db *db, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/*
 * From now on the store refuses whatever it does as its n-th step, counted from 0, and goes on
 * after it; negative: nothing any more. Whether it has refused something since it was last asked
 * to.
 */
void support_refuse(struct db *db, int step);
bool support_has_refused(void);

/* Inserts a workspace of that id, slug and project; returns its key. */
int64_t support_workspace(struct db *db, const char *name);

/* Runs `body` as a write of its own and waits for it: its result, after the commit. */
int support_write(struct store *store, int (*body)(struct db *db, void *arg), void *arg);

#endif
