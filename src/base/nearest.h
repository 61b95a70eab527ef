/* "Did you mean …?": the known name that a misspelt one is nearest to. */
#ifndef UNDERSTUDY_BASE_NEAREST_H
#define UNDERSTUDY_BASE_NEAREST_H

#include <stddef.h>

/* Longer names are never near anything: it bounds the work and the stack. */
enum { NEAREST_NAME_MAX = 64 };

/*
 * How many characters must be inserted, removed, replaced or swapped with their neighbour to make
 * one name of the other. ASCII case and the difference of - and _ do not count. SIZE_MAX for names
 * longer than NEAREST_NAME_MAX. Any thread.
 */
size_t nearest_distance(const char *a, const char *b);

/* Whether two names are so close that one is likely the other misspelt. Any thread. */
int nearest_is_near(const char *given, const char *known);

/*
 * The name in `names` (which a NULL ends) nearest to `given`, or NULL when none is near enough to
 * be a likely slip of the fingers. The answer belongs to `names`. Any thread.
 */
const char *nearest_name(const char *given, const char *const *names);

#endif
