/* S6: what a job may ask of its callback. Each refused name and character stands beside one that
 * is nearly it and passes. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/callback_headers.h"
#include "support.h"

static const struct {
    const char *headers;
    bool right;
} cases[] = {
    {"{}", true},
    {"{\"Authorization\":\"Bearer webhook-secret-token\"}", true},
    {"{\"A\":\"1\",\"B\":\"1\",\"X-A\":\"\"}", true},
    {"{\"content-type\":\"text/plain\",\"User-Agent\":\"mine\"}", true},
    {"{\"!#$%&'*+-.^_`|~09azAZ\":\"x\"}", true},
    {"{\"X\":\"a b  c\"}", true},
    {"{\"X\":\"\\u00e9\\u20ac\"}", true},
    {"{\"X\":\"a:b; c=\\\"d\\\"\"}", true},

    {"{\"\":\"x\"}", false},
    {"{\"A B\":\"x\"}", false},
    {"{\"A:\":\"x\"}", false},
    {"{\"A\\r\\nB\":\"x\"}", false},
    {"{\"A\\t\":\"x\"}", false},
    {"{\"\\u00c4\":\"x\"}", false},
    {"{\"A(\":\"x\"}", false},
    {"{\"A/B\":\"x\"}", false},
    {"{\"A\\u007f\":\"x\"}", false},

    {"{\"X\":1}", false},
    {"{\"X\":null}", false},
    {"{\"X\":true}", false},
    {"{\"X\":[\"a\"]}", false},
    {"{\"A\":\"x\",\"X\":{}}", false},
    {"{\"X\":\"a\\r\\nB: c\"}", false},
    {"{\"X\":\"a\\nb\"}", false},
    {"{\"X\":\"a\\tb\"}", false},
    {"{\"X\":\"a\\u0001b\"}", false},
    {"{\"X\":\"a\\u007f\"}", false},
    {"{\"X\":\" a\"}", false},
    {"{\"X\":\"a \"}", false},
    {"{\"X\":\"\\ta\"}", false},
    {"{\"X\":\"a\\t\"}", false},
    {"{\"X\":\" \"}", false},

    {"{\"X-A\":\"1\",\"x-a\":\"2\"}", false},
    {"{\"X-A\":\"1\",\"Y\":\"2\",\"X-a\":\"1\"}", false},
};

START_TEST(headers)
{
    json_t *value = json_loads(cases[_i].headers, 0, NULL);
    ck_assert_msg(value != NULL, "%s", cases[_i].headers);
    ck_assert_msg(callback_headers_are_right(value) == cases[_i].right, "%s", cases[_i].headers);
    json_decref(value);
}
END_TEST

/* Names that belong to the connection or to signatures, in any case; and neighbours that do not. */
static const struct {
    const char *name;
    bool right;
} names[] = {
    {"Host", false},
    {"HOST", false},
    {"Content-Length", false},
    {"Transfer-Encoding", false},
    {"Connection", false},
    {"Keep-Alive", false},
    {"Upgrade", false},
    {"TE", false},
    {"te", false},
    {"Trailer", false},
    {"Expect", false},
    {"Proxy-Authorization", false},
    {"proxy-connection", false},
    {"Proxy-", false},
    {"webhook-id", false},
    {"Webhook-Signature", false},
    {"WEBHOOK-TIMESTAMP", false},
    {"Hosts", true},
    {"X-Host", true},
    {"T", true},
    {"Trailers", true},
    {"Proxy", true},
    {"Proxied-For", true},
    {"Webhook", true},
    {"X-Webhook-Id", true},
    {"Content-Encoding", true},
    {"Content-Type", true},
};

START_TEST(reserved_names)
{
    json_t *value = json_pack("{ss}", names[_i].name, "x");
    ck_assert_msg(callback_headers_are_right(value) == names[_i].right, "%s", names[_i].name);
    json_decref(value);
}
END_TEST

/* In a state document a value may be left out, and nothing else is different. */
START_TEST(kept_values)
{
    static const struct {
        const char *headers;
        bool right;
    } some[] = {
        {"{}", true},
        {"{\"X\":null}", true},
        {"{\"X\":null,\"Y\":\"a\"}", true},
        {"{\"X\":1}", false},
        {"{\"X\":\"a\\nb\"}", false},
        {"{\"Host\":null}", false},
        {"{\"A B\":null}", false},
        {"{\"X\":null,\"x\":null}", false},
    };
    for (size_t i = 0; i < COUNT(some); i++) {
        json_t *value = json_loads(some[i].headers, 0, NULL);
        ck_assert_msg(callback_headers_may_be_right(value) == some[i].right, "%s", some[i].headers);
        json_decref(value);
    }
}
END_TEST

/* As many as a body holds, in a time that does not grow with their square. */
START_TEST(many_headers)
{
    enum { MANY = 50000 };
    char name[20];
    json_t *value = json_object();
    for (int i = 0; i < MANY; i++) {
        snprintf(name, sizeof name, "X-%d", i);
        json_object_set_new(value, name, json_string("x"));
    }
    ck_assert(callback_headers_are_right(value));
    snprintf(name, sizeof name, "x-%d", MANY - 1);
    json_object_set_new(value, name, json_string("x"));
    ck_assert(!callback_headers_are_right(value));
    json_decref(value);
}
END_TEST

/* The kinds of URLs are the base room's test; here, that they are asked about. */
START_TEST(urls)
{
    static const struct {
        const char *url;
        bool right;
    } some[] = {
        {"https://hooks.acme.com/exec-scenarios", true},
        {"http://127.0.0.1:9/?a#b", true},
        {"https://user:secret@hooks.acme.com/", false},
        {"ftp://hooks.acme.com/", false},
        {"hooks.acme.com", false},
        {"", false},
    };
    for (size_t i = 0; i < COUNT(some); i++) {
        json_t *value = json_string(some[i].url);
        ck_assert_msg(callback_url_is_right(value) == some[i].right, "%s", some[i].url);
        json_decref(value);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("callback_headers");
    TCase *callback = tcase_create("S6");
    tcase_add_loop_test(callback, headers, 0, (int)COUNT(cases));
    tcase_add_loop_test(callback, reserved_names, 0, (int)COUNT(names));
    tcase_add_test(callback, kept_values);
    tcase_add_test(callback, many_headers);
    tcase_add_test(callback, urls);
    suite_add_tcase(suite, callback);
    return support_run(suite);
}
