/*
 * What creations show beside each other but for their request_ids: retries, and addresses; and who
 * comes back before a Retry-After allows it (engine/tally.h). All of it under the tally's lock.
 */
#include "base/hash.h"
#include "engine/tally_internal.h"

#include <stdlib.h>
#include <string.h>

/* -- retries ----------------------------------------------------------------------------------- */

/* Whether it may or may not have been carried out, or is to be asked for again. */
static bool has_failed(const struct tally_note *note)
{
    return !tally_arrived(note) || note->status == 429 || note->status >= 500;
}

/* Whether `later` was sent after `earlier` had failed. That nobody was there any more to be
 * answered is seen late: then it is enough that it was sent later. */
static bool follows(const struct tally_creation *earlier, const struct tally_creation *later)
{
    return earlier->failed &&
           later->sent_at >= (earlier->arrived ? earlier->ended_at : earlier->sent_at);
}

static bool is_same(const struct tally_creation *a, const struct tally_creation *b)
{
    return a->operation == b->operation && a->body == b->body;
}

/* The one of before that goes with it as request and retry, whichever was over first; NULL. */
static struct tally_creation *find_other(struct tally_creations *creations,
                                         const struct tally_creation *own)
{
    for (size_t i = 0; i < TALLY_CREATIONS; i++) {
        struct tally_creation *other =
            &creations->ring[(creations->next + TALLY_CREATIONS - 1 - i) % TALLY_CREATIONS];
        if (other->operation && !other->matched && is_same(other, own) &&
            (follows(other, own) || (!own->arrived && follows(own, other))))
            return other;
    }
    return NULL;
}

static uint64_t note_retry(struct tally_creations *creations, const struct tally_note *note)
{
    struct tally_creation own = {
        .operation = note->operation,
        .body = note->body,
        .sent_at = note->sent_at,
        .ended_at = note->ended_at,
        .failed = has_failed(note),
        .arrived = tally_arrived(note),
    };
    struct tally_creation *other = find_other(creations, &own);
    if (other && follows(other, &own))
        other->matched = true;
    else
        own.matched = other != NULL;
    creations->ring[creations->next] = own;
    creations->next = (creations->next + 1) % TALLY_CREATIONS;
    return other ? finding_bit(FINDING_RETRY_WITHOUT_REQUEST_ID) : 0;
}

/* -- addresses --------------------------------------------------------------------------------- */

static struct tally_email_record *find_email(struct tally_creations *creations, const char *email,
                                             uint64_t hash)
{
    for (size_t i = 0; i < creations->email_count; i++) {
        struct tally_email_record *record = &creations->emails[i];
        if (record->hash == hash && strcmp(record->counts.email, email) == 0)
            return record;
    }
    return NULL;
}

/* NULL: there is no room. */
static struct tally_email_record *add_email(struct tally_creations *creations, const char *email,
                                            uint64_t hash)
{
    enum { FIRST = 4 };
    size_t count = creations->email_count;
    if (count == TALLY_EMAILS_MAX)
        return NULL;
    if (count == creations->email_capacity) {
        size_t capacity = count ? count * 2 : FIRST;
        struct tally_email_record *more =
            realloc(creations->emails, capacity * sizeof *creations->emails);
        if (!more)
            return NULL;
        creations->emails = more;
        creations->email_capacity = capacity;
    }
    char *copy = strdup(email);
    if (!copy)
        return NULL;
    struct tally_email_record *record = &creations->emails[creations->email_count++];
    *record = (struct tally_email_record){.hash = hash, .counts.email = copy};
    return record;
}

/* One that was refused may be nobody's. */
static void note_email(struct tally_creations *creations, const struct tally_note *note)
{
    if (!note->email || tally_refused(note))
        return;
    uint64_t hash = hash_bytes(note->email, strlen(note->email));
    struct tally_email_record *record = find_email(creations, note->email, hash);
    if (!record)
        record = add_email(creations, note->email, hash);
    if (!record)
        return;
    struct tally_email *counts = &record->counts;
    if (!note->magic_email) {
        counts->plain++;
        return;
    }
    if (!counts->magic_email) {
        counts->magic_email = strdup(note->magic_email);
        counts->first_at = note->at;
    }
    counts->magic += counts->magic_email != NULL;
    counts->last_at = note->at;
}

int64_t tally_emails_magic_only(const struct tally *tally)
{
    const struct tally_creations *creations = tally->creations;
    int64_t count = 0;
    for (size_t i = 0; creations && i < creations->email_count; i++)
        count += tally_email_is_magic_only(&creations->emails[i].counts);
    return count;
}

uint64_t tally_creations_note(struct tally *tally, const struct tally_note *note)
{
    if (!tally->creations)
        tally->creations = calloc(1, sizeof *tally->creations);
    if (!tally->creations)
        return 0;
    note_email(tally->creations, note);
    return note->request_id ? 0 : note_retry(tally->creations, note);
}

void tally_creations_forget(struct tally_creations *creations)
{
    for (size_t i = 0; i < creations->email_count; i++) {
        free((char *)creations->emails[i].counts.email);
        free((char *)creations->emails[i].counts.magic_email);
    }
    free(creations->emails);
    memset(creations, 0, sizeof *creations);
}

/* -- Retry-After ------------------------------------------------------------------------------- */

static struct tally_hold *find_hold(struct tally_holds *holds, const struct tally_note *note)
{
    for (size_t i = 0; i < TALLY_HOLDS; i++) {
        struct tally_hold *hold = &holds->all[i];
        if (hold->until && hold->operation == note->operation &&
            strncmp(hold->key, note->key, sizeof hold->key - 1) == 0)
            return hold;
    }
    return NULL;
}

static void set_hold(struct tally *tally, struct tally_hold *hold, const struct tally_note *note)
{
    int64_t until = note->ended_at + note->retry_after;
    if (!hold) {
        hold = &tally->holds->all[tally->holds->next];
        tally->holds->next = (tally->holds->next + 1) % TALLY_HOLDS;
        hold->until = 0;
        hold->operation = note->operation;
        memset(hold->key, 0, sizeof hold->key);
        memcpy(hold->key, note->key, strnlen(note->key, sizeof hold->key - 1));
    }
    hold->from = note->ended_at;
    if (hold->until < until)
        hold->until = until;
    if (atomic_load(&tally->held_until) < until)
        atomic_store(&tally->held_until, until);
}

uint64_t tally_holds_note(struct tally *tally, const struct tally_note *note, bool asks)
{
    if (!tally->holds)
        tally->holds = calloc(1, sizeof *tally->holds);
    if (!tally->holds)
        return 0;
    struct tally_hold *hold = find_hold(tally->holds, note);
    bool early = hold && note->sent_at >= hold->from && note->sent_at < hold->until;
    if (asks)
        set_hold(tally, hold, note);
    return early ? finding_bit(FINDING_RETRY_AFTER_IGNORED) : 0;
}
