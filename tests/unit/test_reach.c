/*
 * Where callbacks may go: each class of addresses under each policy, what is never allowed, what
 * --callback-allow adds, this server's own listeners; and the reasons.
 */
#include <arpa/inet.h>
#include <check.h>
#include <curl/curl.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/ip.h"
#include "base/utf8.h"
#include "engine/reach.h"

#define COUNT(table_) ((int)(sizeof(table_) / sizeof *(table_)))

static struct reach *reach;
static struct err err;

static struct sockaddr_storage address_of(const char *text, unsigned port)
{
    struct sockaddr_storage address = {0};
    struct sockaddr_in *v4 = (struct sockaddr_in *)&address;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&address;
    if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons((uint16_t)port);
    } else {
        ck_assert_msg(inet_pton(AF_INET6, text, &v6->sin6_addr) == 1, "%s", text);
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons((uint16_t)port);
    }
    return address;
}

static void make(const struct reach_options *options)
{
    reach_destroy(reach);
    reach = NULL;
    ck_assert_msg(reach_create(options, &reach, &err) == 0, "%s", err.text);
}

static void make_allowing(enum reach_policy policy, const char *const *allowed, size_t count)
{
    make(&(struct reach_options){.policy = policy, .allowed = allowed, .allowed_count = count});
}

static bool allows(const char *host, const char *text, unsigned port)
{
    struct sockaddr_storage address = address_of(text, port);
    err.text[0] = '\0';
    return reach_allows(reach, host, (struct sockaddr *)&address, &err);
}

static void end(void)
{
    reach_destroy(reach);
    reach = NULL;
}

/* -- policies ---------------------------------------------------------------------------------- */

/* Under local, private, public, any. */
static const struct {
    const char *address, *allowed;
} policies[] = {
    {"127.0.0.1", "y--y"},
    {"127.255.0.1", "y--y"},
    {"::1", "y--y"},
    {"10.1.2.3", "yy-y"},
    {"172.16.0.1", "yy-y"},
    {"192.168.1.1", "yy-y"},
    {"100.64.0.1", "yy-y"},
    {"fd12:3456::1", "yy-y"},
    {"93.184.216.34", "--yy"},
    {"2606:4700:4700::1111", "--yy"},
    {"192.0.2.1", "---y"},
    {"198.18.0.1", "---y"},
    {"2001:db8::1", "---y"},
    {"fec0::1", "---y"},
    /* What translated addresses stand for, and none of them under public. */
    {"::ffff:127.0.0.1", "y--y"},
    {"::127.0.0.1", "y--y"},
    {"64:ff9b::127.0.0.1", "y--y"},
    {"64:ff9b:1::10.0.0.1", "yy-y"},
    {"::ffff:10.0.0.1", "yy-y"},
    {"2002:a00:1::1", "yy-y"},
    {"2002:7f00:1::1", "y--y"},
    {"::ffff:93.184.216.34", "---y"},
    {"64:ff9b::93.184.216.34", "---y"},
    {"2002:5db8:d822::1", "---y"},
    {"2001:0:5db8:d822::5555:5555", "---y"}, /* Teredo: a public server and client, */
    {"2001:0:a00:1::f5ff:fffe", "yy-y"},     /* private ones, */
    {"2001:0:a00:1::80ff:fffe", "y--y"},     /* and a loopback client */
    {"2001:0:5db8:d822::f5ff:fffe", "---y"},
    /* Never. */
    {"0.0.0.0", "----"},
    {"0.1.2.3", "----"},
    {"::", "----"},
    {"169.254.169.254", "----"},
    {"169.254.0.1", "----"},
    {"fe80::1", "----"},
    {"fd00:ec2::254", "----"},
    {"100.100.100.200", "----"},
    {"192.0.0.192", "----"},
    {"168.63.129.16", "----"},
    {"224.0.0.1", "----"},
    {"ff02::1", "----"},
    {"255.255.255.255", "----"},
    {"240.0.0.1", "----"},
    {"::ffff:169.254.169.254", "----"},
    {"::ffff:0.0.0.0", "----"},
    {"64:ff9b::169.254.169.254", "----"},
    {"64:ff9b:1:a9fe:a9:fe00::", "----"},
    {"2002:a9fe:a9fe::1", "----"},
    {"2001:0:5db8:d822::5601:5601", "----"}, /* a link-local client */
};

