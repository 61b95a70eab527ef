#include "engine/inbox.h"

#include "base/duration.h"
#include "base/json.h"

#include <string.h>

bool inbox_name_is_right(const char *name)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
                                  "._~-";
    size_t len = strlen(name);
    return len > 0 && len < INBOX_NAME_SIZE && strspn(name, allowed) == len;
}

/* -- the reply to a message -------------------------------------------------------------------- */

void inbox_reply_finish(struct inbox_reply *reply)
{
    json_decref(reply->document);
    buf_finish(&reply->body);
    reply->document = NULL;
}

/* Where nothing was told. */
static void answer_as_usual(struct inbox_reply *reply)
{
    reply->status = 200;
    reply_read_headers(NULL, true, &reply->headers);
    buf_puts(&reply->body, "{}");
}

/* The document was checked when it was given. */
static int take_reply(const struct inbox_reply_row *row, struct inbox_reply *reply)
{
    json_t *document = json_read_text(row->document, 0);
    if (!document)
        return ERR_NO_MEMORY;
    const json_t *body = json_object_get(document, "body");
    const json_t *delay = json_object_get(document, "delay");
    reply->document = document;
    reply->status = (int)row->status;
    reply_read_headers(json_object_get(document, "headers"), body != NULL, &reply->headers);
    if (body)
        reply_put_body(&reply->body, body, reply->headers.content_type);
    if (delay)
        duration_parse(json_string_value(delay), &reply->delay, NULL);
    return 0;
}

struct claim {
    struct inbox_reply_row row;
    struct inbox_reply *reply;
};

static int claim_first(const struct inbox_reply_row *row, void *arg)
{
    struct claim *claim = arg;
    claim->row = *row;
    int status = take_reply(row, claim->reply);
    return status < 0 ? status : 1;
}

/* Uses up the reply that is next. */
static int claim_reply(struct db *db, const struct inbox *inbox, struct inbox_reply *reply)
{
    struct claim claim = {.reply = reply};
    inbox_reply_finish(reply); /* of a run that was rolled back */
    *reply = (struct inbox_reply){.status = 0};
    int status = inbox_reply_each(db, inbox->seq, claim_first, &claim);
    if (status > 0)
        status = inbox_reply_use(db, &claim.row);
    else if (status == 0)
        answer_as_usual(reply);
    return status == 0 && buf_failed(&reply->body) ? ERR_NO_MEMORY : status;
}

int inbox_put_in(struct db *db, const struct workspace *workspace, const char *name,
                 struct inbox_message *message, struct inbox_reply *ret_reply)
{
    struct inbox inbox;
    int status = inbox_open(db, workspace->row.pk, name, &inbox);
    if (status == 0)
        status = claim_reply(db, &inbox, ret_reply);
    if (status < 0)
        return status;
    /* Not drawn: callbacks come when they come, and would change what a seed gives to the rest. */
    id_hex(message->id);
    message->received_at = workspace_now_in(db, workspace);
    message->reply = ret_reply->status;
    return inbox_insert(db, workspace->row.pk, &inbox, message);
}

/* -- operations -------------------------------------------------------------------------------- */

static int put_run(struct write *write, struct db *db)
{
    struct inbox_put *self = (struct inbox_put *)write;
    self->operation.posts = EVENT_INBOX;
    return inbox_put_in(db, self->operation.workspace, self->name, &self->message, &self->reply);
}

void inbox_put_init(struct inbox_put *put, struct engine *engine, struct workspace *workspace)
{
    operation_init(&put->operation, engine, workspace, put_run);
    put->reply = (struct inbox_reply){.status = 0};
}

static int empty_run(struct write *write, struct db *db)
{
    struct inbox_emptying *self = (struct inbox_emptying *)write;
    int64_t workspace = self->operation.workspace->row.pk;
    struct inbox inbox;
    int status = inbox_find(db, workspace, self->name, &inbox);
    self->deleted = status == 0 ? inbox.messages : 0;
    if (status < 0)
        return status == ERR_NOT_FOUND ? 0 : status;
    return inbox_empty(db, workspace, &inbox);
}

void inbox_emptying_init(struct inbox_emptying *emptying, struct engine *engine,
                         struct workspace *workspace)
{
    operation_init(&emptying->operation, engine, workspace, empty_run);
}

/* Puts the replies where there are none. */
static int insert_replies(struct inbox_telling *self, struct db *db, const struct inbox *inbox)
{
    int64_t answering = 0;
    int status = inbox_reply_count_inboxes(db, self->operation.workspace->row.pk, &answering);
    self->too_many = answering >= INBOX_ANSWERING_MAX;
    for (size_t i = 0; status == 0 && !self->too_many && i < self->replies.count; i++)
        status = inbox_reply_insert(db, inbox->seq, &self->replies.rows[i]);
    return status;
}

static int tell_run(struct write *write, struct db *db)
{
    struct inbox_telling *self = (struct inbox_telling *)write;
    int64_t workspace = self->operation.workspace->row.pk;
    struct inbox inbox;
    int status = self->replies.count ? inbox_open(db, workspace, self->name, &inbox)
                                     : inbox_find(db, workspace, self->name, &inbox);
    self->too_many = false;
    if (status < 0)
        return status == ERR_NOT_FOUND ? 0 : status;
    status = inbox_reply_clear(db, inbox.seq);
    if (status == 0 && self->replies.count)
        status = insert_replies(self, db, &inbox);
    return status;
}

void inbox_telling_init(struct inbox_telling *telling, struct engine *engine,
                        struct workspace *workspace)
{
    operation_init(&telling->operation, engine, workspace, tell_run);
}
