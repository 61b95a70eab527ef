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
#include "base/time.h"
#include "store/db_internal.h"
#include "store/trouble.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

/* A batch's bound keeps its commit short; the queue's, its memory and how long the last one waits:
   each client waits with one write, and half of the connections there may be by default fill it. */
enum { BATCH_MAX = 256, QUEUE_MAX = 8192 };

/* Clients that send one request after the other leave the queue empty for less than this. */
enum { IDLE_MS = 50 };

const struct histogram_bounds store_batch_sizes = {{1, 2, 4, 8, 16, 32, 64, 128, 256}, 9};
const struct histogram_bounds store_commit_times = {
    {50, 100, 250, 500, 1000, 2500, 5000, 10000, 25000, 50000, 100000, 250000, 1000000, 5000000},
    14};

/* A struct histogram that any thread may read while the writer's counts. */
struct counted {
    atomic_llong counts[HISTOGRAM_BOUNDS_MAX + 1], sum;
};

struct writer {
    struct db *db;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    struct write *first, **last; /* the queue, under the lock */
    size_t queued;
    bool stopping, broken;
    void (*failed)(void *arg); /* under the lock, as its argument */
    void *failed_arg;
    struct trouble trouble;
    struct counted batch_sizes, commit_times;
    pthread_mutex_t watch_lock;                   /* held while the watcher is called */
    void (*committed)(void *arg, int64_t number); /* under that lock, as its argument */
    void *arg;
};

struct batch {
    struct write *messages[BATCH_MAX];
    int status[BATCH_MAX];
    size_t count;
};

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

/*
 * The medium has failed: SQLite, and the kernel, may take for written what is not (a sync that is
 * made again after one that failed says nothing). So this was the last write.
 */
static void fail(struct writer *writer)
{
    pthread_mutex_lock(&writer->lock);
    bool is_first = !writer->broken;
    writer->broken = true;
    atomic_store(&writer->trouble.health, ERR_IO);
    pthread_mutex_unlock(&writer->lock);
    fail_queue(writer, ERR_IO);
    pthread_mutex_lock(&writer->lock);
    if (is_first && writer->failed)
        writer->failed(writer->failed_arg);
    pthread_mutex_unlock(&writer->lock);
}

/* A full disk is looked at again now and then, also where nobody writes. */
static void try_again(struct writer *writer)
{
    if (trouble_try_at(&writer->trouble) <= time_steady_ms())
        trouble_note_try(&writer->trouble, db_try(writer->db));
}

/* With the lock held: does what is to be done while nobody sends messages. */
static void use_idleness(struct writer *writer, bool is_full)
{
    pthread_mutex_unlock(&writer->lock);
    if (is_full)
        try_again(writer);
    else
        db_checkpoint(writer->db, CHECKPOINT_PASSIVE);
    if (db_is_broken(writer->db))
        fail(writer);
    pthread_mutex_lock(&writer->lock);
}

