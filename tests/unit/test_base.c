/*
 * The small things of the base room: times (S20, E9), ids (S21, E6), addresses (S6, S8), URLs (S6),
 * errors and digests.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/email.h"
#include "base/err.h"
#include "base/id.h"
#include "base/time.h"
#include "base/url.h"
#include "support.h"

/* -- time -------------------------------------------------------------------------------------- */

static const struct {
    int64_t ms;
    const char *seconds, *millis;
} times[] = {
    {0, "1970-01-01T00:00:00Z", "1970-01-01T00:00:00.000Z"},
    {1709287200000, "2024-03-01T10:00:00Z", "2024-03-01T10:00:00.000Z"},
    {1709287200999, "2024-03-01T10:00:00Z", "2024-03-01T10:00:00.999Z"},
    {1709287201000, "2024-03-01T10:00:01Z", "2024-03-01T10:00:01.000Z"},
    {1709164800001, "2024-02-29T00:00:00Z", "2024-02-29T00:00:00.001Z"},
    {1769594400050, "2026-01-28T10:00:00Z", "2026-01-28T10:00:00.050Z"},
    {253402300799999, "9999-12-31T23:59:59Z", "9999-12-31T23:59:59.999Z"},
    {-1, "1969-12-31T23:59:59Z", "1969-12-31T23:59:59.999Z"},
    {-1000, "1969-12-31T23:59:59Z", "1969-12-31T23:59:59.000Z"},
};

START_TEST(times_are_utc)
{
    char text[TIME_TEXT_SIZE];
    setenv("TZ", "Asia/Kathmandu", 1); /* whatever the machine's zone is */
    time_format_seconds(times[_i].ms, text);
    ck_assert_str_eq(text, times[_i].seconds);
    time_format_millis(times[_i].ms, text);
    ck_assert_str_eq(text, times[_i].millis);
}
END_TEST

/* -- times that are read ------------------------------------------------------------------------
 */

static const struct {
    const char *text;
    int64_t ms;
} good_times[] = {
    {"1970-01-01T00:00:00Z", 0},
    {"1970-01-01T00:00:00.001Z", 1},
    {"2024-03-01T10:00:00Z", 1709287200000},
    {"2024-02-29T00:00:00.001Z", 1709164800001},
    {"2000-02-29T23:59:59Z", 951868799000}, /* a leap year, as every 400th */
    {"2100-02-28T00:00:00Z", 4107456000000},
    {"9999-12-31T23:59:59.999Z", 253402300799999},
    {"9999-12-31T23:59:59.9999999999999999999999999999999999Z", 253402300799999},
    {"2024-03-01T10:00:00.5Z", 1709287200500},
    {"2024-03-01T10:00:00.1239Z", 1709287200123}, /* cut, not rounded */
    {"2024-03-01t10:00:00z", 1709287200000},
    {"2024-03-01T10:00:00+00:00", 1709287200000},
    {"2024-03-01T11:30:00+01:30", 1709287200000},
    {"2024-02-29T22:00:00-12:00", 1709287200000},
    {"1969-12-31T23:00:00-01:00", 0},
};

static const char *const bad_times[] = {
    "",
    "Z",
    "now",
    "2024-03-01",
    "2024-03-01T10:00:00",
    "2024-03-01 10:00:00Z",
    "2024-03-01T10:00Z",
    "2024-3-01T10:00:00Z",
    "24-03-01T10:00:00Z",
    "2024-03-01T10:00:00.Z",
    "2024-03-01T10:00:00,5Z",
    "2024-03-01T10:00:00Z ",
    " 2024-03-01T10:00:00Z",
    "2024-03-01T10:00:00ZZ",
    "+2024-03-01T10:00:00Z",
    "20240301T100000Z",
    "2024-00-01T10:00:00Z",
    "2024-13-01T10:00:00Z",
    "2024-03-00T10:00:00Z",
    "2024-03-32T10:00:00Z",
    "2024-04-31T10:00:00Z",
    "2023-02-29T10:00:00Z",
    "2100-02-29T10:00:00Z",
    "1900-02-29T10:00:00Z",
    "2024-02-30T10:00:00Z",
    "2024-03-01T24:00:00Z",
    "2024-03-01T10:60:00Z",
    "2024-03-01T10:00:60Z",
    "2024-03-01T10:00:00+1:00",
    "2024-03-01T10:00:00+0100",
    "2024-03-01T10:00:00+24:00",
    "2024-03-01T10:00:00+01:60",
    "2024-03-01T10:00:00*01:00",
    "1969-12-31T23:59:59.999Z",
    "1970-01-01T00:59:00+01:00",
    "0000-01-01T00:00:00Z",
    "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59-00:01",
    "10000-01-01T00:00:00Z",
    "2024-03-01T1\xd9\xa0:00:00Z",
    "-001-01-01T00:00:00Z",
};

