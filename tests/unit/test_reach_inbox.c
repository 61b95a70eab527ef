/*
 * Which callback URLs are inboxes, in every spelling: those of inbox.test, and those at each name
 * of this server's own; and which of them a callback cannot go to.
 */
#include <arpa/inet.h>
#include <check.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "engine/reach.h"
#include "store/workspace.h"

#define COUNT(table_) ((int)(sizeof(table_) / sizeof *(table_)))

static struct err err;

/* 127.0.0.1:3000 and [::]:3001. */
static struct reach *make(void)
{
    static struct sockaddr_storage listeners[2];
    static const char *const own_names[] = {"mock.example.com"};
    struct sockaddr_in *v4 = (struct sockaddr_in *)&listeners[0];
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&listeners[1];
    struct reach_options options = {.policy = REACH_PUBLIC,
                                    .listeners = listeners,
                                    .listener_count = COUNT(listeners),
                                    .own_names = own_names,
                                    .own_name_count = COUNT(own_names),
                                    .public_url = "https://example.com/understudy"};
    struct reach *reach;
    *v4 = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(3000)};
    v4->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    *v6 = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons(3001)};
    ck_assert_int_eq(reach_create(&options, &reach, &err), 0);
    return reach;
}

static const struct {
    const char *url;
    const char *name; /* "-": none; "!": refused */
} inboxes[] = {
    {"http://inbox.test/hooks", "hooks"},
    {"https://inbox.test/hooks", "hooks"},
    {"http://inbox.test:8080/hooks", "hooks"},
    {"HTTP://INBOX.Test/Hooks", "Hooks"},
    {"http://inbox.test./hooks", "hooks"},
    {"http://inbox.test/hooks?x=1#y", "hooks"},
    {"http://inbox.test/a.b_c~d-9", "a.b_c~d-9"},
    {"http://inbox.test/%68ooks", "hooks"},
    {"http://inbox.test/x/../hooks", "hooks"},
    {"http://inbox.test", "!"},
    {"http://inbox.test/", "!"},
    {"http://inbox.test/hooks/", "!"},
    {"http://inbox.test/a/b", "!"},
    {"http://inbox.test/a%2Fb", "!"},
    {"http://inbox.test/a%00b", "!"},
    {"http://inbox.test/a%20b", "!"},
    {"http://inbox.test/caf%C3%A9", "!"},
    {"http://inbox.test/1234567890123456789012345678901234567890123456789012345678901234",
     "1234567890123456789012345678901234567890123456789012345678901234"},
    {"http://inbox.test/12345678901234567890123456789012345678901234567890123456789012345", "!"},
    {"http://my.inbox.test/hooks", "-"},
    {"http://inbox.test.acme.com/hooks", "-"},
    {"http://jane@inbox.test/hooks", "-"},
    {"ftp://inbox.test/hooks", "-"},

    {"http://127.0.0.1:3000/_mock/inbox/hooks", "hooks"},
    {"http://127.1:3000/_mock/inbox/hooks", "hooks"},
    {"http://2130706433:3000/_mock/inbox/hooks", "hooks"},
    {"http://0x7f.1:3000/_mock/inbox/hooks", "hooks"},
    {"http://0177.0.0.1:3000/_mock/inbox/hooks", "hooks"},
    {"http://0.0.0.0:3000/_mock/inbox/hooks", "hooks"},
    {"http://[::1]:3001/_mock/inbox/hooks", "hooks"},
    {"http://[::]:3001/_mock/inbox/hooks", "hooks"},
    {"http://[0:0::1]:3001/_mock/inbox/hooks", "hooks"},
    {"http://[::ffff:127.0.0.1]:3000/_mock/inbox/hooks", "hooks"},
    {"http://localhost:3000/_mock/inbox/hooks", "hooks"},
    {"http://LOCALHOST.:3000/_mock/inbox/hooks", "hooks"},
    {"http://a.localhost:3001/_mock/inbox/hooks", "hooks"},
    {"http://localhost:3000/w/checkout/_mock/inbox/hooks", "hooks"},
    {"http://localhost:3000/w/checkout/%5fmock/inbox/hooks", "hooks"},
    {"http://localhost:3000/w/other/_mock/inbox/hooks", "!"},
    {"http://localhost:3000/w/Checkout/_mock/inbox/hooks", "!"},
    {"http://localhost:3000/_mock/inbox/", "!"},
    {"http://localhost:3000/_mock/inbox/a%2Fb", "!"},
    {"http://localhost:3000/_mock/inbox", "-"},
    {"http://localhost:3000/_mock/inbox/hooks/replies", "-"},
    {"http://localhost:3000/_mock/inbox/hooks/", "-"},
    {"http://localhost:3000/w/checkout/_mock/settings", "-"},
    {"http://localhost:3000/_mock/outbox/hooks", "-"},
    {"http://localhost:3000/a/b/c/d/e/_mock/inbox/hooks", "-"},
    {"http://localhost:3002/_mock/inbox/hooks", "-"},
    {"http://localhost/_mock/inbox/hooks", "-"},
    {"http://x:3000/_mock/inbox/hooks", "-"},
    {"http://other-host:3000/_mock/inbox/hooks", "-"},
    {"http://localhost:3000/v/checkout/_mock/inbox/hooks", "-"},
    {"http://localhost:3000/w/checkout/_mocks/inbox/hooks", "-"},
    {"http://localhost:3000/mocks/_mock/hooks", "-"},
    {"http://localhost:3000/%2f_mock/inbox/hooks", "-"},
    {"http://notlocalhost:3000/_mock/inbox/hooks", "-"},
    {"http://10.255.255.254:3000/_mock/inbox/hooks", "-"},

    {"http://mock.example.com:3000/_mock/inbox/hooks", "hooks"},
    {"http://Mock.Example.com.:3000/w/checkout/_mock/inbox/hooks", "hooks"},
    {"http://mock.example.com/_mock/inbox/hooks", "-"},
    {"http://mock.example.com.evil.test:3000/_mock/inbox/hooks", "-"},
    {"https://example.com/understudy/_mock/inbox/hooks", "hooks"},
    {"https://example.com:443/understudy/w/checkout/_mock/inbox/hooks", "hooks"},
    {"http://example.com:443/understudy/_mock/inbox/hooks", "hooks"},
    {"https://example.com/understudy/w/other/_mock/inbox/hooks", "!"},
    {"https://example.com/_mock/inbox/hooks", "hooks"},
    {"https://example.com/understudying/_mock/inbox/hooks", "-"},
    {"http://example.com/understudy/_mock/inbox/hooks", "-"},
    {"http://checkout.example.com/_mock/inbox/hooks", "hooks"}, /* the workspace's public_url */
    {"http://checkout.example.com/w/other/_mock/inbox/hooks", "!"},
    {"http://proxy:8080/base/_mock/inbox/hooks", "hooks"}, /* the job's base */
    {"http://proxy:8080/base/w/checkout/_mock/inbox/hooks", "hooks"},
    {"http://proxy:8080/base/w/other/_mock/inbox/hooks", "!"},
    {"http://proxy/base/_mock/inbox/hooks", "-"},
    {"http://unknown.example.com/_mock/inbox/hooks", "-"},
};

