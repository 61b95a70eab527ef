/* What is secret is found in each of its spellings, and JSON is looked into without a parse. */
#include "base/blot.h"
#include "base/json_peek.h"
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LETTERS "aB3dE5fG7hI9jK1lM3nO5pQ7rS9tU1vW3xY5zA7b"
#define DOTS    "...................................."

static const struct {
    const char *text, *blotted;
} keys[] = {
    {"exec_live_" LETTERS, "exec_live_" DOTS "zA7b"},
    {"Bearer exec_live_" LETTERS "!", "Bearer exec_live_" DOTS "zA7b!"},
    {"exec_live_" LETTERS "exec_live_" LETTERS, "exec_live_" DOTS "zA7bexec_live_" DOTS "zA7b"},
    {"exec_live_" LETTERS "_exec_live_" LETTERS, "exec_live_" DOTS "zA7b_exec_live_" DOTS "zA7b"},
    {"?k=exec%5Flive%5f" LETTERS, "?k=exec%5Flive%5f" DOTS "zA7b"},
    {"?k=%65xec_live_aB%41dE", "?k=%65xec_live_.B%41dE"},
    {"?k=exec_live_%41%42%43%44%45%46", "?k=exec_live_......%43%44%45%46"},
    {"{\"k\":\"exec\\u005flive_abcdef\"}", "{\"k\":\"exec\\u005flive_..cdef\"}"},
    {"exec_live_" LETTERS "12", "exec_live_" DOTS "..7b12"},
    {"exec_live_abc", "exec_live_abc"},
    {"exec_live_", "exec_live_"},
    {"exec_liv", "exec_liv"},
    {"exec_live_12345 and %", "exec_live_.2345 and %"},
    {"%6", "%6"},
    {"", ""},
};

START_TEST(keys_are_blotted_out)
{
    char *text = strdup(keys[_i].text);
    blot_keys(text, strlen(text), blot_has_escapes(text, strlen(text)));
    ck_assert_str_eq(text, keys[_i].blotted);
    free(text);
}
END_TEST

START_TEST(a_key_is_seen)
{
    ck_assert(blot_has_key("x-exec_live_1"));
    ck_assert(blot_has_key("exec%5flive_1"));
    ck_assert(!blot_has_key("exec-live-1"));
}
END_TEST

#define TOKEN "a/\\\"b=+~"

/* The control token, whatever it is made of. */
static const struct {
    const char *text, *blotted;
} tokens[] = {
    {"?k=" TOKEN "&x", "?k=........&x"},
    {TOKEN, "........"},
    {TOKEN TOKEN "a/", "................a/"},
    {"?k=a%2f%5C%22b%3D%2B%7e!", "?k=....................!"},
    {"{\"k\":\"a\\/\\\\\\\"b=+~\"}", "{\"k\":\"...........\"}"},
    {"{\"k\":\"\\u0061/\\\\\\u0022b=+~\"}", "{\"k\":\"...................\"}"},
    {"exec_live_abcdef" TOKEN, "exec_live_..cdef........"},
    {"a/\\\"b=+", "a/\\\"b=+"},
    {"A/\\\"b=+~", "A/\\\"b=+~"},
    {"", ""},
};

START_TEST(the_token_is_blotted_out)
{
    char *text = strdup(tokens[_i].text);
    blot_set_token(TOKEN);
    ck_assert_int_eq(blot_has_secret(text), strcmp(text, tokens[_i].blotted) != 0);
    blot_keys(text, strlen(text), blot_has_escapes(text, strlen(text)));
    ck_assert_str_eq(text, tokens[_i].blotted);
    blot_set_token(NULL);
    strcpy(text, tokens[_i].text);
    ck_assert(blot_has_secret(text) == blot_has_key(text));
    free(text);
}
END_TEST

START_TEST(keys_become_blanks)
{
    char text[] = "x exec_live_" LETTERS ", exec_live_a, a-long-token exec_live";
    blot_set_token("a-long-token");
    blot_wipe_keys(text, strlen(text));
    ck_assert_str_eq(text + strspn(text, "x "), ",            ,              exec_live");
    ck_assert_uint_eq(strspn(text, "x "), 2 + 10 + strlen(LETTERS));
    blot_set_token(NULL);
}
END_TEST

static const struct {
    const char *text;
    int at; /* -1: nowhere */
} words[] = {
    {"callback_headers", 0},
    {"{\"callback_header\"", 2},
    {"\"callbackHeaders\"", 1},
    {"\"Callback-Headers\"", 1},
    {"\"CALLBACK_HEADERS\"", 1},
    {"\"callback\\u005fheaders\"", 1},
    {"\"\\u0063allback_headers\"", 1},
    {"callback_url", -1},
    {"callback_heade", -1},
    {"", -1},
    {"cacallback_header", 2},
};

START_TEST(words_are_found)
{
    const char *text = words[_i].text, *at = blot_find(text, strlen(text), "callback_header");
    ck_assert_int_eq(at ? (int)(at - text) : -1, words[_i].at);
}
END_TEST

/* -- json_peek --------------------------------------------------------------------------------- */

/* "name=value;" of each member. */
static const struct {
    const char *text, *members;
} objects[] = {
    {"{}", ""},
    {" {\"a\" : 1 , \"b\":[1,{\"c\":\"]\"}],\"d\":\"x\\\"}\"}",
     "a=1;b=[1,{\"c\":\"]\"}];d=\"x\\\"}\";"},
    {"{\"a\":null,\"b\":tr", "a=null;"},
    {"{\"a\":\"cut", ""},
    {"{\"a\":[1,2", ""},
    {"{\"a\"", ""},
    {"{\"a\\", ""},
    {"{a:1}", ""},
    {"[1]", ""},
    {"", ""},
    {"{\"a\":}", ""},
};

START_TEST(members_are_seen)
{
    const char *text = objects[_i].text;
    size_t len = strlen(text);
    char *copy = malloc(len + 1), seen[200] = ""; /* without a NUL behind it that would save it */
    memcpy(copy, text, len);
    copy = realloc(copy, len ? len : 1);
    struct json_peek peek = json_peek_begin(copy, len);
    for (struct json_part name, value; json_peek_next(&peek, &name, &value);) {
        size_t used = strlen(seen);
        snprintf(seen + used, sizeof seen - used, "%.*s=%.*s;", (int)name.len, name.text,
                 (int)value.len, value.text);
    }
    ck_assert_str_eq(seen, objects[_i].members);
    free(copy);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("blot");
    TCase *blots = tcase_create("blot"), *peeks = tcase_create("peek");
    tcase_add_loop_test(blots, keys_are_blotted_out, 0, COUNT(keys));
    tcase_add_test(blots, a_key_is_seen);
    tcase_add_loop_test(blots, the_token_is_blotted_out, 0, COUNT(tokens));
    tcase_add_test(blots, keys_become_blanks);
    tcase_add_loop_test(blots, words_are_found, 0, COUNT(words));
    tcase_add_loop_test(peeks, members_are_seen, 0, COUNT(objects));
    suite_add_tcase(suite, blots);
    suite_add_tcase(suite, peeks);
    return support_run(suite);
}
