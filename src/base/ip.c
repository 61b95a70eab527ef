/*
 * One table says what every range of addresses is; the narrowest range that has an address counts.
 * IPv6 turns the rule of IPv4 round: there, only 2000::/3 is global, and the rest is special until
 * the table says something else.
 */
#include "base/ip.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const ip_class_words[IP_CLASSES] = {
    [IP_GLOBAL] = "a public address",
    [IP_LOOPBACK] = "a loopback address",
    [IP_PRIVATE] = "a private address",
    [IP_SPECIAL] = "an address set aside for special use",
    [IP_TRANSLATED] = "an IPv6 address that stands for an IPv4 address",
    [IP_LINK_LOCAL] = "a link-local address",
    [IP_METADATA] = "an address of cloud metadata services",
    [IP_UNSPECIFIED] = "an unspecified address",
    [IP_MULTICAST] = "a multicast address",
    [IP_RESERVED] = "a reserved address",
};

struct range {
    struct ip_net net;
    enum ip_class class;
};

#define V4(a_, b_, c_, d_, prefix_)                                                                \
    {                                                                                              \
        {4, {a_, b_, c_, d_}}, prefix_                                                             \
    }
#define V6(prefix_, ...)                                                                           \
    {                                                                                              \
        {16, {__VA_ARGS__}}, prefix_                                                               \
    }

static const struct range ranges[] = {
    {V4(0, 0, 0, 0, 0), IP_GLOBAL},
    {V4(0, 0, 0, 0, 8), IP_UNSPECIFIED}, /* Linux takes 0.0.0.0 for this machine */
    {V4(10, 0, 0, 0, 8), IP_PRIVATE},
    {V4(100, 64, 0, 0, 10), IP_PRIVATE},
    {V4(100, 100, 100, 200, 32), IP_METADATA}, /* Alibaba */
    {V4(127, 0, 0, 0, 8), IP_LOOPBACK},
    {V4(168, 63, 129, 16, 32), IP_METADATA}, /* Azure */
    {V4(169, 254, 0, 0, 16), IP_LINK_LOCAL},
    {V4(172, 16, 0, 0, 12), IP_PRIVATE},
    {V4(192, 0, 0, 0, 24), IP_SPECIAL},    /* protocol assignments */
    {V4(192, 0, 0, 192, 32), IP_METADATA}, /* Oracle */
    {V4(192, 0, 2, 0, 24), IP_SPECIAL},    /* documentation */
    {V4(192, 88, 99, 0, 24), IP_SPECIAL},  /* 6to4 relays */
    {V4(192, 168, 0, 0, 16), IP_PRIVATE},
    {V4(198, 18, 0, 0, 15), IP_SPECIAL},   /* benchmarks */
    {V4(198, 51, 100, 0, 24), IP_SPECIAL}, /* documentation */
    {V4(203, 0, 113, 0, 24), IP_SPECIAL},  /* documentation */
    {V4(224, 0, 0, 0, 4), IP_MULTICAST},
    {V4(240, 0, 0, 0, 4), IP_RESERVED},                       /* with 255.255.255.255 */
    {V6(0, 0), IP_SPECIAL},                                   /* what nobody was given */
    {V6(3, 0x20), IP_GLOBAL},                                 /* 2000::/3 */
    {V6(96, 0), IP_TRANSLATED},                               /* ::/96, IPv4-compatible */
    {V6(128, 0), IP_UNSPECIFIED},                             /* :: */
    {V6(128, [15] = 1), IP_LOOPBACK},                         /* ::1 */
    {V6(96, [10] = 0xff, 0xff), IP_TRANSLATED},               /* ::ffff:0:0/96, IPv4-mapped */
    {V6(96, [8] = 0xff, 0xff), IP_TRANSLATED},                /* ::ffff:0:0:0/96, RFC 2765 */
    {V6(96, 0, 0x64, 0xff, 0x9b), IP_TRANSLATED},             /* 64:ff9b::/96, NAT64 */
    {V6(48, 0, 0x64, 0xff, 0x9b, 0, 1), IP_TRANSLATED},       /* 64:ff9b:1::/48, NAT64 */
    {V6(23, 0x20, 0x01), IP_SPECIAL},                         /* protocol assignments */
    {V6(32, 0x20, 0x01), IP_TRANSLATED},                      /* 2001::/32, Teredo */
    {V6(32, 0x20, 0x01, 0x0d, 0xb8), IP_SPECIAL},             /* documentation */
    {V6(16, 0x20, 0x02), IP_TRANSLATED},                      /* 2002::/16, 6to4 */
    {V6(20, 0x3f, 0xff), IP_SPECIAL},                         /* 3fff::/20, documentation */
    {V6(7, 0xfc), IP_PRIVATE},                                /* fc00::/7 */
    {V6(128, 0xfd, 0, 0x00, 0x42, [15] = 0x42), IP_METADATA}, /* Scaleway */
    {V6(128, 0xfd, 0, 0x00, 0xc1, [12] = 0xa9, 0xfe, 0xa9, 0xfe), IP_METADATA}, /* Oracle */
    {V6(128, 0xfd, 0, 0xa9, 0xfe, 0xa9, 0xfe, [15] = 1), IP_METADATA},          /* Akamai */
    {V6(32, 0xfd, 0, 0x0e, 0xc2), IP_METADATA},                     /* Amazon, fd00:ec2::254 */
    {V6(128, 0xfd, 0x20, 0x00, 0xce, [14] = 2, 0x54), IP_METADATA}, /* Google, fd20:ce::254 */
    {V6(10, 0xfe, 0x80), IP_LINK_LOCAL},                            /* fe80::/10 */
    {V6(8, 0xff), IP_MULTICAST},                                    /* ff00::/8 */
};

