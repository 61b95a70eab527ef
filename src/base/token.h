/* Tokens of HTTP (RFC 9110, section 5.6.2): what methods and names of header fields are. Any
 * thread. */
#ifndef UNDERSTUDY_BASE_TOKEN_H
#define UNDERSTUDY_BASE_TOKEN_H

#include <stdbool.h>
#include <stddef.h>

/* Whether `len` bytes are a token; an empty text is none. */
bool token_is_right(const char *text, size_t len);

/* Writes ASCII letters in lower case, as which such names, and those of hosts, are compared. */
void token_fold(char *text);

#endif
