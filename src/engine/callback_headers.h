/* What a job may ask of its callback (S6). Pure; any thread. */
#ifndef UNDERSTUDY_ENGINE_CALLBACK_HEADERS_H
#define UNDERSTUDY_ENGINE_CALLBACK_HEADERS_H

#include <jansson.h>
#include <stdbool.h>

/* Whether a JSON string is an absolute http(s) URL without user info. */
bool callback_url_is_right(const json_t *url);

/*
 * Whether a JSON object is a set of headers that can be sent as given: names are tokens, no two
 * equal but for case, none that belongs to the connection or to signatures; values are strings
 * without control characters, and without white space at their ends.
 */
bool callback_headers_are_right(const json_t *headers);

/* The same of headers whose values may be null, because they are kept elsewhere. */
bool callback_headers_may_be_right(const json_t *headers);

#endif
