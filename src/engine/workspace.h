/*
 * Workspaces in memory: who a request belongs to is asked with each of them, so it is not asked of
 * the store. The registry is filled from the store at the start and changed only after a commit.
 */
#ifndef UNDERSTUDY_ENGINE_WORKSPACE_H
#define UNDERSTUDY_ENGINE_WORKSPACE_H

#include "base/err.h"
#include "base/heap.h"
#include "engine/clock.h"
#include "engine/events.h"
#include "store/workspace.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* The workspace that everything without a name of its own belongs to. */
#define DEFAULT_WORKSPACE "default"
#define DEFAULT_SLUG      "acme-corp"

/* What counts for a workspace: its own settings, and the server's for the others. */
struct settings {
    int64_t queue_time, processing_time; /* ms */
    int64_t max_processing;              /* jobs at once; 0: no limit */
    double jitter;                       /* 0 to 1: the share by which times vary either way */
    bool magic;                          /* addresses and texts may steer jobs */
    int64_t room_since;                  /* no job that waited for a place starts earlier */
};

/* The last number that made a slug unique: many scenarios of one name are common in tests. */
enum { SLUG_HINTS = 64 };

struct slug_hint {
    uint64_t hash;           /* of the slug without its number */
    long number;             /* 1: the slug itself; 0: not known */
    unsigned long rollbacks; /* as of when that was true (see db_rollbacks()) */
};

struct listed;
struct rates;
struct rule_set;
struct feed;
struct journal;
struct journals;
struct run_place;
struct runs;
struct tally;

/* Up to where what has happened is not known, or has been put in place. Any thread. */
struct workspace_past {
    atomic_llong started_at; /* real ms: it is from before the server's start, then; 0: it is not */
    atomic_llong jobs;       /* the event number of the last job that it began with: */
    atomic_bool stored;      /* from the store at the start, or else from a state document */
    atomic_llong requests;   /* so many there were before the last reset */
    atomic_llong forgotten;  /* the last entry of the journal when somebody deleted these; 0 */
};

struct workspace {
    /* pk, id, slug, project_id, created_at and run never change; the rest is under the registry's
       lock: see registry_read_row(). */
    struct workspace_row row;
    struct settings settings; /* the writer's thread changes it, and alone reads it */
    atomic_int references;
    atomic_bool active;
    atomic_bool gone; /* deleted: its writes are refused (the writer's thread) */
    bool buried;      /* likewise, in the writer's transaction, as of that many roll-backs */
    unsigned long buried_rollbacks;
    atomic_bool magic;          /* the setting */
    atomic_bool any_key;        /* likewise */
    atomic_bool limited;        /* it has a rate limit */
    atomic_ullong lint_ignored; /* the setting: findings that are neither shown nor counted */
    atomic_llong used_at;       /* real ms: its last request */
    atomic_llong requests;      /* since the server's start */
    void *members;              /* a tree of folded addresses, under the registry's lock */
    struct glob *globs;         /* members with a *, likewise */
    struct listed *keys;        /* likewise */
    bool announced;             /* likewise: it can be found */
    struct rates *rates;        /* of each key's requests, under a lock of its own */

    struct clock_shared clock;
    struct clock_coming coming_clock; /* the writer's thread */
    atomic_bool clock_taken;          /* see clock_take() */
    atomic_int clock_asked;           /* see clock_ask_back() */
    struct events events;

    _Atomic(struct rule_set *) rules; /* NULL: it has none; see engine/rules.h */
    pthread_mutex_t rules_lock;

    struct journal *journal; /* of its requests; NULL: there is none */
    struct tally *tally;     /* what is counted of them; NULL likewise */
    struct run_place *place; /* among the runs, whose the tally is */
    struct workspace_past past;
    _Atomic(struct feed *) feed; /* NULL: nobody has listened yet */

    struct slug_hint slug_hints[SLUG_HINTS]; /* the writer's thread */
    unsigned ends_unlooked;                  /* likewise: see engine/delivery_keep.h */
    int64_t bytes_unlooked;

    /* The worker's, under its lock. */
    int64_t due_at;          /* of its next timer, on its clock; TIME_NEVER */
    int64_t retry_at;        /* real: not earlier than this, after a failure; 0 */
    struct heap_entry timer; /* in the worker's heap, by real time, while no tick is under way */
    bool ticking;            /* a tick is with the writer */
};

