/*
 * The log and its escaping: one event is one line, whatever the values hold (H6: one log line for a
 * failure of ours); a line is whole even when stderr is a full pipe. Each test reads what really
 * came out of descriptor 2.
 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/blot.h"
#include "base/escape.h"
#include "base/log.h"

static int pipe_ends[2], real_stderr;
static char text[1 << 18];

static void log_begin(void)
{
    ck_assert_int_eq(pipe2(pipe_ends, O_CLOEXEC), 0);
    fcntl(pipe_ends[0], F_SETFL, O_NONBLOCK);
    real_stderr = dup(STDERR_FILENO);
    dup2(pipe_ends[1], STDERR_FILENO);
    log_setup(LOG_INFO, LOG_FORMAT_TEXT);
}

static void log_end(void)
{
    dup2(real_stderr, STDERR_FILENO);
    close(real_stderr);
    close(pipe_ends[0]);
    close(pipe_ends[1]);
}

/* What has been logged since the last call. */
static const char *logged(void)
{
    size_t len = 0;
    ssize_t got;
    while ((got = read(pipe_ends[0], text + len, sizeof text - 1 - len)) > 0)
        len += (size_t)got;
    text[len] = '\0';
    return text;
}

/* The line without its time, which is checked for its shape. */
static const char *logged_after_time(void)
{
    static const char shape[] = "0000-00-00T00:00:00.000Z ";
    const char *line = logged();

    ck_assert_uint_gt(strlen(line), sizeof shape - 1);
    for (size_t i = 0; shape[i]; i++)
        ck_assert(shape[i] == '0' ? line[i] >= '0' && line[i] <= '9' : line[i] == shape[i]);
    return line + sizeof shape - 1;
}

START_TEST(text_line)
{
    log_event(LOG_INFO, "store opened", LOG_STR("file", "understudy.db"), LOG_INT("jobs", 3));
    ck_assert_str_eq(logged_after_time(), "info  store opened file=understudy.db jobs=3\n");
    log_message(LOG_ERROR, "stopped");
    ck_assert_str_eq(logged_after_time(), "error stopped\n");
    log_event(LOG_WARN, "x", LOG_INT("least", INT64_MIN), LOG_STR("none", (char *)NULL));
    ck_assert_str_eq(logged_after_time(), "warn  x least=-9223372036854775808 none=-\n");
}
END_TEST

START_TEST(time_is_now)
{
    char before[32], after[32];
    time_t now = time(NULL);
    strftime(before, sizeof before, "%Y-%m-%dT%H:%M:%S.000Z", gmtime(&now));
    log_message(LOG_INFO, "x");
    now = time(NULL) + 1;
    strftime(after, sizeof after, "%Y-%m-%dT%H:%M:%S.000Z", gmtime(&now));
    const char *line = logged();
    ck_assert_int_ge(strncmp(line, before, 24), 0);
    ck_assert_int_le(strncmp(line, after, 24), 0);
}
END_TEST

START_TEST(levels)
{
    log_message(LOG_DEBUG, "x");
    ck_assert_str_eq(logged(), "");
    ck_assert(!log_enabled(LOG_DEBUG));
    log_setup(LOG_DEBUG, LOG_FORMAT_TEXT);
    log_message(LOG_DEBUG, "x");
    ck_assert_str_eq(logged_after_time(), "debug x\n");
    log_setup(LOG_ERROR, LOG_FORMAT_TEXT);
    log_message(LOG_WARN, "x");
    ck_assert_str_eq(logged(), "");
}
END_TEST

