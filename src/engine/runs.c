/*
 * Reading adds up tallies of thousands of jobs, and those who begin and end workspaces, the writer
 * among them, are not to wait for that. So a reader notes under the lock whose tallies there are
 * and adds them up without it; the workspaces that leave meanwhile stay where they are until it is
 * done. There is one reader at a time, so that those who left are never kept for long.
 */
#include "engine/runs.h"

#include "base/hash.h"
#include "base/heap.h"
#include "store/workspace.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* There may be as many as workspaces that live, so none of what is done with each looks at all. */
struct run {
    struct run *previous, *next; /* in the order in which they came */
    struct run *next_alike;      /* in the same bucket */
    int64_t number;              /* the how manieth that came */
    struct heap_entry idle;      /* by the number, while it has no places */
    char label[RUN_SIZE];        /* "": of those without */
    struct run_place *places;    /* of the workspaces that have not ended */
    struct tally *ended;         /* what the others have counted; NULL: there are none */
    int64_t workspaces;          /* of the others, those that have counted any request */
    int64_t details;             /* what is told one by one in `ended` */
};

struct run_place {
    struct runs *runs;
    struct run *run;
    struct run_place *previous, *next; /* of the same run */
    struct run_place *next_left;       /* of those that left while somebody read */
    struct tally *tally;
};

struct runs {
    pthread_mutex_t lock;
    pthread_mutex_t reading; /* taken before the other */
    struct run nameless;     /* the first of all */
    struct run *last;
    struct run **buckets; /* by their labels, but for the nameless one; a power of two */
    size_t bucket_count;
    struct heap idle;          /* that may be forgotten */
    int64_t came;              /* runs, ever */
    size_t count, place_count; /* of runs, but for the nameless one; of all places */
    int64_t details, forgotten;
    bool is_read;
    struct run_place *left; /* while it is read */
};

struct runs *runs_create(void)
{
    struct runs *runs = calloc(1, sizeof *runs);
    if (!runs)
        return NULL;
    pthread_mutex_init(&runs->lock, NULL);
    pthread_mutex_init(&runs->reading, NULL);
    runs->last = &runs->nameless;
    return runs;
}

void runs_destroy(struct runs *runs)
{
    if (!runs)
        return;
    for (struct run *run = runs->nameless.next, *next; run; run = next) {
        next = run->next;
        tally_destroy(run->ended);
        free(run);
    }
    tally_destroy(runs->nameless.ended);
    heap_finish(&runs->idle);
    free(runs->buckets);
    pthread_mutex_destroy(&runs->reading);
    pthread_mutex_destroy(&runs->lock);
    free(runs);
}

/* -- by their labels, under the lock ----------------------------------------------------------- */

static struct run **bucket_of(const struct runs *runs, const char *label)
{
    return &runs->buckets[hash_bytes(label, strlen(label)) & (runs->bucket_count - 1)];
}

static struct run *find(struct runs *runs, const char *label)
{
    if (!*label)
        return &runs->nameless;
    struct run *run = runs->bucket_count ? *bucket_of(runs, label) : NULL;
    while (run && strcmp(run->label, label) != 0)
        run = run->next_alike;
    return run;
}

static void put_in_bucket(struct runs *runs, struct run *run)
{
    struct run **bucket = bucket_of(runs, run->label);
    run->next_alike = *bucket;
    *bucket = run;
}

static void take_from_bucket(struct runs *runs, const struct run *run)
{
    struct run **place = bucket_of(runs, run->label);
    while (*place != run)
        place = &(*place)->next_alike;
    *place = run->next_alike;
}

/* Sees to it that there are buckets, and not many runs in each. False: there are none. */
static bool make_buckets(struct runs *runs)
{
    enum { FIRST = 64 };
    if (runs->count < runs->bucket_count)
        return true;
    size_t count = runs->bucket_count ? runs->bucket_count * 2 : FIRST;
    struct run **buckets = calloc(count, sizeof(struct run *));
    if (!buckets)
        return runs->bucket_count > 0;
    free(runs->buckets);
    runs->buckets = buckets;
    runs->bucket_count = count;
    for (struct run *run = runs->nameless.next; run; run = run->next)
        put_in_bucket(runs, run);
    return true;
}

/* -- under the lock, while nobody reads -------------------------------------------------------- */

static void count_details(struct runs *runs, struct run *run)
{
    struct tally_counts counts;
    runs->details -= run->details;
    tally_counts(run->ended, &counts);
    run->details = counts.polling.jobs < TALLY_JOBS_MAX ? counts.polling.jobs : TALLY_JOBS_MAX;
    run->details += counts.ids.total < TALLY_IDS_MAX ? counts.ids.total : TALLY_IDS_MAX;
    runs->details += run->details;
}

/* Takes a tally over, of a workspace or a run that has ended. */
static void take_in(struct runs *runs, struct run *run, struct tally *tally, int64_t workspaces)
{
    run->workspaces += workspaces;
    if (run->ended) {
        tally_merge(run->ended, tally);
        tally_destroy(tally);
    } else {
        tally_reset(tally); /* what it counts now is over */
        run->ended = tally;
    }
    if (run != &runs->nameless) /* which is bounded by itself */
        count_details(runs, run);
}

static void forget(struct runs *runs, struct run *run)
{
    heap_remove(&runs->idle, &run->idle);
    take_from_bucket(runs, run);
    run->previous->next = run->next;
    *(run->next ? &run->next->previous : &runs->last) = run->previous;
    runs->count--;
    runs->details -= run->details;
    runs->forgotten++;
    if (run->ended)
        take_in(runs, &runs->nameless, run->ended, run->workspaces);
    free(run);
}

