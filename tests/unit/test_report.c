/*
 * Reports: what is wrong with a document and where, that none does harm, and how two become one.
 */
#include "report_fixture.h"

/* -- reading ----------------------------------------------------------------------------------- */

static const struct {
    const char *path, *value, *words;
} faults[] = {
    {"understudy", NULL, "is no report: it must be an object with"},
    {"version", NULL, "is no report: it must be an object with"},
    {"version", "2", "is a report of version 2; this program reads version 1"},
    {"version", "'1'", "version must be a whole number"},
    {"understudy", "1", "understudy must be a text"},
    {"generated_at", "'yesterday'", "generated_at must be a time"},
    {"generated_at", NULL, "generated_at is missing"},
    {"runs", "'one'", "runs must be an array"},
    {"runs", "[1]", "runs must be an array of at most 10,000 texts"},
    {"workspaces", "-1", "workspaces must be a whole number, 0 or more"},
    {"workspaces", "1.5", "workspaces must be a whole number"},
    {"workspaces", "1e300", "workspaces must be a whole number"},
    {"workspaces", "null", "workspaces is missing"},
    {"requests", "[]", "requests must be an object"},
    {"requests/total", "'7'", "requests.total must be a whole number"},
    {"outcomes", "{}", "outcomes must be an array"},
    {"outcomes", NULL, "outcomes is missing"},
    {"outcomes/1", "7", "outcomes[1] must be an object"},
    {"outcomes/1/id", "''", "outcomes[1].id is missing"},
    {"outcomes/1/id", "[]", "outcomes[1].id must be a text"},
    {"outcomes/1/operation", NULL, "outcomes[1].operation is missing"},
    {"outcomes/1/status", "1000", "outcomes[1].status must be a status of HTTP"},
    {"outcomes/1/basis", "['PA']", "outcomes[1].basis must be an array of letters"},
    {"outcomes/1/basis", "['p']", "outcomes[1].basis must be an array of letters"},
    {"outcomes/1/basis", "['A','A','A','A','A','A','A','A']", "must be an array of letters"},
    {"outcomes/1/summary", "7", "outcomes[1].summary must be a text"},
    {"outcomes/1/count", "-9", "outcomes[1].count must be a whole number, 0 or more"},
    {"unlisted/0/operation", "7", "unlisted[0].operation must be a text"},
    {"unlisted/0/status", "'404'", "unlisted[0].status must be a status of HTTP or null"},
    {"findings/1/severity", "'fatal'", "findings[1].severity must be error, warning or info"},
    {"findings/1/severity", "7", "findings[1].severity must be error, warning or info"},
    {"findings/1/examples", "[null]", "findings[1].examples must be an array of texts"},
    {"request_ids", "null", "request_ids is missing"},
    {"request_ids/left_out", "true", "request_ids.left_out must be a whole number"},
    {"request_ids/items/0/sent", "[]", "request_ids.items[0].sent must be a whole number"},
    {"request_ids/items/0/request_id", "7", "request_ids.items[0].request_id must be a text"},
    {"polling/items/0/shortest", "12", "polling.items[0].shortest must be a duration"},
    {"polling/items/0/ended", "1", "polling.items[0].ended must be true or false"},
    {"polling/items/0", "[]", "polling.items[0] must be an object"},
};

START_TEST(what_is_wrong_is_told_by_its_place)
{
    struct report *report = NULL;
    struct err err = {""};
    json_t *document = parse(plain);
    put(document, faults[_i].path, faults[_i].value ? parse(faults[_i].value) : NULL);
    ck_assert_int_eq(report_read(document, &report, &err), ERR_INVALID);
    ck_assert_msg(strncmp(err.text, faults[_i].words, strlen(faults[_i].words)) == 0 ||
                      strstr(err.text, faults[_i].words),
                  "%s: %s", faults[_i].path, err.text);
    ck_assert_int_eq(report_read(document, &report, NULL), ERR_INVALID);
    ck_assert_ptr_null(report);
    json_decref(document);
}
END_TEST

static const char *refusal_of(const char *text, size_t len)
{
    static struct err err;
    struct report *report = NULL;
    err.text[0] = '\0';
    int status = report_parse(text, len, &report, &err);
    report_destroy(report);
    return status == 0 ? NULL : err.text;
}

