/*
 * Extended regular expressions of POSIX, to be found anywhere in a text; in UTF-8, so that a dot is
 * a character. Made so that no pattern and no text of some ten thousand characters costs much: see
 * pattern.c. Any thread, several at once.
 */
#ifndef UNDERSTUDY_BASE_PATTERN_H
#define UNDERSTUDY_BASE_PATTERN_H

#include "base/err.h"

#include <stdbool.h>

struct pattern;

enum {
    PATTERN_MAX = 256,       /* bytes of an expression */
    PATTERN_NODES_MAX = 300, /* characters that it is, with its repetitions written out */
};

/* ERR_INVALID with the reason in `err`, in regerror's words where it is no expression;
 * ERR_NO_MEMORY. */
int pattern_create(const char *expression, struct pattern **ret_pattern, struct err *err);

/* NULL is fine. */
void pattern_destroy(struct pattern *pattern);

/* Whether it is found in a text; false, too, for want of memory. */
bool pattern_fits(struct pattern *pattern, const char *text);

#endif