START_TEST(each_class_under_each_policy)
{
    for (int policy = REACH_LOCAL; policy <= REACH_ANY; policy++) {
        make_allowing((enum reach_policy)policy, NULL, 0);
        bool allowed = allows(policies[_i].address, policies[_i].address, 80);
        ck_assert_msg(allowed == (policies[_i].allowed[policy] == 'y'), "%s under %s: %s",
                      policies[_i].address, reach_policies[policy], err.text);
        ck_assert_int_eq(*err.text == '\0', allowed);
    }
}
END_TEST

START_TEST(never_whatever_is_allowed)
{
    static const char *const allowed[] = {"0.0.0.0/0", "::/0", "hooks.test"};
    make_allowing(REACH_ANY, allowed, COUNT(allowed));
    bool never = strcmp(policies[_i].allowed, "----") == 0;
    ck_assert_int_eq(allows("hooks.test", policies[_i].address, 80), !never);
    ck_assert(!never == !strstr(err.text, "callbacks never go and no option would let them"));
}
END_TEST

static const struct {
    enum reach_policy policy;
    const char *host, *address, *reason;
} reasons[] = {
    {REACH_PUBLIC, "localhost", "127.0.0.1",
     "localhost is at 127.0.0.1, a loopback address, where --callback-policy public lets no "
     "callback go; --callback-policy local or any or --callback-allow localhost would"},
    {REACH_PUBLIC, "10.0.0.1", "10.0.0.1",
     "10.0.0.1 is a private address, where --callback-policy public lets no callback go; "
     "--callback-policy local, private or any or --callback-allow 10.0.0.1 would"},
    {REACH_LOCAL, "hooks.acme.com", "93.184.216.34",
     "hooks.acme.com is at 93.184.216.34, a public address, where --callback-policy local lets no "
     "callback go; --callback-policy public or any or --callback-allow hooks.acme.com would"},
    {REACH_PRIVATE, "192.0.2.1", "192.0.2.1",
     "192.0.2.1 is an address set aside for special use, where --callback-policy private lets no "
     "callback go; --callback-policy any or --callback-allow 192.0.2.1 would"},
    {REACH_PRIVATE, "::ffff:127.0.0.1", "::ffff:127.0.0.1",
     "::ffff:127.0.0.1 stands for 127.0.0.1, a loopback address, where --callback-policy private "
     "lets no callback go; --callback-policy local or any or --callback-allow ::ffff:127.0.0.1 "
     "would"},
    {REACH_PUBLIC, "a.test", "64:ff9b::808:808",
     "a.test is at 64:ff9b::808:808, which stands for 8.8.8.8, a public address, and "
     "--callback-policy public lets no callback go to what stands for others; --callback-policy "
     "any or --callback-allow a.test would"},
    {REACH_ANY, "a.test", "169.254.169.254",
     "a.test is at 169.254.169.254, a link-local address, where callbacks never go and no option "
     "would let them"},
    {REACH_ANY, "", "fd00:ec2::254",
     "fd00:ec2::254 is an address of cloud metadata services, where callbacks never go and no "
     "option would let them"},
    {REACH_ANY, "2002:7f00:1::", "::ffff:0.0.0.0",
     "2002:7f00:1:: is at ::ffff:0.0.0.0, which stands for 0.0.0.0, an unspecified address, where "
     "callbacks never go and no option would let them"},
};

START_TEST(reasons_name_host_address_class_and_option)
{
    make_allowing(reasons[_i].policy, NULL, 0);
    ck_assert(!allows(reasons[_i].host, reasons[_i].address, 80));
    ck_assert_str_eq(err.text, reasons[_i].reason);
}
END_TEST

START_TEST(long_hosts_leave_the_reason_whole)
{
    char host[254];
    memset(host, 'a', sizeof host - 1);
    host[sizeof host - 1] = '\0';
    make_allowing(REACH_PUBLIC, NULL, 0);
    ck_assert(!allows(host, "fd12:3456:789a:bcde:f012:3456:789a:bcde", 80));
    ck_assert_ptr_nonnull(
        strstr(err.text, "--callback-allow fd12:3456:789a:bcde:f012:3456:789a:bcde would"));
}
END_TEST

/* What is written down about an attempt is shown as JSON: a text. */
START_TEST(long_hosts_are_cut_between_characters)
{
    char host[254];
    for (size_t i = 0; i < sizeof host - 1; i++)
        host[i] = i < (size_t)_i ? 'a' : "\xe2\x82\xac"[(i - (size_t)_i) % 3];
    host[sizeof host - 1] = '\0';
    make_allowing(REACH_PUBLIC, NULL, 0);
    ck_assert(!allows(host, "127.0.0.1", 80));
    ck_assert_uint_eq(utf8_span(err.text, strlen(err.text)), strlen(err.text));
    ck_assert(!allows(host, "169.254.169.254", 80));
    ck_assert_uint_eq(utf8_span(err.text, strlen(err.text)), strlen(err.text));
}
END_TEST

