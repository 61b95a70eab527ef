/* Lines of values in a text, for messages about a state's file. */
#include <check.h>

#include "base/json_line.h"
#include "support.h"

static const char text[] = "\n"                                     /* 1 */
                           "{ \"version\" :1 ,\n"                   /* 2 */
                           "  \"jobs\": [ {\"id\": \"a]}\\\"\"},\n" /* 3 */
                           "    {\"id\":\n"                         /* 4 */
                           "      \"b\",\n"                         /* 5 */
                           "     \"plan\": {\"end\": null,\n"       /* 6 */
                           "       \"hold_at\":[]}}, 3\n"           /* 7 */
                           "  ],\n"                                 /* 8 */
                           "  \"empty\": [],\n"                     /* 9 */
                           "  \"nothing\": {},\n"                   /* 10 */
                           "  \"jobs2\": {\"a\": 1, \"jobs\":\n"    /* 11 */
                           "    true}\n"                            /* 12 */
                           "}\n";                                   /* 13 */

static const struct {
    const char *path;
    size_t line;
} cases[] = {
    {"", 2},
    {"version", 2},
    {"jobs", 3},
    {"jobs[0]", 3},
    {"jobs[0].id", 3},
    {"jobs[1]", 4},
    {"jobs[1].id", 5},
    {"jobs[1].plan", 6},
    {"jobs[1].plan.end", 6},
    {"jobs[1].plan.hold_at", 7},
    {"jobs[2]", 7},
    {"empty", 9},
    {"nothing", 10},
    {"jobs2", 11},
    {"jobs2.jobs", 12},
    /* What is not there: the nearest around it. */
    {"none", 2},
    {"jobs[3]", 3},
    {"jobs[99999999999999999999]", 3},
    {"jobs[1].none", 4},
    {"jobs[1].plan.end.more", 6},
    {"empty[0]", 9},
    {"nothing.x", 10},
    {"version[0]", 2},
    {"version.x", 2},
    {"jobs.x", 3},
    {"jobs[", 3},
    {"jobs[x]", 3},
    {".", 2},
};

START_TEST(lines)
{
    ck_assert_uint_eq(json_line_of(text, cases[_i].path), cases[_i].line);
}
END_TEST

/* Other texts on top; nothing is read beyond the end. */
START_TEST(small_texts)
{
    ck_assert_uint_eq(json_line_of("[]", "jobs[0]"), 1);
    ck_assert_uint_eq(json_line_of("3", "jobs"), 1);
    ck_assert_uint_eq(json_line_of("\n\n\"x\"", "[0]"), 3);
    ck_assert_uint_eq(json_line_of("[1,\n[2,\n3]]", "[1][1]"), 3);
    ck_assert_uint_eq(json_line_of("{}", ""), 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("json_line");
    TCase *tcase = tcase_create("lines");
    tcase_add_loop_test(tcase, lines, 0, COUNT(cases));
    tcase_add_test(tcase, small_texts);
    suite_add_tcase(suite, tcase);
    return support_run(suite);
}
