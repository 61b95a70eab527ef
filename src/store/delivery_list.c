#include "store/delivery_list.h"

#include "store/delivery_row.h"

enum { ALL, BY_ID, BY_JOB, STATEMENTS };

#define SELECT                                                                                     \
    "SELECT " DELIVERY_COLUMNS                                                                     \
    ", job.callback_url, attempt.seq IS NOT NULL, attempt.status, attempt.error FROM "
#define ITS_LAST                                                                                   \
    " LEFT JOIN attempt ON attempt.delivery = delivery.seq AND attempt.number = delivery.attempts"
#define WHERE                                                                                      \
    " WHERE delivery.workspace = ?1 AND delivery.seq > ?2 AND delivery.seq <= ?3"                  \
    " AND (?4 IS NULL OR delivery.status = ?4) AND (?5 IS NULL OR delivery.id = ?5)"               \
    " AND (?6 IS NULL OR job.id = ?6)"

static const struct sql statements[STATEMENTS] = {
    [ALL] = READS(SELECT "delivery INDEXED BY delivery_workspace" DELIVERY_JOB_JOIN ITS_LAST WHERE
                         " ORDER BY delivery.seq"),
    [BY_ID] = READS(SELECT "delivery INDEXED BY delivery_id" DELIVERY_JOB_JOIN ITS_LAST WHERE
                           " AND delivery.id = ?5"),
    /* CROSS JOIN: the job comes first. */
    [BY_JOB] = READS(SELECT "job CROSS JOIN delivery INDEXED BY delivery_job"
                            " ON delivery.job = job.seq" ITS_LAST WHERE
                            " AND job.workspace = ?1 AND job.id = ?6 ORDER BY delivery.seq"),
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
