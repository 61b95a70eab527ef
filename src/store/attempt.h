/* Attempts to deliver a callback: what was sent, and what came of it. */
#ifndef UNDERSTUDY_STORE_ATTEMPT_H
#define UNDERSTUDY_STORE_ATTEMPT_H

#include "store/db.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum attempt_outcome { ATTEMPT_DELIVERED, ATTEMPT_FAILED, ATTEMPT_GONE, ATTEMPT_BLOCKED };
enum { ATTEMPT_OUTCOMES = ATTEMPT_BLOCKED + 1 };

/* Texts are borrowed; NULL: there is none. */
struct attempt_row {
    int64_t number; /* from 1, of its delivery */
    bool by_hand;
    enum attempt_outcome outcome;
    int64_t at;                /* of the workspace's clock, when it began */
    int64_t sent_at, duration; /* real ms */
    const char *url;           /* where it went, after callback_map */
    const char *address;       /* "127.0.0.1:4000", that was connected to */
    const char *headers;       /* of ours that were sent, a JSON object */
    const char *body;
    size_t body_len;
    int64_t status;             /* HTTP; 0: there was no answer */
    const char *answer_headers; /* a JSON list of [name, value] */
    const void *answer;         /* the beginning of its body, */
    size_t answer_len;
    int64_t answer_bytes; /* of which so much was read */
    const char *error;    /* in a person's words */
    int64_t seq;          /* when read: those that are there grow over all deliveries */
};

/* Writer. */
int attempt_insert(struct db *db, int64_t delivery, const struct attempt_row *row);

/* Visits the attempts of a delivery in their order; a negative result ends it and is returned. */
int attempt_each(struct db *db, int64_t delivery,
                 int (*visit)(const struct attempt_row *row, void *arg), void *arg);

/* The seq of the newest that is there, of all workspaces; 0: there is none. */
int attempt_last(struct db *db, int64_t *ret_seq);

/* Deletes the oldest attempts of a delivery beyond so many and so many bytes, but never the newest;
 * *ret_bytes: what they took up. Writer. */
int attempt_trim(struct db *db, int64_t delivery, int64_t max_count, int64_t max_bytes,
                 int64_t *ret_bytes);

/* What a row takes up, roughly, in bytes. */
int64_t attempt_size(const struct attempt_row *row);

#endif
