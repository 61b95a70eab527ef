/* What a commit changes about workspaces, taken over in memory (engine/workspace.h). */
#include "engine/registry.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

void registry_update_workspace(struct registry *registry, struct workspace *workspace,
                               const struct workspace_row *row)
{
    pthread_rwlock_wrlock(&registry->lock);
    registry_take_row(registry, workspace, row);
    pthread_rwlock_unlock(&registry->lock);
}

/* Takes an entry out of a tree and frees it. */
static void drop(void **tree, const void *key, int (*compare)(const void *, const void *))
{
    struct listed *entry = registry_find(tree, key, compare);
    if (!entry)
        return;
    tdelete(entry, tree, compare);
    free(entry);
}

static void drop_keys(struct registry *registry, struct workspace *workspace)
{
    for (struct listed *key = workspace->keys, *next; key; key = next) {
        next = key->next;
        drop(&registry->by_key, key->key, compare_hashes);
    }
    workspace->keys = NULL;
}

void registry_remove_keys(struct registry *registry, struct workspace *workspace)
{
    pthread_rwlock_wrlock(&registry->lock);
    drop_keys(registry, workspace);
    pthread_rwlock_unlock(&registry->lock);
}

void registry_remove_members(struct registry *registry, struct workspace *workspace)
{
    pthread_rwlock_wrlock(&registry->lock);
    workspace_free_members(workspace);
    pthread_rwlock_unlock(&registry->lock);
}

void registry_remove_workspace(struct registry *registry, struct workspace *workspace)
{
    const struct workspace_row *row = &workspace->row;
    pthread_rwlock_wrlock(&registry->lock);
    drop_keys(registry, workspace);
    drop(&registry->by_id, row->id, compare_texts);
    drop(&registry->by_slug, row->slug, compare_texts);
    drop(&registry->by_project, row->project_id, compare_texts);
    drop(&registry->by_pk, &row->pk, compare_pks);
    registry->count--;
    pthread_rwlock_unlock(&registry->lock);
    workspace_release(workspace);
}

void registry_update_key(struct registry *registry, const struct key_row *row)
{
    pthread_rwlock_wrlock(&registry->lock);
    struct listed *entry = registry_find(&registry->by_key, row->hash, compare_hashes);
    if (entry)
        entry->active = row->active;
    pthread_rwlock_unlock(&registry->lock);
}

void registry_remove_key(struct registry *registry, const unsigned char hash[KEY_HASH_SIZE])
{
    pthread_rwlock_wrlock(&registry->lock);
    struct listed *entry = registry_find(&registry->by_key, hash, compare_hashes);
    if (entry) {
        struct listed **place = &entry->workspace->keys;
        while (*place != entry)
            place = &(*place)->next;
        *place = entry->next;
        drop(&registry->by_key, hash, compare_hashes);
    }
    pthread_rwlock_unlock(&registry->lock);
}

void registry_remove_member(struct registry *registry, struct workspace *workspace,
                            const char *email)
{
    pthread_rwlock_wrlock(&registry->lock);
    char **place = tfind(email, &workspace->members, compare_emails);
    if (place) {
        char *copy = *place;
        tdelete(email, &workspace->members, compare_emails);
        free(copy);
    }
    for (struct glob **at = &workspace->globs; *at; at = &(*at)->next) {
        struct glob *glob = *at;
        if (strcmp(glob->pattern, email) != 0)
            continue;
        *at = glob->next;
        free(glob);
        break;
    }
    pthread_rwlock_unlock(&registry->lock);
}
