/*
 * The router: H4 (segments are split, then decoded; a trailing slash is another path) and H3 (a
 * known path with a wrong method, and its Allow).
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http/router.h"
#include "support.h"

/* `segments`: each followed by a bar; NULL: not UTF-8. */
static const struct {
    const char *path, *segments;
} paths[] = {
    {"/", "|"},
    {"/a", "a|"},
    {"/a/b/c", "a|b|c|"},
    {"/a/", "a||"},
    {"//a", "|a|"},
    {"/a//b", "a||b|"},
    {"/%61%2f%2Fb/c", "a//b|c|"},
    {"/%2e%2e/..", "..|..|"},
    {"/a+b%20c", "a+b c|"},
    {"/%25%32%35", "%25|"},
    {"/%c3%a9/\xc3\xa9", "\xc3\xa9|\xc3\xa9|"},
    {"/%f0%9f%98%80", "\xf0\x9f\x98\x80|"},
    {"/%7cx%7c", "|x||"},
    {"/%ff", NULL},
    {"/\xff", NULL},
    {"/ok/%c0%af", NULL},
    {"/%ed%a0%80", NULL},
    {"/%e2%82", NULL},
    {"/%c3/%a9", NULL}, /* each segment by itself */
    {"", ""},
    {"a/b", ""},
};

START_TEST(path_is_split_then_decoded)
{
    char text[200], joined[200] = "";
    struct path path;
    bool too_many = true;
    snprintf(text, sizeof text, "%s", paths[_i].path);
    bool good = path_split(text, &path, &too_many);
    ck_assert(good == (paths[_i].segments != NULL));
    ck_assert(!too_many);
    if (!good)
        return;
    for (size_t i = 0; i < path.count; i++)
        strcat(strcat(joined, path.segments[i]), "|");
    ck_assert_str_eq(joined, paths[_i].segments);
}
END_TEST

START_TEST(segments_are_bounded)
{
    char text[4 * PATH_SEGMENTS_MAX] = "";
    struct path path;
    bool too_many = true;
    for (int i = 0; i < PATH_SEGMENTS_MAX; i++)
        strcat(text, "/a");
    ck_assert(path_split(text, &path, &too_many));
    ck_assert(!too_many);
    ck_assert_uint_eq(path.count, PATH_SEGMENTS_MAX);

    memset(text, 0, sizeof text);
    for (int i = 0; i <= PATH_SEGMENTS_MAX; i++)
        strcat(text, "/a");
    ck_assert(path_split(text, &path, &too_many));
    ck_assert(too_many);
    ck_assert_uint_eq(path.count, PATH_SEGMENTS_MAX); /* the first of them, each by itself */
    ck_assert_str_eq(path.segments[PATH_SEGMENTS_MAX - 1], "a");
}
END_TEST

static void handler(struct request *request)
{
    (void)request;
}

static const struct route routes[] = {
    {"GET", "/things", "listThings", handler, false},
    {"POST", "/things", "createThing", handler, true},
    {"GET", "/things/{id}", "getThing", handler, false},
    {"DELETE", "/things/{id}", "deleteThing", handler, false},
    {"PUT", "/things/{id}", "updateThing", handler, true},
    {"GET", "/things/{id}/parts/{part}", "getPart", handler, false},
    {"POST", "/things/{id}/start", "startThing", handler, false},
    {"GET", "/", "home", handler, false},
    {"GET", "/a/{x}/b/{y}/c/{z}/d/{w}", "four", handler, false},
};
static const struct api api = {.routes = routes, .route_count = COUNT(routes)};

/* `operation` NULL: no route; then `allow` NULL: the path is unknown. */
static const struct {
    const char *method, *path, *operation, *params, *allow;
} matches[] = {
    {"GET", "/things", "listThings", "", ""},
    {"POST", "/things", "createThing", "", ""},
    {"GET", "/things/7", "getThing", "7|", ""},
    {"PUT", "/things/a%2Fb", "updateThing", "a/b|", ""},
    {"DELETE", "/things/start", "deleteThing", "start|", ""},
    {"GET", "/things/7/parts/%c3%a9", "getPart", "7|\xc3\xa9|", ""},
    {"POST", "/things/7/start", "startThing", "7|", ""},
    {"GET", "/", "home", "", ""},
    {"GET", "/a/1/b/2/c/3/d/4", "four", "1|2|3|4|", ""},
    {"GET", "/%74hings", "listThings", "", ""},

    {"DELETE", "/things", NULL, "", "GET, HEAD, POST"},
    {"get", "/things", NULL, "", "GET, HEAD, POST"},
    {"OPTIONS", "/things/7", NULL, "", "GET, HEAD, DELETE, PUT"},
    {"GET", "/things/7/start", NULL, "", "POST"},
    {"POST", "/", NULL, "", "GET, HEAD"},

    {"GET", "/things/", NULL, "", NULL},
    {"GET", "/things//", NULL, "", NULL},
    {"GET", "/things/7/", NULL, "", NULL},
    {"GET", "//things", NULL, "", NULL},
    {"GET", "/Things", NULL, "", NULL},
    {"GET", "/thing", NULL, "", NULL},
    {"GET", "/thingsx", NULL, "", NULL},
    {"GET", "/things/7/parts", NULL, "", NULL},
    {"GET", "/things/7/parts/", NULL, "", NULL},
    {"GET", "/things%2F7", NULL, "", NULL},
    {"GET", "/{id}", NULL, "", NULL},
    {"GET", "/a/1/b/2/c/3/d", NULL, "", NULL},
};

START_TEST(route_is_found)
{
    char text[200], params[200] = "";
    struct path path;
    struct match match;
    bool too_many;
    snprintf(text, sizeof text, "%s", matches[_i].path);
    ck_assert(path_split(text, &path, &too_many));
    memset(&match, 0x5a, sizeof match);
    router_match(&api, matches[_i].method, path.segments, path.count, &match);

    ck_assert_int_eq(match.known_path, matches[_i].allow != NULL);
    if (!matches[_i].operation) {
        ck_assert_ptr_null(match.route);
        ck_assert_str_eq(match.allow, matches[_i].allow ? matches[_i].allow : "");
        return;
    }
    ck_assert_str_eq(match.route->operation_id, matches[_i].operation);
    for (size_t i = 0; i < ROUTE_PARAMS_MAX && match.params[i]; i++)
        strcat(strcat(params, match.params[i]), "|");
    ck_assert_str_eq(params, matches[_i].params);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("router");
    TCase *router = tcase_create("H3, H4");
    tcase_add_loop_test(router, path_is_split_then_decoded, 0, (int)COUNT(paths));
    tcase_add_test(router, segments_are_bounded);
    tcase_add_loop_test(router, route_is_found, 0, (int)COUNT(matches));
    suite_add_tcase(suite, router);
    return support_run(suite);
}
