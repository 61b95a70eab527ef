/*
 * The journal of a workspace: every request that came to it and what it was answered, in memory.
 *
 * An entry is made whole, added once and never changed. Each thread adds to a part of the journal
 * of its own, so that those who answer requests do not wait for each other; whoever reads takes the
 * parts together, in the order of their numbers. Where there is no room, the oldest goes: of a
 * workspace beyond its own bounds; beyond the bound of all together, of the workspace that has the
 * most.
 */
#ifndef UNDERSTUDY_ENGINE_JOURNAL_H
#define UNDERSTUDY_ENGINE_JOURNAL_H

#include "base/id.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    JOURNAL_ENTRIES_MAX = 10000,          /* of a workspace */
    JOURNAL_BYTES_MAX = 64 * 1024 * 1024, /* likewise */
    JOURNAL_BODY_MAX = 64 * 1024,         /* bytes of a body that are kept */
};

/* How a request ended. */
enum journal_end {
    JOURNAL_ANSWERED,
    JOURNAL_TRUNCATED, /* the faults of rules: the answer was cut, … */
    JOURNAL_DRIPPED,
    JOURNAL_DROPPED, /* there was none, and the connection was reset */
    JOURNAL_HUNG,
    JOURNAL_GARBAGE,
    JOURNAL_LEFT, /* its client left, or sent so much that the connection was closed */
};
enum { JOURNAL_ENDS = JOURNAL_LEFT + 1 };
extern const char *const journal_end_names[JOURNAL_ENDS + 1]; /* a NULL ends them */

struct journal_text {
    const char *data; /* NUL-terminated; NULL: there is none */
    size_t len;       /* kept */
    size_t whole;     /* bytes that there were */
};

/* Names and values one after the other, each with its NUL: journal_next_header(). */
struct journal_entry {
    atomic_int references; /* what is looked at when it goes stands in one cache line */
    bool is_control;       /* it wrote through the control plane; then it has no texts */
    size_t size;           /* in memory */
    int64_t number;  /* of the workspace's, in the order of their ends; set when it is added */
    int64_t request; /* the how manieth that began; 0: of no workspace */
    /* When it began, on the workspace's clock, or when it ended, where it has turned that back; -1:
       it has none. */
    int64_t at;
    int64_t sent_at, duration; /* real ms */
    int64_t connection;        /* the how manieth of the server */
    enum journal_end end;
    int status;                  /* of the answer; 0: none */
    int operation;               /* rule_operation(); -1: none of theirs */
    short outcome;               /* its number (control/outcome_of.h); -1: none that is listed */
    const char *operation_id;    /* static; NULL: no route */
    const char *method, *target; /* as sent */
    const char *path;            /* without prefix and query */
    const char *id;              /* the request's, X-Request-Id */
    uint64_t findings;           /* about its client (engine/finding.h), bits */
    char job[ID_HEX_SIZE];       /* that it made, or was about; "" */
    char rule[ID_HEX_SIZE];      /* that acted on its answer; "" */
    char key[5];                 /* the last four characters of its API key; "" */
    const char *caller;          /* of a control write: who it was (control/access.h), static */
    int64_t clock;               /* likewise: what the workspace's clock showed at its end */
    struct journal_text headers, body, answer_headers, answer;
    char bytes[];
};

struct journal;

/* All journals of a server and their common bound; `memory` 0: nothing is journaled. NULL: out of
 * memory. */
struct journals *journals_create(size_t memory, unsigned threads);
void journals_destroy(struct journals *journals); /* after the last journal; NULL is fine */
bool journals_are_on(const struct journals *journals);
size_t journals_bytes(const struct journals *journals); /* but for some KiB */

/* What all of their entries take, to the byte; and how many requests went for want of room, those
 * of deleted workspaces included. Any thread. */
struct journals_totals {
    int64_t bytes, evicted;
};
void journals_read_totals(struct journals *journals, struct journals_totals *ret_totals);

/* A workspace's, which owns it; NULL: out of memory. NULL is fine to destroy. Any thread. */
struct journal *journal_create(struct journals *journals);
void journal_destroy(struct journal *journal);

/*
 * A new entry, with `texts` copied into it: what points to text in `from` is copied, the rest as it
 * is. Bodies are cut at JOURNAL_BODY_MAX. NULL: out of memory. It has one reference, which
 * journal_add() takes over. Any thread.
 */
struct journal_entry *journal_entry_create(const struct journal_entry *from);
struct journal_entry *journal_entry_hold(struct journal_entry *entry);
void journal_entry_release(struct journal_entry *entry); /* NULL is fine */

/* Adds it; from then on it can be read. Any thread. */
void journal_add(struct journal *journal, struct journal_entry *entry);

/*
 * The same while the counter is `value`; else the entry is released, and false. Who changes the
 * counter and clears the journal then clears all that were added with another value. NULL: always.
 */
bool journal_add_while(struct journal *journal, struct journal_entry *entry,
                       const atomic_llong *counter, long long value);

/* How many were ever added: the number of the newest. Any thread. */
int64_t journal_newest(const struct journal *journal);

/* How many requests to the APIs are gone for want of room, and the number of the newest of them; 0:
 * none. What was cleared, and what was lost before that, does not count. */
struct journal_loss {
    int64_t count, newest;
};
struct journal_loss journal_evicted(struct journal *journal);

/* The number of the newest when it was last cleared; 0: never. Any thread. */
int64_t journal_cleared(const struct journal *journal);

/*
 * The entries that are there, or those with numbers in (after, until], oldest first, with a
 * reference each, in *ret_entries to be let go of by journal_release_all(). False: out of memory.
 * Any thread.
 */
bool journal_read(struct journal *journal, int64_t after, int64_t until,
                  struct journal_entry ***ret_entries, size_t *ret_count);
void journal_release_all(struct journal_entry **entries, size_t count);

/* The entry of that number, with a reference; NULL: it is not there. Any thread. */
struct journal_entry *journal_find(struct journal *journal, int64_t number);

/* Forgets all that is there, and what was evicted: nothing is missing from what then comes. How
 * many requests to the APIs were there. Any thread. */
size_t journal_clear(struct journal *journal);

/* The next header of a text of them; `*io_at` begins at 0. False: there is none. */
bool journal_next_header(const struct journal_text *headers, size_t *io_at, const char **ret_name,
                         const char **ret_value);

/* The first value of that name, compared without case; NULL. */
const char *journal_header(const struct journal_text *headers, const char *name);

#endif
