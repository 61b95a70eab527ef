#include "base/nearest.h"

#include <stdint.h>
#include <string.h>

static char fold(char c)
{
    if (c >= 'A' && c <= 'Z')
        return (char)(c - 'A' + 'a');
    if (c == '_')
        return '-';
    return c;
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Three rows of the usual table suffice: the present one, the last, and for swaps the one before.
 */
size_t nearest_distance(const char *a, const char *b)
{
    size_t rows[3][NEAREST_NAME_MAX + 1];
    size_t a_len = strnlen(a, NEAREST_NAME_MAX + 1), b_len = strnlen(b, NEAREST_NAME_MAX + 1);
    if (a_len > NEAREST_NAME_MAX || b_len > NEAREST_NAME_MAX)
        return SIZE_MAX;

    for (size_t j = 0; j <= b_len; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= a_len; i++) {
        size_t *now = rows[i % 3], *last = rows[(i - 1) % 3], *before = rows[(i + 1) % 3];
        now[0] = i;
        for (size_t j = 1; j <= b_len; j++) {
            size_t changed = fold(a[i - 1]) != fold(b[j - 1]);
            now[j] = least(last[j - 1] + changed, least(last[j], now[j - 1]) + 1);
            if (i > 1 && j > 1 && fold(a[i - 1]) == fold(b[j - 2]) &&
                fold(a[i - 2]) == fold(b[j - 1]))
                now[j] = least(now[j], before[j - 2] + 1);
        }
    }
    return rows[a_len % 3][b_len];
}

/* One slip in three characters, three at most: more is another word. */
static size_t slips_allowed(const char *given)
{
    return least(strlen(given) / 3, 3);
}

int nearest_is_near(const char *given, const char *known)
{
    size_t distance = nearest_distance(given, known);
    return distance != SIZE_MAX && distance <= slips_allowed(given);
}

const char *nearest_name(const char *given, const char *const *names)
{
    const char *best = NULL;
    size_t best_distance = SIZE_MAX;

    for (; *names; names++) {
        size_t distance = nearest_distance(given, *names);
        if (distance < best_distance) {
            best_distance = distance;
            best = *names;
        }
    }
    return best && nearest_is_near(given, best) ? best : NULL;
}
