/* How jobs are polled (engine/tally.h): records that are found and counted in without a lock. */
#include "engine/tally_internal.h"

#include <stdlib.h>
#include <string.h>

enum {
    BUCKETS_FIRST = 16,
    FAST_MS = 1000, /* polls that follow each other sooner are too many */
};

struct key {
    unsigned long long words[TALLY_JOB_WORDS];
};

static struct key key_of(const char *job)
{
    struct key key = {{0}};
    memcpy(key.words, job, strnlen(job, ID_HEX_SIZE - 1));
    return key;
}

static size_t bucket_of(const struct tally_job_table *table, const struct key *key)
{
    uint64_t hash = (key->words[0] ^ key->words[1] << 7) * UINT64_C(0x9E3779B97F4A7C15);
    return (size_t)(hash >> 32) & table->mask;
}

static bool has_key(const struct tally_job_record *record, const struct key *key)
{
    return atomic_load_explicit(&record->id[0], memory_order_relaxed) == key->words[0] &&
           atomic_load_explicit(&record->id[1], memory_order_relaxed) == key->words[1];
}

/* NULL: it is not there, or has just come. */
static struct tally_job_record *find(const struct tally *tally, const struct key *key)
{
    const struct tally_job_table *table =
        atomic_load_explicit(&tally->job_table, memory_order_acquire);
    if (!table)
        return NULL;
    struct tally_job_record *record =
        atomic_load_explicit(&table->buckets[bucket_of(table, key)], memory_order_acquire);
    while (record && !has_key(record, key))
        record = atomic_load_explicit(&record->next, memory_order_acquire);
    return record;
}

/* -- under the lock ---------------------------------------------------------------------------- */

static void link_in(struct tally_job_table *table, struct tally_job_record *record)
{
    struct key key = {{atomic_load(&record->id[0]), atomic_load(&record->id[1])}};
    _Atomic(struct tally_job_record *) *bucket = &table->buckets[bucket_of(table, &key)];
    atomic_store_explicit(&record->next, atomic_load(bucket), memory_order_release);
    atomic_store_explicit(bucket, record, memory_order_release);
}

static void take_out(struct tally_job_table *table, struct tally_job_record *record)
{
    struct key key = {{atomic_load(&record->id[0]), atomic_load(&record->id[1])}};
    _Atomic(struct tally_job_record *) *place = &table->buckets[bucket_of(table, &key)];
    while (atomic_load(place) != record)
        place = &atomic_load(place)->next;
    atomic_store_explicit(place, atomic_load(&record->next), memory_order_release);
}

/* Twice the buckets. Whoever is in the smaller table meanwhile may miss a record, and then looks
 * again under the lock. */
static bool grow_table(struct tally *tally)
{
    const struct tally_jobs *jobs = &tally->jobs;
    struct tally_job_table *smaller = atomic_load(&tally->job_table);
    size_t size = smaller ? (smaller->mask + 1) * 2 : BUCKETS_FIRST;
    struct tally_job_table *table = calloc(1, sizeof *table + size * sizeof *table->buckets);
    if (!table)
        return false;
    table->mask = size - 1;
    table->smaller = smaller;
    for (size_t i = 0; i < jobs->count; i++)
        link_in(table, jobs->records[i]);
    atomic_store_explicit(&tally->job_table, table, memory_order_release);
    return true;
}

static bool grow_records(struct tally_jobs *jobs)
{
    size_t capacity = jobs->capacity ? jobs->capacity * 2 : BUCKETS_FIRST;
    struct tally_job_record **records = realloc(jobs->records, capacity * sizeof *records);
    if (!records)
        return false;
    jobs->records = records;
    jobs->capacity = capacity;
    return true;
}

/* One of which nothing more is to come, polled little, is worth the least. */
static int64_t worth(void *arg, size_t index)
{
    struct tally_job job;
    tally_jobs_read(arg, index, &job);
    return job.polls + (tally_job_is_abandoned(&job) ? INT64_MAX / 2 : 0);
}

/* Takes out one that another job is to have; its polls are left out. */
static struct tally_job_record *reuse(struct tally *tally)
{
    struct tally_jobs *jobs = &tally->jobs;
    struct tally_job_record *record =
        jobs->records[tally_choose(jobs->count, &jobs->hand, worth, tally)];
    take_out(atomic_load(&tally->job_table), record);
    jobs->left_out++;
    jobs->polls += atomic_load(&record->polls);
    jobs->after_end += atomic_load(&record->after_end);
    return record;
}

