/*
 * An address is judged by its class (base/ip.h). What is never allowed comes first, then
 * --callback-allow, then the policy. An address that stands for IPv4 addresses is what these are,
 * all of them; and nothing public, because where it leads is up to whoever translates.
 */
#include "base/buf.h"
#include "base/utf8.h"
#include "engine/reach_own.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define CLASS(class_) (1u << (class_))

static const unsigned never = CLASS(IP_LINK_LOCAL) | CLASS(IP_METADATA) | CLASS(IP_UNSPECIFIED) |
                              CLASS(IP_MULTICAST) | CLASS(IP_RESERVED);

static const struct {
    unsigned classes;
    bool translated; /* as far as these go */
} policies[] = {
    [REACH_LOCAL] = {CLASS(IP_LOOPBACK) | CLASS(IP_PRIVATE), true},
    [REACH_PRIVATE] = {CLASS(IP_PRIVATE), true},
    [REACH_PUBLIC] = {CLASS(IP_GLOBAL), false},
    [REACH_ANY] = {CLASS(IP_LOOPBACK) | CLASS(IP_PRIVATE) | CLASS(IP_GLOBAL) | CLASS(IP_SPECIAL),
                   true},
};

const char *const reach_policies[] = {"local", "private", "public", "any", NULL};

enum {
    POLICIES = sizeof policies / sizeof *policies,
    HOST_NAME_MAX_LENGTH = 253,
    HOST_SHOWN = 120, /* longer names leave no room for the reason */
};

/* -- entries of --callback-allow --------------------------------------------------------------- */

static bool is_never(const struct ip *ip)
{
    return never & CLASS(ip_class(ip));
}

/* A network that lies within one range of what is never allowed. */
static int check_net(const struct ip_net *net, struct err *err)
{
    struct ip last = net->first;
    for (unsigned bit = net->prefix; bit < 8 * last.len; bit++)
        last.bytes[bit / 8] |= (unsigned char)(0x80 >> bit % 8);
    enum ip_class class = ip_class(&net->first);
    if (!is_never(&net->first) || ip_class(&last) != class)
        return 0;
    return err_set(err, ERR_INVALID, "is %s: callbacks never go there", ip_class_words[class]);
}

/* 127.1, 0x7f.1 and the like, which are never what a URL's host is called in the end. */
static bool ends_in_number(const char *host)
{
    const char *dot = strrchr(host, '.');
    const char *last = dot ? dot + 1 : host;
    size_t digits = strspn(last, "0123456789");
    bool hex =
        strncasecmp(last, "0x", 2) == 0 && !last[2 + strspn(last + 2, "0123456789abcdefABCDEF")];
    return hex || (digits && !last[digits]);
}

