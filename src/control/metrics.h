/*
 * What is counted of requests for /metrics: how many there were of each operation and status, and
 * how long they took. Each thread counts in a part of its own; whoever reads adds them up.
 */
#ifndef UNDERSTUDY_CONTROL_METRICS_H
#define UNDERSTUDY_CONTROL_METRICS_H

#include "base/histogram.h"
#include "store/delivery.h"
#include "store/job.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Of durations, in microseconds. */
extern const struct histogram_bounds metrics_durations;

struct metrics_row {
    const char *operation; /* static; "none": no route */
    int status;            /* 0: no answer */
    struct histogram durations;
};

enum { METRICS_PARTS = 16 }; /* more threads than these share */

struct metrics_part {
    _Alignas(64) pthread_mutex_t lock; /* no cache line is shared with another part */
    struct metrics_row *rows;
    size_t count, capacity;
    unsigned *places; /* of rows, from 1, by a hash; twice as many as there is room for rows */
};

/* What the store counts, and until when that is good enough: see metrics_stored(). */
struct metrics_stored {
    int64_t jobs[JOB_STATUSES], deliveries[DELIVERY_STATUSES];
};

struct metrics {
    int64_t begun_at; /* real ms */
    struct metrics_part parts[METRICS_PARTS];
    pthread_mutex_t lock;
    struct metrics_stored stored; /* under the lock */
    int64_t stored_until;         /* real µs, likewise */
};

void metrics_init(struct metrics *metrics);
void metrics_finish(struct metrics *metrics);

/* Counts a request; `operation` NULL: of none. Any thread. */
void metrics_count(struct metrics *metrics, const char *operation, int status, int64_t us);

/* All that was counted, by operation and status, in *ret_rows to be freed by free(). False: out of
 * memory. Any thread. */
bool metrics_read(struct metrics *metrics, struct metrics_row **ret_rows, size_t *ret_count);

/* Counts in the store, which takes the longer the more there is; so that this never takes more than
 * a twentieth of the time, an earlier count may be given. 0 or an error. Any thread. */
int metrics_stored(struct metrics *metrics, struct db *db, struct metrics_stored *ret_stored);

#endif
