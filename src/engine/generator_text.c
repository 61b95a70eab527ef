/* Splitting a clean text and looking its words up.
 *
 * Splitting takes words, runs of symbols and addresses; all else between them only says how
 * strongly they are parted. Then words and phrases are looked up, and the language is the one that
 * most of them belong to. */
#include "engine/generator_text.h"

#include "base/blot.h"

#include <string.h>
#include <unicase.h>
#include <unictype.h>
#include <unistr.h>

enum {
    /* How far a closing bracket is looked for, so that a text full of open ones stays linear. */
    BRACKET_REACH = 160
};

struct splitter {
    struct text *text;
    size_t at;
    size_t aside_end; /* tokens before this offset stand in parentheses */
    enum token_break before;
    ucs4_t mark;
    bool heading; /* the line is a Markdown heading: it ends with the line */
    bool quoted;  /* within single quotes */
};

static ucs4_t peek(const struct text *text, size_t at)
{
    ucs4_t c = 0;
    if (at < text->len)
        text_character(text->bytes, at, text->len, &c);
    return c;
}

static bool starts(const struct text *text, size_t at, const char *with)
{
    size_t len = strlen(with);
    return text->len - at >= len && memcmp(text->bytes + at, with, len) == 0;
}

/* The offset of a closing bracket, or 0. */
static size_t closing(const struct text *text, size_t at, const char *bracket)
{
    size_t end = at + BRACKET_REACH < text->len ? at + BRACKET_REACH : text->len;
    for (; at < end && text->bytes[at] != '\n'; at++)
        if (starts(text, at, bracket))
            return at;
    return 0;
}

static bool apostrophe(ucs4_t c)
{
    return c == '\'' || c == 0x2019;
}

static bool hyphen(ucs4_t c)
{
    return c == '-' || c == 0x2010 || c == 0x2011;
}

static bool digit(ucs4_t c)
{
    return c >= '0' && c <= '9';
}

static bool word_character(ucs4_t c)
{
    return text_letter_or_digit(c) || text_mark(c);
}

/* Whether a mark between two characters belongs to the word ("O'Brien", "3.5", "R&D", "24/7"). */
static bool joins(ucs4_t left, ucs4_t c, ucs4_t right)
{
    if (!word_character(right))
        return false;
    if (c == ',' || c == ':')
        return digit(left) && digit(right);
    if (c == '.') /* but "end.Next" is two sentences */
        return !(uc_is_property_lowercase(left) && uc_is_property_uppercase(right));
    return apostrophe(c) || hyphen(c) || c == '/' || c == '&' || c == '@' || c == 0xb7 ||
           c == TEXT_JOINER || c == TEXT_NON_JOINER;
}

static struct token *push(struct splitter *splitter, enum token_kind kind, size_t start)
{
    struct text *text = splitter->text;
    struct token *token = &text->tokens[text->count++];
    *token = (struct token){.start = (uint16_t)start,
                            .len = (uint16_t)(splitter->at - start),
                            .kind = (uint8_t)kind,
                            .before = (uint8_t)splitter->before,
                            .mark = splitter->mark,
                            .aside = start < splitter->aside_end,
                            .span = 1,
                            .entry = WORDS_NONE,
                            .phrase = WORDS_NONE};
    if (text->count == 1)
        token->before = BREAK_NONE;
    splitter->before = BREAK_NONE;
    splitter->mark = 0;
    return token;
}

static void split_address(struct splitter *splitter, size_t start)
{
    const struct text *text = splitter->text;
    while (splitter->at < text->len && !strchr(" \n<>\"')]|", text->bytes[splitter->at]))
        splitter->at++;
    push(splitter, TOKEN_ADDRESS, start);
}

static bool address_starts(const struct text *text, size_t at)
{
    if (!strchr("hfwmH", text->bytes[at]))
        return false;
    return starts(text, at, "http://") || starts(text, at, "https://") ||
           starts(text, at, "ftp://") || starts(text, at, "www.") || starts(text, at, "mailto:") ||
           starts(text, at, "HTTP://") || starts(text, at, "HTTPS://");
}

