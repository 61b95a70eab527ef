/*
 * IP addresses: what each range is, at its first and last address and right beside it; what
 * translated addresses stand for; networks, and how what is none is refused.
 */
#include <arpa/inet.h>
#include <check.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "base/ip.h"

static const struct {
    const char *text;
    enum ip_class class;
} addresses[] = {
    {"0.0.0.0", IP_UNSPECIFIED},
    {"0.255.255.255", IP_UNSPECIFIED},
    {"1.0.0.0", IP_GLOBAL},
    {"9.255.255.255", IP_GLOBAL},
    {"10.0.0.0", IP_PRIVATE},
    {"10.255.255.255", IP_PRIVATE},
    {"11.0.0.0", IP_GLOBAL},
    {"100.63.255.255", IP_GLOBAL},
    {"100.64.0.0", IP_PRIVATE},
    {"100.100.100.199", IP_PRIVATE},
    {"100.100.100.200", IP_METADATA},
    {"100.100.100.201", IP_PRIVATE},
    {"100.127.255.255", IP_PRIVATE},
    {"100.128.0.0", IP_GLOBAL},
    {"126.255.255.255", IP_GLOBAL},
    {"127.0.0.0", IP_LOOPBACK},
    {"127.0.0.1", IP_LOOPBACK},
    {"127.255.255.255", IP_LOOPBACK},
    {"128.0.0.0", IP_GLOBAL},
    {"168.63.129.15", IP_GLOBAL},
    {"168.63.129.16", IP_METADATA},
    {"168.63.129.17", IP_GLOBAL},
    {"169.253.255.255", IP_GLOBAL},
    {"169.254.0.0", IP_LINK_LOCAL},
    {"169.254.169.254", IP_LINK_LOCAL},
    {"169.254.255.255", IP_LINK_LOCAL},
    {"169.255.0.0", IP_GLOBAL},
    {"172.15.255.255", IP_GLOBAL},
    {"172.16.0.0", IP_PRIVATE},
    {"172.31.255.255", IP_PRIVATE},
    {"172.32.0.0", IP_GLOBAL},
    {"191.255.255.255", IP_GLOBAL},
    {"192.0.0.0", IP_SPECIAL},
    {"192.0.0.191", IP_SPECIAL},
    {"192.0.0.192", IP_METADATA},
    {"192.0.0.193", IP_SPECIAL},
    {"192.0.0.255", IP_SPECIAL},
    {"192.0.1.0", IP_GLOBAL},
    {"192.0.1.255", IP_GLOBAL},
    {"192.0.2.0", IP_SPECIAL},
    {"192.0.2.255", IP_SPECIAL},
    {"192.0.3.0", IP_GLOBAL},
    {"192.88.98.255", IP_GLOBAL},
    {"192.88.99.0", IP_SPECIAL},
    {"192.88.99.255", IP_SPECIAL},
    {"192.88.100.0", IP_GLOBAL},
    {"192.167.255.255", IP_GLOBAL},
    {"192.168.0.0", IP_PRIVATE},
    {"192.168.255.255", IP_PRIVATE},
    {"192.169.0.0", IP_GLOBAL},
    {"198.17.255.255", IP_GLOBAL},
    {"198.18.0.0", IP_SPECIAL},
    {"198.19.255.255", IP_SPECIAL},
    {"198.20.0.0", IP_GLOBAL},
    {"198.51.99.255", IP_GLOBAL},
    {"198.51.100.0", IP_SPECIAL},
    {"198.51.100.255", IP_SPECIAL},
    {"198.51.101.0", IP_GLOBAL},
    {"203.0.112.255", IP_GLOBAL},
    {"203.0.113.0", IP_SPECIAL},
    {"203.0.113.255", IP_SPECIAL},
    {"203.0.114.0", IP_GLOBAL},
    {"223.255.255.255", IP_GLOBAL},
    {"224.0.0.0", IP_MULTICAST},
    {"239.255.255.255", IP_MULTICAST},
    {"240.0.0.0", IP_RESERVED},
    {"255.255.255.254", IP_RESERVED},
    {"255.255.255.255", IP_RESERVED},

    {"::", IP_UNSPECIFIED},
    {"::1", IP_LOOPBACK},
    {"::2", IP_TRANSLATED},
    {"::127.0.0.1", IP_TRANSLATED},
    {"::ffff:ffff", IP_TRANSLATED},
    {"::1:0:0", IP_SPECIAL},
    {"::fffe:ffff:ffff", IP_SPECIAL},
    {"::ffff:0.0.0.0", IP_TRANSLATED},
    {"::ffff:127.0.0.1", IP_TRANSLATED},
    {"::ffff:255.255.255.255", IP_TRANSLATED},
    {"::ffff:0:0:0", IP_TRANSLATED},
    {"::ffff:0:7f00:1", IP_TRANSLATED},
    {"::ffff:1:0:0", IP_SPECIAL},
    {"::1:0:0:0", IP_SPECIAL},
    {"64:ff9a:ffff:ffff:ffff:ffff:ffff:ffff", IP_SPECIAL},
    {"64:ff9b::", IP_TRANSLATED},
    {"64:ff9b::ffff:ffff", IP_TRANSLATED},
    {"64:ff9b::1:0:0", IP_SPECIAL},
    {"64:ff9b:0:ffff:ffff:ffff:ffff:ffff", IP_SPECIAL},
    {"64:ff9b:1::", IP_TRANSLATED},
    {"64:ff9b:1:ffff:ffff:ffff:ffff:ffff", IP_TRANSLATED},
    {"64:ff9b:2::", IP_SPECIAL},
    {"100::1", IP_SPECIAL},
    {"1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", IP_SPECIAL},
    {"2000::", IP_GLOBAL},
    {"2000:ffff:ffff:ffff:ffff:ffff:ffff:ffff", IP_GLOBAL},
    {"2001::", IP_TRANSLATED},
    {"2001:0:ffff:ffff:ffff:ffff:ffff:ffff", IP_TRANSLATED},
    {"2001:1::", IP_SPECIAL},
    {"2001:2::", IP_SPECIAL},
    {"2001:20::1", IP_SPECIAL},
    {"2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff", IP_SPECIAL},
    {"2001:200::", IP_GLOBAL},
    {"2001:db7:ffff:ffff:ffff:ffff:ffff:ffff", IP_GLOBAL},
    {"2001:db8::", IP_SPECIAL},
    {"2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", IP_SPECIAL},
    {"2001:db9::", IP_GLOBAL},
    {"2001:ffff:ffff:ffff:ffff:ffff:ffff:ffff", IP_GLOBAL},
    {"2002::", IP_TRANSLATED},
    {"2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff", IP_TRANSLATED},
    {"2003::", IP_GLOBAL},
    {"2606:4700:4700::1111", IP_GLOBAL},
    {"3ffe:ffff:ffff:ffff:ffff:ffff:ffff:ffff", IP_GLOBAL},
    {"3fff::", IP_SPECIAL},
    {"3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff", IP_SPECIAL},
    {"3fff:1000::", IP_GLOBAL},
    {"3fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", IP_GLOBAL},
    {"4000::", IP_SPECIAL},
    {"5f00::1", IP_SPECIAL},
    {"fbff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", IP_SPECIAL},
    {"fc00::", IP_PRIVATE},
    {"fd00:42::41", IP_PRIVATE},
    {"fd00:42::42", IP_METADATA},
    {"fd00:42::43", IP_PRIVATE},
    {"fd00:c1::a9fe:a9fe", IP_METADATA},
    {"fd00:c1::a9fe:a9ff", IP_PRIVATE},
    {"fd00:ec1:ffff:ffff:ffff:ffff:ffff:ffff", IP_PRIVATE},
    {"fd00:ec2::", IP_METADATA},
    {"fd00:ec2::254", IP_METADATA},
    {"fd00:ec2:ffff:ffff:ffff:ffff:ffff:ffff", IP_METADATA},
    {"fd00:ec3::", IP_PRIVATE},
    {"fd00:a9fe:a9fe::", IP_PRIVATE},
    {"fd00:a9fe:a9fe::1", IP_METADATA},
    {"fd00:a9fe:a9fe::2", IP_PRIVATE},
    {"fd20:ce::253", IP_PRIVATE},
    {"fd20:ce::254", IP_METADATA},
    {"fd20:ce::255", IP_PRIVATE},
    {"fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", IP_PRIVATE},
    {"fe00::", IP_SPECIAL},
    {"fe7f:ffff:ffff:ffff:ffff:ffff:ffff:ffff", IP_SPECIAL},
    {"fe80::", IP_LINK_LOCAL},
    {"febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff", IP_LINK_LOCAL},
    {"fec0::", IP_SPECIAL},
    {"feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", IP_SPECIAL},
    {"ff00::", IP_MULTICAST},
    {"ff02::1", IP_MULTICAST},
    {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", IP_MULTICAST},
};

static const struct {
    const char *text;
    const char *inside[IP_INSIDE_MAX];
} translated[] = {
    {"127.0.0.1", {NULL}},
    {"::1", {NULL}},
    {"::", {NULL}},
    {"2001:db8::7f00:1", {NULL}},
    {"::ffff:127.0.0.1", {"127.0.0.1"}},
    {"::ffff:0.0.0.0", {"0.0.0.0"}},
    {"::ffff:0:10.1.2.3", {"10.1.2.3"}},
    {"::192.168.1.2", {"192.168.1.2"}},
    {"::2", {"0.0.0.2"}},
    {"64:ff9b::a9fe:a9fe", {"169.254.169.254"}},
    {"64:ff9b::", {"0.0.0.0"}},
    {"64:ff9b:1::10.0.0.1", {"10.0.0.1"}},                  /* a /96 */
    {"64:ff9b:1:7f00:0:100::", {"127.0.0.1"}},              /* the /48 itself */
    {"64:ff9b:1:aa7f:0:1::", {"170.127.0.0", "127.0.0.1"}}, /* or a /56 */
    {"64:ff9b:1:abcd:7f:0:100:0",
     {"171.205.127.0", "205.127.0.0", "127.0.0.1", "1.0.0.0"}}, /* or a /64 */
    {"64:ff9b:1:808:8:808:101:101", {"8.8.8.8", "8.8.8.8", "8.8.8.1", "1.1.1.1"}},
    {"64:ff9b:1::", {"0.0.0.0"}},
    {"2002:7f00:1::", {"127.0.0.1"}},
    {"2002::1", {"0.0.0.0"}},
    /* Teredo: the server 65.54.227.120, and the client, inverted. */
    {"2001:0:4136:e378:8000:63bf:80ff:fffe", {"65.54.227.120", "127.0.0.1"}},
    {"2001:0:7f00:1:0:0:f7f7:f7f7", {"127.0.0.1", "8.8.8.8"}},
    {"2001::", {"255.255.255.255"}},
};

static const struct {
    const char *net, *ip;
    bool has;
} nets[] = {
    {"10.0.0.0/8", "10.255.255.255", true},
    {"10.0.0.0/8", "11.0.0.0", false},
    {"10.1.2.3", "10.1.2.3", true},
    {"10.1.2.3", "10.1.2.2", false},
    {"10.1.2.3/32", "10.1.2.3", true},
    {"0.0.0.0/0", "255.255.255.255", true},
    {"0.0.0.0/0", "::", false},
    {"0.0.0.0/0", "::ffff:1.2.3.4", false},
    {"::/0", "1.2.3.4", false},
    {"::/0", "ffff::", true},
    {"192.168.0.0/23", "192.168.1.255", true},
    {"192.168.0.0/23", "192.168.2.0", false},
    {"fd00:1::/33", "fd00:1:7fff::", true},
    {"fd00:1::/33", "fd00:1:8000::", false},
    {"::1/128", "::1", true},
    {"::1", "::", false},
};

static const struct {
    const char *text;
    int error;
    const char *reason;
} no_nets[] = {
    {"", ERR_NOT_FOUND, "is no IP address"},
    {"/8", ERR_NOT_FOUND, "is no IP address"},
    {"10.0.0/8", ERR_NOT_FOUND, "is no IP address"},
    {"127.1", ERR_NOT_FOUND, "is no IP address"},
    {"0x7f.0.0.1", ERR_NOT_FOUND, "is no IP address"},
    {"0177.0.0.1", ERR_NOT_FOUND, "is no IP address"},
    {"[::1]", ERR_NOT_FOUND, "is no IP address"},
    {"fe80::1%eth0", ERR_NOT_FOUND, "is no IP address"},
    {"hooks.acme.com", ERR_NOT_FOUND, "is no IP address"},
    {"1111:2222:3333:4444:5555:6666:7777:8888:9999:0000", ERR_NOT_FOUND, "is no IP address"},
    {"10.0.0.0/", ERR_INVALID, "a number from 0 to 32"},
    {"10.0.0.0/33", ERR_INVALID, "a number from 0 to 32"},
    {"10.0.0.0/-1", ERR_INVALID, "a number from 0 to 32"},
    {"10.0.0.0/+8", ERR_INVALID, "a number from 0 to 32"},
    {"10.0.0.0/8/8", ERR_INVALID, "a number from 0 to 32"},
    {"10.0.0.0/4294967304", ERR_INVALID, "a number from 0 to 32"},
    {"10.0.0.0/255.0.0.0", ERR_INVALID, "a number from 0 to 32"},
    {"::/129", ERR_INVALID, "a number from 0 to 128"},
    {"10.0.0.1/8", ERR_INVALID, "did you mean 10.0.0.0/8?"},
    {"fd00:1:2::/32", ERR_INVALID, "did you mean fd00:1::/32?"},
    {"1.2.3.4/0", ERR_INVALID, "did you mean 0.0.0.0/0?"},
};

#define COUNT(table_) ((int)(sizeof(table_) / sizeof *(table_)))

static struct ip parse(const char *text)
{
    struct ip ip;
    ck_assert_msg(ip_parse(text, &ip), "%s", text);
    return ip;
}

START_TEST(classes)
{
    struct ip ip = parse(addresses[_i].text);
    ck_assert_msg(ip_class(&ip) == addresses[_i].class, "%s is %s, not %s", addresses[_i].text,
                  ip_class_words[ip_class(&ip)], ip_class_words[addresses[_i].class]);
    ck_assert_int_eq(ip_inside(&ip, (struct ip[IP_INSIDE_MAX]){{0}}) > 0,
                     addresses[_i].class == IP_TRANSLATED);
}
END_TEST

START_TEST(insides)
{
    struct ip ip = parse(translated[_i].text), inside[IP_INSIDE_MAX];
    size_t count = ip_inside(&ip, inside), expected = 0;
    while (expected < IP_INSIDE_MAX && translated[_i].inside[expected])
        expected++;
    ck_assert_msg(count == expected, "%s: %zu", translated[_i].text, count);
    for (size_t i = 0; i < count; i++) {
        char text[IP_TEXT_SIZE];
        ip_format(&inside[i], text);
        ck_assert_str_eq(text, translated[_i].inside[i]);
    }
}
END_TEST

START_TEST(networks)
{
    struct ip_net net;
    struct ip ip = parse(nets[_i].ip);
    ck_assert_int_eq(ip_net_parse(nets[_i].net, &net, NULL), 0);
    ck_assert_msg(ip_net_has(&net, &ip) == nets[_i].has, "%s, %s", nets[_i].net, nets[_i].ip);
}
END_TEST

START_TEST(no_networks)
{
    struct ip_net net = {.prefix = 77};
    struct err err = {""};
    ck_assert_int_eq(ip_net_parse(no_nets[_i].text, &net, &err), no_nets[_i].error);
    ck_assert_msg(strstr(err.text, no_nets[_i].reason) != NULL, "%s", err.text);
    ck_assert_uint_eq(net.prefix, 77); /* untouched */
}
END_TEST

/* Of no family: nothing is known of it, so it is nothing that may be called. */
START_TEST(no_address)
{
    struct ip none = {0};
    ck_assert_int_eq(ip_class(&none), IP_SPECIAL);
    ck_assert_uint_eq(ip_inside(&none, (struct ip[IP_INSIDE_MAX]){{0}}), 0);
}
END_TEST

START_TEST(socket_addresses)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(80)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(443)};
    struct sockaddr_un local = {.sun_family = AF_UNIX};
    struct ip ip, expected = parse("127.0.0.1");
    uint16_t port = 0;
    v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    v6.sin6_addr = in6addr_loopback;
    ck_assert(ip_of_sockaddr((struct sockaddr *)&v4, &ip, &port));
    ck_assert_uint_eq(port, 80);
    ck_assert(ip_equal(&ip, &expected));
    ck_assert(ip_of_sockaddr((struct sockaddr *)&v6, &ip, &port));
    ck_assert_uint_eq(port, 443);
    ck_assert(!ip_equal(&ip, &expected));
    expected = parse("0:0::1");
    ck_assert(ip_equal(&ip, &expected));
    ck_assert(!ip_of_sockaddr((struct sockaddr *)&local, &ip, &port));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ip");
    TCase *tcase = tcase_create("ip");
    tcase_add_loop_test(tcase, classes, 0, COUNT(addresses));
    tcase_add_loop_test(tcase, insides, 0, COUNT(translated));
    tcase_add_loop_test(tcase, networks, 0, COUNT(nets));
    tcase_add_loop_test(tcase, no_networks, 0, COUNT(no_nets));
    tcase_add_test(tcase, no_address);
    tcase_add_test(tcase, socket_addresses);
    suite_add_tcase(suite, tcase);

    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
