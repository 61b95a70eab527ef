/*
 * What is wrong with a document that somebody wrote for us, in words for him (C2): which member,
 * what it must be, and what he is likely to have meant.
 */
#ifndef UNDERSTUDY_BASE_COMPLAINT_H
#define UNDERSTUDY_BASE_COMPLAINT_H

#include "base/buf.h"
#include "base/err.h"
#include "base/fields.h"

struct complaint {
    const char *name; /* of the problem: "unknown_field", "invalid_field", "missing_field" */
    struct buf detail, hint;
};

#define COMPLAINT_INIT ((struct complaint){0})
void complaint_finish(struct complaint *complaint);

/* Writes what somebody sent in quotes, safe to show, cut where it is long. */
void complain_quote(struct buf *out, const char *text);

/* Writes the hint to a name that is not known: the nearest of `names`, which a NULL ends, or all of
 * them. */
void complain_names(struct buf *out, const char *given, const char *const *names);

/* Complains with a printf-style detail and no hint; ERR_INVALID. */
int complain(struct complaint *complaint, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The same: `value`, at `path`, is none of `names`. `what` says what it should be. */
int complain_unknown(struct complaint *complaint, const char *path, const char *value,
                     const char *what, const char *const *names);

/*
 * Reads `object` by `table` into `dest`, as fields_read() does, and refuses members that the table
 * does not know. Its members are named after `prefix`, as "do.job.". ERR_INVALID.
 */
int complain_read(struct complaint *complaint, const char *prefix, const json_t *object,
                  const struct field *table, size_t count, void *dest);

/* The refusal alone, for an object that is read by several tables: `table` has all of them. 0 or
 * ERR_INVALID. */
int complain_members(struct complaint *complaint, const char *prefix, const json_t *object,
                     const struct field *table, size_t count);

#endif
