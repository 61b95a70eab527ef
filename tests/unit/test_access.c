/*
 * C6, C7, C8: who may use the control plane, and on which workspace, each clause both ways. The
 * base of each case is a request that would be granted, or one that would be refused for one reason
 * alone; the case changes one thing.
 */
#include "base/address.h"
#include "control/access.h"
#include "support.h"

#include <string.h>

/* Cases change one member of a base, and leave out what is NULL. */
#pragma GCC diagnostic ignored "-Woverride-init"
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

/* Two workspaces, as far as the decision cares. */
struct workspace {
    const char *id, *slug, *key;
};

static struct workspace acme = {"default", "acme-corp", "exec_live_acme"};
static struct workspace globex = {"0123456789ab", "globex", "exec_live_globex"};
static bool alone; /* acme is the only one */
static int references;

static struct workspace *give(struct workspace *workspace)
{
    references += workspace != NULL;
    return workspace;
}

static struct workspace *by_key(void *arg, const char *key)
{
    (void)arg;
    return give(strcmp(key, acme.key) == 0 ? &acme : strcmp(key, globex.key) == 0 ? &globex : NULL);
}

static struct workspace *by_slug(void *arg, const char *slug)
{
    (void)arg;
    return give(strcmp(slug, acme.slug) == 0     ? &acme
                : strcmp(slug, globex.slug) == 0 ? &globex
                                                 : NULL);
}

static struct workspace *by_name(void *arg, const char *name)
{
    if (strcmp(name, acme.id) == 0)
        return give(&acme);
    return strcmp(name, globex.id) == 0 ? give(&globex) : by_slug(arg, name);
}

static struct workspace *only(void *arg)
{
    (void)arg;
    return give(alone ? &acme : NULL);
}

static void release(struct workspace *workspace)
{
    references -= workspace != NULL;
}

static const struct access_finder finder = {by_key, by_slug, by_name, only, release, NULL};

#define TOKEN "correct-horse-battery"
static const char *const allowed[] = {"mock.example.com"};

struct outcome {
    const char *what;
    struct access_policy policy;
    struct access_request request;
    bool several; /* there are several workspaces */
    enum access_refusal refusal;
    struct workspace *workspace; /* granted: which; NULL: none */
};

/* A loopback caller of a private server, about the default workspace. */
#define HERE .method = "GET", .peer = "127.0.0.1", .host = "localhost:3000"
/* Somebody else, who has no right. */
#define ELSEWHERE .method = "GET", .peer = "192.0.2.7", .host = "localhost:3000"
#define PRIVATE                                                                                    \
    {                                                                                              \
        .private_listeners = true                                                                  \
    }
#define LOCKED                                                                                     \
    {                                                                                              \
        .token = TOKEN                                                                             \
    }
#define WITH_HOST                                                                                  \
    {                                                                                              \
        .private_listeners = true, .allowed_hosts = allowed, .allowed_host_count = 1               \
    }
#define WITH_URL                                                                                   \
    {                                                                                              \
        .private_listeners = true, .public_url = "https://mock.test/base"                          \
    }

