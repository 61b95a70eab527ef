/* The outbox: callbacks that are owed. */
#ifndef UNDERSTUDY_STORE_DELIVERY_H
#define UNDERSTUDY_STORE_DELIVERY_H

#include "store/db.h"

#include <stdint.h>

/*
 * Owes a callback for a job that has ended; in the transaction of its last transition (S25).
 * Writer.
 */
int delivery_insert(struct db *db, int64_t workspace, int64_t job, int64_t created_at);

/* How many of a workspace's were given up. */
int delivery_count_failed(struct db *db, int64_t workspace, int64_t *ret_count);

#endif