START_TEST(times_are_read)
{
    int64_t ms = -7;
    struct err err = {""};
    ck_assert_msg(time_parse(good_times[_i].text, &ms, &err) == 0, "%s: %s", good_times[_i].text,
                  err.text);
    ck_assert_int_eq(ms, good_times[_i].ms);
}
END_TEST

START_TEST(what_is_no_time_is_refused)
{
    int64_t ms = -7;
    struct err err = {""};
    ck_assert_msg(time_parse(bad_times[_i], &ms, &err) == ERR_INVALID, "%s", bad_times[_i]);
    ck_assert_str_ne(err.text, "");
    ck_assert_int_eq(ms, -7);
}
END_TEST

/* Each day of 8,030 years, at a time of day of its own. */
/* Asserted once it is wrong, since check notes each assertion, and there are millions of days. */
START_TEST(every_day_is_read_as_it_is_written)
{
    char text[TIME_TEXT_SIZE];
    int64_t days = 0;
    for (int64_t ms = 0, read; ms <= TIME_MAX; ms += 86400000 + 7919, days++) {
        time_format_millis(ms, text);
        if (time_parse(text, &read, NULL) != 0 || read != ms)
            ck_abort_msg("%s", text);
    }
    ck_assert_int_gt(days, 365 * 7000);
}
END_TEST

/* The steady clock starts from the wall clock's time; both of its readings are cut to whole
 * milliseconds, hence the one either way. */
START_TEST(steady_clock_starts_at_wall_time_and_never_goes_back)
{
    int64_t before = time_wall_ms(), last = time_steady_ms(), after = time_wall_ms();
    ck_assert_int_ge(last, before - 1);
    ck_assert_int_le(last, after + 1);
    ck_assert_int_gt(before, 1700000000000); /* milliseconds, not seconds */
    for (int i = 0; i < 100000; i++) {
        int64_t now = time_steady_ms();
        ck_assert_int_ge(now, last);
        last = now;
    }
}
END_TEST

/* Across the end of a second too, as two thirds of one are. */
START_TEST(a_wait_ends_when_its_time_has_passed)
{
    static const int64_t spans[] = {-1, 0, 1, 667, 667};
    pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    pthread_cond_t wake;
    time_init_wake(&wake);
    pthread_mutex_lock(&lock);
    for (size_t i = 0; i < sizeof spans / sizeof *spans; i++) {
        int64_t before = time_steady_us();
        ck_assert(time_wait(&wake, &lock, spans[i]));
        ck_assert_int_ge(time_steady_us() - before, spans[i] * 1000);
    }
    pthread_mutex_unlock(&lock);
    pthread_cond_destroy(&wake);
}
END_TEST

/* -- ids --------------------------------------------------------------------------------------- */

enum { DRAWS = 2000 };

static int compare_ids(const void *a, const void *b)
{
    return memcmp(a, b, ID_UUID_SIZE);
}

/* Draws many: `shape` has h for any hex digit, v for one of 89ab, else the character itself. */
static void check_ids(void (*draw)(char *), const char *shape)
{
    static char ids[DRAWS][ID_UUID_SIZE];
    unsigned seen[ID_UUID_SIZE] = {0};
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < DRAWS; i++) {
        memset(ids[i], 0, sizeof ids[i]);
        draw(ids[i]);
        ck_assert_uint_eq(strlen(ids[i]), strlen(shape));
        for (size_t at = 0; shape[at]; at++) {
            const char *digit = strchr(digits, ids[i][at]);
            bool right = shape[at] == 'h'   ? digit != NULL
                         : shape[at] == 'v' ? strchr("89ab", ids[i][at]) != NULL
                                            : ids[i][at] == shape[at];
            ck_assert_msg(right, "%s", ids[i]);
            if (digit)
                seen[at] |= 1U << (digit - digits);
        }
    }
    for (size_t at = 0; shape[at]; at++) /* by chance once in 10^50 */
        ck_assert(shape[at] != 'h' || seen[at] == 0xffff);
    qsort(ids, DRAWS, sizeof ids[0], compare_ids);
    for (size_t i = 1; i < DRAWS; i++)
        ck_assert_str_ne(ids[i - 1], ids[i]);
}

