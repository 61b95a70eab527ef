/*
 * Durations and sizes as people write them: "250ms", "90s", "5m", "76h" (rule C3); "1048576",
 * "64KiB", "1MiB". A duration without a unit is refused, for nobody can tell what it means.
 *
 * The texts that these functions put into `struct err` read well after a name and the value:
 * `--queue-time "5": has no unit: …`. They do not repeat the value. Any thread may call them.
 */
#ifndef UNDERSTUDY_BASE_DURATION_H
#define UNDERSTUDY_BASE_DURATION_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* A hundred years: added to any time of day it stays far from the end of an int64_t. */
#define DURATION_MAX_MS (INT64_C(876600) * 60 * 60 * 1000)

/* A terabyte: far above any size that a server of ours could be given. */
#define SIZE_MAX_BYTES (INT64_C(1) << 40)

/* Room for the longest text that the two formatters write, with its NUL. */
enum { DURATION_TEXT_SIZE = 24 };

/*
 * Reads a whole number of ms, s, m or h from a NUL-terminated text, without white space, into
 * milliseconds, 0 to DURATION_MAX_MS. ERR_INVALID, with a reason, for everything else.
 */
int duration_parse(const char *text, int64_t *ret_ms, struct err *err);

/* Writes milliseconds (0 or more) with the largest unit that stays whole: 90000 is "90s". */
void duration_format(int64_t ms, char ret_text[DURATION_TEXT_SIZE]);

/*
 * Reads a whole number of bytes, KiB or MiB from a NUL-terminated text, without white space, into
 * bytes, 0 to SIZE_MAX_BYTES. ERR_INVALID, with a reason, for everything else.
 */
int size_parse(const char *text, int64_t *ret_bytes, struct err *err);

/* Writes bytes (0 or more) with the largest unit that stays whole: 1048576 is "1MiB". */
void size_format(int64_t bytes, char ret_text[DURATION_TEXT_SIZE]);

/*
 * Reads a whole decimal number, 0 to INT64_MAX, and nothing else. ERR_INVALID, with a reason, for
 * everything else.
 */
int number_parse(const char *text, int64_t *ret_number, struct err *err);

#endif
