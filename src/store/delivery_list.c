#include "store/delivery_list.h"

#include "store/delivery_row.h"

enum { ALL, BY_ID, BY_JOB, SUM_ENDED, OLDEST_ENDED, DELETE_ENDED, STATEMENTS };

#define SELECT                                                                                     \
    "SELECT " DELIVERY_COLUMNS                                                                     \
    ", job.callback_url, attempt.seq IS NOT NULL, attempt.status, attempt.error FROM "
#define ITS_LAST                                                                                   \
    " LEFT JOIN attempt ON attempt.delivery = delivery.seq AND attempt.number = delivery.attempts"
#define WHERE                                                                                      \
    " WHERE delivery.workspace = ?1 AND delivery.seq > ?2 AND delivery.seq <= ?3"                  \
    " AND (?4 IS NULL OR delivery.status = ?4) AND (?5 IS NULL OR delivery.id = ?5)"               \
    " AND (?6 IS NULL OR job.id = ?6)"
#define ENDED                                                                                      \
    " FROM delivery INDEXED BY delivery_ended WHERE workspace = ?1 AND ended_at IS NOT NULL"

static const struct sql statements[STATEMENTS] = {
    [ALL] = READS(SELECT "delivery INDEXED BY delivery_workspace" DELIVERY_JOB_JOIN ITS_LAST WHERE
                         " ORDER BY delivery.seq"),
    [BY_ID] = READS(SELECT "delivery INDEXED BY delivery_id" DELIVERY_JOB_JOIN ITS_LAST WHERE
                           " AND delivery.id = ?5"),
    /* CROSS JOIN: the job comes first. */
    [BY_JOB] = READS(SELECT "job CROSS JOIN delivery INDEXED BY delivery_job"
                            " ON delivery.job = job.seq" ITS_LAST WHERE
                            " AND job.workspace = ?1 AND job.id = ?6 ORDER BY delivery.seq"),
    [SUM_ENDED] = READS("SELECT count(*), coalesce(sum(bytes), 0)" ENDED),
    [OLDEST_ENDED] = READS("SELECT ended_at, seq, bytes" ENDED " ORDER BY ended_at, seq"),
    [DELETE_ENDED] = WRITES("DELETE" ENDED " AND (ended_at, seq) <= (?2, ?3)"
                            " AND sending = 0 AND seq <> ?4"),
};
const struct sql_list delivery_list_sql = {statements, STATEMENTS};

static void read_item(struct query *query, struct delivery_item *item)
{
    int first = DELIVERY_COLUMN_COUNT;
    delivery_row_read(query, &item->delivery);
    item->callback_url = query_get_text(query, first);
    item->attempted = query_get_int(query, first + 1) != 0;
    item->last_status = query_get_int_or(query, first + 2, 0);
    item->last_error = query_get_text(query, first + 3);
}

int delivery_each(struct db *db, int64_t workspace, const struct delivery_filter *filter,
                  int (*visit)(const struct delivery_item *item, void *arg), void *arg)
{
    int statement = filter->id ? BY_ID : filter->job ? BY_JOB : ALL;
    struct query query = query_begin(db, TABLE_DELIVERY_LIST, statement);
    struct delivery_item item;
    int status;
    query_int(&query, workspace);
    query_int(&query, filter->after);
    query_int(&query, filter->until);
    query_int_or_null(&query, filter->status);
    query_text(&query, filter->id);
    query_text(&query, filter->job);
    while ((status = query_step(&query)) > 0) {
        read_item(&query, &item);
        if ((status = visit(&item, arg)) != 0)
            break;
    }
    query_end(&query);
    return status;
}

/* Turns what may be kept into what there is more than that. */
static int count_excess(struct db *db, int64_t workspace, int64_t *io_count, int64_t *io_bytes)
{
    struct query query = query_begin(db, TABLE_DELIVERY_LIST, SUM_ENDED);
    query_int(&query, workspace);
    int status = query_step(&query);
    if (status > 0) {
        *io_count = query_get_int(&query, 0) - *io_count;
        *io_bytes = query_get_int(&query, 1) - *io_bytes;
    }
    query_end(&query);
    return status > 0 ? 0 : status < 0 ? status : ERR_INTERNAL;
}

/* The last of the oldest ones that make up as much. */
static int find_excess(struct db *db, int64_t workspace, int64_t count, int64_t bytes,
                       int64_t *ret_ended_at, int64_t *ret_seq)
{
    struct query query = query_begin(db, TABLE_DELIVERY_LIST, OLDEST_ENDED);
    int status = 0;
    query_int(&query, workspace);
    while ((count > 0 || bytes > 0) && (status = query_step(&query)) > 0) {
        *ret_ended_at = query_get_int(&query, 0);
        *ret_seq = query_get_int(&query, 1);
        bytes -= query_get_int(&query, 2);
        count--;
    }
    query_end(&query);
    return status < 0 ? status : 0;
}

int delivery_prune(struct db *db, int64_t workspace, int64_t max_count, int64_t max_bytes,
                   int64_t except)
{
    int64_t ended_at = -1, seq = -1;
    int status = count_excess(db, workspace, &max_count, &max_bytes);
    if (status < 0 || (max_count <= 0 && max_bytes <= 0))
        return status;
    status = find_excess(db, workspace, max_count, max_bytes, &ended_at, &seq);
    if (status < 0)
        return status;
    struct query query = query_begin(db, TABLE_DELIVERY_LIST, DELETE_ENDED);
    query_int(&query, workspace);
    query_int(&query, ended_at);
    query_int(&query, seq);
    query_int(&query, except);
    return query_run(&query);
}
