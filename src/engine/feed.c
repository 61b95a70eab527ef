/*
 * An event is made as the bytes that are sent, once, and shared by reference. Who tells it puts it
 * into the ring and has the listeners be woken: not by himself, since a thousand of them take a
 * while and he may be the writer, but by a deadline that all feeds share, some milliseconds after
 * the last time, and the later the more there are. So what it costs to wake them has a bound,
 * however much happens.
 *
 * Locks are taken in this order: a feed's, the one of all feeds, what `wake` takes, the deadlines'.
 */
#include "engine/feed.h"

#include "base/time.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    /* "id: " and a number of 16 digits, up to the year 2286, go before an event when it gets it. */
    ID_ROOM = 28,
    /* Between two wakings, for each hundred listeners: 20,000 of them a second in all. */
    GAP_MS = 5,
    LISTENERS_A_GAP = 100,
    /* Numbers begin at the time in units of this part of a millisecond: so those of a server that
       was started again are greater than those before. */
    NUMBERS_A_MS = 1000,
};

struct feed_item {
    struct feed_item *next; /* of notes */
    atomic_int references;
    int64_t number;
    size_t start, end; /* of `bytes` */
    char bytes[];
};

struct feed {
    struct feeds *feeds;
    struct workspace *workspace;
    pthread_mutex_t lock;
    struct feed_item *ring[FEED_KEPT];
    size_t first, count, bytes;
    int64_t begun, newest; /* numbers: before the first event ever, and of the last one */
    struct feed_listener *listeners;
    bool ended;
    bool announced;           /* its listeners are about to be woken */
    struct feed *next;        /* of those, under the lock of all feeds */
    struct feed_notes staged; /* the writer's thread */
};

struct feeds {
    struct deadlines *deadlines;
    atomic_llong listeners;
    atomic_bool exist;
    pthread_mutex_t lock;
    struct feed *first; /* whose listeners are to be woken; with a reference to the workspace */
    struct deadline deadline;
    bool set;
    int64_t woken_at;
};

/* -- events ------------------------------------------------------------------------------------ */

static struct feed_item *create(const char *type, struct buf *data)
{
    size_t len;
    char *text = buf_take(data, &len);
    size_t room = ID_ROOM + strlen(type) + len + sizeof "event: \ndata: \n\n";
    struct feed_item *item = text ? malloc(sizeof *item + room) : NULL;
    if (item) {
        *item = (struct feed_item){.start = ID_ROOM};
        atomic_init(&item->references, 1);
        item->end = ID_ROOM + (size_t)snprintf(item->bytes + ID_ROOM, room - ID_ROOM,
                                               "event: %s\ndata: %s\n\n", type, text);
    }
    free(text);
    return item;
}

static void release(struct feed_item *item)
{
    if (item && atomic_fetch_sub(&item->references, 1) == 1)
        free(item);
}

static void number(struct feed_item *item, int64_t value)
{
    char line[ID_ROOM];
    int len = snprintf(line, sizeof line, "id: %lld\n", (long long)value);
    item->number = value;
    item->start = ID_ROOM - (size_t)len;
    memcpy(item->bytes + item->start, line, (size_t)len);
}

/* -- waking ------------------------------------------------------------------------------------ */

static void wake_listeners(struct feed *feed)
{
    pthread_mutex_lock(&feed->lock);
    feed->announced = false;
    for (struct feed_listener *listener = feed->listeners; listener; listener = listener->next)
        listener->wake(listener->arg);
    pthread_mutex_unlock(&feed->lock);
}

static void passed(struct deadline *deadline)
{
    struct feeds *feeds = (struct feeds *)((char *)deadline - offsetof(struct feeds, deadline));
    pthread_mutex_lock(&feeds->lock);
    struct feed *feed = feeds->first;
    feeds->first = NULL;
    feeds->set = false;
    feeds->woken_at = time_steady_ms();
    pthread_mutex_unlock(&feeds->lock);
    for (struct feed *next; feed; feed = next) {
        next = feed->next; /* once announced anew, it is in another list */
        struct workspace *workspace = feed->workspace;
        wake_listeners(feed);
        workspace_release(workspace);
    }
}

/* With the feed's lock held. */
static void announce(struct feed *feed)
{
    struct feeds *feeds = feed->feeds;
    if (!feed->listeners || feed->announced)
        return;
    feed->announced = true;
    atomic_fetch_add(&feed->workspace->references, 1);
    pthread_mutex_lock(&feeds->lock);
    feed->next = feeds->first;
    feeds->first = feed;
    if (!feeds->set) {
        int64_t gap = GAP_MS * (1 + feeds_listeners(feeds) / LISTENERS_A_GAP);
        int64_t at = feeds->woken_at + gap, now = time_steady_ms();
        feeds->set = deadlines_set(feeds->deadlines, &feeds->deadline, at > now ? at : now) == 0;
    }
    pthread_mutex_unlock(&feeds->lock);
}

