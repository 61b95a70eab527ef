/* Bytes that somebody else's program sent, as a member of an answer's object. Any thread. */
#ifndef UNDERSTUDY_CONTROL_PAYLOAD_H
#define UNDERSTUDY_CONTROL_PAYLOAD_H

#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * Appends `"body":"…","body_base64":null` where the bytes are UTF-8, else the other way round. Of a
 * body that was `cut`, a character that its end broke off is left out.
 */
void payload_put(struct buf *out, const void *bytes, size_t len, bool cut);

/* Whether they are UTF-8; of a body that was `cut`, *io_len is then without what was broken off. */
bool payload_is_text(const void *bytes, size_t *io_len, bool cut);

/* Appends them in base64, with quotes. */
void payload_put_base64(struct buf *out, const void *bytes, size_t len);

#endif
