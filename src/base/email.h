/* E-mail addresses, as far as a field may be judged without sending mail. Any thread. */
#ifndef UNDERSTUDY_BASE_EMAIL_H
#define UNDERSTUDY_BASE_EMAIL_H

#include <stdbool.h>
#include <stddef.h>

enum { EMAIL_MAX = 254 }; /* octets; RFC 5321's longest path */

/*
 * Whether `text` looks like an address (S6): something, one @, a domain of dotted labels, no white
 * space or control characters. Letters of any script may stand on either side.
 */
bool email_looks_right(const char *text, size_t len);

/* Copies `text`, cut to EMAIL_MAX octets, with ASCII letters in lower case: case does not matter
 * (S8). */
void email_fold(const char *text, char ret_folded[EMAIL_MAX + 1]);

#endif
