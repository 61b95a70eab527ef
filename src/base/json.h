/*
 * JSON out, and jansson in. Answers are written straight into a buffer, one serializer a resource,
 * because building a jansson tree for each would cost more than the rest of the request; bodies are
 * parsed by jansson.
 */
#ifndef UNDERSTUDY_BASE_JSON_H
#define UNDERSTUDY_BASE_JSON_H

#include "base/buf.h"
#include "base/err.h"

#include <jansson.h>

/* Appends `text` (valid UTF-8) as a JSON string; json_put_text writes null for NULL. */
void json_put_string(struct buf *out, const char *text, size_t len);
void json_put_text(struct buf *out, const char *text);

/* The same of bytes that anybody may have sent: what is no UTF-8 is taken for Latin-1, as HTTP once
 * said. */
void json_put_foreign(struct buf *out, const char *text, size_t len);

/*
 * Appends a number in its shortest form, laid out as ECMAScript does (the form that the real
 * services' JavaScript gives): 0.1, 100000, 1e+21; a whole number has no ".0", and from 2^63 on, so
 * that what was written can be read again (H2), an exponent: 1e+20. `value` is finite.
 */
void json_put_real(struct buf *out, double value);

/*
 * Appends a parsed value, compactly, members in their order, numbers in shortest form (E8).
 * NULL, as of a tree for which there was no memory, fails the buffer. Recursion is bounded by what
 * jansson parses: 2,048 levels.
 */
void json_put_value(struct buf *out, const json_t *value);

/*
 * As json_loadb(), but that it gives all or NULL, and is safe, where memory runs out
 * (json_read.c). base/memory.h says of that, and of all else that jansson had no memory for.
 * `ret_where` may be NULL.
 */
json_t *json_read(const char *text, size_t len, size_t flags, json_error_t *ret_where);

/* The same of a C string. */
json_t *json_read_text(const char *text, size_t flags);

/*
 * Parses a request body (H2): one RFC 8259 value in UTF-8 and nothing after it. On success the
 * caller owns the reference. ERR_INVALID with where and why, in words for the body's author.
 */
int json_parse_body(const char *bytes, size_t len, json_t **ret_value, struct err *err);

#endif