/* -- those of a server ------------------------------------------------------------------------- */

struct feeds *feeds_create(struct deadlines *deadlines)
{
    struct feeds *feeds = calloc(1, sizeof *feeds);
    if (!feeds)
        return NULL;
    feeds->deadlines = deadlines;
    feeds->deadline.passed = passed;
    pthread_mutex_init(&feeds->lock, NULL);
    return feeds;
}

void feeds_destroy(struct feeds *feeds)
{
    if (!feeds)
        return;
    for (struct feed *feed = feeds->first, *next; feed; feed = next) {
        next = feed->next;
        workspace_release(feed->workspace);
    }
    pthread_mutex_destroy(&feeds->lock);
    free(feeds);
}

bool feeds_exist(const struct feeds *feeds)
{
    return atomic_load(&feeds->exist);
}

int64_t feeds_listeners(const struct feeds *feeds)
{
    return atomic_load(&feeds->listeners);
}

static struct feed *make(struct feeds *feeds, struct workspace *workspace)
{
    struct feed *feed = calloc(1, sizeof *feed);
    if (!feed)
        return NULL;
    feed->feeds = feeds;
    feed->workspace = workspace;
    feed->begun = feed->newest = time_steady_ms() * NUMBERS_A_MS;
    pthread_mutex_init(&feed->lock, NULL);
    return feed;
}

struct feed *feeds_of(struct feeds *feeds, struct workspace *workspace)
{
    struct feed *known = atomic_load(&workspace->feed);
    if (known)
        return known;
    struct feed *feed = make(feeds, workspace);
    if (!feed || !atomic_compare_exchange_strong(&workspace->feed, &known, feed)) {
        feed_destroy(feed); /* somebody else was first */
        return known;
    }
    atomic_store(&feeds->exist, true);
    /* Whoever deletes the workspace either sees the feed, or is seen here. */
    if (atomic_load(&workspace->gone))
        feed_tell_deleted(workspace);
    return feed;
}

void feed_destroy(struct feed *feed)
{
    if (!feed)
        return;
    for (size_t i = 0; i < feed->count; i++)
        release(feed->ring[(feed->first + i) % FEED_KEPT]);
    feed_drop_notes(&feed->staged);
    pthread_mutex_destroy(&feed->lock);
    free(feed);
}

bool workspace_has_feed(const struct workspace *workspace)
{
    return atomic_load(&workspace->feed) != NULL;
}

/* -- the ring, under the lock ------------------------------------------------------------------ */

static void forget_oldest(struct feed *feed)
{
    struct feed_item *item = feed->ring[feed->first];
    feed->first = (feed->first + 1) % FEED_KEPT;
    feed->count--;
    feed->bytes -= item->end - item->start;
    release(item);
}

static void append(struct feed *feed, struct feed_item *item)
{
    number(item, ++feed->newest);
    if (feed->count == FEED_KEPT)
        forget_oldest(feed);
    feed->ring[(feed->first + feed->count++) % FEED_KEPT] = item;
    feed->bytes += item->end - item->start;
    while (feed->bytes > FEED_BYTES_MAX && feed->count > 1)
        forget_oldest(feed);
}

/* The number of the last event that is not kept any more. */
static int64_t before_oldest(const struct feed *feed)
{
    return feed->newest - (int64_t)feed->count;
}

/* -- listening --------------------------------------------------------------------------------- */

/* Where a listener begins, under the lock; *ret_lost is what it has lost. */
static int64_t begin_at(const struct feed *feed, int64_t after, int64_t *ret_lost)
{
    int64_t gone = before_oldest(feed);
    *ret_lost = 0;
    if (after == FEED_NOW) /* that the workspace is deleted, it is told all the same */
        return feed->ended ? feed->newest - 1 : feed->newest;
    if (after < feed->begun || after > feed->newest)
        *ret_lost = FEED_FOREIGN;
    else if (after < gone)
        *ret_lost = gone - after;
    return *ret_lost ? gone : after;
}

int64_t feed_listen(struct feed *feed, struct feed_listener *listener, int64_t after)
{
    int64_t lost;
    pthread_mutex_lock(&feed->lock);
    listener->read = begin_at(feed, after, &lost);
    listener->feed = feed;
    listener->place = &feed->listeners;
    listener->next = feed->listeners;
    if (listener->next)
        listener->next->place = &listener->next;
    feed->listeners = listener;
    atomic_fetch_add(&feed->feeds->listeners, 1);
    pthread_mutex_unlock(&feed->lock);
    return lost;
}

