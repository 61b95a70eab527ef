#include "engine/reply.h"

#include "base/json.h"
#include "base/token.h"

#include <string.h>
#include <strings.h>

enum { STATUS_MIN = 200, STATUS_MAX = 599 };

bool reply_check_status(const json_t *value)
{
    double status = json_number_value(value);
    return status >= STATUS_MIN && status <= STATUS_MAX;
}

/* Of the connection, or the server's to write. */
static bool is_ours(const char *name)
{
    static const char *const ours[] = {"Connection",
                                       "Content-Length",
                                       "Date",
                                       "Keep-Alive",
                                       "Proxy-Connection",
                                       "TE",
                                       "Trailer",
                                       "Transfer-Encoding",
                                       "Upgrade",
                                       "X-Request-Id",
                                       NULL};
    for (const char *const *own = ours; *own; own++)
        if (strcasecmp(name, *own) == 0)
            return true;
    return false;
}

static bool is_value(const json_t *value)
{
    const char *text = json_string_value(value);
    size_t len = json_string_length(value);
    if (!text || (len && (strchr(" \t", *text) || strchr(" \t", text[len - 1]))))
        return false;
    for (size_t i = 0; i < len; i++)
        if (((unsigned char)text[i] < ' ' && text[i] != '\t') || text[i] == 0x7f)
            return false;
    return true;
}

bool reply_check_headers(const json_t *value)
{
    json_t *members = (json_t *)value; /* its iterators want it writable; they do not write */
    size_t bytes = 0;
    for (void *at = json_object_iter(members); at; at = json_object_iter_next(members, at)) {
        const char *name = json_object_iter_key(at);
        const json_t *text = json_object_iter_value(at);
        if (!token_is_right(name, strlen(name)) || is_ours(name) || !is_value(text))
            return false;
        bytes += strlen(name) + json_string_length(text);
    }
    /* One more may be added: the content type. */
    return json_object_size(members) < ACTION_HEADERS_MAX && bytes < ACTION_HEADER_BYTES_MAX - 64;
}

bool reply_may_have_body(int status)
{
    return status != 204 && status != 205 && status != 304;
}

void reply_read_headers(const json_t *object, bool has_body, struct reply_headers *ret_headers)
{
    json_t *members = (json_t *)object; /* as above */
    struct reply_headers headers = {.count = 0};
    for (void *at = members ? json_object_iter(members) : NULL;
         at && headers.count < ACTION_HEADERS_MAX - 1; at = json_object_iter_next(members, at)) {
        const char *name = json_object_iter_key(at);
        const char *value = json_string_value(json_object_iter_value(at));
        headers.items[headers.count++] = (struct action_header){name, value};
        if (strcasecmp(name, "Content-Type") == 0)
            headers.content_type = value;
    }
    if (has_body && !headers.content_type)
        headers.items[headers.count++] =
            (struct action_header){"Content-Type", "application/json; charset=utf-8"};
    *ret_headers = headers;
}

/* Whether a body of that type is JSON: then a text is sent in its quotes. */
static bool is_json_type(const char *content_type)
{
    const char *type = content_type ? content_type : "application/json";
    size_t len = strcspn(type, "; \t");
    return (len == 16 && strncasecmp(type, "application/json", len) == 0) ||
           (len > 5 && strncasecmp(type + len - 5, "+json", 5) == 0);
}

void reply_put_body(struct buf *out, const json_t *value, const char *content_type)
{
    if (json_is_string(value) && !is_json_type(content_type))
        buf_append(out, json_string_value(value), json_string_length(value));
    else
        json_put_value(out, value);
}
