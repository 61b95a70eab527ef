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

#endif