static const struct outcome hosts[] = {
    {"C8: localhost", PRIVATE, {HERE}, false, ACCESS_GRANTED, &acme},
    {"C8: LOCALHOST", PRIVATE, {HERE, .host = "LOCALHOST"}, false, ACCESS_GRANTED, &acme},
    {"C8: under localhost", PRIVATE, {HERE, .host = "a.localhost:1"}, false, ACCESS_GRANTED, &acme},
    {"C8: .internal",
     PRIVATE,
     {HERE, .host = "host.docker.internal"},
     false,
     ACCESS_GRANTED,
     &acme},
    {"C8: .test", PRIVATE, {HERE, .host = "mock.test"}, false, ACCESS_GRANTED, &acme},
    {"C8: no dot", PRIVATE, {HERE, .host = "understudy:3000"}, false, ACCESS_GRANTED, &acme},
    {"C8: IPv4", PRIVATE, {HERE, .host = "127.0.0.1:3000"}, false, ACCESS_GRANTED, &acme},
    {"C8: another IPv4", PRIVATE, {HERE, .host = "192.0.2.7"}, false, ACCESS_GRANTED, &acme},
    {"C8: IPv6", PRIVATE, {HERE, .host = "[::1]:3000"}, false, ACCESS_GRANTED, &acme},
    {"C8: no Host", PRIVATE, {HERE, .host = NULL}, false, ACCESS_GRANTED, &acme},
    {"C8: a public name", PRIVATE, {HERE, .host = "evil.example"}, false, ACCESS_HOST, NULL},
    {"C8: with a port", PRIVATE, {HERE, .host = "evil.example:3000"}, false, ACCESS_HOST, NULL},
    {"C8: like localhost", PRIVATE, {HERE, .host = "localhost.evil.example"}, false, ACCESS_HOST},
    {"C8: not under it", PRIVATE, {HERE, .host = "evil.notlocalhost.com"}, false, ACCESS_HOST},
    {"C8: .tests", PRIVATE, {HERE, .host = "mock.tests"}, false, ACCESS_HOST},
    {"C8: short IPv4", PRIVATE, {HERE, .host = "127.1"}, false, ACCESS_HOST},
    {"C8: IPv4 and more", PRIVATE, {HERE, .host = "127.0.0.1.evil.example"}, false, ACCESS_HOST},
    {"C8: a dot at the end", PRIVATE, {HERE, .host = "localhost."}, false, ACCESS_HOST},
    {"C8: allowed", WITH_HOST, {HERE, .host = "Mock.example.com:8"}, false, ACCESS_GRANTED, &acme},
    {"C8: not allowed", WITH_HOST, {HERE, .host = "mock.example.org"}, false, ACCESS_HOST},
    {"C8: under allowed", WITH_HOST, {HERE, .host = "a.mock.example.com"}, false, ACCESS_HOST},
    {"C8: with the token",
     LOCKED,
     {ELSEWHERE, .host = "evil.example", .authorization = "Bearer " TOKEN},
     false,
     ACCESS_GRANTED,
     &acme},
    {"C8: with a wrong token",
     LOCKED,
     {ELSEWHERE, .host = "evil.example", .authorization = "Bearer wrong-horse"},
     false,
     ACCESS_HOST},
    {"C8: a key does not help",
     PRIVATE,
     {HERE, .host = "evil.example", .authorization = "Bearer exec_live_acme"},
     false,
     ACCESS_HOST},
    {"C8: open does not help", {.open = true}, {HERE, .host = "evil.example"}, false, ACCESS_HOST},
};

