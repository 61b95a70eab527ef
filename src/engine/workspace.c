/*
 * The registry keeps balanced trees (tsearch) over the same workspaces, one for each thing they are
 * found by, under one lock for many readers. Comparisons look at a key that each tree's entries
 * hold first, so that a plain key can be searched for without building an entry.
 */
#include "engine/workspace.h"

#include "base/time.h"

#include <pthread.h>
#include <search.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* An entry of a tree; a search uses one whose `key` is what is sought. */
struct listed {
    const void *key;
    struct workspace *workspace;
    unsigned char hash[KEY_HASH_SIZE]; /* of an API key: what `key` points to */
    bool active;                       /* false: an API key that is not to be found */
};

struct registry {
    struct settings settings;
    pthread_rwlock_t lock;
    void *by_pk, *by_id, *by_slug, *by_project, *by_key;
};

static int compare_texts(const void *a, const void *b)
{
    return strcmp(((const struct listed *)a)->key, ((const struct listed *)b)->key);
}

static int compare_hashes(const void *a, const void *b)
{
    return memcmp(((const struct listed *)a)->key, ((const struct listed *)b)->key, KEY_HASH_SIZE);
}

static int compare_pks(const void *a, const void *b)
{
    int64_t first = *(const int64_t *)((const struct listed *)a)->key;
    int64_t second = *(const int64_t *)((const struct listed *)b)->key;
    return (first > second) - (first < second);
}

static int compare_emails(const void *a, const void *b)
{
    return strcmp(a, b);
}

struct registry *registry_create(const struct settings *settings)
{
    struct registry *registry = calloc(1, sizeof *registry);
    if (registry) {
        registry->settings = *settings;
        pthread_rwlock_init(&registry->lock, NULL);
    }
    return registry;
}

void registry_destroy(struct registry *registry)
{
    if (!registry)
        return;
    void *trees[] = {registry->by_id, registry->by_slug, registry->by_project, registry->by_key};
    for (size_t i = 0; i < sizeof trees / sizeof *trees; i++)
        tdestroy(trees[i], free);
    while (registry->by_pk) { /* the tree that stands for the registry's own references */
        struct listed *entry = *(struct listed **)registry->by_pk;
        tdelete(entry, &registry->by_pk, compare_pks);
        workspace_release(entry->workspace);
        free(entry);
    }
    pthread_rwlock_destroy(&registry->lock);
    free(registry);
}

/* Puts a workspace into a tree, under `key`, which must last as long as it. */
static int add(void **tree, const void *key, struct workspace *workspace,
               int (*compare)(const void *, const void *))
{
    struct listed *entry = calloc(1, sizeof *entry);
    if (!entry)
        return ERR_NO_MEMORY;
    entry->key = key;
    entry->workspace = workspace;
    entry->active = true;
    struct listed **place = tsearch(entry, tree, compare);
    if (place && *place == entry)
        return 0;
    free(entry);
    return place ? ERR_EXISTS : ERR_NO_MEMORY;
}

static struct listed *find(void *const *tree, const void *key,
                           int (*compare)(const void *, const void *))
{
    struct listed wanted = {.key = key};
    struct listed **place = tfind(&wanted, tree, compare);
    return place ? *place : NULL;
}

int registry_add_workspace(struct registry *registry, const struct workspace_row *row)
{
    struct workspace *workspace = calloc(1, sizeof *workspace);
    if (!workspace)
        return ERR_NO_MEMORY;
    workspace->row = *row;
    workspace->settings = registry->settings;
    workspace->due_at = TIME_NEVER;
    workspace->heap_index = SIZE_MAX;
    atomic_init(&workspace->references, 1);

    const struct workspace_row *own = &workspace->row;
    pthread_rwlock_wrlock(&registry->lock);
    int status = add(&registry->by_pk, &own->pk, workspace, compare_pks);
    bool owned = status == 0; /* by the registry, which lets go of it at its end */
    if (status == 0)
        status = add(&registry->by_id, own->id, workspace, compare_texts);
    if (status == 0)
        status = add(&registry->by_slug, own->slug, workspace, compare_texts);
    if (status == 0)
        status = add(&registry->by_project, own->project_id, workspace, compare_texts);
    pthread_rwlock_unlock(&registry->lock);
    if (!owned)
        free(workspace);
    return status;
}