static const struct {
    const char *value, *in_text, *in_json;
} values[] = {
    {"plain", "plain", "plain"},
    {"", "\"\"", ""},
    {"two words", "\"two words\"", "two words"},
    {"a=b", "\"a=b\"", "a=b"},
    {"say \"hi\"", "\"say \\\"hi\\\"\"", "say \"hi\""},
    {"back\\slash", "\"back\\\\slash\"", "back\\slash"},
    {"a\nb", "\"a\\x0ab\"", "a\nb"},
    {"\x1b[31mred", "\"\\x1b[31mred\"", "\x1b[31mred"},
    {"\x7f", "\"\\x7f\"", "\x7f"},
    {"caf\xc3\xa9 \xe2\x82\xac", "\"caf\xc3\xa9 \xe2\x82\xac\"", "caf\xc3\xa9 \xe2\x82\xac"},
    {"\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80"},
    {"\xc2\x85", "\"\\u0085\"", "\xc2\x85"},         /* C1: next line */
    {"\xe2\x80\xae", "\"\\u202e\"", "\xe2\x80\xae"}, /* turns the direction */
    {"\xe2\x80\xa8", "\"\\u2028\"", "\xe2\x80\xa8"}, /* line separator */
    {"a\xff", "\"a\\xff\"", "a\\xff"},
    {"\xc3", "\"\\xc3\"", "\\xc3"},                             /* cut short */
    {"\xc0\xaf", "\"\\xc0\\xaf\"", "\\xc0\\xaf"},               /* overlong */
    {"\xed\xa0\x80", "\"\\xed\\xa0\\x80\"", "\\xed\\xa0\\x80"}, /* surrogate */
    {"\xf4\x90\x80\x80", "\"\\xf4\\x90\\x80\\x80\"", "\\xf4\\x90\\x80\\x80"},
};

START_TEST(values_in_text)
{
    char expected[256];
    snprintf(expected, sizeof expected, "info  x v=%s n=1\n", values[_i].in_text);
    log_event(LOG_INFO, "x", LOG_STR("v", values[_i].value), LOG_INT("n", 1));
    ck_assert_str_eq(logged_after_time(), expected);
}
END_TEST

static json_t *logged_json(void)
{
    const char *line = logged();
    size_t len = strlen(line);
    ck_assert_uint_gt(len, 0);
    ck_assert_ptr_eq(strchr(line, '\n'), line + len - 1);
    json_t *json = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
    ck_assert_msg(json != NULL, "no JSON: %s", line);
    return json;
}

START_TEST(values_in_json)
{
    log_setup(LOG_INFO, LOG_FORMAT_JSON);
    log_event(LOG_WARN, "say \"x\"", LOG_STR("v", values[_i].value), LOG_INT("n", -1));
    json_t *json = logged_json();
    ck_assert_str_eq(json_string_value(json_object_get(json, "v")), values[_i].in_json);
    ck_assert_str_eq(json_string_value(json_object_get(json, "event")), "say \"x\"");
    ck_assert_str_eq(json_string_value(json_object_get(json, "level")), "warn");
    ck_assert_int_eq(json_integer_value(json_object_get(json, "n")), -1);
    ck_assert_uint_eq(json_string_length(json_object_get(json, "time")), 24);
    json_decref(json);
}
END_TEST

/* A value of 10,000 bytes, from ASCII, four-byte characters, or what is escaped to four bytes. */
static const char *const units[] = {"a", "\xf0\x9f\x98\x80", "\x01", "\"", "\xe2\x82\xac"};

START_TEST(long_value_is_cut)
{
    static char value[10001];
    size_t unit = strlen(units[_i / 2]);
    for (size_t i = 0; i + unit < sizeof value; i += unit)
        memcpy(value + i, units[_i / 2], unit);
    log_setup(LOG_INFO, _i % 2 ? LOG_FORMAT_JSON : LOG_FORMAT_TEXT);
    log_event(LOG_INFO, "x", LOG_STR("v", value), LOG_INT("n", 1));
    if (_i % 2) {
        json_t *json = logged_json();
        const char *shown = json_string_value(json_object_get(json, "v"));
        ck_assert_str_eq(shown + strlen(shown) - 3, "\xe2\x80\xa6");
        ck_assert_int_eq(json_integer_value(json_object_get(json, "n")), 1);
        json_decref(json);
    } else {
        const char *line = logged_after_time();
        ck_assert_ptr_nonnull(strstr(line, "\xe2\x80\xa6"));
        ck_assert_str_eq(line + strlen(line) - 5, " n=1\n");
        ck_assert_uint_lt(strlen(line), LOG_VALUE_SIZE + 64);
    }
}
END_TEST

