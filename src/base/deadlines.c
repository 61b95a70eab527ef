#include "base/deadlines.h"

#include "base/time.h"

#include <pthread.h>
#include <stdlib.h>

/* Calls of one deadlines_run(): it must return now and then, for its thread has more to do. */
enum { CALLS_MAX = 256 };

struct deadlines {
    pthread_mutex_t lock;
    struct heap heap;
    void (*wake)(void *arg);
    void *arg;
};

struct deadlines *deadlines_create(void)
{
    struct deadlines *deadlines = calloc(1, sizeof *deadlines);
    if (deadlines)
        pthread_mutex_init(&deadlines->lock, NULL);
    return deadlines;
}

void deadlines_destroy(struct deadlines *deadlines)
{
    if (!deadlines)
        return;
    pthread_mutex_destroy(&deadlines->lock);
    heap_finish(&deadlines->heap);
    free(deadlines);
}

/* With the lock held. */
static int64_t earliest(const struct deadlines *deadlines)
{
    const struct heap_entry *first = heap_first(&deadlines->heap);
    return first ? first->at : TIME_NEVER;
}

int deadlines_set(struct deadlines *deadlines, struct deadline *deadline, int64_t at)
{
    pthread_mutex_lock(&deadlines->lock);
    int64_t before = earliest(deadlines);
    int status = heap_put(&deadlines->heap, &deadline->entry, at);
    if (earliest(deadlines) < before && deadlines->wake)
        deadlines->wake(deadlines->arg);
    pthread_mutex_unlock(&deadlines->lock);
    return status;
}

bool deadlines_cancel(struct deadlines *deadlines, struct deadline *deadline)
{
    pthread_mutex_lock(&deadlines->lock);
    bool was_set = heap_remove(&deadlines->heap, &deadline->entry);
    pthread_mutex_unlock(&deadlines->lock);
    return was_set;
}

int64_t deadlines_run(struct deadlines *deadlines, int64_t now)
{
    pthread_mutex_lock(&deadlines->lock);
    for (int calls = 0; calls < CALLS_MAX && earliest(deadlines) <= now; calls++) {
        struct heap_entry *first = heap_first(&deadlines->heap);
        struct deadline *deadline = (struct deadline *)first;
        if (!first)
            break; /* `now` is TIME_NEVER */
        heap_remove(&deadlines->heap, first);
        pthread_mutex_unlock(&deadlines->lock);
        deadline->passed(deadline); /* from here on it may be gone */
        pthread_mutex_lock(&deadlines->lock);
    }
    int64_t next = earliest(deadlines);
    pthread_mutex_unlock(&deadlines->lock);
    return next;
}

void deadlines_on_sooner(struct deadlines *deadlines, void (*wake)(void *arg), void *arg)
{
    pthread_mutex_lock(&deadlines->lock);
    deadlines->wake = wake;
    deadlines->arg = arg;
    pthread_mutex_unlock(&deadlines->lock);
}
