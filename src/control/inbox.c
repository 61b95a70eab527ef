/* postToInbox, listInbox, emptyInbox, getInboxReplies, setInboxReplies. */
#include "control/inbox.h"

#include "control/internal.h"
#include "control/list.h"
#include "control/wait.h"
#include "engine/inbox.h"
#include "http/fault.h"
#include "http/respond.h"

/* The inbox that the path names; NULL: it cannot be one's name, and the request was answered. */
static const char *inbox_name(struct request *request)
{
    const char *name = request_param(request, 0);
    struct buf hint = BUF_INIT;
    if (inbox_name_is_right(name))
        return name;
    complain_quote(&hint, name);
    buf_puts(&hint, " is none");
    if (buf_failed(&hint))
        router_fail(request, ERR_NO_MEMORY, NULL);
    else
        control_problem(request, 422, "invalid_name",
                        "An inbox's name has 1 to 64 characters of A-Z, a-z, 0-9, . _ ~ and -",
                        hint.data);
    buf_finish(&hint);
    return NULL;
}

/* -- postToInbox ------------------------------------------------------------------------------- */

struct posting {
    struct inbox_put put;
    struct buf headers, url;
};

static void finish_posting(void *state)
{
    struct posting *posting = state;
    buf_finish(&posting->headers);
    buf_finish(&posting->url);
    inbox_reply_finish(&posting->put.reply);
}

/* Answers as the inbox was told to; a delay holds the connection, and no thread. */
static void answer_posting(struct request *request)
{
    const struct posting *posting = request_state(request);
    const struct inbox_reply *reply = &posting->put.reply;
    struct fault_header headers[ACTION_HEADERS_MAX];
    if (control_failed(request, &posting->put.operation))
        return;
    for (size_t i = 0; i < reply->headers.count; i++)
        headers[i] =
            (struct fault_header){reply->headers.items[i].name, reply->headers.items[i].value};
    respond_fault(request, &(struct fault){.delay = reply->delay,
                                           .answer = &(struct fault_answer){
                                               .status = reply->status,
                                               .body = reply->body.data,
                                               .len = reply->body.len,
                                               .headers = headers,
                                               .header_count = reply->headers.count,
                                           }});
}

void inbox_post_handler(struct request *request)
{
    const char *name = inbox_name(request);
    struct posting *posting =
        name ? request_new_state(request, sizeof *posting, finish_posting) : NULL;
    if (!posting) {
        if (name)
            router_fail(request, ERR_NO_MEMORY, NULL);
        return;
    }
    struct inbox_put *put = &posting->put;
    inbox_put_init(put, control_of(request)->engine, mock_workspace(request));
    inbox_put_headers(request, &posting->headers);
    inbox_put_url(request, &posting->url);
    if (buf_failed(&posting->headers) || buf_failed(&posting->url)) {
        router_fail(request, ERR_NO_MEMORY, NULL);
        return;
    }
    put->name = name;
    put->message.method = request_method(request);
    put->message.headers = posting->headers.data;
    put->message.url = posting->url.data;
    put->message.body = request_body(request, &put->message.body_len);
    control_operate(request, &put->operation, answer_posting);
}

/* -- listInbox --------------------------------------------------------------------------------- */

struct list_query_params {
    struct list_params list;
};

const struct param inbox_list_params[] = {
    LIST_SINCE_PARAM(struct list_query_params, list),
    LIST_LIMIT_PARAM(struct list_query_params, list),
    LIST_MIN_PARAM(struct list_query_params, list),
    LIST_WAIT_PARAM(struct list_query_params, list),
};
const size_t inbox_list_param_count = sizeof inbox_list_params / sizeof *inbox_list_params;

struct inbox_list {
    struct control_wait wait;
    struct list_query query;
    const char *name;
};

struct listing {
    const struct inbox_list *list;
    struct buf body;
    int64_t count, last;
    bool cut; /* there is more */
};

static int put_item(const struct inbox_message *message, void *arg)
{
    struct listing *listing = arg;
    if (listing->count == listing->list->query.limit || listing->body.len >= LIST_BYTES_MAX) {
        listing->cut = true;
        return 1;
    }
    buf_puts(&listing->body, listing->count++ ? "," : "");
    inbox_put_message(&listing->body, listing->list->name, message);
    listing->last = message->seq;
    return 0;
}

static int answer_list(struct request *request, const struct inbox_list *list, struct db *db,
                       const struct inbox *inbox, struct cursor now)
{
    struct listing listing = {.list = list};
    int64_t since = list->query.since.inbox;
    buf_printf(&listing.body, "{\"dropped\":%lld,\"items\":[", (long long)inbox->dropped);
    int status = inbox_each(db, inbox->seq, since, now.inbox, put_item, &listing);
    if (status < 0) {
        buf_finish(&listing.body);
        return status;
    }
    now.inbox = listing.cut ? listing.last : now.inbox > since ? now.inbox : since;
    list_answer(request, &listing.body, &now);
    return 0;
}

/* The inbox, which is empty where there is none yet, and how many of what is asked for it has. */
static int look_into(struct request *request, const struct inbox_list *list, struct db *db,
                     struct cursor *io_now, struct inbox *ret_inbox, int64_t *ret_count)
{
    struct workspace *workspace = mock_workspace(request);
    int status = cursor_complete(workspace, db, io_now); /* before the rest, so that it is behind */
    *ret_inbox = (struct inbox){.seq = 0};
    if (status == 0)
        status = inbox_find(db, workspace->row.pk, list->name, ret_inbox);
    if (status == 0 || status == ERR_NOT_FOUND)
        status = inbox_count(db, ret_inbox->seq, list->query.since.inbox, io_now->inbox,
                             list->query.min, ret_count);
    return status;
}

