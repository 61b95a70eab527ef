/* Characters and cleaning.
 *
 * Cleaning copies what bears meaning, until the window is full: white space is collapsed, what is
 * invisible or has no base to stand on is left out, so that no later step meets a control
 * character. */
#include "engine/generator_text.h"

#include <stdlib.h>
#include <string.h>
#include <unictype.h>
#include <uninorm.h>
#include <unistr.h>

enum {
    /* Real writing stacks three at most; without a bound one character fills the window. */
    MARKS_PER_LETTER_MAX = 4,
    /* Punctuation before the first word: enough for a heading, a quote, an opening tag. */
    LEADING_MAX = 64
};

size_t text_character(const char *bytes, size_t at, size_t len, ucs4_t *ret_character)
{
    unsigned char first = (unsigned char)bytes[at];
    if (first < 0x80) {
        *ret_character = first;
        return 1;
    }
    int used = u8_mbtouc(ret_character, (const uint8_t *)bytes + at, len - at);
    return used > 0 ? (size_t)used : 1;
}

static bool ascii_alnum(ucs4_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is(ucs4_t c, uint32_t category_mask)
{
    return uc_is_general_category_withtable(c, category_mask);
}

/* Letters and symbols that show nothing, and stand-ins for what was lost. */
static bool blank(ucs4_t c)
{
    return c == 0x2800 || c == 0xfffc || c == 0xfffd ||
           (c > 0x7f && uc_is_property_default_ignorable_code_point(c));
}

static bool noncharacter(ucs4_t c)
{
    return (c & 0xfffe) == 0xfffe || (c >= 0xfdd0 && c <= 0xfdef);
}

bool text_letter_or_digit(ucs4_t c)
{
    if (c < 0x80)
        return ascii_alnum(c);
    return is(c, UC_CATEGORY_MASK_L | UC_CATEGORY_MASK_N) && !blank(c);
}

bool text_symbol(ucs4_t c)
{
    if (c < 0x80 || (c >= 0x2500 && c <= 0x257f) || blank(c) || noncharacter(c))
        return false;
    if (c >= 0x1f3fb && c <= 0x1f3ff) /* skin tones: emoji, filed under modifiers */
        return true;
    /* What is unassigned here may be an emoji newer than the library. */
    return is(c, UC_CATEGORY_MASK_So | UC_CATEGORY_MASK_Sc | UC_CATEGORY_MASK_Sm |
                     UC_CATEGORY_MASK_Co | UC_CATEGORY_MASK_Cn);
}

bool text_nameable(ucs4_t c)
{
    return text_letter_or_digit(c) || text_symbol(c);
}

bool text_spaceless(ucs4_t c)
{
    return (c >= 0x0e00 && c <= 0x0eff) || (c >= 0x1000 && c <= 0x109f) ||
           (c >= 0x1780 && c <= 0x17ff) || (c >= 0x2e80 && c <= 0x2fdf) || c == 0x3005 ||
           c == 0x3007 || (c >= 0x3041 && c <= 0x31bf) || (c >= 0x31f0 && c <= 0x31ff) ||
           (c >= 0x3400 && c <= 0x9fff) || (c >= 0xf900 && c <= 0xfaff) ||
           (c >= 0xff66 && c <= 0xff9d) || (c >= 0x20000 && c <= 0x3ffff);
}

/* Cleaning. */

struct cleaner {
    struct text *text;
    bool named;    /* something nameable was seen */
    bool composed; /* something may change under NFC */
    int marks;     /* on the last letter */
};

static char last_byte(const struct text *text)
{
    if (!text->len)
        return '\n';
    return text->bytes[text->len - 1];
}

static void clean_space(struct text *text, bool line)
{
    char last = last_byte(text);
    if (last == ' ' && line)
        text->bytes[text->len - 1] = '\n';
    else if (line ? !(last == '\n' && text->len > 1 && text->bytes[text->len - 2] == '\n')
                  : last != ' ' && last != '\n')
        text->bytes[text->len++] = line ? '\n' : ' ';
}

static bool line_end(ucs4_t c)
{
    return c == '\n' || c == 0x0b || c == 0x0c || c == 0x85 || c == 0x2028 || c == 0x2029;
}

/* Whether a character other than white space goes into the text. */
static bool clean_keeps(struct cleaner *cleaner, ucs4_t c)
{
    if (c < 0x80)
        return c > ' ' && c != 0x7f;
    char last = last_byte(cleaner->text);
    bool based = last != ' ' && last != '\n';
    if (c == TEXT_JOINER || c == TEXT_NON_JOINER)
        return based;
    if (is(c, UC_CATEGORY_MASK_M)) {
        cleaner->composed = true;
        return based && ++cleaner->marks <= MARKS_PER_LETTER_MAX;
    }
    if (c >= 0x1100 && c <= 0x11ff)
        cleaner->composed = true;
    return !noncharacter(c) && !blank(c) && !is(c, UC_CATEGORY_MASK_Cc | UC_CATEGORY_MASK_Cf);
}

static void clean_character(struct cleaner *cleaner, const char *bytes, size_t used, ucs4_t c)
{
    struct text *text = cleaner->text;
    if (cleaner->named && c > ' ' && c < 0x7f) { /* by far the most */
        cleaner->marks = 0;
        text->bytes[text->len++] = *bytes;
        return;
    }
    if (line_end(c) || c == ' ' || c == '\t' || (c > 0x7f && is(c, UC_CATEGORY_MASK_Zs))) {
        clean_space(text, line_end(c));
        return;
    }
    if (!clean_keeps(cleaner, c))
        return;
    if (c < 0x80 || !is(c, UC_CATEGORY_MASK_M))
        cleaner->marks = 0;
    if (!cleaner->named && text->len > LEADING_MAX)
        text->len = 0;
    cleaner->named = cleaner->named || text_nameable(c);
    memcpy(text->bytes + text->len, bytes, used);
    text->len += used;
}

/* Composed, so that the tables and the name see one spelling of each letter. */
static void compose(struct text *text)
{
    uint8_t composed[TEXT_SIZE];
    size_t len = sizeof composed;
    uint8_t *result =
        u8_normalize(UNINORM_NFC, (const uint8_t *)text->bytes, text->len, composed, &len);
    if (result == composed) {
        memcpy(text->bytes, composed, len);
        text->len = len;
    } else {
        free(result);
    }
}

bool text_mark(ucs4_t c)
{
    return c > 0x7f && is(c, UC_CATEGORY_MASK_M);
}

void text_clean(const char *prompt, size_t len, struct text *ret_text)
{
    ret_text->len = 0;
    struct cleaner cleaner = {.text = ret_text};
    for (size_t at = 0, used; at < len && ret_text->len < TEXT_WINDOW; at += used) {
        ucs4_t c;
        used = text_character(prompt, at, len, &c);
        clean_character(&cleaner, prompt + at, used, c);
    }
    if (cleaner.composed)
        compose(ret_text);
}
