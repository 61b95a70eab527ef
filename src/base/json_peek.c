#include "base/json_peek.h"

#include <string.h>

static const char *skip_blanks(const char *at, const char *end)
{
    while (at < end && (*at == ' ' || *at == '\t' || *at == '\n' || *at == '\r'))
        at++;
    return at;
}

/* Behind the text that begins at `at`, with its quote; NULL: it does not end. */
static const char *skip_text(const char *at, const char *end)
{
    for (at++; at < end; at++) {
        if (*at == '"')
            return at + 1;
        if (*at == '\\')
            at++;
    }
    return NULL;
}

static const char *skip_brackets(const char *at, const char *end)
{
    for (size_t depth = 0; at && at < end;) {
        if (*at == '"') {
            at = skip_text(at, end);
            continue;
        }
        depth += *at == '{' || *at == '[';
        depth -= *at == '}' || *at == ']';
        at++;
        if (!depth)
            return at;
    }
    return NULL;
}

static const char *skip_word(const char *at, const char *end)
{
    const char *from = at;
    while (at < end && !strchr(",}] \t\r\n", *at))
        at++;
    return at < end && at > from ? at : NULL;
}

static const char *skip_value(const char *at, const char *end)
{
    if (at == end)
        return NULL;
    if (*at == '"')
        return skip_text(at, end);
    return *at == '{' || *at == '[' ? skip_brackets(at, end) : skip_word(at, end);
}

struct json_peek json_peek_begin(const char *text, size_t len)
{
    const char *end = text ? text + len : NULL, *at = text ? skip_blanks(text, end) : NULL;
    return (struct json_peek){at < end && *at == '{' ? at + 1 : end, end};
}

bool json_peek_next(struct json_peek *peek, struct json_part *ret_name, struct json_part *ret_value)
{
    const char *end = peek->end, *name = skip_blanks(peek->at, end);
    peek->at = end; /* until a member is found whole */
    if (name < end && *name == ',')
        name = skip_blanks(name + 1, end);
    if (name == end || *name != '"')
        return false;
    const char *colon = skip_text(name, end);
    if (!colon)
        return false;
    size_t len = (size_t)(colon - name) - 2;
    colon = skip_blanks(colon, end);
    if (colon == end || *colon != ':')
        return false;
    const char *value = skip_blanks(colon + 1, end), *after = skip_value(value, end);
    if (!after)
        return false;
    peek->at = after;
    *ret_name = (struct json_part){name + 1, len};
    *ret_value = (struct json_part){value, (size_t)(after - value)};
    return true;
}

struct json_part json_part_text(struct json_part value)
{
    if (!value.text || value.len < 2 || *value.text != '"')
        return (struct json_part){0};
    return (struct json_part){value.text + 1, value.len - 2};
}

bool json_part_is(struct json_part part, const char *text)
{
    return part.text && strlen(text) == part.len && memcmp(part.text, text, part.len) == 0;
}
