#include "store/workspace.h"

#include "store/query.h"

enum {
    INSERT,
    ALL,
    ONE,
    UPDATE,
    SET_CLOCK,
    SET_SEED,
    COUNT_DRAW,
    SET_ORIGIN,
    READ_ORIGIN,
    NAME_EXISTS,
    PROJECT_EXISTS,
    STATEMENTS
};

#define SETTINGS                                                                                   \
    "name, active, ttl, queue_time, processing_time, max_processing, jitter, rate_per_minute,"     \
    " rate_per_day, rate_creations, any_key, public_url, room_since, magic, callback_timeout,"     \
    " callback_connect_timeout, callback_on, callback_retries, callback_map, webhook_secrets,"     \
    " lint_ignored"
#define CLOCK "clock_mode, clock_scale, clock_base, clock_anchor"
#define SELECT                                                                                     \
    "SELECT " SETTINGS ", pk, id, slug, project_id, created_at, seed, " CLOCK ", draws, run"       \
    " FROM workspace"

static const struct sql statements[STATEMENTS] = {
    [INSERT] = WRITES("INSERT INTO workspace (" SETTINGS ", id, slug, project_id, created_at,"
                      " seed, " CLOCK ", run) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,"
                      " ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"),
    [ALL] = READS(SELECT " WHERE deleted = 0 ORDER BY pk"),
    [ONE] = READS(SELECT " WHERE pk = ? AND deleted = 0"),
    [UPDATE] = WRITES("UPDATE workspace SET (" SETTINGS ") ="
                      " (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
                      " WHERE pk = ? AND deleted = 0"),
    [SET_CLOCK] = WRITES("UPDATE workspace SET (" CLOCK ") = (?, ?, ?, ?)"
                         " WHERE pk = ? AND deleted = 0"),
    [SET_SEED] = WRITES("UPDATE workspace SET seed = ?, draws = ? WHERE pk = ?"),
    [SET_ORIGIN] = WRITES("INSERT OR REPLACE INTO workspace_origin (workspace, document)"
                          " VALUES (?, ?)"),
    [READ_ORIGIN] = READS("SELECT document FROM workspace_origin WHERE workspace = ?"),
    [COUNT_DRAW] = WRITES("UPDATE workspace SET draws = draws + 1 WHERE pk = ?"
                          " RETURNING draws - 1"),
    [NAME_EXISTS] = READS("SELECT 1 FROM workspace WHERE id = ?1 OR slug = ?1"),
    [PROJECT_EXISTS] = READS("SELECT 1 FROM workspace WHERE project_id = ?"),
};
const struct sql_list workspace_sql = {statements, STATEMENTS};

/* A setting that may be the server's: null then. */
static void bind_given(struct query *query, const struct settings_row *settings, unsigned which,
                       int64_t value)
{
    query_int_or_null(query, settings->given & which ? value : -1);
}

static const char *text_or_null(const char *text)
{
    return *text ? text : NULL;
}

/* Binds SETTINGS, in the columns' order. */
static void bind_settings(struct query *query, const struct workspace_row *row)
{
    const struct settings_row *settings = &row->settings;
    query_text(query, row->name);
    query_int(query, row->active);
    query_int_or_null(query, row->ttl ? row->ttl : -1);
    bind_given(query, settings, GIVEN_QUEUE_TIME, settings->queue_time);
    bind_given(query, settings, GIVEN_PROCESSING_TIME, settings->processing_time);
    bind_given(query, settings, GIVEN_MAX_PROCESSING, settings->max_processing);
    query_real(query, settings->jitter);
    query_int(query, settings->rate.per_minute);
    query_int(query, settings->rate.per_day);
    query_int(query, settings->rate.creations_per_minute);
    query_int(query, settings->any_key);
    query_text(query, text_or_null(settings->public_url));
    query_int(query, settings->room_since);
    bind_given(query, settings, GIVEN_MAGIC, settings->magic);
    bind_given(query, settings, GIVEN_CALLBACK_TIMEOUT, settings->callback.timeout);
    bind_given(query, settings, GIVEN_CALLBACK_CONNECT_TIMEOUT, settings->callback.connect_timeout);
    bind_given(query, settings, GIVEN_CALLBACK_ON, settings->callback.on);
    query_text(query, text_or_null(settings->callback.retries));
    query_text(query, text_or_null(settings->callback.map));
    query_text(query, text_or_null(settings->callback.secrets));
    query_int(query, (int64_t)settings->lint_ignored);
}