/* With the lock held: waits for messages, and checkpoints meanwhile where nobody sends any. */
static void await(struct writer *writer)
{
    while (!writer->first && !writer->stopping) {
        int64_t try_at = trouble_try_at(&writer->trouble);
        bool is_full = try_at != TIME_NEVER;
        if (writer->broken || (!is_full && !db_wants_checkpoint(writer->db, true)))
            pthread_cond_wait(&writer->wake, &writer->lock);
        else if (time_wait(&writer->wake, &writer->lock,
                           is_full ? try_at - time_steady_ms() : IDLE_MS))
            use_idleness(writer, is_full);
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

static void count(struct counted *counted, const struct histogram_bounds *bounds, int64_t value)
{
    size_t place = histogram_place(bounds, value);
    atomic_fetch_add_explicit(&counted->counts[place], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&counted->sum, value, memory_order_relaxed);
}

static void read_counted(const struct counted *counted, struct histogram *ret_histogram)
{
    for (size_t i = 0; i <= HISTOGRAM_BOUNDS_MAX; i++)
        ret_histogram->counts[i] = atomic_load(&counted->counts[i]);
    ret_histogram->sum = atomic_load(&counted->sum);
}

static int commit(struct writer *writer, size_t size)
{
    int64_t begun = time_steady_us();
    int status = db_commit(writer->db);
    count(&writer->batch_sizes, &store_batch_sizes, (int64_t)size);
    count(&writer->commit_times, &store_commit_times, time_steady_us() - begun);
    return status;
}

/* Runs messages [from, to) in one transaction. *ret_culprit is the one whose run failed, else -1.
 */
static int transact(struct writer *writer, struct batch *batch, size_t from, size_t to,
                    long *ret_culprit)
{
    struct db *db = writer->db;
    *ret_culprit = -1;
    db->batch_size = to - from;
    int status = db_begin(db);
    for (size_t i = from; i < to && status == 0; i++) {
        status = batch->messages[i]->run(batch->messages[i], db);
        if (status < 0)
            *ret_culprit = (long)i;
    }
    if (status == 0)
        status = commit(writer, to - from);
    if (status < 0)
        db_rollback(db);
    return status;
}

/* How many of a batch ended so. */
static size_t count_status(const struct batch *batch, int status)
{
    size_t total = 0;
    for (size_t i = 0; i < batch->count; i++)
        total += batch->status[i] == status;
    return total;
}

/* The worst is told: that the disk is full, although a small write of the batch found room. */
static void note_trouble(struct writer *writer, const struct batch *batch)
{
    int worst = 0;
    for (size_t i = 0; i < batch->count; i++)
        if (batch->status[i] == 0 || store_logs(batch->status[i]))
            worst = batch->status[i] < worst ? batch->status[i] : worst;
    trouble_note(&writer->trouble, worst, count_status(batch, worst));
}

/* A failed medium or a held lock would fail the others just so, each after the same wait. */
static bool fails_all(int status)
{
    return status == ERR_IO || status == ERR_BUSY || status == ERR_CORRUPT;
}

static void run_batch(struct writer *writer, struct batch *batch)
{
    long culprit;
    int status = transact(writer, batch, 0, batch->count, &culprit);
    for (size_t i = 0; i < batch->count; i++)
        batch->status[i] = status;
    if (status == 0 || batch->count == 1 || fails_all(status))
        return;
    for (size_t i = 0; i < batch->count; i++)
        batch->status[i] = transact(writer, batch, i, i + 1, &culprit);
}

static void tell(struct batch *batch)
{
    for (size_t i = 0; i < batch->count; i++)
        batch->messages[i]->done(batch->messages[i], batch->status[i]);
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
        run_batch(writer, &batch);
        note_trouble(writer, &batch);
        tell(&batch);
        tell_number(writer, number);
        if (batch.status[0] == ERR_BUSY)
            fail_queue(writer, ERR_BUSY);
        if (db_wants_checkpoint(writer->db, false))
            db_checkpoint(writer->db, CHECKPOINT_RESTART);
        try_again(writer);
        if (db_is_broken(writer->db))
            fail(writer);
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
    time_init_wake(&writer->wake);
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
    else if (writer->broken)
        status = ERR_IO;
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

void writer_read_stats(struct writer *writer, struct store_stats *ret_stats)
{
    pthread_mutex_lock(&writer->lock);
    ret_stats->queued = writer->queued;
    pthread_mutex_unlock(&writer->lock);
    read_counted(&writer->batch_sizes, &ret_stats->batch_sizes);
    read_counted(&writer->commit_times, &ret_stats->commit_times);
}

void writer_watch(struct writer *writer, void (*committed)(void *arg, int64_t number), void *arg)
{
    pthread_mutex_lock(&writer->watch_lock);
    writer->committed = committed;
    writer->arg = arg;
    pthread_mutex_unlock(&writer->watch_lock);
}

void writer_on_failure(struct writer *writer, void (*failed)(void *arg), void *arg)
{
    pthread_mutex_lock(&writer->lock);
    writer->failed = failed;
    writer->failed_arg = arg;
    if (writer->broken && failed)
        failed(arg);
    pthread_mutex_unlock(&writer->lock);
}

int writer_health(const struct writer *writer)
{
    return atomic_load(&writer->trouble.health);
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
