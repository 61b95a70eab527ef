/*
 * The place in a longer text that is most like what was expected is where the longest beginning, or
 * the longest end, of that is found; behind it, or before, the other end is looked for. That finds
 * every single slip, at a price that is bounded by the bytes that are looked at.
 */
#include "base/difference.h"

#include <string.h>

enum {
    EXPECTED_MAX = 256, /* bytes that are compared */
    SEEN_MAX = 4096,
    SLACK = 24,       /* so much longer than expected what was seen instead may be */
    CONTEXT = 24,     /* bytes of what comes before the difference that are shown */
    DIFFERING = 80,   /* of what differs */
    SHOWN = 200,      /* of a text */
    SHOWN_BEFORE = 60 /* of these, before the difference */
};

struct span {
    size_t at, len;
};

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static bool is_inner(char c)
{
    return ((unsigned char)c & 0xc0) == 0x80; /* not the first byte of a character */
}

static size_t common_start(const char *a, size_t a_len, const char *b, size_t b_len)
{
    size_t len = 0;
    while (len < a_len && len < b_len && a[len] == b[len])
        len++;
    return len;
}

static size_t common_end(const char *a, size_t a_len, const char *b, size_t b_len)
{
    size_t len = 0;
    while (len < a_len && len < b_len && a[a_len - 1 - len] == b[b_len - 1 - len])
        len++;
    return len;
}

/* How good a place is: what agrees, twice, less how far it is from where it should be. */
static long worth(size_t same, size_t between, size_t expected, bool is_close)
{
    size_t off = between > expected ? between - expected : expected - between;
    return 2 * (long)same - (is_close ? (long)off : 0);
}

/* The longest beginning of `text` in seen[from, until); where that should be close to the end of
 * this, what is nearer to there may be shorter. */
static struct span find_start(const char *text, size_t len, const char *seen, size_t from,
                              size_t until, bool is_close)
{
    struct span best = {from, 0};
    long most = 0;
    for (size_t at = from; at < until && most < 2 * (long)len; at++) {
        size_t same = common_start(text, len, seen + at, until - at);
        long good = worth(same, until - at, len, is_close);
        if (same && good > most) {
            best = (struct span){at, same};
            most = good;
        }
    }
    return best;
}

/* The longest end of `text` there, likewise; `at` is where it ends. */
static struct span find_end(const char *text, size_t len, const char *seen, size_t from,
                            size_t until, bool is_close)
{
    struct span best = {least(from + len, until), 0};
    long most = 0;
    for (size_t at = from + 1; at <= until && most < 2 * (long)len; at++) {
        size_t same = common_end(text, len, seen + from, at - from);
        long good = worth(same, at - from, len, is_close);
        if (same && good > most) {
            best = (struct span){at, same};
            most = good;
        }
    }
    return best;
}

/* The part of the seen text that is most like the expected one. */
static void place(struct difference *it, size_t expected_len, size_t seen_len)
{
    struct span start = find_start(it->expected, expected_len, it->seen, 0, seen_len, false);
    struct span end = find_end(it->expected, expected_len, it->seen, 0, seen_len, false);
    if (start.len >= end.len) {
        size_t from = start.at + start.len;
        it->start = start.at;
        it->before = start.len;
        end = find_end(it->expected + start.len, expected_len - start.len, it->seen, from,
                       least(seen_len, start.at + expected_len + SLACK), true);
    } else {
        size_t until = end.at - end.len;
        size_t most = expected_len - end.len + SLACK;
        start = find_start(it->expected, expected_len - end.len, it->seen,
                           until > most ? until - most : 0, until, true);
        it->start = start.len
                        ? start.at
                        : (until > expected_len - end.len ? until - (expected_len - end.len) : 0);
        it->before = start.len;
    }
    it->end = end.at;
    it->after = end.len;
}