START_TEST(hex_ids)
{
    check_ids(id_hex, "hhhhhhhhhhhh");
}
END_TEST

START_TEST(uuids)
{
    check_ids(id_uuid, "hhhhhhhh-hhhh-4hhh-vhhh-hhhhhhhhhhhh");
}
END_TEST

/* More than the kernel gives in one go where a signal comes; and not a byte too far. */
START_TEST(random_fills_all)
{
    static unsigned char bytes[100001];
    size_t zeros = 0;
    id_random(bytes, 0);
    ck_assert_int_eq(bytes[0], 0);
    id_random(bytes, sizeof bytes - 1);
    ck_assert_int_eq(bytes[sizeof bytes - 1], 0);
    for (size_t i = sizeof bytes - 65; i < sizeof bytes - 1; i++)
        zeros += bytes[i] == 0;
    ck_assert_uint_lt(zeros, 32);
}
END_TEST

/* -- addresses --------------------------------------------------------------------------------- */

static const struct {
    const char *text;
    bool right;
} addresses[] = {
    {"jane@acme.com", true},
    {"JANE+fail@Acme.COM", true},
    {"a@b", true},
    {"o'brien.x_y-z/!#$%&*=?^`{|}~@sub.example-1.co", true},
    {"j\xc3\xa9r\xc3\xb4me@caf\xc3\xa9.fr", true},
    {"", false},
    {"jane", false},
    {"@acme.com", false},
    {"jane@", false},
    {"jane@@acme.com", false},
    {"jane@x@acme.com", false},
    {"jane@acme..com", false},
    {"jane@.acme.com", false},
    {"jane@acme.com.", false},
    {"jane@-acme.com", false},
    {"jane@acme-.com", false},
    {"jane@acme-", false},
    {"jane@acme.com ", false},
    {" jane@acme.com", false},
    {"ja ne@acme.com", false},
    {"jane@ac me.com", false},
    {"jane@acme.com\n", false},
    {"jane\t@acme.com", false},
    {"jane\x7f@acme.com", false},
    {"<jane@acme.com>", false},
    {"jane,joe@acme.com", false},
    {"jane;@acme.com", false},
    {"\"jane\"@acme.com", false},
    {"jane@acme_.com", false},
    {"jane@[127.0.0.1]", false},
};

START_TEST(address_looks_right)
{
    ck_assert_msg(email_looks_right(addresses[_i].text, strlen(addresses[_i].text)) ==
                      addresses[_i].right,
                  "%s", addresses[_i].text);
}
END_TEST

START_TEST(address_lengths)
{
    char text[EMAIL_MAX + 2];
    memset(text, 'a', sizeof text);
    text[10] = '@';
    ck_assert(email_looks_right(text, EMAIL_MAX));
    ck_assert(!email_looks_right(text, EMAIL_MAX + 1));
    ck_assert(!email_looks_right("a@b\0c", 5));
    ck_assert(!email_looks_right("a\0@bc", 5));
}
END_TEST

START_TEST(address_folds_ascii_only)
{
    char folded[EMAIL_MAX + 1], text[400];
    email_fold("JaNe+X@ACME.com[{@`", folded);
    ck_assert_str_eq(folded, "jane+x@acme.com[{@`");
    email_fold("\xc3\x89mile@A.fr", folded);
    ck_assert_str_eq(folded, "\xc3\x89mile@a.fr");
    memset(text, 'Z', sizeof text);
    text[sizeof text - 1] = '\0';
    email_fold(text, folded);
    ck_assert_uint_eq(strlen(folded), EMAIL_MAX);
    ck_assert_uint_eq(strspn(folded, "z"), EMAIL_MAX);
}
END_TEST

/* -- URLs -------------------------------------------------------------------------------------- */

enum { NOT, CALL, BASE }; /* none, one that can be called, one that others can be built on too */

