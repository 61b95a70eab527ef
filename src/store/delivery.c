#include "store/delivery.h"

#include "store/query.h"

enum { INSERT, COUNT_FAILED, STATEMENTS };

static const struct sql statements[STATEMENTS] = {
    [INSERT] = WRITES("INSERT INTO delivery (workspace, job, status, created_at)"
                      " VALUES (?, ?, 0, ?)"),
    [COUNT_FAILED] = READS("SELECT count(*) FROM delivery WHERE workspace = ? AND status = 2"),
};
const struct sql_list delivery_sql = {statements, STATEMENTS};

int delivery_insert(struct db *db, int64_t workspace, int64_t job, int64_t created_at)
{
    struct query query = query_begin(db, TABLE_DELIVERY, INSERT);
    query_int(&query, workspace);
    query_int(&query, job);
    query_int(&query, created_at);
    return query_run(&query);
}

int delivery_count_failed(struct db *db, int64_t workspace, int64_t *ret_count)
{
    struct query query = query_begin(db, TABLE_DELIVERY, COUNT_FAILED);
    query_int(&query, workspace);
    int status = query_step(&query);
    if (status > 0)
        *ret_count = query_get_int(&query, 0);
    query_end(&query);
    return status > 0 ? 0 : status < 0 ? status : ERR_INTERNAL;
}