/* A record that is in no bucket; NULL: out of memory. */
static struct tally_job_record *make(struct tally *tally)
{
    struct tally_jobs *jobs = &tally->jobs;
    struct tally_job_table *table = atomic_load(&tally->job_table);
    if (jobs->count == TALLY_JOBS_MAX)
        return reuse(tally);
    if ((!table || jobs->count > table->mask) && !grow_table(tally))
        return NULL;
    if (jobs->count == jobs->capacity && !grow_records(jobs))
        return NULL;
    struct tally_job_record *record =
        aligned_alloc(_Alignof(struct tally_job_record), sizeof *record);
    if (!record)
        return NULL;
    memset(record, 0, sizeof *record);
    jobs->records[jobs->count++] = record;
    return record;
}

static struct tally_job_record *add(struct tally *tally, const struct key *key)
{
    struct tally_job_record *record = make(tally);
    if (!record)
        return NULL;
    for (size_t i = 0; i < TALLY_JOB_WORDS; i++)
        atomic_store(&record->id[i], key->words[i]);
    atomic_store(&record->polls, 0);
    atomic_store(&record->after_end, 0);
    atomic_store(&record->shortest, INT64_MAX);
    atomic_store(&record->first_at, 0);
    atomic_store(&record->epoch, 0);
    link_in(atomic_load(&tally->job_table), record);
    return record;
}

/* It is seen for the first time since a reset. */
static void renew(struct tally_job_record *record, unsigned epoch)
{
    atomic_store(&record->flags, 0);
    atomic_store(&record->last_at, 0);
    atomic_store(&record->made_at, -1);
    atomic_store_explicit(&record->epoch, epoch, memory_order_release);
}

/* -- a job ------------------------------------------------------------------------------------- */

/* NULL: out of memory. */
static struct tally_job_record *get_locked(struct tally *tally, const struct key *key)
{
    pthread_mutex_lock(&tally->lock);
    struct tally_job_record *record = find(tally, key);
    unsigned epoch = atomic_load(&tally->epoch);
    if (!record)
        record = add(tally, key);
    if (record && atomic_load(&record->epoch) != epoch)
        renew(record, epoch);
    pthread_mutex_unlock(&tally->lock);
    return record;
}

static struct tally_job_record *get(struct tally *tally, const char *job)
{
    struct key key = key_of(job);
    struct tally_job_record *record = find(tally, &key);
    if (record && atomic_load_explicit(&record->epoch, memory_order_acquire) ==
                      atomic_load_explicit(&tally->epoch, memory_order_relaxed))
        return record;
    return get_locked(tally, &key);
}

/* Which flags were there before. */
static unsigned set_flags(struct tally *tally, struct tally_job_record *record, unsigned flags)
{
    unsigned before = atomic_load_explicit(&record->flags, memory_order_relaxed);
    if ((before & flags) == flags)
        return before;
    before = atomic_fetch_or_explicit(&record->flags, flags, memory_order_relaxed);
    if (flags & ~before & TALLY_JOB_COUNTED)
        atomic_fetch_add_explicit(&tally->jobs.counted, 1, memory_order_relaxed);
    return before;
}

static void note_interval(struct tally_job_record *record, int64_t interval)
{
    long long shortest = atomic_load_explicit(&record->shortest, memory_order_relaxed);
    while (interval < shortest &&
           !atomic_compare_exchange_weak_explicit(&record->shortest, &shortest, interval,
                                                  memory_order_relaxed, memory_order_relaxed)) {
    }
}

uint64_t tally_jobs_poll(struct tally *tally, const struct tally_note *note)
{
    struct tally_job_record *record = get(tally, note->job);
    uint64_t found = 0;
    if (!record)
        return 0;
    unsigned before =
        set_flags(tally, record, TALLY_JOB_COUNTED | (note->shows_end ? TALLY_JOB_END_SEEN : 0));
    atomic_fetch_add_explicit(&record->polls, 1, memory_order_relaxed);
    int64_t last = atomic_exchange_explicit(&record->last_at, note->sent_at, memory_order_relaxed);
    if (!last && !atomic_load_explicit(&record->first_at, memory_order_relaxed))
        atomic_store_explicit(&record->first_at, note->sent_at, memory_order_relaxed);
    if (last && note->sent_at >= last) {
        note_interval(record, note->sent_at - last);
        if (note->sent_at - last < FAST_MS)
            found |= finding_bit(FINDING_POLLED_FAST);
    }
    if (before & TALLY_JOB_END_SEEN) {
        atomic_fetch_add_explicit(&record->after_end, 1, memory_order_relaxed);
        found |= finding_bit(FINDING_POLLED_AFTER_END);
    }
    return found;
}

