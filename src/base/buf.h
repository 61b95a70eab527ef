/*
 * A growable byte buffer. Running out of memory is remembered instead of reported by every call:
 * write all of it, then ask once with buf_failed() or buf_take(). The bytes are always followed by
 * a NUL that does not count, so that they can be handed to functions that want a C string.
 *
 * A buffer belongs to one thread at a time.
 */
#ifndef UNDERSTUDY_BASE_BUF_H
#define UNDERSTUDY_BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf {
    char *data; /* NULL until the first byte */
    size_t len;
    size_t cap;
    bool failed;
};

#define BUF_INIT ((struct buf){0})

/* Makes room for `more` bytes beyond the present length. False once memory ran out. */
bool buf_reserve(struct buf *buf, size_t more);

/* Append bytes, a C string, one character, a decimal integer, a printf-style text. */
void buf_append(struct buf *buf, const void *bytes, size_t len);
void buf_puts(struct buf *buf, const char *text);
void buf_putc(struct buf *buf, char c);
void buf_int(struct buf *buf, int64_t value);
void buf_printf(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* True when an append was lost for want of memory. */
bool buf_failed(const struct buf *buf);

/*
 * Hands the bytes (NUL-terminated, to be freed by free()) and their length to the caller and leaves
 * the buffer empty. NULL, with everything freed, when memory ran out. An empty buffer gives "".
 */
char *buf_take(struct buf *buf, size_t *ret_len);

/* Frees the bytes and leaves the buffer empty and usable. */
void buf_finish(struct buf *buf);

#endif
