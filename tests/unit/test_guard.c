/*
 * The guard: H5 (what is ambiguous in a request's head is refused) and H4 (bad escapes are). Each
 * case is a head that a careless server would let pass, beside the one that is fine.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http/guard.h"
#include "support.h"

#define HOST "Host: a.example\n"

static char head[16384]; /* what the guard borrows from */

/* Takes "Name: value" lines. */
static struct guard take(const char *lines)
{
    struct guard guard = {0};
    snprintf(head, sizeof head, "%s", lines);
    for (char *line = strtok(head, "\n"); line; line = strtok(NULL, "\n")) {
        char *colon = strchr(line, ':');
        ck_assert_ptr_nonnull(colon);
        const char *value = colon + 1 + strspn(colon + 1, " ");
        *colon = '\0';
        guard_header(&guard, line, (size_t)(colon - line), value, strlen(value));
    }
    return guard;
}

/* `problem` is a part of what the guard says; NULL: the head is fine. */
struct head {
    const char *lines, *version, *target, *problem;
};

static const struct head heads[] = {
    {HOST, "HTTP/1.1", "/", NULL},
    {"hOsT: a.example:3000\nAccept: */*\nX-Empty:\nX-Tab: a\tb\n", "HTTP/1.1", "/a?b=c", NULL},
    {"", "HTTP/1.0", "/", NULL},
    {HOST "Content-Length: 0\n", "HTTP/1.1", "/", NULL},
    {HOST "Content-Length: 999999999999999999\n", "HTTP/1.1", "/", NULL},
    {HOST "Transfer-Encoding: Chunked\n", "HTTP/1.1", "/", NULL},
    {HOST "X-Latin: \xe9\n", "HTTP/1.1", "/", NULL},
    {HOST "!#$%&'*+-.^_`|~09azAZ: x\n", "HTTP/1.1", "/", NULL},
    {HOST, "HTTP/1.1", "*", NULL},
    {HOST, "HTTP/1.1", "http://a.example/x?y", NULL},
    {HOST, "HTTP/1.1", "HTTP://A.EXAMPLE/x", NULL},
    {HOST, "HTTP/1.1", "/%41%c3%A9?%zz", NULL},

    {HOST "Content-Length: 5\nTransfer-Encoding: chunked\n", "HTTP/1.1", "/", "both"},
    {HOST "Transfer-Encoding: chunked\nContent-Length: 5\n", "HTTP/1.1", "/", "both"},
    {HOST "Content-Length: 5\nContent-Length: 6\n", "HTTP/1.1", "/", "two Content-Length"},
    {HOST "Content-Length: 5\ncontent-length: 5\n", "HTTP/1.1", "/", "two Content-Length"},
    {HOST "Content-Length:\n", "HTTP/1.1", "/", "not a length"},
    {HOST "Content-Length: +5\n", "HTTP/1.1", "/", "not a length"},
    {HOST "Content-Length: -1\n", "HTTP/1.1", "/", "not a length"},
    {HOST "Content-Length: 0x5\n", "HTTP/1.1", "/", "not a length"},
    {HOST "Content-Length: 5,5\n", "HTTP/1.1", "/", "not a length"},
    {HOST "Content-Length: 5 5\n", "HTTP/1.1", "/", "not a length"},
    {HOST "Content-Length: 5.0\n", "HTTP/1.1", "/", "not a length"},
    {HOST "Content-Length: 18446744073709551617\n", "HTTP/1.1", "/", "not a length"},
    {HOST "Content-Length: 1000000000000000000\n", "HTTP/1.1", "/", "not a length"},
    {HOST "Transfer-Encoding:\n", "HTTP/1.1", "/", "Transfer-Encoding that is understood"},
    {HOST "Transfer-Encoding: xchunked\n", "HTTP/1.1", "/", "Transfer-Encoding that is understood"},
    {HOST "Transfer-Encoding: gzip\n", "HTTP/1.1", "/", "Transfer-Encoding that is understood"},
    {HOST "Transfer-Encoding: identity\n", "HTTP/1.1", "/", "Transfer-Encoding that is understood"},
    {HOST "Transfer-Encoding: chunked, identity\n", "HTTP/1.1", "/", "that is understood"},
    {HOST "Transfer-Encoding: gzip, chunked\n", "HTTP/1.1", "/", "that is understood"},
    {HOST "Transfer-Encoding: chunked, chunked\n", "HTTP/1.1", "/", "that is understood"},
    {HOST "Transfer-Encoding: chunked\nTransfer-Encoding: chunked\n", "HTTP/1.1", "/",
     "two Transfer-Encoding"},
    {HOST "Transfer-Encoding: chunked\n", "HTTP/1.0", "/", "HTTP/1.0 knows no"},

    {"", "HTTP/1.1", "/", "no Host"},
    {HOST HOST, "HTTP/1.1", "/", "two Host"},
    {HOST "HOST: b.example\n", "HTTP/1.0", "/", "two Host"},
    {"Host:\n", "HTTP/1.1", "/", "Host header is not a host"},
    {"Host: a@b\n", "HTTP/1.1", "/", "Host header is not a host"},
    {"Host: a b\n", "HTTP/1.0", "/", "Host header is not a host"},

    {HOST "Accept : x\n", "HTTP/1.1", "/", "not a token"},
    {HOST " Accept: x\n", "HTTP/1.1", "/", "not a token"},
    {HOST "\tfolded: x\n", "HTTP/1.1", "/", "not a token"},
    {HOST ": x\n", "HTTP/1.1", "/", "not a token"},
    {HOST "Na(me: x\n", "HTTP/1.1", "/", "not a token"},
    {HOST "N\xc3\xa4me: x\n", "HTTP/1.1", "/", "not a token"},
    {HOST "X: a\rb\n", "HTTP/1.1", "/", "control character"},
    {HOST "X: a\x01\n", "HTTP/1.1", "/", "control character"},
    {HOST "X: a\x7f\n", "HTTP/1.1", "/", "control character"},

    {HOST, "HTTP/0.9", "/", "version"},
    {HOST, "HTTP/2.0", "/", "version"},
    {HOST, "HTTP/1.2", "/", "version"},
    {HOST, "http/1.1", "/", "version"},
    {HOST, "", "/", "version"},

    {HOST, "HTTP/1.1", "", "not a path"},
    {HOST, "HTTP/1.1", "a", "not a path"},
    {HOST, "HTTP/1.1", "?x", "not a path"},
    {HOST, "HTTP/1.1", "**", "not a path"},
    {HOST, "HTTP/1.1", "a.example:443", "not a path"},
    {HOST, "HTTP/1.1", "https://a.example/", "not a path"},
    {HOST, "HTTP/1.1", "/a b", "space"},
    {HOST, "HTTP/1.1", "/a\x01", "control"},
    {HOST, "HTTP/1.1", "/?a\x7f", "control"},
    {HOST, "HTTP/1.1", "/a#b", "fragment"},
    {HOST, "HTTP/1.1", "/?a#b", "fragment"},
    {HOST, "HTTP/1.1", "http://b.example/", "different hosts"},
    {HOST, "HTTP/1.1", "http://a.example.b/", "different hosts"},
    {HOST, "HTTP/1.1", "http://a.exampl/", "different hosts"},
    {HOST, "HTTP/1.1", "http://a.example:80/", "different hosts"},
    {HOST, "HTTP/1.1", "http://user@a.example/", "different hosts"},
    {"", "HTTP/1.0", "http://a.example/", "no Host header says"},
    {HOST, "HTTP/1.1", "/%", "%"},
    {HOST, "HTTP/1.1", "/%4", "%"},
    {HOST, "HTTP/1.1", "/%4?1", "%"},
    {HOST, "HTTP/1.1", "/%zz", "%"},
    {HOST, "HTTP/1.1", "/%4g/x", "%"},
    {HOST, "HTTP/1.1", "/%%41", "%"},
    {HOST, "HTTP/1.1", "/%u0041", "%"},
    {HOST, "HTTP/1.1", "/a%00b", "NUL"},
};

