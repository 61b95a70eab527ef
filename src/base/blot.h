/*
 * What must not be read in what is kept or logged, blotted out in place. It is found in whatever
 * spelling comes to the same: with %XX, as in URLs, and \u00XX, as in JSON. Any thread.
 */
#ifndef UNDERSTUDY_BASE_BLOT_H
#define UNDERSTUDY_BASE_BLOT_H

#include <stdbool.h>
#include <stddef.h>

enum { BLOT_TOKEN_MAX = 256 }; /* characters of a control token */

/* The control token, which is found from here on in addition to API keys; NULL or what is too long:
 * none. Before any thread starts. */
void blot_set_token(const char *token);

/* Whether there may be any but the plain spelling. */
bool blot_has_escapes(const char *text, size_t len);

/* Makes dots of all but the last four characters of each API key ("exec_live_…"), and of the whole
 * of the control token; of those in the plain spelling alone where no `escapes` are looked for,
 * which costs a third. */
void blot_keys(char *text, size_t len, bool escapes);

/* The same of the token alone, in any spelling. */
void blot_token(char *text, size_t len);

/* Makes blanks of the whole of each, in the plain spelling. */
void blot_wipe_keys(char *text, size_t len);

/* Whether there is the beginning of a key. */
bool blot_has_key(const char *text);

/* Whether there is anything that blot_keys() would look at: that, or the control token. */
bool blot_has_secret(const char *text);

/*
 * The first place where `word` (in lower-case letters and _) stands in `text`, in any case, with or
 * without what is _ in it, or with - instead: "callback_headers" in "callbackHeaders". NULL:
 * nowhere.
 */
const char *blot_find(const char *text, size_t len, const char *word);

#endif