void feed_leave(struct feed_listener *listener)
{
    struct feed *feed = listener->feed;
    if (!feed)
        return;
    pthread_mutex_lock(&feed->lock);
    *listener->place = listener->next;
    if (listener->next)
        listener->next->place = listener->place;
    atomic_fetch_sub(&feed->feeds->listeners, 1);
    pthread_mutex_unlock(&feed->lock);
    release(listener->rest);
    listener->rest = NULL;
    listener->feed = NULL;
}

/* What is left of an event that did not fit in. */
static size_t read_rest(struct feed_listener *listener, char *to, size_t max)
{
    struct feed_item *item = listener->rest;
    if (!item)
        return 0;
    size_t left = item->end - listener->at;
    size_t len = left < max ? left : max;
    memcpy(to, item->bytes + listener->at, len);
    listener->at += len;
    if (len == left) {
        release(item);
        listener->rest = NULL;
    }
    return len;
}

/* The next event, whole or its beginning, under the lock; 0: the others wait until there is room.
 */
static size_t read_next(struct feed_listener *listener, char *to, size_t max, bool is_first)
{
    struct feed *feed = listener->feed;
    size_t index = (size_t)(listener->read - before_oldest(feed));
    struct feed_item *item = feed->ring[(feed->first + index) % FEED_KEPT];
    size_t len = item->end - item->start;
    if (len > max && !is_first)
        return 0;
    listener->read++;
    if (len <= max) {
        memcpy(to, item->bytes + item->start, len);
        return len;
    }
    atomic_fetch_add(&item->references, 1);
    listener->rest = item;
    listener->at = item->start;
    return read_rest(listener, to, max);
}

enum feed_read feed_read(struct feed_listener *listener, char *to, size_t max, size_t *ret_len)
{
    struct feed *feed = listener->feed;
    size_t len = read_rest(listener, to, max), more = 1;
    if (listener->rest) {
        *ret_len = len;
        return FEED_SOME;
    }
    pthread_mutex_lock(&feed->lock);
    bool behind = listener->read < before_oldest(feed), ended = feed->ended;
    for (; !behind && more && listener->read < feed->newest && !listener->rest; len += more)
        more = read_next(listener, to + len, max - len, len == 0);
    int64_t missed = feed->newest - listener->read;
    pthread_mutex_unlock(&feed->lock);
    *ret_len = len;
    if (len)
        return FEED_SOME;
    if (behind)
        *ret_len = (size_t)missed;
    return behind ? FEED_BEHIND : ended ? FEED_ENDED : FEED_NOTHING;
}

/* -- telling ----------------------------------------------------------------------------------- */

static void tell(struct feed *feed, struct feed_item *item, bool ends)
{
    pthread_mutex_lock(&feed->lock);
    bool told = item && !feed->ended;
    if (told)
        append(feed, item);
    feed->ended |= ends;
    announce(feed);
    pthread_mutex_unlock(&feed->lock);
    if (!told)
        release(item);
}

void feed_tell(struct workspace *workspace, const char *type, struct buf *data)
{
    struct feed *feed = atomic_load(&workspace->feed);
    if (feed)
        tell(feed, create(type, data), false);
    buf_finish(data);
}

void feed_end(struct workspace *workspace, const char *type, struct buf *data)
{
    struct feed *feed = atomic_load(&workspace->feed);
    if (feed)
        tell(feed, create(type, data), true);
    buf_finish(data);
}

void feed_note(const struct workspace *workspace, const char *type, struct buf *data)
{
    struct feed *feed = atomic_load(&workspace->feed);
    struct feed_item *item = feed ? create(type, data) : NULL;
    buf_finish(data);
    if (!item)
        return;
    struct feed_notes *staged = &feed->staged;
    *(staged->last ? &staged->last->next : &staged->first) = item;
    staged->last = item;
}

void feed_take_notes(struct workspace *workspace, struct feed_notes *io_notes)
{
    struct feed *feed = atomic_load(&workspace->feed);
    feed_drop_notes(io_notes); /* of a run that was rolled back */
    if (!feed)
        return;
    *io_notes = feed->staged;
    feed->staged = (struct feed_notes){NULL, NULL};
}

void feed_tell_notes(struct workspace *workspace, struct feed_notes *notes)
{
    struct feed *feed = atomic_load(&workspace->feed);
    for (struct feed_item *item = notes->first, *next; item; item = next) {
        next = item->next;
        tell(feed, item, false); /* whoever noted it had a feed */
    }
    *notes = (struct feed_notes){NULL, NULL};
}

void feed_drop_notes(struct feed_notes *notes)
{
    for (struct feed_item *item = notes->first, *next; item; item = next) {
        next = item->next;
        release(item);
    }
    *notes = (struct feed_notes){NULL, NULL};
}
