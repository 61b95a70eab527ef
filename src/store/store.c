#include "store/store.h"

#include "store/place.h"
#include "store/writer.h"

#include <fcntl.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct reader {
    struct db *db;
    struct reader *next;
};

struct store {
    struct place place;
    enum durability durability;
    struct db *db; /* the writer's */
    struct writer *writer;
    unsigned long generation; /* tells this store from an earlier one at the same address */
    pthread_mutex_t lock;
    struct reader *readers; /* under the lock */
};

/* The calling thread's connection, and whose store it is for. */
static _Thread_local struct {
    unsigned long generation;
    struct db *db;
} mine;

static void set_sqlite_up(void)
{
    /* Each connection has its own thread, and nobody asks for SQLite's memory statistics, whose
       counters would be a lock that all threads share. */
    sqlite3_config(SQLITE_CONFIG_MULTITHREAD);
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    sqlite3_initialize();
}

/* A new file is its owner's alone, for it holds what clients gave as secrets; SQLite gives its mode
 * to what it puts beside it. Where it cannot be made SQLite says why, and one that is there keeps
 * its mode. */
static void make_private(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd >= 0)
        close(fd);
}

/* SQLite's reasons do not name the file. */
static int open_writer(struct store *store, struct err *err)
{
    struct err reason = {""};
    make_private(store->place.path);
    int status = db_open(store->place.path, DB_WRITER, store->durability, &store->db, &reason);
    if (status < 0)
        err_set(err, status, "cannot use %s: %s", store->place.path, reason.text);
    return status;
}

int store_open(const char *path, enum durability durability, struct store **ret_store,
               struct err *err)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    static unsigned long generations;
    pthread_once(&once, set_sqlite_up);

    struct store *store = calloc(1, sizeof *store);
    if (!store)
        return err_set(err, ERR_NO_MEMORY, "out of memory");
    store->place.lock = -1;
    store->durability = durability;
    store->generation = __atomic_add_fetch(&generations, 1, __ATOMIC_RELAXED);
    pthread_mutex_init(&store->lock, NULL);

    int status = place_init(&store->place, path, err);
    if (status == 0)
        status = open_writer(store, err);
    if (status == 0)
        status = writer_start(store->db, &store->writer, err);
    if (status < 0) {
        store_close(store);
        return status;
    }
    *ret_store = store;
    return 0;
}

const char *store_path(const struct store *store)
{
    return store->place.path;
}

int store_submit(struct store *store, struct write *write)
{
    return writer_submit(store->writer, write);
}

void store_read_stats(struct store *store, struct store_stats *ret_stats)
{
    writer_read_stats(store->writer, ret_stats);
}

void store_watch(struct store *store, void (*committed)(void *arg, int64_t number), void *arg)
{
    writer_watch(store->writer, committed, arg);
}

void store_on_failure(struct store *store, void (*failed)(void *arg), void *arg)
{
    writer_on_failure(store->writer, failed, arg);
}

int store_health(const struct store *store)
{
    return writer_health(store->writer);
}

/* A write that somebody waits for. */
struct waited {
    struct write write;
    struct write *inner;
    pthread_mutex_t lock;
    pthread_cond_t ended;
    bool done;
    int status;
};

static int waited_run(struct write *self, struct db *db)
{
    struct waited *waited = (struct waited *)self;
    return waited->inner->run(waited->inner, db);
}

static void waited_done(struct write *self, int status)
{
    struct waited *waited = (struct waited *)self;
    pthread_mutex_lock(&waited->lock);
    waited->status = status;
    waited->done = true;
    pthread_cond_signal(&waited->ended);
    pthread_mutex_unlock(&waited->lock);
}

int store_write(struct store *store, struct write *write)
{
    struct waited waited = {.write = {.run = waited_run, .done = waited_done},
                            .inner = write,
                            .lock = PTHREAD_MUTEX_INITIALIZER,
                            .ended = PTHREAD_COND_INITIALIZER};
    int status = store_submit(store, &waited.write);
    if (status < 0)
        return status;
    pthread_mutex_lock(&waited.lock);
    while (!waited.done)
        pthread_cond_wait(&waited.ended, &waited.lock);
    pthread_mutex_unlock(&waited.lock);
    return waited.status;
}

struct db *store_reader(struct store *store, struct err *err)
{
    if (mine.generation == store->generation)
        return mine.db;

    struct reader *reader = malloc(sizeof *reader);
    if (!reader) {
        err_set(err, ERR_NO_MEMORY, "out of memory");
        return NULL;
    }
    if (db_open(store->place.path, DB_READER, store->durability, &reader->db, err) < 0) {
        free(reader);
        return NULL;
    }
    pthread_mutex_lock(&store->lock);
    reader->next = store->readers;
    store->readers = reader;
    pthread_mutex_unlock(&store->lock);
    mine.generation = store->generation;
    mine.db = reader->db;
    return reader->db;
}

static char library[40];

static void write_library(void)
{
    snprintf(library, sizeof library, "SQLite %s", sqlite3_libversion());
}

const char *store_library(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT; /* every page of metrics asks, in any thread */
    pthread_once(&once, write_library);
    return library;
}

void store_hurry(struct store *store)
{
    db_hurry(store->db);
}

void store_close(struct store *store)
{
    if (!store)
        return;
    if (store->writer)
        writer_stop(store->writer);
    for (struct reader *reader = store->readers, *next; reader; reader = next) {
        next = reader->next;
        db_close(reader->db);
        free(reader);
    }
    if (store->db && !store->place.directory)
        db_checkpoint(store->db, CHECKPOINT_TRUNCATE);
    db_close(store->db);
    place_finish(&store->place);
    pthread_mutex_destroy(&store->lock);
    free(store);
}
