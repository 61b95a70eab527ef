/*
 * A journal's parts are rings, each under a lock that hardly anybody else wants: a thread always
 * takes the same part. Numbers are drawn under a part's lock; a reader holds all of the parts'
 * locks at once, so that it sees every number below those that it sees.
 *
 * Whoever adds should touch as little as possible that other threads write, too: that costs more
 * than all else here. It is the counter of numbers alone. By the numbers it is known what is too
 * old, JOURNAL_ENTRIES_MAX behind the newest: each thread drops what its own part has of that, and
 * looks after the others' now and then, as does every reader. Bytes are counted in the part, and
 * told to the journal and to all of them together in steps of REPORT_MIN; what is too much is
 * evicted by whoever told of it.
 */
#include "engine/journal.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum {
    PARTS_MAX = 16, /* more threads than these share */
    RING_FIRST = 16,
    REPORT_MIN = 4096, /* bytes; of so many a part's are not known, either way */
    FETCH_MAX = 2048,  /* of an entry: most are shorter */
    LOOK_ROUND = 256,  /* numbers between two looks at the other parts */
};

/* A ring of entries, oldest first; what is not `oldest` is under the lock. */
struct part {
    _Alignas(64) pthread_mutex_t lock; /* no cache line is shared with another part */
    struct journal_entry **entries;
    size_t first, count, capacity; /* a power of two */
    int64_t unreported;            /* bytes that came, less those that went */
    struct journal_loss lost;
    int64_t evicted;     /* the same, however often it was cleared */
    atomic_llong oldest; /* the number of the first; 0: it is empty */
};

struct journal {
    struct journals *journals;
    struct journal *next, **place; /* in the list of all */
    atomic_llong newest;
    atomic_llong cleared;            /* the newest when it was last cleared */
    _Alignas(64) atomic_llong bytes; /* that were reported */
    struct part parts[];
};

struct journals {
    size_t memory;
    unsigned parts;
    _Alignas(64) atomic_llong bytes;
    pthread_mutex_t lock;
    struct journal *first; /* under the lock, */
    int64_t evicted;       /* too: from those that are gone */
};

/* -- all of them ------------------------------------------------------------------------------- */

struct journals *journals_create(size_t memory, unsigned threads)
{
    struct journals *journals = aligned_alloc(64, sizeof *journals);
    if (!journals)
        return NULL;
    memset(journals, 0, sizeof *journals);
    journals->memory = memory;
    journals->parts = threads < 1 ? 1 : threads > PARTS_MAX ? PARTS_MAX : threads;
    pthread_mutex_init(&journals->lock, NULL);
    return journals;
}

void journals_destroy(struct journals *journals)
{
    if (!journals)
        return;
    pthread_mutex_destroy(&journals->lock);
    free(journals);
}

bool journals_are_on(const struct journals *journals)
{
    return journals && journals->memory > 0;
}

size_t journals_bytes(const struct journals *journals)
{
    long long bytes = atomic_load(&journals->bytes);
    return bytes > 0 ? (size_t)bytes : 0;
}

/* The same part for each call of a thread. */
static unsigned my_part(const struct journals *journals)
{
    static atomic_uint threads;
    static _Thread_local unsigned mine;
    if (!mine)
        mine = atomic_fetch_add(&threads, 1) + 1;
    return mine % journals->parts;
}

/*
 * Ten thousand entries are more than a core's cache holds, so the oldest, whose memory the next
 * entry is likely to get, has long left it. It is fetched while the request goes on to be sent,
 * which takes a third off what adding costs.
 */
static void fetch(const struct journal_entry *entry, size_t size)
{
    enum { LINE = 64 };
    for (size_t at = 0; at < size; at += LINE)
        __builtin_prefetch((const char *)entry + at, 1);
}

/* -- a part, under its lock -------------------------------------------------------------------- */

static struct journal_entry *at(const struct part *part, size_t index)
{
    struct journal_entry *entry = part->entries[(part->first + index) & (part->capacity - 1)];
    assert(entry); /* all up to the count are there */
    return entry;
}

static bool grow(struct part *part)
{
    size_t capacity = part->capacity ? part->capacity * 2 : RING_FIRST;
    struct journal_entry **entries = calloc(capacity, sizeof *entries);
    if (!entries)
        return false;
    for (size_t i = 0; i < part->count; i++)
        entries[i] = at(part, i);
    free(part->entries);
    part->entries = entries;
    part->capacity = capacity;
    part->first = 0;
    return true;
}

