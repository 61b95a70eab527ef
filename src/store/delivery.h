/* The outbox: callbacks that are owed, and were sent. Times in milliseconds; -1: none. */
#ifndef UNDERSTUDY_STORE_DELIVERY_H
#define UNDERSTUDY_STORE_DELIVERY_H

#include "store/plan.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum delivery_status {
    DELIVERY_PENDING,
    DELIVERY_HELD,
    DELIVERY_RETRYING,
    DELIVERY_DELIVERED,
    DELIVERY_EXHAUSTED,
    DELIVERY_GONE,
    DELIVERY_BLOCKED,
    DELIVERY_DROPPED,
};
enum { DELIVERY_STATUSES = DELIVERY_DROPPED + 1 };

/* Plain values: whoever has it, has all of it; but for the body that a rule gave it. */
struct delivery {
    int64_t seq; /* grows over all workspaces */
    int64_t job; /* the job's seq */
    char job_id[ID_HEX_SIZE];
    char id[ID_HEX_SIZE], message[ID_HEX_SIZE];
    enum delivery_status status;
    int64_t created_at, due_at, ended_at; /* of the workspace's clock */
    int64_t sending;                      /* 0: no attempt is under way */
    bool by_hand;
    int64_t attempts, tries, bytes;
    int64_t cut;             /* bytes of the body that are sent; -1: all */
    char rule[RULE_ID_SIZE]; /* that acted on it; else "" */
};

/* Owes a callback for a job that has ended, in the transaction of its last transition (S25); sets
 * its seq. `body` NULL: the job's. ERR_EXISTS: the id is taken. Writer. */
int delivery_insert(struct db *db, int64_t workspace, struct delivery *delivery, const char *body);

/* Writes what changes: status, due_at, ended_at, sending, by_hand, attempts, tries, bytes. Writer.
 */
int delivery_update(struct db *db, const struct delivery *delivery);

/* ERR_NOT_FOUND. */
int delivery_by_id(struct db *db, int64_t workspace, const char *id, struct delivery *ret_delivery);
int delivery_by_seq(struct db *db, int64_t seq, struct delivery *ret_delivery);

/* The first that a job owed, by its seq. ERR_NOT_FOUND. */
int delivery_first_of(struct db *db, int64_t job, struct delivery *ret_delivery);

/* The first whose attempt is due at or before `until` and not under way, by (due time, creation).
 * ERR_NOT_FOUND. */
int delivery_next_due(struct db *db, int64_t workspace, int64_t until,
                      struct delivery *ret_delivery);

/* Visits the first `limit` of those, in that order; a negative result ends it and is returned. */
int delivery_each_due(struct db *db, int64_t workspace, size_t limit,
                      int (*visit)(const struct delivery *delivery, void *arg), void *arg);

/* What the sender has to know of one that was given to it. Borrowed by the visitor. */
struct delivery_given {
    int64_t seq, workspace, sending;
    const char *callback_url, *base; /* as below */
};

/* Visits those given to the sender after number `after`, in order of their numbers. A negative
 * result ends it and is returned. */
int delivery_each_given(struct db *db, int64_t after, size_t limit,
                        int (*visit)(const struct delivery_given *given, void *arg), void *arg);

/* Whether its job's callback, and what is sent of it; borrowed by the visitor. */
struct delivery_input {
    const char *callback_url, *callback_headers; /* headers: a JSON object; NULL: none */
    const char *body;                            /* what a rule says; NULL: the job */
    const char *base;                            /* of the job's urls */
};
int delivery_input(struct db *db, int64_t seq,
                   int (*visit)(const struct delivery_input *input, void *arg), void *arg);

/* At the start: no attempt is under way, whatever was when the server ended. Writer. */
int delivery_forget_sending(struct db *db);

/* How many attempts of a workspace are under way; how many deliveries go on by themselves, these
 * included; how many failed for good. */
int delivery_count_sending(struct db *db, int64_t workspace, int64_t *ret_count);
int delivery_count_unsettled(struct db *db, int64_t workspace, int64_t *ret_count);
int delivery_count_failed(struct db *db, int64_t workspace, int64_t *ret_count);

/* Whether there is one of those, without counting them. */
int delivery_any_sending(struct db *db, int64_t workspace, bool *ret_any);
int delivery_any_unsettled(struct db *db, int64_t workspace, bool *ret_any);

/* The seq of the workspace's newest; 0: it has none. */
int delivery_last(struct db *db, int64_t workspace, int64_t *ret_seq);

#endif
