#include "engine/signature.h"

#include "base/json.h"
#include <jansson.h>
#include <nettle/base64.h>
#include <nettle/hmac.h>
#include <stdio.h>
#include <string.h>

enum {
    CODE_MAX = BASE64_ENCODE_RAW_LENGTH(SIGNATURE_KEY_MAX),
    HEAD_SIZE = 64 + 24, /* an id, a time and two dots */
};

struct key {
    uint8_t bytes[BASE64_DECODE_LENGTH(CODE_MAX)];
    size_t len;
};

/* nettle skips white space and takes what is left of a last byte; whoever wrote that has mistaken
 * something. */
static bool is_canonical(const struct key *key, const char *code, size_t len)
{
    char again[CODE_MAX];
    if (BASE64_ENCODE_RAW_LENGTH(key->len) != len)
        return false;
    base64_encode_raw(again, key->len, key->bytes);
    return memcmp(again, code, len) == 0;
}

static bool read_key(const char *secret, struct key *ret_key)
{
    static const size_t prefix = sizeof SIGNATURE_SECRET_PREFIX - 1;
    struct base64_decode_ctx context;
    if (!secret || strncmp(secret, SIGNATURE_SECRET_PREFIX, prefix) != 0)
        return false;
    const char *code = secret + prefix;
    size_t len = strlen(code);
    if (len > CODE_MAX)
        return false;
    base64_decode_init(&context);
    ret_key->len = sizeof ret_key->bytes;
    return base64_decode_update(&context, &ret_key->len, ret_key->bytes, len, code) &&
           base64_decode_final(&context) && ret_key->len >= SIGNATURE_KEY_MIN &&
           ret_key->len <= SIGNATURE_KEY_MAX && is_canonical(ret_key, code, len);
}

bool signature_secret_is_right(const char *secret)
{
    return read_key(secret, &(struct key){.len = 0});
}

static void put_one(const struct key *key, const char *head, const void *body, size_t len,
                    struct buf *out)
{
    struct hmac_sha256_ctx context;
    uint8_t digest[SHA256_DIGEST_SIZE];
    char code[BASE64_ENCODE_RAW_LENGTH(SHA256_DIGEST_SIZE)];
    hmac_sha256_set_key(&context, key->len, key->bytes);
    hmac_sha256_update(&context, strlen(head), (const uint8_t *)head);
    hmac_sha256_update(&context, len, body);
    hmac_sha256_digest(&context, sizeof digest, digest);
    base64_encode_raw(code, sizeof digest, digest);
    buf_puts(out, "v1,");
    buf_append(out, code, sizeof code);
}

int signature_put(const char *secrets, const char *id, int64_t seconds, const void *body,
                  size_t len, struct buf *out)
{
    char head[HEAD_SIZE];
    struct key key;
    int status = 0;
    json_t *list = json_read_text(secrets, 0);
    if (snprintf(head, sizeof head, "%s.%lld.", id, (long long)seconds) >= HEAD_SIZE ||
        !json_array_size(list))
        status = ERR_CORRUPT;
    for (size_t i = 0; status == 0 && i < json_array_size(list); i++) {
        if (!read_key(json_string_value(json_array_get(list, i)), &key)) {
            status = ERR_CORRUPT;
            break;
        }
        buf_puts(out, i ? " " : "");
        put_one(&key, head, body, len, out);
    }
    json_decref(list);
    return status == 0 && buf_failed(out) ? ERR_NO_MEMORY : status;
}
