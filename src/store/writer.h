/* The writer's thread and its queue (store/store.h says what a write is). */
#ifndef UNDERSTUDY_STORE_WRITER_H
#define UNDERSTUDY_STORE_WRITER_H

#include "store/store.h"

struct writer;

/* Starts a writer on `db`, which it uses alone from now on but does not own. */
int writer_start(struct db *db, struct writer **ret_writer, struct err *err);

/* As store_submit(). */
int writer_submit(struct writer *writer, struct write *write);

/* As store_watch(). */
void writer_watch(struct writer *writer, void (*committed)(void *arg, int64_t number), void *arg);

/* As store_on_failure() and store_health(). */
void writer_on_failure(struct writer *writer, void (*failed)(void *arg), void *arg);
int writer_health(const struct writer *writer);

/* As store_read_stats(). */
void writer_read_stats(struct writer *writer, struct store_stats *ret_stats);

/* Runs what is queued, ends the thread and frees it. */
void writer_stop(struct writer *writer);

#endif
