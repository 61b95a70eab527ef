/* What is kept of a receiver's answer, fed line by line as libcurl does. */
#include "support.h"

#include "engine/answer.h"

#include <stdio.h>
#include <string.h>

#define NOW INT64_C(1709287200000) /* 2024-03-01T10:00:00Z */

static struct answer answer;

static void setup(void)
{
    answer = (struct answer){0};
}

static void teardown(void)
{
    answer_finish(&answer);
}

static bool line(const char *text)
{
    char copy[256];
    size_t len = strlen(text);
    memcpy(copy, text, len + 1);
    return answer_take_head(copy, 1, len, &answer) == len;
}

static bool body(size_t len)
{
    static char bytes[2 * ANSWER_MAX];
    memset(bytes, 'x', sizeof bytes);
    return answer_take_body(bytes, 1, len, &answer) == len;
}

static void expect_headers(const char *json)
{
    answer_read_head(&answer, NOW);
    ck_assert_str_eq(answer.headers.len ? answer.headers.data : "", json);
}

START_TEST(headers)
{
    ck_assert(line("HTTP/1.1 200 OK\r\n") && line("X-A:b\r\n") && line("x-B: \t c d \t\r\n") &&
              line("Empty:\r\n") && line("X-A: again\n") && line(" folded: x\r\n") &&
              line("nothing\r\n") && line("Q: \"\\\r\n"));
    ck_assert(!answer.has_head);
    ck_assert(line("\r\n"));
    ck_assert(answer.has_head);
    ck_assert(line("Trailer: x\r\n") && line("\r\n"));
    expect_headers("[[\"X-A\",\"b\"],[\"x-B\",\"c d\"],[\"Empty\",\"\"],[\"X-A\",\"again\"],"
                   "[\"Q\",\"\\\"\\\\\"]]");
    ck_assert_int_eq(answer.retry_after, -1);
}
END_TEST

START_TEST(no_head)
{
    expect_headers("");
    ck_assert_int_eq(answer.retry_after, -1);
}
END_TEST

START_TEST(bytes_that_are_no_utf8)
{
    line("HTTP/1.1 200 OK\r\n");
    line("A: \xc3\xa4\r\n");
    line("B: \xe4\xff\r\n");
    expect_headers("[[\"A\",\"\xc3\xa4\"],[\"B\",\"\xc3\xa4\xc3\xbf\"]]");
}
END_TEST

START_TEST(interim_responses)
{
    line("HTTP/1.1 103 Early Hints\r\n");
    line("Link: x\r\n");
    line("\r\n");
    ck_assert(answer.is_interim && !answer.has_head);
    line("HTTP/1.1 200 OK\r\n");
    ck_assert(!answer.is_interim);
    line("A: b\r\n");
    line("\r\n");
    ck_assert(answer.has_head);
    expect_headers("[[\"A\",\"b\"]]");
}
END_TEST

START_TEST(bounds)
{
    ck_assert(line("HTTP/1.1 200 OK\r\n"));
    while (answer.head_bytes + 5 <= ANSWER_MAX)
        ck_assert(line("A: b\n"));
    ck_assert(!line("A: b\r\n"));
    ck_assert(answer.head_too_long && !answer.body_too_long);
    ck_assert_uint_le(answer.head.len, ANSWER_MAX);
}
END_TEST

START_TEST(bounds_of_a_body)
{
    ck_assert(body(1) && body(ANSWER_MAX - 1));
    ck_assert(!answer.body_too_long);
    ck_assert_uint_eq(answer.body.len, ANSWER_KEPT);
    ck_assert(!body(1));
    ck_assert(answer.body_too_long);
    ck_assert_uint_eq(answer.body_bytes, ANSWER_MAX);
    ck_assert_uint_eq(answer.body.len, ANSWER_KEPT);
}
END_TEST

START_TEST(a_piece_beyond_the_bound)
{
    ck_assert(!body(ANSWER_MAX + 1));
    ck_assert_uint_eq(answer.body_bytes, ANSWER_MAX);
    ck_assert_uint_eq(answer.body.len, ANSWER_KEPT);
}
END_TEST

static const struct {
    const char *value;
    int64_t ms;
} afters[] = {
    {"0", 0},
    {"7", 7000},
    {"3600", 3600000},
    {"0007", 7000},
    {"999999999999", INT64_C(999999999999000)},
    {"99999999999999999999999999", INT64_C(1000000000000000)},
    {"-1", -1},
    {"1.5", -1},
    {"soon", -1},
    {"", -1},
    {"Fri, 01 Mar 2024 10:00:30 GMT", 30000},
    {"Fri, 01 Mar 2024 10:00:00 GMT", 0},
    {"Fri, 01 Mar 2024 09:00:00 GMT", 0},
    {"Friday, 01-Mar-24 10:00:30 GMT", 30000},
    {"Fri Mar  1 10:00:30 2024", 30000},
};

START_TEST(retry_after)
{
    char text[100];
    ck_assert_int_eq(answer_retry_after(afters[_i].value, NOW), afters[_i].ms);
    line("HTTP/1.1 503 Busy\r\n");
    snprintf(text, sizeof text, "retry-AFTER: %s\r\n", afters[_i].value);
    line(text);
    answer_read_head(&answer, NOW);
    ck_assert_int_eq(answer.retry_after, afters[_i].ms);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("answer");
    TCase *tests = tcase_create("all");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, headers);
    tcase_add_test(tests, no_head);
    tcase_add_test(tests, bytes_that_are_no_utf8);
    tcase_add_test(tests, interim_responses);
    tcase_add_test(tests, bounds);
    tcase_add_test(tests, bounds_of_a_body);
    tcase_add_test(tests, a_piece_beyond_the_bound);
    tcase_add_loop_test(tests, retry_after, 0, COUNT(afters));
    suite_add_tcase(suite, tests);
    return support_run(suite);
}
