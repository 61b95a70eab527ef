/* Writing one word of a name: its case, and where it is cut when it is too long. Internal to the
 * generator; any thread may call. */
#ifndef UNDERSTUDY_ENGINE_GENERATOR_CASE_H
#define UNDERSTUDY_ENGINE_GENERATOR_CASE_H

#include "engine/generator_text.h"

enum {
    /* Bytes of one word in a name: what eight words' worth of a script without spaces takes. */
    CASE_WORD_SIZE = 132,
    /* Bytes of a word in other scripts: longer than any real one. */
    CASE_LONGEST_WORD = 60
};

struct case_style {
    bool low;   /* a small word that is neither first nor last */
    bool first; /* nothing stands before it */
    bool shout; /* the prompt is in capitals throughout: they mean nothing */
    bool it;    /* "it" that means IT */
};

/* Writes a token's word in Title Case, cut to its bound at a character boundary; answers its
 * length, without a NUL. Acronyms and mixed case stay as they are. */
size_t case_write(const struct text *text, const struct token *token, struct case_style style,
                  char ret_word[CASE_WORD_SIZE]);

/* How many words of a spaced script a token counts for in a name's length: one, or, without spaces,
 * one for each few characters. */
unsigned case_weight(const struct text *text, const struct token *token);

/* Takes the words that only ask for a scenario off a token of a spaceless script. */
void case_strip(const struct text *text, struct token *token);

/* Cuts a token of a spaceless script to what `weight` words allow. */
void case_shorten(const struct text *text, struct token *token, unsigned weight);

#endif
