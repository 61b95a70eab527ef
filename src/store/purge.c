/*
 * Deleting a workspace. What anybody could see goes at once; a hundred thousand jobs go step by
 * step, between the writes of others. The last workspace's row stays until there is a newer one:
 * SQLite would give its key to the next, while requests may still be under way that hold it.
 */
#include "store/query.h"
#include "store/workspace.h"

/* Rows that one step removes; a job with a long prompt takes a few pages. */
#define STEP "256"

enum { BURY, NEXT, ROWS, EMPTIED = ROWS + 7, FORGET, STATEMENTS };

#define REMOVE(table_)                                                                             \
    WRITES("DELETE FROM " table_ " WHERE seq IN (SELECT seq FROM " table_                          \
           " WHERE workspace = ? LIMIT " STEP ")")

static const struct sql statements[STATEMENTS] = {
    [BURY] = WRITES("UPDATE workspace SET deleted = 1, id = '-' || pk, slug = '-' || pk,"
                    " project_id = '-' || pk || ' deleted', webhook_secrets = NULL WHERE pk = ?"),
    [NEXT] = READS("SELECT pk FROM workspace WHERE deleted = 1 LIMIT 1"),
    [ROWS] = REMOVE("job"), /* and its delivery */
    [ROWS + 1] = REMOVE("session"),
    [ROWS + 2] = REMOVE("scenario"),
    [ROWS + 3] = REMOVE("project_scenario"),
    [ROWS + 4] = REMOVE("rule"),
    [ROWS + 5] = REMOVE("inbox_message"),
    [ROWS + 6] = REMOVE("inbox"), /* and its replies */
    [EMPTIED] = WRITES("UPDATE workspace SET deleted = 2 WHERE pk = ?"),
    [FORGET] = WRITES("DELETE FROM workspace WHERE deleted = 2"
                      " AND pk < (SELECT max(pk) FROM workspace)"),
};
const struct sql_list purge_sql = {statements, STATEMENTS};

static int run(struct db *db, int statement, int64_t pk)
{
    struct query query = query_begin(db, TABLE_PURGE, statement);
    query_int(&query, pk);
    return query_run(&query);
}

int workspace_bury(struct db *db, int64_t pk)
{
    int status = run(db, BURY, pk);
    if (status == 0)
        status = key_delete_all(db, pk);
    if (status == 0)
        status = member_delete_all(db, pk);
    return status;
}

/* The next workspace to empty; 0: none. */
static int next_buried(struct db *db, int64_t *ret_pk)
{
    struct query query = query_begin(db, TABLE_PURGE, NEXT);
    int status = query_step(&query);
    *ret_pk = status > 0 ? query_get_int(&query, 0) : 0;
    query_end(&query);
    return status < 0 ? status : 0;
}

int workspace_purge(struct db *db, bool *ret_more)
{
    int64_t pk;
    int status = next_buried(db, &pk);
    *ret_more = pk != 0;
    if (status < 0 || !pk)
        return status;
    for (int table = ROWS; table < EMPTIED; table++)
        if ((status = run(db, table, pk)) < 0 || query_changes(db) > 0)
            return status;
    status = run(db, EMPTIED, pk);
    struct query forget = query_begin(db, TABLE_PURGE, FORGET);
    return status < 0 ? status : query_run(&forget);
}
