/* Where URLs lead, as libcurl reads them, and which are not read at all. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/url.h"
#include "support.h"

/* `place` is "scheme host port path"; NULL: the URL is none. */
static const struct {
    const char *url, *place;
} urls[] = {
    {"http://a", "http a 80 /"},
    {"HTTPS://A.Example", "https a.example 443 /"},
    {"http://a:8080/b/c?d#e", "http a 8080 /b/c"},
    {"http://[::1]:3000/", "http ::1 3000 /"},
    {"http://[FE80::A]/", "http fe80::a 80 /"},
    {"http://127.1/x", "http 127.0.0.1 80 /x"},
    {"http://0x7f000001/", "http 127.0.0.1 80 /"},
    {"http://a/b/../c", "http a 80 /c"},
    {"http://a/%7e%2F", "http a 80 /%7e%2F"},
    {"", NULL},
    {"a", NULL},
    {"http:a", NULL},
    {"http:///a", NULL},
    {"http://?a", NULL},
    {"ftp://a/", NULL},
    {"http://u@a/", NULL},
    {"http://u:p@a/", NULL},
    {"http://a b/", NULL},
    {"http://a\\b/", NULL},
    {"http://a:65536/", NULL},
    {"http://a:x/", NULL},
    {"http://[::1/", NULL},
    {"http://[a]/", NULL},
    {"http://:80/", NULL},
};

START_TEST(places_and_paths)
{
    struct url_place place = {.host = "before"};
    cleanup(buf_finish) struct buf path = BUF_INIT;
    char all[400];
    bool reads = url_read_place(urls[_i].url, &place);
    ck_assert_msg(reads == (urls[_i].place != NULL), "%s", urls[_i].url);
    ck_assert_msg(url_read_path(urls[_i].url, &path) == reads, "%s", urls[_i].url);
    if (!reads) {
        ck_assert_str_eq(place.host, "before");
        ck_assert_uint_eq(path.len, 0);
        return;
    }
    snprintf(all, sizeof all, "%s %s %s %s", place.scheme, place.host, place.port, path.data);
    ck_assert_str_eq(all, urls[_i].place);
}
END_TEST

/* A name that does not fit is none, rather than a part of it. */
START_TEST(long_hosts_are_not_cut)
{
    char url[URL_HOST_SIZE + 40];
    struct url_place place;
    for (int len = URL_HOST_SIZE - 1; len <= URL_HOST_SIZE; len++) {
        memset(&place, 0, sizeof place);
        int at = snprintf(url, sizeof url, "http://");
        memset(url + at, 'a', (size_t)len);
        snprintf(url + at + len, sizeof url - (size_t)(at + len), ":80/");
        ck_assert_int_eq(url_read_place(url, &place), len < URL_HOST_SIZE);
        ck_assert_uint_eq(strlen(place.host), len < URL_HOST_SIZE ? (size_t)len : 0);
    }
}
END_TEST

START_TEST(authorities)
{
    char text[URL_AUTHORITY_SIZE];
    struct url_place place = {.scheme = "http", .host = "a.example", .port = "80"};
    url_format_authority(&place, text);
    ck_assert_str_eq(text, "a.example:80");
    place = (struct url_place){.scheme = "https", .host = "::1", .port = "443"};
    url_format_authority(&place, text);
    ck_assert_str_eq(text, "[::1]:443");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("url");
    TCase *all = tcase_create("S6");
    tcase_add_loop_test(all, places_and_paths, 0, (int)COUNT(urls));
    tcase_add_test(all, long_hosts_are_not_cut);
    tcase_add_test(all, authorities);
    suite_add_tcase(suite, all);
    return support_run(suite);
}