/* Binds CLOCK. */
static void bind_clock(struct query *query, const struct clock_row *clock)
{
    query_int(query, clock->mode);
    query_real(query, clock->scale);
    query_int(query, clock->base);
    query_int(query, clock->anchor);
}

int workspace_insert(struct db *db, struct workspace_row *row)
{
    struct query query = query_begin(db, TABLE_WORKSPACE, INSERT);
    bind_settings(&query, row);
    query_text(&query, row->id);
    query_text(&query, row->slug);
    query_text(&query, row->project_id);
    query_int(&query, row->created_at);
    query_text(&query, *row->seed ? row->seed : NULL);
    bind_clock(&query, &row->clock);
    query_text(&query, text_or_null(row->run));
    int status = query_run(&query);
    if (status == 0)
        row->pk = query_last_key(db);
    return status;
}

int workspace_update(struct db *db, const struct workspace_row *row)
{
    struct query query = query_begin(db, TABLE_WORKSPACE, UPDATE);
    bind_settings(&query, row);
    query_int(&query, row->pk);
    int status = query_run(&query);
    return status < 0 || query_changes(db) == 1 ? status : ERR_NOT_FOUND;
}

int workspace_set_clock(struct db *db, int64_t pk, const struct clock_row *clock)
{
    struct query query = query_begin(db, TABLE_WORKSPACE, SET_CLOCK);
    bind_clock(&query, clock);
    query_int(&query, pk);
    int status = query_run(&query);
    return status < 0 || query_changes(db) == 1 ? status : ERR_NOT_FOUND;
}

int workspace_set_seed(struct db *db, int64_t pk, const char *seed, int64_t draws)
{
    struct query query = query_begin(db, TABLE_WORKSPACE, SET_SEED);
    query_text(&query, *seed ? seed : NULL);
    query_int(&query, draws);
    query_int(&query, pk);
    return query_run(&query);
}

int workspace_set_origin(struct db *db, int64_t pk, const char *document, size_t len)
{
    struct query query = query_begin(db, TABLE_WORKSPACE, SET_ORIGIN);
    query_int(&query, pk);
    query_text_n(&query, document, len);
    return query_run(&query);
}

int workspace_read_origin(struct db *db, int64_t pk,
                          int (*visit)(const char *document, size_t len, void *arg), void *arg)
{
    struct query query = query_begin(db, TABLE_WORKSPACE, READ_ORIGIN);
    query_int(&query, pk);
    int status = query_step(&query);
    if (status > 0)
        status =
            visit(query_get_text(&query, 0), (size_t)sqlite3_column_bytes(query.statement, 0), arg);
    else if (status == 0)
        status = ERR_NOT_FOUND;
    query_end(&query);
    return status;
}

int workspace_count_draw(struct db *db, int64_t pk, int64_t *ret_before)
{
    struct query query = query_begin(db, TABLE_WORKSPACE, COUNT_DRAW);
    query_int(&query, pk);
    int status = query_step(&query);
    if (status > 0)
        *ret_before = query_get_int(&query, 0);
    query_end(&query);
    return status > 0 ? 0 : status < 0 ? status : ERR_NOT_FOUND;
}

int workspace_name_exists(struct db *db, const char *name, bool *ret_exists)
{
    struct query query = query_begin(db, TABLE_WORKSPACE, NAME_EXISTS);
    query_text(&query, name);
    return query_exists(&query, ret_exists);
}

