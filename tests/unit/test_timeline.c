/* Timelines: which items are kept, in which order, and what is shown of anybody's text. */
#include <check.h>

#include "control/timeline.h"
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* -- the window -------------------------------------------------------------------------------- */

static void add(struct timeline_window *window, struct timeline_key key, int number)
{
    struct buf json = BUF_INIT, words = BUF_INIT;
    if (!timeline_wants(window, &key))
        return;
    buf_int(&words, number);
    timeline_add(window, &key, "request", &json, &words);
}

static void check_shown(struct timeline_window *window, int first, int last, bool more)
{
    char text[16];
    ck_assert_int_eq(timeline_end(window), more);
    ck_assert_uint_eq(window->count, (size_t)(last - first + 1));
    for (int i = first; i <= last; i++) {
        snprintf(text, sizeof text, "%d", i);
        ck_assert_str_eq(window->items[i - first].words, text);
    }
    timeline_finish(window);
}

static const struct timeline_key in_order[] = {
    {.at = 1, .sent = 9, .number = 9, .rank = RANK_ATTEMPT, .serial = 9},
    {.at = 2},
    {.at = 2, .serial = 1},
    {.at = 2, .rank = RANK_RULE},
    {.at = 2, .number = 1},
    {.at = 2, .number = 1, .rank = RANK_FAULT, .serial = 7},
    {.at = 2, .sent = 1},
    {.at = 2, .sent = 1, .number = INT64_MAX, .rank = RANK_ATTEMPT},
    {.at = 3},
};

START_TEST(keys_are_compared_member_by_member)
{
    for (size_t i = 0; i < COUNT(in_order); i++) {
        struct timeline_key read = in_order[i];
        for (size_t j = 0; j < COUNT(in_order); j++)
            ck_assert_int_eq(timeline_compare(&in_order[i], &in_order[j]), (i > j) - (i < j));
        timeline_set_step(&read, timeline_step_number(&in_order[i]));
        ck_assert_int_eq(timeline_compare(&read, &in_order[i]), 0);
    }
}
END_TEST

enum { ALL = 1000, LIMIT = 10 };

/* However they come: from the first, from the last, or here and there. */
static int place(int order, int i)
{
    return order == 0 ? i : order == 1 ? ALL - 1 - i : i * 617 % ALL;
}

START_TEST(the_first_are_kept)
{
    struct timeline_window window = {.limit = LIMIT, .is_text = true};
    for (int i = 0; i < ALL; i++)
        add(&window, (struct timeline_key){.at = place(_i, i)}, place(_i, i));
    ck_assert_uint_le(window.count, 2 * (LIMIT + 1));
    check_shown(&window, 0, LIMIT - 1, true);
}
END_TEST

START_TEST(behind_a_place)
{
    struct timeline_window window = {
        .limit = LIMIT, .is_text = true, .has_after = true, .after = {.at = ALL - 6}};
    for (int i = 0; i < ALL; i++)
        add(&window, (struct timeline_key){.at = place(_i, i)}, place(_i, i));
    check_shown(&window, ALL - 5, ALL - 1, false);
}
END_TEST

START_TEST(equals_stay_as_they_came)
{
    struct timeline_window window = {.limit = LIMIT, .is_text = true};
    for (int i = 0; i < LIMIT; i++)
        add(&window, (struct timeline_key){.at = 7}, i);
    check_shown(&window, 0, LIMIT - 1, false);
}
END_TEST

/* -- text -------------------------------------------------------------------------------------- */

static const struct {
    const char *text;
    size_t max;
    const char *shown;
} texts[] = {
    {"", 5, ""},
    {"plain", 5, "plain"},
    {"plain.", 5, "plain…"},
    {"größer", 4, "größ…"},
    {"a\nb\tc\x1b[31m\x7f", 20, "a b c [31m "},
    {"\xc2\x85\xe2\x80\xa8x", 5, "  x"},
    {"latin \xe4\xff", 20, "latin äÿ"},
    {"cut \xe2\x82", 20, "cut â "},
    {"\xe2\x80\xaegnitirw\xe2\x80\xac\xe2\x81\xa6", 20, "gnitirw"},
};

START_TEST(text_is_on_one_line)
{
    struct buf out = BUF_INIT;
    timeline_put_plain(&out, texts[_i].text, texts[_i].max);
    ck_assert_str_eq(out.data ? out.data : "", texts[_i].shown);
    buf_finish(&out);
}
END_TEST

static const struct {
    int64_t ms;
    const char *shown;
} spans[] = {
    {0, "0ms"},         {999, "999ms"},
    {1000, "1s"},       {2540, "2.5s"},
    {59999, "59.9s"},   {60000, "1m"},
    {290000, "4m50s"},  {3600000, "1h"},
    {3661000, "1h1m"},  {75 * 3600000LL, "3d3h"},
    {86400000LL, "1d"}, {86399999, "23h59m"},
};

START_TEST(spans_have_two_units)
{
    struct buf out = BUF_INIT;
    timeline_put_span(&out, spans[_i].ms);
    ck_assert_str_eq(out.data, spans[_i].shown);
    buf_finish(&out);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("timeline");
    TCase *all = tcase_create("timeline");
    tcase_add_test(all, keys_are_compared_member_by_member);
    tcase_add_loop_test(all, the_first_are_kept, 0, 3);
    tcase_add_loop_test(all, behind_a_place, 0, 3);
    tcase_add_test(all, equals_stay_as_they_came);
    tcase_add_loop_test(all, text_is_on_one_line, 0, COUNT(texts));
    tcase_add_loop_test(all, spans_have_two_units, 0, COUNT(spans));
    suite_add_tcase(suite, all);
    return support_run(suite);
}
