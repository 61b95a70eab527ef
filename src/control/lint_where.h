/* Where in a request of the journal something was found, in words. HTTP threads. */
#ifndef UNDERSTUDY_CONTROL_LINT_WHERE_H
#define UNDERSTUDY_CONTROL_LINT_WHERE_H

#include "engine/finding.h"
#include "engine/journal.h"
#include "http/router.h"

/* `where`: members of a JSON object, each with a comma before it, such as what differs between
 * places that have the operation in common; "" where there is no more to say. Borrowed. */
typedef void lint_where_visitor(void *arg, enum finding finding, const char *where);

struct lint_where {
    const struct api *const *apis; /* as lint_look() had them */
    size_t api_count;
    lint_where_visitor *visit;
    void *arg;
};

/* Visits each place of each of these findings of an entry, and each finding once at least.
 * ERR_NO_MEMORY. */
int lint_where_each(const struct lint_where *where, const struct journal_entry *entry,
                    uint64_t findings);

#endif
