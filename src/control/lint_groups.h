/* Findings that are the same but for the request, put together. One thread. */
#ifndef UNDERSTUDY_CONTROL_LINT_GROUPS_H
#define UNDERSTUDY_CONTROL_LINT_GROUPS_H

#include "base/buf.h"
#include "engine/finding.h"

enum {
    LINT_PLACES_MAX = 200, /* of each finding; more say nothing new */
    LINT_REQUESTS_MAX = 5, /* that are named of each place */
};

/* How often something was found in one place. */
struct lint_group {
    enum finding finding;
    const char *operation; /* static; NULL: of none */
    const char *where;     /* see lint_where.h */
    int64_t count;
    int64_t first_at, last_at;           /* -1: not known */
    int64_t requests[LINT_REQUESTS_MAX]; /* their numbers; the first of them */
    size_t request_count;
};

struct lint_groups;

struct lint_groups *lint_groups_create(void);         /* NULL: out of memory */
void lint_groups_destroy(struct lint_groups *groups); /* NULL is fine */

/* Adds what `found` has to the group of the same finding, operation and place. Texts are copied.
 * ERR_NO_MEMORY. */
int lint_groups_add(struct lint_groups *groups, const struct lint_group *found);

/* Writes them as the items of a list, the worst first, those of one finding in the order in which
 * they came. */
void lint_groups_put(const struct lint_groups *groups, struct buf *out);

/* What of `count` there was no room for. */
int64_t lint_groups_left_out(const struct lint_groups *groups);

#endif
