#include "store/delivery.h"

#include "store/query.h"

enum { INSERT, STATEMENTS };

static const struct sql statements[STATEMENTS] = {
    [INSERT] = WRITES("INSERT INTO delivery (workspace, job, status, created_at)"
                      " VALUES (?, ?, 0, ?)"),
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
