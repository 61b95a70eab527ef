#include "store/workspace.h"

#include "store/query.h"

#include <string.h>

enum {
    WORKSPACE_INSERT,
    WORKSPACE_ALL,
    KEY_INSERT,
    KEY_ALL,
    MEMBER_INSERT,
    MEMBER_ALL,
    STATEMENTS,
};

static const struct sql statements[STATEMENTS] = {
    [WORKSPACE_INSERT] = WRITES("INSERT INTO workspace (id, slug, name, project_id, active,"
                                " created_at) VALUES (?, ?, ?, ?, ?, ?)"),
    [WORKSPACE_ALL] = READS("SELECT pk, id, slug, name, project_id, active, created_at"
                            " FROM workspace ORDER BY pk"),
    [KEY_INSERT] = WRITES("INSERT INTO api_key (workspace, hash, last4, active, created_at)"
                          " VALUES (?, ?, ?, ?, ?)"),
    [KEY_ALL] = READS("SELECT workspace, hash, last4, active, created_at FROM api_key ORDER BY pk"),
    [MEMBER_INSERT] = WRITES("INSERT INTO member (workspace, email, created_at) VALUES (?, ?, ?)"),
    [MEMBER_ALL] = READS("SELECT workspace, email, created_at FROM member ORDER BY workspace,"
                         " email"),
};
const struct sql_list workspace_sql = {statements, STATEMENTS};

int workspace_insert(struct db *db, struct workspace_row *row)
{
    struct query query = query_begin(db, TABLE_WORKSPACE, WORKSPACE_INSERT);
    query_text(&query, row->id);
    query_text(&query, row->slug);
    query_text(&query, row->name);
    query_text(&query, row->project_id);
    query_int(&query, row->active);
    query_int(&query, row->created_at);
    int status = query_run(&query);
    if (status == 0)
        row->pk = query_last_key(db);
    return status;
}

int key_insert(struct db *db, const struct key_row *row)
{
    struct query query = query_begin(db, TABLE_WORKSPACE, KEY_INSERT);
    query_int(&query, row->workspace);
    query_blob(&query, row->hash, sizeof row->hash);
    query_text(&query, row->last4);
    query_int(&query, row->active);
    query_int(&query, row->created_at);
    return query_run(&query);
}

int member_insert(struct db *db, const struct member_row *row)
{
    struct query query = query_begin(db, TABLE_WORKSPACE, MEMBER_INSERT);
    query_int(&query, row->workspace);
    query_text(&query, row->email);
    query_int(&query, row->created_at);
    return query_run(&query);
}

int workspace_each(struct db *db, int (*visit)(const struct workspace_row *row, void *arg),
                   void *arg)
{
    struct query query = query_begin(db, TABLE_WORKSPACE, WORKSPACE_ALL);
    int status;
    while ((status = query_step(&query)) > 0) {
        struct workspace_row row = {.pk = query_get_int(&query, 0),
                                    .active = query_get_int(&query, 5) != 0,
                                    .created_at = query_get_int(&query, 6)};
        query_copy_text(&query, 1, row.id, sizeof row.id);
        query_copy_text(&query, 2, row.slug, sizeof row.slug);
        query_copy_text(&query, 3, row.name, sizeof row.name);
        query_copy_text(&query, 4, row.project_id, sizeof row.project_id);
        if ((status = visit(&row, arg)) < 0)
            break;
    }
    query_end(&query);
    return status;
}

int key_each(struct db *db, int (*visit)(const struct key_row *row, void *arg), void *arg)
{
    struct query query = query_begin(db, TABLE_WORKSPACE, KEY_ALL);
    int status;
    while ((status = query_step(&query)) > 0) {
        struct key_row row = {.workspace = query_get_int(&query, 0),
                              .active = query_get_int(&query, 3) != 0,
                              .created_at = query_get_int(&query, 4)};
        query_copy_blob(&query, 1, row.hash, sizeof row.hash);
        query_copy_text(&query, 2, row.last4, sizeof row.last4);
        if ((status = visit(&row, arg)) < 0)
            break;
    }
    query_end(&query);
    return status;
}

int member_each(struct db *db, int (*visit)(const struct member_row *row, void *arg), void *arg)
{
    struct query query = query_begin(db, TABLE_WORKSPACE, MEMBER_ALL);
    int status;
    while ((status = query_step(&query)) > 0) {
        struct member_row row = {.workspace = query_get_int(&query, 0),
                                 .created_at = query_get_int(&query, 2)};
        query_copy_text(&query, 1, row.email, sizeof row.email);
        if ((status = visit(&row, arg)) < 0)
            break;
    }
    query_end(&query);
    return status;
}