static void make_room(struct runs *runs)
{
    struct heap_entry *oldest;
    while ((runs->count > RUNS_MAX || runs->details > RUNS_DETAILS_MAX) &&
           (oldest = heap_first(&runs->idle)))
        forget(runs, HEAP_OWNER(oldest, struct run, idle));
}

static bool has_requests(struct tally *tally)
{
    struct tally_counts counts;
    tally_counts(tally, &counts);
    return counts.requests > 0;
}

static void end(struct run_place *place)
{
    struct runs *runs = place->runs;
    struct run *run = place->run;
    *(place->previous ? &place->previous->next : &run->places) = place->next;
    if (place->next)
        place->next->previous = place->previous;
    runs->place_count--;
    take_in(runs, run, place->tally, has_requests(place->tally));
    if (!run->places && run != &runs->nameless)
        heap_put(&runs->idle, &run->idle, run->number); /* without memory, it stays for now */
    free(place);
}

/* -- entering and leaving ---------------------------------------------------------------------- */

/* NULL: out of memory. */
static struct run *find_or_add(struct runs *runs, const char *label)
{
    struct run *run = find(runs, label);
    if (run || !make_buckets(runs))
        return run;
    run = calloc(1, sizeof *run);
    if (!run)
        return NULL;
    snprintf(run->label, sizeof run->label, "%s", label);
    run->number = ++runs->came;
    put_in_bucket(runs, run);
    run->previous = runs->last;
    runs->last->next = run;
    runs->last = run;
    runs->count++;
    return run;
}

struct run_place *runs_enter(struct runs *runs, const char *label, struct tally *tally)
{
    struct run_place *place = calloc(1, sizeof *place);
    if (!place)
        return NULL;
    pthread_mutex_lock(&runs->lock);
    struct run *run = find_or_add(runs, label);
    if (run) {
        *place = (struct run_place){.runs = runs, .run = run, .next = run->places, .tally = tally};
        if (run->places)
            run->places->previous = place;
        run->places = place;
        heap_remove(&runs->idle, &run->idle);
        runs->place_count++;
        if (!runs->is_read)
            make_room(runs);
    }
    pthread_mutex_unlock(&runs->lock);
    if (!run) {
        free(place);
        return NULL;
    }
    return place;
}

void runs_leave(struct run_place *place)
{
    if (!place)
        return;
    struct runs *runs = place->runs;
    pthread_mutex_lock(&runs->lock);
    if (runs->is_read) {
        place->next_left = runs->left;
        runs->left = place;
    } else {
        end(place);
        make_room(runs);
    }
    pthread_mutex_unlock(&runs->lock);
}

/* -- reading ----------------------------------------------------------------------------------- */

struct sources {
    struct tally **live, **ended;
    size_t live_count, ended_count;
};

static void add_sources(const struct run *run, struct sources *sources)
{
    if (run->ended)
        sources->ended[sources->ended_count++] = run->ended;
    for (const struct run_place *place = run->places; place; place = place->next)
        sources->live[sources->live_count++] = place->tally;
}

/* Notes whose tallies are to be read, which from then on stay where they are. */
static int begin_reading(struct runs *runs, const char *label, struct sources *sources,
                         int64_t *io_workspaces)
{
    const struct run *only = label && *label ? find(runs, label) : NULL;
    if (label && !only)
        return ERR_NOT_FOUND;
    sources->live = calloc(runs->place_count + 1, sizeof(struct tally *));
    sources->ended = calloc(runs->count + 1, sizeof(struct tally *));
    if (!sources->live || !sources->ended)
        return ERR_NO_MEMORY;
    for (const struct run *run = only ? only : &runs->nameless; run;
         run = only ? NULL : run->next) {
        add_sources(run, sources);
        *io_workspaces += run->workspaces;
    }
    runs->is_read = true;
    return 0;
}

static void end_reading(struct runs *runs)
{
    runs->is_read = false;
    while (runs->left) {
        struct run_place *place = runs->left;
        runs->left = place->next_left;
        end(place);
    }
    make_room(runs);
}

static void add_up(const struct sources *sources, struct tally *sum, int64_t *io_workspaces)
{
    for (size_t i = 0; i < sources->ended_count; i++)
        tally_merge(sum, sources->ended[i]);
    for (size_t i = 0; i < sources->live_count; i++) {
        tally_merge(sum, sources->live[i]);
        *io_workspaces += has_requests(sources->live[i]);
    }
}

int runs_read(struct runs *runs, const char *label, struct tally *sum, int64_t *io_workspaces)
{
    struct sources sources = {.live = NULL};
    pthread_mutex_lock(&runs->reading);
    pthread_mutex_lock(&runs->lock);
    int status = begin_reading(runs, label, &sources, io_workspaces);
    pthread_mutex_unlock(&runs->lock);
    if (status == 0) {
        add_up(&sources, sum, io_workspaces);
        pthread_mutex_lock(&runs->lock);
        end_reading(runs);
        pthread_mutex_unlock(&runs->lock);
    }
    pthread_mutex_unlock(&runs->reading);
    free(sources.live);
    free(sources.ended);
    return status;
}

int64_t runs_each_label(struct runs *runs, size_t most, void (*visit)(const char *label, void *arg),
                        void *arg)
{
    pthread_mutex_lock(&runs->lock);
    for (const struct run *run = runs->nameless.next; run && most-- > 0; run = run->next)
        visit(run->label, arg);
    int64_t forgotten = runs->forgotten;
    pthread_mutex_unlock(&runs->lock);
    return forgotten;
}