static const struct {
    const char *text;
    int what;
} urls[] = {
    {"http://127.0.0.1:3000", BASE},
    {"https://hooks.acme.com/exec-scenarios", BASE},
    {"HTTPS://Hooks.Acme.com:8443/a/b/", BASE},
    {"http://[::1]:80/", BASE},
    {"http://localhost", BASE},
    {"http://a.example/%20x", BASE},
    {"http://a.example/?q=1", CALL},
    {"http://a.example?q", CALL},
    {"http://a.example/x#y", CALL},
    {"http://a.example/#", CALL},
    {"http://caf\xc3\xa9.example/", BASE},
    {"", NOT},
    {"a.example", NOT},
    {"//a.example/x", NOT},
    {"/x", NOT},
    {"http", NOT},
    {"http:", NOT},
    {"http:a.example", NOT},
    {"http:/a.example", NOT},
    {"http://", NOT},
    {"http:///x", NOT},
    {"http://?x", NOT},
    {"http://#x", NOT},
    {"http://:80/", NOT},
    {"http://a.example:99999/", NOT},
    {"http://a.example:x/", NOT},
    {"http://[::1", NOT},
    {"http://[zz]/", NOT},
    {"http://user@a.example/", NOT},
    {"http://user:secret@a.example/", NOT},
    {"http://:secret@a.example/", NOT},
    {"http://@a.example/", NOT},
    {"ftp://a.example/", NOT},
    {"file:///etc/passwd", NOT},
    {"gopher://a.example/", NOT},
    {"dict://a.example/", NOT},
    {"javascript:alert(1)", NOT},
    {"ws://a.example/", NOT},
    {" http://a.example/", NOT},
    {"http://a.example/ ", NOT},
    {"http://a.example/a b", NOT},
    {"http://a.example/\r\nX: y", NOT},
    {"http://a.example\\@b.example/", NOT},
    {"http://a.example/\x7f", NOT},
    {"http://a.example/\\x", NOT},
};

START_TEST(url_kinds)
{
    const char *text = urls[_i].text;
    ck_assert_msg(url_is_callable(text) == (urls[_i].what != NOT), "callable: %s", text);
    ck_assert_msg(url_is_base(text) == (urls[_i].what == BASE), "base: %s", text);
}
END_TEST

/* -- errors and digests ------------------------------------------------------------------------ */

START_TEST(error_texts_are_cut)
{
    struct err err;
    char text[2 * ERR_TEXT_SIZE];
    memset(text, 'x', sizeof text);
    text[sizeof text - 1] = '\0';
    ck_assert_int_eq(err_set(&err, ERR_IO, "%s at %d", "there", 5), ERR_IO);
    ck_assert_str_eq(err.text, "there at 5");
    ck_assert_int_eq(err_set(&err, ERR_FULL, "%s", text), ERR_FULL);
    ck_assert_uint_eq(strlen(err.text), ERR_TEXT_SIZE - 1);
    ck_assert_int_eq(err_set(NULL, ERR_BUSY, "%s", "nobody reads it"), ERR_BUSY);
}
END_TEST

START_TEST(digest_is_sha256)
{
    unsigned char digest[DIGEST_SIZE];
    char hex[2 * DIGEST_SIZE + 1];
    digest_sha256("abc", 3, digest); /* FIPS 180-2, appendix B.1 */
    for (size_t i = 0; i < DIGEST_SIZE; i++)
        snprintf(hex + 2 * i, 3, "%02x", digest[i]);
    ck_assert_str_eq(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("base");
    TCase *time = tcase_create("S20, E9: times"), *id = tcase_create("S21, E6: ids");
    TCase *email = tcase_create("S6, S8: addresses"), *url = tcase_create("S6: URLs");
    TCase *rest = tcase_create("errors and digests");
    tcase_add_loop_test(time, times_are_utc, 0, (int)COUNT(times));
    tcase_add_loop_test(time, times_are_read, 0, COUNT(good_times));
    tcase_add_loop_test(time, what_is_no_time_is_refused, 0, COUNT(bad_times));
    tcase_set_timeout(time, 60); /* every day takes a while under sanitizers */
    tcase_add_test(time, every_day_is_read_as_it_is_written);
    tcase_add_test(time, steady_clock_starts_at_wall_time_and_never_goes_back);
    tcase_add_test(time, a_wait_ends_when_its_time_has_passed);
    tcase_add_test(id, hex_ids);
    tcase_add_test(id, uuids);
    tcase_add_test(id, random_fills_all);
    tcase_add_loop_test(email, address_looks_right, 0, (int)COUNT(addresses));
    tcase_add_test(email, address_lengths);
    tcase_add_test(email, address_folds_ascii_only);
    tcase_add_loop_test(url, url_kinds, 0, (int)COUNT(urls));
    tcase_add_test(rest, error_texts_are_cut);
    tcase_add_test(rest, digest_is_sha256);
    suite_add_tcase(suite, time);
    suite_add_tcase(suite, id);
    suite_add_tcase(suite, email);
    suite_add_tcase(suite, url);
    suite_add_tcase(suite, rest);
    return support_run(suite);
}