START_TEST(many_fields_are_cut)
{
    char value[400];
    struct log_field fields[41] = {{0}};

    memset(value, 'v', sizeof value - 1);
    value[sizeof value - 1] = '\0';
    for (int i = 0; i < 40; i++)
        fields[i] = (struct log_field){.name = i % 2 ? "b" : "a", .text = value};
    log_write(LOG_INFO, "x", fields);
    const char *line = logged();
    ck_assert_uint_le(strlen(line), LOG_LINE_SIZE);
    ck_assert_uint_gt(strlen(line), LOG_LINE_SIZE - 1000);
    ck_assert_str_eq(line + strlen(line) - 7, " cut=1\n");

    log_setup(LOG_INFO, LOG_FORMAT_JSON);
    for (int i = 0; i < 40; i++)
        fields[i].name = (const char *[]){"a", "b", "c", "d", "e", "f", "g", "h", "i", "j",
                                          "k", "l", "m", "n", "o", "p", "q", "r", "s", "t"}[i % 20];
    log_write(LOG_INFO, "x", fields);
    json_t *json = logged_json();
    ck_assert_int_eq(json_integer_value(json_object_get(json, "cut")), 1);
    json_decref(json);
}
END_TEST

START_TEST(full_pipe_drops_whole_lines)
{
    unsigned lines = 0;

    fcntl(pipe_ends[1], F_SETFL, O_NONBLOCK);
    while (write(pipe_ends[1], "filler\n", 7) > 0)
        lines++;
    log_message(LOG_INFO, "lost");
    log_message(LOG_INFO, "lost");
    const char *rest = logged();
    ck_assert_ptr_null(strstr(rest, "lost"));
    log_message(LOG_INFO, "heard");
    ck_assert_str_eq(logged_after_time(), "info  heard dropped=2\n");
    log_message(LOG_INFO, "again");
    ck_assert_str_eq(logged_after_time(), "info  again\n");
    ck_assert_uint_gt(lines, 0);
}
END_TEST

START_TEST(errno_is_kept)
{
    errno = ENOENT;
    log_message(LOG_INFO, "x");
    ck_assert_int_eq(errno, ENOENT);
    close(STDERR_FILENO);
    errno = ENOSPC;
    log_message(LOG_INFO, "x");
    ck_assert_int_eq(errno, ENOSPC);
    dup2(pipe_ends[1], STDERR_FILENO);
    log_message(LOG_INFO, "heard");
    ck_assert_ptr_nonnull(strstr(logged(), "info  heard dropped=1\n"));
}
END_TEST

static void ignore_signal(int number)
{
    (void)number;
}

static void *drain_later(void *main_thread)
{
    /* The writer blocks, for the pipe is full; a signal that comes before it does so does no
     * harm, hence several. None of this can make a good log fail. */
    for (int i = 0; i < 50; i++) {
        pthread_kill(*(pthread_t *)main_thread, SIGUSR1);
        usleep(1000);
    }
    fcntl(pipe_ends[0], F_SETFL, 0);
    char part[4096];
    size_t len = 0;
    while (len < sizeof text - sizeof part && !memchr(text, '!', len)) {
        ssize_t got = read(pipe_ends[0], part, sizeof part);
        memcpy(text + len, part, (size_t)got);
        len += (size_t)got;
    }
    text[len] = '\0';
    return NULL;
}

START_TEST(signals_do_not_tear_lines)
{
    struct sigaction action = {.sa_handler = ignore_signal}; /* no SA_RESTART */
    pthread_t thread, self = pthread_self();

    sigaction(SIGUSR1, &action, NULL);
    fcntl(pipe_ends[1], F_SETFL, O_NONBLOCK);
    while (write(pipe_ends[1], "fill\n", 5) > 0)
        ;
    fcntl(pipe_ends[1], F_SETFL, 0);
    ck_assert_int_eq(pthread_create(&thread, NULL, drain_later, &self), 0);
    log_event(LOG_INFO, "whole", LOG_STR("v", "!"));
    pthread_join(thread, NULL);
    ck_assert_ptr_nonnull(strstr(text, "info  whole v=!\n"));
}
END_TEST

enum { WRITERS = 4, LINES_EACH = 100 };

static void *write_many(void *letter)
{
    char value[300];
    memset(value, *(char *)letter, sizeof value - 1);
    value[sizeof value - 1] = '\0';
    for (int i = 0; i < LINES_EACH; i++)
        log_event(LOG_INFO, "x", LOG_STR("v", value));
    return NULL;
}

