/*
 * C3: durations carry units, and sizes, numbers and the nearest name beside them. Every refusal is
 * checked by a word of its reason, for a reason is what the user gets to see.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/duration.h"
#include "base/nearest.h"

struct good {
    const char *text;
    int64_t value;
    const char *shown; /* what the formatter makes of the value */
};

struct bad {
    const char *text;
    const char *reason;
};

static const struct good good_durations[] = {
    {"0ms", 0, "0ms"},
    {"0h", 0, "0ms"},
    {"1ms", 1, "1ms"},
    {"250ms", 250, "250ms"},
    {"1500ms", 1500, "1500ms"},
    {"90s", 90000, "90s"},
    {"120s", 120000, "2m"},
    {"5m", 300000, "5m"},
    {"76h", 273600000, "76h"},
    {"007s", 7000, "7s"},
    {"876600h", DURATION_MAX_MS, "876600h"},
};

static const struct bad bad_durations[] = {
    {"", "empty"},
    {"5", "has no unit: write 5ms, 5s, 5m or 5h"},
    {"0", "has no unit"},
    {"ms", "begin with a digit"},
    {"-5s", "negative"},
    {"+5s", "sign"},
    {"1.5s", "whole number"},
    {"1,5s", "whole number"},
    {".5s", "begin with a digit"},
    {"2d", "hours"},
    {"5S", "ms, s, m or h"},
    {"5M", "ms, s, m or h"},
    {"5sec", "ms, s, m or h"},
    {"5ss", "ms, s, m or h"},
    {"1h30m", "ms, s, m or h"},
    {"1e3s", "ms, s, m or h"},
    {"0x5s", "ms, s, m or h"},
    {"5 s", "white space"},
    {" 5s", "white space"},
    {"5s\n", "white space"},
    {"\xd9\xa5s", "begin with a digit"}, /* an Arabic five */
    {"876600h1", "ms, s, m or h"},
    {"876601h", "too long"},
    {"3155760000001ms", "too long"},
    {"9223372036854775807ms", "too long"},
    {"9223372036854775808ms", "too long"},
    {"2562047788016h", "too long"},    /* just above 2^63 when multiplied */
    {"5124095576030432h", "too long"}, /* wraps round to something small */
    {"99999999999999999999999999999999s", "too long"},
    {"368934881474191032400s", "too long"}, /* 80 if it wrapped before its last digit */
};

static const struct good good_sizes[] = {
    {"0", 0, "0"},
    {"1", 1, "1"},
    {"1000", 1000, "1000"},
    {"1024", 1024, "1KiB"},
    {"64KiB", 65536, "64KiB"},
    {"1MiB", 1048576, "1MiB"},
    {"1048576", 1048576, "1MiB"},
    {"1048576MiB", SIZE_MAX_BYTES, "1048576MiB"},
};

static const struct bad bad_sizes[] = {
    {"", "empty"},
    {"-1", "negative"},
    {"1.5MiB", "KiB or MiB"},
    {"1MB", "KiB or MiB"},
    {"1M", "KiB or MiB"},
    {"1mib", "KiB or MiB"},
    {"1GiB", "KiB or MiB"},
    {"1 MiB", "white space"},
    {"1048577MiB", "too large"},
    {"17592186044416MiB", "too large"}, /* 2^64 */
    {"18446744073709551617", "too large"},
};

static const struct bad bad_numbers[] = {
    {"", "empty"},          {"-1", "negative"},     {"1.0", "digits only"},
    {"1e3", "digits only"}, {"10k", "digits only"}, {"9223372036854775808", "too large"},
};

#define COUNT(table_) ((int)(sizeof(table_) / sizeof *(table_)))

static void expect_refused(int error, const struct err *err, int64_t value, const struct bad *bad)
{
    ck_assert_msg(error == ERR_INVALID, "\"%s\" is accepted", bad->text);
    ck_assert_msg(strstr(err->text, bad->reason) != NULL, "\"%s\": %s", bad->text, err->text);
    ck_assert_msg(value == -7, "\"%s\" writes into its answer", bad->text);
}

START_TEST(good_duration)
{
    const struct good *good = &good_durations[_i];
    char shown[DURATION_TEXT_SIZE];
    int64_t ms = -7;

    ck_assert_int_eq(duration_parse(good->text, &ms, NULL), 0);
    ck_assert_int_eq(ms, good->value);
    duration_format(ms, shown);
    ck_assert_str_eq(shown, good->shown);
}
END_TEST

