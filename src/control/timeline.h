/*
 * What happened in a workspace, or to one of its jobs, as one ordered list: the requests and
 * control writes of the journal, hits of rules, faults, transitions of jobs, deliveries and
 * attempts at them. It is put together when somebody asks, from what is there: of what the journal
 * does not know, because the server was started since, the store's rows are shown all the same.
 *
 * The order is that of the workspace's clock. At one instant, which on a clock that stands may be
 * all there is, a cause comes before what it brings about: a job's making after its request, its
 * cancellation after the DELETE, a rule after the request that it acted on, an attempt after its
 * delivery; and else what was sent earlier, in real time, comes first. Where a timer moved a job at
 * the very instant of requests about it, what these were answered tells what came before what.
 *
 *     timeline_window.c   the items, of which as many are kept as are shown
 *     timeline_place.c    what the journal tells of each job, and so where its transitions belong
 *     timeline_gather.c   where the items come from
 *     timeline_words.c    each of them, as JSON and in words (…_job_words.c, …_rule_words.c)
 *     timeline_page.c     the whole, as JSON and as a page of text
 *
 * HTTP threads.
 */
#ifndef UNDERSTUDY_CONTROL_TIMELINE_H
#define UNDERSTUDY_CONTROL_TIMELINE_H

#include "base/buf.h"
#include "control/list.h"
#include "control/outcome_of.h"
#include "engine/journal.h"
#include "engine/rule_set.h"
#include "engine/workspace.h"
#include "http/request.h"
#include "store/attempt.h"
#include "store/delivery_list.h"
#include "store/job_list.h"

/* -- order -------------------------------------------------------------------------------------
 */

/* What comes first of a request and what it brings about. */
enum timeline_rank {
    RANK_REQUEST, /* or a control write */
    RANK_RULE,
    RANK_CAUSED, /* the transition that it brings about itself */
    RANK_FAULT,
    RANK_TIMED, /* those that time does, from then on */
    RANK_DELIVERY,
    RANK_ATTEMPT,
};

/* A place, compared member by member. */
struct timeline_key {
    int64_t at;     /* of the workspace's clock */
    int64_t sent;   /* real ms; 0: not known, so it goes before what is */
    int64_t number; /* of the entry of the journal that it belongs to; 0: none */
    enum timeline_rank rank;
    int64_t serial; /* among equals */
};

/* Rank and serial as one number, for cursors. */
int64_t timeline_step_number(const struct timeline_key *key);
void timeline_set_step(struct timeline_key *key, int64_t number);

int timeline_compare(const struct timeline_key *a, const struct timeline_key *b);

struct timeline_item {
    struct timeline_key key;
    int64_t order;    /* among the equal */
    const char *kind; /* static */
    char *json;       /* its members behind `kind`, each with a comma before it; or NULL */
    char *words;
};

/* The first items behind a place, as many as are asked for and one more. Zeroes are fine to finish.
 */
struct timeline_window {
    struct timeline_key after;
    bool has_after;
    bool is_text; /* no JSON is wanted */
    size_t limit;
    struct timeline_item *items;
    size_t count, capacity;
    struct timeline_key bound; /* what is behind that is not wanted any more */
    bool has_bound;
    int64_t added;
    bool failed; /* for want of memory */
};

/* Whether it may be shown: to be asked before an item is put into words. */
bool timeline_wants(const struct timeline_window *window, const struct timeline_key *key);

/* Adds one; takes over both buffers. */
void timeline_add(struct timeline_window *window, const struct timeline_key *key, const char *kind,
                  struct buf *json, struct buf *words);

/* Puts them in order; true: there are more than the limit, of which the rest are gone. */
bool timeline_end(struct timeline_window *window);
void timeline_finish(struct timeline_window *window);

/* -- what is looked at -------------------------------------------------------------------------
 */

/* An entry of the journal that is about a job. */
struct timeline_touch {
    const struct journal_entry *entry;
    int shown; /* the state that its answer shows, enum job_status; -1: it shows none */
};

struct timeline {
    struct request *request;
    struct workspace *workspace;
    struct db *db;
    struct cursor since, now;
    int64_t begun_at;      /* real ms */
    const struct job *job; /* whose it is; NULL: the workspace's */
    const struct job_input *input;
    struct timeline_window window;