START_TEST(texts_that_are_no_document)
{
    static const struct {
        const char *text, *words;
    } texts[] = {
        {"", "is empty"},
        {" \n\t", "is empty"},
        {"<?xml version=\"1.0\"?>", "is XML or HTML"},
        {"\n<html>", "is XML or HTML"},
        {"# Understudy", "looks like Markdown"},
        {"{\"understudy\":", "is cut off"},
        {"nonsense", "is not valid JSON: line 1, column"},
        {"{\"a\":1}\n\n{", "is not valid JSON: line 3"},
        {"{\"a\":99999999999999999999}", "is not valid JSON: line 1"},
        {"{\"a\":\"\xff\"}", "is not valid JSON: line 1"},
        {"[\x1b[2J", "\\x1b"},
        {"[]", "is no report"},
        {"7", "is no report"},
        {"{\"type\":\"urn:understudy:forbidden\"}", "is no report"},
        {"\xef\xbb\xbf[]", "is no report"}, /* a mark of its encoding, as editors write it */
        {"{\"understudy\":\"0.1.0\",\n\n\"version\":2}", "line 3: is a report of version 2"},
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        const char *words = refusal_of(texts[i].text, strlen(texts[i].text));
        ck_assert_msg(words && strstr(words, texts[i].words), "%s: %s", texts[i].text,
                      words ? words : "taken");
    }
    ck_assert_str_eq(refusal_of("", 0), "is empty");
    ck_assert_ptr_nonnull(refusal_of("{\"a\0b\":1}", 9));
}
END_TEST

static char *dump(const json_t *document)
{
    char *text = json_dumps(document, JSON_COMPACT);
    ck_assert_ptr_nonnull(text);
    return text;
}

START_TEST(depth_is_bounded)
{
    enum { DEPTH = 200000 };
    char *text = calloc(1, DEPTH + 1);
    memset(text, '[', DEPTH);
    ck_assert_ptr_nonnull(strstr(refusal_of(text, DEPTH), "is not valid JSON"));
    free(text);
    json_t *document = parse(plain), *deep = json_array();
    for (int i = 0; i < 2000; i++)
        deep = json_pack("[o]", deep);
    put(document, "covered", deep); /* left alone */
    report_destroy(read_report(document));
    json_decref(document);
}
END_TEST

START_TEST(values_are_counted_before_they_take_memory)
{
    enum { ITEMS = 1200000, LONG = 4000000 };
    struct buf text = BUF_INIT;
    buf_putc(&text, '[');
    for (int i = 0; i < ITEMS; i++)
        buf_puts(&text, "[],");
    buf_puts(&text, "0]");
    ck_assert_str_eq(refusal_of(text.data, text.len), "has more values than any report");
    buf_finish(&text);

    /* What stands in strings is none. */
    json_t *document = parse(plain);
    buf_puts(&text, "\\\"");
    for (int i = 0; i < LONG; i++)
        buf_putc(&text, ",[{"[i % 3]);
    put(document, "runs/0", json_stringn(text.data, text.len));
    char *whole = dump(document);
    ck_assert_ptr_null(refusal_of(whole, strlen(whole)));
    free(whole);
    json_decref(document);
    buf_finish(&text);
}
END_TEST

START_TEST(no_cut_and_no_changed_byte_does_harm)
{
    json_t *document = parse(plain);
    char *text = dump(document);
    size_t len = strlen(text);
    unsigned draw = 1;
    for (size_t cut = 0; cut < len; cut++) {
        const char *words = refusal_of(text, cut);
        ck_assert_msg(words && *words, "cut at %zu", cut);
    }
    for (int i = 0; i < 20000; i++) {
        char *copy = strdup(text);
        for (int change = 0; change <= i % 3; change++) {
            draw = draw * 1103515245 + 12345;
            copy[(draw >> 8) % len] =
                (char)(i % 2 ? draw >> 16 : (unsigned)"0-9e.\"[]{}"[draw % 10]);
        }
        const char *words = refusal_of(copy, len);
        for (size_t j = 0; words && words[j]; j++)
            if ((unsigned char)words[j] < 0x20)
                ck_abort_msg("a control character: %s", words);
        free(copy);
    }
    free(text);
    json_decref(document);
}
END_TEST

