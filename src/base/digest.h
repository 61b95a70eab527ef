/* Digests. Any thread. */
#ifndef UNDERSTUDY_BASE_DIGEST_H
#define UNDERSTUDY_BASE_DIGEST_H

#include <stddef.h>

enum { DIGEST_SIZE = 32 };

/* SHA-256 of `len` bytes. */
void digest_sha256(const void *bytes, size_t len, unsigned char ret_digest[DIGEST_SIZE]);

#endif
