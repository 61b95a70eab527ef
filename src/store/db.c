#include "base/time.h"
#include "store/db_internal.h"
#include "store/trouble.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

/*
 * Checkpoints copy the log into the file, and hold the writer up meanwhile. So they are made when
 * it has nothing to do, from IDLE_PAGES on; and under writes that do not pause only when the log is
 * as long as it may become, because then each page that was written many times is copied once, and
 * few requests meet the stop. That one waits for the readers, whose reads are short, so that the
 * log starts anew. On a small disk the log is cut short to a share of the room that is left: its
 * file does not shrink, and what it holds has to find room in the store's file as well.
 */
enum {
    IDLE_PAGES = 1000,
    LONGEST_PAGES = 16000,
    SHORTEST_PAGES = 250,
    SHARE_OF_ROOM = 8,
    PAGE_BYTES = 4096,
};

/* Pages kept in memory once they are used. The writer's are all over the indexes: ids are random.
 */
enum { WRITER_CACHE_KIB = 16 * 1024, READER_CACHE_KIB = 4 * 1024 };

/* How long another process's lock is waited for: by the writer, by a reader, by a checkpoint that
   waits for other processes' readers, and by all once the server is about to end. */
enum {
    WRITER_TIMEOUT_MS = 5000,
    READER_TIMEOUT_MS = 1000,
    RESTART_TIMEOUT_MS = 100,
    HURRIED_TIMEOUT_MS = 500,
    LOCK_LOOK_MS = 5,
};

static const struct sql_list *const lists[TABLES] = {
    [TABLE_WORKSPACE] = &workspace_sql,
    [TABLE_ACCESS] = &access_sql,
    [TABLE_PURGE] = &purge_sql,
    [TABLE_JOB] = &job_sql,
    [TABLE_JOB_LIST] = &job_list_sql,
    [TABLE_PLAN] = &plan_sql,
    [TABLE_SNAPSHOT] = &snapshot_sql,
    [TABLE_SESSION] = &session_sql,
    [TABLE_SCENARIO] = &scenario_sql,
    [TABLE_DELIVERY] = &delivery_sql,
    [TABLE_ATTEMPT] = &attempt_sql,
    [TABLE_PROJECT_SCENARIO] = &project_scenario_sql,
    [TABLE_RULE] = &rule_sql,
    [TABLE_INBOX] = &inbox_sql,
    [TABLE_DELIVERY_LIST] = &delivery_list_sql,
};

static bool is_of_room(int reason)
{
    return reason == ENOSPC || reason == EDQUOT;
}

/*
 * A full disk is not always told as one: a quota, or a log's index that cannot grow. SQLite keeps
 * the reason of a failed write with its file, until another of that file fails. A failed sync is
 * never taken for it, because nobody knows what is on the medium after that.
 */
static bool lacks_room(struct db *db, int result)
{
    int of_file = 0, of_log = 0;
    sqlite3_file *log = NULL;
    switch (result) {
    case SQLITE_IOERR_WRITE:
        sqlite3_file_control(db->connection, "main", SQLITE_FCNTL_LAST_ERRNO, &of_file);
        sqlite3_file_control(db->connection, "main", SQLITE_FCNTL_JOURNAL_POINTER, (void *)&log);
        if (log && log->pMethods)
            log->pMethods->xFileControl(log, SQLITE_FCNTL_LAST_ERRNO, &of_log);
        return (is_of_room(of_file) || is_of_room(of_log)) &&
               (of_file == 0 || is_of_room(of_file)) && (of_log == 0 || is_of_room(of_log));
    case SQLITE_IOERR_SHMSIZE:
    case SQLITE_IOERR_SHMOPEN:
    case SQLITE_IOERR_SHMMAP:
        return is_of_room(sqlite3_system_errno(db->connection));
    default:
        return false;
    }
}

int db_error(struct db *db, int sqlite_result)
{
    int status = query_error(sqlite_result);
    if (status == 0 || status == ERR_EXISTS)
        return status;
    if (lacks_room(db, sqlite_result))
        status = ERR_FULL;
    if (!db->is_writer)
        trouble_note_read(status, sqlite3_errmsg(db->connection));
    else if (status == ERR_IO && (sqlite_result & 0xff) == SQLITE_IOERR)
        db->is_broken = true;
    return status;
}

