/* base/difference: where a text differs from the expected one. */
#include "base/difference.h"

#include "base/utf8.h"
#include "support.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *expected, *seen;
    bool anywhere, near;
    const char *words; /* of what is near */
} cases[] = {
    /* The whole. */
    {"ann@acme.com", "anne@acme.com", false, true, "\"e\" is too much after \"ann\""},
    {"anne@acme.com", "ann@acme.com", false, true, "\"e\" is missing after \"ann\""},
    {"signup-17", "signup-18", false, true, "\"8\" for \"7\" after \"signup-1\""},
    {"Signup", "signup", false, true, "\"s\" for \"S\" at the beginning"},
    {"aa", "aaa", false, true, "\"a\" is too much after \"aa\""},
    {"r\xc3\xa9sum\xc3\xa9", "r\xc3\xa8sum\xc3\xa9", false, true,
     "\"\xc3\xa8\" for \"\xc3\xa9\" after \"r\""},
    {"one", "two", false, false, NULL},
    {"", "two", false, false, NULL},
    {"a", "", false, false, NULL},
    /* A part. */
    {"renewal call", "Practice a renewel call with Bob", true, true,
     "\"e\" for \"a\" after \"renew\""},
    {"renewal call", "Practice a renewalcall", true, true, "\" \" is missing after \"renewal\""},
    {"renewal call", "a renewal  call", true, true, "\" \" is too much after \"renewal \""},
    {"Renewal call", "a renewal call", true, true, "\"r\" for \"R\" at the beginning"},
    {"renewal call", "a renewal cal", true, true, "\"l\" is missing after \"renewal cal\""},
    {"renewal", "Practice a renewel call", true, true, "\"e\" for \"a\" after \"renew\""},
    {"a renewal", "Practice an renewal", true, true, "\"n\" is too much after \"a\""},
    {"renewal call", "an offer", true, false, NULL},
    {"renewal call", "", true, false, NULL},
};

START_TEST(differences_are_said_in_words)
{
    struct difference difference =
        difference_of(cases[_i].expected, cases[_i].seen, cases[_i].anywhere);
    ck_assert_msg(difference.near == cases[_i].near, "%s", cases[_i].seen);
    if (!cases[_i].near)
        return;
    struct buf out = BUF_INIT;
    difference_put(&out, &difference);
    ck_assert_str_eq(out.data, cases[_i].words);
    buf_finish(&out);
}
END_TEST

START_TEST(nearer_texts_are_nearer)
{
    struct difference same = difference_of("renewal", "a renewal call", true);
    struct difference slip = difference_of("renewal", "a renewel call", true);
    struct difference other = difference_of("renewal", "nothing of the kind", true);
    ck_assert_uint_eq(difference_distance(&same), 0);
    ck_assert_uint_gt(difference_distance(&slip), 0);
    ck_assert_uint_gt(difference_distance(&other), difference_distance(&slip));
}
END_TEST

/* What is cut is so between characters, and nothing is read beyond the texts. */
START_TEST(any_two_texts_can_be_compared)
{
    static const char *const parts[] = {"a", "\xc3\xa9", "\xc3\xa8", "\xf0\x9f\x98\x80", " "};
    enum { PARTS = sizeof parts / sizeof *parts, TRIES = 4000, LENGTH = 400 };
    unsigned seed = 7;
    for (int try = 0; try < TRIES; try++) {
        struct buf texts[2] = {BUF_INIT, BUF_INIT}, out = BUF_INIT;
        for (int i = 0; i < 2; i++) {
            buf_puts(&texts[i], "");
            for (int left = rand_r(&seed) % LENGTH / (i ? 1 : 1 + try % 50); left > 0; left--)
                buf_puts(&texts[i], parts[rand_r(&seed) % (try % 2 ? 2 : PARTS)]);
        }
        const char *expected = texts[0].data ? texts[0].data : "";
        const char *seen = texts[1].data ? texts[1].data : "";
        struct difference difference = difference_of(expected, seen, try % 3);
        ck_assert_uint_le(difference.before + difference.after, difference.expected_len);
        ck_assert_uint_le(difference.start, difference.end);
        ck_assert_uint_le(difference.end, difference.seen_len);
        ck_assert_uint_le(difference_distance(&difference), 100);
        ck_assert_uint_le(difference.before + difference.after, difference.end - difference.start);
        difference_put(&out, &difference);
        difference_put_seen(&out, &difference);
        difference_put_short(&out, seen);
        ck_assert(out.len == 0 || utf8_span(out.data, out.len) == out.len);
        for (int i = 0; i < 2; i++)
            buf_finish(&texts[i]);
        buf_finish(&out);
    }
}
END_TEST

START_TEST(long_texts_are_shown_around_the_difference)
{
    struct buf seen = BUF_INIT, out = BUF_INIT;
    for (int i = 0; i < 100; i++)
        buf_puts(&seen, "words and ");
    buf_puts(&seen, "a renewel call");
    for (int i = 0; i < 100; i++)
        buf_puts(&seen, " and words");
    struct difference difference = difference_of("a renewal call", seen.data, true);
    difference_put_seen(&out, &difference);
    ck_assert_ptr_nonnull(strstr(out.data, "a renewel call"));
    ck_assert_uint_lt(out.len, 220);
    ck_assert_ptr_eq(strstr(out.data, "…"), out.data);
    ck_assert_str_eq(out.data + out.len - strlen("…"), "…");
    buf_finish(&seen);
    buf_finish(&out);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("difference");
    TCase *tests = tcase_create("difference");
    suite_add_tcase(suite, tests);
    tcase_add_loop_test(tests, differences_are_said_in_words, 0, sizeof cases / sizeof *cases);
    tcase_add_test(tests, nearer_texts_are_nearer);
    tcase_add_test(tests, any_two_texts_can_be_compared);
    tcase_add_test(tests, long_texts_are_shown_around_the_difference);
    return support_run(suite);
}