START_TEST(threads_do_not_mix_lines)
{
    char letters[WRITERS] = "abcd";
    pthread_t threads[WRITERS];
    int lines = 0;

    ck_assert_int_ge(fcntl(pipe_ends[1], F_SETPIPE_SZ, 1 << 18), 1 << 18);
    for (int i = 0; i < WRITERS; i++)
        pthread_create(&threads[i], NULL, write_many, &letters[i]);
    for (int i = 0; i < WRITERS; i++)
        pthread_join(threads[i], NULL);
    logged();
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"), lines++) {
        const char *value = strstr(line, " v=");
        ck_assert_ptr_nonnull(value);
        ck_assert_uint_eq(strlen(value + 3), 299);
        ck_assert_uint_eq(strspn(value + 3, (char[]){value[3], '\0'}), 299);
    }
    ck_assert_int_eq(lines, WRITERS * LINES_EACH);
}
END_TEST

/* Also where a value is cut within it. */
START_TEST(secrets_are_blotted_out)
{
    static const char key[] = "exec_live_aB3dE5fG7hI9jK1lM3nO5pQ7rS9tU1vW3xY5zA7b";
    char value[LOG_VALUE_SIZE + 100];
    blot_set_token("correct-horse");
    log_event(LOG_INFO, "x", LOG_STR("method", key), LOG_STR("path", "/correct%2Dhorse/1"));
    ck_assert_str_eq(logged_after_time(),
                     "info  x method=exec_live_....................................zA7b "
                     "path=/.............../1\n");
    for (size_t at = LOG_VALUE_SIZE - 20; at < LOG_VALUE_SIZE; at++) {
        memset(value, '-', sizeof value);
        snprintf(value + at, sizeof value - at, "correct-horse");
        log_event(LOG_INFO, "x", LOG_STR("v", value));
        ck_assert_ptr_null(strstr(logged(), "cor"));
    }
    blot_set_token(NULL);
}
END_TEST

START_TEST(escaping_fits_any_room)
{
    static const char input[] = "a\xe2\x82\xac\x01\xff\"\xf0\x9f\x98\x80 the end";
    char out[128];

    for (size_t size = 16; size < sizeof out; size++) {
        memset(out, '#', sizeof out);
        size_t len = escape_text(ESCAPE_TEXT, input, sizeof input - 1, out, size);
        ck_assert_uint_lt(len, size);
        ck_assert_uint_eq(strlen(out), len);
        ck_assert_int_eq(out[size], '#');
        if (size <= 26) /* no more is cut than one character and the mark of the cut need */
            ck_assert_uint_ge(len + ESCAPE_CHAR_MAX + 3, size);
        for (size_t i = 0, used; i < len; i += used)
            ck_assert_uint_gt(used = escape_utf8_length(out + i, len - i), 0);
        if (size == sizeof out - 1)
            ck_assert_str_eq(out, "a\xe2\x82\xac\\x01\\xff\\\"\xf0\x9f\x98\x80 the end");
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("log");
    TCase *lines = tcase_create("lines"), *descriptor = tcase_create("descriptor");
    int count = (int)(sizeof values / sizeof *values);

    tcase_add_checked_fixture(lines, log_begin, log_end);
    tcase_add_test(lines, text_line);
    tcase_add_test(lines, time_is_now);
    tcase_add_test(lines, levels);
    tcase_add_loop_test(lines, values_in_text, 0, count);
    tcase_add_loop_test(lines, values_in_json, 0, count);
    tcase_add_loop_test(lines, long_value_is_cut, 0, 2 * (int)(sizeof units / sizeof *units));
    tcase_add_test(lines, many_fields_are_cut);
    tcase_add_test(lines, secrets_are_blotted_out);
    tcase_add_test(lines, escaping_fits_any_room);
    suite_add_tcase(suite, lines);
    tcase_add_checked_fixture(descriptor, log_begin, log_end);
    tcase_add_test(descriptor, full_pipe_drops_whole_lines);
    tcase_add_test(descriptor, errno_is_kept);
    tcase_add_test(descriptor, signals_do_not_tear_lines);
    tcase_add_test(descriptor, threads_do_not_mix_lines);
    suite_add_tcase(suite, descriptor);

    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
