#include "engine/callback_headers.h"

#include "base/memory.h"
#include "base/token.h"
#include "base/url.h"

#include <stdlib.h>
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
        if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
            return false;
    return !len || (text[0] != ' ' && text[len - 1] != ' ');
}

/* Notes a name in a set, in lower case; false: it was there already, or there is no memory. */
static bool note_name(json_t *seen, const char *name)
{
    char *folded = strdup(name);
    bool is_new = folded != NULL;
    if (folded) {
        token_fold(folded);
        is_new =
            !json_object_get(seen, folded) && json_object_set_new(seen, folded, json_true()) == 0;
        free(folded);
    } else {
        memory_note_lack();
    }
    return is_new;
}

static bool are_right(const json_t *headers, bool may_be_null)
{
    json_t *object = (json_t *)headers; /* iterators want it writable; they do not write */
    json_t *seen = json_object();       /* a set, so that a body full of headers stays cheap */
    bool good = seen != NULL;
    for (void *at = json_object_iter(object); at && good; at = json_object_iter_next(object, at)) {
        const char *name = json_object_iter_key(at);
        const json_t *value = json_object_iter_value(at);
        good = token_is_right(name, strlen(name)) && !is_reserved(name) &&
               (is_value(value) || (may_be_null && json_is_null(value))) && note_name(seen, name);
    }
    json_decref(seen);
    return good;
}

bool callback_headers_are_right(const json_t *headers)
{
    return are_right(headers, false);
}

bool callback_headers_may_be_right(const json_t *headers)
{
    return are_right(headers, true);
}