START_TEST(what_is_read_is_written)
{
    json_t *document = parse(plain);
    struct report *report = read_report(document);
    json_t *written = document_of(report);
    /* What has a default, and the order of findings: the severe ones first. */
    put(document, "outcomes/1/summary", json_string(""));
    put(document, "outcomes/2/summary", json_string(""));
    put(document, "covered/of", json_integer(4));
    put(document, "findings/0/examples", json_array());
    json_array_append(at(document, "findings"), at(document, "findings/0"));
    json_array_remove(at(document, "findings"), 0);
    ck_assert(json_equal(document, written));
    json_decref(document);
    json_decref(written);
    report_destroy(report);
}
END_TEST

START_TEST(what_stands_twice_becomes_one)
{
    json_t *document = parse(plain);
    json_array_append(at(document, "outcomes"), at(document, "outcomes/0"));
    json_array_append(at(document, "findings"), at(document, "findings/1"));
    json_array_append(at(document, "unlisted"), at(document, "unlisted/0"));
    json_array_append(at(document, "runs"), at(document, "runs/0"));
    struct report *report = read_report(document);
    json_t *written = document_of(report);
    ck_assert_uint_eq(json_array_size(at(written, "outcomes")), 4);
    ck_assert_int_eq(number(written, "outcomes/0/count"), 10);
    ck_assert_uint_eq(json_array_size(at(written, "findings")), 2);
    ck_assert_int_eq(number(written, "findings/0/count"), 6);
    ck_assert_uint_eq(json_array_size(at(written, "unlisted")), 2);
    ck_assert_uint_eq(json_array_size(at(written, "runs")), 1);
    json_decref(document);
    json_decref(written);
    report_destroy(report);
}
END_TEST

/* -- merging ----------------------------------------------------------------------------------- */

/* Both documents as one, which take their references. */
static json_t *merged(json_t *a, json_t *b)
{
    struct report *into = read_report(a), *from = read_report(b);
    ck_assert_int_eq(report_merge(into, from), 0);
    json_t *document = document_of(into);
    report_destroy(into);
    report_destroy(from);
    json_decref(a);
    json_decref(b);
    return document;
}

START_TEST(counts_are_summed_and_lists_united)
{
    json_t *other = parse(plain);
    put(other, "understudy", json_string("0.2.0"));
    put(other, "generated_at", json_string("2026-01-02T03:04:06Z"));
    put(other, "runs/0", json_string("two"));
    put(other, "outcomes/2/id", json_string("make:500"));
    put(other, "outcomes/2/count", json_integer(4));
    put(other, "outcomes/3/id", json_string("new:200"));
    put(other, "outcomes/3/operation", json_string("new"));
    put(other, "unlisted/1/status", json_integer(418));
    put(other, "findings/0/severity", json_string("error")); /* the first's words count */
    put(other, "findings/1/examples", parse("['b','c','d']"));
    json_t *document = merged(parse(plain), other);
    static const char *const order[] = {"make:201", "make:429", "make:429:slow",
                                        "make:500", "read:200", "new:200"};
    ck_assert_uint_eq(json_array_size(at(document, "outcomes")), 6);
    for (size_t i = 0; i < 6; i++)
        ck_assert_str_eq(
            json_string_value(json_object_get(json_array_get(at(document, "outcomes"), i), "id")),
            order[i]);
    ck_assert_int_eq(number(document, "outcomes/0/count"), 10);
    ck_assert_int_eq(number(document, "outcomes/3/count"), 4);
    ck_assert_int_eq(number(document, "covered/exercised"), 2);
    ck_assert_int_eq(number(document, "covered/of"), 6);
    ck_assert_int_eq(number(document, "requests/total"), 14);
    ck_assert_int_eq(number(document, "requests/unattributed"), 2);
    ck_assert_int_eq(number(document, "workspaces"), 4);
    ck_assert_uint_eq(json_array_size(at(document, "unlisted")), 3);
    ck_assert_int_eq(number(document, "unlisted/0/count"), 2);
    ck_assert_str_eq(text_at(document, "findings/0/id"), "typo");
    ck_assert_int_eq(number(document, "findings/0/count"), 6);
    ck_assert_uint_eq(json_array_size(at(document, "findings/0/examples")), 3);
    ck_assert_str_eq(text_at(document, "findings/0/examples/2"), "c");
    ck_assert_str_eq(text_at(document, "findings/1/severity"), "info");
    ck_assert_uint_eq(json_array_size(at(document, "request_ids/items")), 1);
    ck_assert_int_eq(number(document, "request_ids/left_out"), 4);
    ck_assert_uint_eq(json_array_size(at(document, "polling/items")), 1);
    ck_assert_int_eq(number(document, "polling/polls"), 18);
    ck_assert_str_eq(text_at(document, "runs/1"), "two");
    ck_assert_str_eq(text_at(document, "understudy"), "0.2.0");
    ck_assert_str_eq(text_at(document, "generated_at"), "2026-01-02T03:04:06.000Z");
    json_decref(document);
}
END_TEST

