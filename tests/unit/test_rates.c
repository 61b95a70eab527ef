/* S26: sliding windows, exactly; and the patterns that members may be. */
#include "base/glob.h"
#include "engine/rates.h"
#include "support.h"

enum { SECOND = 1000, MINUTE = 60 * SECOND, DAY = 24 * 60 * MINUTE };

static const unsigned char one[KEY_HASH_SIZE] = {1}, two[KEY_HASH_SIZE] = {2};

/* Takes one request; 0, or how long to wait. */
static int64_t take(struct rates *rates, const unsigned char *key, const struct rate_limit *limit,
                    bool creates, int64_t now)
{
    int64_t wait = 0;
    bool taken = rates_take(rates, key, limit, creates, now, &wait);
    ck_assert_int_eq(taken, wait == 0);
    return wait;
}

START_TEST(slides)
{
    struct rates *rates = rates_create();
    struct rate_limit limit = {.per_minute = 3};
    ck_assert_int_eq(take(rates, one, &limit, false, 0), 0);
    ck_assert_int_eq(take(rates, one, &limit, false, 20 * SECOND), 0);
    ck_assert_int_eq(take(rates, one, &limit, false, 40 * SECOND), 0);
    ck_assert_int_eq(take(rates, one, &limit, false, 40 * SECOND), 20 * SECOND);
    ck_assert_int_eq(take(rates, one, &limit, false, MINUTE - 1), 1);
    ck_assert_int_eq(take(rates, one, &limit, false, MINUTE), 0);
    /* The one at 20 s is the next to leave the window; refused ones have not counted. */
    ck_assert_int_eq(take(rates, one, &limit, false, MINUTE), 20 * SECOND);
    rates_destroy(rates);
}
END_TEST

START_TEST(counts_each_key)
{
    struct rates *rates = rates_create();
    struct rate_limit limit = {.per_minute = 1};
    ck_assert_int_eq(take(rates, one, &limit, false, 0), 0);
    ck_assert_int_eq(take(rates, one, &limit, false, 1), MINUTE - 1);
    ck_assert_int_eq(take(rates, two, &limit, false, 1), 0);
    rates_destroy(rates);
}
END_TEST

START_TEST(keeps_windows_apart)
{
    struct rates *rates = rates_create();
    struct rate_limit limit = {.per_minute = 5, .per_day = 6, .creations_per_minute = 1};
    ck_assert_int_eq(take(rates, one, &limit, true, 0), 0);
    ck_assert_int_eq(take(rates, one, &limit, true, 0), MINUTE); /* no second creation */
    ck_assert_int_eq(take(rates, one, &limit, false, 0), 0);     /* but a read */
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(take(rates, one, &limit, false, 0), 0);
    ck_assert_int_eq(take(rates, one, &limit, false, 0), MINUTE);
    ck_assert_int_eq(take(rates, one, &limit, false, MINUTE), 0);
    ck_assert_int_eq(take(rates, one, &limit, false, MINUTE), DAY - MINUTE); /* the day's six */
    ck_assert_int_eq(take(rates, one, &limit, false, DAY), 0);
    rates_destroy(rates);
}
END_TEST

START_TEST(holds_as_many_as_a_limit_needs)
{
    struct rates *rates = rates_create();
    struct rate_limit limit = {.per_day = 1000};
    for (int64_t i = 0; i < 1000; i++)
        ck_assert_int_eq(take(rates, one, &limit, false, i), 0);
    ck_assert_int_eq(take(rates, one, &limit, false, 1000), DAY - 1000);
    for (int64_t i = 0; i < 1000; i++) /* one leaves, one comes */
        ck_assert_int_eq(take(rates, one, &limit, false, DAY + i), 0);
    ck_assert_int_eq(take(rates, one, &limit, false, DAY + 999), DAY - 999);
    rates_destroy(rates);
}
END_TEST

START_TEST(survives_a_raised_limit)
{
    struct rates *rates = rates_create();
    struct rate_limit low = {.per_minute = 2}, high = {.per_minute = 40};
    ck_assert_int_eq(take(rates, one, &low, false, 0), 0);
    ck_assert_int_eq(take(rates, one, &low, false, 0), 0);
    for (int i = 0; i < 38; i++)
        ck_assert_int_eq(take(rates, one, &high, false, 1), 0);
    ck_assert_int_eq(take(rates, one, &high, false, 1), MINUTE - 1);
    ck_assert_int_eq(take(rates, one, &low, false, 2), MINUTE - 1);
    rates_destroy(rates);
}
END_TEST

START_TEST(bounds_the_keys_that_it_remembers)
{
    struct rates *rates = rates_create();
    struct rate_limit limit = {.per_minute = 1};
    unsigned char key[KEY_HASH_SIZE] = {9};
    for (int i = 0; i < 4096; i++) {
        key[1] = (unsigned char)(i >> 8);
        key[2] = (unsigned char)i;
        ck_assert_int_eq(take(rates, key, &limit, false, 0), 0);
    }
    ck_assert_int_eq(take(rates, one, &limit, false, 0), 0);
    ck_assert_int_eq(take(rates, two, &limit, false, 0), MINUTE); /* shares with the one before */
    rates_destroy(rates);
}
END_TEST

START_TEST(fits_globs)
{
    static const struct {
        const char *pattern, *text;
        bool fits;
    } cases[] = {
        {"*", "", true},
        {"*", "anybody@acme.com", true},
        {"*@acme.com", "jane@acme.com", true},
        {"*@acme.com", "@acme.com", true},
        {"*@acme.com", "jane@acme.com.evil", false},
        {"*@acme.com", "jane@bacme.com", false},
        {"jane*@acme.com", "jane+fail@acme.com", true},
        {"jane*@acme.com", "june@acme.com", false},
        {"*a*b*c*", "xaxbxcx", true},
        {"*a*b*c*", "xaxcxbx", false},
        {"a**b", "ab", true},
        {"a?c", "abc", false},
        {"[a]", "a", false},
        {"", "", true},
        {"", "a", false},
        {"a*", "b", false},
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        ck_assert_msg(glob_fits(cases[i].pattern, cases[i].text) == cases[i].fits, "%s and %s",
                      cases[i].pattern, cases[i].text);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("rates");
    TCase *all = tcase_create("all");
    tcase_add_test(all, slides);
    tcase_add_test(all, counts_each_key);
    tcase_add_test(all, keeps_windows_apart);
    tcase_add_test(all, holds_as_many_as_a_limit_needs);
    tcase_add_test(all, survives_a_raised_limit);
    tcase_add_test(all, bounds_the_keys_that_it_remembers);
    tcase_add_test(all, fits_globs);
    suite_add_tcase(suite, all);
    return support_run(suite);
}
