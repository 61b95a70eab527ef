#include "control/payload.h"

#include "base/json.h"
#include "base/utf8.h"

#include <nettle/base64.h>

enum { UTF8_MAX = 4 }; /* bytes of a character */

bool payload_is_text(const void *bytes, size_t *io_len, bool cut)
{
    size_t whole = *io_len ? utf8_span(bytes, *io_len) : 0;
    if (whole < *io_len && (!cut || *io_len - whole >= UTF8_MAX))
        return false;
    *io_len = whole;
    return true;
}

void payload_put_base64(struct buf *out, const void *bytes, size_t len)
{
    size_t room = BASE64_ENCODE_RAW_LENGTH(len);
    buf_putc(out, '"');
    if (buf_reserve(out, room)) {
        base64_encode_raw(out->data + out->len, len, bytes);
        out->len += room;
    }
    buf_putc(out, '"');
}

void payload_put(struct buf *out, const void *bytes, size_t len, bool cut)
{
    bool is_text = payload_is_text(bytes, &len, cut);
    buf_puts(out, "\"body\":");
    if (is_text)
        json_put_string(out, len ? bytes : "", len);
    else
        buf_puts(out, "null");
    buf_puts(out, ",\"body_base64\":");
    if (is_text)
        buf_puts(out, "null");
    else
        payload_put_base64(out, bytes, len);
}