int registry_add_key(struct registry *registry, const struct key_row *row)
{
    int status = ERR_NOT_FOUND;
    pthread_rwlock_wrlock(&registry->lock);
    struct listed *owner = find(&registry->by_pk, &row->workspace, compare_pks);
    struct listed *entry = owner ? calloc(1, sizeof *entry) : NULL;
    if (entry) {
        memcpy(entry->hash, row->hash, sizeof entry->hash);
        entry->key = entry->hash;
        entry->workspace = owner->workspace;
        entry->active = row->active;
        struct listed **place = tsearch(entry, &registry->by_key, compare_hashes);
        status = place ? 0 : ERR_NO_MEMORY;
        if (!place || *place != entry)
            free(entry);
    } else if (owner) {
        status = ERR_NO_MEMORY;
    }
    pthread_rwlock_unlock(&registry->lock);
    return status;
}

int registry_add_member(struct registry *registry, const struct member_row *row)
{
    int status = ERR_NOT_FOUND;
    pthread_rwlock_wrlock(&registry->lock);
    struct listed *owner = find(&registry->by_pk, &row->workspace, compare_pks);
    char *email = owner ? strdup(row->email) : NULL;
    if (email) {
        char **place = tsearch(email, &owner->workspace->members, compare_emails);
        status = place ? 0 : ERR_NO_MEMORY;
        if (!place || *place != email)
            free(email);
    } else if (owner) {
        status = ERR_NO_MEMORY;
    }
    pthread_rwlock_unlock(&registry->lock);
    return status;
}

/* Finds an entry that may be used, and takes a reference to its workspace. */
static struct workspace *look_up(struct registry *registry, void *const *tree, const void *key,
                                 int (*compare)(const void *, const void *))
{
    pthread_rwlock_rdlock(&registry->lock);
    struct listed *entry = find(tree, key, compare);
    struct workspace *workspace = entry && entry->active ? entry->workspace : NULL;
    if (workspace)
        atomic_fetch_add(&workspace->references, 1);
    pthread_rwlock_unlock(&registry->lock);
    return workspace;
}

struct workspace *registry_by_key(struct registry *registry,
                                  const unsigned char hash[KEY_HASH_SIZE])
{
    return look_up(registry, &registry->by_key, hash, compare_hashes);
}

struct workspace *registry_by_slug(struct registry *registry, const char *slug)
{
    return look_up(registry, &registry->by_slug, slug, compare_texts);
}

struct workspace *registry_by_name(struct registry *registry, const char *name)
{
    struct workspace *workspace = look_up(registry, &registry->by_id, name, compare_texts);
    return workspace ? workspace : registry_by_slug(registry, name);
}

struct workspace *registry_by_project(struct registry *registry, const char *project)
{
    return look_up(registry, &registry->by_project, project, compare_texts);
}

struct workspace *registry_default(struct registry *registry)
{
    return look_up(registry, &registry->by_id, DEFAULT_WORKSPACE, compare_texts);
}

void workspace_release(struct workspace *workspace)
{
    if (!workspace || atomic_fetch_sub(&workspace->references, 1) > 1)
        return;
    tdestroy(workspace->members, free);
    free(workspace);
}

bool registry_is_member(struct registry *registry, const struct workspace *workspace,
                        const char *email)
{
    char folded[EMAIL_SIZE];
    if (strlen(email) > EMAIL_MAX)
        return false;
    email_fold(email, folded);
    pthread_rwlock_rdlock(&registry->lock);
    bool is = tfind(folded, &workspace->members, compare_emails) != NULL;
    pthread_rwlock_unlock(&registry->lock);
    return is;
}

struct visit {
    void (*visit)(struct workspace *workspace, void *arg);
    void *arg;
};

static void visit_node(const void *node, VISIT order, void *closure)
{
    struct visit *visit = closure;
    if (order == postorder || order == leaf) /* each node once, in the order of its key */
        visit->visit((*(struct listed *const *)node)->workspace, visit->arg);
}

void registry_each(struct registry *registry, void (*visit)(struct workspace *workspace, void *arg),
                   void *arg)
{
    struct visit closure = {visit, arg};
    pthread_rwlock_rdlock(&registry->lock);
    twalk_r(registry->by_pk, visit_node, &closure);
    pthread_rwlock_unlock(&registry->lock);
}

int64_t workspace_now(const struct workspace *workspace)
{
    (void)workspace;
    return time_steady_ms();
}
