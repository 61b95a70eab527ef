/* Cursors (C9): what is written is read, and nothing else is. */
#include <check.h>

#include "control/cursor.h"
#include "support.h"

static const struct {
    struct cursor cursor;
    const char *text;
} written[] = {
    {{.jobs = 0}, "0.0"},
    {{.jobs = 7, .requests = 12}, "7.12"},
    {{.workspaces = 5}, "0.0.5"},
    {{.requests = 1, .rules = 3}, "0.1.0.3"},
    {{.webhooks = 4}, "0.0.0.0.4"},
    {{.rules = 3, .inbox = 6}, "0.0.0.3.0.6"},
    {{.jobs = 2, .journal = 8}, "2.0.0.0.0.0.8"},
    {{.jobs = 1, .at = 2, .step = 5}, "1.0.0.0.0.0.0.2.0.0.5"},
    {{INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX,
      INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX},
     "9223372036854775807.9223372036854775807.9223372036854775807.9223372036854775807"
     ".9223372036854775807.9223372036854775807.9223372036854775807.9223372036854775807"
     ".9223372036854775807.9223372036854775807.9223372036854775807.9223372036854775807"
     ".9223372036854775807"},
};

START_TEST(writes_what_it_reads)
{
    char text[CURSOR_SIZE];
    struct cursor cursor;
    cursor_format(&written[_i].cursor, text);
    ck_assert_str_eq(text, written[_i].text);
    ck_assert(cursor_parse(text, &cursor));
    ck_assert_mem_eq(&cursor, &written[_i].cursor, sizeof cursor);
}
END_TEST

START_TEST(absent_parts_are_zero)
{
    struct cursor cursor = {.jobs = 1, .requests = 1, .workspaces = 1, .rules = 1, .webhooks = 1};
    ck_assert(cursor_parse("5", &cursor));
    ck_assert_int_eq(cursor.jobs, 5);
    ck_assert_int_eq(cursor.requests, 0);
    ck_assert_int_eq(cursor.workspaces, 0);
    ck_assert_int_eq(cursor.webhooks, 0);
}
END_TEST

static const char *const no_cursors[] = {
    "",
    ".",
    "1.",
    ".1",
    "1..2",
    "1.2.3.4.5.6.7.8.9.10.11.12.13.14",
    "-1",
    "+1",
    "1.-2",
    " 1",
    "1 ",
    "x",
    "1.x",
    "1e3",
    "0x1",
    "1,2",
    "9223372036854775808",
    "11111111111111111111111111111111111111111111111111111111111111111111111111111111",
    "1.2.",
    "1.2.3.4.5.6.7.",
};

START_TEST(refuses_the_rest)
{
    struct cursor cursor = {.jobs = 7, .workspaces = 9};
    ck_assert_msg(!cursor_parse(no_cursors[_i], &cursor), "%s", no_cursors[_i]);
    ck_assert_int_eq(cursor.jobs, 7);
    ck_assert_int_eq(cursor.workspaces, 9);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cursor");
    TCase *cursors = tcase_create("C9");
    tcase_add_loop_test(cursors, writes_what_it_reads, 0, COUNT(written));
    tcase_add_test(cursors, absent_parts_are_zero);
    tcase_add_loop_test(cursors, refuses_the_rest, 0, COUNT(no_cursors));
    suite_add_tcase(suite, cursors);
    return support_run(suite);
}
