/*
 * Where a text differs from the one that was expected, in words for people: where the slip is, not
 * just that there is one. Pure; any thread.
 */
#ifndef UNDERSTUDY_BASE_DIFFERENCE_H
#define UNDERSTUDY_BASE_DIFFERENCE_H

#include "base/buf.h"

/* Both texts agree in `before` bytes and then, behind what differs, in `after`. */
struct difference {
    const char *expected, *seen; /* borrowed */
    size_t expected_len, seen_len;
    size_t start, end; /* the part of `seen` that is most like what was expected */
    size_t before, after;
    bool near; /* enough of them agrees that the rest is likely a slip */
};

/*
 * Compares them, `anywhere`: where `expected` should have been a part of `seen`. Both are UTF-8;
 * what is far longer than people write is compared by its beginning alone.
 */
struct difference difference_of(const char *expected, const char *seen, bool anywhere);

/* How far they are from each other: 0, the same, to 100, nothing in common. */
unsigned difference_distance(const struct difference *difference);

/* Appends where they differ: `"el" for "al" after "renew"`. Only of what is near. */
void difference_put(struct buf *out, const struct difference *difference);

/* Appends what was seen; of a long text the part around the difference, with "…" for the rest. */
void difference_put_seen(struct buf *out, const struct difference *difference);

/* Appends a text; of a long one its beginning and "…". */
void difference_put_short(struct buf *out, const char *text);

#endif