/* No character is cut in two. */
static void round_off(struct difference *it)
{
    while (it->before && is_inner(it->expected[it->before]))
        it->before--;
    while (it->after && is_inner(it->expected[it->expected_len - it->after]))
        it->after--;
    while (it->start && is_inner(it->seen[it->start]))
        it->start--, it->before = 0;
    while (it->end < it->seen_len && is_inner(it->seen[it->end]))
        it->end++, it->after = 0;
}

struct difference difference_of(const char *expected, const char *seen, bool anywhere)
{
    struct difference it = {.expected = expected,
                            .seen = seen,
                            .expected_len = strlen(expected),
                            .seen_len = strlen(seen)};
    if (anywhere) {
        it.expected_len = least(it.expected_len, EXPECTED_MAX);
        place(&it, it.expected_len, least(it.seen_len, SEEN_MAX));
    } else {
        it.end = it.seen_len;
        it.before = common_start(expected, it.expected_len, seen, it.seen_len);
        it.after = common_end(expected + it.before, it.expected_len - it.before, seen + it.before,
                              it.seen_len - it.before);
    }
    round_off(&it);
    size_t longer = it.end - it.start > it.expected_len ? it.end - it.start : it.expected_len;
    it.near = it.before + it.after > 0 && (it.before + it.after) * 2 >= longer;
    return it;
}

unsigned difference_distance(const struct difference *it)
{
    size_t longer = it->end - it->start > it->expected_len ? it->end - it->start : it->expected_len;
    return longer ? (unsigned)(100 - (it->before + it->after) * 100 / longer) : 0;
}

/* -- words ------------------------------------------------------------------------------------- */

/* Bytes [from, until) of a text, at most `most` of them, "…" for what is left out. */
static void put_part(struct buf *out, const char *text, size_t from, size_t until, size_t most)
{
    size_t end = until - from > most ? from + most : until;
    while (end > from && end < until && is_inner(text[end]))
        end--;
    buf_append(out, text + from, end - from);
    if (end < until)
        buf_puts(out, "…");
}

static void put_quoted(struct buf *out, const char *text, size_t from, size_t until)
{
    buf_putc(out, '"');
    put_part(out, text, from, until, DIFFERING);
    buf_putc(out, '"');
}

/* ` after "…renew"` */
static void put_place(struct buf *out, const struct difference *it)
{
    size_t from = it->before > CONTEXT ? it->before - CONTEXT : 0;
    while (from && is_inner(it->expected[from]))
        from--;
    if (!it->before) {
        buf_puts(out, " at the beginning");
        return;
    }
    buf_puts(out, from ? " after \"…" : " after \"");
    buf_append(out, it->expected + from, it->before - from);
    buf_putc(out, '"');
}

void difference_put(struct buf *out, const struct difference *it)
{
    size_t expected_end = it->expected_len - it->after, seen_end = it->end - it->after;
    size_t seen_start = it->start + it->before;
    if (it->before == expected_end) {
        put_quoted(out, it->seen, seen_start, seen_end);
        buf_puts(out, " is too much");
    } else if (seen_start >= seen_end) {
        put_quoted(out, it->expected, it->before, expected_end);
        buf_puts(out, " is missing");
    } else {
        put_quoted(out, it->seen, seen_start, seen_end);
        buf_puts(out, " for ");
        put_quoted(out, it->expected, it->before, expected_end);
    }
    put_place(out, it);
}

void difference_put_seen(struct buf *out, const struct difference *it)
{
    size_t from = it->start + it->before;
    if (it->seen_len <= SHOWN || !it->near || from <= SHOWN_BEFORE) {
        put_part(out, it->seen, 0, it->seen_len, SHOWN);
        return;
    }
    from -= SHOWN_BEFORE;
    while (from && is_inner(it->seen[from]))
        from--;
    buf_puts(out, "…");
    put_part(out, it->seen, from, it->seen_len, SHOWN);
}

void difference_put_short(struct buf *out, const char *text)
{
    put_part(out, text, 0, strlen(text), SHOWN);
}
