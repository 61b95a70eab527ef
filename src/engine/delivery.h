/*
 * Deliveries: the callbacks that ended jobs owe (S25), from the outbox row that the last transition
 * writes to an end of their own. An attempt begins when its time has come on the workspace's clock,
 * as a timer of the workspace (engine/timers.h): the row gets a number, by which the sender finds
 * what it is to send (engine/sender.h). What came of it is written by a delivery_end, which says
 * how the delivery goes on.
 *
 *     pending ──┬─→ delivered          a 2xx
 *     held ─────┤   retrying ─→ …      another try is to come
 *     retrying ─┘   exhausted          none is
 *                   gone               410
 *                   blocked            may not go there; never tried again
 *     dropped                          a rule says so, from the beginning
 */
#ifndef UNDERSTUDY_ENGINE_DELIVERY_H
#define UNDERSTUDY_ENGINE_DELIVERY_H

#include "engine/engine.h"
#include "store/attempt.h"
#include "store/delivery.h"
#include "store/job.h"

/* "pending", "held", … */
extern const char *const delivery_status_names[DELIVERY_STATUSES + 1]; /* a NULL ends them */

/* Whether nothing more comes of it by itself. */
bool delivery_has_ended(enum delivery_status status);

/* -- in a transaction; the writer's thread ----------------------------------------------------- */

/* Owes the callback of a job that has just ended at `at`, which may be none, or several, as
 * settings and rules say. *io_due is lowered to the earliest timer that this sets. */
int delivery_owe(struct db *db, struct workspace *workspace, const struct job *job, int64_t at,
                 int64_t *io_due);

/* An attempt begins: it is the sender's from the commit on. `by_hand`: somebody asked for it. */
int delivery_begin(struct db *db, struct delivery *delivery, bool by_hand);

/*
 * How a delivery goes on after an attempt that ended at `now`, all but its bytes. `wait` is what
 * its schedule has before the next try (-1: there is none); `retry_after`, what the receiver asks
 * for
 * (-1: nothing), counts up to an hour. One by hand leaves it as it was, unless it delivers. Pure.
 */
void delivery_go_on(struct delivery *delivery, enum attempt_outcome outcome, int64_t wait,
                    int64_t retry_after, int64_t now);

/* -- as operations ----------------------------------------------------------------------------- */

/*
 * What came of an attempt, as an operation (engine/engine.h) of the sender's: writes it down and
 * says how the delivery goes on. Nothing happens where that is not under way under this number any
 * more, because its workspace was reset meanwhile.
 */
struct delivery_end {
    struct operation operation;
    int64_t delivery, sending;  /* its seq and number */
    struct attempt_row attempt; /* all but number, by_hand and at; texts are borrowed */
    int64_t retry_after;        /* ms, as the receiver asks; -1: it does not */
    /* Called first in the transaction, to fill in the two above; a positive result: that is for
       another one, and nothing is written now. NULL: they are. */
    int (*fill)(struct delivery_end *self, struct db *db, const struct delivery *delivery);
    enum delivery_status status; /* out: the delivery's since then */
    char job[ID_HEX_SIZE];       /* out: that it is of; "": nothing was written */
};

void delivery_end_init(struct delivery_end *end, struct engine *engine,
                       struct workspace *workspace);

/* Another attempt now, whatever is due: a redelivery, or the release of a held one. Its caller
 * waits for the end (EVENT_DELIVERY) on his own. */
enum delivery_again_outcome {
    AGAIN_DONE,
    AGAIN_NO_DELIVERY,
    AGAIN_UNDER_WAY, /* an attempt is */
    AGAIN_NOT_HELD,
};

struct delivery_again {
    struct operation operation;
    const char *id;
    bool release; /* of a held one; else by hand */
    enum delivery_again_outcome outcome;
    struct delivery delivery; /* as it is now, but for AGAIN_NO_DELIVERY */
};

void delivery_again_init(struct delivery_again *again, struct engine *engine,
                         struct workspace *workspace);

#endif
