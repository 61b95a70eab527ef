#include "store/attempt.h"

#include "store/query.h"

#include <string.h>

enum { INSERT, OF_DELIVERY, LAST, TRIM, STATEMENTS };

#define COLUMNS                                                                                    \
    "number, by_hand, outcome, at, sent_at, duration, url, address, headers, body, status,"        \
    " answer_headers, answer, answer_bytes, error"

static const struct sql statements[STATEMENTS] = {
    [INSERT] = WRITES("INSERT INTO attempt (" COLUMNS ", bytes, delivery)"
                      " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"),
    [OF_DELIVERY] =
        READS("SELECT " COLUMNS ", seq FROM attempt WHERE delivery = ? ORDER BY number"),
    [LAST] = READS("SELECT coalesce(max(seq), 0) FROM attempt"),
    /* Of the newest ones, as many as have room; the newest has. */
    [TRIM] =
        WRITES("DELETE FROM attempt WHERE seq IN (SELECT seq FROM"
               " (SELECT seq, row_number() OVER newest AS place, sum(bytes) OVER newest AS"
               " total FROM attempt WHERE delivery = ? WINDOW newest AS (ORDER BY number DESC))"
               " WHERE place > 1 AND (place > ? OR total > ?)) RETURNING bytes"),
};
const struct sql_list attempt_sql = {statements, STATEMENTS};

int attempt_insert(struct db *db, int64_t delivery, const struct attempt_row *row)
{
    struct query query = query_begin(db, TABLE_ATTEMPT, INSERT);
    query_int(&query, row->number);
    query_int(&query, row->by_hand);
    query_int(&query, row->outcome);
    query_int(&query, row->at);
    query_int(&query, row->sent_at);
    query_int(&query, row->duration);
    query_text(&query, row->url);
    query_text(&query, row->address);
    query_text(&query, row->headers);
    query_text_n(&query, row->body, row->body_len);
    query_int_or_null(&query, row->status ? row->status : -1);
    query_text(&query, row->answer_headers);
    query_blob(&query, row->answer ? row->answer : "", row->answer_len);
    query_int(&query, row->answer_bytes);
    query_text(&query, row->error);
    query_int(&query, attempt_size(row));
    query_int(&query, delivery);
    return query_run(&query);
}

int attempt_trim(struct db *db, int64_t delivery, int64_t max_count, int64_t max_bytes,
                 int64_t *ret_bytes)
{
    struct query query = query_begin(db, TABLE_ATTEMPT, TRIM);
    int64_t bytes = 0;
    int status;
    query_int(&query, delivery);
    query_int(&query, max_count);
    query_int(&query, max_bytes);
    while ((status = query_step(&query)) > 0)
        bytes += query_get_int(&query, 0);
    query_end(&query);
    if (status == 0)
        *ret_bytes = bytes;
    return status;
}

int attempt_each(struct db *db, int64_t delivery,
                 int (*visit)(const struct attempt_row *row, void *arg), void *arg)
{
    struct query query = query_begin(db, TABLE_ATTEMPT, OF_DELIVERY);
    int status;
    query_int(&query, delivery);
    while ((status = query_step(&query)) > 0) {
        struct attempt_row row = {
            .number = query_get_int(&query, 0),
            .by_hand = query_get_int(&query, 1) != 0,
            .outcome = (enum attempt_outcome)query_get_int(&query, 2),
            .at = query_get_int(&query, 3),
            .sent_at = query_get_int(&query, 4),
            .duration = query_get_int(&query, 5),
            .url = query_get_text(&query, 6),
            .address = query_get_text(&query, 7),
            .headers = query_get_text(&query, 8),
            .body = query_get_text(&query, 9),
            .body_len = (size_t)sqlite3_column_bytes(query.statement, 9),
            .status = query_get_int_or(&query, 10, 0),
            .answer_headers = query_get_text(&query, 11),
            .answer = sqlite3_column_blob(query.statement, 12),
            .answer_len = (size_t)sqlite3_column_bytes(query.statement, 12),
            .answer_bytes = query_get_int(&query, 13),
            .error = query_get_text(&query, 14),
            .seq = query_get_int(&query, 15),
        };
        if ((status = visit(&row, arg)) < 0)
            break;
    }
    query_end(&query);
    return status;
}

int attempt_last(struct db *db, int64_t *ret_seq)
{
    struct query query = query_begin(db, TABLE_ATTEMPT, LAST);
    int status = query_step(&query);
    if (status > 0)
        *ret_seq = query_get_int(&query, 0);
    query_end(&query);
    return status > 0 ? 0 : status < 0 ? status : ERR_INTERNAL;
}

int64_t attempt_size(const struct attempt_row *row)
{
    enum { ROW = 200 };
    size_t size = ROW + row->body_len + row->answer_len;
    size += strlen(row->url) + strlen(row->headers);
    size += row->answer_headers ? strlen(row->answer_headers) : 0;
    return (int64_t)size;
}
