/*
 * callback_headers (S6), against a reference that compares each name with each other. An input is a
 * set of headers: a name, a line's end, a value, a line's end, and so on. What is let through, and
 * only that, can be written as lines of a request's head.
 */
#include "engine/callback_headers.h"

#include "fuzz.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { HEADERS_MAX = 32 };

struct header {
    char *name, *value;
    size_t value_len;
    bool is_null;
};

/* -- the reference ----------------------------------------------------------------------------- */

static bool is_token(const char *name)
{
    static const char characters[] = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"
                                     "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    return *name && strspn(name, characters) == strlen(name);
}

static bool may_be_set(const char *name)
{
    static const char *const fixed[] = {"Host",       "Content-Length", "Transfer-Encoding",
                                        "Connection", "Keep-Alive",     "Upgrade",
                                        "TE",         "Trailer",        "Expect"};
    for (size_t i = 0; i < COUNT(fixed); i++)
        if (strcasecmp(name, fixed[i]) == 0)
            return false;
    return strncasecmp(name, "Proxy-", 6) != 0 && strncasecmp(name, "webhook-", 8) != 0;
}

static bool is_value(const struct header *header)
{
    static const char ends[] = " \t";
    for (size_t i = 0; i < header->value_len; i++)
        if ((unsigned char)header->value[i] <= 31 || header->value[i] == 127)
            return false;
    return !header->value_len ||
           (!strchr(ends, header->value[0]) && !strchr(ends, header->value[header->value_len - 1]));
}

static bool are_right(const struct header *headers, size_t count, bool may_be_null)
{
    for (size_t i = 0; i < count; i++) {
        if (!is_token(headers[i].name) || !may_be_set(headers[i].name))
            return false;
        if (headers[i].is_null ? !may_be_null : !is_value(&headers[i]))
            return false;
        for (size_t j = 0; j < i; j++)
            if (strcasecmp(headers[i].name, headers[j].name) == 0)
                return false;
    }
    return true;
}

/* -- both -------------------------------------------------------------------------------------- */

/* As JSON has it: the same name again replaces the value. */
static void put(struct header *headers, size_t *count, json_t *object, struct header header)
{
    size_t at = 0;
    json_t *value = header.is_null ? json_null() : json_stringn(header.value, header.value_len);
    if (!value || json_object_set_new(object, header.name, value) < 0) { /* it is not UTF-8 */
        free(header.name);
        free(header.value);
        return;
    }
    while (at < *count && strcmp(headers[at].name, header.name) != 0)
        at++;
    if (at < *count) {
        free(headers[at].name);
        free(headers[at].value);
    } else {
        ++*count;
    }
    headers[at] = header;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct fuzz_input input = {bytes, len};
    struct header headers[HEADERS_MAX];
    size_t count = 0, name_len;
    json_t *object = json_object();
    while (input.left && count < HEADERS_MAX) {
        struct header header = {.name = fuzz_line(&input, '\n', &name_len)};
        header.value = fuzz_line(&input, '\n', &header.value_len);
        header.is_null = strcmp(header.value, "null") == 0;
        put(headers, &count, object, header);
    }
    FUZZ_CHECK(callback_headers_are_right(object) == are_right(headers, count, false),
               "headers were misjudged");
    FUZZ_CHECK(callback_headers_may_be_right(object) == are_right(headers, count, true),
               "headers without values were misjudged");
    for (size_t i = 0; i < count; i++) {
        free(headers[i].name);
        free(headers[i].value);
    }
    json_decref(object);
    return 0;
}
