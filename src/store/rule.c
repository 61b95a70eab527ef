#include "store/rule.h"

#include "store/query.h"

enum { INSERT, EACH, TOTAL, READ_USES, SET_USES, DELETE, DELETE_LABELLED, STATEMENTS };

static const struct sql statements[STATEMENTS] = {
    [INSERT] = WRITES("INSERT INTO rule (workspace, id, label, document, uses_left, skip_left,"
                      " hits, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"),
    [EACH] = READS("SELECT seq, id, label, document, uses_left, skip_left, hits, created_at"
                   " FROM rule WHERE workspace = ? ORDER BY seq"),
    [TOTAL] = READS("SELECT count(*) FROM rule WHERE workspace = ?"),
    [READ_USES] = READS("SELECT uses_left, skip_left, hits FROM rule WHERE seq = ?"),
    [SET_USES] = WRITES("UPDATE rule SET uses_left = ?, skip_left = ?, hits = ? WHERE seq = ?"),
    [DELETE] = WRITES("DELETE FROM rule WHERE workspace = ? AND id = ?"),
    [DELETE_LABELLED] = WRITES("DELETE FROM rule WHERE workspace = ? AND label = ?"),
};
const struct sql_list rule_sql = {statements, STATEMENTS};

int rule_insert(struct db *db, int64_t workspace, struct rule_row *row)
{
    struct query query = query_begin(db, TABLE_RULE, INSERT);
    query_int(&query, workspace);
    query_text(&query, row->id);
    query_text(&query, row->label);
    query_text(&query, row->document);
    query_int_or_null(&query, row->uses.left);
    query_int(&query, row->uses.skip);
    query_int(&query, row->uses.hits);
    query_int(&query, row->created_at);
    int status = query_run(&query);
    if (status == 0)
        row->seq = query_last_key(db);
    return status;
}

static int visit_row(struct query *query, int (*visit)(const struct rule_row *row, void *arg),
                     void *arg)
{
    struct rule_row row = {.seq = query_get_int(query, 0),
                           .label = query_get_text(query, 2),
                           .document = query_get_text(query, 3),
                           .uses = {.left = query_get_int_or(query, 4, -1),
                                    .skip = query_get_int(query, 5),
                                    .hits = query_get_int(query, 6)},
                           .created_at = query_get_int(query, 7)};
    query_copy_text(query, 1, row.id, sizeof row.id);
    return visit(&row, arg);
}

int rule_each(struct db *db, int64_t workspace, int (*visit)(const struct rule_row *row, void *arg),
              void *arg)
{
    struct query query = query_begin(db, TABLE_RULE, EACH);
    query_int(&query, workspace);
    int status;
    while ((status = query_step(&query)) > 0)
        if ((status = visit_row(&query, visit, arg)) < 0)
            break;
    query_end(&query);
    return status;
}

int rule_count(struct db *db, int64_t workspace, int64_t *ret_count)
{
    struct query query = query_begin(db, TABLE_RULE, TOTAL);
    query_int(&query, workspace);
    int status = query_step(&query);
    if (status > 0)
        *ret_count = query_get_int(&query, 0);
    query_end(&query);
    return status > 0 ? 0 : status < 0 ? status : ERR_INTERNAL;
}

int rule_read_uses(struct db *db, int64_t seq, struct rule_uses *ret_uses)
{
    struct query query = query_begin(db, TABLE_RULE, READ_USES);
    query_int(&query, seq);
    int status = query_step(&query);
    if (status > 0)
        *ret_uses = (struct rule_uses){query_get_int_or(&query, 0, -1), query_get_int(&query, 1),
                                       query_get_int(&query, 2)};
    query_end(&query);
    return status > 0 ? 0 : status < 0 ? status : ERR_NOT_FOUND;
}

int rule_set_uses(struct db *db, int64_t seq, const struct rule_uses *uses)
{
    struct query query = query_begin(db, TABLE_RULE, SET_USES);
    query_int_or_null(&query, uses->left);
    query_int(&query, uses->skip);
    query_int(&query, uses->hits);
    query_int(&query, seq);
    int status = query_run(&query);
    return status < 0 || query_changes(db) == 1 ? status : ERR_NOT_FOUND;
}

int rule_delete(struct db *db, int64_t workspace, const char *id)
{
    struct query query = query_begin(db, TABLE_RULE, DELETE);
    query_int(&query, workspace);
    query_text(&query, id);
    int status = query_run(&query);
    return status < 0 || query_changes(db) == 1 ? status : ERR_NOT_FOUND;
}

int rule_delete_labelled(struct db *db, int64_t workspace, const char *label, int64_t *ret_count)
{
    struct query query = query_begin(db, TABLE_RULE, DELETE_LABELLED);
    query_int(&query, workspace);
    query_text(&query, label);
    int status = query_run(&query);
    if (status == 0)
        *ret_count = query_changes(db);
    return status;
}