static int check_host(const char *text, struct err *err)
{
    static const char name[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";
    size_t len = strlen(text);
    if (strstr(text, "://") || strchr(text, '['))
        return err_set(err, ERR_INVALID,
                       "must be a host's name or an address alone: no scheme, brackets or port");
    if (strchr(text, '*'))
        return err_set(err, ERR_INVALID,
                       "must be one host's name: name each, or their network as in 10.0.0.0/8");
    if (!len || len > HOST_NAME_MAX_LENGTH || strspn(text, name) != len || ends_in_number(text))
        return err_set(err, ERR_INVALID,
                       "must be a network as 10.0.0.0/8, an IP address, or a host's name");
    return 0;
}

static int read_allowed(const char *text, struct reach_allowed *ret_allowed, struct err *err)
{
    *ret_allowed = (struct reach_allowed){0};
    int status = ip_net_parse(text, &ret_allowed->net, err);
    if (status == 0)
        return check_net(&ret_allowed->net, err);
    if (status != ERR_NOT_FOUND)
        return status;
    ret_allowed->host = text;
    return check_host(text, err);
}

int reach_check_allowed(const char *text, struct err *err)
{
    struct reach_allowed allowed;
    return read_allowed(text, &allowed, err);
}

int reach_create(const struct reach_options *options, struct reach **ret_reach, struct err *err)
{
    struct reach *reach = calloc(1, sizeof *reach);
    struct reach_allowed *allowed = calloc(options->allowed_count + 1, sizeof *allowed);
    int status = reach && allowed ? 0 : err_set(err, ERR_NO_MEMORY, "out of memory");
    for (size_t i = 0; i < options->allowed_count && status == 0; i++) {
        struct err why;
        status = read_allowed(options->allowed[i], &allowed[i], &why);
        if (status < 0)
            err_set(err, status, "--callback-allow %.200s: %s", options->allowed[i], why.text);
    }
    if (status < 0) {
        free(allowed);
        free(reach);
        return status;
    }
    *reach = (struct reach){*options, allowed};
    *ret_reach = reach;
    return 0;
}

void reach_destroy(struct reach *reach)
{
    if (!reach)
        return;
    free(reach->allowed);
    free(reach);
}

/* -- judging ----------------------------------------------------------------------------------- */

static bool allows_host(const struct reach *reach, const char *host)
{
    for (size_t i = 0; i < reach->options.allowed_count; i++)
        if (reach->allowed[i].host && reach_same_host(reach->allowed[i].host, host))
            return true;
    return false;
}

static bool allows_net(const struct reach *reach, const struct ip *ip)
{
    for (size_t i = 0; i < reach->options.allowed_count; i++)
        if (!reach->allowed[i].host && ip_net_has(&reach->allowed[i].net, ip))
            return true;
    return false;
}

static bool fits(enum reach_policy policy, const struct ip *ip)
{
    return policies[policy].classes & CLASS(ip_class(ip));
}

/* An address, and what it stands for. */
struct target {
    const char *host;
    struct ip ip;
    unsigned port;
    struct ip inside[IP_INSIDE_MAX];
    size_t inside_count;
};

static bool target_fits(const struct target *target, enum reach_policy policy)
{
    if (!target->inside_count)
        return fits(policy, &target->ip);
    bool all = policies[policy].translated;
    for (size_t i = 0; i < target->inside_count; i++)
        all &= fits(policy, &target->inside[i]);
    return all;
}

static bool target_is_named(const struct reach *reach, const struct target *target)
{
    if (allows_host(reach, target->host) || allows_net(reach, &target->ip))
        return true;
    bool all = target->inside_count > 0;
    for (size_t i = 0; i < target->inside_count; i++)
        all &= allows_net(reach, &target->inside[i]);
    return all;
}

/* What speaks against a target: the address itself, or the one of those that it stands for. */
static const struct ip *find_culprit(const struct target *target, bool (*is_bad)(const struct ip *))
{
    for (size_t i = 0; i < target->inside_count; i++)
        if (is_bad(&target->inside[i]))
            return &target->inside[i];
    return is_bad(&target->ip) ? &target->ip : NULL;
}

/* -- reasons ----------------------------------------------------------------------------------- */

/* How much of a host is shown: names need not be ASCII, and none is cut inside a character. */
static int shown_len(const char *host)
{
    return (int)utf8_span(host, strnlen(host, HOST_SHOWN));
}

/* "localhost is at 127.0.0.1, a loopback address", "::ffff:127.0.0.1 stands for 127.0.0.1, …". */
static void put_target(struct buf *out, const struct target *target, const struct ip *culprit)
{
    char text[IP_TEXT_SIZE], inside[IP_TEXT_SIZE];
    ip_format(&target->ip, text);
    ip_format(culprit, inside);
    bool is_address = !*target->host || strcmp(target->host, text) == 0;
    if (!is_address)
        buf_printf(out, "%.*s is at ", shown_len(target->host), target->host);
    buf_puts(out, text);
    if (culprit != &target->ip)
        buf_printf(out, "%s stands for %s,", is_address ? "" : ", which", inside);
    else
        buf_puts(out, is_address ? " is" : ",");
    buf_printf(out, " %s", ip_class_words[ip_class(culprit)]);
}

static void put_policies(struct buf *out, const struct target *target)
{
    size_t left = 0;
    for (int i = 0; i < POLICIES; i++)
        left += target_fits(target, (enum reach_policy)i);
    for (int i = 0; i < POLICIES; i++)
        if (target_fits(target, (enum reach_policy)i)) {
            left--;
            buf_printf(out, "%s%s", reach_policies[i], left > 1 ? ", " : left ? " or " : "");
        }
}

/* What the policy is against; where it is against addresses that stand for others, the first. */
static const struct ip *find_unfit(const struct target *target, enum reach_policy policy)
{
    for (size_t i = 0; i < target->inside_count; i++)
        if (!fits(policy, &target->inside[i]))
            return &target->inside[i];
    return target->inside_count ? &target->inside[0] : &target->ip;
}

/* A name that is too long, or that there is none, leaves the address to go by. */
static bool is_shown(const char *host)
{
    return *host && strlen(host) <= HOST_SHOWN;
}

static void put_refusal(struct buf *out, const struct reach *reach, const struct target *target)
{
    char address[IP_TEXT_SIZE];
    enum reach_policy policy = reach->options.policy;
    const struct ip *culprit = find_unfit(target, policy);
    ip_format(&target->ip, address);
    put_target(out, target, culprit);
    buf_printf(out,
               fits(policy, culprit)
                   ? ", and --callback-policy %s lets no callback go to what stands for others; "
                   : ", where --callback-policy %s lets no callback go; ",
               reach_policies[policy]);
    buf_puts(out, "--callback-policy ");
    put_policies(out, target);
    buf_printf(out, " or --callback-allow %s would",
               is_shown(target->host) ? target->host : address);
}

static void put_own(struct buf *out, const struct target *target)
{
    char text[IP_TEXT_SIZE];
    ip_format(&target->ip, text);
    if (*target->host && strcmp(target->host, text) != 0)
        buf_printf(out, "%.*s is at %s, and ", shown_len(target->host), target->host, text);
    buf_printf(out,
               "port %u of %s is this server itself, where callbacks never go and no option would "
               "let them; for its inbox write http://inbox.test/{name}",
               target->port, text);
}

static bool refuse(struct buf *why, struct err *err)
{
    err_set(err, ERR_INVALID, "%s", buf_failed(why) || !why->data ? "out of memory" : why->data);
    buf_finish(why);
    return false;
}

bool reach_allows(const struct reach *reach, const char *host, const struct sockaddr *address,
                  struct err *err)
{
    struct target target = {.host = host};
    struct buf why = BUF_INIT;
    uint16_t port;
    if (!ip_of_sockaddr(address, &target.ip, &port)) {
        err_set(err, ERR_INVALID, "%.*s is at no internet address", shown_len(host), host);
        return false;
    }
    target.port = port;
    target.inside_count = ip_inside(&target.ip, target.inside);
    const struct ip *culprit = find_culprit(&target, is_never);
    if (culprit) {
        put_target(&why, &target, culprit);
        buf_puts(&why, ", where callbacks never go and no option would let them");
        return refuse(&why, err);
    }
    if (reach_is_own(reach, &target.ip, target.port)) {
        put_own(&why, &target);
        return refuse(&why, err);
    }
    if (target_is_named(reach, &target) || target_fits(&target, reach->options.policy))
        return true;
    put_refusal(&why, reach, &target);
    return refuse(&why, err);
}
