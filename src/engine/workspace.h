/*
 * Workspaces in memory: who a request belongs to is asked with each of them, so it is not asked of
 * the store. The registry is filled from the store at the start and changed only after a commit.
 */
#ifndef UNDERSTUDY_ENGINE_WORKSPACE_H
#define UNDERSTUDY_ENGINE_WORKSPACE_H

#include "base/err.h"
#include "store/workspace.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* The workspace that everything without a name of its own belongs to. */
#define DEFAULT_WORKSPACE "default"

struct settings {
    int64_t queue_time, processing_time; /* ms */
    int64_t max_processing;              /* jobs at once; 0: no limit */
};

/* The last number that made a slug unique: many scenarios of one name are common in tests. */
enum { SLUG_HINTS = 64 };

struct slug_hint {
    uint64_t hash;           /* of the slug without its number */
    long number;             /* 1: the slug itself; 0: not known */
    unsigned long rollbacks; /* as of when that was true (see db_rollbacks()) */
};

struct workspace {
    struct workspace_row row;
    struct settings settings;
    atomic_int references;
    void *members; /* a tree of folded addresses, under the registry's lock */

    struct slug_hint slug_hints[SLUG_HINTS]; /* the writer's thread */

    /* The worker's, under its lock. */
    int64_t due_at;    /* of its next timer; TIME_NEVER */
    size_t heap_index; /* its place in the worker's heap; SIZE_MAX: none */
    bool ticking;      /* a tick is with the writer */
};

struct registry;

struct registry *registry_create(const struct settings *settings); /* NULL: out of memory */
void registry_destroy(struct registry *registry);

/* Add what a row says. ERR_NO_MEMORY, ERR_NOT_FOUND where the row's workspace is not there. */
int registry_add_workspace(struct registry *registry, const struct workspace_row *row);
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

/* Lets go of a reference; NULL is fine. */
void workspace_release(struct workspace *workspace);

/* Whether an address is a member's; ASCII case does not matter (S8). Any thread. */
bool registry_is_member(struct registry *registry, const struct workspace *workspace,
                        const char *email);

/* Calls `visit` with each workspace, under the registry's lock. Any thread. */
void registry_each(struct registry *registry, void (*visit)(struct workspace *workspace, void *arg),
                   void *arg);

/* The workspace's clock (S20). Any thread. */
int64_t workspace_now(const struct workspace *workspace);

#endif
