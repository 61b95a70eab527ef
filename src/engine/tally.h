/*
 * What is remembered of a workspace's requests when the journal has long forgotten them: how often
 * each outcome was answered, what was found wrong with the client (engine/finding.h), how its
 * request_ids were used and how its jobs were polled.
 *
 * A workspace has one from its beginning to its end, where there is a journal. What counts "ever"
 * outlives resets; what counts "now" begins anew at each. When the workspace ends, its tally is
 * merged into that of its run (engine/runs.h). Everything is bounded; what there was no room for is
 * counted.
 *
 * Noting a read takes no lock: threads count for themselves, and a job that is known is found
 * without one. Noting what creates takes the tally's lock for a moment. All functions: any thread.
 */
#ifndef UNDERSTUDY_ENGINE_TALLY_H
#define UNDERSTUDY_ENGINE_TALLY_H

#include "base/email.h"
#include "base/id.h"
#include "engine/finding.h"
#include "engine/journal.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    TALLY_OUTCOMES_MAX = 512, /* numbers of outcomes; the caller's, control/outcome_of.h */
    TALLY_UNLISTED_MAX = 64,  /* pairs of an operation and a status that are no outcome */
    TALLY_JOBS_MAX = 10000,   /* that are told one by one, of a workspace or a run */
    TALLY_IDS_MAX = 10000,    /* request_ids, likewise */
    TALLY_ID_SHOWN = 200,     /* bytes of one that are kept, at most */
    TALLY_EMAILS_MAX = 1000,  /* addresses, since the last reset */
};

struct tally;

struct tally *tally_create(void);        /* NULL: out of memory */
void tally_destroy(struct tally *tally); /* NULL is fine */

/* -- counting ---------------------------------------------------------------------------------- */

enum tally_kind {
    TALLY_OTHER,
    TALLY_POLL,   /* a GET of a job */
    TALLY_CANCEL, /* its DELETE */
    TALLY_CREATE, /* what takes a request_id: a job or a session */
};

/* A request to one of the APIs that is over. */
struct tally_note {
    enum tally_kind kind;
    int outcome;           /* the number of its answer's; -1: none that is listed */
    const char *operation; /* static; NULL: of none */
    int status;            /* of the answer; 0: there was none */
    enum journal_end end;
    int64_t sent_at, ended_at; /* real ms */
    int64_t at;                /* when it began, on the workspace's clock */
    const char *key;           /* the last characters of its API key; "" */
    int64_t retry_after;       /* ms, that its answer asks for; 0: it does not */

    const char *job; /* that it is about, or that its answer is; "" */
    bool shows_end;  /* the answer is a job that has ended */

    /* TALLY_CREATE only. */
    bool is_new;             /* its answer says so */
    uint64_t body;           /* a hash of the body: the same for what differs in white space only */
    const char *request_id;  /* NULL: none */
    const char *email;       /* folded, without its magic tags; NULL: none */
    const char *magic_email; /* folded, with them; NULL: it has none */
};

/*
 * Counts a request. What it shows about the client together with those before it comes back as a
 * set of findings, which is counted by tally_find() only: those of time (polled_fast,
 * polled_after_end, retry_after_ignored) are the caller's to take out where they make no sense.
 */
uint64_t tally_note(struct tally *tally, const struct tally_note *note);

/* Counts each of the findings once, but for those that are ignored; the others come back. */
uint64_t tally_find(struct tally *tally, uint64_t findings);

/* From now on these are not to be found (settings.lint.ignore). */
void tally_ignore(struct tally *tally, uint64_t findings);

/* A job has ended; so a client may be expected to learn of it. */
void tally_job_ended(struct tally *tally, const char *job);

/* An attempt at a job's callback was answered with 2xx; or was blocked, which is counted as found.
 */
void tally_called_back(struct tally *tally, const char *job);
void tally_callback_blocked(struct tally *tally, const char *job);