struct registry;

struct registry *registry_create(const struct settings *settings); /* NULL: out of memory */
void registry_destroy(struct registry *registry);

/* Workspaces that are added from now on have a journal and a tally each, among these. */
void registry_keep_journals(struct registry *registry, struct journals *journals,
                            struct runs *runs);

/*
 * After a commit, on the writer's thread: take over what a row says now, the key's or the member's
 * included, or take it out. A workspace that is taken out lives on until the last reference to it
 * is let go of.
 */
void registry_update_workspace(struct registry *registry, struct workspace *workspace,
                               const struct workspace_row *row);
void registry_remove_workspace(struct registry *registry, struct workspace *workspace);
void registry_update_key(struct registry *registry, const struct key_row *row);
void registry_remove_key(struct registry *registry, const unsigned char hash[KEY_HASH_SIZE]);
void registry_remove_keys(struct registry *registry, struct workspace *workspace);
void registry_remove_members(struct registry *registry, struct workspace *workspace);
void registry_remove_member(struct registry *registry, struct workspace *workspace,
                            const char *email);

/* Copies a workspace's row, and how many workspaces there are. Any thread. */
void registry_read_row(struct registry *registry, const struct workspace *workspace,
                       struct workspace_row *ret_row);
size_t registry_count(struct registry *registry);

/* The server's own settings, which count where a workspace has none of its own. */
const struct settings *registry_defaults(const struct registry *registry);

/*
 * A request to one of the APIs begins, which counts for the ttl: the how manieth it is since the
 * server's start, and the turn that it leaves with. And it is over, in whatever way. Any thread.
 */
int64_t workspace_enter(struct workspace *workspace, unsigned *ret_turn);
void workspace_leave(struct workspace *workspace, unsigned turn);

/* Add what a row says; `jobs` is the event number of its newest job, and `started_at` is 0, or when
 * the server started, where the workspace is older (real ms). ERR_NO_MEMORY, ERR_NOT_FOUND where
 * the row's workspace is not there. */
int registry_add_workspace(struct registry *registry, const struct workspace_row *row, int64_t jobs,
                           int64_t started_at);

/* The same in two steps, for what is to be complete before anybody can find it. */
int registry_prepare_workspace(struct registry *registry, const struct workspace_row *row,
                               int64_t jobs, struct workspace **ret_workspace);
void registry_announce_workspace(struct registry *registry, struct workspace *workspace);
int registry_add_key(struct registry *registry, const struct key_row *row);
int registry_add_member(struct registry *registry, const struct member_row *row);

/*
 * Find a workspace; any thread. NULL where there is none, else the caller has a reference to let go
 * of with workspace_release(). registry_by_name() takes an id or a slug.
 */
struct workspace *registry_by_key(struct registry *registry,
                                  const unsigned char hash[KEY_HASH_SIZE]);
struct workspace *registry_by_slug(struct registry *registry, const char *slug);
struct workspace *registry_by_name(struct registry *registry, const char *name);
struct workspace *registry_by_project(struct registry *registry, const char *project);
struct workspace *registry_default(struct registry *registry);
struct workspace *registry_by_pk(struct registry *registry, int64_t pk);

/* Whether a key is somebody's, also where it is switched off. Any thread. */
bool registry_knows_key(struct registry *registry, const unsigned char hash[KEY_HASH_SIZE]);

/*
 * Whether the workspace is deleted, by the transaction under way or an earlier one of its batch
 * too: nothing may be written to it any more. The writer's thread.
 */
int workspace_is_gone(struct db *db, const struct workspace *workspace, bool *ret_gone);

/* Lets go of a reference; NULL is fine. */
void workspace_release(struct workspace *workspace);

/* Whether an address is a member's, or fits one with a *; ASCII case does not matter (S8). Any
 * thread. */
bool registry_is_member(struct registry *registry, const struct workspace *workspace,
                        const char *email);

/* Whether an address is itself on the list of members, not by a pattern. Any thread. */
bool registry_lists_member(struct registry *registry, const struct workspace *workspace,
                           const char *email);

/* Calls `visit` with each workspace, under the registry's lock. Any thread. */
void registry_each(struct registry *registry, void (*visit)(struct workspace *workspace, void *arg),
                   void *arg);

#endif