static const struct outcome browsers[] = {
    {"C8: our origin",
     PRIVATE,
     {HERE, .origin = "http://localhost:3000"},
     false,
     ACCESS_GRANTED,
     &acme},
    {"C8: in capitals",
     PRIVATE,
     {HERE, .origin = "HTTP://LOCALHOST:3000"},
     false,
     ACCESS_GRANTED,
     &acme},
    {"C8: another port", PRIVATE, {HERE, .origin = "http://localhost:3001"}, false, ACCESS_ORIGIN},
    {"C8: another host", PRIVATE, {HERE, .origin = "http://evil.example"}, false, ACCESS_ORIGIN},
    {"C8: another scheme",
     PRIVATE,
     {HERE, .origin = "https://localhost:3000"},
     false,
     ACCESS_ORIGIN},
    {"C8: Origin null", PRIVATE, {HERE, .origin = "null"}, false, ACCESS_ORIGIN},
    {"C8: several Origins", PRIVATE, {HERE, .origin = ""}, false, ACCESS_ORIGIN},
    {"C8: the public origin",
     WITH_URL,
     {HERE, .origin = "https://mock.test"},
     false,
     ACCESS_GRANTED,
     &acme},
    {"C8: nearly that", WITH_URL, {HERE, .origin = "https://mock.test.evil"}, false, ACCESS_ORIGIN},
    {"C8: its beginning", WITH_URL, {HERE, .origin = "https://mock"}, false, ACCESS_ORIGIN},
    {"C8: an origin and the token",
     LOCKED,
     {ELSEWHERE, .origin = "http://evil.example", .authorization = "Bearer " TOKEN},
     false,
     ACCESS_GRANTED,
     &acme},
    {"C8: an origin and no Host to be of",
     PRIVATE,
     {HERE, .host = NULL, .origin = "http://localhost:3000"},
     false,
     ACCESS_ORIGIN},
    {"C8: cross-site", PRIVATE, {HERE, .fetch_site = "cross-site"}, false, ACCESS_CROSS_SITE},
    {"C8: Cross-Site", PRIVATE, {HERE, .fetch_site = "Cross-Site"}, false, ACCESS_CROSS_SITE},
    {"C8: several", PRIVATE, {HERE, .fetch_site = ""}, false, ACCESS_CROSS_SITE},
    {"C8: same-origin", PRIVATE, {HERE, .fetch_site = "same-origin"}, false, ACCESS_GRANTED, &acme},
    {"C8: none", PRIVATE, {HERE, .fetch_site = "none"}, false, ACCESS_GRANTED, &acme},
    {"C8: cross-site and the token",
     LOCKED,
     {ELSEWHERE, .fetch_site = "cross-site", .authorization = "Bearer " TOKEN},
     false,
     ACCESS_GRANTED,
     &acme},
    {"C8: JSON",
     PRIVATE,
     {HERE, .method = "POST", .content_type = "application/json"},
     false,
     ACCESS_GRANTED,
     &acme},
    {"C8: no content type", PRIVATE, {HERE, .method = "POST"}, false, ACCESS_GRANTED, &acme},
    {"C8: text",
     PRIVATE,
     {HERE, .method = "POST", .content_type = "text/plain"},
     false,
     ACCESS_CONTENT_TYPE},
    {"C8: text with parameters",
     PRIVATE,
     {HERE, .method = "PATCH", .content_type = "Text/Plain;charset=utf-8"},
     false,
     ACCESS_CONTENT_TYPE},
    {"C8: a form",
     PRIVATE,
     {HERE, .method = "POST", .content_type = "application/x-www-form-urlencoded"},
     false,
     ACCESS_CONTENT_TYPE},
    {"C8: a form of parts",
     PRIVATE,
     {HERE, .method = "POST", .content_type = "multipart/form-data; boundary=x"},
     false,
     ACCESS_CONTENT_TYPE},
    {"C8: a form on DELETE",
     PRIVATE,
     {HERE, .method = "DELETE", .content_type = "text/plain"},
     false,
     ACCESS_CONTENT_TYPE},
    {"C8: text/html is no form",
     PRIVATE,
     {HERE, .method = "POST", .content_type = "text/html"},
     false,
     ACCESS_GRANTED,
     &acme},
    {"C8: a form on GET",
     PRIVATE,
     {HERE, .content_type = "text/plain"},
     false,
     ACCESS_GRANTED,
     &acme},
    {"C8: a form and the token",
     LOCKED,
     {ELSEWHERE, .method = "POST", .content_type = "text/plain", .authorization = "Bearer " TOKEN},
     false,
     ACCESS_GRANTED,
     &acme},
    {"C8 comes before C6",
     PRIVATE,
     {HERE, .host = "evil.example", .prefix = "nobody"},
     false,
     ACCESS_HOST},
    {"C8 comes before C7", LOCKED, {ELSEWHERE, .host = "evil.example"}, false, ACCESS_HOST},
};

