/*
 * A binary heap of times: the earliest is at hand, and any entry can be moved or taken out, because
 * each one knows its place. Entries are embedded in what waits; the heap owns no more than its
 * array. Not for several threads at once.
 */
#ifndef UNDERSTUDY_BASE_HEAP_H
#define UNDERSTUDY_BASE_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Zeroed, it is in no heap. Only the heap writes it. */
struct heap_entry {
    int64_t at;
    size_t place; /* in the heap, from 1; 0: in none */
};

struct heap {
    struct heap_entry **entries;
    size_t count, capacity;
};

#define HEAP_INIT ((struct heap){0})

/* What an entry is embedded in. */
#define HEAP_OWNER(entry_, type_, member_) ((type_ *)((char *)(entry_)-offsetof(type_, member_)))

/* Puts an entry in, or moves it where it is in already, either way. ERR_NO_MEMORY, with nothing
 * changed; moving never fails. */
int heap_put(struct heap *heap, struct heap_entry *entry, int64_t at);

/* Takes an entry out; false where it is not in. */
bool heap_remove(struct heap *heap, struct heap_entry *entry);

/* The earliest entry, which stays; NULL while there is none. */
struct heap_entry *heap_first(const struct heap *heap);

/* Frees the array. The entries, which are their owners', must not be used with a heap again. */
void heap_finish(struct heap *heap);

#endif
