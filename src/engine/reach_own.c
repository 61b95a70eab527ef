/*
 * The addresses of this machine are asked for when they are needed: interfaces come and go, and it
 * is seldom that a callback goes to a port of ours.
 */
#include "engine/reach_own.h"

#include <ifaddrs.h>
#include <string.h>
#include <strings.h>

static bool has_interface(const struct ip *ip)
{
    struct ifaddrs *all;
    struct ip own;
    uint16_t port;
    bool found = false;
    if (getifaddrs(&all) < 0)
        return true; /* who cannot know keeps away */
    for (const struct ifaddrs *one = all; one && !found; one = one->ifa_next)
        found = one->ifa_addr && ip_of_sockaddr(one->ifa_addr, &own, &port) && ip_equal(&own, ip);
    freeifaddrs(all);
    return found;
}

static bool is_this_machine(const struct ip *ip)
{
    switch (ip_class(ip)) {
    case IP_LOOPBACK:
    case IP_UNSPECIFIED: /* connecting to it comes to this machine */
        return true;
    default:
        return has_interface(ip);
    }
}

bool reach_listens_on(const struct reach *reach, unsigned port)
{
    for (size_t i = 0; i < reach->options.listener_count; i++) {
        struct ip ip;
        uint16_t own;
        if (ip_of_sockaddr((const struct sockaddr *)&reach->options.listeners[i], &ip, &own) &&
            own == port)
            return true;
    }
    return false;
}

bool reach_is_own(const struct reach *reach, const struct ip *ip, unsigned port)
{
    struct ip inside[IP_INSIDE_MAX];
    if (!reach_listens_on(reach, port))
        return false;
    bool own = is_this_machine(ip);
    size_t count = ip_inside(ip, inside);
    for (size_t i = 0; i < count && !own; i++)
        own = is_this_machine(&inside[i]);
    return own;
}

static size_t host_len(const char *host)
{
    size_t len = strlen(host);
    return len - (len > 1 && host[len - 1] == '.');
}

bool reach_same_host(const char *a, const char *b)
{
    size_t len = host_len(a);
    return len == host_len(b) && strncasecmp(a, b, len) == 0;
}
