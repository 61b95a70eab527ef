#include "base/glob.h"

#include <stddef.h>

/*
 * Only the last * is ever tried again: what an earlier one took stays right when a later one fits,
 * so this takes at most (pattern × text) steps, and no recursion.
 */
bool glob_fits(const char *pattern, const char *text)
{
    const char *star = NULL, *mark = NULL;
    while (*text) {
        if (*pattern == '*') {
            star = pattern++;
            mark = text;
        } else if (*pattern == *text) {
            pattern++;
            text++;
        } else if (star) {
            pattern = star + 1;
            text = ++mark;
        } else {
            return false;
        }
    }
    while (*pattern == '*')
        pattern++;
    return !*pattern;
}
