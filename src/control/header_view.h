/* Header fields that somebody else's program sent, as a member of an answer: those of one name are
 * one (RFC 9110, 5.3), under its first spelling. Any thread. */
#ifndef UNDERSTUDY_CONTROL_HEADER_VIEW_H
#define UNDERSTUDY_CONTROL_HEADER_VIEW_H

#include "base/buf.h"

#include <jansson.h>
#include <stdbool.h>

/* An object by folded names, since others may send thousands: the caller's, to be let go of by
 * json_decref(). NULL: out of memory, which the others stand. */
json_t *header_view_create(void);

/* Adds a field, after those that are there; what is no UTF-8 is taken for Latin-1. False: out of
 * memory. */
bool header_view_add(json_t *view, const char *name, const char *value, size_t len);

/* Appends them as an object, with commas between the values of a name. */
void header_view_put(struct buf *out, const json_t *view);

#endif