static const struct outcome names[] = {
    {"C6: the only one", PRIVATE, {HERE}, false, ACCESS_GRANTED, &acme},
    {"C6: one of several", PRIVATE, {HERE}, true, ACCESS_UNNAMED},
    {"C6: by prefix", PRIVATE, {HERE, .prefix = "globex"}, true, ACCESS_GRANTED, &globex},
    {"C6: by key",
     PRIVATE,
     {HERE, .authorization = "bearer  exec_live_globex"},
     true,
     ACCESS_GRANTED,
     &globex},
    {"C6: by slug", PRIVATE, {HERE, .query = "globex"}, true, ACCESS_GRANTED, &globex},
    {"C6: by id", PRIVATE, {HERE, .query = "0123456789ab"}, true, ACCESS_GRANTED, &globex},
    {"C6: no id in a prefix", PRIVATE, {HERE, .prefix = "0123456789ab"}, true, ACCESS_UNKNOWN},
    {"C6: an unknown prefix", PRIVATE, {HERE, .prefix = "nobody"}, false, ACCESS_UNKNOWN},
    {"C6: an unknown key",
     PRIVATE,
     {HERE, .authorization = "Bearer exec_live_x"},
     false,
     ACCESS_UNKNOWN},
    {"C6: an unknown query", PRIVATE, {HERE, .query = "nobody"}, false, ACCESS_UNKNOWN},
    {"C6: an empty query", PRIVATE, {HERE, .query = ""}, false, ACCESS_UNKNOWN},
    {"C6: what is no key names nothing",
     PRIVATE,
     {HERE, .authorization = "Bearer x"},
     false,
     ACCESS_GRANTED,
     &acme},
    {"C6: all three agree",
     PRIVATE,
     {HERE, .prefix = "globex", .query = "globex", .authorization = "Bearer exec_live_globex"},
     true,
     ACCESS_GRANTED,
     &globex},
    {"C6: prefix and key disagree",
     PRIVATE,
     {HERE, .prefix = "globex", .authorization = "Bearer exec_live_acme"},
     true,
     ACCESS_DISAGREE},
    {"C6: prefix and query disagree",
     PRIVATE,
     {HERE, .prefix = "globex", .query = "acme-corp"},
     true,
     ACCESS_DISAGREE},
    {"C6: key and query disagree",
     PRIVATE,
     {HERE, .query = "globex", .authorization = "Bearer exec_live_acme"},
     true,
     ACCESS_DISAGREE},
    {"C6: server-wide", PRIVATE, {HERE, .server_wide = true}, true, ACCESS_GRANTED, NULL},
    {"C6: server-wide under a prefix",
     PRIVATE,
     {HERE, .server_wide = true, .prefix = "nobody"},
     true,
     ACCESS_UNKNOWN},
    {"C6: of all unless one is named",
     PRIVATE,
     {HERE, .optional = true},
     true,
     ACCESS_GRANTED,
     NULL},
    {"C6: of all where there is but one", PRIVATE, {HERE, .optional = true}, false, ACCESS_GRANTED},
    {"C6: or of the one that is",
     PRIVATE,
     {HERE, .optional = true, .query = "globex"},
     true,
     ACCESS_GRANTED,
     &globex},
    {"C6: which must be there",
     PRIVATE,
     {HERE, .optional = true, .query = "nobody"},
     true,
     ACCESS_UNKNOWN},
    {"C6: the one in the path",
     PRIVATE,
     {HERE, .server_wide = true, .target = "globex"},
     true,
     ACCESS_GRANTED,
     &globex},
    {"C6: none in the path",
     PRIVATE,
     {HERE, .server_wide = true, .target = "nobody"},
     true,
     ACCESS_GRANTED,
     NULL},
    {"C6 comes before C7", LOCKED, {ELSEWHERE}, true, ACCESS_UNNAMED},
};

#define POSTED .method = "POST", .peer = "192.0.2.7", .host = "localhost:3000", .anybody = true