/* As one server tells of its workspaces, which may have used the same names. */
START_TEST(items_of_one_name_become_one)
{
    json_t *one = parse(plain), *other = parse(plain);
    put(one, "polling/items/0/shortest", json_string("2s"));
    put(one, "polling/items/0/ended", json_false());
    put(other, "polling/items/0/shortest", json_string("12ms"));
    put(other, "polling/items/0/ended", json_true());
    put(one, "request_ids/items/0/sent", json_integer(3));
    put(other, "request_ids/items/0/sent", json_integer(4));
    json_t *document = merged(one, other);
    ck_assert_uint_eq(json_array_size(at(document, "request_ids/items")), 1);
    ck_assert_int_eq(number(document, "request_ids/items/0/sent"), 7);
    ck_assert_uint_eq(json_array_size(at(document, "polling/items")), 1);
    ck_assert_str_eq(text_at(document, "polling/items/0/shortest"), "12ms");
    ck_assert(json_is_true(at(document, "polling/items/0/ended")));
    json_decref(document);

    other = parse(plain);
    put(other, "request_ids/items/0/operation", json_string("another"));
    put(other, "polling/items/0/job", json_string("another"));
    document = merged(parse(plain), other);
    ck_assert_uint_eq(json_array_size(at(document, "request_ids/items")), 2);
    ck_assert_uint_eq(json_array_size(at(document, "polling/items")), 2);
    json_decref(document);
}
END_TEST

START_TEST(huge_counts_stay_whole_and_stop_at_the_end)
{
    static const struct {
        int64_t a, b, sum;
    } sums[] = {
        {INT64_C(9007199254740993), 0, INT64_C(9007199254740993)}, /* 2^53 + 1 */
        {INT64_C(9007199254740993), INT64_C(9007199254740993), INT64_C(18014398509481986)},
        {INT64_MAX, 0, INT64_MAX},
        {INT64_MAX, 1, INT64_MAX},
        {INT64_MAX, INT64_MAX, INT64_MAX},
        {INT64_MAX - 1, 1, INT64_MAX},
    };
    static const char *const paths[] = {
        "workspaces",           "requests/total",     "requests/unattributed",
        "outcomes/0/count",     "unlisted/0/count",   "findings/0/count",
        "request_ids/total",    "request_ids/reused", "request_ids/repeated",
        "request_ids/left_out", "polling/jobs",       "polling/polls",
        "polling/after_end",    "polling/left_out"};
    for (size_t i = 0; i < sizeof sums / sizeof *sums; i++) {
        json_t *a = parse(plain), *b = parse(plain);
        for (size_t j = 0; j < sizeof paths / sizeof *paths; j++) {
            put(a, paths[j], json_integer(sums[i].a));
            put(b, paths[j], json_integer(sums[i].b));
        }
        json_t *document = merged(a, b);
        for (size_t j = 0; j < sizeof paths / sizeof *paths; j++) {
            /* Findings are in another order. */
            const char *path = strcmp(paths[j], "findings/0/count") ? paths[j] : "findings/1/count";
            ck_assert_msg(number(document, path) == sums[i].sum, "%s: %lld", path,
                          (long long)number(document, path));
        }
        struct report *report = read_report(document);
        for (int format = REPORT_TEXT; format <= REPORT_JUNIT; format++) {
            struct buf out = BUF_INIT;
            report_write(report, (enum report_format)format, NULL, &out);
            ck_assert(!buf_failed(&out) && out.len);
            buf_finish(&out);
        }
        report_destroy(report);
        json_decref(document);
    }
}
END_TEST