START_TEST(what_is_no_internet_address)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    make_allowing(REACH_ANY, NULL, 0);
    ck_assert(!reach_allows(reach, "a.test", (struct sockaddr *)&address, &err));
    ck_assert_str_eq(err.text, "a.test is at no internet address");
}
END_TEST

/* -- --callback-allow -------------------------------------------------------------------------- */

static const struct {
    const char *entry, *host, *address;
    bool allowed;
} entries[] = {
    {"hooks.acme.test", "hooks.acme.test", "10.0.0.1", true},
    {"Hooks.ACME.test", "hooks.acme.test", "127.0.0.1", true},
    {"hooks.acme.test", "hooks.acme.test.", "127.0.0.1", true},
    {"hooks.acme.test.", "hooks.acme.test", "127.0.0.1", true},
    {"hooks.acme.test", "hooks.acme.test", "169.254.169.254", false},
    {"hooks.acme.test", "other.acme.test", "10.0.0.1", false},
    {"hooks.acme.test", "a.hooks.acme.test", "10.0.0.1", false},
    {"hooks.acme.test", "hooks.acme.test.evil.test", "10.0.0.1", false},
    {"hooks.acme.test", "10.0.0.1", "10.0.0.1", false},
    {"10.0.0.0/8", "a.test", "10.255.255.255", true},
    {"10.0.0.0/8", "a.test", "192.168.0.1", false},
    {"10.0.0.0/8", "a.test", "::ffff:10.0.0.1", true},
    {"10.0.0.0/8", "a.test", "::ffff:11.0.0.1", false},
    {"10.0.0.1", "10.0.0.1", "10.0.0.1", true},
    {"10.0.0.1", "10.0.0.1", "10.0.0.2", false},
    {"::1", "::1", "::1", true},
    {"0:0:0:0:0:0:0:1", "a.test", "::1", true},
    {"fd00::/8", "a.test", "fd12::1", true},
    {"::ffff:0:0/96", "a.test", "::ffff:10.0.0.1", true},
    /* A Teredo address has two inside, and both must be allowed. */
    {"10.0.0.0/8", "a.test", "2001:0:a00:1::f5ff:fffe", true},
    {"10.0.0.0/8", "a.test", "2001:0:a00:1::80ff:fffe", false},
};

START_TEST(what_an_entry_allows)
{
    make_allowing(REACH_PUBLIC, &entries[_i].entry, 1);
    ck_assert_msg(allows(entries[_i].host, entries[_i].address, 80) == entries[_i].allowed,
                  "%s, %s: %s", entries[_i].entry, entries[_i].address, err.text);
}
END_TEST

static const struct {
    const char *entry, *reason; /* NULL: it is fine */
} checks[] = {
    {"localhost", NULL},
    {"hooks_1.acme-2.test", NULL},
    {"1and1.test", NULL},
    {"a.0xyz", NULL},
    {"0.0.0.0/0", NULL},
    {"169.254.0.0/15", NULL}, /* half of it is allowed */
    {"ends.in.0xg", NULL},
    {"", "must be a network as 10.0.0.0/8, an IP address, or a host's name"},
    {"http://hooks.acme.test", "alone: no scheme, brackets or port"},
    {"[::1]", "alone: no scheme, brackets or port"},
    {"hooks.acme.test:80", "must be a network as 10.0.0.0/8, an IP address, or a host's name"},
    {"hooks.acme.test/8", "must be a network"},
    {"*.acme.test", "must be one host's name"},
    {"127.1", "must be a network"},
    {"0x7f.1", "must be a network"},
    {"0x7f000001", "must be a network"},
    {"0x", "must be a network"},
    {"2130706433", "must be a network"},
    {"10.0.0.256", "must be a network"},
    {"10.0.0.1/8", "has bits behind its prefix: did you mean 10.0.0.0/8?"},
    {"10.0.0.0/33", "a number from 0 to 32"},
    {"169.254.169.254", "is a link-local address: callbacks never go there"},
    {"169.254.0.0/16", "is a link-local address: callbacks never go there"},
    {"fe80::/10", "is a link-local address: callbacks never go there"},
    {"0.0.0.0", "is an unspecified address: callbacks never go there"},
    {"ff00::/8", "is a multicast address: callbacks never go there"},
};

