/* An entry of the journal as the control plane shows it: as JSON, and as HAR 1.2 has it. HTTP
 * threads. */
#ifndef UNDERSTUDY_CONTROL_REQUEST_VIEW_H
#define UNDERSTUDY_CONTROL_REQUEST_VIEW_H

#include "base/buf.h"
#include "control/outcome_of.h"
#include "engine/journal.h"

/* An entry, and what is known of it only beside others. */
struct request_view {
    const struct journal_entry *entry;
    const struct outcome_index *outcomes;
    uint64_t ignored; /* findings that are not shown */
    int64_t retry_of; /* the number of the entry that it repeats by itself; 0: none */
};

void request_view_put(struct buf *out, const struct request_view *view);
/* What tells it from others in a line: without headers and bodies. */
void request_view_put_short(struct buf *out, const struct request_view *view);
void request_view_put_har(struct buf *out, const struct request_view *view);

/* Their ids, as a list. */
void request_view_put_findings(struct buf *out, uint64_t findings);

/* A HAR document around its entries. */
void request_view_begin_har(struct buf *out, const char *version);
void request_view_end_har(struct buf *out, const char *cursor);

/*
 * Whether a runtime is likely to have sent the request again by itself: the same bytes within
 * 100 ms on another connection, as Java's and Go's do where a connection breaks. Finds the one that
 * it repeats among `count` entries in the order of their numbers, of which it is the one at
 * `index`: its number; 0.
 */
int64_t request_view_retry_of(struct journal_entry *const *entries, size_t index);

#endif
