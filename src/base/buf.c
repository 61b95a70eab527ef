#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Most answers fit: the first allocation of a buffer. */
enum { BUF_FIRST = 512 };

bool buf_reserve(struct buf *buf, size_t more)
{
    if (buf->failed)
        return false;
    if (buf->data && more < buf->cap - buf->len)
        return true; /* strictly less: the NUL has its byte */

    size_t need, cap = buf->cap ? buf->cap : BUF_FIRST;
    if (__builtin_add_overflow(buf->len, more, &need) || __builtin_add_overflow(need, 1, &need) ||
        need > SIZE_MAX / 2) {
        buf->failed = true;
        return false;
    }
    while (cap < need)
        cap *= 2;
    char *data = realloc(buf->data, cap);
    if (!data) {
        buf->failed = true;
        return false;
    }
    buf->data = data;
    buf->cap = cap;
    return true;
}

void buf_append(struct buf *buf, const void *bytes, size_t len)
{
    if (!buf_reserve(buf, len))
        return;
    if (len)
        memcpy(buf->data + buf->len, bytes, len);
    buf->len += len;
    buf->data[buf->len] = '\0';
}

void buf_puts(struct buf *buf, const char *text)
{
    buf_append(buf, text, strlen(text));
}

void buf_putc(struct buf *buf, char c)
{
    buf_append(buf, &c, 1);
}

void buf_int(struct buf *buf, int64_t value)
{
    char digits[20]; /* 19 digits and a sign */
    size_t at = sizeof digits;
    uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;

    do
        digits[--at] = (char)('0' + rest % 10);
    while (rest /= 10);
    if (value < 0)
        digits[--at] = '-';
    buf_append(buf, digits + at, sizeof digits - at);
}

void buf_printf(struct buf *buf, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, format, args);
    if (len < 0)
        buf->failed = true;
    else if (buf_reserve(buf, (size_t)len)) {
        (void)vsnprintf(buf->data + buf->len, (size_t)len + 1, format, again);
        buf->len += (size_t)len;
    }
    va_end(again);
    va_end(args);
}

bool buf_failed(const struct buf *buf)
{
    return buf->failed;
}

char *buf_take(struct buf *buf, size_t *ret_len)
{
    if (!buf->failed && !buf->data)
        buf_append(buf, "", 0);
    if (buf->failed) {
        buf_finish(buf);
        return NULL;
    }
    char *data = buf->data;
    *ret_len = buf->len;
    *buf = BUF_INIT;
    return data;
}

void buf_finish(struct buf *buf)
{
    free(buf->data);
    *buf = BUF_INIT;
}
