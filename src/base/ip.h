/*
 * IP addresses as numbers: networks, and what kind of place an address is, by IANA's registries of
 * special addresses. Any thread.
 */
#ifndef UNDERSTUDY_BASE_IP_H
#define UNDERSTUDY_BASE_IP_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

enum {
    IP_TEXT_SIZE = 46, /* INET6_ADDRSTRLEN */
    IP_INSIDE_MAX = 4, /* readings of one address */
    IP_BYTES_MAX = 16,
};

struct ip {
    unsigned len; /* 4 or 16 */
    unsigned char bytes[IP_BYTES_MAX];
};

struct ip_net {
    struct ip first;
    unsigned prefix; /* bits */
};

enum ip_class {
    IP_GLOBAL,
    IP_LOOPBACK,
    IP_PRIVATE,    /* of a network's own use, shared address space (100.64/10) included */
    IP_SPECIAL,    /* documentation, benchmarks, and what is not, or no longer, given to hosts */
    IP_TRANSLATED, /* IPv6 that stands for an IPv4 address: see ip_inside() */
    IP_LINK_LOCAL,
    IP_METADATA, /* where cloud providers answer a machine's questions about itself */
    IP_UNSPECIFIED,
    IP_MULTICAST,
    IP_RESERVED, /* 240/4, broadcast */
};
enum { IP_CLASSES = IP_RESERVED + 1 };

/* "a loopback address", … */
extern const char *const ip_class_words[IP_CLASSES];

enum ip_class ip_class(const struct ip *ip);

/*
 * The IPv4 addresses that a translated one may stand for, in *ret; returns how many: several where
 * that depends on how a translator was set up, none where the address is not translated. All have
 * to be fine where one is to be fine.
 */
size_t ip_inside(const struct ip *ip, struct ip ret[IP_INSIDE_MAX]);

/* An IPv4 address in four decimal parts, or an IPv6 address without brackets and zone. */
bool ip_parse(const char *text, struct ip *ret_ip);

/* False for what is no internet address. */
bool ip_of_sockaddr(const struct sockaddr *address, struct ip *ret_ip, uint16_t *ret_port);

bool ip_equal(const struct ip *a, const struct ip *b);

void ip_format(const struct ip *ip, char ret_text[IP_TEXT_SIZE]);

/*
 * "10.0.0.0/8", or an address, which is a network of one. ERR_NOT_FOUND: it looks like neither.
 * ERR_INVALID: like one of them, but is wrong; the text reads on after what was given.
 */
int ip_net_parse(const char *text, struct ip_net *ret_net, struct err *err);

bool ip_net_has(const struct ip_net *net, const struct ip *ip);

#endif