    struct journal_entry **entries; /* by their numbers */
    size_t entry_count;
    bool *chosen;                         /* for each: it is part of this */
    bool *ruled;                          /* for each: its rule has told of it */
    const struct journal_entry **by_turn; /* those of requests, in the order in which they began */

    size_t turns;
    struct timeline_touch *touches; /* by their jobs, then as they were sent */
    size_t touch_count;
    struct rule_set *rules; /* NULL: there are none */
    struct journal_loss lost;

    struct timeline_key
        seen; /* the last of what `since` has seen; zeroes: nothing is known of it */
    bool has_since;
    int64_t request_count, job_counts[JOB_STATUSES]; /* of all that there are */
    int64_t first_at, last_at;                       /* of the job, and of requests about it */
    bool has_maker; /* likewise: the request that made it is in the journal */
};

/* The key of an entry. */
struct timeline_key timeline_entry_key(const struct journal_entry *entry);

/* Reads the journal: the entries, and what they say of jobs. Zeroes are fine to finish; an error of
 * memory's. */
int timeline_read_journal(struct timeline *timeline);
void timeline_finish_journal(struct timeline *timeline);

/* Those about a job, in the order in which they were sent. */
const struct timeline_touch *timeline_touches(const struct timeline *timeline, const char *job,
                                              size_t *ret_count);

/* A state that a job has come to. */
struct timeline_step {
    const char *from; /* NULL: it was made */
    enum job_status to;
    int64_t at;
    const char *cause;                 /* NULL: not known */
    const struct journal_entry *entry; /* that brought it about; NULL: none that is known */
    struct timeline_key key;
};
enum { TIMELINE_STEPS_MAX = 3 };

/* The steps of a job; how many. */
size_t timeline_steps(const struct timeline *timeline, const struct job *job,
                      struct timeline_step ret_steps[TIMELINE_STEPS_MAX]);

/* Whether the entry is a control write about this delivery. */
bool timeline_is_about(const struct journal_entry *entry, const char *delivery);

/* Puts all of it into the window. 0 or an error. */
int timeline_gather(struct timeline *timeline);

/* -- in words ----------------------------------------------------------------------------------
 */

/*
 * Text of anybody's, on one line: white space and control characters are blanks, what is no UTF-8
 * is taken for Latin-1, and what would turn the line around is left out. Of more than `max`
 * characters, the beginning and an ellipsis. API keys are blotted out.
 */
void timeline_put_plain(struct buf *out, const char *text, size_t max);

/* "12ms", "2.5s", "4m50s", "76h", "3d4h". */
void timeline_put_span(struct buf *out, int64_t ms);

/* Members of an object, each with a comma before it; "", 0 and -1 are null. API keys are blotted
 * out of texts. */
void timeline_put_text(struct buf *out, const char *name, const char *text);
void timeline_put_number(struct buf *out, const char *name, int64_t number);
void timeline_put_time(struct buf *out, const char *name, int64_t at);

/* "[17] ", of what belongs to a request; nothing, where it does not, or that is not known. */
void timeline_put_turn(struct buf *out, const struct journal_entry *entry);

/* A rule by its id and label. */
void timeline_put_rule(struct buf *out, const struct timeline *timeline, const char *id);

/* Why a step was made, in brackets behind the words; nothing where that is plain, or not known. */
struct timeline_tell;
void timeline_put_why(struct timeline_tell *tell, const struct job *job,
                      const struct timeline_step *step, const struct plan_row *planned);

/* Each appends the members of an item behind `kind`, and its words. */
struct timeline_tell {
    const struct timeline *timeline;
    struct buf json, words;
};

void timeline_tell_request(struct timeline_tell *tell, size_t index);
void timeline_tell_fault(struct timeline_tell *tell, const struct journal_entry *entry);
void timeline_tell_control(struct timeline_tell *tell, const struct journal_entry *entry);
void timeline_tell_rule(struct timeline_tell *tell, const char *id, const struct rule *rule,
                        const struct journal_entry *entry, const char *job);
void timeline_tell_step(struct timeline_tell *tell, const struct job *job,
                        const struct timeline_step *steps, size_t index,
                        const struct plan_row *planned);
void timeline_tell_delivery(struct timeline_tell *tell, const struct delivery_item *item);
void timeline_tell_attempt(struct timeline_tell *tell, const struct delivery *delivery,
                           const struct attempt_row *attempt);

/* Answers with what is in the window, which is in order; `more`: the limit cut it. */
void timeline_answer(struct timeline *timeline, bool more);

#endif
