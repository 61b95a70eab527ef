#include "store/inbox.h"

#include "store/query.h"

#include <string.h>

enum {
    FIND,
    INSERT,
    SWEEP,
    ADD_TOTAL,
    TAKE,
    INSERT_MESSAGE,
    OLDEST,
    DELETE_MESSAGE,
    DROP,
    EACH,
    COUNT,
    LAST,
    SIZE,
    DELETE_MESSAGES,
    EMPTIED,
    CLEAR,
    CLEAR_TOTAL,
    REPLIES,
    INSERT_REPLY,
    USE_REPLY,
    DELETE_REPLY,
    CLEAR_REPLIES,
    COUNT_ANSWERING,
    STATEMENTS,
};

static const struct sql statements[STATEMENTS] = {
    [FIND] = READS("SELECT seq, received, messages, dropped FROM inbox"
                   " WHERE workspace = ? AND name = ?"),
    [INSERT] = WRITES("INSERT INTO inbox (workspace, name) VALUES (?, ?)"),
    [SWEEP] =
        WRITES("DELETE FROM inbox WHERE workspace = ? AND messages = 0"
               " AND NOT EXISTS (SELECT 1 FROM inbox_reply WHERE inbox_reply.inbox = inbox.seq)"),
    [ADD_TOTAL] =
        WRITES("INSERT INTO inbox_total (workspace, names, messages, bytes) VALUES (?1, ?2, ?3, ?4)"
               " ON CONFLICT (workspace) DO UPDATE SET names = names + ?2,"
               " messages = messages + ?3, bytes = bytes + ?4 RETURNING names, messages, bytes"),
    [TAKE] = WRITES("UPDATE inbox SET received = ?, messages = messages + 1 WHERE seq = ?"),
    [INSERT_MESSAGE] =
        WRITES("INSERT INTO inbox_message (workspace, inbox, id, number, received_at, method, url,"
               " headers, body, webhook, job, reply, bytes)"
               " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"),
    [OLDEST] =
        READS("SELECT seq, inbox, bytes FROM inbox_message INDEXED BY inbox_message_workspace"
              " WHERE workspace = ? ORDER BY seq LIMIT 1"),
    [DELETE_MESSAGE] = WRITES("DELETE FROM inbox_message WHERE seq = ?"),
    [DROP] =
        WRITES("UPDATE inbox SET messages = messages - 1, dropped = dropped + 1 WHERE seq = ?"),
    [EACH] =
        READS("SELECT seq, id, number, received_at, method, url, headers, body, webhook, job, reply"
              " FROM inbox_message INDEXED BY inbox_message_of"
              " WHERE inbox = ? AND seq > ? AND seq <= ? ORDER BY seq"),
    [COUNT] = READS("SELECT count(*) FROM (SELECT 1 FROM inbox_message INDEXED BY inbox_message_of"
                    " WHERE inbox = ? AND seq > ? AND seq <= ? LIMIT ?)"),
    [LAST] =
        READS("SELECT coalesce(max(seq), 0) FROM inbox_message INDEXED BY inbox_message_workspace"
              " WHERE workspace = ?"),
    [SIZE] = READS("SELECT coalesce(sum(bytes), 0) FROM inbox_message WHERE inbox = ?"),
    [DELETE_MESSAGES] = WRITES("DELETE FROM inbox_message WHERE inbox = ?"),
    [EMPTIED] = WRITES("UPDATE inbox SET messages = 0, dropped = 0 WHERE seq = ?"),
    [CLEAR] = WRITES("DELETE FROM inbox WHERE workspace = ?"),
    [CLEAR_TOTAL] = WRITES("DELETE FROM inbox_total WHERE workspace = ?"),
    [REPLIES] =
        READS("SELECT seq, status, times_left, document FROM inbox_reply INDEXED BY inbox_reply_of"
              " WHERE inbox = ? ORDER BY seq"),
    [INSERT_REPLY] = WRITES("INSERT INTO inbox_reply (inbox, status, times_left, document)"
                            " VALUES (?, ?, ?, ?)"),
    [USE_REPLY] = WRITES("UPDATE inbox_reply SET times_left = times_left - 1 WHERE seq = ?"),
    [DELETE_REPLY] = WRITES("DELETE FROM inbox_reply WHERE seq = ?"),
    [CLEAR_REPLIES] = WRITES("DELETE FROM inbox_reply WHERE inbox = ?"),
    [COUNT_ANSWERING] = READS("SELECT count(*) FROM inbox WHERE workspace = ? AND EXISTS"
                              " (SELECT 1 FROM inbox_reply WHERE inbox_reply.inbox = inbox.seq)"),
};
const struct sql_list inbox_sql = {statements, STATEMENTS};

/* Runs a statement whose one parameter is a key. */
static int run(struct db *db, int statement, int64_t key)
{
    struct query query = query_begin(db, TABLE_INBOX, statement);
    query_int(&query, key);
    return query_run(&query);
}

