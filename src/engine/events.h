/*
 * What happens in a workspace, counted, and those who wait for it: the one mechanism of every wait
 * (C9). Whoever waits looks whether what he waits for is so, and if not sleeps until something of
 * the kinds that could change it has happened since he looked; then he looks again.
 *
 *     int64_t seen = events_seen(workspace, EVENT_JOB);
 *     if (the job has ended) …
 *     waiter->kinds = EVENT_JOB, waiter->seen = seen, …
 *     request_suspend(request, look_again);
 *     waiter_begin(waiter);
 */
#ifndef UNDERSTUDY_ENGINE_EVENTS_H
#define UNDERSTUDY_ENGINE_EVENTS_H

#include "base/deadlines.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct engine;
struct workspace;

enum event_kind {
    EVENT_JOB = 1,       /* a job was made, or moved */
    EVENT_REQUEST = 2,   /* a request to one of the APIs has begun, or was answered */
    EVENT_RULE = 4,      /* a rule was used, made or deleted */
    EVENT_CLOCK = 8,     /* the clock was moved, or goes otherwise */
    EVENT_DELIVERY = 16, /* an attempt at a callback ended, or a delivery was released */
    EVENT_INBOX = 32,    /* something came to an inbox */
    EVENT_JOURNAL = 64,  /* a request was written down */
};
enum { EVENT_KINDS = 7 };

enum wait_end {
    WAIT_HAPPENED, /* something did: look again */
    WAIT_PASSED,   /* its time */
    WAIT_RESET,    /* the workspace was reset or its state replaced */
    WAIT_DELETED,  /* the workspace was */
    WAIT_STOPPED,  /* the server stops */
};

/*
 * Somebody who waits. He sets the first part and keeps it alive, with a reference to the workspace,
 * until `wake(arg)`; that is called once, by any thread, also from within waiter_begin(), and `end`
 * says why.
 */
struct waiter {
    struct engine *engine;
    struct workspace *workspace;
    unsigned kinds; /* of enum event_kind */
    int64_t seen;   /* events_seen() of these, from before he looked */
    int64_t resets; /* events_resets(), from when his request began */
    int64_t until;  /* real ms */
    void (*wake)(void *arg);
    void *arg;
    /* Whether what happened may change what he finds, where the poster says what it was; called by
       the poster, with a lock held. NULL: it may. */
    bool (*minds)(struct waiter *self, void *what);
    enum wait_end end;

    struct deadline deadline; /* the rest is events.c's */
    struct waiter *next, **place;
};

/* A request that real time holds up, as a rule says; in its workspace's list while it is begun and
 * not over. */
struct held {
    void (*hurry)(void *arg); /* has it wait no more; called under the list's lock */
    void *arg;
    struct held *next, **place; /* events.c's */
};

/* A workspace's. */
struct events {
    atomic_llong happened[EVENT_KINDS];
    atomic_llong jobs; /* the event number of the newest job that is committed */
    /* Requests to the APIs that have begun and are not answered, those before and after the last
       turn apart. */
    atomic_int unanswered[2];
    atomic_int untold; /* requests that have begun and are in no journal yet */
    atomic_uint turn;  /* the lowest bit says which of the two counts those that begin */
    atomic_llong resets;
    atomic_int waiting;
    atomic_int open;     /* requests that wait, between two looks too */
    atomic_bool jumping; /* one of them has an auto clock jump */
    pthread_mutex_t lock;
    struct waiter *first; /* under the lock */
    struct held *held;    /* likewise */
    bool ended;           /* likewise; waits end at once, with `end` */
    enum wait_end end;
    int64_t jobs_drawn; /* the writer's thread */
};

void events_init(struct events *events, int64_t jobs);
void events_finish(struct events *events);

/* How much of these kinds has happened so far. Any thread. */
int64_t events_seen(const struct workspace *workspace, unsigned kinds);

/* How often the workspace was reset, or its state replaced. Any thread. */
int64_t events_resets(const struct workspace *workspace);

/* Something happened, and can be seen: after a commit. Any thread. */
void events_post(struct workspace *workspace, unsigned kinds);

/* The same of one kind, for those alone who mind: that costs less than to have everybody look
 * again. Only where somebody waits it is worth while to find out what it was. */
void events_post_about(struct workspace *workspace, unsigned kind, void *what);
bool events_are_waited_for(const struct workspace *workspace);

/* The number of a new job, unique and growing in its workspace. The writer's thread. */
int64_t events_draw_job(struct workspace *workspace);

/* The job of that number is committed. The writer's thread. */
void events_post_job(struct workspace *workspace, int64_t event);

/* A request to one of the APIs has begun: in which turn, is what it ends with when it was answered,
 * or left. Any thread. */
unsigned events_begin_request(struct workspace *workspace);
void events_end_request(struct workspace *workspace, unsigned turn);

/* How many have begun and are not answered: all, or those of one turn. Any thread. */
int events_unanswered(const struct workspace *workspace);
int events_unanswered_of(const struct workspace *workspace, unsigned turn);

/* The end of one that has begun is told: whoever is answered finds it in the journal. How many are
 * not there yet, those that hang included. Any thread. */
void events_tell_request(struct workspace *workspace);
int events_untold(const struct workspace *workspace);

/*
 * Begins a new turn and says which one is over: no request begins in that any more. False: the one
 * before is not over and done with, so none began, and *ret_turn is that one. One thread at a time.
 */
bool events_turn(struct workspace *workspace, unsigned *ret_turn);

/* Puts a request on the list, which its owner takes off before it is gone (nothing, where it is
 * not on); and hurries all that are. Any thread. */
void events_hold(struct workspace *workspace, struct held *held);
void events_let_go(struct workspace *workspace, struct held *held);
void events_hurry(struct workspace *workspace);

void waiter_begin(struct waiter *waiter);

/*
 * A request that waits has begun, and is over: meanwhile the workspace's ttl does not run. Any
 * thread.
 */
void workspace_begin_wait(struct workspace *workspace);
void workspace_end_wait(struct workspace *workspace);

/* When the workspace was last used, in real ms: now, while a request waits. Any thread. */
int64_t workspace_used_at(const struct workspace *workspace);

/*
 * Ends the waits of a workspace: those under way (WAIT_RESET), or these and all that are yet to
 * come (WAIT_DELETED, WAIT_STOPPED). Any thread.
 */
void events_end_waits(struct workspace *workspace, enum wait_end end);

#endif
