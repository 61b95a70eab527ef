#include "engine/rates.h"

#include <pthread.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

enum {
    MINUTE = 60 * 1000,
    DAY = 24 * 60 * MINUTE,
    /* Where any key is taken, keys may be made up without end: beyond this they share one count. */
    KEYS_MAX = 4096,
};

/* The times of the last requests, as many as a limit looks at, oldest first from `first` on. */
struct history {
    int64_t *times;
    size_t capacity, first, count;
};

struct key_rates {
    unsigned char hash[KEY_HASH_SIZE];
    struct history requests, creations;
};

struct rates {
    pthread_mutex_t lock;
    void *keys; /* a tree of struct key_rates */
    size_t count;
};

static int compare(const void *a, const void *b)
{
    return memcmp(a, b, KEY_HASH_SIZE); /* the first member */
}

struct rates *rates_create(void)
{
    struct rates *rates = calloc(1, sizeof *rates);
    if (rates)
        pthread_mutex_init(&rates->lock, NULL);
    return rates;
}

static void destroy_key(void *node)
{
    struct key_rates *key = node;
    free(key->requests.times);
    free(key->creations.times);
    free(key);
}

void rates_destroy(struct rates *rates)
{
    if (!rates)
        return;
    tdestroy(rates->keys, destroy_key);
    pthread_mutex_destroy(&rates->lock);
    free(rates);
}

void rates_clear(struct rates *rates)
{
    pthread_mutex_lock(&rates->lock);
    tdestroy(rates->keys, destroy_key);
    rates->keys = NULL;
    rates->count = 0;
    pthread_mutex_unlock(&rates->lock);
}

static struct key_rates *find(struct rates *rates, const unsigned char hash[KEY_HASH_SIZE])
{
    static const unsigned char shared[KEY_HASH_SIZE];
    void *place = tfind(hash, &rates->keys, compare);
    if (!place && rates->count >= KEYS_MAX)
        place = tfind(hash = shared, &rates->keys, compare);
    if (place)
        return *(struct key_rates **)place;
    struct key_rates *key = calloc(1, sizeof *key);
    if (!key)
        return NULL;
    memcpy(key->hash, hash, sizeof key->hash);
    if (!tsearch(key, &rates->keys, compare)) {
        free(key);
        return NULL;
    }
    rates->count++;
    return key;
}

/* The time of the request that was the `nth` from the end, counting from 1. */
static int64_t from_end(const struct history *history, size_t nth)
{
    return history->times[(history->first + history->count - nth) % history->capacity];
}

/* How long until a window of `span` has fewer than `limit` requests; 0: it has. */
static int64_t wait_for(const struct history *history, int64_t limit, int64_t span, int64_t now)
{
    if (!limit || history->count < (size_t)limit)
        return 0;
    int64_t free_at = from_end(history, (size_t)limit) + span;
    return free_at > now ? free_at - now : 0;
}

/* Makes room for one more time, up to `keep` of them; false: out of memory. */
static bool make_room(struct history *history, size_t keep)
{
    if (history->count < history->capacity)
        return true;
    if (history->capacity >= keep) { /* the oldest is looked at no more */
        history->first = (history->first + 1) % history->capacity;
        history->count--;
        return true;
    }
    size_t capacity = history->capacity ? history->capacity * 2 : 16;
    int64_t *times = malloc(capacity * sizeof *times);
    if (!times)
        return false;
    for (size_t i = 0; i < history->count; i++)
        times[i] = from_end(history, history->count - i);
    free(history->times);
    *history = (struct history){.times = times, .capacity = capacity, .count = history->count};
    return true;
}

static void note(struct history *history, int64_t keep, int64_t now)
{
    if (!keep || !make_room(history, (size_t)keep))
        return;
    history->times[(history->first + history->count++) % history->capacity] = now;
}

static int64_t longer(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

bool rates_take(struct rates *rates, const unsigned char hash[KEY_HASH_SIZE],
                const struct rate_limit *limit, bool creates, int64_t now, int64_t *ret_wait)
{
    int64_t wait = 0;
    pthread_mutex_lock(&rates->lock);
    struct key_rates *key = find(rates, hash);
    if (key) {
        wait = longer(wait_for(&key->requests, limit->per_minute, MINUTE, now),
                      wait_for(&key->requests, limit->per_day, DAY, now));
        if (creates)
            wait =
                longer(wait, wait_for(&key->creations, limit->creations_per_minute, MINUTE, now));
    }
    if (key && !wait) {
        note(&key->requests, longer(limit->per_minute, limit->per_day), now);
        if (creates)
            note(&key->creations, limit->creations_per_minute, now);
    }
    pthread_mutex_unlock(&rates->lock);
    if (wait)
        *ret_wait = wait;
    return !wait;
}
