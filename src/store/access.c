/* API keys and members: who may use a workspace (store/workspace.h). */
#include "store/query.h"
#include "store/workspace.h"

enum {
    KEY_INSERT,
    KEY_ALL,
    KEY_OF,
    KEY_EXISTS,
    KEY_ACTIVE,
    KEY_DELETE,
    KEY_DELETE_ALL,
    MEMBER_INSERT,
    MEMBER_ALL,
    MEMBER_OF,
    MEMBER_DELETE,
    MEMBER_DELETE_ALL,
    STATEMENTS,
};

#define KEYS    "SELECT workspace, hash, last4, active, created_at, id FROM api_key"
#define OF_ANY  " WHERE workspace IN (SELECT pk FROM workspace WHERE deleted = 0)"
#define MEMBERS "SELECT workspace, email, created_at FROM member"

static const struct sql statements[STATEMENTS] = {
    [KEY_INSERT] = WRITES("INSERT INTO api_key (workspace, hash, last4, active, created_at, id)"
                          " VALUES (?, ?, ?, ?, ?, ?)"),
    [KEY_ALL] = READS(KEYS OF_ANY " ORDER BY pk"),
    [KEY_OF] = READS(KEYS " WHERE workspace = ? ORDER BY pk"),
    [KEY_EXISTS] = READS("SELECT 1 FROM api_key WHERE hash = ?"),
    [KEY_ACTIVE] = WRITES("UPDATE api_key SET active = ? WHERE workspace = ? AND id = ?"),
    [KEY_DELETE] = WRITES("DELETE FROM api_key WHERE workspace = ? AND id = ?"),
    [KEY_DELETE_ALL] = WRITES("DELETE FROM api_key WHERE workspace = ?"),
    [MEMBER_DELETE_ALL] = WRITES("DELETE FROM member WHERE workspace = ?"),
    [MEMBER_INSERT] = WRITES("INSERT INTO member (workspace, email, created_at) VALUES (?, ?, ?)"),
    [MEMBER_ALL] = READS(MEMBERS OF_ANY " ORDER BY seq"),
    [MEMBER_OF] = READS(MEMBERS " WHERE workspace = ? ORDER BY seq"),
    [MEMBER_DELETE] = WRITES("DELETE FROM member WHERE workspace = ? AND email = ?"),
};
const struct sql_list access_sql = {statements, STATEMENTS};

/* -- keys -------------------------------------------------------------------------------------- */

int key_insert(struct db *db, const struct key_row *row)
{
    char drawn[ID_HEX_SIZE];
    struct query query = query_begin(db, TABLE_ACCESS, KEY_INSERT);
    if (!*row->id)
        id_hex(drawn);
    query_int(&query, row->workspace);
    query_blob(&query, row->hash, sizeof row->hash);
    query_text(&query, row->last4);
    query_int(&query, row->active);
    query_int(&query, row->created_at);
    query_text(&query, *row->id ? row->id : drawn);
    return query_run(&query);
}

int key_exists(struct db *db, const unsigned char hash[KEY_HASH_SIZE], bool *ret_exists)
{
    struct query query = query_begin(db, TABLE_ACCESS, KEY_EXISTS);
    query_blob(&query, hash, KEY_HASH_SIZE);
    return query_exists(&query, ret_exists);
}

static int visit_keys(struct query *query, int (*visit)(const struct key_row *row, void *arg),
                      void *arg)
{
    int status;
    while ((status = query_step(query)) > 0) {
        struct key_row row = {.workspace = query_get_int(query, 0),
                              .active = query_get_int(query, 3) != 0,
                              .created_at = query_get_int(query, 4)};
        query_copy_blob(query, 1, row.hash, sizeof row.hash);
        query_copy_text(query, 2, row.last4, sizeof row.last4);
        query_copy_text(query, 5, row.id, sizeof row.id);
        if ((status = visit(&row, arg)) < 0)
            break;
    }
    query_end(query);
    return status;
}

int key_each(struct db *db, int (*visit)(const struct key_row *row, void *arg), void *arg)
{
    struct query query = query_begin(db, TABLE_ACCESS, KEY_ALL);
    return visit_keys(&query, visit, arg);
}

int key_each_of(struct db *db, int64_t workspace,
                int (*visit)(const struct key_row *row, void *arg), void *arg)
{
    struct query query = query_begin(db, TABLE_ACCESS, KEY_OF);
    query_int(&query, workspace);
    return visit_keys(&query, visit, arg);
}

/* Runs a statement about one row. */
static int run_one(struct db *db, struct query *query)
{
    int status = query_run(query);
    return status < 0 || query_changes(db) == 1 ? status : ERR_NOT_FOUND;
}

int key_set_active(struct db *db, int64_t workspace, const char *id, bool active)
{
    struct query query = query_begin(db, TABLE_ACCESS, KEY_ACTIVE);
    query_int(&query, active);
    query_int(&query, workspace);
    query_text(&query, id);
    return run_one(db, &query);
}

int key_delete(struct db *db, int64_t workspace, const char *id)
{
    struct query query = query_begin(db, TABLE_ACCESS, KEY_DELETE);
    query_int(&query, workspace);
    query_text(&query, id);
    return run_one(db, &query);
}

/* -- members ----------------------------------------------------------------------------------- */

int member_insert(struct db *db, const struct member_row *row)
{
    struct query query = query_begin(db, TABLE_ACCESS, MEMBER_INSERT);
    query_int(&query, row->workspace);
    query_text(&query, row->email);
    query_int(&query, row->created_at);
    return query_run(&query);
}

static int visit_members(struct query *query, int (*visit)(const struct member_row *row, void *arg),
                         void *arg)
{
    int status;
    while ((status = query_step(query)) > 0) {
        struct member_row row = {.workspace = query_get_int(query, 0),
                                 .created_at = query_get_int(query, 2)};
        query_copy_text(query, 1, row.email, sizeof row.email);
        if ((status = visit(&row, arg)) < 0)
            break;
    }
    query_end(query);
    return status;
}

int member_each(struct db *db, int (*visit)(const struct member_row *row, void *arg), void *arg)
{
    struct query query = query_begin(db, TABLE_ACCESS, MEMBER_ALL);
    return visit_members(&query, visit, arg);
}

int member_each_of(struct db *db, int64_t workspace,
                   int (*visit)(const struct member_row *row, void *arg), void *arg)
{
    struct query query = query_begin(db, TABLE_ACCESS, MEMBER_OF);
    query_int(&query, workspace);
    return visit_members(&query, visit, arg);
}

int member_delete(struct db *db, int64_t workspace, const char *email)
{
    struct query query = query_begin(db, TABLE_ACCESS, MEMBER_DELETE);
    query_int(&query, workspace);
    query_text(&query, email);
    return run_one(db, &query);
}

static int delete_all(struct db *db, int statement, int64_t workspace)
{
    struct query query = query_begin(db, TABLE_ACCESS, statement);
    query_int(&query, workspace);
    return query_run(&query);
}

int key_delete_all(struct db *db, int64_t workspace)
{
    return delete_all(db, KEY_DELETE_ALL, workspace);
}

int member_delete_all(struct db *db, int64_t workspace)
{
    return delete_all(db, MEMBER_DELETE_ALL, workspace);
}
