/*
 * What is kept of deliveries: of each, its newest attempts; of those that have ended, as many as
 * have room, those that ended first going first. The writer's thread, in a transaction.
 */
#ifndef UNDERSTUDY_ENGINE_DELIVERY_KEEP_H
#define UNDERSTUDY_ENGINE_DELIVERY_KEEP_H

#include "engine/workspace.h"
#include "store/delivery.h"

enum {
    DELIVERIES_KEPT = 10000, /* ended ones, of a workspace */
    DELIVERIES_KEPT_BYTES = 64 * 1024 * 1024,
    /* Of one delivery; a schedule has 21 at most, the rest was asked for by hand. */
    ATTEMPTS_KEPT = 100,
    ATTEMPTS_KEPT_BYTES = 8 * 1024 * 1024,
};

/* After an attempt was written, before the delivery is: drops what is too much of its attempts. */
int delivery_keep_attempts(struct db *db, struct delivery *delivery);

/*
 * After a delivery was written that has ended, or has an attempt of `bytes` more: drops what is too
 * much, but not itself. That is looked at now and then only, so for a while there is a little more.
 */
int delivery_keep(struct db *db, struct workspace *workspace, const struct delivery *delivery,
                  int64_t bytes);

#endif
