/* A prompt as words: cleaned, split, each word looked up. Internal to the generator; any thread may
 * call, and a struct text belongs to its caller. */
#ifndef UNDERSTUDY_ENGINE_GENERATOR_TEXT_H
#define UNDERSTUDY_ENGINE_GENERATOR_TEXT_H

#include "engine/generator_words.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <unitypes.h>

enum {
    /* Bytes that have a say in a name: a name is eight words, and what a prompt is about stands in
     * its first sentences. */
    TEXT_WINDOW = 2000,
    /* NFC may lengthen a text, threefold at most. */
    TEXT_SIZE = 3 * TEXT_WINDOW + 8,
    /* Enough for every sentence that could still be asked for; the rest is not split. */
    TEXT_TOKENS_MAX = 240,
    /* Zero width: they shape the letters beside them. */
    TEXT_NON_JOINER = 0x200c,
    TEXT_JOINER = 0x200d
};

enum token_kind { TOKEN_WORD, TOKEN_SYMBOL, TOKEN_ADDRESS };

/* What stands before a token. */
enum token_break { BREAK_NONE, BREAK_CLAUSE, BREAK_SENTENCE };

struct token {
    uint16_t start, len; /* in text.bytes */
    uint16_t key;        /* in text.keys; the token in lower case, for look-ups */
    uint8_t key_len;     /* 0: too long for any table */
    uint8_t kind, before;
    uint8_t span;     /* tokens of the phrase that begins here, 1 for a lone word */
    bool aside;       /* stands in parentheses */
    bool dot;         /* an abbreviation's full stop follows */
    bool spaceless;   /* of a script that writes no spaces between words */
    ucs4_t mark;      /* the punctuation of a clause break, 0 for none worth showing */
    int entry;        /* of the word in the tables, or WORDS_NONE */
    int phrase;       /* of the phrase that begins here, or WORDS_NONE */
    uint32_t classes; /* in the text's language: those of the phrase, else of the word */
};

struct text {
    size_t len;
    size_t count;
    enum language language;
    struct token tokens[TEXT_TOKENS_MAX];
    char bytes[TEXT_SIZE];
    char keys[TEXT_SIZE];
    size_t keys_len;
};

/* The token's key is this. */
bool text_key_is(const struct text *text, const struct token *token, const char *key);

/* Whether a name may be made of this character alone (see generator_can_name). */
bool text_nameable(ucs4_t c);

/* Whether the character's script writes words without spaces between them. */
bool text_spaceless(ucs4_t c);

/* The character at `at`, before `len`, and its bytes. */
size_t text_character(const char *bytes, size_t at, size_t len, ucs4_t *ret_character);

/* Of one character: a visible letter or digit; a visible symbol; a combining mark. */
bool text_letter_or_digit(ucs4_t c);
bool text_symbol(ucs4_t c);
bool text_mark(ucs4_t c);

/* Writes `bytes` and `len` of a text: the prompt's first TEXT_WINDOW bytes that bear meaning. */
void text_clean(const char *prompt, size_t len, struct text *ret_text);

/* Reads a prompt; `ret_text` is written whole. It may have no token. */
void text_read(const char *prompt, size_t len, struct text *ret_text);

#endif
