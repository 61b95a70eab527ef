/*
 * Buffers, and JSON written into them and read: H2 (what a body may be), E8 (numbers in shortest
 * form, members in their order), S20 (no needless decimals).
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/hash.h"
#include "base/json.h"
#include "support.h"

/* -- buffers ----------------------------------------------------------------------------------- */

START_TEST(buffer_grows_and_stays_terminated)
{
    struct buf buf = BUF_INIT;
    for (size_t i = 0; i < 5000; i++) {
        buf_putc(&buf, (char)('a' + i % 26));
        ck_assert_uint_eq(buf.len, i + 1);
        ck_assert_uint_gt(buf.cap, buf.len);
        ck_assert_int_eq(buf.data[buf.len], '\0');
    }
    for (size_t i = 0; i < 5000; i++)
        ck_assert_int_eq(buf.data[i], (char)('a' + i % 26));
    ck_assert(!buf_failed(&buf));
    buf_finish(&buf);
    ck_assert_ptr_null(buf.data);
    ck_assert_uint_eq(buf.len, 0);
}
END_TEST

/* Lengths around the first allocation and its double: the NUL must have its byte. */
START_TEST(buffer_takes_any_length)
{
    static const size_t lengths[] = {0, 1, 510, 511, 512, 513, 1023, 1024, 1025, 100000};
    size_t len = lengths[_i], taken = 99;
    char *bytes = calloc(1, len + 1);
    memset(bytes, 'x', len);
    struct buf buf = BUF_INIT;

    buf_append(&buf, bytes, len);
    ck_assert_int_eq(buf.data[len], '\0');
    buf_puts(&buf, "end");
    char *data = buf_take(&buf, &taken);
    ck_assert_uint_eq(taken, len + 3);
    ck_assert_int_eq(memcmp(data, bytes, len), 0);
    ck_assert_str_eq(data + len, "end");
    ck_assert_ptr_null(buf.data);
    free(data);
    free(bytes);
}
END_TEST

START_TEST(buffer_formats)
{
    static const struct {
        int64_t value;
        const char *text;
    } integers[] = {
        {0, "0"},
        {7, "7"},
        {-1, "-1"},
        {1000, "1000"},
        {INT64_MAX, "9223372036854775807"},
        {INT64_MIN, "-9223372036854775808"},
    };
    cleanup(buf_finish) struct buf buf = BUF_INIT;
    for (size_t i = 0; i < COUNT(integers); i++) {
        buf.len = 0;
        buf_int(&buf, integers[i].value);
        ck_assert_str_eq(buf.data, integers[i].text);
    }
    buf.len = 0;
    buf_printf(&buf, "%s-%d", "a", 5);
    buf_printf(&buf, "%0600d", 1); /* more than there is room for */
    ck_assert_uint_eq(buf.len, 603);
    ck_assert_uint_eq(strlen(buf.data), 603);
    ck_assert_int_eq(memcmp(buf.data, "a-5000", 6), 0);
}
END_TEST

START_TEST(buffer_remembers_want_of_memory)
{
    struct buf buf = BUF_INIT;
    size_t len = 77;
    buf_puts(&buf, "abc");
    ck_assert(!buf_reserve(&buf, _i ? SIZE_MAX : SIZE_MAX / 2 + 1));
    ck_assert(buf_failed(&buf));
    buf_puts(&buf, "lost");
    buf_int(&buf, 1);
    buf_printf(&buf, "%d", 2);
    ck_assert_uint_eq(buf.len, 3);
    ck_assert_ptr_null(buf_take(&buf, &len));
    ck_assert_uint_eq(len, 77);
    ck_assert(!buf_failed(&buf)); /* and it is usable again */
    char *data = buf_take(&buf, &len);
    ck_assert_str_eq(data, "");
    ck_assert_uint_eq(len, 0);
    free(data);
}
END_TEST

/* -- writing ----------------------------------------------------------------------------------- */

static const struct {
    const char *text;
    size_t len;
    const char *json;
} strings[] = {
    {"", 0, "\"\""},
    {"plain", 5, "\"plain\""},
    {"\"\\/", 3, "\"\\\"\\\\/\""},
    {"\b\f\n\r\t", 5, "\"\\b\\f\\n\\r\\t\""},
    {"a\0b", 3, "\"a\\u0000b\""},
    {"\x01\x1f\x7f", 3, "\"\\u0001\\u001f\x7f\""},
    {"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", 9, "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\""},
    {"<script>%s'", 11, "\"<script>%s'\""},
    {"\"ends\"", 6, "\"\\\"ends\\\"\""},
};

