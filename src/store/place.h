/*
 * Where the store's file is and who may have it: the lock file beside it, the look at the file
 * before SQLite sees it, and the private directory that ":memory:" stands for.
 */
#ifndef UNDERSTUDY_STORE_PLACE_H
#define UNDERSTUDY_STORE_PLACE_H

#include "base/err.h"

#include <stdbool.h>

struct place {
    char *path;      /* the store's file */
    char *directory; /* the private directory, or NULL */
    int lock;        /* the lock file's descriptor, or -1 */
};

/*
 * Finds, locks and inspects the place of `path`. A file that is no store of ours, or is damaged
 * where that can be told from its first page and its length, is left as it is: ERR_FOREIGN,
 * ERR_NEWER, ERR_CORRUPT. ERR_HELD, ERR_CREATE, ERR_PERMISSION. On success the caller ends with
 * place_finish().
 */
int place_init(struct place *place, const char *path, struct err *err);

/* Lets go of it; removes a private directory. */
void place_finish(struct place *place);

#endif
