#include "base/heap.h"

#include "base/err.h"

#include <stdlib.h>

enum { FIRST_CAPACITY = 16 };

/* Places count from 1, so the parent of place p is at p / 2. */
static void settle(struct heap *heap, size_t place, struct heap_entry *entry)
{
    heap->entries[place - 1] = entry;
    entry->place = place;
}

static void sift_up(struct heap *heap, size_t place, struct heap_entry *entry)
{
    while (place > 1 && heap->entries[place / 2 - 1]->at > entry->at) {
        settle(heap, place, heap->entries[place / 2 - 1]);
        place /= 2;
    }
    settle(heap, place, entry);
}

static void sift_down(struct heap *heap, size_t place, struct heap_entry *entry)
{
    for (size_t child; (child = 2 * place) <= heap->count; place = child) {
        if (child < heap->count && heap->entries[child]->at < heap->entries[child - 1]->at)
            child++;
        if (entry->at <= heap->entries[child - 1]->at)
            break;
        settle(heap, place, heap->entries[child - 1]);
    }
    settle(heap, place, entry);
}

/* For an entry whose time is any: one of the two moves it. */
static void sift(struct heap *heap, size_t place, struct heap_entry *entry)
{
    sift_up(heap, place, entry);
    sift_down(heap, entry->place, entry);
}

static bool grow(struct heap *heap)
{
    size_t capacity = heap->capacity ? heap->capacity * 2 : FIRST_CAPACITY;
    struct heap_entry **entries = realloc(heap->entries, capacity * sizeof(*entries));
    if (!entries)
        return false;
    heap->entries = entries;
    heap->capacity = capacity;
    return true;
}

int heap_put(struct heap *heap, struct heap_entry *entry, int64_t at)
{
    if (!entry->place && heap->count == heap->capacity && !grow(heap))
        return ERR_NO_MEMORY;
    entry->at = at;
    sift(heap, entry->place ? entry->place : ++heap->count, entry);
    return 0;
}

bool heap_remove(struct heap *heap, struct heap_entry *entry)
{
    size_t place = entry->place;
    if (!place)
        return false;
    struct heap_entry *last = heap->entries[--heap->count];
    entry->place = 0;
    if (last != entry)
        sift(heap, place, last);
    return true;
}

struct heap_entry *heap_first(const struct heap *heap)
{
    return heap->count ? heap->entries[0] : NULL;
}

void heap_finish(struct heap *heap)
{
    free(heap->entries);
    *heap = HEAP_INIT;
}
