#include "base/id.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

/* Random bytes are drawn ahead, so that an id does not cost a system call; each is used once. */
enum { POOL_SIZE = 256 };

static _Thread_local struct {
    unsigned char bytes[POOL_SIZE];
    size_t left;
} pool;

static void draw(unsigned char *at, size_t len)
{
    while (len) {
        ssize_t got = getrandom(at, len, 0);
        if (got < 0 && errno != EINTR)
            abort(); /* every supported kernel has getrandom; guessable ids would be worse */
        if (got > 0) {
            at += got;
            len -= (size_t)got;
        }
    }
}

void id_random(void *bytes, size_t len)
{
    if (len > POOL_SIZE) {
        draw(bytes, len);
        return;
    }
    if (pool.left < len) {
        draw(pool.bytes, POOL_SIZE);
        pool.left = POOL_SIZE;
    }
    pool.left -= len;
    memcpy(bytes, pool.bytes + pool.left, len);
    memset(pool.bytes + pool.left, 0, len);
}

static char *put_hex(char *at, const unsigned char *bytes, size_t len)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < len; i++) {
        *at++ = digits[bytes[i] >> 4];
        *at++ = digits[bytes[i] & 15];
    }
    return at;
}

void id_hex_of(const unsigned char bytes[ID_HEX_BYTES], char ret_id[ID_HEX_SIZE])
{
    *put_hex(ret_id, bytes, ID_HEX_BYTES) = '\0';
}

void id_hex(char ret_id[ID_HEX_SIZE])
{
    unsigned char bytes[ID_HEX_BYTES];
    id_random(bytes, sizeof bytes);
    id_hex_of(bytes, ret_id);
}

void id_uuid_of(const unsigned char bytes[ID_UUID_BYTES], char ret_id[ID_UUID_SIZE])
{
    static const size_t groups[] = {4, 2, 2, 2, 6};
    unsigned char own[ID_UUID_BYTES];
    memcpy(own, bytes, sizeof own);
    own[6] = (unsigned char)((own[6] & 0x0f) | 0x40); /* version 4 */
    own[8] = (unsigned char)((own[8] & 0x3f) | 0x80); /* RFC 9562's variant */

    char *at = ret_id;
    const unsigned char *from = own;
    for (size_t i = 0; i < sizeof groups / sizeof *groups; i++) {
        if (i)
            *at++ = '-';
        at = put_hex(at, from, groups[i]);
        from += groups[i];
    }
    *at = '\0';
}

void id_uuid(char ret_id[ID_UUID_SIZE])
{
    unsigned char bytes[ID_UUID_BYTES];
    id_random(bytes, sizeof bytes);
    id_uuid_of(bytes, ret_id);
}