START_TEST(bad_duration)
{
    struct err err = {""};
    int64_t ms = -7;
    int error = duration_parse(bad_durations[_i].text, &ms, &err);
    expect_refused(error, &err, ms, &bad_durations[_i]);
}
END_TEST

START_TEST(good_size)
{
    const struct good *good = &good_sizes[_i];
    char shown[DURATION_TEXT_SIZE];
    int64_t bytes = -7;

    ck_assert_int_eq(size_parse(good->text, &bytes, NULL), 0);
    ck_assert_int_eq(bytes, good->value);
    size_format(bytes, shown);
    ck_assert_str_eq(shown, good->shown);
}
END_TEST

START_TEST(bad_size)
{
    struct err err = {""};
    int64_t bytes = -7;
    int error = size_parse(bad_sizes[_i].text, &bytes, &err);
    expect_refused(error, &err, bytes, &bad_sizes[_i]);
}
END_TEST

START_TEST(bad_number)
{
    struct err err = {""};
    int64_t number = -7;
    int error = number_parse(bad_numbers[_i].text, &number, &err);
    expect_refused(error, &err, number, &bad_numbers[_i]);
}
END_TEST

START_TEST(longest_number)
{
    int64_t number;
    ck_assert_int_eq(number_parse("9223372036854775807", &number, NULL), 0);
    ck_assert_int_eq(number, INT64_MAX);
}
END_TEST

START_TEST(distances)
{
    ck_assert_uint_eq(nearest_distance("queue-time", "queue-time"), 0);
    ck_assert_uint_eq(nearest_distance("queue-tiem", "queue-time"), 1); /* swapped */
    ck_assert_uint_eq(nearest_distance("queu-time", "queue-time"), 1);
    ck_assert_uint_eq(nearest_distance("queue-timee", "queue-time"), 1);
    ck_assert_uint_eq(nearest_distance("qveue-time", "queue-time"), 1);
    ck_assert_uint_eq(nearest_distance("QUEUE_TIME", "queue-time"), 0);
    ck_assert_uint_eq(nearest_distance("", "abc"), 3);
    ck_assert_uint_eq(nearest_distance("abc", ""), 3);
    ck_assert_uint_eq(nearest_distance("kitten", "sitting"), 3);
}
END_TEST

START_TEST(long_names_are_near_nothing)
{
    char name[NEAREST_NAME_MAX + 2];
    memset(name, 'a', sizeof name);
    name[NEAREST_NAME_MAX] = '\0';
    ck_assert_uint_eq(nearest_distance(name, name), 0);
    name[NEAREST_NAME_MAX] = 'a';
    name[NEAREST_NAME_MAX + 1] = '\0';
    ck_assert_uint_eq(nearest_distance(name, name), SIZE_MAX);
    ck_assert(!nearest_is_near(name, name));
}
END_TEST

START_TEST(nearest_of_several)
{
    static const char *const names[] = {"listen", "log-level", "log-format", "db", NULL};
    ck_assert_str_eq(nearest_name("log-lvel", names), "log-level");
    ck_assert_str_eq(nearest_name("lsiten", names), "listen");
    ck_assert_ptr_null(nearest_name("colour", names));
    ck_assert_ptr_null(nearest_name("", names));
    ck_assert_ptr_null(nearest_name("d", names)); /* one letter could be anything */
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("duration");
    TCase *units = tcase_create("units"), *names = tcase_create("names");

    tcase_add_loop_test(units, good_duration, 0, COUNT(good_durations));
    tcase_add_loop_test(units, bad_duration, 0, COUNT(bad_durations));
    tcase_add_loop_test(units, good_size, 0, COUNT(good_sizes));
    tcase_add_loop_test(units, bad_size, 0, COUNT(bad_sizes));
    tcase_add_loop_test(units, bad_number, 0, COUNT(bad_numbers));
    tcase_add_test(units, longest_number);
    suite_add_tcase(suite, units);
    tcase_add_test(names, distances);
    tcase_add_test(names, long_names_are_near_nothing);
    tcase_add_test(names, nearest_of_several);
    suite_add_tcase(suite, names);

    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
