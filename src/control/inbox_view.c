#include "control/inbox.h"

#include "base/digest.h"
#include "base/json.h"
#include "control/internal.h"

#include <nettle/base64.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistr.h>

/* -- what came --------------------------------------------------------------------------------- */

static bool is_utf8(const void *bytes, size_t len)
{
    return !u8_check(bytes, len);
}

/* Adds text that anybody may have sent: what is no UTF-8 is taken for Latin-1, as HTTP once said.
 */
static void put_foreign(struct buf *out, const char *text, size_t len)
{
    if (is_utf8(text, len)) {
        buf_append(out, text, len);
        return;
    }
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c >= 0x80)
            buf_putc(out, (char)(0xc0 | c >> 6));
        buf_putc(out, (char)(c >= 0x80 ? 0x80 | (c & 0x3f) : c));
    }
}

struct gathering {
    struct request *request;
    json_t *headers;
    bool failed;
};

static bool is_of_ours(struct request *request, const char *credential)
{
    const struct control *control = control_of(request);
    const char *token = control->options.policy.token;
    unsigned char hash[DIGEST_SIZE], own[DIGEST_SIZE];
    digest_sha256(credential, strlen(credential), hash);
    if (registry_knows_key(engine_registry(control->engine), hash))
        return true;
    digest_sha256(token ? token : "", token ? strlen(token) : 0, own);
    return token && memcmp(hash, own, sizeof own) == 0;
}

/* The value as it is kept: what opens this server is not written down. */
static void put_value(struct gathering *gathering, const char *name, const char *value, size_t len,
                      struct buf *out)
{
    put_foreign(out, value, len);
    if (strcasecmp(name, "Authorization") != 0 || buf_failed(out) || !out->data)
        return;
    char *credential = strchr(out->data, ' ');
    if (!credential)
        return;
    credential += strspn(credential, " ");
    if (is_of_ours(gathering->request, credential)) {
        out->len = (size_t)(credential - out->data);
        buf_puts(out, "…");
    }
}

/* The name under which an object has a header already; else as it is. */
static const char *known_name(json_t *headers, const char *name)
{
    const char *known;
    json_t *value;
    json_object_foreach(headers, known, value) if (strcasecmp(known, name) == 0) return known;
    return name;
}

static void gather(const char *name, const char *value, size_t len, void *arg)
{
    struct gathering *gathering = arg;
    struct buf text = BUF_INIT;
    const char *as = known_name(gathering->headers, name);
    const char *before = json_string_value(json_object_get(gathering->headers, as));
    struct buf one = BUF_INIT;
    if (before)
        buf_printf(&text, "%s, ", before);
    put_value(gathering, name, value, len, &one);
    buf_append(&text, one.data ? one.data : "", one.len);
    if (buf_failed(&one) || buf_failed(&text) ||
        json_object_set_new(gathering->headers, as,
                            json_stringn(text.data ? text.data : "", text.len)) < 0)
        gathering->failed = true;
    buf_finish(&one);
    buf_finish(&text);
}

void inbox_put_headers(struct request *request, struct buf *out)
{
    struct gathering gathering = {.request = request, .headers = json_object()};
    if (gathering.headers)
        request_each_header(request, gather, &gathering);
    if (!gathering.headers || gathering.failed)
        out->failed = true;
    else
        json_put_value(out, gathering.headers);
    json_decref(gathering.headers);
}

void inbox_put_url(struct request *request, struct buf *out)
{
    const char *target = request_target(request);
    if (*target == '/')
        request_base(request, out);
    buf_puts(out, target); /* as UTF-8, or it would not have been admitted */
}

/* -- what is shown ----------------------------------------------------------------------------- */

static void put_base64(struct buf *out, const void *bytes, size_t len)
{
    size_t size = BASE64_ENCODE_RAW_LENGTH(len);
    buf_putc(out, '"');
    if (buf_reserve(out, size + 1)) {
        base64_encode_raw(out->data + out->len, len, bytes);
        out->len += size;
    }
    buf_putc(out, '"');
}

/* As text where it is that, else in base64; and as what it says, where it is JSON. */
static void put_body(struct buf *out, const struct inbox_message *message)
{
    const char *body = message->body_len ? message->body : "";
    bool is_text = is_utf8(body, message->body_len);
    json_t *json = NULL;
    buf_puts(out, ",\"body\":");
    if (is_text)
        json_put_string(out, body, message->body_len);
    else
        buf_puts(out, "null");
    buf_puts(out, ",\"body_base64\":");
    if (is_text)
        buf_puts(out, "null");
    else
        put_base64(out, body, message->body_len);
    buf_puts(out, ",\"json\":");
    if (is_text && json_parse_body(body, message->body_len, &json, NULL) == 0)
        json_put_value(out, json);
    else
        buf_puts(out, "null");
    json_decref(json);
}

void inbox_put_message(struct buf *out, const char *name, const struct inbox_message *message)
{
    buf_printf(out, "{\"id\":\"%s\",\"number\":%lld,\"name\":\"%s\",\"received_at\":", message->id,
               (long long)message->number, name);
    control_put_time(out, message->received_at);
    buf_puts(out, ",\"method\":");
    json_put_text(out, message->method);
    buf_puts(out, ",\"url\":");
    json_put_text(out, message->url);
    buf_printf(out, ",\"headers\":%s", message->headers);
    put_body(out, message);
    buf_puts(out, ",\"webhook\":");
    json_put_text(out, message->webhook);
    buf_puts(out, ",\"job\":");
    json_put_text(out, message->job);
    buf_printf(out, ",\"reply\":%lld}", (long long)message->reply);
}
