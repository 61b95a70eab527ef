/*
 * Looking into JSON without parsing it: the members of an object as they stand in the text. Nothing
 * is allocated, and what is no JSON is never read beyond its end; what comes of it then is as good
 * as none. Pure; any thread.
 *
 *     struct json_peek peek = json_peek_begin(text, len);
 *     for (struct json_part name, value; json_peek_next(&peek, &name, &value);) …
 */
#ifndef UNDERSTUDY_BASE_JSON_PEEK_H
#define UNDERSTUDY_BASE_JSON_PEEK_H

#include <stdbool.h>
#include <stddef.h>

struct json_part {
    const char *text; /* NULL: none */
    size_t len;
};

struct json_peek {
    const char *at, *end;
};

/* Of no object: one without members. */
struct json_peek json_peek_begin(const char *text, size_t len);

/* The next member: its name without quotes, escapes as they are, and its value's text. A value that
 * is cut is none. False: there is none. */
bool json_peek_next(struct json_peek *peek, struct json_part *ret_name,
                    struct json_part *ret_value);

/* What stands between the quotes of a text; NULL where the value is none. */
struct json_part json_part_text(struct json_part value);

/* Whether the part is these characters. */
bool json_part_is(struct json_part part, const char *text);

#endif