void tally_jobs_mark(struct tally *tally, const char *job, unsigned flags, int64_t made_at)
{
    struct tally_job_record *record = get(tally, job);
    if (!record)
        return;
    unsigned before = set_flags(tally, record, flags);
    if (flags & ~before & TALLY_JOB_MADE)
        atomic_store_explicit(&record->made_at, made_at, memory_order_relaxed);
}

/* -- all of them, under the lock --------------------------------------------------------------- */

void tally_jobs_read(struct tally *tally, size_t index, struct tally_job *ret_job)
{
    struct tally_job_record *record = tally->jobs.records[index];
    struct key key = {{atomic_load(&record->id[0]), atomic_load(&record->id[1])}};
    unsigned flags = atomic_load(&record->flags);
    long long shortest = atomic_load(&record->shortest);
    *ret_job = (struct tally_job){
        .polls = atomic_load(&record->polls),
        .after_end = atomic_load(&record->after_end),
        .shortest = shortest == INT64_MAX ? -1 : shortest,
        .first_at = atomic_load(&record->first_at),
        .last_at = atomic_load(&record->last_at),
        .now = atomic_load(&record->epoch) == atomic_load(&tally->epoch),
        .made = flags & TALLY_JOB_MADE,
        .made_at = atomic_load(&record->made_at),
        .ended = flags & (TALLY_JOB_ENDED | TALLY_JOB_END_SEEN),
        .end_seen = flags & TALLY_JOB_END_SEEN,
        .called_back = flags & TALLY_JOB_CALLED_BACK,
        .callback_blocked = flags & TALLY_JOB_BLOCKED,
    };
    memcpy(ret_job->job, key.words, ID_HEX_SIZE - 1);
}

int64_t tally_jobs_abandoned(struct tally *tally)
{
    struct tally_job job;
    int64_t count = 0;
    for (size_t i = 0; i < tally->jobs.count; i++) {
        tally_jobs_read(tally, i, &job);
        count += tally_job_is_abandoned(&job);
    }
    return count;
}

void tally_jobs_count(struct tally *tally, struct tally_counts *counts)
{
    const struct tally_jobs *jobs = &tally->jobs;
    counts->polling.jobs = atomic_load(&jobs->counted);
    counts->polling.left_out = jobs->left_out;
    counts->polling.polls = jobs->polls;
    counts->polling.after_end = jobs->after_end;
    for (size_t i = 0; i < jobs->count; i++) {
        counts->polling.polls += atomic_load(&jobs->records[i]->polls);
        counts->polling.after_end += atomic_load(&jobs->records[i]->after_end);
    }
}

/* Into one that is of no epoch of the tally's: what ended elsewhere is not now. */
static void merge_one(struct tally *to, struct tally_job_record *from)
{
    struct key key = {{atomic_load(&from->id[0]), atomic_load(&from->id[1])}};
    struct tally_job_record *record = find(to, &key);
    long long polls = atomic_load(&from->polls), after_end = atomic_load(&from->after_end);
    long long first = atomic_load(&from->first_at), last = atomic_load(&from->last_at);
    if (!record)
        record = add(to, &key);
    if (!record) {
        to->jobs.left_out++;
        to->jobs.polls += polls;
        to->jobs.after_end += after_end;
        return;
    }
    renew(record, atomic_load(&to->epoch) - 1);
    atomic_store(&record->flags, atomic_load(&from->flags));
    atomic_store(&record->made_at, atomic_load(&from->made_at));
    atomic_store(&record->last_at, last);
    if (!atomic_load(&record->first_at))
        atomic_store(&record->first_at, first);
    atomic_fetch_add(&record->polls, polls);
    atomic_fetch_add(&record->after_end, after_end);
    note_interval(record, atomic_load(&from->shortest));
}

void tally_jobs_merge(struct tally *to, struct tally *from)
{
    const struct tally_jobs *jobs = &from->jobs;
    atomic_fetch_add(&to->jobs.counted, atomic_load(&jobs->counted));
    to->jobs.left_out += jobs->left_out;
    to->jobs.polls += jobs->polls;
    to->jobs.after_end += jobs->after_end;
    for (size_t i = 0; i < jobs->count; i++)
        merge_one(to, jobs->records[i]);
}

void tally_jobs_finish(struct tally *tally)
{
    struct tally_jobs *jobs = &tally->jobs;
    for (size_t i = 0; i < jobs->count; i++)
        free(jobs->records[i]);
    free(jobs->records);
    for (struct tally_job_table *table = atomic_load(&tally->job_table), *smaller; table;
         table = smaller) {
        smaller = table->smaller;
        free(table);
    }
}