START_TEST(strings_are_escaped)
{
    cleanup(buf_finish) struct buf out = BUF_INIT;
    json_put_string(&out, strings[_i].text, strings[_i].len);
    ck_assert_str_eq(out.data, strings[_i].json);

    json_t *back = json_loads(out.data, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    ck_assert_uint_eq(json_string_length(back), strings[_i].len);
    ck_assert_int_eq(memcmp(json_string_value(back), strings[_i].text, strings[_i].len), 0);
    json_decref(back);
}
END_TEST

START_TEST(no_text_is_null)
{
    cleanup(buf_finish) struct buf out = BUF_INIT;
    json_put_text(&out, NULL);
    json_put_text(&out, "x");
    ck_assert_str_eq(out.data, "null\"x\"");
}
END_TEST

/* What ECMAScript's Number::toString gives, but for what would be no 64-bit integer. */
static const struct {
    double value;
    const char *text;
} reals[] = {
    {0, "0"},
    {-0.0, "0"},
    {1, "1"},
    {-1.5, "-1.5"},
    {145, "145"},
    {0.25, "0.25"},
    {0.1, "0.1"},
    {0.1 + 0.2, "0.30000000000000004"},
    {1.0 / 3, "0.3333333333333333"},
    {100000, "100000"},
    {123456789.125, "123456789.125"},
    {9007199254740993.0, "9007199254740992"},
    {9223372036854774784.0, "9223372036854775000"},
    {-9223372036854775808.0, "-9.223372036854776e+18"},
    {1e20, "1e+20"},
    {123456789012345680000.0, "1.2345678901234568e+20"},
    {1e21, "1e+21"},
    {-1.25e21, "-1.25e+21"},
    {1e23, "1e+23"},
    {0.001, "0.001"},
    {0.000012345, "0.000012345"},
    {1e-6, "0.000001"},
    {1e-7, "1e-7"},
    {1.5e-7, "1.5e-7"},
    {1e-8, "1e-8"},
    {5e-324, "5e-324"},
    {1.7976931348623157e308, "1.7976931348623157e+308"},
};

START_TEST(reals_are_shortest)
{
    cleanup(buf_finish) struct buf out = BUF_INIT;
    json_put_real(&out, reals[_i].value);
    ck_assert_str_eq(out.data, reals[_i].text);
    ck_assert(strtod(out.data, NULL) == reals[_i].value);
    json_t *again = json_loads(out.data, JSON_DECODE_ANY, NULL);
    ck_assert(again && json_number_value(again) == reals[_i].value);
    json_decref(again);
}
END_TEST

/* -- reading, and what was read written again -------------------------------------------------- */

static const struct {
    const char *body, *written;
} good[] = {
    {"{}", "{}"},
    {" [ ] \n", "[]"},
    {"null", "null"},
    {"\"x\"", "\"x\""},
    {"-12", "-12"},
    {"{\"b\":1,\"a\":[true,false,null,{\"z\":{},\"y\":[]}]}",
     "{\"b\":1,\"a\":[true,false,null,{\"z\":{},\"y\":[]}]}"},
    {"[1.0, 1e3, 0.10, -0.0, 12.50]", "[1,1000,0.1,0,12.5]"},
    {"[9223372036854775807,-9223372036854775808]", "[9223372036854775807,-9223372036854775808]"},
    {"{\"a\":1,\"a\":2}", "{\"a\":2}"},
    {"\"\\u00e9\\ud83d\\ude00\\/\"", "\"\xc3\xa9\xf0\x9f\x98\x80/\""},
    {"{\"\\n\\\"\":\"\\u007f\"}", "{\"\\n\\\"\":\"\x7f\"}"},
};

START_TEST(good_body)
{
    cleanup(buf_finish) struct buf out = BUF_INIT;
    struct err err = {""};
    json_t *value = NULL;
    int status = json_parse_body(good[_i].body, strlen(good[_i].body), &value, &err);
    ck_assert_msg(status == 0, "%s: %s", good[_i].body, err.text);
    json_put_value(&out, value);
    ck_assert_str_eq(out.data, good[_i].written);
    json_decref(value);
}
END_TEST

static const struct {
    const char *body;
    size_t len;
} bad[] = {
#define BAD(text_)                                                                                 \
    {                                                                                              \
        text_, sizeof(text_) - 1                                                                   \
    }
    BAD(" "),
    BAD("\xef\xbb\xbf{}"),
    BAD("{} {}"),
    BAD("{},"),
    BAD("[1,]"),
    BAD("{\"a\":1,}"),
    BAD("{'a':1}"),
    BAD("{a:1}"),
    BAD("// x\n{}"),
    BAD("{}/* x */"),
    BAD("NaN"),
    BAD("Infinity"),
    BAD("1e400"),
    BAD("9223372036854775808"),
    BAD("-9223372036854775809"),
    BAD("0123"),
    BAD("+1"),
    BAD(".5"),
    BAD("tru"),
    BAD("{\"a\""),
    BAD("[[["),
    BAD("\"a"),
    BAD("\"a\nb\""),
    BAD("\"\\u0000\""),
    BAD("{\"\\u0000\":1}"),
    BAD("\"\\ud83d\""),
    BAD("\"\\ude00\""),
    BAD("\"\\ud83dx\""),
    BAD("\"\\ud83d\\u0041\""),
    BAD("\"\xc0\xaf\""),
    BAD("\"\xe0\x80\xaf\""),
    BAD("\"\xed\xa0\x80\""),
    BAD("\"\xf4\x90\x80\x80\""),
    BAD("\"\xe2\x82\""),
    BAD("\"\x80\""),
    BAD("{}\0"),
    BAD("\"\0\""),
};

START_TEST(bad_body)
{
    struct err err = {""};
    json_t untouched, *value = &untouched;
    ck_assert_int_eq(json_parse_body(bad[_i].body, bad[_i].len, &value, &err), ERR_INVALID);
    ck_assert_ptr_eq(value, &untouched);
    ck_assert_msg(strstr(err.text, " at line 1, column ") || strstr(err.text, " at line 2, column"),
                  "%s: says no place: %s", bad[_i].body, err.text);
}
END_TEST

START_TEST(empty_body_is_said_to_be_empty)
{
    struct err err = {""};
    json_t *value;
    ck_assert_int_eq(json_parse_body("", 0, &value, &err), ERR_INVALID);
    ck_assert_str_eq(err.text, "the body is empty");
}
END_TEST

START_TEST(bytes_beyond_the_length_are_not_read)
{
    json_t *value = NULL;
    char *body = malloc(2); /* exactly, so that a sanitizer sees a read too far */
    memcpy(body, "{}", 2);
    ck_assert_int_eq(json_parse_body(body, 2, &value, NULL), 0);
    free(body);
    json_decref(value);
}
END_TEST

static const struct {
    size_t depth;
    int status;
} depths[] = {{1, 0}, {100, 0}, {2048, 0}, {2049, ERR_INVALID}, {100000, ERR_INVALID}};

static const struct {
    const char *one, *other;
    bool same;
} values[] = {
    {"{\"a\":1,\"b\":[true,null]}", " { \"b\" : [ true , null ], \"a\" : 1 } ", true},
    {"\"\\u0041\"", "\"A\"", true},
    {"{\"a\":1}", "{\"a\":2}", false},
    {"{\"a\":1,\"b\":2}", "{\"a\":2,\"b\":1}", false},
    {"{\"a\":\"b\"}", "{\"b\":\"a\"}", false},
    {"[1,2]", "[2,1]", false},
    {"[[1],2]", "[1,[2]]", false},
    {"1", "1.0", false},
    {"1", "\"1\"", false},
    {"1.5", "1.25", false},
    {"true", "false", false},
    {"{}", "[]", false},
    {"{\"a\":null}", "{}", false},
    {"[0]", "[null]", false},
};

START_TEST(hashes_tell_values_apart)
{
    json_t *one = NULL, *other = NULL;
    struct err err;
    ck_assert_int_eq(json_parse_body(values[_i].one, strlen(values[_i].one), &one, &err), 0);
    ck_assert_int_eq(json_parse_body(values[_i].other, strlen(values[_i].other), &other, &err), 0);
    ck_assert_int_eq(hash_json(one) == hash_json(other), values[_i].same);
    json_decref(one);
    json_decref(other);
}
END_TEST

START_TEST(nesting_is_bounded)
{
    size_t depth = depths[_i].depth;
    cleanup(buf_finish) struct buf out = BUF_INIT;
    cleanup(buf_finish) struct buf body = BUF_INIT;
    json_t *value = NULL;
    for (size_t i = 0; i < depth; i++)
        buf_putc(&body, '[');
    for (size_t i = 0; i < depth; i++)
        buf_putc(&body, ']');
    int status = json_parse_body(body.data, body.len, &value, NULL);
    ck_assert_int_eq(status, depths[_i].status);
    if (status < 0)
        return;
    json_put_value(&out, value);
    ck_assert_str_eq(out.data, body.data);
    json_decref(value);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("json");
    TCase *buffers = tcase_create("buffers");
    tcase_add_test(buffers, buffer_grows_and_stays_terminated);
    tcase_add_loop_test(buffers, buffer_takes_any_length, 0, 10);
    tcase_add_test(buffers, buffer_formats);
    tcase_add_loop_test(buffers, buffer_remembers_want_of_memory, 0, 2);
    suite_add_tcase(suite, buffers);
    TCase *writing = tcase_create("E8: writing");
    tcase_add_loop_test(writing, strings_are_escaped, 0, (int)COUNT(strings));
    tcase_add_test(writing, no_text_is_null);
    tcase_add_loop_test(writing, reals_are_shortest, 0, (int)COUNT(reals));
    suite_add_tcase(suite, writing);
    TCase *reading = tcase_create("H2: reading");
    tcase_add_loop_test(reading, good_body, 0, (int)COUNT(good));
    tcase_add_loop_test(reading, bad_body, 0, (int)COUNT(bad));
    tcase_add_test(reading, empty_body_is_said_to_be_empty);
    tcase_add_test(reading, bytes_beyond_the_length_are_not_read);
    tcase_add_loop_test(reading, hashes_tell_values_apart, 0, (int)COUNT(values));
    tcase_add_loop_test(reading, nesting_is_bounded, 0, (int)COUNT(depths));
    suite_add_tcase(suite, reading);
    return support_run(suite);
}