/* The one number that a query gives, and its end. */
static int read_number(struct query *query, int64_t *ret_number)
{
    int status = query_step(query);
    if (status > 0)
        *ret_number = query_get_int(query, 0);
    query_end(query);
    return status > 0 ? 0 : status < 0 ? status : ERR_INTERNAL;
}

/* -- inboxes ----------------------------------------------------------------------------------- */

struct total {
    int64_t names, messages, bytes;
};

/* Counts what was added, and tells what there is now. */
static int add_total(struct db *db, int64_t workspace, const struct total *more,
                     struct total *ret_total)
{
    struct query query = query_begin(db, TABLE_INBOX, ADD_TOTAL);
    query_int(&query, workspace);
    query_int(&query, more->names);
    query_int(&query, more->messages);
    query_int(&query, more->bytes);
    int status = query_step(&query);
    if (status > 0)
        *ret_total = (struct total){query_get_int(&query, 0), query_get_int(&query, 1),
                                    query_get_int(&query, 2)};
    query_end(&query);
    return status > 0 ? 0 : status < 0 ? status : ERR_INTERNAL;
}

int inbox_find(struct db *db, int64_t workspace, const char *name, struct inbox *ret_inbox)
{
    struct query query = query_begin(db, TABLE_INBOX, FIND);
    query_int(&query, workspace);
    query_text(&query, name);
    int status = query_step(&query);
    if (status > 0)
        *ret_inbox = (struct inbox){query_get_int(&query, 0), query_get_int(&query, 1),
                                    query_get_int(&query, 2), query_get_int(&query, 3)};
    query_end(&query);
    return status > 0 ? 0 : status < 0 ? status : ERR_NOT_FOUND;
}

/* A name more; where there are too many, those without anything go. */
static int count_name(struct db *db, int64_t workspace)
{
    struct total total;
    int status = add_total(db, workspace, &(struct total){.names = 1}, &total);
    if (status < 0 || total.names <= INBOX_NAMES_MAX)
        return status;
    status = run(db, SWEEP, workspace);
    return status < 0
               ? status
               : add_total(db, workspace, &(struct total){.names = -query_changes(db)}, &total);
}

int inbox_open(struct db *db, int64_t workspace, const char *name, struct inbox *ret_inbox)
{
    int status = inbox_find(db, workspace, name, ret_inbox);
    if (status != ERR_NOT_FOUND)
        return status;
    status = count_name(db, workspace); /* first, or it would go itself */
    if (status < 0)
        return status;
    struct query query = query_begin(db, TABLE_INBOX, INSERT);
    query_int(&query, workspace);
    query_text(&query, name);
    status = query_run(&query);
    if (status == 0)
        *ret_inbox = (struct inbox){.seq = query_last_key(db)};
    return status;
}

int inbox_clear(struct db *db, int64_t workspace)
{
    int status = run(db, CLEAR, workspace); /* and what refers to them */
    return status < 0 ? status : run(db, CLEAR_TOTAL, workspace);
}

/* -- messages ---------------------------------------------------------------------------------- */

static int64_t size_of(const struct inbox_message *message)
{
    enum { ROW = 150 };
    return (int64_t)(ROW + message->body_len + strlen(message->headers) + strlen(message->url));
}

static int insert(struct db *db, int64_t workspace, const struct inbox *inbox,
                  struct inbox_message *message)
{
    struct query query = query_begin(db, TABLE_INBOX, INSERT_MESSAGE);
    query_int(&query, workspace);
    query_int(&query, inbox->seq);
    query_text(&query, message->id);
    query_int(&query, message->number);
    query_int(&query, message->received_at);
    query_text(&query, message->method);
    query_text(&query, message->url);
    query_text(&query, message->headers);
    query_blob(&query, message->body_len ? message->body : "", message->body_len);
    query_text(&query, message->webhook);
    query_text(&query, message->job);
    query_int(&query, message->reply);
    query_int(&query, size_of(message));
    int status = query_run(&query);
    if (status == 0)
        message->seq = query_last_key(db);
    return status;
}

static int take(struct db *db, const struct inbox *inbox, int64_t number)
{
    struct query query = query_begin(db, TABLE_INBOX, TAKE);
    query_int(&query, number);
    query_int(&query, inbox->seq);
    return query_run(&query);
}

/* Removes the workspace's oldest message; *ret_bytes is what it took up. */
static int drop_oldest(struct db *db, int64_t workspace, int64_t *ret_bytes)
{
    struct query query = query_begin(db, TABLE_INBOX, OLDEST);
    query_int(&query, workspace);
    int status = query_step(&query);
    int64_t seq = query_get_int(&query, 0), inbox = query_get_int(&query, 1);
    *ret_bytes = query_get_int(&query, 2);
    query_end(&query);
    if (status <= 0)
        return status < 0 ? status : ERR_INTERNAL;
    status = run(db, DELETE_MESSAGE, seq);
    return status < 0 ? status : run(db, DROP, inbox);
}