/*
 * Where translated addresses keep the IPv4 address: the places of its four bytes, which may be
 * written inverted. What the operator of a NAT64 took of 64:ff9b:1::/48 cannot be seen, so every
 * length that RFC 6052 knows is read. A Teredo address has its server and, inverted, its client.
 */
struct embedding {
    struct ip_net net;
    unsigned char at[4];
    unsigned char inverted; /* 0xff */
};

static const struct embedding embeddings[] = {
    {V6(96, 0), {12, 13, 14, 15}, 0},
    {V6(96, [10] = 0xff, 0xff), {12, 13, 14, 15}, 0},
    {V6(96, [8] = 0xff, 0xff), {12, 13, 14, 15}, 0},
    {V6(96, 0, 0x64, 0xff, 0x9b), {12, 13, 14, 15}, 0},
    {V6(48, 0, 0x64, 0xff, 0x9b, 0, 1), {6, 7, 9, 10}, 0},
    {V6(48, 0, 0x64, 0xff, 0x9b, 0, 1), {7, 9, 10, 11}, 0},
    {V6(48, 0, 0x64, 0xff, 0x9b, 0, 1), {9, 10, 11, 12}, 0},
    {V6(48, 0, 0x64, 0xff, 0x9b, 0, 1), {12, 13, 14, 15}, 0},
    {V6(32, 0x20, 0x01), {4, 5, 6, 7}, 0},
    {V6(32, 0x20, 0x01), {12, 13, 14, 15}, 0xff},
    {V6(16, 0x20, 0x02), {2, 3, 4, 5}, 0},
};

#define COUNT(table_) (sizeof(table_) / sizeof *(table_))

bool ip_net_has(const struct ip_net *net, const struct ip *ip)
{
    unsigned whole = net->prefix / 8, rest = net->prefix % 8;
    if (net->first.len != ip->len || memcmp(net->first.bytes, ip->bytes, whole) != 0)
        return false;
    return !rest || (net->first.bytes[whole] ^ ip->bytes[whole]) >> (8 - rest) == 0;
}

enum ip_class ip_class(const struct ip *ip)
{
    const struct range *narrowest = NULL;
    for (size_t i = 0; i < COUNT(ranges); i++)
        if (ip_net_has(&ranges[i].net, ip) &&
            (!narrowest || narrowest->net.prefix <= ranges[i].net.prefix))
            narrowest = &ranges[i];
    return narrowest ? narrowest->class : IP_SPECIAL;
}

static struct ip take_inside(const struct ip *ip, const struct embedding *embedding)
{
    struct ip inside = {.len = 4};
    for (size_t i = 0; i < 4; i++)
        inside.bytes[i] = ip->bytes[embedding->at[i]] ^ embedding->inverted;
    return inside;
}

