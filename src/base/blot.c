#include "base/blot.h"

#include <ctype.h>
#include <string.h>

static const char key_prefix[] = "exec_live_";
enum {
    PREFIX = sizeof key_prefix - 1,
    SHOWN = 4,
    URL_ESCAPE = 3,   /* %5f */
    JSON_ESCAPE = 6,  /* \u005f */
    SHORT_ESCAPE = 2, /* \/ */
};

/* The control token. */
static char token[BLOT_TOKEN_MAX + 1];
static size_t token_len;
static bool token_has_short_escapes; /* JSON may spell it with a backslash before what is in it */

static int hex_value(char c)
{
    return isdigit((unsigned char)c) ? c - '0' : (c | 0x20) - 'a' + 10;
}

static bool is_hex(const char *at)
{
    return isxdigit((unsigned char)at[0]) && isxdigit((unsigned char)at[1]);
}

static char hex(const char *at)
{
    return (char)(hex_value(at[0]) << 4 | hex_value(at[1]));
}

static bool is_short_escape(const char *at)
{
    return at[1] == '/' || at[1] == '"' || at[1] == '\\';
}

/* The character that stands at `at`, however it is spelled, and how many bytes that takes. */
static size_t spelled(const char *at, const char *end, char *ret_c)
{
    if (*at == '%' && end - at >= URL_ESCAPE && is_hex(at + 1)) {
        *ret_c = hex(at + 1);
        return URL_ESCAPE;
    }
    if (*at == '\\' && end - at >= JSON_ESCAPE && memcmp(at, "\\u00", 4) == 0 && is_hex(at + 4)) {
        *ret_c = hex(at + 4);
        return JSON_ESCAPE;
    }
    if (*at == '\\' && end - at >= SHORT_ESCAPE && is_short_escape(at)) {
        *ret_c = at[1];
        return SHORT_ESCAPE;
    }
    *ret_c = *at;
    return 1;
}

/* memchr() is many times faster than memmem(), and this is done with every request. */
bool blot_has_escapes(const char *text, size_t len)
{
    const char *end = text + len;
    if (memchr(text, '%', len))
        return true;
    for (const char *at = text; (at = memchr(at, '\\', (size_t)(end - at))); at++)
        if (end - at >= JSON_ESCAPE && memcmp(at, "\\u00", 4) == 0)
            return true;
    return false;
}

/* -- API keys ---------------------------------------------------------------------------------- */

/* The end of the word that begins at `at`; NULL: it does not. */
static const char *skip_word(const char *at, const char *end, const char *word, size_t len)
{
    char c;
    for (size_t i = 0; i < len; i++) {
        if (at == end)
            return NULL;
        at += spelled(at, end, &c);
        if (c != word[i])
            return NULL;
    }
    return at;
}

static const char *skip_prefix(const char *at, const char *end)
{
    return skip_word(at, end, key_prefix, PREFIX);
}

/* By its second letter, which is rare. */
static const char *find_plain_prefix(const char *from, const char *end)
{
    for (const char *at = from; (at = memchr(at, key_prefix[1], (size_t)(end - at))); at++)
        if (at > from && end - at >= PREFIX - 1 && memcmp(at - 1, key_prefix, PREFIX) == 0)
            return at - 1 + PREFIX;
    return NULL;
}

/* The end of the next prefix from `at` on; NULL: there is none. */
static char *find_prefix(char *at, const char *end, bool escapes)
{
    const char *found = NULL;
    if (!escapes)
        return (char *)find_plain_prefix(at, end);
    for (; at < end && !found; at++)
        if (*at == *key_prefix || *at == '%' || *at == '\\')
            found = skip_prefix(at, end);
    return (char *)found;
}

