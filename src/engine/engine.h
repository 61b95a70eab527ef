/*
 * The engine: what happens without a request. It owns the workspaces in memory and the worker's
 * thread, moves jobs when they are due, by way of the store's writer, and runs real deadlines.
 *
 * What a request writes is an operation: a message to the writer that wakes its sender when it is
 * committed.
 */
#ifndef UNDERSTUDY_ENGINE_ENGINE_H
#define UNDERSTUDY_ENGINE_ENGINE_H

#include "base/deadlines.h"
#include "base/err.h"
#include "engine/feed.h"
#include "engine/sender.h"
#include "engine/workspace.h"
#include "store/store.h"

#include <jansson.h>

struct engine;
struct runs;
struct tally;

/* An API key or a member that the server is to have, from the command line. */
struct engine_grant {
    const char *value;     /* the key or the address */
    const char *workspace; /* id or slug; NULL: the default one. Absent ones are made */
};

/* A state document, checked already (engine/state.h), of a workspace that is to be there. */
struct engine_state {
    const char *path; /* for messages */
    const json_t *document;
};

struct engine_options {
    struct settings settings; /* of every workspace */
    size_t journal_memory;    /* bytes of all journals; 0: there are none */
    unsigned journal_threads; /* that add to them */
    bool no_defaults;         /* a new store gets neither the documents' key nor its member */
    const struct engine_state *states; /* each put where it belongs, if that is not there yet */
    size_t state_count;
    const struct engine_grant *keys, *members;
    size_t key_count, member_count;
    struct sender_options sender; /* no reach: callbacks are owed, and none is sent */
};

/*
 * Reads the workspaces from `store`, makes what is missing, and starts the worker; the jobs whose
 * time passed meanwhile are brought up to date first. ERR_INVALID where a key belongs to another
 * workspace already, or a state cannot be put where it is to go.
 */
int engine_start(struct store *store, const struct engine_options *options,
                 struct engine **ret_engine, struct err *err);

/* Ends all waits, those to come included: the server is about to stop. Any thread. */
void engine_end_waits(struct engine *engine);

/* Stops the worker and frees everything but the store. No operation may be under way, and no
 * deadline set. */
void engine_stop(struct engine *engine);

struct store *engine_store(struct engine *engine);
struct registry *engine_registry(struct engine *engine);
struct sender *engine_sender(struct engine *engine); /* NULL: none was asked for */

/* The journals of all workspaces, and that of requests which belong to none: NULL where nothing is
 * journaled. Any thread. */
struct journals *engine_journals(struct engine *engine);
struct journal *engine_nobodys_journal(struct engine *engine);

/* What is counted of the requests of all runs' workspaces, and of those that belong to none: NULL
 * likewise. Any thread. */
struct runs *engine_runs(struct engine *engine);
struct tally *engine_nobodys_tally(struct engine *engine);

/* What is told to those who listen (engine/feed.h). Any thread. */
struct feeds *engine_feeds(struct engine *engine);

/* Real deadlines, for whoever waits; the worker runs them. They end with the engine. */
struct deadlines *engine_deadlines(struct engine *engine);

/* -- operations -------------------------------------------------------------------------------- */

/*
 * The head of an operation. Its sender sets it up by operation_init(), with `run` as struct write
 * has it, and keeps it alive until it is woken; then `status` is 0 or the error that undid it.
 *
 * Where the clock stands, a timer that `run` set and that is due already fires in the same
 * transaction: so whoever looks next finds the same each time.
 */
struct operation {
    struct write write;
    struct engine *engine;
    struct workspace *workspace; /* borrowed: the sender holds a reference */
    int64_t due_at;              /* the earliest timer that `run` set; TIME_NEVER */
    bool settles;                /* due_at is the workspace's next timer, whatever was known */
    int64_t new_job;             /* the event number of a job that `run` made; 0 */
    unsigned posts;              /* what else `run` made happen: of enum event_kind */
    bool moves_clock;            /* `run` has set the workspace's clock */
    struct clock_row clock;      /* what it has made of it: operation_run()'s */
    struct feed_notes notes;     /* what listeners are told of it: likewise */
    int status;                  /* ERR_GONE where the workspace was deleted before its turn */
    int (*run)(struct write *write, struct db *db);
    /* What follows a commit in memory, on the writer's thread, before the sender is woken; or NULL.
       0, or an error that the sender sees. */
    int (*apply)(struct operation *operation);
    void (*wake)(void *arg); /* called on the writer's thread after the commit */
    void *arg;
};

/* `workspace` may be NULL for what belongs to none. */
void operation_init(struct operation *operation, struct engine *engine, struct workspace *workspace,
                    int (*run)(struct write *write, struct db *db));

/*
 * Queues it; any thread. `wake(arg)` follows, once, also where the queue is full: then `status`
 * says ERR_OVERLOADED and the call comes from within.
 */
void operation_submit(struct operation *operation, void (*wake)(void *arg), void *arg);

#endif