/*
 * Of several readings, those in 0.0.0.0/8 are left out: nobody translates to there, and what one
 * length of a prefix fills with zeros is part of the address in another.
 */
size_t ip_inside(const struct ip *ip, struct ip ret[IP_INSIDE_MAX])
{
    size_t count = 0;
    struct ip inside = {0};
    if (ip_class(ip) != IP_TRANSLATED)
        return 0;
    for (size_t i = 0; i < COUNT(embeddings); i++) {
        if (!ip_net_has(&embeddings[i].net, ip))
            continue;
        inside = take_inside(ip, &embeddings[i]);
        if (inside.bytes[0] != 0 && count < IP_INSIDE_MAX)
            ret[count++] = inside;
    }
    if (!count)
        ret[count++] = inside;
    return count;
}

bool ip_parse(const char *text, struct ip *ret_ip)
{
    struct ip ip = {.len = 4};
    if (inet_pton(AF_INET, text, ip.bytes) != 1) {
        ip.len = 16;
        if (inet_pton(AF_INET6, text, ip.bytes) != 1)
            return false;
    }
    *ret_ip = ip;
    return true;
}

bool ip_of_sockaddr(const struct sockaddr *address, struct ip *ret_ip, uint16_t *ret_port)
{
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)address;
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)address;
    *ret_ip = (struct ip){0};
    switch (address->sa_family) {
    case AF_INET:
        ret_ip->len = 4;
        memcpy(ret_ip->bytes, &v4->sin_addr, ret_ip->len);
        *ret_port = ntohs(v4->sin_port);
        return true;
    case AF_INET6:
        ret_ip->len = 16;
        memcpy(ret_ip->bytes, &v6->sin6_addr, ret_ip->len);
        *ret_port = ntohs(v6->sin6_port);
        return true;
    default:
        return false;
    }
}

bool ip_equal(const struct ip *a, const struct ip *b)
{
    return a->len == b->len && memcmp(a->bytes, b->bytes, a->len) == 0;
}

void ip_format(const struct ip *ip, char ret_text[IP_TEXT_SIZE])
{
    if (!inet_ntop(ip->len == 4 ? AF_INET : AF_INET6, ip->bytes, ret_text, IP_TEXT_SIZE))
        *ret_text = '\0';
}

/* Clears the bits behind the prefix; true when there were any. */
static bool clear_rest(struct ip_net *net)
{
    bool any = false;
    for (unsigned bit = net->prefix; bit < 8 * net->first.len; bit++) {
        unsigned char mask = (unsigned char)(0x80 >> bit % 8);
        any |= (net->first.bytes[bit / 8] & mask) != 0;
        net->first.bytes[bit / 8] &= (unsigned char)~mask;
    }
    return any;
}

static int parse_prefix(const char *text, struct ip_net *net, struct err *err)
{
    char first[IP_TEXT_SIZE];
    unsigned bits = 8 * net->first.len;
    size_t len = strlen(text);
    if (!len || len > 3 || strspn(text, "0123456789") != len || strtoul(text, NULL, 10) > bits)
        return err_set(err, ERR_INVALID, "what follows the / must be a number from 0 to %u", bits);
    net->prefix = (unsigned)strtoul(text, NULL, 10);
    if (!clear_rest(net))
        return 0;
    ip_format(&net->first, first);
    return err_set(err, ERR_INVALID, "has bits behind its prefix: did you mean %s/%u?", first,
                   net->prefix);
}

int ip_net_parse(const char *text, struct ip_net *ret_net, struct err *err)
{
    char address[IP_TEXT_SIZE];
    struct ip_net net;
    size_t len = strcspn(text, "/");
    if (len >= sizeof address)
        return err_set(err, ERR_NOT_FOUND, "is no IP address");
    memcpy(address, text, len);
    address[len] = '\0';
    if (!ip_parse(address, &net.first))
        return err_set(err, ERR_NOT_FOUND, "is no IP address");
    net.prefix = 8 * net.first.len;
    int status = text[len] == '/' ? parse_prefix(text + len + 1, &net, err) : 0;
    if (status == 0)
        *ret_net = net;
    return status;
}
