#include "control/payload.h"

#include "base/json.h"
#include "base/utf8.h"

#include <nettle/base64.h>

enum { UTF8_MAX = 4 }; /* bytes of a character */

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
        buf_puts(out, ",\"body_base64\":null");
        return;
    }
    buf_puts(out, "null,\"body_base64\":\"");
    put_base64(out, bytes, len);
    buf_putc(out, '"');
}
