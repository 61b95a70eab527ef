/*
 * Reports: what makes one fail, and that nothing that stands in one breaks the Markdown or the XML
 * that is made of it.
 */
#include "base/escape.h"
#include "report_fixture.h"

/* -- failing ----------------------------------------------------------------------------------- */

/* What fails, a line each; or why `words` cannot be judged by. */
static const char *judge(json_t *document, const char *words)
{
    static char told[2000];
    struct report_fail_on fail_on = REPORT_FAIL_ON_NOTHING;
    struct buf lines = BUF_INIT;
    struct err err = {""};
    struct report *report = read_report(document);
    int status = *words ? report_fail_on_add(&fail_on, words, &err) : 0;
    int failures = status < 0 ? status : report_judge(report, &fail_on, &lines, &err);
    int count = 0;
    snprintf(told, sizeof told, "%s", failures < 0 ? err.text : lines.data ? lines.data : "");
    for (const char *c = told; *c; c++)
        count += *c == '\n';
    if (failures >= 0)
        ck_assert_int_eq(failures, count);
    buf_finish(&lines);
    report_fail_on_finish(&fail_on);
    report_destroy(report);
    return told;
}

START_TEST(what_fails)
{
    static const char *const cases[][2] = {
        {"", ""},
        {"error", "error typo, 3 times: t\n"},
        {"warning", "error typo, 3 times: t\n"},
        {"info", "error typo, 3 times: t\ninfo fast, 2 times: f\n"},
        {"info,error", "error typo, 3 times: t\ninfo fast, 2 times: f\n"},
        {"uncovered", "not exercised: make:429\nnot exercised: make:429:slow\n"
                      "not exercised: read:200\n"},
        {"uncovered=make:429", "not exercised: make:429\nnot exercised: make:429:slow\n"},
        {"uncovered=make:429:slow", "not exercised: make:429:slow\n"},
        {"uncovered=make:201", ""},
        {"uncovered=read", "not exercised: read:200\n"},
        {"error,uncovered=read,uncovered=make:201",
         "error typo, 3 times: t\nnot exercised: read:200\n"},
        {"uncovered=make:42", "no report knows an outcome \"make:42\": did you mean \"make:429\"?"},
        {"uncovered=reed", "no report knows an outcome \"reed\": did you mean \"read\"?"},
        {"uncovered=quite_another",
         "no report knows an outcome \"quite_another\": GET /_mock/outcomes lists them"},
        {"uncovered=mak", "no report knows an outcome \"mak\": did you mean \"make\"?"},
        {"uncovered=make:", "no report knows an outcome \"make:\": did you mean \"make\"?"},
        {"warnings", "\"warnings\" is nothing that can fail: did you mean \"warning\"?"},
        {"Error", "\"Error\" is nothing that can fail: did you mean \"error\"?"},
        {"uncoverd=make", "\"uncoverd=make\" is nothing that can fail: error, warning, info, "
                          "uncovered or uncovered=OUTCOME"},
        {"uncovered=", "names no outcome after \"uncovered=\""},
        {"error,", "has an empty word: separate words by one comma"},
        {",", "has an empty word: separate words by one comma"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        json_t *document = parse(plain);
        ck_assert_str_eq(judge(document, cases[i][0]), cases[i][1]);
        json_decref(document);
    }
    struct err err;
    ck_assert_int_eq(report_fail_on_add(NULL, "uncovered=x,error", &err), 0);
    ck_assert_int_eq(report_fail_on_add(NULL, "uncovered=x,eror", &err), ERR_INVALID);
}
END_TEST

START_TEST(no_request_always_fails)
{
    json_t *document = parse(plain);
    put(document, "requests/total", json_integer(0));
    ck_assert_str_eq(judge(document, ""), "no request reached a workspace: all came with an "
                                          "unknown key, or with none\n");
    put(document, "requests/unattributed", json_integer(0));
    ck_assert_str_eq(judge(document, ""), "no request was seen at all\n");
    json_decref(document);
}
END_TEST

/* -- writing ----------------------------------------------------------------------------------- */

/* Every text of a document that somebody may choose becomes `with`. */
static void spoil(json_t *value, const char *with)
{
    static const char *const ours[] = {"generated_at", "severity", "shortest", "basis"};
    size_t index;
    const char *key;
    json_t *item;
    json_array_foreach(value, index, item)
    {
        if (json_is_string(item))
            json_string_set(item, with);
        spoil(item, with);
    }
    json_object_foreach(value, key, item)
    {
        bool is_ours = false;
        for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
            is_ours = is_ours || strcmp(key, ours[i]) == 0;
        if (json_is_string(item) && !is_ours)
            json_string_set(item, with);
        if (!is_ours)
            spoil(item, with);
    }
}

static const char *const hard[] = {
    "a|b",
    "`code` ``",
    "two\nlines\r\n\r\n# and a heading",
    "<script>alert(1)</script></details>",
    "]]> --> &amp; \" ' <![CDATA[",
    "\x01\x02\x1b[2J\x7f",
    "\xe2\x80\xae turned \xef\xbf\xbe \xef\xbf\xbf \xc2\x85",
    "\\| \\\\| \\",
    "|",
    " ",
    "\xf0\x9f\x92\xa9",
};

static size_t count_of(const char *text, const char *what)
{
    size_t count = 0;
    for (const char *found = text; (found = strstr(found, what)); found++)
        count++;
    return count;
}

/* Bars that end a cell: those without a backslash of their own. */
static size_t bars_of(const char *line, size_t len)
{
    size_t bars = 0;
    for (size_t i = 0; i < len; i++) {
        if (line[i] == '\\')
            i++;
        else
            bars += line[i] == '|';
    }
    return bars;
}

static void check_markdown(const char *text)
{
    size_t bars = 0; /* of the table that the line is in; 0: of none */
    for (const char *line = text; *line; line += strcspn(line, "\n") + 1) {
        size_t len = strcspn(line, "\n");
        if (*line == '|') {
            size_t now = bars_of(line, len);
            ck_assert_msg(!bars || now == bars, "%.*s", (int)len, line);
            bars = now;
            ck_assert_int_eq(line[len - 1], '|');
        } else {
            bars = 0;
        }
        for (size_t i = 0; i < len; i++)
            ck_assert_msg((unsigned char)line[i] >= 0x20 && line[i] != 0x7f, "%.*s", (int)len,
                          line);
    }
    ck_assert_uint_eq(count_of(text, "<script"), count_of(text, "\\<script"));
    ck_assert_uint_eq(count_of(text, "\n</details>"), count_of(text, "\n<details>"));
    ck_assert_uint_eq(count_of(text, "</details"),
                      count_of(text, "\n</details>") + count_of(text, "\\</details"));
    ck_assert_uint_eq(count_of(text, "\n# "), 0); /* the one heading is the first line */
}

static void check_xml(const char *text, size_t len)
{
    size_t used;
    for (size_t i = 0; i < len; i += used) {
        used = escape_utf8_length(text + i, len - i);
        ck_assert_uint_ne(used, 0);
        ck_assert((unsigned char)text[i] >= 0x20 || text[i] == '\n');
    }
    ck_assert_uint_eq(count_of(text, "\xef\xbf\xbe") + count_of(text, "\xef\xbf\xbf"), 0);
    ck_assert_uint_eq(count_of(text, "]]>") + count_of(text, "<!["), 0);
    const char *tests = strstr(text, "tests=\"");
    ck_assert_uint_eq(count_of(text, "<testcase "), strtoul(tests + strlen("tests=\""), NULL, 10));
}

START_TEST(hard_texts_break_nothing)
{
    json_t *document = parse(plain);
    spoil(document, hard[_i]);
    struct report *report = read_report(document);
    struct report_fail_on fail_on = {.severity = REPORT_INFO, .uncovered = true};
    struct buf markdown = BUF_INIT, junit = BUF_INIT, text = BUF_INIT;
    report_markdown(report, &markdown);
    report_junit(report, &fail_on, &junit);
    report_text(report, &text);
    check_markdown(markdown.data);
    ck_assert_uint_eq(strlen(junit.data), junit.len);
    check_xml(junit.data, junit.len);
    for (size_t i = 0; i < text.len; i++)
        ck_assert((unsigned char)text.data[i] >= 0x20 || text.data[i] == '\n');
    json_t *again = document_of(report);
    ck_assert_str_eq(text_at(again, "outcomes/0/operation"), hard[_i]);
    buf_finish(&markdown);
    buf_finish(&junit);
    buf_finish(&text);
    json_decref(again);
    json_decref(document);
    report_destroy(report);
}
END_TEST

/* The counts of the whole, of the outcomes and, where there is one, of the other suite. */
static void check_counts(json_t *document, const struct report_fail_on *fail_on, const char *all,
                         const char *outcomes, const char *others)
{
    struct report *report = read_report(document);
    struct buf out = BUF_INIT;
    report_junit(report, fail_on, &out);
    ck_assert_msg(strstr(out.data, all) != NULL, "%s", out.data);
    ck_assert_msg(strstr(out.data, outcomes) != NULL, "%s", out.data);
    ck_assert_uint_eq(count_of(out.data, "<testsuite "), others ? 2 : 1);
    ck_assert_msg(!others || strstr(out.data, others), "%s", out.data);
    buf_finish(&out);
    report_destroy(report);
}

START_TEST(junit_counts_are_right)
{
    struct report_fail_on none = REPORT_FAIL_ON_NOTHING, some = REPORT_FAIL_ON_NOTHING;
    json_t *document = parse(plain);
    struct err err;
    check_counts(document, NULL, "tests=\"4\" failures=\"0\" errors=\"0\" skipped=\"3\"",
                 "name=\"outcomes\" tests=\"4\" failures=\"0\" errors=\"0\" skipped=\"3\"", NULL);
    check_counts(document, &none, "tests=\"4\" failures=\"0\" errors=\"0\" skipped=\"3\"",
                 "name=\"outcomes\" tests=\"4\" failures=\"0\" errors=\"0\" skipped=\"3\"", NULL);
    ck_assert_int_eq(report_fail_on_add(&some, "info,uncovered=make:429", &err), 0);
    check_counts(document, &some, "tests=\"6\" failures=\"4\" errors=\"0\" skipped=\"1\"",
                 "name=\"outcomes\" tests=\"4\" failures=\"2\" errors=\"0\" skipped=\"1\"",
                 "name=\"findings\" tests=\"2\" failures=\"2\" errors=\"0\" skipped=\"0\"");
    put(document, "requests/total", json_integer(0));
    check_counts(document, &none, "tests=\"5\" failures=\"1\" errors=\"0\" skipped=\"3\"",
                 "name=\"outcomes\" tests=\"4\" failures=\"0\" errors=\"0\" skipped=\"3\"",
                 "name=\"findings\" tests=\"1\" failures=\"1\" errors=\"0\" skipped=\"0\"");
    report_fail_on_finish(&some);
    json_decref(document);
}
END_TEST

START_TEST(a_report_of_nothing_can_be_written)
{
    json_t *document = parse(plain);
    static const char *const lists[] = {"runs",     "outcomes",          "unlisted",
                                        "findings", "request_ids/items", "polling/items"};
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        put(document, lists[i], json_array());
    struct report *report = read_report(document), *other = read_report(document);
    ck_assert_int_eq(report_merge(report, other), 0);
    for (int format = REPORT_TEXT; format <= REPORT_JUNIT; format++) {
        struct buf out = BUF_INIT;
        report_write(report, (enum report_format)format, NULL, &out);
        ck_assert(!buf_failed(&out) && out.len && out.data[out.len - 1] == '\n');
        buf_finish(&out);
    }
    report_destroy(other);
    ck_assert_ptr_null(report_destroy(report));
    ck_assert_ptr_null(report_destroy(NULL));
    json_decref(document);
}
END_TEST

START_TEST(what_was_sent_again_is_listed)
{
    static const struct {
        int sent, made, other_bodies;
        bool listed;
    } cases[] = {{1, 1, 0, false}, {1, 0, 0, false}, {2, 1, 0, true}, {2, 2, 0, false}, /* twice */
                 {2, 2, 1, true},  {3, 2, 0, true},  {2, 0, 0, true}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        json_t *document = parse(plain);
        put(document, "request_ids/items/0/sent", json_integer(cases[i].sent));
        put(document, "request_ids/items/0/made", json_integer(cases[i].made));
        put(document, "request_ids/items/0/other_bodies", json_integer(cases[i].other_bodies));
        struct report *report = read_report(document);
        struct buf text = BUF_INIT, markdown = BUF_INIT;
        report_text(report, &text);
        report_markdown(report, &markdown);
        ck_assert_int_eq(strstr(text.data, "  r1 (") != NULL, cases[i].listed);
        ck_assert_int_eq(strstr(markdown.data, "| `r1` |") != NULL, cases[i].listed);
        buf_finish(&text);
        buf_finish(&markdown);
        report_destroy(report);
        json_decref(document);
    }
}
END_TEST

START_TEST(formats_by_their_files)
{
    static const struct {
        const char *path;
        int format;
    } files[] = {
        {"a.json", REPORT_JSON},
        {"dir.md/a.MD", REPORT_MARKDOWN},
        {"x.xml", REPORT_JUNIT},
        {"a.txt", REPORT_TEXT},
        {"json", -1},
        {".json", -1},
        {"a.json.gz", -1},
        {"", -1},
        {"a.md/", -1},
    };
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        ck_assert_int_eq(report_format_of_file(files[i].path), files[i].format);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("report_write");
    TCase *tcase = tcase_create("report_write");
    tcase_add_test(tcase, what_fails);
    tcase_add_test(tcase, no_request_always_fails);
    tcase_add_loop_test(tcase, hard_texts_break_nothing, 0, (int)(sizeof hard / sizeof *hard));
    tcase_add_test(tcase, junit_counts_are_right);
    tcase_add_test(tcase, a_report_of_nothing_can_be_written);
    tcase_add_test(tcase, what_was_sent_again_is_listed);
    tcase_add_test(tcase, formats_by_their_files);
    suite_add_tcase(suite, tcase);

    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
