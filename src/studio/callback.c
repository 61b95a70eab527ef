#include "studio/callback.h"

#include "base/url.h"

#include <string.h>
#include <strings.h>

/* Of the connection, not of the message; or ours to set. */
static const char *const reserved[] = {
    "host",    "content-length", "transfer-encoding", "connection", "keep-alive", "upgrade", "te",
    "trailer", "expect",
};
static const char *const reserved_prefixes[] = {"proxy-", "webhook-"};

#define COUNT(array_) (sizeof(array_) / sizeof *(array_))

bool callback_url_is_right(const json_t *url)
{
    return url_is_callable(json_string_value(url));
}

/* RFC 9110, section 5.6.2. */
static bool is_token(const char *name)
{
    static const char alphabet[] = "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                   "abcdefghijklmnopqrstuvwxyz";
    return *name && !name[strspn(name, alphabet)];
}

static bool is_reserved(const char *name)
{
    for (size_t i = 0; i < COUNT(reserved); i++)
        if (strcasecmp(name, reserved[i]) == 0)
            return true;
    for (size_t i = 0; i < COUNT(reserved_prefixes); i++)
        if (strncasecmp(name, reserved_prefixes[i], strlen(reserved_prefixes[i])) == 0)
            return true;
    return false;
}

static bool is_value(const json_t *value)
{
    const char *text = json_string_value(value);
    if (!text)
        return false;
    size_t len = json_string_length(value);
    for (size_t i = 0; i < len; i++)
        if (((unsigned char)text[i] < 0x20 && text[i] != '\t') || text[i] == 0x7f)
            return false;
    return !len || !(strchr(" \t", text[0]) || strchr(" \t", text[len - 1]));
}

/* Whether a member before `end` has the same name but for case. */
static bool stands_before(json_t *headers, const void *end, const char *name)
{
    for (void *at = json_object_iter(headers); at != end; at = json_object_iter_next(headers, at))
        if (strcasecmp(json_object_iter_key(at), name) == 0)
            return true;
    return false;
}

bool callback_headers_are_right(const json_t *headers)
{
    enum {
        HEADERS_MAX = 100
    }; /* more than any receiver takes; keeps the comparison of names short */
    json_t *object = (json_t *)headers; /* iterators want it writable; they do not write */
    if (json_object_size(headers) > HEADERS_MAX)
        return false;
    for (void *at = json_object_iter(object); at; at = json_object_iter_next(object, at)) {
        const char *name = json_object_iter_key(at);
        if (!is_token(name) || is_reserved(name) || !is_value(json_object_iter_value(at)) ||
            stands_before(object, at, name))
            return false;
    }
    return true;
}
