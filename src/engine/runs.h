/*
 * The runs that workspaces are made for, by their labels: what the workspaces of each have counted
 * (engine/tally.h), those that are gone included. In memory, from the server's start.
 *
 * The workspaces without a label are a run of no name. There are at most RUNS_MAX with one, unless
 * more have workspaces that live, and not too much is told of them one by one: the oldest without
 * such workspaces go, and what they have counted goes on to count among those of no name.
 */
#ifndef UNDERSTUDY_ENGINE_RUNS_H
#define UNDERSTUDY_ENGINE_RUNS_H

#include "engine/tally.h"

#include <stdint.h>

enum {
    RUNS_MAX = 1000,
    RUNS_DETAILS_MAX = 500000, /* jobs and request_ids of all that ended, some 150 bytes each */
};

struct runs;

struct runs *runs_create(void);       /* NULL: out of memory */
void runs_destroy(struct runs *runs); /* after the last workspace left; NULL is fine */

/* A workspace's place in its run. */
struct run_place;

/*
 * A workspace begins, of the run of that label; "": of none. Its tally is the runs' from then on,
 * and good until it leaves. NULL: out of memory, and the tally stays the caller's. Any thread.
 */
struct run_place *runs_enter(struct runs *runs, const char *label, struct tally *tally);

/* It has ended: nothing more is counted in its tally. NULL is fine. Any thread. */
void runs_leave(struct run_place *place);

/*
 * Adds to `sum` what the workspaces of that run have counted, or those of all runs where `label` is
 * NULL, and to *io_workspaces how many of them have counted any request. Each is told of once,
 * whether it ends meanwhile or not. ERR_NOT_FOUND: there is no such run; ERR_NO_MEMORY. Any thread;
 * nobody else waits for it but who reads too.
 */
int runs_read(struct runs *runs, const char *label, struct tally *sum, int64_t *io_workspaces);

/* Calls `visit` with each label, of at most so many, the oldest first, under the lock of the runs;
 * returns how many were forgotten. Any thread. */
int64_t runs_each_label(struct runs *runs, size_t most, void (*visit)(const char *label, void *arg),
                        void *arg);

#endif