static int failed(struct db *db, struct err *err)
{
    return err_set(err, db_error(db, sqlite3_extended_errcode(db->connection)), "%s",
                   sqlite3_errmsg(db->connection));
}

int db_execute(struct db *db, const char *sql, struct err *err)
{
    return sqlite3_exec(db->connection, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : failed(db, err);
}

int db_integer(struct db *db, const char *sql, int64_t *ret_value, struct err *err)
{
    sqlite3_stmt *statement = NULL;
    int status = 0;
    if (sqlite3_prepare_v2(db->connection, sql, -1, &statement, NULL) != SQLITE_OK ||
        sqlite3_step(statement) != SQLITE_ROW)
        status = failed(db, err);
    else
        *ret_value = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return status;
}

static int prepare(struct db *db, const char *sql, sqlite3_stmt **ret_statement, struct err *err)
{
    if (sqlite3_prepare_v3(db->connection, sql, -1, SQLITE_PREPARE_PERSISTENT, ret_statement,
                           NULL) != SQLITE_OK)
        return failed(db, err);
    return 0;
}

static int prepare_list(struct db *db, enum table table, enum db_role role, struct err *err)
{
    const struct sql_list *list = lists[table];
    db->statements[table] = calloc(list->count, sizeof *db->statements[table]);
    if (!db->statements[table])
        return err_set(err, ERR_NO_MEMORY, "out of memory");
    for (size_t i = 0; i < list->count; i++) {
        const struct sql *sql = &list->statements[i];
        if (sql->writes && role == DB_READER)
            continue;
        int status = prepare(db, sql->text, &db->statements[table][i], err);
        if (status < 0)
            return status;
    }
    return 0;
}

/* Made before all others, as an end must not lack memory: what is left open never ends. */
static int prepare_ends(struct db *db, struct err *err)
{
    int status = prepare(db, "COMMIT", &db->commit, err);
    return status == 0 ? prepare(db, "ROLLBACK", &db->roll_back, err) : status;
}

static int prepare_all(struct db *db, enum db_role role, struct err *err)
{
    int status = 0;
    for (int table = 0; table < TABLES && status == 0; table++)
        status = prepare_list(db, (enum table)table, role, err);
    if (status == 0 && role == DB_WRITER)
        status = prepare(db, "BEGIN IMMEDIATE", &db->begin, err);
    return status;
}

/* SQLite tells how long the log is after each commit. */
static int note_log_pages(void *arg, sqlite3 *connection, const char *schema, int pages)
{
    struct db *db = arg;
    (void)connection;
    (void)schema;
    db->log_pages = pages;
    return SQLITE_OK;
}

/* A file system that cannot share memory between processes leaves the store in another mode. */
static int use_log(struct db *db, struct err *err)
{
    bool is_on = false;
    sqlite3_stmt *statement = NULL;
    int status = prepare(db, "PRAGMA journal_mode=WAL", &statement, err);
    if (status == 0 && sqlite3_step(statement) == SQLITE_ROW)
        is_on = strcmp((const char *)sqlite3_column_text(statement, 0), "wal") == 0;
    if (status == 0 && !is_on)
        status = err_set(err, ERR_CREATE, "its file system allows no write-ahead log: %s",
                         sqlite3_errmsg(db->connection));
    sqlite3_finalize(statement);
    return status;
}

/* SQLite's busy handler: whether to try again after a short wait. `tries` counts those of one lock.
 */
static int wait_for_lock(void *arg, int tries)
{
    struct db *db = arg;
    if (tries == 0)
        db->waits_since = time_steady_ms();
    int64_t waited = time_steady_ms() - db->waits_since;
    if (waited >= (atomic_load(&db->hurries) ? HURRIED_TIMEOUT_MS : db->patience_ms))
        return 0;
    poll(NULL, 0, LOCK_LOOK_MS);
    return 1;
}

static int set_up(struct db *db, enum db_role role, enum durability durability, struct err *err)
{
    char sql[400];
    snprintf(sql, sizeof sql,
             "PRAGMA foreign_keys=ON; PRAGMA trusted_schema=OFF; PRAGMA mmap_size=0;"
             "PRAGMA secure_delete=ON;" /* what is gone is nowhere in the file */
             "PRAGMA temp_store=MEMORY; PRAGMA wal_autocheckpoint=0;"
             "PRAGMA journal_size_limit=67108864; PRAGMA cache_size=%d; PRAGMA synchronous=%s;"
             "PRAGMA query_only=%s;",
             role == DB_WRITER ? -WRITER_CACHE_KIB : -READER_CACHE_KIB,
             durability == DURABILITY_POWER ? "FULL" : "NORMAL", role == DB_READER ? "ON" : "OFF");
    db->patience_ms = role == DB_WRITER ? WRITER_TIMEOUT_MS : READER_TIMEOUT_MS;
    sqlite3_busy_handler(db->connection, wait_for_lock, db);
    /* Only the writer checkpoints; it closes last, and takes the log and its index away. */
    sqlite3_db_config(db->connection, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, role == DB_READER, NULL);
    sqlite3_db_config(db->connection, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    return db_execute(db, sql, err);
}

/*
 * Settings, layout, and all statements on it, before anything else is written: where SQL that is
 * ours fails on a store that says it has the layout, that is not the layout, and the store is
 * damaged.
 */
static int lay_out(struct db *db, enum db_role role, enum durability durability, struct err *err)
{
    struct err reason = {""};
    int status = set_up(db, role, durability, &reason);
    if (status == 0)
        status = prepare_ends(db, &reason);
    /* In the roll-back journal's mode, where a new file is whole or empty. */
    if (status == 0 && role == DB_WRITER)
        status = db_migrate(db, &reason);
    if (status == 0)
        status = prepare_all(db, role, &reason);
    if (status == ERR_INTERNAL)
        return err_set(err, ERR_CORRUPT, "it is damaged: %s", reason.text);
    return status < 0 ? err_set(err, status, "%s", reason.text) : 0;
}

int db_open(const char *path, enum db_role role, enum durability durability, struct db **ret_db,
            struct err *err)
{
    int flags =
        SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE |
        (role == DB_WRITER ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY);
    struct db *db = calloc(1, sizeof *db);
    if (!db)
        return err_set(err, ERR_NO_MEMORY, "out of memory");

    db->is_writer = role == DB_WRITER;
    int status = 0;
    if (sqlite3_open_v2(path, &db->connection, flags, NULL) != SQLITE_OK)
        status = db->connection ? failed(db, err) : err_set(err, ERR_NO_MEMORY, "out of memory");
    if (status == 0)
        status = lay_out(db, role, durability, err);
    if (status == 0 && role == DB_WRITER) {
        status = use_log(db, err);
        sqlite3_wal_hook(db->connection, note_log_pages, db);
    }
    if (status < 0) {
        db_close(db);
        return status;
    }
    *ret_db = db;
    return 0;
}

void db_close(struct db *db)
{
    if (!db)
        return;
    for (int table = 0; table < TABLES; table++) {
        if (!db->statements[table])
            continue;
        for (size_t i = 0; i < lists[table]->count; i++)
            sqlite3_finalize(db->statements[table][i]);
        free(db->statements[table]);
    }
    sqlite3_finalize(db->begin);
    sqlite3_finalize(db->commit);
    sqlite3_finalize(db->roll_back);
    if (db->is_broken) /* nothing is tried again: the log stays, and the next start reads it */
        sqlite3_db_config(db->connection, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    sqlite3_close(db->connection);
    free(db);
}

static int run(struct db *db, sqlite3_stmt *statement)
{
    int status = db_error(db, sqlite3_step(statement));
    sqlite3_reset(statement);
    return status;
}

/* Some errors roll back by themselves. To do it, too, can want memory: then the next one does. */
static int roll_back(struct db *db)
{
    return sqlite3_get_autocommit(db->connection) ? 0 : run(db, db->roll_back);
}

int db_begin(struct db *db)
{
    int status = db->is_broken ? ERR_IO : roll_back(db);
    return status == 0 ? run(db, db->begin) : status;
}

int db_commit(struct db *db)
{
    return run(db, db->commit);
}

bool db_is_broken(const struct db *db)
{
    return db->is_broken;
}

int db_hold(struct db *db)
{
    return db_execute(db, "BEGIN", NULL);
}

void db_let_go(struct db *db)
{
    run(db, db->commit);
    roll_back(db);
}

void db_hurry(struct db *db)
{
    atomic_store(&db->hurries, true);
}

void db_rollback(struct db *db)
{
    db->rollbacks++;
    roll_back(db);
}

size_t db_batch_size(const struct db *db)
{
    return db->batch_size;
}

unsigned long db_rollbacks(const struct db *db)
{
    return db->rollbacks;
}

int64_t db_next_number(struct db *db)
{
    return ++db->numbers;
}

/* Bytes that the store's file system has to give. */
static uint64_t room(const struct db *db)
{
    struct statvfs about;
    const char *path = sqlite3_db_filename(db->connection, "main");
    return statvfs(path, &about) == 0 ? (uint64_t)about.f_bavail * about.f_frsize : UINT64_MAX;
}

bool db_wants_checkpoint(const struct db *db, bool idle)
{
    int pages = db->log_pages - db->kept_pages;
    if (pages < SHORTEST_PAGES)
        return false;
    return pages >= (idle ? IDLE_PAGES : LONGEST_PAGES) ||
           room(db) / SHARE_OF_ROOM < (uint64_t)db->log_pages * PAGE_BYTES;
}

int db_checkpoint(struct db *db, enum checkpoint checkpoint)
{
    static const int modes[] = {
        [CHECKPOINT_PASSIVE] = SQLITE_CHECKPOINT_PASSIVE,
        [CHECKPOINT_RESTART] = SQLITE_CHECKPOINT_RESTART,
        [CHECKPOINT_TRUNCATE] = SQLITE_CHECKPOINT_TRUNCATE,
    };
    int64_t patience_ms = db->patience_ms;
    if (db->is_broken)
        return ERR_IO;
    if (checkpoint != CHECKPOINT_PASSIVE)
        db->patience_ms = RESTART_TIMEOUT_MS;
    int result = sqlite3_wal_checkpoint_v2(db->connection, NULL, modes[checkpoint], NULL, NULL);
    int status = db_error(db, result);
    db->patience_ms = patience_ms;
    /* A reader of another process may keep the log from starting anew; it is not waited for again
       before the log has grown by as much once more. */
    db->kept_pages = status < 0 ? db->log_pages : 0;
    if (status == 0)
        db->log_pages = 0;
    return status;
}

/* Whether the log's file takes more than it needs, after a transaction of many pages for example.
 */
static bool is_log_long(const struct db *db)
{
    struct stat about;
    const char *path = sqlite3_filename_wal(sqlite3_db_filename(db->connection, "main"));
    return stat(path, &about) == 0 && about.st_size > (off_t)IDLE_PAGES * PAGE_BYTES;
}

/*
 * A small write may still find a place in the log that is the store's already, and the next would
 * not: so the file system has to have some room as well. A long log gives its own.
 */
int db_try(struct db *db)
{
    enum { ROOM_MIN = 1024 * 1024, TEXT = 60 };
    int64_t layout = 0;
    char sql[TEXT];
    db_checkpoint(db, is_log_long(db) ? CHECKPOINT_TRUNCATE : CHECKPOINT_RESTART);
    if (room(db) < ROOM_MIN)
        return ERR_FULL;
    int status = db_begin(db);
    if (status == 0)
        status = db_integer(db, "PRAGMA user_version", &layout, NULL);
    snprintf(sql, sizeof sql, "PRAGMA user_version=%d", (int)layout);
    if (status == 0)
        status = db_execute(db, sql, NULL);
    if (status == 0)
        status = db_commit(db);
    if (status < 0)
        db_rollback(db);
    return status;
}
