/*
 * verifyRequests: whether the client under test sent what a test expects, or, where it did not,
 * what came nearest to it. In parts: what is asked (verify_read.c), what is known of the requests
 * that came (verify_known.c), the nearest ones (verify_nearest.c), whether every rule was used
 * (verify_rules.c), and what is common to all answers (verify_view.c). HTTP threads.
 */
#ifndef UNDERSTUDY_CONTROL_VERIFY_H
#define UNDERSTUDY_CONTROL_VERIFY_H

#include "base/buf.h"
#include "control/cursor.h"
#include "control/request_differ.h"
#include "control/wait.h"

enum {
    VERIFY_STEPS_MAX = 64,        /* of an order: bits of a word */
    VERIFY_SHOWN_MAX = 100,       /* requests of an answer */
    VERIFY_WITNESSES_MAX = 20000, /* that are remembered of an order; twice what a journal has */
};

/* A request that fits, or may. They are put in the order in which they were sent. */
struct witness {
    int64_t number, sent_at;
    uint64_t steps, unsure_steps; /* of the order, that it fits, and that it may fit */
    bool is_shown;                /* among those of the answer */
};

struct verify {
    struct control_wait wait;
    struct journal *journal;
    int64_t workspace; /* its key in the store */

    /* What is asked. */
    struct request_filter filter;
    struct request_filter *steps; /* of the order */
    size_t step_count;
    int64_t min, max; /* max -1: no limit */
    bool is_exact;    /* min and max were given as a count */
    bool rules;       /* whether every rule was used, and nothing else */
    struct cursor since;

    /* What is known: of the requests after `since`, or the last deletion of all, up to `until`. */
    int64_t until, cleared;
    int64_t considered, matched;
    int64_t unsure, first_unsure; /* that may fit, but it is not known; the first one's number */
    int64_t lost;                 /* of which nothing is known, for want of room; at most so many */
    struct witness *witnesses;
    size_t witness_count, witness_capacity, shown;
};

/* -- verify_read.c -------------------------------------------------------------------------------
 */

/* Reads the body. False: the request was answered (C2). */
bool verify_read(struct request *request, struct verify *verify);

/* -- verify_known.c ------------------------------------------------------------------------------
 */

/* Looks at what came since the last look. 0 or an error. */
int verify_learn(struct verify *verify, struct db *db);

/* What follows from what is known. */
struct verdict {
    bool is_so;
    bool is_over;    /* it is not, and what comes cannot change that, or not certainly */
    bool is_unknown; /* it may be so: what is lost, or was cut, could tell */
    bool too_many;
    size_t reached;                  /* steps of the order, in those that certainly fit */
    const struct witness *last;      /* the request that is the last of them; NULL */
    int64_t steps[VERIFY_STEPS_MAX]; /* the numbers of the requests that are these steps */
};
void verify_judge(struct verify *verify, struct verdict *ret_verdict);

/* -- verify_nearest.c ----------------------------------------------------------------------------
 */

/* What requests are near to: all of these filters. */
struct verify_target {
    struct journal *journal;
    int64_t workspace;
    int64_t after; /* requests up to this number are not looked at */
    const struct request_filter *filters[2];
    const char *match[2], *own[2]; /* in front of their fields' names */
    size_t count;
    const struct rule *rule; /* it should be used; NULL */

    /* Where it should be the next step of an order, or NULL: */
    const char *step;
    uint64_t step_bit;
    const struct witness *last;      /* it should come after this one; NULL */
    const struct witness *witnesses; /* these are all that are such a step */
    size_t witness_count;
};

/*
 * Appends the nearest requests that are not so, as `[{request, differs}, …]`: the fewest differing
 * fields first, then near texts before far ones, then the newest; and the same in words. How many
 * there are, at most three, in *ret_count. 0 or an error.
 */
int verify_put_nearest(struct request *request, const struct verify_target *target, struct db *db,
                       struct buf *items, struct buf *lines, size_t *ret_count);

/* -- verify_rules.c ------------------------------------------------------------------------------
 */

/* A wait's look and refuse, of whether every rule was used. */
enum wait_look verify_look_at_rules(struct request *request, struct control_wait *self);
void verify_refuse_rules(struct request *request, struct control_wait *self);

/* -- verify_view.c -------------------------------------------------------------------------------
 */

/* Requests that belong to no workspace since the last one before the cursor. */
struct unattributed {
    int64_t count, keyless;
    int64_t keyed;
    size_t keys; /* different ones, of which the first are in `key` */
    char key[3][5];
};
void verify_count_unattributed(struct request *request, const struct verify *verify,
                               struct unattributed *ret);

/* "; 3 came with an unknown key …3f9a" */
void verify_put_unattributed(struct buf *out, const struct unattributed *unattributed);

/* "; 2 requests are not answered yet": those were not looked at. Nothing where there are none. */
void verify_put_unanswered(struct buf *out, int unanswered);

/* `"considered":…,"unattributed":…,"cursor":…` */
int verify_put_sums(struct request *request, const struct verify *verify, int64_t unattributed,
                    struct db *db, struct buf *out);

/* What an answer says, put together piece by piece. */
struct verify_refusal {
    const char *name;
    struct buf detail, hint, members, lines;
};

/* Adds the first of the nearest requests to the detail, where its lines are not shown anyway. */
void verify_tell_first(struct request *request, struct verify_refusal *refusal);

/* Answers 409 with it, API keys blotted out, or that it failed, by `status`; and frees it. */
void verify_refuse(struct request *request, int status, struct verify_refusal *refusal);

#endif