static int make_room(struct db *db, int64_t workspace, struct total total)
{
    int status = 0;
    while (status == 0 && total.messages > 1 &&
           (total.messages > INBOX_MESSAGES_MAX || total.bytes > INBOX_BYTES_MAX)) {
        int64_t bytes;
        status = drop_oldest(db, workspace, &bytes);
        if (status == 0)
            status =
                add_total(db, workspace, &(struct total){.messages = -1, .bytes = -bytes}, &total);
    }
    return status;
}

int inbox_insert(struct db *db, int64_t workspace, const struct inbox *inbox,
                 struct inbox_message *message)
{
    struct total total = {0};
    message->number = inbox->received + 1;
    int status = insert(db, workspace, inbox, message);
    if (status == 0)
        status = take(db, inbox, message->number);
    if (status == 0)
        status = add_total(db, workspace, &(struct total){.messages = 1, .bytes = size_of(message)},
                           &total);
    return status < 0 ? status : make_room(db, workspace, total);
}

static void read_message(struct query *query, struct inbox_message *message)
{
    *message = (struct inbox_message){
        .seq = query_get_int(query, 0),
        .number = query_get_int(query, 2),
        .received_at = query_get_int(query, 3),
        .method = query_get_text(query, 4),
        .url = query_get_text(query, 5),
        .headers = query_get_text(query, 6),
        .body = sqlite3_column_blob(query->statement, 7),
        .body_len = (size_t)sqlite3_column_bytes(query->statement, 7),
        .webhook = query_get_text(query, 8),
        .job = query_get_text(query, 9),
        .reply = query_get_int(query, 10),
    };
    query_copy_text(query, 1, message->id, sizeof message->id);
}

int inbox_each(struct db *db, int64_t inbox, int64_t after, int64_t until,
               int (*visit)(const struct inbox_message *message, void *arg), void *arg)
{
    struct query query = query_begin(db, TABLE_INBOX, EACH);
    struct inbox_message message;
    int status;
    query_int(&query, inbox);
    query_int(&query, after);
    query_int(&query, until);
    while ((status = query_step(&query)) > 0) {
        read_message(&query, &message);
        if ((status = visit(&message, arg)) != 0)
            break;
    }
    query_end(&query);
    return status;
}

int inbox_count(struct db *db, int64_t inbox, int64_t after, int64_t until, int64_t most,
                int64_t *ret_count)
{
    struct query query = query_begin(db, TABLE_INBOX, COUNT);
    query_int(&query, inbox);
    query_int(&query, after);
    query_int(&query, until);
    query_int(&query, most);
    return read_number(&query, ret_count);
}

int inbox_last(struct db *db, int64_t workspace, int64_t *ret_seq)
{
    struct query query = query_begin(db, TABLE_INBOX, LAST);
    query_int(&query, workspace);
    return read_number(&query, ret_seq);
}

int inbox_empty(struct db *db, int64_t workspace, const struct inbox *inbox)
{
    struct query query = query_begin(db, TABLE_INBOX, SIZE);
    struct total total = {.messages = -inbox->messages};
    int64_t bytes = 0;
    query_int(&query, inbox->seq);
    int status = read_number(&query, &bytes);
    total.bytes = -bytes;
    if (status == 0)
        status = run(db, DELETE_MESSAGES, inbox->seq);
    if (status == 0)
        status = run(db, EMPTIED, inbox->seq);
    return status < 0 ? status : add_total(db, workspace, &total, &total);
}

/* -- replies ----------------------------------------------------------------------------------- */

int inbox_reply_each(struct db *db, int64_t inbox,
                     int (*visit)(const struct inbox_reply_row *row, void *arg), void *arg)
{
    struct query query = query_begin(db, TABLE_INBOX, REPLIES);
    int status;
    query_int(&query, inbox);
    while ((status = query_step(&query)) > 0) {
        struct inbox_reply_row row = {.seq = query_get_int(&query, 0),
                                      .status = query_get_int(&query, 1),
                                      .left = query_get_int_or(&query, 2, -1),
                                      .document = query_get_text(&query, 3)};
        if ((status = visit(&row, arg)) != 0)
            break;
    }
    query_end(&query);
    return status;
}

int inbox_reply_insert(struct db *db, int64_t inbox, const struct inbox_reply_row *row)
{
    struct query query = query_begin(db, TABLE_INBOX, INSERT_REPLY);
    query_int(&query, inbox);
    query_int(&query, row->status);
    query_int_or_null(&query, row->left);
    query_text(&query, row->document);
    return query_run(&query);
}

int inbox_reply_use(struct db *db, const struct inbox_reply_row *row)
{
    if (row->left < 0)
        return 0;
    return run(db, row->left > 1 ? USE_REPLY : DELETE_REPLY, row->seq);
}

int inbox_reply_clear(struct db *db, int64_t inbox)
{
    return run(db, CLEAR_REPLIES, inbox);
}

int inbox_reply_count_inboxes(struct db *db, int64_t workspace, int64_t *ret_count)
{
    struct query query = query_begin(db, TABLE_INBOX, COUNT_ANSWERING);
    query_int(&query, workspace);
    return read_number(&query, ret_count);
}