/* A document of so many request_ids and jobs: each a little worse than the one before. */
static json_t *with_items(int count, int from)
{
    json_t *document = parse(plain), *ids = json_array(), *jobs = json_array();
    for (int i = 0; i < count; i++) {
        char name[20];
        snprintf(name, sizeof name, "n%d", from + i);
        json_array_append_new(ids, json_pack("{sssssisisisisi}", "operation", "make", "request_id",
                                             name, "sent", from + i, "made", 1, "known", 0,
                                             "failed", 0, "other_bodies", 0));
        json_array_append_new(jobs, json_pack("{sssisisnsb}", "job", name, "polls", from + i,
                                              "after_end", 0, "shortest", "ended", 0));
    }
    put(document, "request_ids/items", ids);
    put(document, "polling/items", jobs);
    return document;
}

START_TEST(items_are_cut_the_worst_first)
{
    json_t *document = merged(with_items(1000, 0), with_items(700, 1000));
    ck_assert_uint_eq(json_array_size(at(document, "request_ids/items")), 1000);
    ck_assert_uint_eq(json_array_size(at(document, "polling/items")), 1000);
    ck_assert_str_eq(text_at(document, "request_ids/items/0/request_id"), "n1699");
    ck_assert_str_eq(text_at(document, "request_ids/items/999/request_id"), "n700");
    ck_assert_str_eq(text_at(document, "polling/items/0/job"), "n1699");
    ck_assert_int_eq(number(document, "request_ids/left_out"), 4 + 700);
    ck_assert_int_eq(number(document, "polling/left_out"), 2 + 700);
    json_decref(document);

    /* With another body comes before sent often; and one document is cut, too. */
    json_t *one = with_items(1024, 0);
    put(one, "request_ids/items/3/other_bodies", json_integer(1));
    struct report *report = read_report(one);
    json_t *cut = document_of(report);
    ck_assert_str_eq(text_at(cut, "request_ids/items/0/request_id"), "n3");
    ck_assert_uint_eq(json_array_size(at(cut, "request_ids/items")), 1000);
    ck_assert_int_eq(number(cut, "request_ids/left_out"), 2 + 24);
    report_destroy(report);
    json_decref(one);
    json_decref(cut);
}
END_TEST

/* So that what comes of it can be read again. */
START_TEST(no_more_runs_are_named_than_are_read)
{
    struct report *all = NULL;
    for (int i = 0; i < 2; i++) {
        json_t *document = parse(plain), *runs = json_array();
        for (int j = 0; j < (i ? 20 : 9990); j++)
            json_array_append_new(runs, json_sprintf("%d of %d", j, i));
        put(document, "runs", runs);
        struct report *one = read_report(document);
        json_decref(document);
        if (all) {
            ck_assert_int_eq(report_merge(all, one), 0);
            report_destroy(one);
        } else {
            all = one;
        }
    }
    json_t *whole = document_of(all);
    ck_assert_uint_eq(json_array_size(at(whole, "runs")), 10000);
    report_destroy(read_report(whole));
    json_decref(whole);
    report_destroy(all);
}
END_TEST

START_TEST(lists_are_bounded)
{
    struct report *report = NULL;
    struct err err = {""};
    json_t *document = parse(plain), *runs = json_array();
    for (int i = 0; i < 10001; i++)
        json_array_append_new(runs, json_string("r"));
    put(document, "runs", runs);
    ck_assert_int_eq(report_read(document, &report, &err), ERR_INVALID);
    ck_assert_str_eq(err.text, "runs must be an array of at most 10,000 texts");
    json_array_remove(at(document, "runs"), 0);
    report_destroy(read_report(document));
    json_decref(document);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("report");
    TCase *tcase = tcase_create("report");
    tcase_add_loop_test(tcase, what_is_wrong_is_told_by_its_place, 0,
                        (int)(sizeof faults / sizeof *faults));
    tcase_add_test(tcase, texts_that_are_no_document);
    tcase_add_test(tcase, depth_is_bounded);
    tcase_add_test(tcase, values_are_counted_before_they_take_memory);
    tcase_add_test(tcase, no_cut_and_no_changed_byte_does_harm);
    tcase_add_test(tcase, what_is_read_is_written);
    tcase_add_test(tcase, what_stands_twice_becomes_one);
    tcase_add_test(tcase, counts_are_summed_and_lists_united);
    tcase_add_test(tcase, items_of_one_name_become_one);
    tcase_add_test(tcase, huge_counts_stay_whole_and_stop_at_the_end);
    tcase_add_test(tcase, items_are_cut_the_worst_first);
    tcase_add_test(tcase, no_more_runs_are_named_than_are_read);
    tcase_add_test(tcase, lists_are_bounded);
    suite_add_tcase(suite, tcase);

    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
