#include "store/delivery.h"

#include "store/query.h"

enum { INSERT, STATEMENTS };

/* Writes nothing for a job that asked for no callback. */
static const struct sql statements[STATEMENTS] = {
    [INSERT] = WRITES("INSERT INTO delivery (workspace, job, status, created_at)"
                      " SELECT ?, seq, 0, ? FROM job WHERE seq = ? AND callback_url IS NOT NULL"),
};
const struct sql_list delivery_sql = {statements, STATEMENTS};

int delivery_insert(struct db *db, int64_t workspace, int64_t job, int64_t created_at)
{
    struct query query = query_begin(db, TABLE_DELIVERY, INSERT);
    query_int(&query, workspace);
    query_int(&query, created_at);
    query_int(&query, job);
    return query_run(&query);
}