/* Ends what counts now: what was found wrong with it (job_abandoned, magic_email_only) is counted
 * for ever. */
void tally_reset(struct tally *tally);

/* -- reading ----------------------------------------------------------------------------------- */

struct tally_unlisted {
    const char *operation; /* static; NULL: of none */
    int status;            /* 0: no answer */
    int64_t count;
};

/* Ever. */
struct tally_counts {
    int64_t requests; /* all */
    int64_t outcomes[TALLY_OUTCOMES_MAX];
    struct tally_unlisted unlisted[TALLY_UNLISTED_MAX];
    size_t unlisted_count;
    int64_t unlisted_others; /* requests there was no row for */
    int64_t findings[FINDINGS];
    struct {
        int64_t total;    /* that were sent, each counted once a reset */
        int64_t repeated; /* of these, more than once */
        int64_t reused;   /* with another body */
        int64_t left_out; /* are not told one by one any more */
    } ids;
    struct {
        int64_t jobs; /* that requests have made or polled, each counted once a reset */
        int64_t polls, after_end;
        int64_t left_out; /* as above */
    } polling;
};

/* What is found since the last reset, and would be counted if it came now, is not among them. */
void tally_counts(struct tally *tally, struct tally_counts *ret_counts);

/* How a job was polled. Real times in ms. */
struct tally_job {
    char job[ID_HEX_SIZE];
    int64_t polls;             /* GETs of it that were answered with it */
    int64_t after_end;         /* of these, those after one had shown its end */
    int64_t shortest;          /* between two of them; -1: fewer than two */
    int64_t first_at, last_at; /* of the polls; 0: none */

    /* As it was when it was last seen. */
    bool now;              /* which was since the last reset */
    bool made;             /* a request was answered with it as what it had made */
    int64_t made_at;       /* when that came, on the workspace's clock; -1 */
    bool ended;            /* it has */
    bool end_seen;         /* an answer has shown it */
    bool called_back;      /* a callback of it was answered with 2xx */
    bool callback_blocked; /* one was blocked */
};

/* Whether it has ended since the last reset and nobody has learned of it: job_abandoned. */
bool tally_job_is_abandoned(const struct tally_job *job);

/* How a request_id was used. */
struct tally_request_id {
    const char *operation;  /* static: createScenarioJob or createScenarioStudioSession */
    const char *request_id; /* its first TALLY_ID_SHOWN bytes */
    int64_t sent;           /* requests with it */
    int64_t repeated;       /* of these, those that were not the first since a reset */
    int64_t made;           /* that were answered with something new */
    int64_t known;          /* that were answered with what was there */
    int64_t failed;         /* that were answered with an error, or not at all */
    int64_t other_bodies;   /* that differed from the first in more than white space */
};

/* An address that creations had, since the last reset. */
struct tally_email {
    const char *email;         /* folded, without magic tags */
    const char *magic_email;   /* with them, as it first came; NULL: it never had any */
    int64_t plain, magic;      /* creations without and with them */
    int64_t first_at, last_at; /* on the workspace's clock, of those with */
};

/* Whether it is one that was only ever sent with a tag: magic_email_only. */
bool tally_email_is_magic_only(const struct tally_email *email);

/* Each calls `visit` with all that are kept, in the order in which they came, under the tally's
 * lock: it copies what it is to keep, and calls nothing of these. */
void tally_each_job(struct tally *tally, void (*visit)(const struct tally_job *job, void *arg),
                    void *arg);
void tally_each_request_id(struct tally *tally,
                           void (*visit)(const struct tally_request_id *id, void *arg), void *arg);
void tally_each_email(struct tally *tally,
                      void (*visit)(const struct tally_email *email, void *arg), void *arg);

/*
 * Adds all that `from` has counted to `to`, what it has now as if it had ended: `from` stays as it
 * is. What there is no memory for is counted as left out. Nobody merges the other way round
 * meanwhile.
 */
void tally_merge(struct tally *to, struct tally *from);

#endif