int workspace_project_exists(struct db *db, const char *project, bool *ret_exists)
{
    struct query query = query_begin(db, TABLE_WORKSPACE, PROJECT_EXISTS);
    query_text(&query, project);
    return query_exists(&query, ret_exists);
}

static int64_t get_given(struct query *query, int column, unsigned which, unsigned *io_given)
{
    int64_t value = query_get_int_or(query, column, -1);
    if (value < 0)
        return 0;
    *io_given |= which;
    return value;
}

static void read_settings(struct query *query, struct settings_row *settings)
{
    unsigned given = 0;
    settings->queue_time = get_given(query, 3, GIVEN_QUEUE_TIME, &given);
    settings->processing_time = get_given(query, 4, GIVEN_PROCESSING_TIME, &given);
    settings->max_processing = get_given(query, 5, GIVEN_MAX_PROCESSING, &given);
    settings->magic = get_given(query, 13, GIVEN_MAGIC, &given) != 0;
    settings->callback.timeout = get_given(query, 14, GIVEN_CALLBACK_TIMEOUT, &given);
    settings->callback.connect_timeout =
        get_given(query, 15, GIVEN_CALLBACK_CONNECT_TIMEOUT, &given);
    settings->callback.on = (unsigned)get_given(query, 16, GIVEN_CALLBACK_ON, &given);
    query_copy_text(query, 17, settings->callback.retries, sizeof settings->callback.retries);
    query_copy_text(query, 18, settings->callback.map, sizeof settings->callback.map);
    query_copy_text(query, 19, settings->callback.secrets, sizeof settings->callback.secrets);
    settings->lint_ignored = (uint64_t)query_get_int(query, 20);
    settings->given = given;
    settings->jitter = query_get_real(query, 6);
    settings->rate = (struct rate_limit){.per_minute = query_get_int(query, 7),
                                         .per_day = query_get_int(query, 8),
                                         .creations_per_minute = query_get_int(query, 9)};
    settings->any_key = query_get_int(query, 10) != 0;
    query_copy_text(query, 11, settings->public_url, sizeof settings->public_url);
    settings->room_since = query_get_int(query, 12);
}

static void read_row(struct query *query, struct workspace_row *row)
{
    *row = (struct workspace_row){.pk = query_get_int(query, 21),
                                  .active = query_get_int(query, 1) != 0,
                                  .ttl = query_get_int_or(query, 2, 0),
                                  .created_at = query_get_int(query, 25)};
    query_copy_text(query, 0, row->name, sizeof row->name);
    read_settings(query, &row->settings);
    query_copy_text(query, 22, row->id, sizeof row->id);
    query_copy_text(query, 23, row->slug, sizeof row->slug);
    query_copy_text(query, 24, row->project_id, sizeof row->project_id);
    query_copy_text(query, 26, row->seed, sizeof row->seed);
    row->clock = (struct clock_row){.mode = (enum clock_mode)query_get_int(query, 27),
                                    .scale = query_get_real(query, 28),
                                    .base = query_get_int(query, 29),
                                    .anchor = query_get_int(query, 30)};
    row->draws = query_get_int(query, 31);
    query_copy_text(query, 32, row->run, sizeof row->run);
}

int workspace_each(struct db *db, int (*visit)(const struct workspace_row *row, void *arg),
                   void *arg)
{
    struct query query = query_begin(db, TABLE_WORKSPACE, ALL);
    struct workspace_row row;
    int status;
    while ((status = query_step(&query)) > 0) {
        read_row(&query, &row);
        if ((status = visit(&row, arg)) < 0)
            break;
    }
    query_end(&query);
    return status;
}

int workspace_read(struct db *db, int64_t pk, struct workspace_row *ret_row)
{
    struct query query = query_begin(db, TABLE_WORKSPACE, ONE);
    query_int(&query, pk);
    int status = query_step(&query);
    if (status > 0)
        read_row(&query, ret_row);
    query_end(&query);
    return status > 0 ? 0 : status < 0 ? status : ERR_NOT_FOUND;
}
