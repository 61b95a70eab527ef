/* The items of a timeline that are shown: there may be far more of them than that, so what lies
 * behind the last one that can be shown is let go of now and then. */
#include "control/timeline.h"

#include <stdlib.h>
#include <string.h>

static int order(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

int timeline_compare(const struct timeline_key *a, const struct timeline_key *b)
{
    int result = order(a->at, b->at);
    result = result ? result : order(a->sent, b->sent);
    result = result ? result : order(a->number, b->number);
    result = result ? result : order((int64_t)a->rank, (int64_t)b->rank);
    return result ? result : order(a->serial, b->serial);
}

enum { SERIAL_BITS = 56 };

int64_t timeline_step_number(const struct timeline_key *key)
{
    return ((int64_t)key->rank << SERIAL_BITS) + key->serial;
}

void timeline_set_step(struct timeline_key *key, int64_t number)
{
    key->rank = (enum timeline_rank)(number >> SERIAL_BITS);
    key->serial = number & ((INT64_C(1) << SERIAL_BITS) - 1);
}

static int compare_items(const void *a, const void *b)
{
    const struct timeline_item *left = a, *right = b;
    int result = timeline_compare(&left->key, &right->key);
    return result ? result : order(left->order, right->order);
}

static void let_go(struct timeline_item *item)
{
    free(item->json);
    free(item->words);
}

/* Keeps one more than the limit, which tells that there is more. */
static void prune(struct timeline_window *window)
{
    size_t kept = window->limit + 1;
    qsort(window->items, window->count, sizeof *window->items, compare_items);
    while (window->count > kept)
        let_go(&window->items[--window->count]);
    if (window->count == kept) {
        window->bound = window->items[kept - 1].key;
        window->has_bound = true;
    }
}

static bool grow(struct timeline_window *window)
{
    size_t capacity = window->capacity ? window->capacity * 2 : 64;
    struct timeline_item *items = realloc(window->items, capacity * sizeof *items);
    if (!items)
        return false;
    window->items = items;
    window->capacity = capacity;
    return true;
}

bool timeline_wants(const struct timeline_window *window, const struct timeline_key *key)
{
    if (window->failed || (window->has_after && timeline_compare(key, &window->after) <= 0))
        return false;
    return !window->has_bound || timeline_compare(key, &window->bound) < 0;
}

void timeline_add(struct timeline_window *window, const struct timeline_key *key, const char *kind,
                  struct buf *json, struct buf *words)
{
    struct timeline_item item = {.key = *key, .order = window->added++, .kind = kind};
    size_t len;
    item.words = buf_take(words, &len);
    if (window->is_text)
        buf_finish(json);
    else
        item.json = buf_take(json, &len);
    if (window->count >= 2 * (window->limit + 1))
        prune(window);
    if (!item.words || (!item.json && !window->is_text) ||
        (window->count == window->capacity && !grow(window))) {
        window->failed = true;
        let_go(&item);
        return;
    }
    window->items[window->count++] = item;
}

bool timeline_end(struct timeline_window *window)
{
    if (!window->count)
        return false;
    prune(window);
    bool more = window->count > window->limit;
    if (more)
        let_go(&window->items[--window->count]);
    return more;
}

void timeline_finish(struct timeline_window *window)
{
    for (size_t i = 0; i < window->count; i++)
        let_go(&window->items[i]);
    free(window->items);
    *window = (struct timeline_window){.limit = 0};
}
