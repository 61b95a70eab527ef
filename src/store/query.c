#include "store/query.h"

#include "base/err.h"
#include "store/db_internal.h"

#include <string.h>

struct query query_begin(struct db *db, enum table table, int statement)
{
    return (struct query){.db = db, .statement = db->statements[table][statement]};
}

static void remember(struct query *query, int result)
{
    if (query->status == SQLITE_OK)
        query->status = result;
}

void query_int(struct query *query, int64_t value)
{
    remember(query, sqlite3_bind_int64(query->statement, ++query->bound, value));
}

void query_int_or_null(struct query *query, int64_t value)
{
    if (value < 0)
        remember(query, sqlite3_bind_null(query->statement, ++query->bound));
    else
        query_int(query, value);
}

void query_real(struct query *query, double value)
{
    remember(query, sqlite3_bind_double(query->statement, ++query->bound, value));
}

void query_text(struct query *query, const char *text)
{
    query_text_n(query, text, text ? strlen(text) : 0);
}

void query_text_n(struct query *query, const char *text, size_t len)
{
    remember(query, sqlite3_bind_text64(query->statement, ++query->bound, text, len, SQLITE_STATIC,
                                        SQLITE_UTF8));
}

void query_blob(struct query *query, const void *bytes, size_t len)
{
    remember(query,
             sqlite3_bind_blob64(query->statement, ++query->bound, bytes, len, SQLITE_STATIC));
}

int query_step(struct query *query)
{
    if (query->status != SQLITE_OK)
        return query_error(query->status);
    int result = sqlite3_step(query->statement);
    if (result == SQLITE_ROW)
        return 1;
    return result == SQLITE_DONE ? 0 : db_error(query->db, result);
}

int query_run(struct query *query)
{
    int result = query_step(query);
    query_end(query);
    return result > 0 ? ERR_INTERNAL : result;
}

int query_exists(struct query *query, bool *ret_exists)
{
    int status = query_step(query);
    query_end(query);
    if (status < 0)
        return status;
    *ret_exists = status > 0;
    return 0;
}

int64_t query_get_int(struct query *query, int column)
{
    return sqlite3_column_int64(query->statement, column);
}

int64_t query_get_int_or(struct query *query, int column, int64_t absent)
{
    if (sqlite3_column_type(query->statement, column) == SQLITE_NULL)
        return absent;
    return sqlite3_column_int64(query->statement, column);
}

double query_get_real(struct query *query, int column)
{
    return sqlite3_column_double(query->statement, column);
}

const char *query_get_text(struct query *query, int column)
{
    return (const char *)sqlite3_column_text(query->statement, column);
}

void query_copy_text(struct query *query, int column, char *dest, size_t size)
{
    const char *text = query_get_text(query, column);
    size_t len = text ? (size_t)sqlite3_column_bytes(query->statement, column) : 0;
    if (len >= size)
        len = size - 1;
    if (text)
        memcpy(dest, text, len);
    dest[len] = '\0';
}

void query_copy_blob(struct query *query, int column, void *dest, size_t size)
{
    const void *bytes = sqlite3_column_blob(query->statement, column);
    size_t len = (size_t)sqlite3_column_bytes(query->statement, column);
    memset(dest, 0, size);
    if (bytes)
        memcpy(dest, bytes, len < size ? len : size);
}

void query_end(struct query *query)
{
    sqlite3_reset(query->statement); /* its result is that of the last step, already seen */
    sqlite3_clear_bindings(query->statement);
}

int query_changes(struct db *db)
{
    return sqlite3_changes(db->connection);
}

int64_t query_last_key(struct db *db)
{
    return sqlite3_last_insert_rowid(db->connection);
}

int query_error(int sqlite_result)
{
    if (sqlite_result == SQLITE_IOERR_NOMEM)
        return ERR_NO_MEMORY;
    /* Of constraints only these are a name that is taken: who draws ids draws again at ERR_EXISTS.
     */
    if (sqlite_result == SQLITE_CONSTRAINT_UNIQUE || sqlite_result == SQLITE_CONSTRAINT_PRIMARYKEY)
        return ERR_EXISTS;
    switch (sqlite_result & 0xff) { /* the primary code of an extended one */
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE:
        return 0;
    case SQLITE_NOMEM:
        return ERR_NO_MEMORY;
    case SQLITE_FULL:
        return ERR_FULL;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return ERR_BUSY;
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
    case SQLITE_PROTOCOL:
        return ERR_IO;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return ERR_CORRUPT;
    case SQLITE_READONLY:
    case SQLITE_PERM:
        return ERR_PERMISSION;
    default:
        return ERR_INTERNAL;
    }
}
