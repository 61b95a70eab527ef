#include "base/digest.h"

#include <nettle/sha2.h>

void digest_sha256(const void *bytes, size_t len, unsigned char ret_digest[DIGEST_SIZE])
{
    struct sha256_ctx context;
    sha256_init(&context);
    sha256_update(&context, len, bytes);
    sha256_digest(&context, DIGEST_SIZE, ret_digest);
}
