/* Inside a tally: what its files share (engine/tally.h). */
#ifndef UNDERSTUDY_ENGINE_TALLY_INTERNAL_H
#define UNDERSTUDY_ENGINE_TALLY_INTERNAL_H

#include "engine/tally.h"

#include <pthread.h>
#include <stdatomic.h>

/* -- jobs (tally_jobs.c) ----------------------------------------------------------------------- */

/* What is known of a job's end and making. */
enum tally_job_flag {
    TALLY_JOB_COUNTED = 1, /* among the jobs that requests made or polled */
    TALLY_JOB_MADE = 2,
    TALLY_JOB_ENDED = 4,
    TALLY_JOB_END_SEEN = 8,
    TALLY_JOB_CALLED_BACK = 16,
    TALLY_JOB_BLOCKED = 32,
};

enum { TALLY_JOB_WORDS = 2 };

/*
 * Read, and counted in, without the lock. It is made, linked and given to another job under it, and
 * never freed before the tally is: who looks at one that has just become another job's counts for
 * that one, which does no harm. What each poll writes stands apart from what each poll looks at.
 */
struct tally_job_record {
    _Alignas(64) _Atomic(struct tally_job_record *) next; /* in its bucket */
    atomic_ullong id[TALLY_JOB_WORDS];                    /* its characters, and zeros */
    atomic_uint epoch;                                    /* in which it was last seen */
    atomic_uint flags;                                    /* as of then */
    atomic_llong shortest;                                /* ever; INT64_MAX: none */
    atomic_llong first_at, made_at;                       /* made_at as of then: -1 */
    _Alignas(64) atomic_llong polls;                      /* ever, */
    atomic_llong after_end;                               /* too */
    atomic_llong last_at;                                 /* as of then: 0 */
};

struct tally_job_table {
    size_t mask;
    struct tally_job_table *smaller; /* which it took the place of */
    _Atomic(struct tally_job_record *) buckets[];
};

struct tally_jobs {
    atomic_llong counted;
    struct tally_job_record **records; /* in the order in which they came; from here on under the
                                          lock */
    size_t count, capacity, hand;
    int64_t left_out, polls, after_end; /* of those that are left out */
};

/* Counts a poll; what it shows. */
uint64_t tally_jobs_poll(struct tally *tally, const struct tally_note *note);

/* Notes flags of a job; `made_at` counts where it is being made. */
void tally_jobs_mark(struct tally *tally, const char *job, unsigned flags, int64_t made_at);

/* The rest under the lock. How many are abandoned. */
int64_t tally_jobs_abandoned(struct tally *tally);
void tally_jobs_read(struct tally *tally, size_t index, struct tally_job *ret_job);
void tally_jobs_count(struct tally *tally, struct tally_counts *counts);
void tally_jobs_merge(struct tally *to, struct tally *from);
void tally_jobs_finish(struct tally *tally);

/* -- request_ids (tally_ids.c) ----------------------------------------------------------------- */

struct tally_id_record {
    struct tally_id_record *next; /* in its bucket */
    uint64_t hash;
    size_t len; /* of the whole text */
    unsigned epoch;
    bool again, reused; /* it was sent more than once in that epoch, with another body */
    bool has_body;      /* that others are held against */
    uint64_t body;
    struct tally_request_id counts;
    char text[];
};

struct tally_ids {
    struct tally_id_record **buckets;
    size_t bucket_count;
    struct tally_id_record **records; /* in the order in which they came */
    size_t count, capacity, hand;
    int64_t total, repeated, reused, left_out;
};

/* All under the lock. */
uint64_t tally_ids_note(struct tally *tally, const struct tally_note *note);
void tally_ids_merge(struct tally *to, struct tally *from);
void tally_ids_finish(struct tally_ids *ids);

/* -- creations (tally_creations.c) ------------------------------------------------------------- */

enum {
    TALLY_CREATIONS = 64, /* without request_id, that a retry is looked for among */
    TALLY_HOLDS = 32,     /* answers with a Retry-After whose time has not come */
    TALLY_KEY_SIZE = 5,
};

struct tally_creation {
    const char *operation; /* NULL: there is none */
    uint64_t body;
    int64_t sent_at, ended_at;
    bool failed, arrived;
    bool matched; /* with its retry */
};

struct tally_hold {
    const char *operation; /* NULL: there is none */
    char key[TALLY_KEY_SIZE];
    int64_t from, until; /* real ms */
};

struct tally_email_record {
    uint64_t hash;
    struct tally_email counts; /* its texts are the record's own */
};

struct tally_creations {
    struct tally_creation ring[TALLY_CREATIONS];
    size_t next;
    struct tally_email_record *emails;
    size_t email_count, email_capacity;
};

struct tally_holds {
    struct tally_hold all[TALLY_HOLDS];
    size_t next;
};

/* All under the lock. */
uint64_t tally_creations_note(struct tally *tally, const struct tally_note *note);
uint64_t tally_holds_note(struct tally *tally, const struct tally_note *note, bool asks);
int64_t tally_emails_magic_only(const struct tally *tally);
void tally_creations_forget(struct tally_creations *creations);

/* -- the whole --------------------------------------------------------------------------------- */

enum {
    TALLY_PARTS = 16, /* more threads than these share */
    TALLY_PAGE = 64,  /* counters in one */
    TALLY_PAGES = (TALLY_OUTCOMES_MAX + FINDINGS + TALLY_PAGE - 1) / TALLY_PAGE,
};

struct tally_page {
    _Alignas(64) atomic_llong counters[TALLY_PAGE];
};

/* Of outcomes, and after them of findings; a page is there once something was counted in it. */
struct tally_part {
    _Alignas(64) _Atomic(struct tally_page *) pages[TALLY_PAGES];
};

/* Added under the lock, counted without. */
struct tally_unlisted_row {
    const char *operation;
    int status;
    atomic_llong count;
};

struct tally {
    /* What each request looks at, in one place. */
    _Alignas(64) atomic_uint epoch;              /* resets, from 1: what has another is of before */
    atomic_ullong ignored;                       /* findings */
    atomic_llong held_until;                     /* real ms: no Retry-After lasts longer */
    _Atomic(struct tally_job_table *) job_table; /* NULL: there is no job */
    _Atomic(struct tally_part *) parts[TALLY_PARTS];

    _Alignas(64) struct tally_jobs jobs;
    atomic_size_t unlisted_count;
    atomic_llong unlisted_others;
    struct tally_unlisted_row unlisted[TALLY_UNLISTED_MAX];
    pthread_mutex_t lock; /* of all below, and of what is said above */
    struct tally_ids ids;
    struct tally_creations *creations; /* NULL: there were none */
    struct tally_holds *holds;         /* likewise */
};

/* Whether the answer came whole. */
static inline bool tally_arrived(const struct tally_note *note)
{
    return note->end == JOURNAL_ANSWERED || note->end == JOURNAL_DRIPPED;
}

/* Whether it says that nothing was done. */
static inline bool tally_refused(const struct tally_note *note)
{
    return tally_arrived(note) && note->status >= 400 && note->status < 500;
}

/*
 * Which of `count` records that stand in a ring goes for another one: of some from the hand on, the
 * one of least worth, which the caller tells. Moves the hand on.
 */
size_t tally_choose(size_t count, size_t *io_hand, int64_t (*worth)(void *arg, size_t index),
                    void *arg);

#endif
