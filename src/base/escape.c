#include "base/escape.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

static const char ellipsis[] = "\xe2\x80\xa6";
static const char hex[] = "0123456789abcdef";

/* RFC 3629: the second byte's range depends on the first, the others are 80 to BF. */
size_t escape_utf8_length(const char *text, size_t len)
{
    const unsigned char *at = (const unsigned char *)text;
    unsigned char low = 0x80, high = 0xbf;
    size_t need;

    if (at[0] < 0x80)
        return 1;
    if (at[0] >= 0xc2 && at[0] <= 0xdf)
        need = 2;
    else if ((at[0] & 0xf0) == 0xe0)
        need = 3;
    else if (at[0] >= 0xf0 && at[0] <= 0xf4)
        need = 4;
    else
        return 0;

    if (at[0] == 0xe0)
        low = 0xa0; /* below: overlong */
    else if (at[0] == 0xed)
        high = 0x9f; /* above: surrogates */
    else if (at[0] == 0xf0)
        low = 0x90;
    else if (at[0] == 0xf4)
        high = 0x8f; /* above: beyond U+10FFFF */
    if (need > len || at[1] < low || at[1] > high)
        return 0;
    for (size_t i = 2; i < need; i++)
        if ((at[i] & 0xc0) != 0x80)
            return 0;
    return need;
}

/* C1 controls, zero-width and direction-turning characters, line separators, the BOM. */
static bool is_invisible(uint32_t code)
{
    return (code >= 0x80 && code <= 0x9f) || code == 0xad || code == 0x61c ||
           (code >= 0x200b && code <= 0x200f) || (code >= 0x2028 && code <= 0x202e) ||
           (code >= 0x2060 && code <= 0x206f) || code == 0xfeff;
}

static uint32_t decode(const char *text, size_t len)
{
    const unsigned char *at = (const unsigned char *)text;
    if (len == 2)
        return (uint32_t)(at[0] & 0x1f) << 6 | (at[1] & 0x3f);
    if (len == 3)
        return (uint32_t)(at[0] & 0x0f) << 12 | (uint32_t)(at[1] & 0x3f) << 6 | (at[2] & 0x3f);
    return 0; /* one byte and four: nothing invisible that matters here */
}

static size_t put_byte(const char *lead, unsigned char byte, char *out)
{
    size_t len = 0;
    for (; lead[len]; len++)
        out[len] = lead[len];
    out[len] = hex[byte >> 4];
    out[len + 1] = hex[byte & 15];
    return len + 2;
}

/* Escapes the one character at `text`; returns what was written, `ret_used` what was read. */
static size_t put_character(enum escape_style style, const char *text, size_t len, char *out,
                            size_t *ret_used)
{
    unsigned char first = (unsigned char)*text;
    size_t used = escape_utf8_length(text, len);

    *ret_used = used ? used : 1;
    if (!used)
        return put_byte(style == ESCAPE_JSON ? "\\\\x" : "\\x", first, out);
    if (first < 0x20 || first == 0x7f)
        return put_byte(style == ESCAPE_JSON ? "\\u00" : "\\x", first, out);
    if ((first == '"' || first == '\\') && style != ESCAPE_PLAIN) {
        out[0] = '\\';
        out[1] = *text;
        return 2;
    }
    uint32_t code = decode(text, used);
    if (is_invisible(code)) {
        size_t written = put_byte("\\u", (unsigned char)(code >> 8), out);
        return written + put_byte("", (unsigned char)code, out + written);
    }
    memcpy(out, text, used);
    return used;
}

size_t escape_text(enum escape_style style, const char *text, size_t len, char *out, size_t size)
{
    size_t at = 0, used, cut = 0;
    size_t room = size - 1; /* for the NUL */

    for (size_t i = 0; i < len; i += used) {
        char piece[ESCAPE_CHAR_MAX];
        size_t piece_len = put_character(style, text + i, len - i, piece, &used);
        if (piece_len > room - at) {
            memcpy(out + cut, ellipsis, sizeof ellipsis);
            return cut + sizeof ellipsis - 1;
        }
        memcpy(out + at, piece, piece_len);
        at += piece_len;
        if (at + sizeof ellipsis - 1 <= room)
            cut = at; /* the last place where the mark of a cut still fits */
    }
    out[at] = '\0';
    return at;
}
