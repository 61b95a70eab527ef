/*
 * Inboxes: what was posted to receivers of the server's own, and what these answer. Bounded for
 * each workspace: what comes then takes the place of what is oldest.
 */
#ifndef UNDERSTUDY_STORE_INBOX_H
#define UNDERSTUDY_STORE_INBOX_H

#include "base/id.h"
#include "store/db.h"

#include <stddef.h>
#include <stdint.h>

enum {
    INBOX_NAME_SIZE = 65,
    /* Of a workspace, over all its inboxes. */
    INBOX_MESSAGES_MAX = 10000,
    INBOX_BYTES_MAX = 64 * 1024 * 1024, /* but one message may have more */
    /* Above, names with neither messages nor replies are forgotten: more than can have any. */
    INBOX_NAMES_MAX = 20000,
};

struct inbox {
    int64_t seq;
    int64_t received; /* the number of its last message */
    int64_t messages; /* that are kept */
    int64_t dropped;  /* that made room, since it was emptied */
};

/* ERR_NOT_FOUND: nothing ever came there. */
int inbox_find(struct db *db, int64_t workspace, const char *name, struct inbox *ret_inbox);

/* The same, but makes it. Writer. */
int inbox_open(struct db *db, int64_t workspace, const char *name, struct inbox *ret_inbox);

/* Texts are borrowed; NULL: there is none. */
struct inbox_message {
    int64_t seq; /* grows over all workspaces; never given twice */
    char id[ID_HEX_SIZE];
    int64_t number; /* from 1, in its inbox */
    int64_t received_at;
    const char *method, *url;
    const char *headers; /* a JSON object */
    const void *body;
    size_t body_len;
    const char *webhook, *job; /* of a callback that was sent here */
    int64_t reply;             /* the status that was answered */
};

/* Puts a message in, as the next of its inbox; sets its seq and number. The workspace's oldest go
 * where there are too many, but never this one. Writer. */
int inbox_insert(struct db *db, int64_t workspace, const struct inbox *inbox,
                 struct inbox_message *message);

/* Those of an inbox with `after` < seq <= `until`, oldest first; a negative result of the visitor
 * ends it and is returned, a positive one ends it. */
int inbox_each(struct db *db, int64_t inbox, int64_t after, int64_t until,
               int (*visit)(const struct inbox_message *message, void *arg), void *arg);

/* How many these are, `most` at most. */
int inbox_count(struct db *db, int64_t inbox, int64_t after, int64_t until, int64_t most,
                int64_t *ret_count);

/* The seq of the workspace's newest message; 0: it has none. */
int inbox_last(struct db *db, int64_t workspace, int64_t *ret_seq);

/* Removes an inbox's messages, not its replies. Writer. */
int inbox_empty(struct db *db, int64_t workspace, const struct inbox *inbox);

/* Removes a workspace's inboxes, with all that is in them. Writer. */
int inbox_clear(struct db *db, int64_t workspace);

/* -- replies ----------------------------------------------------------------------------------- */

struct inbox_reply_row {
    int64_t seq;
    int64_t status;
    int64_t left;         /* how often it is still given; -1: from then on */
    const char *document; /* borrowed */
};

/* Visits an inbox's, in their order; results as above. */
int inbox_reply_each(struct db *db, int64_t inbox,
                     int (*visit)(const struct inbox_reply_row *row, void *arg), void *arg);

/* After the others. Writer. */
int inbox_reply_insert(struct db *db, int64_t inbox, const struct inbox_reply_row *row);

/* It was given once more: it goes with the last time. Writer. */
int inbox_reply_use(struct db *db, const struct inbox_reply_row *row);

int inbox_reply_clear(struct db *db, int64_t inbox); /* writer */

/* How many of a workspace's inboxes have any. */
int inbox_reply_count_inboxes(struct db *db, int64_t workspace, int64_t *ret_count);

#endif