/* A POST to an inbox. */
static const struct outcome anybody[] = {
    {"C7: by anybody", LOCKED, {POSTED}, false, ACCESS_GRANTED, &acme},
    {"C7: by way of a proxy", LOCKED, {POSTED, .forwarded = true}, false, ACCESS_GRANTED, &acme},
    {"C8: any host", LOCKED, {POSTED, .host = "evil.example"}, false, ACCESS_GRANTED, &acme},
    {"C8: any origin", LOCKED, {POSTED, .origin = "null"}, false, ACCESS_GRANTED, &acme},
    {"C8: any site", LOCKED, {POSTED, .fetch_site = "cross-site"}, false, ACCESS_GRANTED, &acme},
    {"C8: any type", LOCKED, {POSTED, .content_type = "text/plain"}, false, ACCESS_GRANTED, &acme},
    {"C6: one of several", LOCKED, {POSTED}, true, ACCESS_UNNAMED},
    {"C6: by prefix", LOCKED, {POSTED, .prefix = "globex"}, true, ACCESS_GRANTED, &globex},
    {"C6: by query", LOCKED, {POSTED, .query = "0123456789ab"}, true, ACCESS_GRANTED, &globex},
    {"C6: by key",
     LOCKED,
     {POSTED, .authorization = "Bearer exec_live_globex"},
     true,
     ACCESS_GRANTED,
     &globex},
    {"C6: an unknown key is not looked at",
     LOCKED,
     {POSTED, .authorization = "Bearer exec_live_nobody"},
     false,
     ACCESS_GRANTED,
     &acme},
    {"C6: another's key neither, where the path says",
     LOCKED,
     {POSTED, .prefix = "acme-corp", .authorization = "Bearer exec_live_globex"},
     true,
     ACCESS_GRANTED,
     &acme},
    {"C6: nor where the query does",
     LOCKED,
     {POSTED, .query = "default", .authorization = "Bearer exec_live_globex"},
     true,
     ACCESS_GRANTED,
     &acme},
    {"C6: path and query",
     LOCKED,
     {POSTED, .prefix = "globex", .query = "default"},
     true,
     ACCESS_DISAGREE},
    {"C6: what is no key names nothing",
     LOCKED,
     {POSTED, .authorization = "Bearer x"},
     false,
     ACCESS_GRANTED,
     &acme},
    {"C6: no such prefix", LOCKED, {POSTED, .prefix = "nobody"}, false, ACCESS_UNKNOWN},
    {"C6: no such name", LOCKED, {POSTED, .query = "nobody"}, false, ACCESS_UNKNOWN},
};

