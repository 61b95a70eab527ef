#include "base/utf8.h"

#include "base/escape.h"

size_t utf8_span(const char *text, size_t len)
{
    size_t at = 0;
    while (at < len) {
        size_t step = escape_utf8_length(text + at, len - at);
        if (!step)
            break;
        at += step;
    }
    return at;
}

void utf8_append_field(struct buf *out, const char *text, size_t len)
{
    if (utf8_span(text, len) == len) {
        buf_append(out, text, len);
        return;
    }
    for (size_t i = 0; i < len; i++) {
        unsigned char byte = (unsigned char)text[i];
        if (byte >= 0x80)
            buf_putc(out, (char)(0xc0 | byte >> 6));
        buf_putc(out, (char)(byte < 0x80 ? byte : 0x80 | (byte & 0x3f)));
    }
}
