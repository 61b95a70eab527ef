/*
 * Time: milliseconds since the Unix epoch, as int64_t. This is the only place that asks the
 * operating system what time it is. Any thread may call any of these.
 */
#ifndef UNDERSTUDY_BASE_TIME_H
#define UNDERSTUDY_BASE_TIME_H

#include "base/err.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/* Room for every text below and its NUL. */
enum { TIME_TEXT_SIZE = 32 };

/* Later than every time that is ever due. */
#define TIME_NEVER INT64_MAX

/* The last millisecond of the year 9999: the last one that the texts below can show. */
#define TIME_MAX INT64_C(253402300799999)

/* A time and a span after it, TIME_MAX at most; both 0 or more. */
static inline int64_t time_add(int64_t at, int64_t span)
{
    return at > TIME_MAX - span ? TIME_MAX : at + span;
}

/* What the wall clock says now; it may jump either way. For log lines. */
int64_t time_wall_ms(void);

/*
 * Wall time as it was when the process first asked, plus what has passed since, suspended laptops
 * included: it never goes back, whatever is done to the wall clock. What the product reckons with.
 */
int64_t time_steady_ms(void);

/* The same in microseconds, to measure how long something takes. */
int64_t time_steady_us(void);

/* Makes a condition for time_wait(). */
void time_init_wake(pthread_cond_t *ret_wake);

/* With the lock held: waits there for so long at most, whatever is done to the wall clock. Whether
 * all of it has passed, as with 0 or less at once. Suspended, a laptop does not count. */
bool time_wait(pthread_cond_t *wake, pthread_mutex_t *lock, int64_t ms);

/* UTC, years 0 to 9999: "2024-03-01T10:00:00Z", cut to whole seconds (S20), and
 * "2024-03-01T10:00:00.000Z" (E9). */
void time_format_seconds(int64_t ms, char ret_text[TIME_TEXT_SIZE]);
void time_format_millis(int64_t ms, char ret_text[TIME_TEXT_SIZE]);

/*
 * Reads a time as RFC 3339 has it, "2024-03-01T10:00:00Z", with or without a fraction of the second
 * (cut to milliseconds), in UTC or with an offset from it; from 1970 to 9999. ERR_INVALID, with a
 * reason that reads well after the value. Pure.
 */
int time_parse(const char *text, int64_t *ret_ms, struct err *err);

#endif