START_TEST(head_is_judged)
{
    const struct head *c = &heads[_i];
    struct guard guard = take(c->lines);
    const char *problem = guard_finish(&guard, "GET", c->version, c->target);
    if (!c->problem)
        ck_assert_msg(!problem, "%s%s: %s", c->lines, c->target, problem);
    else
        ck_assert_msg(problem && strstr(problem, c->problem), "%s%s %s: says %s", c->lines,
                      c->target, c->version, problem ? problem : "nothing");
}
END_TEST

/* A NUL inside a name or a value: the length tells. */
START_TEST(nul_is_a_control_character)
{
    struct guard guard = {0};
    guard_header(&guard, "X", 1, "a\0b", 3);
    ck_assert_str_eq(guard.problem, "A header's value has a control character");
    guard = (struct guard){0};
    guard_header(&guard, "X\0", 2, "a", 1);
    ck_assert_ptr_nonnull(strstr(guard.problem, "token"));
    guard = (struct guard){0};
    guard_header(&guard, "Content-Length", 14, "5\0", 2);
    ck_assert_ptr_nonnull(guard.problem);
}
END_TEST

START_TEST(values_are_gathered)
{
    struct guard guard = take(HOST "Authorization: Bearer x\nContent-Type: text/plain\n"
                                   "Content-Length: 1048576\nExpect: 100-Continue\n");
    ck_assert_ptr_null(guard_finish(&guard, "GET", "HTTP/1.1", "/"));
    ck_assert_str_eq(guard.host, "a.example");
    ck_assert_str_eq(guard.authorization, "Bearer x");
    ck_assert_str_eq(guard.content_type, "text/plain");
    ck_assert(guard.expects_continue && guard.has_length && !guard.chunked);
    ck_assert_uint_eq(guard.length, 1048576);

    guard = take(HOST "Transfer-Encoding: chunked\nExpect: 200-ok\n");
    ck_assert(guard.chunked && !guard.has_length && !guard.expects_continue);
    ck_assert_ptr_null(guard.authorization);
    ck_assert_ptr_null(guard.content_type);
}
END_TEST

