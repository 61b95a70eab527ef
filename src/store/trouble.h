/*
 * Inside the store: what is the matter with it, said once for all who are refused. A full disk
 * fails every write of every client, and would fill the log beside it.
 */
#ifndef UNDERSTUDY_STORE_TROUBLE_H
#define UNDERSTUDY_STORE_TROUBLE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct trouble {
    atomic_int health; /* as store_health(): any thread reads it */
    int64_t told_at;   /* the writer's, as the rest: 0 for never */
    int64_t try_at;    /* whether there is room again */
    size_t refused;    /* writes, since it was told */
    bool is_told;
};

/* So many writes ended so: logs a trouble, but not more often than every ten seconds. */
void trouble_note(struct trouble *trouble, int status, size_t writes);

/* When to look whether there is room again, in real ms; TIME_NEVER where there is. */
int64_t trouble_try_at(const struct trouble *trouble);

/* What that look has found. */
void trouble_note_try(struct trouble *trouble, int status);

/* A reader was refused; any thread. Likewise logged. */
void trouble_note_read(int status, const char *reason);

#endif
