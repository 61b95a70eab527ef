/*
 * Inside the registry (engine/workspace.h): balanced trees (tsearch) over the same workspaces, one
 * for each thing they are found by, under one lock for many readers. Comparisons look at a key that
 * each tree's entries hold first, so that a plain key can be searched for without building an
 * entry. All of these are called with the lock held.
 */
#ifndef UNDERSTUDY_ENGINE_REGISTRY_H
#define UNDERSTUDY_ENGINE_REGISTRY_H

#include "engine/workspace.h"

#include <pthread.h>

/* An entry of a tree; a search uses one whose `key` is what is sought. */
struct listed {
    const void *key;
    struct workspace *workspace;
    unsigned char hash[KEY_HASH_SIZE]; /* of an API key: what `key` points to */
    bool active;                       /* false: an API key that is not to be found */
    struct listed *next;               /* of the workspace's keys */
};

/* A member that stands for many addresses. */
struct glob {
    struct glob *next;
    char pattern[EMAIL_SIZE];
};

struct registry {
    struct settings settings;
    struct journals *journals; /* NULL: nothing is journaled */
    struct runs *runs;         /* likewise */
    pthread_rwlock_t lock;
    size_t count;
    void *by_pk, *by_id, *by_slug, *by_project, *by_key;
};

/* Of entries, by their keys; of addresses. */
int compare_texts(const void *a, const void *b);
int compare_hashes(const void *a, const void *b);
int compare_pks(const void *a, const void *b);
int compare_emails(const void *a, const void *b);

/* The entry of that key; NULL. */
struct listed *registry_find(void *const *tree, const void *key,
                             int (*compare)(const void *, const void *));

/* What a row says, the parts that change. */
void registry_take_row(const struct registry *registry, struct workspace *workspace,
                       const struct workspace_row *row);

void workspace_free_members(struct workspace *workspace);

#endif