static void note_oldest(struct part *part)
{
    atomic_store(&part->oldest, part->count ? at(part, 0)->number : 0);
}

static struct journal_entry *pop(struct part *part)
{
    struct journal_entry *entry = at(part, 0);
    part->first = (part->first + 1) & (part->capacity - 1);
    part->count--;
    part->unreported -= (int64_t)entry->size;
    note_oldest(part);
    return entry;
}

/* An entry is gone for want of room. */
static void note_loss(struct part *part, const struct journal_entry *entry)
{
    if (entry->is_control)
        return;
    part->evicted++;
    part->lost.count++;
    if (part->lost.newest < entry->number)
        part->lost.newest = entry->number;
}

/* Takes out the oldest, if it is not after that number; NULL. */
static struct journal_entry *drop_old(struct part *part, int64_t until)
{
    if (!part->count || at(part, 0)->number > until)
        return NULL;
    struct journal_entry *entry = pop(part);
    note_loss(part, entry);
    return entry;
}

/* Tells what the others do not know of its bytes. */
static void report(struct journal *journal, struct part *part)
{
    atomic_fetch_add(&journal->bytes, part->unreported);
    atomic_fetch_add(&journal->journals->bytes, part->unreported);
    part->unreported = 0;
}

/* The index of the first entry after that number. */
static size_t find_after(const struct part *part, int64_t number)
{
    size_t low = 0, high = part->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (at(part, middle)->number > number)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

/* -- a journal --------------------------------------------------------------------------------- */

struct journal *journal_create(struct journals *journals)
{
    size_t size = sizeof(struct journal) + journals->parts * sizeof(struct part);
    size = (size + 63) / 64 * 64;
    struct journal *journal = aligned_alloc(64, size);
    if (!journal)
        return NULL;
    memset(journal, 0, size);
    journal->journals = journals;
    for (unsigned i = 0; i < journals->parts; i++)
        pthread_mutex_init(&journal->parts[i].lock, NULL);
    pthread_mutex_lock(&journals->lock);
    journal->place = &journals->first;
    journal->next = journals->first;
    if (journal->next)
        journal->next->place = &journal->next;
    journals->first = journal;
    pthread_mutex_unlock(&journals->lock);
    return journal;
}

/* All of its parts, in their order: nothing is added or evicted meanwhile. */
static void lock_all(struct journal *journal)
{
    for (unsigned i = 0; i < journal->journals->parts; i++)
        pthread_mutex_lock(&journal->parts[i].lock);
}

static void unlock_all(struct journal *journal)
{
    for (unsigned i = journal->journals->parts; i-- > 0;)
        pthread_mutex_unlock(&journal->parts[i].lock);
}

/* Lets go of the entries that a part had; how many were requests to the APIs. */
static size_t drop(struct part *part)
{
    size_t count = 0;
    for (size_t i = 0; i < part->count; i++) {
        count += !at(part, i)->is_control;
        journal_entry_release(at(part, i));
    }
    free(part->entries);
    return count;
}

/* Takes its ring out of a part. */
static void empty(struct journal *journal, struct part *part, struct part *ret_had)
{
    *ret_had = (struct part){.entries = part->entries,
                             .first = part->first,
                             .count = part->count,
                             .capacity = part->capacity};
    for (size_t i = 0; i < part->count; i++)
        part->unreported -= (int64_t)at(part, i)->size;
    report(journal, part);
    part->entries = NULL;
    part->first = part->count = part->capacity = 0;
    part->lost = (struct journal_loss){0};
    note_oldest(part);
}

size_t journal_clear(struct journal *journal)
{
    const unsigned parts = journal->journals->parts;
    struct part had[PARTS_MAX];
    size_t count = 0;
    lock_all(journal);
    for (unsigned i = 0; i < parts; i++)
        empty(journal, &journal->parts[i], &had[i]);
    atomic_store(&journal->cleared, atomic_load(&journal->newest));
    unlock_all(journal);
    for (unsigned i = 0; i < parts; i++) /* whoever adds need not wait for it */
        count += drop(&had[i]);
    return count;
}

/* What its parts have not reported, and what was evicted from them. */
static void sum_parts(struct journal *journal, int64_t *io_unreported, int64_t *io_evicted)
{
    lock_all(journal);
    for (unsigned i = 0; i < journal->journals->parts; i++) {
        *io_unreported += journal->parts[i].unreported;
        *io_evicted += journal->parts[i].evicted;
    }
    unlock_all(journal);
}

void journals_read_totals(struct journals *journals, struct journals_totals *ret_totals)
{
    pthread_mutex_lock(&journals->lock);
    int64_t bytes = 0, evicted = journals->evicted;
    for (struct journal *journal = journals->first; journal; journal = journal->next)
        sum_parts(journal, &bytes, &evicted);
    bytes += atomic_load(&journals->bytes);
    pthread_mutex_unlock(&journals->lock);
    *ret_totals = (struct journals_totals){bytes > 0 ? bytes : 0, evicted};
}

void journal_destroy(struct journal *journal)
{
    if (!journal)
        return;
    struct journals *journals = journal->journals;
    int64_t unreported = 0;
    pthread_mutex_lock(&journals->lock);
    sum_parts(journal, &unreported, &journals->evicted);
    *journal->place = journal->next;
    if (journal->next)
        journal->next->place = journal->place;
    pthread_mutex_unlock(&journals->lock);
    journal_clear(journal);
    for (unsigned i = 0; i < journals->parts; i++) {
        pthread_mutex_destroy(&journal->parts[i].lock);
        free(journal->parts[i].entries);
    }
    free(journal);
}

/* The part with the oldest entry of all; NULL: there is none. */
static struct part *oldest_part(struct journal *journal)
{
    struct part *found = NULL;
    long long oldest = 0;
    for (unsigned i = 0; i < journal->journals->parts; i++) {
        long long number = atomic_load(&journal->parts[i].oldest);
        if (number && (!found || number < oldest)) {
            found = &journal->parts[i];
            oldest = number;
        }
    }
    return found;
}

/* Evicts the oldest entry; false: there is none. */
static bool evict(struct journal *journal)
{
    struct part *part = oldest_part(journal);
    if (!part)
        return false;
    pthread_mutex_lock(&part->lock);
    struct journal_entry *entry = drop_old(part, INT64_MAX);
    report(journal, part);
    pthread_mutex_unlock(&part->lock);
    journal_entry_release(entry);
    return true;
}

/* Drops what is behind the newest by more than there may be, of all parts: also where others do so
 * at the same time, so that then all of it is counted as lost. */
static void drop_all_old(struct journal *journal)
{
    int64_t until = atomic_load(&journal->newest) - JOURNAL_ENTRIES_MAX;
    for (struct part *part; (part = oldest_part(journal)) && atomic_load(&part->oldest) <= until;) {
        pthread_mutex_lock(&part->lock);
        struct journal_entry *entry = drop_old(part, until);
        pthread_mutex_unlock(&part->lock);
        journal_entry_release(entry);
    }
}

/* Makes room in all of them together: of the largest, until it is not by far the largest any more.
 */
static void make_room(struct journals *journals)
{
    enum { EVICTED_AT_ONCE = 64 };
    bool had = true;
    pthread_mutex_lock(&journals->lock);
    while (had && atomic_load(&journals->bytes) > (long long)journals->memory) {
        struct journal *largest = journals->first;
        for (struct journal *journal = journals->first; journal; journal = journal->next)
            if (atomic_load(&journal->bytes) > atomic_load(&largest->bytes))
                largest = journal;
        had = largest && evict(largest);
        for (int i = 1; had && i < EVICTED_AT_ONCE; i++)
            evict(largest);
    }
    pthread_mutex_unlock(&journals->lock);
}

/* Keeps the bounds of bytes, after a report. */
static void keep_bounds(struct journal *journal)
{
    struct journals *journals = journal->journals;
    long long most = JOURNAL_BYTES_MAX - (long long)journals->parts * REPORT_MIN;
    while (atomic_load(&journal->bytes) > most && evict(journal)) {
    }
    if (atomic_load(&journals->bytes) > (long long)journals->memory)
        make_room(journals);
}

/* Puts it into the part, under its lock. False: out of memory. */
static bool push(struct part *part, struct journal_entry *entry)
{
    if (part->count == part->capacity && !grow(part)) {
        note_loss(part, entry);
        return false;
    }
    part->entries[(part->first + part->count++) & (part->capacity - 1)] = entry;
    part->unreported += (int64_t)entry->size;
    if (part->count == 1)
        atomic_store(&part->oldest, entry->number);
    return true;
}

bool journal_add_while(struct journal *journal, struct journal_entry *entry,
                       const atomic_llong *counter, long long value)
{
    struct part *part = &journal->parts[my_part(journal->journals)];
    pthread_mutex_lock(&part->lock);
    if (counter && atomic_load(counter) != value) {
        pthread_mutex_unlock(&part->lock);
        journal_entry_release(entry);
        return false;
    }
    int64_t number = atomic_fetch_add(&journal->newest, 1) + 1;
    entry->number = number;
    bool is_in = push(part, entry);
    /* Mostly as many as came; and of a thread that had long nothing to do, a few more. */
    struct journal_entry *old = drop_old(part, number - JOURNAL_ENTRIES_MAX),
                         *older = drop_old(part, number - JOURNAL_ENTRIES_MAX);
    if (part->count)
        fetch(at(part, 0), 1); /* which is looked at the next time */
    bool reports = part->unreported > REPORT_MIN || part->unreported < -REPORT_MIN;
    if (reports)
        report(journal, part);
    pthread_mutex_unlock(&part->lock); /* from here on somebody else may evict it */
    if (!is_in)
        journal_entry_release(entry);
    if (old)
        fetch(old, old->size < FETCH_MAX ? old->size : FETCH_MAX);
    journal_entry_release(old);
    journal_entry_release(older);
    if (number % LOOK_ROUND == 0)
        drop_all_old(journal);
    if (reports)
        keep_bounds(journal);
    return true;
}

void journal_add(struct journal *journal, struct journal_entry *entry)
{
    journal_add_while(journal, entry, NULL, 0);
}

int64_t journal_newest(const struct journal *journal)
{
    return atomic_load(&journal->newest);
}

struct journal_loss journal_evicted(struct journal *journal)
{
    struct journal_loss loss = {0};
    drop_all_old(journal);
    for (unsigned i = 0; i < journal->journals->parts; i++) {
        struct part *part = &journal->parts[i];
        pthread_mutex_lock(&part->lock);
        loss.count += part->lost.count;
        if (loss.newest < part->lost.newest)
            loss.newest = part->lost.newest;
        pthread_mutex_unlock(&part->lock);
    }
    return loss;
}

int64_t journal_cleared(const struct journal *journal)
{
    return atomic_load(&journal->cleared);
}

/* -- reading ----------------------------------------------------------------------------------- */

static int by_number(const void *a, const void *b)
{
    const struct journal_entry *const *left = a, *const *right = b;
    return ((*left)->number > (*right)->number) - ((*left)->number < (*right)->number);
}

/* With all locks held. */
static size_t take(struct journal *journal, int64_t after, int64_t until,
                   struct journal_entry **entries)
{
    size_t count = 0;
    for (unsigned i = 0; i < journal->journals->parts; i++) {
        const struct part *part = &journal->parts[i];
        for (size_t index = find_after(part, after);
             index < part->count && at(part, index)->number <= until; index++, count++)
            if (entries)
                entries[count] = journal_entry_hold(at(part, index));
    }
    return count;
}

bool journal_read(struct journal *journal, int64_t after, int64_t until,
                  struct journal_entry ***ret_entries, size_t *ret_count)
{
    drop_all_old(journal);
    lock_all(journal);
    int64_t gone = atomic_load(&journal->newest) - JOURNAL_ENTRIES_MAX;
    if (after < gone) /* a part may not have dropped yet what others have */
        after = gone;
    size_t count = take(journal, after, until, NULL);
    struct journal_entry **entries = malloc((count + 1) * sizeof *entries);
    if (entries)
        take(journal, after, until, entries);
    unlock_all(journal);
    if (!entries)
        return false;
    qsort(entries, count, sizeof *entries, by_number);
    *ret_entries = entries;
    *ret_count = count;
    return true;
}

struct journal_entry *journal_find(struct journal *journal, int64_t number)
{
    struct journal_entry *found = NULL;
    for (unsigned i = 0; !found && i < journal->journals->parts; i++) {
        struct part *part = &journal->parts[i];
        pthread_mutex_lock(&part->lock);
        size_t index = find_after(part, number - 1);
        if (index < part->count && at(part, index)->number == number)
            found = journal_entry_hold(at(part, index));
        pthread_mutex_unlock(&part->lock);
    }
    return found;
}

void journal_release_all(struct journal_entry **entries, size_t count)
{
    for (size_t i = 0; i < count; i++)
        journal_entry_release(entries[i]);
    free(entries);
}
