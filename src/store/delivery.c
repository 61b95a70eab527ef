#include "store/delivery.h"

#include "store/delivery_row.h"

#include <string.h>

enum {
    INSERT,
    UPDATE,
    BY_ID,
    BY_SEQ,
    FIRST_OF,
    NEXT_DUE,
    DUE,
    GIVEN,
    INPUT,
    FORGET_SENDING,
    COUNT_SENDING,
    COUNT_UNSETTLED,
    COUNT_FAILED,
    ANY_SENDING,
    ANY_UNSETTLED,
    LAST,
    STATEMENTS,
};

#define SELECT "SELECT " DELIVERY_COLUMNS " FROM delivery"
/* INDEXED BY makes a plan that would read every delivery fail at the start. */
#define DUE_FIRST                                                                                  \
    SELECT " INDEXED BY delivery_due" DELIVERY_JOB_JOIN " WHERE delivery.workspace = ?"            \
           " AND delivery.due_at <= ? AND sending = 0 ORDER BY delivery.due_at, delivery.seq"
/* Under way; and going on by themselves later. */
#define SENDING " FROM delivery INDEXED BY delivery_sending_of WHERE workspace = ?1 AND sending > 0"
#define WAITING                                                                                    \
    " FROM delivery INDEXED BY delivery_due"                                                       \
    " WHERE workspace = ?1 AND due_at IS NOT NULL AND sending = 0"

static const struct sql statements[STATEMENTS] = {
    [INSERT] = WRITES("INSERT INTO delivery (workspace, job, id, message, status, created_at,"
                      " due_at, ended_at, bytes, cut, rule, body)"
                      " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"),
    [UPDATE] = WRITES("UPDATE delivery SET status = ?, due_at = ?, ended_at = ?, sending = ?,"
                      " by_hand = ?, attempts = ?, tries = ?, bytes = ? WHERE seq = ?"),
    [BY_ID] = READS(SELECT DELIVERY_JOB_JOIN " WHERE delivery.workspace = ? AND delivery.id = ?"),
    [BY_SEQ] = READS(SELECT DELIVERY_JOB_JOIN " WHERE delivery.seq = ?"),
    [FIRST_OF] =
        READS(SELECT DELIVERY_JOB_JOIN " WHERE delivery.job = ? ORDER BY delivery.seq LIMIT 1"),
    [NEXT_DUE] = READS(DUE_FIRST " LIMIT 1"),
    [DUE] = READS(DUE_FIRST " LIMIT ?"),
    [GIVEN] = READS("SELECT delivery.seq, delivery.workspace, sending, callback_url, base"
                    " FROM delivery INDEXED BY delivery_sending" DELIVERY_JOB_JOIN
                    " WHERE sending > ? AND sending > 0 ORDER BY sending LIMIT ?"),
    [INPUT] =
        READS("SELECT callback_url, callback_headers, body, base FROM delivery" DELIVERY_JOB_JOIN
              " WHERE delivery.seq = ?"),
    [FORGET_SENDING] = WRITES("UPDATE delivery SET sending = 0, by_hand = 0 WHERE sending > 0"),
    [COUNT_SENDING] = READS("SELECT count(*)" SENDING),
    [COUNT_UNSETTLED] = READS("SELECT (SELECT count(*)" SENDING ") + (SELECT count(*)" WAITING ")"),
    [COUNT_FAILED] = READS("SELECT count(*) FROM delivery INDEXED BY delivery_ended"
                           " WHERE workspace = ? AND ended_at IS NOT NULL"
                           " AND status IN (4, 5, 6)"),
    [ANY_SENDING] = READS("SELECT EXISTS (SELECT 1" SENDING ")"),
    [ANY_UNSETTLED] = READS("SELECT EXISTS (SELECT 1" SENDING ") OR EXISTS (SELECT 1" WAITING ")"),
    [LAST] = READS("SELECT coalesce(max(seq), 0) FROM delivery INDEXED BY delivery_workspace"
                   " WHERE workspace = ?"),
};
const struct sql_list delivery_sql = {statements, STATEMENTS};

static const char *text_or_null(const char *text)
{
    return *text ? text : NULL;
}

int delivery_insert(struct db *db, int64_t workspace, struct delivery *delivery, const char *body)
{
    struct query query = query_begin(db, TABLE_DELIVERY, INSERT);
    delivery->bytes = body ? (int64_t)strlen(body) : 0;
    query_int(&query, workspace);
    query_int(&query, delivery->job);
    query_text(&query, delivery->id);
    query_text(&query, delivery->message);
    query_int(&query, delivery->status);
    query_int(&query, delivery->created_at);
    query_int_or_null(&query, delivery->due_at);
    query_int_or_null(&query, delivery->ended_at);
    query_int(&query, delivery->bytes);
    query_int_or_null(&query, delivery->cut);
    query_text(&query, text_or_null(delivery->rule));
    query_text(&query, body);
    int status = query_run(&query);
    if (status == 0)
        delivery->seq = query_last_key(db);
    return status;
}

int delivery_update(struct db *db, const struct delivery *delivery)
{
    struct query query = query_begin(db, TABLE_DELIVERY, UPDATE);
    query_int(&query, delivery->status);
    query_int_or_null(&query, delivery->due_at);
    query_int_or_null(&query, delivery->ended_at);
    query_int(&query, delivery->sending);
    query_int(&query, delivery->by_hand);
    query_int(&query, delivery->attempts);
    query_int(&query, delivery->tries);
    query_int(&query, delivery->bytes);
    query_int(&query, delivery->seq);
    return query_run(&query);
}

