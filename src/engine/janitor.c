/*
 * A request only notes when it was (workspace_enter), so a ttl can end later than was thought,
 * never earlier: the janitor sleeps until the earliest end that it knows of and then looks again.
 * It waits for each of its writes, so the writer serves everybody else between two steps.
 */
#include "engine/janitor.h"

#include "base/log.h"
#include "base/time.h"
#include "engine/admin.h"
#include "engine/internal.h"

#include <pthread.h>
#include <stdlib.h>

enum {
    LOOK_AGAIN_MS = 10,   /* a short ttl that requests keep alive does not make it spin */
    RETRY_MS = 1000,      /* when the store refuses */
    SLEEP_MAX_MS = 10000, /* the monotonic clock stands still while a laptop sleeps */
    EXPIRED_AT_ONCE = 64, /* deletions between two looks */
};

struct janitor {
    struct engine *engine;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool woken, stopping; /* under the lock */
};

struct look {
    int64_t now, next; /* the earliest end of a ttl that is yet to come */
    struct workspace *expired[EXPIRED_AT_ONCE];
    size_t count;
};

/* Under the registry's lock. */
static void look_at(struct workspace *workspace, void *arg)
{
    struct look *look = arg;
    if (!workspace->row.ttl)
        return;
    int64_t ends = workspace_used_at(workspace) + workspace->row.ttl;
    if (ends > look->now || look->count == EXPIRED_AT_ONCE) {
        if (ends < look->next)
            look->next = ends;
        return;
    }
    atomic_fetch_add(&workspace->references, 1);
    look->expired[look->count++] = workspace;
}

struct expiry {
    struct workspace_delete deletion;
    pthread_mutex_t lock;
    pthread_cond_t ended;
    bool done;
};

static void expiry_ended(void *arg)
{
    struct expiry *expiry = arg;
    pthread_mutex_lock(&expiry->lock);
    expiry->done = true;
    pthread_cond_signal(&expiry->ended);
    pthread_mutex_unlock(&expiry->lock);
}

static int delete_expired(struct janitor *janitor, struct workspace *workspace)
{
    struct expiry expiry = {.lock = PTHREAD_MUTEX_INITIALIZER, .ended = PTHREAD_COND_INITIALIZER};
    workspace_delete_init(&expiry.deletion, janitor->engine, workspace);
    expiry.deletion.if_unused = true;
    operation_submit(&expiry.deletion.operation, expiry_ended, &expiry);
    pthread_mutex_lock(&expiry.lock);
    while (!expiry.done)
        pthread_cond_wait(&expiry.ended, &expiry.lock);
    pthread_mutex_unlock(&expiry.lock);
    int status = expiry.deletion.operation.status;
    if (status == 0 && !expiry.deletion.kept)
        sender_forget(janitor->engine->sender, workspace, NULL, NULL);
    return status == ERR_GONE ? 0 : status;
}

/* Deletes what has expired; returns when to look again. */
static int64_t expire(struct janitor *janitor)
{
    struct look look = {.now = time_steady_ms(), .next = TIME_NEVER};
    int status = 0;
    registry_each(janitor->engine->registry, look_at, &look);
    for (size_t i = 0; i < look.count; i++) {
        if (status == 0)
            status = delete_expired(janitor, look.expired[i]);
        workspace_release(look.expired[i]);
    }
    if (status < 0)
        return look.now + RETRY_MS;
    return look.next < look.now + LOOK_AGAIN_MS ? look.now + LOOK_AGAIN_MS : look.next;
}

struct step {
    struct write write;
    bool more;
};

static int step_run(struct write *write, struct db *db)
{
    return workspace_purge(db, &((struct step *)write)->more);
}

/* One step; whether there is another one. */
static bool purge(struct janitor *janitor)
{
    struct step step = {.write = {.run = step_run}};
    return store_write(janitor->engine->store, &step.write) == 0 && step.more;
}

/* With the lock held. */
static void sleep_until(struct janitor *janitor, int64_t at)
{
    int64_t left = at == TIME_NEVER ? SLEEP_MAX_MS : at - time_steady_ms();
    time_wait(&janitor->wake, &janitor->lock, left < SLEEP_MAX_MS ? left : SLEEP_MAX_MS);
}

static void *janitor_main(void *arg)
{
    struct janitor *janitor = arg;
    bool more = true;
    pthread_mutex_lock(&janitor->lock);
    while (!janitor->stopping) {
        janitor->woken = false;
        pthread_mutex_unlock(&janitor->lock);
        int64_t next = expire(janitor);
        more = purge(janitor);
        pthread_mutex_lock(&janitor->lock);
        if (!more && !janitor->woken && !janitor->stopping)
            sleep_until(janitor, next);
    }
    pthread_mutex_unlock(&janitor->lock);
    return NULL;
}

int janitor_start(struct engine *engine, struct janitor **ret_janitor, struct err *err)
{
    struct janitor *janitor = calloc(1, sizeof *janitor);
    if (!janitor)
        return err_set(err, ERR_NO_MEMORY, "out of memory");
    janitor->engine = engine;
    pthread_mutex_init(&janitor->lock, NULL);
    time_init_wake(&janitor->wake);
    if (pthread_create(&janitor->thread, NULL, janitor_main, janitor) != 0) {
        free(janitor);
        return err_set(err, ERR_INTERNAL, "cannot start the janitor's thread");
    }
    *ret_janitor = janitor;
    return 0;
}

void janitor_stop(struct janitor *janitor)
{
    if (!janitor)
        return;
    pthread_mutex_lock(&janitor->lock);
    janitor->stopping = true;
    pthread_cond_signal(&janitor->wake);
    pthread_mutex_unlock(&janitor->lock);
    pthread_join(janitor->thread, NULL);
    pthread_cond_destroy(&janitor->wake);
    pthread_mutex_destroy(&janitor->lock);
    free(janitor);
}

void janitor_wake(struct janitor *janitor)
{
    pthread_mutex_lock(&janitor->lock);
    janitor->woken = true;
    pthread_cond_signal(&janitor->wake);
    pthread_mutex_unlock(&janitor->lock);
}
