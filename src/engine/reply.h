/*
 * An answer that a test writes for us to give: a status, headers and a body. It is the same in a
 * rule's `respond` and in an inbox's replies. Pure; any thread.
 */
#ifndef UNDERSTUDY_ENGINE_REPLY_H
#define UNDERSTUDY_ENGINE_REPLY_H

#include "base/buf.h"
#include "engine/action.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* What its fields must be, for their tables. */
#define REPLY_STATUS "a whole number from 200 to 599"
#define REPLY_HEADERS                                                                              \
    "an object of at most 15 headers, of texts that may be sent, without Content-Length, "         \
    "Date and those of the connection, as Transfer-Encoding"
bool reply_check_status(const json_t *value);
bool reply_check_headers(const json_t *value);

/* Whether an answer of that status may have a body at all. */
bool reply_may_have_body(int status);

struct reply_headers {
    struct action_header items[ACTION_HEADERS_MAX]; /* texts belong to the JSON */
    size_t count;
    const char *content_type; /* as it was given; NULL: it was not */
};

/* Reads headers that were checked, or NULL; with a content type for a body that was given none. */
void reply_read_headers(const json_t *object, bool has_body, struct reply_headers *ret_headers);

/* Writes a body as it is sent: JSON, but for a text of another content type. */
void reply_put_body(struct buf *out, const json_t *value, const char *content_type);

#endif