/* Reads the one delivery that a query gives, and ends it. */
static int read_one(struct query *query, struct delivery *ret_delivery)
{
    int status = query_step(query);
    if (status > 0)
        delivery_row_read(query, ret_delivery);
    query_end(query);
    return status > 0 ? 0 : status < 0 ? status : ERR_NOT_FOUND;
}

int delivery_by_id(struct db *db, int64_t workspace, const char *id, struct delivery *ret_delivery)
{
    struct query query = query_begin(db, TABLE_DELIVERY, BY_ID);
    query_int(&query, workspace);
    query_text(&query, id);
    return read_one(&query, ret_delivery);
}

int delivery_by_seq(struct db *db, int64_t seq, struct delivery *ret_delivery)
{
    struct query query = query_begin(db, TABLE_DELIVERY, BY_SEQ);
    query_int(&query, seq);
    return read_one(&query, ret_delivery);
}

int delivery_first_of(struct db *db, int64_t job, struct delivery *ret_delivery)
{
    struct query query = query_begin(db, TABLE_DELIVERY, FIRST_OF);
    query_int(&query, job);
    return read_one(&query, ret_delivery);
}

int delivery_next_due(struct db *db, int64_t workspace, int64_t until,
                      struct delivery *ret_delivery)
{
    struct query query = query_begin(db, TABLE_DELIVERY, NEXT_DUE);
    query_int(&query, workspace);
    query_int(&query, until);
    return read_one(&query, ret_delivery);
}

int delivery_each_due(struct db *db, int64_t workspace, size_t limit,
                      int (*visit)(const struct delivery *delivery, void *arg), void *arg)
{
    struct query query = query_begin(db, TABLE_DELIVERY, DUE);
    struct delivery delivery;
    int status;
    query_int(&query, workspace);
    query_int(&query, INT64_MAX);
    query_int(&query, (int64_t)limit);
    while ((status = query_step(&query)) > 0) {
        delivery_row_read(&query, &delivery);
        if ((status = visit(&delivery, arg)) < 0)
            break;
    }
    query_end(&query);
    return status;
}

int delivery_each_given(struct db *db, int64_t after, size_t limit,
                        int (*visit)(const struct delivery_given *given, void *arg), void *arg)
{
    struct query query = query_begin(db, TABLE_DELIVERY, GIVEN);
    int status;
    query_int(&query, after);
    query_int(&query, (int64_t)limit);
    while ((status = query_step(&query)) > 0) {
        struct delivery_given given = {.seq = query_get_int(&query, 0),
                                       .workspace = query_get_int(&query, 1),
                                       .sending = query_get_int(&query, 2),
                                       .callback_url = query_get_text(&query, 3),
                                       .base = query_get_text(&query, 4)};
        if ((status = visit(&given, arg)) < 0)
            break;
    }
    query_end(&query);
    return status;
}

int delivery_input(struct db *db, int64_t seq,
                   int (*visit)(const struct delivery_input *input, void *arg), void *arg)
{
    struct query query = query_begin(db, TABLE_DELIVERY, INPUT);
    query_int(&query, seq);
    int status = query_step(&query);
    if (status > 0) {
        struct delivery_input input = {.callback_url = query_get_text(&query, 0),
                                       .callback_headers = query_get_text(&query, 1),
                                       .body = query_get_text(&query, 2),
                                       .base = query_get_text(&query, 3)};
        status = visit(&input, arg);
    } else if (status == 0) {
        status = ERR_NOT_FOUND;
    }
    query_end(&query);
    return status;
}

int delivery_forget_sending(struct db *db)
{
    struct query query = query_begin(db, TABLE_DELIVERY, FORGET_SENDING);
    return query_run(&query);
}

static int count(struct db *db, int statement, int64_t workspace, int64_t *ret_count)
{
    struct query query = query_begin(db, TABLE_DELIVERY, statement);
    query_int(&query, workspace);
    int status = query_step(&query);
    if (status > 0)
        *ret_count = query_get_int(&query, 0);
    query_end(&query);
    return status > 0 ? 0 : status < 0 ? status : ERR_INTERNAL;
}

int delivery_count_sending(struct db *db, int64_t workspace, int64_t *ret_count)
{
    return count(db, COUNT_SENDING, workspace, ret_count);
}

int delivery_count_unsettled(struct db *db, int64_t workspace, int64_t *ret_count)
{
    return count(db, COUNT_UNSETTLED, workspace, ret_count);
}

int delivery_count_failed(struct db *db, int64_t workspace, int64_t *ret_count)
{
    return count(db, COUNT_FAILED, workspace, ret_count);
}

static int any(struct db *db, int statement, int64_t workspace, bool *ret_any)
{
    int64_t found = 0;
    int status = count(db, statement, workspace, &found);
    if (status == 0)
        *ret_any = found != 0;
    return status;
}

int delivery_any_sending(struct db *db, int64_t workspace, bool *ret_any)
{
    return any(db, ANY_SENDING, workspace, ret_any);
}

int delivery_any_unsettled(struct db *db, int64_t workspace, bool *ret_any)
{
    return any(db, ANY_UNSETTLED, workspace, ret_any);
}

int delivery_last(struct db *db, int64_t workspace, int64_t *ret_seq)
{
    return count(db, LAST, workspace, ret_seq);
}
