/* Signatures of callbacks: Standard Webhooks 1.0.0, symmetric (v1). Pure; any thread. */
#ifndef UNDERSTUDY_ENGINE_SIGNATURE_H
#define UNDERSTUDY_ENGINE_SIGNATURE_H

#include "base/buf.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SIGNATURE_SECRET_PREFIX "whsec_"

enum {
    SIGNATURE_KEY_MIN = 24, /* bytes, as the standard has it */
    SIGNATURE_KEY_MAX = 64,
    SIGNATURE_SECRETS_MAX = 2, /* the new one and, while receivers change over, the old one */
};

/* Whether a secret is "whsec_" and the base64, padded, of 24 to 64 bytes. */
bool signature_secret_is_right(const char *secret);

/*
 * Appends the value of webhook-signature: "v1,<base64>" for each of `secrets`, a JSON list of what
 * is right, with a blank between them. `id` is webhook-id and `seconds` webhook-timestamp; the body
 * is all of it. ERR_NO_MEMORY, ERR_CORRUPT.
 */
int signature_put(const char *secrets, const char *id, int64_t seconds, const void *body,
                  size_t len, struct buf *out);

#endif
