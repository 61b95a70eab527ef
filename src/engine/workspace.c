/* Making workspaces in memory, and finding them (engine/workspace.h; engine/registry.h on how). */
#include "engine/feed.h"
#include "engine/journal.h"
#include "engine/registry.h"

#include "base/glob.h"
#include "base/time.h"
#include "engine/rates.h"
#include "engine/rule_set.h"
#include "engine/runs.h"
#include "engine/tally.h"

#include <pthread.h>
#include <search.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int compare_texts(const void *a, const void *b)
{
    return strcmp(((const struct listed *)a)->key, ((const struct listed *)b)->key);
}

int compare_hashes(const void *a, const void *b)
{
    return memcmp(((const struct listed *)a)->key, ((const struct listed *)b)->key, KEY_HASH_SIZE);
}

int compare_pks(const void *a, const void *b)
{
    int64_t first = *(const int64_t *)((const struct listed *)a)->key;
    int64_t second = *(const int64_t *)((const struct listed *)b)->key;
    return (first > second) - (first < second);
}

int compare_emails(const void *a, const void *b)
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

void registry_keep_journals(struct registry *registry, struct journals *journals, struct runs *runs)
{
    registry->journals = journals;
    registry->runs = runs;
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

struct listed *registry_find(void *const *tree, const void *key,
                             int (*compare)(const void *, const void *))
{
    struct listed wanted = {.key = key};
    struct listed **place = tfind(&wanted, tree, compare);
    return place ? *place : NULL;
}

/* What a row says, the parts that change; under the lock, once it is shared. */
void registry_take_row(const struct registry *registry, struct workspace *workspace,
                       const struct workspace_row *row)
{
    const struct settings_row *own = &row->settings;
    struct settings *settings = &workspace->settings;
    struct workspace_row *kept = &workspace->row; /* whose names are read without the lock */
    memcpy(kept->name, row->name, sizeof kept->name);
    memcpy(kept->seed, row->seed, sizeof kept->seed);
    kept->active = row->active;
    kept->ttl = row->ttl;
    kept->settings = *own;
    *settings = registry->settings;
    if (own->given & GIVEN_QUEUE_TIME)
        settings->queue_time = own->queue_time;
    if (own->given & GIVEN_PROCESSING_TIME)
        settings->processing_time = own->processing_time;
    if (own->given & GIVEN_MAX_PROCESSING)
        settings->max_processing = own->max_processing;
    if (own->given & GIVEN_MAGIC)
        settings->magic = own->magic;
    settings->jitter = own->jitter;
    settings->room_since = own->room_since;
    atomic_store(&workspace->active, row->active);
    atomic_store(&workspace->magic, settings->magic);
    atomic_store(&workspace->any_key, own->any_key);
    atomic_store(&workspace->lint_ignored, own->lint_ignored);
    if (workspace->tally)
        tally_ignore(workspace->tally, own->lint_ignored);
    atomic_store(&workspace->limited,
                 own->rate.per_minute || own->rate.per_day || own->rate.creations_per_minute);
}

/* False: out of memory. */
static bool add_journal(const struct registry *registry, const struct workspace_row *row,
                        struct workspace *workspace)
{
    if (!journals_are_on(registry->journals))
        return true;
    workspace->journal = journal_create(registry->journals);
    workspace->tally = workspace->journal ? tally_create() : NULL;
    if (workspace->tally)
        workspace->place = runs_enter(registry->runs, row->run, workspace->tally);
    if (!workspace->place)
        tally_destroy(workspace->tally);
    return workspace->place != NULL;
}

static struct workspace *create(const struct registry *registry, const struct workspace_row *row,
                                int64_t jobs)
{
    struct workspace *workspace = calloc(1, sizeof *workspace);
    if (workspace)
        workspace->rates = rates_create();
    if (!workspace || !workspace->rates || !add_journal(registry, row, workspace)) {
        if (workspace) {
            rates_destroy(workspace->rates);
            journal_destroy(workspace->journal);
        }
        free(workspace);
        return NULL;
    }
    workspace->row = *row;
    registry_take_row(registry, workspace, row);
    clock_share(&workspace->clock, &row->clock);
    events_init(&workspace->events, jobs);
    atomic_init(&workspace->past.jobs, jobs);
    pthread_mutex_init(&workspace->rules_lock, NULL);
    atomic_init(&workspace->used_at, time_steady_ms());
    workspace->due_at = TIME_NEVER;
    atomic_init(&workspace->references, 1);
    return workspace;
}

int registry_prepare_workspace(struct registry *registry, const struct workspace_row *row,
                               int64_t jobs, struct workspace **ret_workspace)
{
    struct workspace *workspace = create(registry, row, jobs);
    if (!workspace)
        return ERR_NO_MEMORY;
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
    registry->count += owned;
    pthread_rwlock_unlock(&registry->lock);
    if (!owned)
        workspace_release(workspace);
    else if (status == 0)
        *ret_workspace = workspace;
    return status;
}

void registry_announce_workspace(struct registry *registry, struct workspace *workspace)
{
    pthread_rwlock_wrlock(&registry->lock);
    workspace->announced = true;
    pthread_rwlock_unlock(&registry->lock);
}

int registry_add_workspace(struct registry *registry, const struct workspace_row *row, int64_t jobs,
                           int64_t started_at)
{
    struct workspace *workspace;
    int status = registry_prepare_workspace(registry, row, jobs, &workspace);
    if (status == 0) {
        atomic_store(&workspace->past.started_at, started_at);
        atomic_store(&workspace->past.stored, started_at != 0);
        registry_announce_workspace(registry, workspace);
    }
    return status;
}

int registry_add_key(struct registry *registry, const struct key_row *row)
{
    int status = ERR_NOT_FOUND;
    pthread_rwlock_wrlock(&registry->lock);
    struct listed *owner = registry_find(&registry->by_pk, &row->workspace, compare_pks);
    struct listed *entry = owner ? calloc(1, sizeof *entry) : NULL;
    if (entry) {
        memcpy(entry->hash, row->hash, sizeof entry->hash);
        entry->key = entry->hash;
        entry->workspace = owner->workspace;
        entry->active = row->active;
        struct listed **place = tsearch(entry, &registry->by_key, compare_hashes);
        status = place ? 0 : ERR_NO_MEMORY;
        if (place && *place == entry) {
            entry->next = owner->workspace->keys;
            owner->workspace->keys = entry;
        } else {
            free(entry);
        }
    } else if (owner) {
        status = ERR_NO_MEMORY;
    }
    pthread_rwlock_unlock(&registry->lock);
    return status;
}

/* Adds an address or a glob; a known address is fine. */
static int add_member(struct workspace *workspace, const char *email)
{
    if (strchr(email, '*')) {
        struct glob *glob = calloc(1, sizeof *glob);
        if (!glob)
            return ERR_NO_MEMORY;
        snprintf(glob->pattern, sizeof glob->pattern, "%s", email);
        glob->next = workspace->globs;
        workspace->globs = glob;
        return 0;
    }
    char *copy = strdup(email);
    char **place = copy ? tsearch(copy, &workspace->members, compare_emails) : NULL;
    if (!place || *place != copy)
        free(copy);
    return place ? 0 : ERR_NO_MEMORY;
}

int registry_add_member(struct registry *registry, const struct member_row *row)
{
    int status = ERR_NOT_FOUND;
    pthread_rwlock_wrlock(&registry->lock);
    struct listed *owner = registry_find(&registry->by_pk, &row->workspace, compare_pks);
    if (owner)
        status = add_member(owner->workspace, row->email);
    pthread_rwlock_unlock(&registry->lock);
    return status;
}

/* Finds an entry that may be used, and takes a reference to its workspace. */
static struct workspace *look_up(struct registry *registry, void *const *tree, const void *key,
                                 int (*compare)(const void *, const void *))
{
    pthread_rwlock_rdlock(&registry->lock);
    struct listed *entry = registry_find(tree, key, compare);
    bool is_there = entry && entry->active && entry->workspace->announced;
    struct workspace *workspace = is_there ? entry->workspace : NULL;
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

bool registry_knows_key(struct registry *registry, const unsigned char hash[KEY_HASH_SIZE])
{
    pthread_rwlock_rdlock(&registry->lock);
    const struct listed *entry = registry_find(&registry->by_key, hash, compare_hashes);
    bool knows = entry && entry->workspace->announced;
    pthread_rwlock_unlock(&registry->lock);
    return knows;
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

struct workspace *registry_by_pk(struct registry *registry, int64_t pk)
{
    return look_up(registry, &registry->by_pk, &pk, compare_pks);
}

void workspace_free_members(struct workspace *workspace)
{
    tdestroy(workspace->members, free);
    workspace->members = NULL;
    for (struct glob *glob = workspace->globs, *next; glob; glob = next) {
        next = glob->next;
        free(glob);
    }
    workspace->globs = NULL;
}

void workspace_release(struct workspace *workspace)
{
    if (!workspace || atomic_fetch_sub(&workspace->references, 1) > 1)
        return;
    workspace_free_members(workspace);
    rates_destroy(workspace->rates);
    journal_destroy(workspace->journal);
    runs_leave(workspace->place);
    feed_destroy(atomic_load(&workspace->feed));
    events_finish(&workspace->events);
    rule_set_release(atomic_load(&workspace->rules));
    pthread_mutex_destroy(&workspace->rules_lock);
    free(workspace);
}

static bool fits_glob(const struct workspace *workspace, const char *folded)
{
    for (const struct glob *glob = workspace->globs; glob; glob = glob->next)
        if (glob_fits(glob->pattern, folded))
            return true;
    return false;
}

bool registry_is_member(struct registry *registry, const struct workspace *workspace,
                        const char *email)
{
    char folded[EMAIL_SIZE];
    if (strlen(email) > EMAIL_MAX)
        return false;
    email_fold(email, folded);
    pthread_rwlock_rdlock(&registry->lock);
    bool is = tfind(folded, &workspace->members, compare_emails) || fits_glob(workspace, folded);
    pthread_rwlock_unlock(&registry->lock);
    return is;
}

bool registry_lists_member(struct registry *registry, const struct workspace *workspace,
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

/* -- reads ------------------------------------------------------------------------------------- */

void registry_read_row(struct registry *registry, const struct workspace *workspace,
                       struct workspace_row *ret_row)
{
    pthread_rwlock_rdlock(&registry->lock);
    *ret_row = workspace->row;
    pthread_rwlock_unlock(&registry->lock);
}

size_t registry_count(struct registry *registry)
{
    pthread_rwlock_rdlock(&registry->lock);
    size_t count = registry->count;
    pthread_rwlock_unlock(&registry->lock);
    return count;
}

const struct settings *registry_defaults(const struct registry *registry)
{
    return &registry->settings;
}

int64_t workspace_enter(struct workspace *workspace, unsigned *ret_turn)
{
    atomic_store_explicit(&workspace->used_at, time_steady_ms(), memory_order_relaxed);
    int64_t before = atomic_fetch_add_explicit(&workspace->requests, 1, memory_order_relaxed);
    *ret_turn = events_begin_request(workspace);
    return before + 1;
}

void workspace_leave(struct workspace *workspace, unsigned turn)
{
    events_end_request(workspace, turn);
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

int workspace_is_gone(struct db *db, const struct workspace *workspace, bool *ret_gone)
{
    struct workspace_row row;
    *ret_gone = atomic_load(&workspace->gone);
    if (*ret_gone || !workspace->buried)
        return 0;
    *ret_gone = workspace->buried_rollbacks == db_rollbacks(db);
    if (*ret_gone)
        return 0;
    /* Something was rolled back since, perhaps the deletion. */
    int status = workspace_read(db, workspace->row.pk, &row);
    *ret_gone = status == ERR_NOT_FOUND;
    return *ret_gone ? 0 : status;
}
