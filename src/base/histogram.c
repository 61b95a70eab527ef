#include "base/histogram.h"

size_t histogram_place(const struct histogram_bounds *bounds, int64_t value)
{
    size_t place = 0;
    while (place < bounds->count && value > bounds->at[place])
        place++;
    return place;
}

void histogram_count(struct histogram *histogram, const struct histogram_bounds *bounds,
                     int64_t value)
{
    histogram->counts[histogram_place(bounds, value)]++;
    histogram->sum += value;
}

void histogram_add(struct histogram *histogram, const struct histogram *other)
{
    for (size_t i = 0; i <= HISTOGRAM_BOUNDS_MAX; i++)
        histogram->counts[i] += other->counts[i];
    histogram->sum += other->sum;
}