START_TEST(which_urls_are_inboxes)
{
    char name[INBOX_NAME_SIZE] = "-";
    struct workspace_row row = {.slug = "checkout",
                                .settings = {.public_url = "http://checkout.example.com"}};
    struct reach *reach = make();
    err.text[0] = '\0';
    enum reach_inbox what =
        reach_inbox(reach, &row, inboxes[_i].url, "http://proxy:8080/base/w/checkout", name, &err);
    ck_assert_msg(strcmp(what == REACH_INBOX_REFUSED ? "!" : name, inboxes[_i].name) == 0,
                  "%s: %s %s", inboxes[_i].url, name, err.text);
    ck_assert_int_eq(what == REACH_NO_INBOX, *inboxes[_i].name == '-');
    ck_assert_int_eq(what == REACH_INBOX_REFUSED, *err.text != '\0');
    reach_destroy(reach);
}
END_TEST

START_TEST(inboxes_without_bases)
{
    struct workspace_row row = {.slug = "default"};
    char name[INBOX_NAME_SIZE];
    struct reach *reach;
    ck_assert_int_eq(reach_create(&(struct reach_options){0}, &reach, &err), 0);
    ck_assert_int_eq(reach_inbox(reach, &row, "http://inbox.test/a", NULL, name, &err),
                     REACH_INBOX);
    ck_assert_int_eq(reach_inbox(reach, &row, "http://b.test/_mock/inbox/a", "", name, &err),
                     REACH_NO_INBOX);
    reach_destroy(reach);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("reach_inbox");
    TCase *tcase = tcase_create("inbox");
    tcase_add_loop_test(tcase, which_urls_are_inboxes, 0, COUNT(inboxes));
    tcase_add_test(tcase, inboxes_without_bases);
    suite_add_tcase(suite, tcase);

    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
