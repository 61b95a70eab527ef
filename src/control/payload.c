#include "control/payload.h"

#include "base/escape.h"
#include "base/json.h"

#include <nettle/base64.h>

enum { UTF8_MAX = 4 }; /* bytes of a character */

/* How many of the bytes, from the first on, are whole characters. */
static size_t utf8_span(const char *text, size_t len)
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

static void put_base64(struct buf *out, const void *bytes, size_t len)
{
    size_t room = BASE64_ENCODE_RAW_LENGTH(len);
    if (!buf_reserve(out, room))
        return;
    base64_encode_raw(out->data + out->len, len, bytes);
    out->len += room;
    out->data[out->len] = '\0';
}

void payload_put(struct buf *out, const void *bytes, size_t len, bool cut)
{
    size_t whole = len ? utf8_span(bytes, len) : 0;
    buf_puts(out, "\"body\":");
    if (whole == len || (cut && len - whole < UTF8_MAX)) {
        json_put_string(out, whole ? bytes : "", whole);
        return;
    }
    buf_puts(out, "null,\"body_base64\":\"");
    put_base64(out, bytes, len);
    buf_putc(out, '"');
}
