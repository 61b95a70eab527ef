/*
 * A journal's parts are rings, each under a lock that hardly anybody else wants: a thread always
 * takes the same part. Numbers are drawn under a part's lock; a reader holds all of the parts'
 * locks at once, so that it sees every number below those that it sees.
 *
 * What is too much is evicted by whoever added it: the part whose oldest entry is the oldest of all
 * is found by numbers that can be read without a lock, and looked at again under it.
 */
#include "engine/journal.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
    PARTS_MAX = 16, /* more threads than these share */
    RING_FIRST = 16,
};

const char *const journal_end_names[JOURNAL_ENDS + 1] = {
    "answered", "truncated", "dripped", "dropped", "hung", "garbage", "left", NULL,
};

/* A ring of entries, oldest first; what is not `oldest` is under the lock. */
struct part {
    _Alignas(64) pthread_mutex_t lock; /* no cache line is shared with another part */
    struct journal_entry **entries;
    size_t first, count, capacity; /* a power of two */
    atomic_llong oldest;           /* the number of the first; 0: it is empty */
};

struct journal {
    struct journals *journals;
    struct journal *next, **place; /* in the list of all */
    atomic_llong newest;
    atomic_llong evicted, evicted_newest;
    atomic_size_t entries, bytes;
    struct part parts[];
};

struct journals {
    size_t memory;
    unsigned parts;
    atomic_size_t bytes;
    atomic_llong evicted;
    pthread_mutex_t lock;
    struct journal *first; /* under the lock */
};

/* -- all of them ------------------------------------------------------------------------------- */

struct journals *journals_create(size_t memory, unsigned threads)
{
    struct journals *journals = calloc(1, sizeof *journals);
    if (!journals)
        return NULL;
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
    return atomic_load(&journals->bytes);
}

