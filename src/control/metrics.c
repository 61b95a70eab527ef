#include "control/metrics.h"

#include "base/err.h"
#include "base/time.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

const struct histogram_bounds metrics_durations = {{500, 1000, 2500, 5000, 10000, 25000, 50000,
                                                    100000, 250000, 500000, 1000000, 2500000,
                                                    5000000, 10000000},
                                                   14};

enum {
    ROWS_FIRST = 32,
    /* A count of the store is good for so many times as long as it took. */
    STORED_SHARE = 20,
};

void metrics_init(struct metrics *metrics)
{
    memset(metrics, 0, sizeof *metrics);
    metrics->begun_at = time_steady_ms();
    pthread_mutex_init(&metrics->lock, NULL);
    for (size_t i = 0; i < METRICS_PARTS; i++)
        pthread_mutex_init(&metrics->parts[i].lock, NULL);
}

void metrics_finish(struct metrics *metrics)
{
    for (size_t i = 0; i < METRICS_PARTS; i++) {
        struct metrics_part *part = &metrics->parts[i];
        pthread_mutex_destroy(&part->lock);
        free(part->rows);
        free(part->places);
    }
    pthread_mutex_destroy(&metrics->lock);
}

/* The same part for each call of a thread. */
static struct metrics_part *my_part(struct metrics *metrics)
{
    static atomic_uint threads;
    static _Thread_local unsigned mine;
    if (!mine)
        mine = atomic_fetch_add(&threads, 1) + 1;
    return &metrics->parts[mine % METRICS_PARTS];
}

/* -- a part, under its lock -------------------------------------------------------------------- */

/* Where a row's place is kept, or would be: each operation has one text, so its address tells. */
static unsigned *place_of(const struct metrics_part *part, const char *operation, int status)
{
    size_t mask = part->capacity * 2 - 1;
    size_t at = ((uintptr_t)operation >> 2) * 31 + (size_t)status;
    for (at &= mask; part->places[at]; at = (at + 1) & mask) {
        const struct metrics_row *row = &part->rows[part->places[at] - 1];
        if (row->operation == operation && row->status == status)
            break;
    }
    return &part->places[at];
}

static bool grow(struct metrics_part *part)
{
    size_t capacity = part->capacity ? part->capacity * 2 : ROWS_FIRST;
    unsigned *places = calloc(capacity * 2, sizeof *places);
    struct metrics_row *rows = places ? realloc(part->rows, capacity * sizeof *rows) : NULL;
    if (!rows) {
        free(places);
        return false;
    }
    free(part->places);
    part->places = places;
    part->rows = rows;
    part->capacity = capacity;
    for (size_t i = 0; i < part->count; i++)
        *place_of(part, rows[i].operation, rows[i].status) = (unsigned)i + 1;
    return true;
}

/* NULL: out of memory. */
static struct metrics_row *row_of(struct metrics_part *part, const char *operation, int status)
{
    if (part->count == part->capacity && !grow(part))
        return NULL;
    unsigned *place = place_of(part, operation, status);
    if (!*place) {
        part->rows[part->count++] = (struct metrics_row){.operation = operation, .status = status};
        *place = (unsigned)part->count;
    }
    return &part->rows[*place - 1];
}

void metrics_count(struct metrics *metrics, const char *operation, int status, int64_t us)
{
    static const char none[] = "none";
    struct metrics_part *part = my_part(metrics);
    pthread_mutex_lock(&part->lock);
    struct metrics_row *row = row_of(part, operation ? operation : none, status);
    if (row)
        histogram_count(&row->durations, &metrics_durations, us);
    pthread_mutex_unlock(&part->lock);
}

/* -- reading ----------------------------------------------------------------------------------- */

static int by_name(const void *a, const void *b)
{
    const struct metrics_row *left = a, *right = b;
    int names = strcmp(left->operation, right->operation);
    return names ? names : left->status - right->status;
}

/* Those of one operation and status become one. */
static size_t merge(struct metrics_row *rows, size_t count)
{
    size_t merged = 0;
    if (count)
        qsort(rows, count, sizeof *rows, by_name);
    for (size_t i = 0; i < count; i++) {
        if (merged && by_name(&rows[merged - 1], &rows[i]) == 0)
            histogram_add(&rows[merged - 1].durations, &rows[i].durations);
        else
            rows[merged++] = rows[i];
    }
    return merged;
}

bool metrics_read(struct metrics *metrics, struct metrics_row **ret_rows, size_t *ret_count)
{
    struct metrics_row *rows = NULL;
    size_t count = 0;
    for (size_t i = 0; i < METRICS_PARTS; i++) {
        struct metrics_part *part = &metrics->parts[i];
        pthread_mutex_lock(&part->lock);
        struct metrics_row *more = realloc(rows, (count + part->count + 1) * sizeof *rows);
        if (more && part->count)
            memcpy(more + count, part->rows, part->count * sizeof *rows);
        count += part->count;
        pthread_mutex_unlock(&part->lock);
        if (!more) {
            free(rows);
            return false;
        }
        rows = more;
    }
    *ret_count = merge(rows, count);
    *ret_rows = rows;
    return true;
}

int metrics_stored(struct metrics *metrics, struct db *db, struct metrics_stored *ret_stored)
{
    struct metrics_stored *stored = &metrics->stored;
    int status = 0;
    pthread_mutex_lock(&metrics->lock);
    int64_t now = time_steady_us();
    if (now >= metrics->stored_until) {
        status = job_count_by_status(db, stored->jobs);
        if (status == 0)
            status = delivery_count_by_status(db, stored->deliveries);
        int64_t end = time_steady_us();
        metrics->stored_until = status < 0 ? 0 : end + (end - now) * (STORED_SHARE - 1);
    }
    *ret_stored = *stored;
    pthread_mutex_unlock(&metrics->lock);
    return status;
}