START_TEST(method_is_a_token)
{
    static const char *const good[] = {"GET", "PATCH", "M-SEARCH", "get", "!"};
    static const char *const bad[] = {"", "G ET", "GET\t", "G/T", "\"GET\"", "G\x01", "G\xc3\xa9T"};
    for (size_t i = 0; i < COUNT(good); i++) {
        struct guard guard = take(HOST);
        ck_assert_msg(!guard_finish(&guard, good[i], "HTTP/1.1", "/"), "%s", good[i]);
    }
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct guard guard = take(HOST);
        ck_assert_msg(guard_finish(&guard, bad[i], "HTTP/1.1", "/"), "%s", bad[i]);
    }
}
END_TEST

/* S1: of two keys neither is to be believed. */
START_TEST(several_authorizations_are_none)
{
    struct guard guard = take(HOST "Authorization: Bearer x\nauthorization: Bearer y\n");
    ck_assert_str_eq(guard.authorization, "");
    guard = take(HOST "Authorization: x\nAuthorization: x\nAuthorization: x\n");
    ck_assert_str_eq(guard.authorization, "");
}
END_TEST

START_TEST(first_problem_is_told)
{
    struct guard guard = take("Content-Length: x\nBad name: y\n");
    const char *problem = guard_finish(&guard, "G E T", "HTTP/3", "nowhere");
    ck_assert_str_eq(problem, "The Content-Length header is not a length");
}
END_TEST

static const struct {
    const char *host;
    bool is;
} hosts[] = {
    {"a.example", true},
    {"A-b_c.example:3000", true},
    {"localhost", true},
    {"127.0.0.1:1", true},
    {"[::1]", true},
    {"[::1]:3000", true},
    {"[::ffff:127.0.0.1]:0", true},
    {"a:", true}, /* RFC 3986: a port may be empty */
    {"a:65535", true},
    {"", false},
    {":80", false},
    {"a:65536", false},
    {"a:123456", false},
    {"a:000080", false},
    {"a:-1", false},
    {"a:8x", false},
    {"a:80:80", false},
    {"a b", false},
    {"a,b", false},
    {"a/b", false},
    {"a@b", false},
    {"a\\b", false},
    {"a%41", false},
    {"\xc3\xa4.example", false},
    {"<script>", false},
    {"[]", false},
    {"[:]", false},
    {"[::1", false},
    {"::1", false},
    {"[::1]x", false},
    {"[::1%eth0]", false},
    {"[a.example]", false},
};

START_TEST(host_is_a_host)
{
    ck_assert_msg(guard_is_host(hosts[_i].host) == hosts[_i].is, "%s", hosts[_i].host);
}
END_TEST

START_TEST(host_is_bounded)
{
    static char host[20000];
    memset(host, 'a', sizeof host - 1);
    ck_assert(!guard_is_host(host));
    host[253] = '\0'; /* the longest name that DNS has */
    ck_assert(guard_is_host(host));
}
END_TEST

static const struct {
    const char *target, *path; /* NULL: none */
} paths[] = {
    {"/", "/"},
    {"/a/b", "/a/b"},
    {"/a?b?c", "/a"},
    {"/?", "/"},
    {"//a", "//a"},
    {"/a%2Fb", "/a%2Fb"},
    {"http://h/x?y", "/x"},
    {"HTTP://h:80/x/", "/x/"},
    {"http://h", NULL},
    {"http://h?x", NULL},
    {"http://", NULL},
    {"https://h/x", NULL},
    {"*", NULL},
    {"", NULL},
    {"x", NULL},
};

START_TEST(path_of_a_target)
{
    size_t len = 0;
    const char *path = guard_path(paths[_i].target, &len);
    if (!paths[_i].path) {
        ck_assert_ptr_null(path);
        return;
    }
    ck_assert_uint_eq(len, strlen(paths[_i].path));
    ck_assert_int_eq(memcmp(path, paths[_i].path, len), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("guard");
    TCase *guard = tcase_create("H4, H5");
    tcase_add_loop_test(guard, head_is_judged, 0, (int)COUNT(heads));
    tcase_add_test(guard, nul_is_a_control_character);
    tcase_add_test(guard, values_are_gathered);
    tcase_add_test(guard, method_is_a_token);
    tcase_add_test(guard, several_authorizations_are_none);
    tcase_add_test(guard, first_problem_is_told);
    tcase_add_loop_test(guard, host_is_a_host, 0, (int)COUNT(hosts));
    tcase_add_test(guard, host_is_bounded);
    tcase_add_loop_test(guard, path_of_a_target, 0, (int)COUNT(paths));
    suite_add_tcase(suite, guard);
    return support_run(suite);
}
