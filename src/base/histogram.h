/* How often a value fell between which bounds. Pure: whoever counts brings his own lock. */
#ifndef UNDERSTUDY_BASE_HISTOGRAM_H
#define UNDERSTUDY_BASE_HISTOGRAM_H

#include <stddef.h>
#include <stdint.h>

enum { HISTOGRAM_BOUNDS_MAX = 15 };

struct histogram_bounds {
    int64_t at[HISTOGRAM_BOUNDS_MAX]; /* growing; a value that is one of them is below it */
    size_t count;
};

struct histogram {
    int64_t counts[HISTOGRAM_BOUNDS_MAX + 1]; /* below each bound, not below the one before it; the
                                                 one behind the last bound counts all above */
    int64_t sum;
};

/* Which of the counts a value belongs to. */
size_t histogram_place(const struct histogram_bounds *bounds, int64_t value);

void histogram_count(struct histogram *histogram, const struct histogram_bounds *bounds,
                     int64_t value);

/* Adds what another one has counted by the same bounds. */
void histogram_add(struct histogram *histogram, const struct histogram *other);

#endif