START_TEST(first_wrong_entry_is_told)
{
    static const char *const allowed[] = {"a.test", "b.test:80", "*.c.test"};
    struct reach *made = NULL;
    struct reach_options options = {.allowed = allowed, .allowed_count = COUNT(allowed)};
    ck_assert_int_eq(reach_create(&options, &made, &err), ERR_INVALID);
    ck_assert_ptr_null(made);
    ck_assert_ptr_nonnull(strstr(err.text, "--callback-allow b.test:80: must be"));
}
END_TEST

/* A name as long as DNS has them, and one that it has not. */
START_TEST(names_are_bounded)
{
    char name[255];
    memset(name, 'a', sizeof name - 1);
    name[254] = '\0';
    ck_assert_int_eq(reach_check_allowed(name, &err), ERR_INVALID);
    name[253] = '\0';
    ck_assert_int_eq(reach_check_allowed(name, &err), 0);
}
END_TEST

START_TEST(which_entries_can_be_given)
{
    struct reach_options options = {.allowed = &checks[_i].entry, .allowed_count = 1};
    struct reach *made = NULL;
    int status = reach_check_allowed(checks[_i].entry, &err);
    if (!checks[_i].reason) {
        ck_assert_msg(status == 0, "%s: %s", checks[_i].entry, err.text);
        return;
    }
    ck_assert_int_eq(status, ERR_INVALID);
    ck_assert_msg(strstr(err.text, checks[_i].reason) != NULL, "%s: %s", checks[_i].entry,
                  err.text);
    ck_assert_int_eq(reach_create(&options, &made, &err), ERR_INVALID);
    ck_assert_ptr_null(made);
    ck_assert_ptr_nonnull(strstr(err.text, "--callback-allow"));
}
END_TEST

/* -- this server itself ------------------------------------------------------------------------ */

static struct sockaddr_storage listeners[3];

/* On two ports, 3000 of one address and 3001 of all, and at a path. */
static void make_listening(enum reach_policy policy)
{
    static const char *const allowed[] = {"0.0.0.0/0", "::/0", "own.test"};
    listeners[0] = (struct sockaddr_storage){.ss_family = AF_UNIX};
    listeners[1] = address_of("127.0.0.1", 3000);
    listeners[2] = address_of("::", 3001);
    make(&(struct reach_options){.policy = policy,
                                 .allowed = allowed,
                                 .allowed_count = COUNT(allowed),
                                 .listeners = listeners,
                                 .listener_count = COUNT(listeners)});
}

START_TEST(own_listeners_never)
{
    static const char *const here[] = {"127.0.0.1", "127.1.2.3", "::1", "::ffff:127.0.0.1",
                                       "64:ff9b::127.0.0.1", "2002:7f00:1::",
                                       /* which may be read in four ways */
                                       "64:ff9b:1:7f00:0:100::", "64:ff9b:1:7f00:0:100:a00:1"};
    make_listening(REACH_ANY);
    for (int i = 0; i < COUNT(here); i++)
        for (unsigned port = 3000; port <= 3001; port++) {
            ck_assert_msg(!allows("own.test", here[i], port), "%s:%u", here[i], port);
            ck_assert_ptr_nonnull(strstr(err.text, "is this server itself"));
            ck_assert_msg(allows("own.test", here[i], 3002), "%s", here[i]);
        }
    ck_assert(allows("own.test", "10.255.255.254", 3000)); /* some other machine */
    allows("own.test", "127.0.0.1", 3000);
    ck_assert_str_eq(err.text,
                     "own.test is at 127.0.0.1, and port 3000 of 127.0.0.1 is this server "
                     "itself, where callbacks never go and no option would let them; for "
                     "its inbox write http://inbox.test/{name}");
    ck_assert(!allows("127.0.0.1", "127.0.0.1", 3000));
    ck_assert_ptr_eq(strstr(err.text, "port 3000 of 127.0.0.1 is this"), err.text);
    ck_assert(!allows("", "127.0.0.1", 3000)); /* a host that nobody knows */
    ck_assert_ptr_eq(strstr(err.text, "port 3000 of 127.0.0.1 is this"), err.text);
}
END_TEST

