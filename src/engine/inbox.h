/*
 * Inboxes: receivers of the server's own (store/inbox.h). A callback to one never touches the
 * network, anybody else posts; what came is read by the control plane. What an inbox answers is 200
 * and {}, unless it was told replies: each is given as often as it says, or once, and the last one,
 * where it does not say, from then on.
 */
#ifndef UNDERSTUDY_ENGINE_INBOX_H
#define UNDERSTUDY_ENGINE_INBOX_H

#include "base/complaint.h"
#include "engine/engine.h"
#include "engine/reply.h"
#include "store/inbox.h"

#include <stdbool.h>

enum {
    INBOX_REPLIES_MAX = 100,             /* of an inbox */
    INBOX_REPLIES_BYTES_MAX = 64 * 1024, /* as JSON */
    INBOX_ANSWERING_MAX = 1000,          /* of a workspace's inboxes have any */
    INBOX_DELAY_MAX_MS = 5 * 60 * 1000,  /* how long a client that left can hold a connection */
    INBOX_REPLY_TIMES_MAX = 1000000000,
};

/* Whether a name is one: 1 to 64 of [A-Za-z0-9._~-]. Pure. */
bool inbox_name_is_right(const char *name);

/* -- replies ----------------------------------------------------------------------------------- */

/* The fields of a reply. */
extern const struct field inbox_reply_fields[];
extern const size_t inbox_reply_field_count;

/* Replies as they are kept; they own their documents. */
struct inbox_replies {
    struct inbox_reply_row rows[INBOX_REPLIES_MAX];
    size_t count;
};

/* Reads an array of them, whose members are named "[2].status". ERR_INVALID with a complaint (C2),
 * ERR_NO_MEMORY; in any case to be finished. Pure. */
int inbox_replies_read(const json_t *array, struct complaint *complaint,
                       struct inbox_replies *replies);
void inbox_replies_finish(struct inbox_replies *replies);

/* Writes one as it was given, with what is left of its times. */
void inbox_reply_put_json(struct buf *out, const struct inbox_reply_row *row);

/* What is to be answered. */
struct inbox_reply {
    int status;
    int64_t delay; /* real ms, before the answer begins */
    struct reply_headers headers;
    struct buf body;
    json_t *document; /* that the headers belong to */
};

void inbox_reply_finish(struct inbox_reply *reply);

/* -- in a transaction; the writer's thread ----------------------------------------------------- */

/*
 * Puts a message into the inbox of that name, with the id, the number and the time that it gets,
 * and uses up the reply that it gets, which is to be finished.
 */
int inbox_put_in(struct db *db, const struct workspace *workspace, const char *name,
                 struct inbox_message *message, struct inbox_reply *ret_reply);

/* -- as operations (engine/engine.h) ----------------------------------------------------------- */

struct inbox_put {
    struct operation operation;
    const char *name;
    struct inbox_message message; /* all but what inbox_put_in() sets */
    struct inbox_reply reply;     /* out; to be finished in any case */
};

void inbox_put_init(struct inbox_put *put, struct engine *engine, struct workspace *workspace);

/* DELETE: the messages go. */
struct inbox_emptying {
    struct operation operation;
    const char *name;
    int64_t deleted; /* out */
};

void inbox_emptying_init(struct inbox_emptying *emptying, struct engine *engine,
                         struct workspace *workspace);

/* PUT of the replies, in the place of those that are left. */
struct inbox_telling {
    struct operation operation;
    const char *name;
    struct inbox_replies replies;
    bool too_many; /* out: other inboxes have replies, and no more may */
};

void inbox_telling_init(struct inbox_telling *telling, struct engine *engine,
                        struct workspace *workspace);

#endif
