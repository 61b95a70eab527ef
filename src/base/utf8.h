/* UTF-8 in bytes that somebody else's program sent. Any thread. */
#ifndef UNDERSTUDY_BASE_UTF8_H
#define UNDERSTUDY_BASE_UTF8_H

#include "base/buf.h"

/* How many of the bytes, from the first on, are whole characters: all of them where it is UTF-8. */
size_t utf8_span(const char *text, size_t len);

/* Appends the bytes where they are UTF-8; else each as the Latin-1 that fields of HTTP once were.
 */
void utf8_append_field(struct buf *out, const char *text, size_t len);

#endif
