#include "control/inbox.h"

#include "base/blot.h"
#include "base/digest.h"
#include "base/json.h"
#include "base/utf8.h"
#include "control/header_view.h"
#include "control/internal.h"
#include "control/payload.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* -- what came --------------------------------------------------------------------------------- */

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
    utf8_append_field(out, value, len);
    if (buf_failed(out) || !out->data)
        return;
    if (strcasecmp(name, "Authorization") != 0) {
        blot_token(out->data, out->len);
        return;
    }
    char *credential = strchr(out->data, ' ');
    if (!credential)
        return;
    credential += strspn(credential, " ");
    if (is_of_ours(gathering->request, credential)) {
        out->len = (size_t)(credential - out->data);
        buf_puts(out, "…");
    }
}

static void gather(void *arg, const char *name, size_t name_len, const char *value, size_t len)
{
    struct gathering *gathering = arg;
    struct buf text = BUF_INIT;
    (void)name_len; /* it is a text */
    put_value(gathering, name, value, len, &text);
    if (buf_failed(&text) ||
        !header_view_add(gathering->headers, name, text.data ? text.data : "", text.len))
        gathering->failed = true;
    buf_finish(&text);
}

void inbox_put_headers(struct request *request, struct buf *out)
{
    struct gathering gathering = {.request = request, .headers = header_view_create()};
    if (gathering.headers)
        request_each_header(request, gather, &gathering);
    if (!gathering.headers || gathering.failed)
        out->failed = true;
    else
        header_view_put(out, gathering.headers);
    json_decref(gathering.headers);
}

void inbox_put_url(struct request *request, struct buf *out)
{
    const char *target = request_target(request);
    if (*target == '/')
        request_base(request, out);
    buf_puts(out, target); /* as UTF-8, or it would not have been admitted */
    if (!buf_failed(out))
        blot_token(out->data, out->len);
}

/* -- what is shown ----------------------------------------------------------------------------- */

/* As it is, and as what it says where it is JSON. */
static void put_body(struct buf *out, const struct inbox_message *message)
{
    const char *body = message->body_len ? message->body : "";
    json_t *json = NULL;
    buf_putc(out, ',');
    payload_put(out, body, message->body_len, false);
    buf_puts(out, ",\"json\":");
    if (json_parse_body(body, message->body_len, &json, NULL) == 0)
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
