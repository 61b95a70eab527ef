/* Names and slugs for generated scenarios (S24).
 *
 * A stand-in has no language model, so a scenario's name is made from its prompt by rules: the same
 * prompt gives the same name on every machine and in every run. No function here keeps state that a
 * caller could see, logs, fails or blocks: all may be called from any thread. Nothing is owned by
 * anyone: text is read from the caller's memory and written into the caller's buffers. */
#ifndef UNDERSTUDY_ENGINE_GENERATOR_H
#define UNDERSTUDY_ENGINE_GENERATOR_H

#include <stdbool.h>
#include <stddef.h>

enum {
    /* Bytes with the NUL: eight words of a three-byte script, and short enough for a list. */
    GENERATOR_NAME_SIZE = 200,
    /* Bytes with the NUL: a URL segment. Room for a "-<n>" suffix is the caller's. */
    GENERATOR_SLUG_SIZE = 120
};

/* Whether there is anything in the prompt to name a scenario by: a letter or a digit of any script,
 * or a symbol that is neither punctuation nor white space (an emoji, "€", "∑"). What ASCII calls
 * punctuation counts as such ("$", "+", "~"), and so do rules and box lines, combining marks alone,
 * and all that is invisible. False means the job fails with GENERATION_ERROR (S23).
 * `prompt` is UTF-8, `len` its bytes; the whole of it is looked at until something is found. */
bool generator_can_name(const char *prompt, size_t len);

/* Writes the name that the prompt gives: Title Case, three to eight words where the prompt has
 * them, valid UTF-8 in NFC, never empty, without control, format and line-breaking characters (but
 * for joiners inside a word), never cut inside a word unless that word alone is too long, and then
 * not inside a character. A prompt of emoji and other symbols alone is named by them as they are.
 * Precondition: generator_can_name; without it the name is "Scenario". `prompt` is UTF-8 of any
 * length; no more than its first 2,000 bytes that bear meaning have a say. */
void generator_name(const char *prompt, size_t len, char ret_name[GENERATOR_NAME_SIZE]);

/* Writes the slug of a name: lower-case ASCII letters, digits and single hyphens, none at the ends;
 * letters with accents and other Latin letters folded ("é" to e, "ß" to ss), "&" spelt out. False,
 * and `ret_slug` untouched, where most of the name has no such form (Chinese, Cyrillic, emoji): the
 * caller then uses "scenario-<id>". Uniqueness is the caller's too. `name` is NUL-terminated UTF-8;
 * what is beyond GENERATOR_NAME_SIZE is not looked at. */
bool generator_slug(const char *name, char ret_slug[GENERATOR_SLUG_SIZE]);

#endif