static const struct outcome rights[] = {
    {"C7: from this machine", PRIVATE, {HERE}, false, ACCESS_GRANTED, &acme},
    {"C7: by IPv6", PRIVATE, {HERE, .peer = "::1"}, false, ACCESS_GRANTED, &acme},
    {"C7: 127/8", PRIVATE, {HERE, .peer = "127.255.1.2"}, false, ACCESS_GRANTED, &acme},
    {"C7: from elsewhere", PRIVATE, {ELSEWHERE}, false, ACCESS_FORBIDDEN},
    {"C7: from 128/8", PRIVATE, {HERE, .peer = "128.0.0.1"}, false, ACCESS_FORBIDDEN},
    {"C7: from nowhere", PRIVATE, {HERE, .peer = ""}, false, ACCESS_FORBIDDEN},
    {"C7: a public listener", LOCKED, {HERE}, false, ACCESS_FORBIDDEN},
    {"C7: by a proxy", PRIVATE, {HERE, .forwarded = true}, false, ACCESS_FORBIDDEN},
    {"C7: open", {.open = true}, {ELSEWHERE}, false, ACCESS_GRANTED, &acme},
    {"C7: open, by a proxy",
     {.open = true},
     {ELSEWHERE, .forwarded = true},
     false,
     ACCESS_GRANTED,
     &acme},
    {"C7: the token",
     LOCKED,
     {ELSEWHERE, .authorization = "Bearer " TOKEN},
     false,
     ACCESS_GRANTED,
     &acme},
    {"C7: the token by a proxy",
     LOCKED,
     {ELSEWHERE, .forwarded = true, .authorization = "BEARER " TOKEN},
     false,
     ACCESS_GRANTED,
     &acme},
    {"C7: a wrong token",
     LOCKED,
     {ELSEWHERE, .authorization = "Bearer correct-horse-batterz"},
     false,
     ACCESS_FORBIDDEN},
    {"C7: part of it",
     LOCKED,
     {ELSEWHERE, .authorization = "Bearer correct-horse"},
     false,
     ACCESS_FORBIDDEN},
    {"C7: more than it",
     LOCKED,
     {ELSEWHERE, .authorization = "Bearer " TOKEN "x"},
     false,
     ACCESS_FORBIDDEN},
    {"C7: twice of it",
     LOCKED,
     {ELSEWHERE, .authorization = "Bearer " TOKEN TOKEN},
     false,
     ACCESS_FORBIDDEN},
    {"C7: an empty token",
     LOCKED,
     {ELSEWHERE, .authorization = "Bearer "},
     false,
     ACCESS_FORBIDDEN},
    {"C7: no scheme", LOCKED, {ELSEWHERE, .authorization = TOKEN}, false, ACCESS_FORBIDDEN},
    {"C7: a token where there is none",
     {.open = false},
     {ELSEWHERE, .authorization = "Bearer " TOKEN},
     false,
     ACCESS_FORBIDDEN},
    {"C7: an empty token is nobody's",
     {.token = ""},
     {ELSEWHERE, .authorization = "Bearer x"},
     false,
     ACCESS_FORBIDDEN},
    {"C7: from who knows where", PRIVATE, {HERE, .peer = NULL}, false, ACCESS_FORBIDDEN},
    {"C7: a wrong token from here",
     {.token = TOKEN, .private_listeners = true},
     {HERE, .authorization = "Bearer wrong"},
     false,
     ACCESS_GRANTED,
     &acme},
    {"C7: its own key",
     LOCKED,
     {ELSEWHERE, .authorization = "Bearer exec_live_globex"},
     true,
     ACCESS_GRANTED,
     &globex},
    {"C7: its own key by a proxy",
     LOCKED,
     {ELSEWHERE, .forwarded = true, .authorization = "Bearer exec_live_globex"},
     true,
     ACCESS_GRANTED,
     &globex},
    {"C7: no key, by prefix", LOCKED, {ELSEWHERE, .prefix = "globex"}, true, ACCESS_FORBIDDEN},
    {"C7: a key makes no workspaces",
     LOCKED,
     {ELSEWHERE, .server_wide = true, .authorization = "Bearer exec_live_globex"},
     true,
     ACCESS_FORBIDDEN},
    {"C7: nor under its prefix",
     LOCKED,
     {ELSEWHERE, .server_wide = true, .prefix = "globex",
      .authorization = "Bearer exec_live_globex"},
     true,
     ACCESS_FORBIDDEN},
    {"C7: a key and its own in the path",
     LOCKED,
     {ELSEWHERE, .server_wide = true, .target = "globex",
      .authorization = "Bearer exec_live_globex"},
     true,
     ACCESS_GRANTED,
     &globex},
    {"C7: a key and another in the path",
     LOCKED,
     {ELSEWHERE, .server_wide = true, .target = "acme-corp",
      .authorization = "Bearer exec_live_globex"},
     true,
     ACCESS_FORBIDDEN},
    {"C7: a key and nobody in the path",
     LOCKED,
     {ELSEWHERE, .server_wide = true, .target = "new", .authorization = "Bearer exec_live_globex"},
     true,
     ACCESS_FORBIDDEN},
    {"C7: a key opens what is told of its own",
     LOCKED,
     {ELSEWHERE, .optional = true, .authorization = "Bearer exec_live_globex"},
     true,
     ACCESS_GRANTED,
     &globex},
    {"C7: not of another",
     LOCKED,
     {ELSEWHERE, .optional = true, .prefix = "acme-corp",
      .authorization = "Bearer exec_live_globex"},
     true,
     ACCESS_DISAGREE},
    {"C7: nor, without one, of all", LOCKED, {ELSEWHERE, .optional = true}, true, ACCESS_FORBIDDEN},
    {"C7: nor where there is but one",
     LOCKED,
     {ELSEWHERE, .optional = true},
     false,
     ACCESS_FORBIDDEN},
    {"C7: of all by token",
     LOCKED,
     {ELSEWHERE, .optional = true, .authorization = "Bearer " TOKEN},
     true,
     ACCESS_GRANTED,
     NULL},
    {"C7: making workspaces by token",
     LOCKED,
     {ELSEWHERE, .server_wide = true, .authorization = "Bearer " TOKEN},
     true,
     ACCESS_GRANTED,
     NULL},
    {"C7: making workspaces from here",
     PRIVATE,
     {HERE, .server_wide = true},
     true,
     ACCESS_GRANTED,
     NULL},
};