int64_t journals_evicted(const struct journals *journals)
{
    return atomic_load(&journals->evicted);
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

/* -- entries ----------------------------------------------------------------------------------- */

struct journal_entry *journal_entry_hold(struct journal_entry *entry)
{
    atomic_fetch_add(&entry->references, 1);
    return entry;
}

void journal_entry_release(struct journal_entry *entry)
{
    if (entry && atomic_fetch_sub(&entry->references, 1) == 1)
        free(entry);
}

static size_t kept(const struct journal_text *text, size_t max)
{
    return text->len < max ? text->len : max;
}

static const char *copy(char **io_at, const char *text, size_t len)
{
    char *at = *io_at;
    if (!text)
        return NULL;
    memcpy(at, text, len);
    at[len] = '\0';
    *io_at += len + 1;
    return at;
}

static void copy_text(char **io_at, struct journal_text *text, size_t max)
{
    size_t len = kept(text, max);
    text->data = copy(io_at, text->data, len);
    text->len = len;
}

static size_t length(const char *text)
{
    return text ? strlen(text) : 0;
}

struct journal_entry *journal_entry_create(const struct journal_entry *from)
{
    enum { NULS = 8 };
    size_t method = length(from->method), target = length(from->target), path = length(from->path),
           id = length(from->id);
    size_t bytes = method + target + path + id + from->headers.len + from->answer_headers.len +
                   kept(&from->body, JOURNAL_BODY_MAX) + kept(&from->answer, JOURNAL_BODY_MAX) +
                   NULS;
    struct journal_entry *entry = malloc(sizeof *entry + bytes);
    if (!entry)
        return NULL;
    char *at = entry->bytes;
    memcpy(entry, from, sizeof *entry);
    atomic_init(&entry->references, 1);
    entry->size = sizeof *entry + bytes;
    entry->method = copy(&at, from->method, method);
    entry->target = copy(&at, from->target, target);
    entry->path = copy(&at, from->path, path);
    entry->id = copy(&at, from->id, id);
    copy_text(&at, &entry->headers, SIZE_MAX);
    copy_text(&at, &entry->answer_headers, SIZE_MAX);
    copy_text(&at, &entry->body, JOURNAL_BODY_MAX);
    copy_text(&at, &entry->answer, JOURNAL_BODY_MAX);
    return entry;
}

/* -- a part, under its lock -------------------------------------------------------------------- */

static struct journal_entry *at(const struct part *part, size_t index)
{
    return part->entries[(part->first + index) & (part->capacity - 1)];
}

static bool grow(struct part *part)
{
    size_t capacity = part->capacity ? part->capacity * 2 : RING_FIRST;
    struct journal_entry **entries = malloc(capacity * sizeof *entries);
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
    note_oldest(part);
    return entry;
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

static void forget_bytes(struct journal *journal, const struct journal_entry *entry)
{
    atomic_fetch_sub(&journal->entries, 1);
    atomic_fetch_sub(&journal->bytes, entry->size);
    atomic_fetch_sub(&journal->journals->bytes, entry->size);
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

size_t journal_clear(struct journal *journal)
{
    struct part had[PARTS_MAX];
    size_t count = 0;
    lock_all(journal);
    for (unsigned i = 0; i < journal->journals->parts; i++) {
        struct part *part = &journal->parts[i];
        for (size_t index = 0; index < part->count; index++)
            forget_bytes(journal, at(part, index));
        had[i] = (struct part){.entries = part->entries,
                               .first = part->first,
                               .count = part->count,
                               .capacity = part->capacity};
        part->entries = NULL;
        part->first = part->count = part->capacity = 0;
        note_oldest(part);
    }
    atomic_store(&journal->evicted, 0);
    atomic_store(&journal->evicted_newest, 0);
    unlock_all(journal);
    for (unsigned i = 0; i < journal->journals->parts; i++) /* whoever adds need not wait for it */
        count += drop(&had[i]);
    return count;
}

void journal_destroy(struct journal *journal)
{
    if (!journal)
        return;
    struct journals *journals = journal->journals;
    pthread_mutex_lock(&journals->lock);
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

/* A request to the APIs is lost. */
static void note_loss(struct journal *journal, int64_t number)
{
    atomic_fetch_add(&journal->evicted, 1);
    atomic_fetch_add(&journal->journals->evicted, 1);
    long long before = atomic_load(&journal->evicted_newest);
    while (before < number &&
           !atomic_compare_exchange_weak(&journal->evicted_newest, &before, number)) {
    }
}

/* Evicts the oldest entry; false: there is none. */
static bool evict(struct journal *journal)
{
    struct part *part = oldest_part(journal);
    struct journal_entry *entry = NULL;
    if (!part)
        return false;
    pthread_mutex_lock(&part->lock);
    if (part->count) {
        entry = pop(part);
        forget_bytes(journal, entry);
        if (!entry->is_control)
            note_loss(journal, entry->number);
    }
    pthread_mutex_unlock(&part->lock);
    journal_entry_release(entry);
    return true;
}

/* Makes room in all of them together: of the largest, until it is not by far the largest any more.
 */
static void make_room(struct journals *journals)
{
    enum { EVICTED_AT_ONCE = 64 };
    pthread_mutex_lock(&journals->lock);
    while (atomic_load(&journals->bytes) > journals->memory) {
        struct journal *largest = journals->first;
        for (struct journal *journal = journals->first; journal; journal = journal->next)
            if (atomic_load(&journal->bytes) > atomic_load(&largest->bytes))
                largest = journal;
        bool had = largest != NULL;
        for (int i = 0; had && i < EVICTED_AT_ONCE; i++)
            had = evict(largest);
        if (!largest || (!had && !atomic_load(&largest->bytes)))
            break;
    }
    pthread_mutex_unlock(&journals->lock);
}

void journal_add(struct journal *journal, struct journal_entry *entry)
{
    struct journals *journals = journal->journals;
    struct part *part = &journal->parts[my_part(journals)];
    size_t size = entry->size;
    pthread_mutex_lock(&part->lock);
    entry->number = atomic_fetch_add(&journal->newest, 1) + 1;
    if (part->count == part->capacity && !grow(part)) {
        if (!entry->is_control)
            note_loss(journal, entry->number);
        pthread_mutex_unlock(&part->lock);
        journal_entry_release(entry);
        return;
    }
    part->entries[(part->first + part->count++) & (part->capacity - 1)] = entry;
    if (part->count == 1)
        note_oldest(part);
    size_t entries = atomic_fetch_add(&journal->entries, 1) + 1;
    size_t bytes = atomic_fetch_add(&journal->bytes, size) + size;
    size_t all = atomic_fetch_add(&journals->bytes, size) + size;
    pthread_mutex_unlock(&part->lock); /* from here on somebody else may evict it */
    while ((entries > JOURNAL_ENTRIES_MAX || bytes > JOURNAL_BYTES_MAX) && evict(journal)) {
        entries = atomic_load(&journal->entries);
        bytes = atomic_load(&journal->bytes);
    }
    if (all > journals->memory)
        make_room(journals);
}

int64_t journal_newest(const struct journal *journal)
{
    return atomic_load(&journal->newest);
}

struct journal_loss journal_evicted(const struct journal *journal)
{
    return (struct journal_loss){.count = atomic_load(&journal->evicted),
                                 .newest = atomic_load(&journal->evicted_newest)};
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
    lock_all(journal);
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

bool journal_next_header(const struct journal_text *headers, size_t *io_at, const char **ret_name,
                         const char **ret_value)
{
    if (!headers->data || *io_at >= headers->len)
        return false;
    *ret_name = headers->data + *io_at;
    *ret_value = *ret_name + strlen(*ret_name) + 1;
    *io_at += strlen(*ret_name) + strlen(*ret_value) + 2;
    return true;
}

const char *journal_header(const struct journal_text *headers, const char *name)
{
    const char *known, *value;
    for (size_t place = 0; journal_next_header(headers, &place, &known, &value);)
        if (strcasecmp(known, name) == 0)
            return value;
    return NULL;
}
