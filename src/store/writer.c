/*
 * The writer takes everything that waits as one batch, runs it in one transaction, and tells the
 * senders after the commit. While a commit's sync is under way, the next batch gathers: group
 * commit without a timer.
 *
 * There is no savepoint for each message, because SQLite pays for one by copying every page that
 * the message touches. Refusals are found before anything is written, so a message that fails is an
 * exception: then the batch is rolled back and each of its messages gets a transaction of its own.
 */
#include "store/writer.h"
#include "store/db_internal.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

/* A batch's bound keeps its commit short; the queue's, its memory: 8,192 is more than the clients
   that can wait under the default limit of connections would fill in a second. */
enum { BATCH_MAX = 256, QUEUE_MAX = 8192 };

/* Clients that send one request after the other leave the queue empty for less than this. */
enum { IDLE_MS = 50 };

struct writer {
    struct db *db;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    struct write *first, **last; /* the queue, under the lock */
    size_t queued;
    bool stopping;
    pthread_mutex_t watch_lock;                   /* held while the watcher is called */
    void (*committed)(void *arg, int64_t number); /* under that lock, as its argument */
    void *arg;
};

struct batch {
    struct write *messages[BATCH_MAX];
    int status[BATCH_MAX];
    size_t count;
};

/* With the lock held: waits for messages, or for so long that the writer counts as idle. */
static bool wait_or_idle(struct writer *writer)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += IDLE_MS * 1000000L;
    if (until.tv_nsec >= 1000000000L) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000L;
    }
    return pthread_cond_timedwait(&writer->wake, &writer->lock, &until) == ETIMEDOUT;
}

/* With the lock held: waits for messages, and checkpoints meanwhile where nobody sends any. */
static void await(struct writer *writer)
{
    while (!writer->first && !writer->stopping) {
        if (!db_wants_checkpoint(writer->db, true)) {
            pthread_cond_wait(&writer->wake, &writer->lock);
        } else if (wait_or_idle(writer)) {
            pthread_mutex_unlock(&writer->lock);
            db_checkpoint(writer->db, CHECKPOINT_PASSIVE);
            pthread_mutex_lock(&writer->lock);
        }
    }
}

/* Takes what waits; false when the writer is to end and nothing is left. */
static bool take(struct writer *writer, struct batch *batch)
{
    batch->count = 0;
    pthread_mutex_lock(&writer->lock);
    await(writer);
    while (writer->first && batch->count < BATCH_MAX) {
        struct write *write = writer->first;
        writer->first = write->next;
        batch->messages[batch->count++] = write;
    }
    if (!writer->first)
        writer->last = &writer->first;
    writer->queued -= batch->count;
    pthread_mutex_unlock(&writer->lock);
    return batch->count > 0;
}

/* Runs messages [from, to) in one transaction. *ret_culprit is the one whose run failed, else -1.
 */
static int transact(struct db *db, struct batch *batch, size_t from, size_t to, long *ret_culprit)
{
    *ret_culprit = -1;
    db->batch_size = to - from;
    int status = db_begin(db);
    for (size_t i = from; i < to && status == 0; i++) {
        status = batch->messages[i]->run(batch->messages[i], db);
        if (status < 0)
            *ret_culprit = (long)i;
    }
    if (status == 0)
        status = db_commit(db);
    if (status < 0)
        db_rollback(db);
    return status;
}

/* A failed medium or a held lock would fail the others just so, each after the same wait. */
static bool fails_all(int status)
{
    return status == ERR_IO || status == ERR_BUSY || status == ERR_CORRUPT;
}

static void run_batch(struct db *db, struct batch *batch)
{
    long culprit;
    int status = transact(db, batch, 0, batch->count, &culprit);
    for (size_t i = 0; i < batch->count; i++)
        batch->status[i] = status;
    if (status == 0 || batch->count == 1 || fails_all(status))
        return;
    for (size_t i = 0; i < batch->count; i++)
        batch->status[i] = transact(db, batch, i, i + 1, &culprit);
}

static void tell(struct batch *batch)
{
    for (size_t i = 0; i < batch->count; i++)
        batch->messages[i]->done(batch->messages[i], batch->status[i]);
}

/* What was sent while a lock was waited for has waited too: it is not made to wait once more. */
static void fail_queue(struct writer *writer, int status)
{
    pthread_mutex_lock(&writer->lock);
    struct write *write = writer->first;
    writer->first = NULL;
    writer->last = &writer->first;
    writer->queued = 0;
    pthread_mutex_unlock(&writer->lock);
    for (struct write *next; write; write = next) {
        next = write->next;
        write->done(write, status);
    }
}

/* Tells of the numbers that a batch drew, if it did. */
static void tell_number(struct writer *writer, int64_t before)
{
    if (writer->db->numbers == before)
        return;
    pthread_mutex_lock(&writer->watch_lock);
    if (writer->committed)
        writer->committed(writer->arg, writer->db->numbers);
    pthread_mutex_unlock(&writer->watch_lock);
}

static void *writer_main(void *arg)
{
    struct writer *writer = arg;
    struct batch batch;
    while (take(writer, &batch)) {
        int64_t number = writer->db->numbers;
        run_batch(writer->db, &batch);
        tell(&batch);
        tell_number(writer, number);
        if (batch.status[0] == ERR_BUSY)
            fail_queue(writer, ERR_BUSY);
        if (db_wants_checkpoint(writer->db, false))
            db_checkpoint(writer->db, CHECKPOINT_RESTART);
    }
    return NULL;
}

int writer_start(struct db *db, struct writer **ret_writer, struct err *err)
{
    struct writer *writer = calloc(1, sizeof *writer);
    if (!writer)
        return err_set(err, ERR_NO_MEMORY, "out of memory");
    writer->db = db;
    writer->last = &writer->first;
    pthread_mutex_init(&writer->lock, NULL);
    pthread_mutex_init(&writer->watch_lock, NULL);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&writer->wake, &monotonic);
    pthread_condattr_destroy(&monotonic);
    if (pthread_create(&writer->thread, NULL, writer_main, writer) != 0) {
        free(writer);
        return err_set(err, ERR_INTERNAL, "cannot start the writer's thread");
    }
    *ret_writer = writer;
    return 0;
}

int writer_submit(struct writer *writer, struct write *write)
{
    int status = 0;
    write->next = NULL;
    pthread_mutex_lock(&writer->lock);
    if (writer->stopping)
        status = ERR_STOPPING;
    else if (writer->queued >= QUEUE_MAX)
        status = ERR_OVERLOADED;
    else {
        *writer->last = write;
        writer->last = &write->next;
        if (writer->queued++ == 0)
            pthread_cond_signal(&writer->wake);
    }
    pthread_mutex_unlock(&writer->lock);
    return status;
}

void writer_watch(struct writer *writer, void (*committed)(void *arg, int64_t number), void *arg)
{
    pthread_mutex_lock(&writer->watch_lock);
    writer->committed = committed;
    writer->arg = arg;
    pthread_mutex_unlock(&writer->watch_lock);
}

void writer_stop(struct writer *writer)
{
    pthread_mutex_lock(&writer->lock);
    writer->stopping = true;
    pthread_cond_signal(&writer->wake);
    pthread_mutex_unlock(&writer->lock);
    pthread_join(writer->thread, NULL);
    pthread_cond_destroy(&writer->wake);
    pthread_mutex_destroy(&writer->watch_lock);
    pthread_mutex_destroy(&writer->lock);
    free(writer);
}
