/* What a client sent and nobody is to read: the values of callback_headers. Any thread. */
#ifndef UNDERSTUDY_CONTROL_SECRETS_H
#define UNDERSTUDY_CONTROL_SECRETS_H

#include <jansson.h>
#include <stdbool.h>

/* In any spelling (base/blot.h), the name of what holds them, also where it is misspelt. */
#define SECRETS_MEMBER "callback_header"
bool secrets_are_in(const char *member);

/*
 * A copy of a value in which texts and numbers below such a member are their length: "(12 bytes)";
 * also where a text of it is JSON itself. The caller's; NULL: there is no
 * memory. As deep as jansson parses.
 */
json_t *secrets_blot(const json_t *value);

#endif
