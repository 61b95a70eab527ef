/*
 * What waits to be sent, in a queue for each receiver (a host and a port). Receivers are served in
 * turn, each with so many attempts at once, so that a slow one holds up no other. One thread's.
 */
#ifndef UNDERSTUDY_ENGINE_RECEIVERS_H
#define UNDERSTUDY_ENGINE_RECEIVERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct workspace;
struct receiver;

/* A delivery that waits: there may be 100,000 of them. */
struct waiting {
    struct waiting *next;
    struct workspace *workspace; /* with a reference */
    int64_t delivery, sending;   /* its seq and number */
};

struct receivers {
    void *tree; /* by their names */
    struct receiver *first,
        **last;     /* those that have an attempt to make and room for it, in turn */
    size_t at_once; /* attempts to each */
};

void receivers_init(struct receivers *receivers, size_t at_once);

/* Frees all, with what waits. */
void receivers_finish(struct receivers *receivers);

/* Queues one for the receiver of that name; its reference is taken over. ERR_NO_MEMORY. */
int receivers_put(struct receivers *receivers, const char *name, const struct waiting *waiting);

/* Whether receivers_take() has one. */
bool receivers_can_take(const struct receivers *receivers);

/*
 * Takes the first one of the receiver whose turn it is, for the caller to free or put back; NULL:
 * none. From now on an attempt is under way, until receivers_done().
 */
struct waiting *receivers_take(struct receivers *receivers, struct receiver **ret_receiver);
void receivers_done(struct receivers *receivers, struct receiver *receiver);

/* As done, but it waits again, as the first of its receiver. */
void receivers_put_back(struct receivers *receivers, struct receiver *receiver,
                        struct waiting *waiting);

/* Frees one that was taken, and lets go of its workspace. */
void waiting_free(struct waiting *waiting);

const char *receiver_name(const struct receiver *receiver);

#endif
