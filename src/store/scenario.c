#include "store/scenario.h"

#include "store/query.h"

enum { INSERT, SLUG_EXISTS, BY_SLUG, BY_ID, STATEMENTS };

#define SELECT "SELECT id, slug, name, source, job, created_at FROM scenario"

static const struct sql statements[STATEMENTS] = {
    [INSERT] = WRITES("INSERT INTO scenario (workspace, id, slug, name, source, job, created_at)"
                      " VALUES (?, ?, ?, ?, nullif(?, ''), nullif(?, ''), ?)"),
    [SLUG_EXISTS] = READS("SELECT 1 FROM scenario WHERE workspace = ? AND slug = ?"),
    [BY_SLUG] = READS(SELECT " WHERE workspace = ? AND slug = ?"),
    [BY_ID] = READS(SELECT " WHERE workspace = ? AND id = ?"),
};
const struct sql_list scenario_sql = {statements, STATEMENTS};

int scenario_insert(struct db *db, int64_t workspace, const struct scenario *scenario)
{
    struct query query = query_begin(db, TABLE_SCENARIO, INSERT);
    query_int(&query, workspace);
    query_text(&query, scenario->id);
    query_text(&query, scenario->slug);
    query_text(&query, scenario->name);
    query_text(&query, scenario->source);
    query_text(&query, scenario->job);
    query_int(&query, scenario->created_at);
    return query_run(&query);
}

int scenario_slug_exists(struct db *db, int64_t workspace, const char *slug, bool *ret_exists)
{
    struct query query = query_begin(db, TABLE_SCENARIO, SLUG_EXISTS);
    query_int(&query, workspace);
    query_text(&query, slug);
    return query_exists(&query, ret_exists);
}

static int read_one(struct query *query, struct scenario *ret_scenario)
{
    int status = query_step(query);
    if (status > 0) {
        ret_scenario->created_at = query_get_int(query, 5);
        query_copy_text(query, 0, ret_scenario->id, sizeof ret_scenario->id);
        query_copy_text(query, 1, ret_scenario->slug, sizeof ret_scenario->slug);
        query_copy_text(query, 2, ret_scenario->name, sizeof ret_scenario->name);
        query_copy_text(query, 3, ret_scenario->source, sizeof ret_scenario->source);
        query_copy_text(query, 4, ret_scenario->job, sizeof ret_scenario->job);
    }
    query_end(query);
    return status > 0 ? 0 : status < 0 ? status : ERR_NOT_FOUND;
}

int scenario_by_slug(struct db *db, int64_t workspace, const char *slug,
                     struct scenario *ret_scenario)
{
    struct query query = query_begin(db, TABLE_SCENARIO, BY_SLUG);
    query_int(&query, workspace);
    query_text(&query, slug);
    return read_one(&query, ret_scenario);
}

int scenario_by_id(struct db *db, int64_t workspace, const char *id, struct scenario *ret_scenario)
{
    struct query query = query_begin(db, TABLE_SCENARIO, BY_ID);
    query_int(&query, workspace);
    query_text(&query, id);
    return read_one(&query, ret_scenario);
}
