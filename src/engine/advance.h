/*
 * Moving a workspace's clock ahead, as a chain of operations (engine/engine.h): each fires a
 * bounded number of timers in order of (due time, creation), each at its own due time, with what is
 * scheduled on the way; the clock moves along with them, so whoever asks meanwhile finds its
 * present instant. Between two of them the writer is free. It has taken the clock meanwhile
 * (clock_take()).
 *
 * Where it stops at an event, what is due at that same instant has fired too: with a clock that
 * stands at that instant, it would fire at once.
 *
 * It does not pass an instant, nor end, while an attempt at a callback of the workspace is under
 * way (unless it `detaches`): what follows from that is due in its turn. It waits as everybody does
 * (engine/events.h); what a request brings about at that instant meanwhile fires too, so a receiver
 * that calls the APIs from within is answered. An attempt ends by its own time-out at the latest.
 *
 * It goes on where its caller left; it ends early where the workspace is deleted (ERR_GONE), the
 * server stops (ERR_STOPPING) or the store refuses, or, while it waits, where the workspace is to
 * be reset: what was committed until then stays.
 */
#ifndef UNDERSTUDY_ENGINE_ADVANCE_H
#define UNDERSTUDY_ENGINE_ADVANCE_H

#include "engine/engine.h"
#include "engine/timers.h"

enum {
    ADVANCE_SHOWN = 1000,    /* of the transitions, how many are listed */
    ADVANCE_EVENTS = 100000, /* after so many it stops */
};

enum advance_until {
    ADVANCE_TO,      /* a time of the clock */
    ADVANCE_BY,      /* a span of it */
    ADVANCE_COUNT,   /* so many transitions and attempts */
    ADVANCE_SETTLED, /* no unfinished job or delivery but those that no timer moves */
    ADVANCE_JOB,     /* a job has reached a state */
};

/* What a job is to have reached; JOB_QUEUED stands for any end. */
#define ADVANCE_TERMINAL JOB_QUEUED

enum advance_outcome {
    ADVANCE_DONE,
    ADVANCE_TIMEOUT, /* stopped by its real time, or after ADVANCE_EVENTS */
    ADVANCE_LIMIT,
    ADVANCE_BACKWARD,   /* refused, with nothing done: the clock is past that time already */
    ADVANCE_TOO_FAR,    /* likewise: it would be after the year 9999 */
    ADVANCE_NO_JOB,     /* likewise */
    ADVANCE_JOB_HELD,   /* the job will not reach that: it is, or will be, held or moved by reads */
    ADVANCE_JOB_POLLED, /* before; or it has ended otherwise */
    ADVANCE_JOB_ENDED,
    ADVANCE_STUCK, /* nothing is due any more, and yet it is not so: jobs wait for a place */
    ADVANCE_RESET, /* it waited for an attempt, and the workspace is to be reset */
};

/* A transition that fired; or, where `delivery` is not "", an attempt at that which began. */
struct advance_event {
    int64_t at;
    char job[ID_HEX_SIZE];
    enum job_status from, to;
    char delivery[ID_HEX_SIZE];
    int64_t attempt;
};

/* How far it came; what a step makes of it counts once that is committed. */
struct advance_progress {
    int64_t target; /* fires what is due until then */
    size_t fired;
    bool begun;
    bool arrived; /* at the event that it was to stop at: `target` is its instant */
};

struct advance {
    struct operation operation; /* its status: 0, or the error that ended it */

    /* What is asked. */
    enum advance_until until;
    int64_t amount;       /* ADVANCE_TO, ADVANCE_BY: ms; ADVANCE_COUNT: how many, from 1 */
    const char *job;      /* ADVANCE_JOB: borrowed */
    enum job_status goal; /* likewise */
    int64_t timeout;      /* real ms */
    bool changes_mode; /* a change of the clock, ADVANCE_TO or ADVANCE_BY: to `mode` once it is */
    enum clock_mode mode; /* there; neither `timeout` nor ADVANCE_EVENTS stops that */
    double scale;
    bool detaches; /* it does not wait for attempts; a change of the clock never does */

    /* What came of it. */
    enum advance_outcome outcome;
    int64_t now;
    struct advance_event fired[ADVANCE_SHOWN];
    size_t fired_count;
    bool has_next;
    struct timer next;
    struct job seen; /* ADVANCE_JOB_…: the job as it was then */

    /* advance.c's */
    struct advance_progress done, step;
    enum advance_outcome found; /* by the steps that are committed */
    bool ends;
    bool awaits; /* attempts are under way, */
    bool waits;  /* and nothing else is due at that instant */
    int64_t last, stops_at;
    struct waiter waiter;
    void (*wake)(void *arg);
    void *arg;
};

/*
 * Sets it up; the caller then fills in what is asked, takes the clock, and lets it begin. When it
 * is over the clock is given back, and `wake(arg)` is called, on the writer's thread or from
 * within; until then the caller keeps `advance` and a reference to the workspace. Any thread.
 */
void advance_init(struct advance *advance, struct engine *engine, struct workspace *workspace);
void advance_begin(struct advance *advance, void (*wake)(void *arg), void *arg);

/* Gives the clock back that clock_take() has taken: timers fire by themselves again. Any thread. */
void clock_give_back(struct engine *engine, struct workspace *workspace);

#endif