static void make_key(struct text *text, struct token *token)
{
    char *key = text->keys + text->keys_len;
    size_t len = 0;
    size_t end = (size_t)token->start + token->len;
    if (token->len > WORDS_MAX_LENGTH || text->keys_len + WORDS_MAX_LENGTH + 8 > sizeof text->keys)
        return;
    for (size_t at = token->start, used; at < end && len <= WORDS_MAX_LENGTH; at += used) {
        ucs4_t c;
        used = text_character(text->bytes, at, end, &c);
        if (c < 0x80) {
            key[len++] = (char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
        } else if (apostrophe(c)) {
            key[len++] = '\'';
        } else {
            int written = u8_uctomb((uint8_t *)key + len, uc_tolower(c), 6);
            len += written > 0 ? (size_t)written : 0;
        }
    }
    if (len > WORDS_MAX_LENGTH)
        return;
    token->key = (uint16_t)text->keys_len;
    token->key_len = (uint8_t)len;
    text->keys_len += len;
    token->entry = words_find(words_hash(WORDS_HASH_START, key, len), key, len);
}

static bool abbreviation(const struct text *text, const struct token *token)
{
    ucs4_t first = peek(text, token->start);
    bool initial = token->len == 1 && first >= 'A' && first <= 'Z' && first != 'I';
    return initial || (words_meaning(token->entry, LANGUAGE_ENGLISH) & WORD_ABBREVIATION) ||
           memchr(text->bytes + token->start, '.', token->len);
}

/* "C++", "C#", "50%", "50+". */
static void take_suffix(struct splitter *splitter, size_t start, ucs4_t last)
{
    const struct text *text = splitter->text;
    size_t len = splitter->at - start;
    if (len <= 2 && starts(text, splitter->at, "++"))
        splitter->at += 2;
    else if (digit(last) ? starts(text, splitter->at, "%") || starts(text, splitter->at, "+")
                         : len == 1 && starts(text, splitter->at, "#"))
        splitter->at++;
}

static void split_word(struct splitter *splitter, size_t start)
{
    struct text *text = splitter->text;
    ucs4_t left = 0;
    bool spaceless = false;
    while (splitter->at < text->len) {
        ucs4_t c;
        size_t used = text_character(text->bytes, splitter->at, text->len, &c);
        if (c == ' ' || c == '\n')
            break;
        if (!word_character(c) && !joins(left, c, peek(text, splitter->at + used)))
            break;
        if (c == '@') {
            split_address(splitter, start);
            return;
        }
        spaceless = spaceless || (c > 0x7f && text_spaceless(c));
        left = c;
        splitter->at += used;
    }
    take_suffix(splitter, start, left);
    if ((left == 's' || left == 'S') && apostrophe(peek(text, splitter->at)) && !splitter->quoted)
        splitter->at += peek(text, splitter->at) == '\'' ? 1 : 3;
    struct token *token = push(splitter, TOKEN_WORD, start);
    token->spaceless = spaceless;
    make_key(text, token);
    if (peek(text, splitter->at) == '.' && abbreviation(text, token)) {
        token->dot = true;
        splitter->at++;
    }
}

static void split_symbols(struct splitter *splitter, size_t start)
{
    const struct text *text = splitter->text;
    while (splitter->at < text->len) {
        ucs4_t c;
        size_t used = text_character(text->bytes, splitter->at, text->len, &c);
        if (!text_symbol(c) && c != TEXT_JOINER && !text_mark(c))
            break;
        splitter->at += used;
    }
    push(splitter, TOKEN_SYMBOL, start);
}

static void part(struct splitter *splitter, enum token_break before, ucs4_t mark)
{
    if (before > splitter->before) {
        splitter->before = before;
        splitter->mark = mark;
    }
}

/* The start of a line: headings, list markers, quotes and fences are its dress. True when `at`
 * moved over some. */
static bool skip_line_dress(struct splitter *splitter)
{
    const struct text *text = splitter->text;
    size_t at = splitter->at;
    if (starts(text, at, "```"))
        while (at < text->len && text->bytes[at] != '\n')
            at++;
    splitter->heading = starts(text, at, "#");
    while (at < text->len && strchr("#*->+ ", text->bytes[at]))
        at++;
    size_t number = at;
    while (number < text->len && digit((unsigned char)text->bytes[number]))
        number++;
    if (number > at && number - at <= 2 &&
        (starts(text, number, ". ") || starts(text, number, ") ")))
        at = number + 2;
    bool moved = at > splitter->at;
    splitter->at = at;
    return moved;
}

/* A line that goes on in lower case is the same sentence wrapped. */
static void split_line(struct splitter *splitter)
{
    bool heading = splitter->heading;
    splitter->at++;
    bool blank_line = peek(splitter->text, splitter->at) == '\n';
    bool dressed = skip_line_dress(splitter);
    if (heading || blank_line || dressed ||
        !uc_is_property_lowercase(peek(splitter->text, splitter->at)))
        part(splitter, BREAK_SENTENCE, 0);
    splitter->quoted = false;
}

static void split_bracket(struct splitter *splitter, ucs4_t c, size_t used)
{
    const struct text *text = splitter->text;
    size_t end = closing(text, splitter->at, c == '(' ? ")" : "\xef\xbc\x89");
    splitter->at += used;
    if (end > splitter->at && splitter->at > splitter->aside_end)
        splitter->aside_end = end;
    else
        part(splitter, BREAK_CLAUSE, 0);
}

/* A Markdown link's address and an HTML tag are skipped whole. True when there was one. */
static bool skip_markup(struct splitter *splitter)
{
    const struct text *text = splitter->text;
    size_t end = 0;
    if (starts(text, splitter->at, "](")) {
        end = closing(text, splitter->at, ")");
    } else if (starts(text, splitter->at, "<") && splitter->at + 1 < text->len) {
        char next = text->bytes[splitter->at + 1];
        if (next == '/' || next == '!' ||
            (next >= 'A' && text_letter_or_digit((unsigned char)next)))
            end = closing(text, splitter->at, ">");
    }
    if (end)
        splitter->at = end + 1;
    return end != 0;
}

static void split_stop(struct splitter *splitter, ucs4_t c, size_t used)
{
    ucs4_t next = peek(splitter->text, splitter->at + used);
    splitter->at += used;
    part(splitter, c == '.' && next == '.' ? BREAK_CLAUSE : BREAK_SENTENCE, 0);
    if (c == '.')
        while (peek(splitter->text, splitter->at) == '.')
            splitter->at++;
}

static void split_punctuation(struct splitter *splitter, ucs4_t c, size_t used)
{
    ucs4_t next = peek(splitter->text, splitter->at + used);
    splitter->at += used;
    if (c == ',' || c == ':' || c == 0x3001 || c == 0xff0c || c == 0xff1a || c == 0x060c)
        part(splitter, BREAK_CLAUSE, c);
    else if (c == ';' || c == '|' || c == 0xff1b || c == 0x2013 || c == 0x2014 || c == ')' ||
             (c == '-' && (next == ' ' || next == '-')))
        part(splitter, BREAK_CLAUSE, 0);
    else if (apostrophe(c) || c == 0x2018)
        splitter->quoted = text_letter_or_digit(next);
}

static void split_next(struct splitter *splitter)
{
    struct text *text = splitter->text;
    size_t start = splitter->at;
    ucs4_t c;
    size_t used = text_character(text->bytes, start, text->len, &c);
    bool money =
        (c == '$' || c == 0x20ac || c == 0xa3 || c == 0xa5) && digit(peek(text, start + used));
    if (money)
        splitter->at += used;
    if (c == '&' && starts(text, start, "& ")) {
        splitter->at++;
        make_key(text, push(splitter, TOKEN_WORD, start));
    } else if (money || text_letter_or_digit(c)) {
        if (address_starts(text, start))
            split_address(splitter, start);
        else
            split_word(splitter, start);
    } else if (text_symbol(c)) {
        split_symbols(splitter, start);
    } else if (c == '\n') {
        split_line(splitter);
    } else if (c == '(' || c == 0xff08) {
        split_bracket(splitter, c, used);
    } else if (c == '.' || c == '!' || c == '?' || c == 0x2026 || c == 0x3002 || c == 0xff01 ||
               c == 0xff1f || c == 0x061f || c == 0x06d4 || c == 0x0964) {
        split_stop(splitter, c, used);
    } else if (!skip_markup(splitter)) {
        split_punctuation(splitter, c, used);
    }
}

/* Looking up. */

/* The longest phrase, of up to four words, that begins at a token. */
static void find_phrase(struct text *text, size_t first)
{
    struct token *token = &text->tokens[first];
    char joined[4 * WORDS_MAX_LENGTH + 4];
    size_t len = 0;
    for (size_t i = first; i < text->count && i < first + 4; i++) {
        const struct token *part_of = &text->tokens[i];
        if (part_of->key_len == 0 || (i > first && part_of->before != BREAK_NONE))
            return;
        if (i > first)
            joined[len++] = '_';
        memcpy(joined + len, text->keys + part_of->key, part_of->key_len);
        len += part_of->key_len;
        int entry = i > first ? words_find(words_hash(WORDS_HASH_START, joined, len), joined, len)
                              : WORDS_NONE;
        if (entry != WORDS_NONE && words_classes(entry)) {
            token->phrase = entry;
            token->span = (uint8_t)(i - first + 1);
        }
    }
}

static void look_up(struct text *text)
{
    unsigned score[LANGUAGE_COUNT] = {0};
    for (size_t i = 0; i < text->count; i++) {
        struct token *token = &text->tokens[i];
        bool leads_phrase = false;
        for (int e = token->entry; e != WORDS_NONE; e = words_next(e)) {
            if (words_classes(e) == 0)
                leads_phrase = true;
            else if (!(words_classes(e) & WORD_SPELLING))
                score[words_language(e)]++;
        }
        if (leads_phrase)
            find_phrase(text, i);
        if (token->phrase != WORDS_NONE)
            score[words_language(token->phrase)] += 2;
    }
    for (int l = 1; l < LANGUAGE_COUNT; l++)
        if (score[l] > score[text->language])
            text->language = (enum language)l;
    for (size_t i = 0; i < text->count; i++) {
        struct token *token = &text->tokens[i];
        token->classes = words_meaning(token->phrase, text->language);
        if (!token->classes) {
            token->span = 1;
            token->classes = words_meaning(token->entry, text->language);
        }
        /* "I'm a nurse and I need …": another sentence. */
        if (i > 0 && (token->classes & WORD_PRONOUN) && (text->tokens[i - 1].classes & WORD_AND))
            token->before = BREAK_SENTENCE;
    }
}

bool text_key_is(const struct text *text, const struct token *token, const char *key)
{
    return token->key_len == strlen(key) &&
           memcmp(text->keys + token->key, key, token->key_len) == 0;
}

void text_read(const char *prompt, size_t len, struct text *ret_text)
{
    ret_text->count = ret_text->keys_len = 0;
    ret_text->language = LANGUAGE_ENGLISH;
    text_clean(prompt, len, ret_text);
    /* A key that was pasted along: names are shown to many, and stand in paths. */
    blot_wipe_keys(ret_text->bytes, ret_text->len);
    struct splitter splitter = {.text = ret_text};
    skip_line_dress(&splitter);
    while (splitter.at < ret_text->len && ret_text->count < TEXT_TOKENS_MAX)
        split_next(&splitter);
    look_up(ret_text);
}
