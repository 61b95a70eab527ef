/* How request_ids are used (engine/tally.h). All of it under the tally's lock. */
#include "base/hash.h"
#include "engine/tally_internal.h"

#include <stdlib.h>
#include <string.h>

enum { BUCKETS_FIRST = 16 };

/* A request_id of an operation's: they are kept apart (S12). */
struct key {
    const char *operation, *text;
    size_t len, shown;
    uint64_t hash;
};

static struct key key_of(const char *operation, const char *text)
{
    size_t len = strlen(text);
    return (struct key){operation, text, len, len < TALLY_ID_SHOWN ? len : TALLY_ID_SHOWN,
                        hash_bytes(text, len) ^ (uintptr_t)operation};
}

/* Of longer ones than are kept, the hash tells. */
static bool has_key(const struct tally_id_record *record, const struct key *key)
{
    return record->hash == key->hash && record->len == key->len &&
           record->counts.operation == key->operation &&
           memcmp(record->text, key->text, key->shown) == 0;
}

static struct tally_id_record **bucket_of(const struct tally_ids *ids, uint64_t hash)
{
    return &ids->buckets[(hash ^ hash >> 32) & (ids->bucket_count - 1)];
}

static struct tally_id_record *find(const struct tally_ids *ids, const struct key *key)
{
    struct tally_id_record *record = ids->buckets ? *bucket_of(ids, key->hash) : NULL;
    while (record && !has_key(record, key))
        record = record->next;
    return record;
}

static void link_in(struct tally_ids *ids, struct tally_id_record *record)
{
    struct tally_id_record **bucket = bucket_of(ids, record->hash);
    record->next = *bucket;
    *bucket = record;
}

static bool grow(struct tally_ids *ids)
{
    size_t size = ids->bucket_count ? ids->bucket_count * 2 : BUCKETS_FIRST;
    struct tally_id_record **buckets = calloc(size, sizeof *buckets);
    struct tally_id_record **records =
        buckets ? realloc(ids->records, size * sizeof *records) : NULL;
    if (!records) {
        free(buckets);
        return false;
    }
    free(ids->buckets);
    ids->buckets = buckets;
    ids->records = records;
    ids->bucket_count = ids->capacity = size;
    for (size_t i = 0; i < ids->count; i++)
        link_in(ids, records[i]);
    return true;
}

/* One that was used as it should be is worth the least. */
static int64_t worth(void *arg, size_t index)
{
    const struct tally_ids *ids = arg;
    const struct tally_request_id *counts = &ids->records[index]->counts;
    return counts->repeated + counts->other_bodies;
}

/* The place of one that goes. */
static size_t drop(struct tally_ids *ids)
{
    size_t index = tally_choose(ids->count, &ids->hand, worth, ids);
    struct tally_id_record *record = ids->records[index];
    struct tally_id_record **place = bucket_of(ids, record->hash);
    while (*place != record)
        place = &(*place)->next;
    *place = record->next;
    free(record);
    ids->left_out++;
    return index;
}

/* NULL: out of memory. */
static struct tally_id_record *add(struct tally_ids *ids, const struct key *key)
{
    struct tally_id_record *record;
    if (ids->count < TALLY_IDS_MAX && ids->count == ids->capacity && !grow(ids))
        return NULL;
    record = calloc(1, sizeof *record + key->shown + 1);
    if (!record)
        return NULL;
    memcpy(record->text, key->text, key->shown);
    record->hash = key->hash;
    record->len = key->len;
    record->counts.operation = key->operation;
    record->counts.request_id = record->text;
    ids->records[ids->count < TALLY_IDS_MAX ? ids->count++ : drop(ids)] = record;
    link_in(ids, record);
    return record;
}

/* -- one request ------------------------------------------------------------------------------- */

static void begin(struct tally *tally, struct tally_id_record *record)
{
    unsigned epoch = atomic_load(&tally->epoch);
    if (record->epoch != epoch) { /* what it had made is gone */
        record->epoch = epoch;
        record->again = record->reused = record->has_body = false;
        tally->ids.total++;
        return;
    }
    tally->ids.repeated += !record->again;
    record->again = true;
    record->counts.repeated++;
}

/* Whether the body is another one than that which may have made something. */
static bool is_reuse(struct tally *tally, struct tally_id_record *record,
                     const struct tally_note *note)
{
    bool other = record->has_body && record->body != note->body;
    if (!record->has_body && !tally_refused(note)) {
        record->has_body = true;
        record->body = note->body;
    }
    if (!other)
        return false;
    tally->ids.reused += !record->reused;
    record->reused = true;
    record->counts.other_bodies++;
    return true;
}

uint64_t tally_ids_note(struct tally *tally, const struct tally_note *note)
{
    struct key key = key_of(note->operation, note->request_id);
    struct tally_id_record *record = find(&tally->ids, &key);
    if (!record)
        record = add(&tally->ids, &key);
    if (!record) {
        tally->ids.total++;
        tally->ids.left_out++;
        return 0;
    }
    bool answered = tally_arrived(note) && note->status < 300;
    begin(tally, record);
    record->counts.sent++;
    record->counts.made += answered && note->is_new;
    record->counts.known += answered && !note->is_new;
    record->counts.failed += !answered;
    return is_reuse(tally, record, note) ? finding_bit(FINDING_REQUEST_ID_REUSED) : 0;
}

/* -- all of them ------------------------------------------------------------------------------- */

static void merge_one(struct tally_ids *ids, const struct tally_id_record *from)
{
    const struct key key = {from->counts.operation, from->text, from->len,
                            from->len < TALLY_ID_SHOWN ? from->len : TALLY_ID_SHOWN, from->hash};
    struct tally_id_record *record = find(ids, &key);
    if (!record)
        record = add(ids, &key);
    if (!record) {
        ids->left_out++;
        return;
    }
    record->counts.sent += from->counts.sent;
    record->counts.repeated += from->counts.repeated;
    record->counts.made += from->counts.made;
    record->counts.known += from->counts.known;
    record->counts.failed += from->counts.failed;
    record->counts.other_bodies += from->counts.other_bodies;
}

void tally_ids_merge(struct tally *to, struct tally *from)
{
    const struct tally_ids *ids = &from->ids;
    to->ids.total += ids->total;
    to->ids.repeated += ids->repeated;
    to->ids.reused += ids->reused;
    to->ids.left_out += ids->left_out;
    for (size_t i = 0; i < ids->count; i++)
        merge_one(&to->ids, ids->records[i]);
}

void tally_ids_finish(struct tally_ids *ids)
{
    for (size_t i = 0; i < ids->count; i++)
        free(ids->records[i]);
    free(ids->records);
    free(ids->buckets);
}
