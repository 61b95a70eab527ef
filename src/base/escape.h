/*
 * Makes any bytes safe to show on one line of a terminal, a log or a JSON string. What clients and
 * files send can hold control characters, broken UTF-8 and characters that turn the writing
 * direction; none of it may forge a line or hide what stands there.
 */
#ifndef UNDERSTUDY_BASE_ESCAPE_H
#define UNDERSTUDY_BASE_ESCAPE_H

#include <stddef.h>

enum escape_style {
    ESCAPE_TEXT,  /* \xNN for control characters and broken bytes, \uNNNN for invisible ones */
    ESCAPE_PLAIN, /* the same for what stands between no quotes: they and backslashes stay */
    ESCAPE_JSON,  /* the inside of a JSON string: \u00NN; a broken byte reads \xNN when decoded */
};

/* The longest escape of one character: "\u202e". */
enum { ESCAPE_CHAR_MAX = 6 };

/*
 * Writes `len` bytes, escaped, into `out` of `size` bytes, NUL included; `size` must be at least
 * 16. What does not fit is cut between characters and ends in "…". Returns the length written.
 * Quotes and backslashes are escaped with a backslash, so the result can stand between quotes,
 * but for ESCAPE_PLAIN.
 * Any thread.
 */
size_t escape_text(enum escape_style style, const char *text, size_t len, char *out, size_t size);

/*
 * Length in bytes (1 to 4) of the well-formed UTF-8 character at `text`, of which `len` (at least
 * 1) bytes may be read, or 0 when it is broken. Any thread.
 */
size_t escape_utf8_length(const char *text, size_t len);

#endif
