#include "base/email.h"

#include <string.h>

/* Bytes of other scripts, and what an unquoted local part may hold (RFC 5322, atext and dots). */
static bool is_local(unsigned char c)
{
    return c >= 0x80 || (c > 0x20 && c < 0x7f && !strchr("@\"(),:;<>[\\]", c));
}

static bool is_label(unsigned char c)
{
    return c >= 0x80 || c == '-' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
           (c >= 'A' && c <= 'Z');
}

static bool is_domain(const char *text, size_t len)
{
    size_t label = 0;
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '.') {
            if (!label || text[i - 1] == '-')
                return false;
            label = 0;
        } else if (!is_label((unsigned char)text[i]) || (!label && text[i] == '-')) {
            return false;
        } else {
            label++;
        }
    }
    return label > 0 && text[len - 1] != '-';
}

bool email_looks_right(const char *text, size_t len)
{
    const char *at = memchr(text, '@', len);
    if (!at || at == text || len > EMAIL_MAX)
        return false;
    for (const char *c = text; c < at; c++)
        if (!is_local((unsigned char)*c))
            return false;
    return is_domain(at + 1, len - (size_t)(at - text) - 1);
}

void email_fold(const char *text, char ret_folded[EMAIL_MAX + 1])
{
    size_t len = strnlen(text, EMAIL_MAX);
    for (size_t i = 0; i < len; i++)
        ret_folded[i] = (char)(text[i] >= 'A' && text[i] <= 'Z' ? text[i] + 32 : text[i]);
    ret_folded[len] = '\0';
}