/* Whatever this machine has, not loopback alone. */
START_TEST(own_listeners_at_each_interface)
{
    struct ifaddrs *all;
    ck_assert_int_eq(getifaddrs(&all), 0);
    make_listening(REACH_ANY);
    for (const struct ifaddrs *one = all; one; one = one->ifa_next) {
        struct ip ip;
        uint16_t port;
        char text[IP_TEXT_SIZE];
        if (!one->ifa_addr || !ip_of_sockaddr(one->ifa_addr, &ip, &port))
            continue;
        ip_format(&ip, text);
        ck_assert_msg(!allows("own.test", text, 3001), "%s", text);
    }
    freeifaddrs(all);
}
END_TEST

/* -- names with several addresses -------------------------------------------------------------- */

struct socket_log {
    int opened, refused;
};

static curl_socket_t open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct socket_log *log = arg;
    (void)purpose;
    if (!reach_allows(reach, "several.test", &address->addr, &err)) {
        log->refused++;
        return CURL_SOCKET_BAD;
    }
    log->opened++;
    return socket(address->family, address->socktype, address->protocol);
}

static int listen_somewhere(const char *text, unsigned *io_port)
{
    struct sockaddr_storage address = address_of(text, *io_port);
    socklen_t len = sizeof(struct sockaddr_in);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, len), 0);
    ck_assert_int_eq(listen(fd, 5), 0);
    getsockname(fd, (struct sockaddr *)&address, &len);
    *io_port = ntohs(((struct sockaddr_in *)&address)->sin_port);
    return fd;
}

/* As libcurl goes through the addresses of a name, each is asked for, whatever the order. */
START_TEST(each_address_of_a_name_is_asked_for)
{
    static const char *const names[] = {"127.0.0.2,127.0.0.1", "127.0.0.1,127.0.0.2", "127.0.0.1",
                                        "[::ffff:127.0.0.1],127.0.0.2"};
    static const int refused[] = {1, 1, 1, 1}, opened[] = {1, 1, 0, 1};
    static const char *const allowed[] = {"127.0.0.2"};
    unsigned port = 0;
    int canary = listen_somewhere("127.0.0.1", &port);
    make_allowing(REACH_PUBLIC, allowed, 1);
    for (int i = 0; i < COUNT(names); i++) {
        char entry[128], url[64];
        struct socket_log log = {0};
        CURL *easy = curl_easy_init();
        snprintf(entry, sizeof entry, "several.test:%u:%s", port, names[i]);
        snprintf(url, sizeof url, "http://several.test:%u/", port);
        struct curl_slist *resolve = curl_slist_append(NULL, entry);
        curl_easy_setopt(easy, CURLOPT_URL, url);
        curl_easy_setopt(easy, CURLOPT_PROXY, "");
        curl_easy_setopt(easy, CURLOPT_RESOLVE, resolve);
        curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
        curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, &log);
        ck_assert_int_ne(curl_easy_perform(easy), CURLE_OK); /* nobody listens at the other */
        curl_easy_cleanup(easy);
        curl_slist_free_all(resolve);
        ck_assert_int_eq(accept(canary, NULL, NULL), -1);
        ck_assert_int_ge(log.refused, refused[i]);
        ck_assert_int_eq(log.opened, opened[i]);
    }
    close(canary);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("reach");
    TCase *policy = tcase_create("policy"), *own = tcase_create("own");
    curl_global_init(CURL_GLOBAL_DEFAULT);
    tcase_add_checked_fixture(policy, NULL, end);
    tcase_add_loop_test(policy, each_class_under_each_policy, 0, COUNT(policies));
    tcase_add_loop_test(policy, never_whatever_is_allowed, 0, COUNT(policies));
    tcase_add_loop_test(policy, reasons_name_host_address_class_and_option, 0, COUNT(reasons));
    tcase_add_test(policy, long_hosts_leave_the_reason_whole);
    tcase_add_loop_test(policy, long_hosts_are_cut_between_characters, 0, 3);
    tcase_add_test(policy, what_is_no_internet_address);
    tcase_add_loop_test(policy, what_an_entry_allows, 0, COUNT(entries));
    tcase_add_loop_test(policy, which_entries_can_be_given, 0, COUNT(checks));
    tcase_add_test(policy, first_wrong_entry_is_told);
    tcase_add_test(policy, names_are_bounded);
    tcase_add_test(policy, each_address_of_a_name_is_asked_for);
    suite_add_tcase(suite, policy);
    tcase_add_checked_fixture(own, NULL, end);
    tcase_add_test(own, own_listeners_never);
    tcase_add_test(own, own_listeners_at_each_interface);
    suite_add_tcase(suite, own);

    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    curl_global_cleanup();
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