static enum wait_look look_at_list(struct request *request, struct control_wait *self)
{
    const struct inbox_list *list = (struct inbox_list *)self;
    struct cursor now = cursor_now(mock_workspace(request));
    struct db *db = control_reader(request);
    struct inbox inbox;
    int64_t count = 0;
    if (!db)
        return LOOK_ANSWERED;
    int status = look_into(request, list, db, &now, &inbox, &count);
    if (status == 0 && count < list->query.min)
        return LOOK_NOT_YET;
    if (status == 0)
        status = answer_list(request, list, db, &inbox, now);
    if (status < 0)
        router_fail(request, status, "cannot read an inbox");
    return LOOK_ANSWERED;
}

static void tell_list(struct request *request, struct control_wait *self, struct buf *detail,
                      struct buf *hint)
{
    const struct inbox_list *list = (struct inbox_list *)self;
    struct cursor now = cursor_now(mock_workspace(request));
    struct db *db = store_reader(engine_store(control_of(request)->engine), NULL);
    struct inbox inbox;
    int64_t count = 0;
    if (!db || look_into(request, list, db, &now, &inbox, &count) < 0) {
        buf_puts(detail, "The inbox cannot be read");
        return;
    }
    buf_printf(detail, "%lld of the %lld messages that were asked for are in the inbox %s; ",
               (long long)count, (long long)list->query.min, list->name);
    wait_tell_clock(request, detail);
    buf_printf(hint,
               "Messages come from jobs whose callback_url is http://inbox.test/%s, when they end, "
               "and by POST to /_mock/inbox/%s. GET /_mock/webhooks tells what became of callbacks",
               list->name, list->name);
}

void inbox_list_handler(struct request *request)
{
    struct list_query_params params = {.list = {0}};
    struct inbox_list *list = control_wait_state(request, sizeof *list);
    if (!list || !(list->name = inbox_name(request)) || !params_read(request, &params) ||
        !list_read(request, &params.list, &list->query))
        return;
    list->wait.kinds = EVENT_INBOX;
    list->wait.ms = list->query.wait;
    list->wait.look = look_at_list;
    list->wait.tell = tell_list;
    control_wait(request);
}

/* -- emptyInbox -------------------------------------------------------------------------------- */

static void answer_emptying(struct request *request)
{
    const struct inbox_emptying *emptying = request_state(request);
    struct buf body = BUF_INIT;
    if (control_failed(request, &emptying->operation))
        return;
    buf_printf(&body, "{\"deleted\":%lld}", (long long)emptying->deleted);
    respond(request, 200, content_type_json, &body);
}

void inbox_empty_handler(struct request *request)
{
    const char *name = inbox_name(request);
    struct inbox_emptying *emptying = name ? control_state(request, sizeof *emptying) : NULL;
    if (!emptying)
        return;
    emptying->name = name;
    inbox_emptying_init(emptying, control_of(request)->engine, mock_workspace(request));
    control_operate(request, &emptying->operation, answer_emptying);
}

/* -- getInboxReplies, setInboxReplies ---------------------------------------------------------- */

static int put_reply(const struct inbox_reply_row *row, void *arg)
{
    struct buf *body = arg;
    buf_puts(body, body->len > 1 ? "," : "");
    inbox_reply_put_json(body, row);
    return 0;
}

static void answer_replies(struct request *request, struct buf *body)
{
    buf_putc(body, ']');
    respond(request, 200, content_type_json, body);
}

void inbox_replies_get_handler(struct request *request)
{
    const char *name = inbox_name(request);
    struct db *db = name ? control_reader(request) : NULL;
    struct buf body = BUF_INIT;
    struct inbox inbox;
    if (!db)
        return;
    buf_putc(&body, '[');
    int status = inbox_find(db, mock_workspace(request)->row.pk, name, &inbox);
    if (status == 0)
        status = inbox_reply_each(db, inbox.seq, put_reply, &body);
    if (status == 0 || status == ERR_NOT_FOUND) {
        answer_replies(request, &body);
        return;
    }
    buf_finish(&body);
    router_fail(request, status, "cannot read an inbox's replies");
}

static void finish_telling(void *state)
{
    inbox_replies_finish(&((struct inbox_telling *)state)->replies);
}

static void answer_telling(struct request *request)
{
    const struct inbox_telling *telling = request_state(request);
    struct buf body = BUF_INIT;
    if (control_failed(request, &telling->operation))
        return;
    if (telling->too_many) {
        control_problem(request, 422, "too_many_replies",
                        "At most 1000 inboxes of a workspace have replies",
                        "PUT [] takes an inbox's replies away");
        return;
    }
    buf_putc(&body, '[');
    for (size_t i = 0; i < telling->replies.count; i++)
        put_reply(&telling->replies.rows[i], &body);
    answer_replies(request, &body);
}

static bool read_replies(struct request *request, struct inbox_replies *replies)
{
    struct complaint complaint = COMPLAINT_INIT;
    const json_t *body;
    if (!control_read_value(request, &body))
        return false;
    int status = inbox_replies_read(body, &complaint, replies);
    if (status == ERR_INVALID)
        control_complain(request, &complaint);
    else if (status < 0)
        router_fail(request, status, NULL);
    complaint_finish(&complaint);
    return status == 0;
}

void inbox_replies_put_handler(struct request *request)
{
    const char *name = inbox_name(request);
    struct inbox_telling *telling =
        name ? request_new_state(request, sizeof *telling, finish_telling) : NULL;
    if (name && !telling)
        router_fail(request, ERR_NO_MEMORY, NULL);
    if (!telling || !read_replies(request, &telling->replies))
        return;
    telling->name = name;
    inbox_telling_init(telling, control_of(request)->engine, mock_workspace(request));
    control_operate(request, &telling->operation, answer_telling);
}
