/* Deliveries in the order of their creation, as the control plane sees them, on any thread's
 * connection; and how many are kept for it. */
#ifndef UNDERSTUDY_STORE_DELIVERY_LIST_H
#define UNDERSTUDY_STORE_DELIVERY_LIST_H

#include "store/delivery.h"

/* Which deliveries; a NULL or a negative number excludes none. */
struct delivery_filter {
    int64_t after, until; /* their seq: above the one, up to the other */
    int status;
    const char *id, *job; /* its own, its job's */
};

/* One, with where it goes and what came of its newest attempt. Borrowed by the visitor. */
struct delivery_item {
    struct delivery delivery;
    const char *callback_url;
    bool attempted;         /* there is an attempt */
    int64_t last_status;    /* of HTTP; 0: there was no answer */
    const char *last_error; /* in a person's words; NULL: nothing went wrong */
};

/* Visits the deliveries of a workspace. A result of the visitor other than 0 ends it, and is
 * returned. */
int delivery_each(struct db *db, int64_t workspace, const struct delivery_filter *filter,
                  int (*visit)(const struct delivery_item *item, void *arg), void *arg);

/*
 * Deletes the workspace's ended deliveries beyond so many and so many bytes, those that ended first
 * before others; neither the one whose seq is `except` nor one that has an attempt under way.
 * Writer.
 */
int delivery_prune(struct db *db, int64_t workspace, int64_t max_count, int64_t max_bytes,
                   int64_t except);

#endif