/* Blots out the letters of a key but the last; where they end, at the latest with another key. */
static char *blot_letters(char *at, const char *end)
{
    char *last[SHOWN], *from = at; /* where the last letters begin, a ring */
    size_t count = 0;
    char c;
    while (at < end && !skip_prefix(at, end)) {
        size_t len = spelled(at, end, &c);
        if (!isalnum((unsigned char)c))
            break;
        last[count++ % SHOWN] = at;
        at += len;
    }
    if (count > SHOWN)
        memset(from, '.', (size_t)(last[count % SHOWN] - from));
    return at;
}

/* -- the control token ------------------------------------------------------------------------- */

void blot_set_token(const char *text)
{
    size_t len = text ? strlen(text) : 0;
    token_len = len <= BLOT_TOKEN_MAX ? len : 0;
    memcpy(token, text ? text : "", token_len);
    token[token_len] = '\0';
    token_has_short_escapes = strpbrk(token, "/\"\\") != NULL;
}

/* The end of the token that begins at `at`, as it is or escaped. */
static const char *skip_token(const char *at, const char *end)
{
    if ((size_t)(end - at) >= token_len && memcmp(at, token, token_len) == 0)
        return at + token_len;
    return skip_word(at, end, token, token_len);
}

/* Where it begins from `at` on, and where it ends; NULL: nowhere. */
static char *find_token(char *at, const char *end, bool escapes, const char **ret_end)
{
    if (!token_len)
        return NULL;
    if (!escapes && !token_has_short_escapes) {
        char *found = memmem(at, (size_t)(end - at), token, token_len);
        *ret_end = found ? found + token_len : NULL;
        return found;
    }
    for (; at < end; at++)
        if ((*at == *token || *at == '%' || *at == '\\') && (*ret_end = skip_token(at, end)))
            return at;
    return NULL;
}

static void fill_tokens(char *text, size_t len, bool escapes, char with)
{
    const char *end = text + len, *next = text;
    for (char *at = text; (at = find_token(at, end, escapes, &next)); at = (char *)next)
        memset(at, with, (size_t)(next - at));
}

/* -- both -------------------------------------------------------------------------------------- */

void blot_wipe_keys(char *text, size_t len)
{
    const char *end = text + len;
    fill_tokens(text, len, false, ' ');
    for (char *at = text, *from; at < end && (at = find_prefix(at, end, false));) {
        from = at - PREFIX;
        at = blot_letters(at, end);
        memset(from, ' ', (size_t)(at - from));
    }
}

void blot_token(char *text, size_t len)
{
    fill_tokens(text, len, true, '.');
}

/* The token first: there may be the beginning of a key in it. */
void blot_keys(char *text, size_t len, bool escapes)
{
    const char *end = text + len;
    fill_tokens(text, len, escapes, '.');
    for (char *at = text; at < end && (at = find_prefix(at, end, escapes));)
        at = blot_letters(at, end);
}

bool blot_has_key(const char *text)
{
    size_t len = strlen(text);
    return find_prefix((char *)text, text + len, blot_has_escapes(text, len)) != NULL;
}

bool blot_has_secret(const char *text)
{
    const char *end = text + strlen(text), *after;
    return blot_has_key(text) || find_token((char *)text, end, true, &after);
}

/* -- other words ------------------------------------------------------------------------------- */

static bool begins(const char *at, const char *end, const char *word)
{
    for (char c; *word; word++) {
        size_t len = at < end ? spelled(at, end, &c) : 0;
        bool is_gap = *word == '_';
        if (!len || (is_gap && c != '_' && c != '-')) {
            if (!is_gap)
                return false;
            continue; /* it is left out */
        }
        if (!is_gap && tolower((unsigned char)c) != *word)
            return false;
        at += len;
    }
    return true;
}

const char *blot_find(const char *text, size_t len, const char *word)
{
    const char *end = text + len;
    char upper = (char)toupper((unsigned char)*word);
    for (const char *at = text; at < end; at++)
        if ((*at == *word || *at == upper || *at == '%' || *at == '\\') && begins(at, end, word))
            return at;
    return NULL;
}