static void try_all(const struct outcome *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct outcome *one = &cases[i];
        struct workspace *workspace = NULL;
        alone = !one->several;
        references = 0;
        enum access_refusal refusal =
            access_decide(&one->policy, &one->request, &finder, &workspace);
        ck_assert_msg(refusal == one->refusal, "%s: %d instead of %d", one->what, refusal,
                      one->refusal);
        ck_assert_msg(workspace == one->workspace, "%s: another workspace", one->what);
        ck_assert_msg(references == (workspace != NULL), "%s: %d references are left", one->what,
                      references);
    }
}

START_TEST(lets_anybody_in)
{
    try_all(anybody, COUNT(anybody));
}
END_TEST

START_TEST(judges_hosts)
{
    try_all(hosts, COUNT(hosts));
}
END_TEST

START_TEST(judges_browsers)
{
    try_all(browsers, COUNT(browsers));
}
END_TEST

START_TEST(finds_the_workspace)
{
    try_all(names, COUNT(names));
}
END_TEST

static const struct {
    const char *what;
    struct access_policy policy;
    struct access_request request;
    const char *name;
} callers[] = {
    {"the token", LOCKED, {HERE, .authorization = "Bearer " TOKEN}, "control_token"},
    {"a key", PRIVATE, {HERE, .authorization = "Bearer exec_live_globex"}, "key"},
    {"neither", PRIVATE, {HERE, .authorization = "Bearer none"}, "loopback"},
    {"this machine", PRIVATE, {HERE}, "loopback"},
    {"this machine, for somebody", PRIVATE, {HERE, .forwarded = true}, "anybody"},
    {"another", PRIVATE, {ELSEWHERE}, "anybody"},
    {"who is not known", PRIVATE, {HERE, .peer = NULL}, "anybody"},
};

START_TEST(names_callers)
{
    ck_assert_str_eq(access_caller(&callers[_i].policy, &callers[_i].request), callers[_i].name);
}
END_TEST

START_TEST(judges_rights)
{
    try_all(rights, COUNT(rights));
}
END_TEST

START_TEST(knows_loopback)
{
    static const char *const ours[] = {"http://127.0.0.1:3000", "http://[::1]:3000",
                                       "https://LOCALHOST/x", "http://127.9.9.9"};
    static const char *const others[] = {"http://0.0.0.0:3000", "http://[::]:3000",
                                         "http://localhost.example", "http://10.0.0.1",
                                         "http://127.0.0.1.example"};
    for (size_t i = 0; i < COUNT(ours); i++)
        ck_assert_msg(address_url_is_loopback(ours[i]), "%s", ours[i]);
    for (size_t i = 0; i < COUNT(others); i++)
        ck_assert_msg(!address_url_is_loopback(others[i]), "%s", others[i]);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("access");
    TCase *all = tcase_create("all");
    tcase_add_test(all, judges_hosts);
    tcase_add_test(all, judges_browsers);
    tcase_add_test(all, finds_the_workspace);
    tcase_add_test(all, judges_rights);
    tcase_add_test(all, lets_anybody_in);
    tcase_add_test(all, knows_loopback);
    tcase_add_loop_test(all, names_callers, 0, COUNT(callers));
    suite_add_tcase(suite, all);
    return support_run(suite);
}
