/*
 * Where callbacks may go: a URL's reading, and the decision about an address, against slow
 * references; no network. An input is two bytes of settings, an address of 4 or 16 bytes and a
 * port, then lines: a URL, and entries of --callback-allow.
 *
 * libcurl reads URLs, so the reference for these knows the plain ones alone: what it takes for
 * right has to be read as it says, and what it takes for wrong has to be refused.
 */
#include "base/url.h"
#include "base/ip.h"
#include "engine/reach.h"
#include "fuzz.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { ALLOWED_MAX = 4, OWN_PORT = 3000 };

/* -- URLs -------------------------------------------------------------------------------------- */

static bool match(const char *pattern, const char *text, regmatch_t *parts, size_t count)
{
    regex_t compiled;
    FUZZ_CHECK(regcomp(&compiled, pattern, REG_EXTENDED | REG_ICASE) == 0, "%s", pattern);
    bool good = regexec(&compiled, text, count, parts, 0) == 0;
    regfree(&compiled);
    return good;
}

static void copy_lower(char *to, size_t size, const char *text, const regmatch_t *part)
{
    int len = part->rm_so < 0 ? 0 : (int)(part->rm_eo - part->rm_so);
    snprintf(to, size, "%.*s", len, part->rm_so < 0 ? "" : text + part->rm_so);
    for (; *to; to++)
        *to = *to >= 'A' && *to <= 'Z' ? (char)(*to + 32) : *to;
}

/* A URL whose host is a name of letters: nothing in it can be read in two ways. */
static void check_plain(const char *text)
{
    regmatch_t parts[7];
    char scheme[8], host[256], port[8];
    struct url_place place;
    if (!match("^(https?)://([a-z][a-z0-9-]{0,50}(\\.[a-z][a-z0-9-]{0,50})?)(:([1-9][0-9]{0,3}))?"
               "([/?#][a-z0-9/._~-]*)?$",
               text, parts, COUNT(parts)))
        return;
    copy_lower(scheme, sizeof scheme, text, &parts[1]);
    copy_lower(host, sizeof host, text, &parts[2]);
    copy_lower(port, sizeof port, text, &parts[5]);
    if (!*port)
        strcpy(port, strcmp(scheme, "https") == 0 ? "443" : "80");
    FUZZ_CHECK(url_read_place(text, &place), "a plain URL was refused");
    FUZZ_CHECK(strcmp(place.scheme, scheme) == 0 && strcmp(place.host, host) == 0 &&
                   strcmp(place.port, port) == 0,
               "%s://%s:%s was read as %s://%s:%s", scheme, host, port, place.scheme, place.host,
               place.port);
}

/* No scheme, user info, or what libraries read differently: never. */
static bool is_wrong(const char *text)
{
    regmatch_t all;
    return !match("^https?://[^/?#]", text, &all, 1) || match("[\001-\040\177\\]", text, &all, 1) ||
           match("^https?://[^/?#]*@", text, &all, 1);
}

static bool has_zone(const char *host)
{
    return strchr(host, '%') != NULL;
}

/* What is accepted has a host and a port, and the host that is one address is written as that. */
static void check_url(const char *text, char ret_host[URL_HOST_SIZE])
{
    struct url_place place = {.host = ""};
    struct in_addr v4;
    struct ip ip;
    char authority[URL_AUTHORITY_SIZE];
    bool callable = url_is_callable(text), placed = url_read_place(text, &place);
    FUZZ_CHECK(!callable || !is_wrong(text), "a URL that is wrong was accepted");
    FUZZ_CHECK(callable || !placed, "a URL has a place, but is none");
    FUZZ_CHECK(url_is_base(text) == (callable && !strchr(text, '?') && !strchr(text, '#')),
               "a base was misjudged");
    check_plain(text);
    if (!placed)
        return;
    long port = atol(place.port);
    FUZZ_CHECK(*place.host && !strpbrk(place.host, "@/?#\\[]"), "a host: %s", place.host);
    FUZZ_CHECK(port >= 0 && port <= 65535 && place.port[strspn(place.port, "0123456789")] == '\0',
               "a port: %s", place.port);
    FUZZ_CHECK(strcmp(place.scheme, "http") == 0 || strcmp(place.scheme, "https") == 0, "a scheme");
    FUZZ_CHECK(!inet_aton(place.host, &v4) || ip_parse(place.host, &ip),
               "another spelling of an IPv4 address was left: %s", place.host);
    FUZZ_CHECK(!strchr(place.host, ':') || has_zone(place.host) || ip_parse(place.host, &ip),
               "an IPv6 host is none: %s", place.host);
    url_format_authority(&place, authority);
    FUZZ_CHECK(strlen(authority) > strlen(place.host) + strlen(place.port), "%s", authority);
    struct buf path = BUF_INIT;
    FUZZ_CHECK(url_read_path(text, &path) && *path.data == '/', "a path of its own");
    FUZZ_CHECK(!strpbrk(path.data, " \r\n\t?#"), "a path that is not escaped: %s", path.data);
    buf_finish(&path);
    strcpy(ret_host, place.host);
}

/* -- the decision, by hand --------------------------------------------------------------------- */

enum kind { NEVER, LOOPBACK, PRIVATE, GLOBAL, SPECIAL };

/* Written down from IANA's registries and RFCs, the narrowest first: the first that fits counts. */
static const struct {
    const char *net;
    enum kind kind;
} v4[] =
    {
        {"100.100.100.200/32", NEVER}, {"168.63.129.16/32", NEVER}, {"192.0.0.192/32", NEVER},
        {"192.0.0.0/24", SPECIAL},     {"192.0.2.0/24", SPECIAL},   {"192.88.99.0/24", SPECIAL},
        {"198.51.100.0/24", SPECIAL},  {"203.0.113.0/24", SPECIAL}, {"192.168.0.0/16", PRIVATE},
        {"169.254.0.0/16", NEVER},     {"198.18.0.0/15", SPECIAL},  {"172.16.0.0/12", PRIVATE},
        {"100.64.0.0/10", PRIVATE},    {"0.0.0.0/8", NEVER},        {"10.0.0.0/8", PRIVATE},
        {"127.0.0.0/8", LOOPBACK},     {"224.0.0.0/3", NEVER},      {"0.0.0.0/0", GLOBAL},
},
  v6[] = {
      {"::/128", NEVER},
      {"::1/128", LOOPBACK},
      {"fd00:42::42/128", NEVER},
      {"fd00:c1::a9fe:a9fe/128", NEVER},
      {"fd00:a9fe:a9fe::1/128", NEVER},
      {"fd20:ce::254/128", NEVER},
      {"fd00:ec2::/32", NEVER},
      {"2001:db8::/32", SPECIAL},
      {"2001::/23", SPECIAL},
      {"3fff::/20", SPECIAL},
      {"fe80::/10", NEVER},
      {"ff00::/8", NEVER},
      {"fc00::/7", PRIVATE},
      {"2000::/3", GLOBAL},
      {"::/0", SPECIAL},
};

/* Bit by bit. */
static bool is_in(const char *net, const unsigned char *address, unsigned len)
{
    char text[64];
    unsigned char first[16];
    unsigned prefix = 8 * len;
    snprintf(text, sizeof text, "%s", net);
    char *slash = strchr(text, '/');
    if (slash) {
        prefix = (unsigned)atoi(slash + 1);
        *slash = '\0';
    }
    if (inet_pton(len == 4 ? AF_INET : AF_INET6, text, first) != 1)
        return false;
    for (unsigned bit = 0; bit < prefix; bit++)
        if ((first[bit / 8] ^ address[bit / 8]) & 0x80 >> bit % 8)
            return false;
    return true;
}

static enum kind kind_of(const unsigned char *address, unsigned len)
{
    for (size_t i = 0; i < COUNT(v4) && len == 4; i++)
        if (is_in(v4[i].net, address, len))
            return v4[i].kind;
    for (size_t i = 0; i < COUNT(v6) && len == 16; i++)
        if (is_in(v6[i].net, address, len))
            return v6[i].kind;
    abort();
}

struct embedded {
    unsigned char addresses[4][4];
    size_t count;
};

static void embed(struct embedded *all, const unsigned char *address, const char *places,
                  unsigned char inverted)
{
    for (size_t i = 0; i < 4; i++)
        all->addresses[all->count][i] = address[places[i] - 'a'] ^ inverted;
    all->count++;
}

/* The IPv4 addresses in an IPv6 address; places are letters, a the first byte. */
static struct embedded find_embedded(const unsigned char *address, unsigned len)
{
    struct embedded all = {.count = 0}, kept = {.count = 0};
    if (len == 4 || is_in("::/128", address, len) || is_in("::1/128", address, len))
        return kept;
    if (is_in("::/96", address, len) || is_in("::ffff:0:0/96", address, len) ||
        is_in("::ffff:0:0:0/96", address, len) || is_in("64:ff9b::/96", address, len)) {
        embed(&all, address, "mnop", 0);
    } else if (is_in("64:ff9b:1::/48", address, len)) {
        embed(&all, address, "ghjk", 0);
        embed(&all, address, "hjkl", 0);
        embed(&all, address, "jklm", 0);
        embed(&all, address, "mnop", 0);
    } else if (is_in("2001::/32", address, len)) {
        embed(&all, address, "efgh", 0);
        embed(&all, address, "mnop", 0xff);
    } else if (is_in("2002::/16", address, len)) {
        embed(&all, address, "cdef", 0);
    }
    /* Of several readings, 0.x.y.z counts only where there is no other. */
    for (size_t i = 0; i < all.count; i++)
        if (all.addresses[i][0])
            memcpy(kept.addresses[kept.count++], all.addresses[i], 4);
    if (all.count && !kept.count)
        memcpy(kept.addresses[kept.count++], all.addresses[all.count - 1], 4);
    return kept;
}

static bool policy_takes(enum reach_policy policy, enum kind kind)
{
    switch (policy) {
    case REACH_LOCAL:
        return kind == LOOPBACK || kind == PRIVATE;
    case REACH_PRIVATE:
        return kind == PRIVATE;
    case REACH_PUBLIC:
        return kind == GLOBAL;
    case REACH_ANY:
        return kind != NEVER;
    }
    return false;
}

struct target {
    unsigned char address[16];
    unsigned len, port;
    const char *host;
};

static bool is_named(const struct target *target, const struct embedded *inside, char **allowed,
                     size_t count)
{
    size_t named = 0;
    for (size_t i = 0; i < count; i++) {
        unsigned char any[16];
        size_t len = strcspn(allowed[i], "/");
        char *first = strndup(allowed[i], len);
        bool is_net = inet_pton(AF_INET, first, any) == 1 || inet_pton(AF_INET6, first, any) == 1;
        free(first);
        size_t dot = strlen(target->host) && target->host[strlen(target->host) - 1] == '.';
        size_t own_dot = len && allowed[i][len - 1] == '.';
        if (!is_net && len > own_dot && len - own_dot == strlen(target->host) - dot &&
            strncasecmp(allowed[i], target->host, len - own_dot) == 0)
            return true;
        if (is_net && is_in(allowed[i], target->address, target->len))
            return true;
    }
    for (size_t j = 0; j < inside->count; j++)
        for (size_t i = 0; i < count; i++)
            if (is_in(allowed[i], inside->addresses[j], 4)) {
                named++;
                break;
            }
    return inside->count && named == inside->count;
}

static bool may_go(const struct target *target, enum reach_policy policy, char **allowed,
                   size_t count)
{
    struct embedded inside = find_embedded(target->address, target->len);
    bool fits = policy != REACH_PUBLIC;
    enum kind kind = kind_of(target->address, target->len);
    if (kind == NEVER)
        return false;
    bool own = kind == LOOPBACK;
    for (size_t i = 0; i < inside.count; i++) {
        enum kind each = kind_of(inside.addresses[i], 4);
        if (each == NEVER)
            return false;
        own = own || each == LOOPBACK;
        fits = fits && policy_takes(policy, each);
    }
    if (own && target->port == OWN_PORT)
        return false;
    if (is_named(target, &inside, allowed, count))
        return true;
    return inside.count ? fits : policy_takes(policy, kind);
}

/* -- both -------------------------------------------------------------------------------------- */

static struct sockaddr_storage address_of(const struct target *target)
{
    struct sockaddr_storage address = {0};
    struct sockaddr_in *in = (struct sockaddr_in *)&address;
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&address;
    if (target->len == 4) {
        in->sin_family = AF_INET;
        in->sin_port = htons((uint16_t)target->port);
        memcpy(&in->sin_addr, target->address, 4);
    } else {
        in6->sin6_family = AF_INET6;
        in6->sin6_port = htons((uint16_t)target->port);
        memcpy(&in6->sin6_addr, target->address, 16);
    }
    return address;
}

static void check_reach(const struct target *target, enum reach_policy policy, char **allowed,
                        size_t count)
{
    /* A listener's port at addresses of this machine's interfaces is its own too, so the listener's
       is left out for all but loopback addresses, which every machine has. */
    struct target own = {.address = {127, 0, 0, 1}, .len = 4, .port = OWN_PORT};
    struct sockaddr_storage listener = address_of(&own), address = address_of(target);
    enum kind kind = kind_of(target->address, target->len);
    struct reach_options options = {.policy = policy,
                                    .allowed = (const char *const *)allowed,
                                    .allowed_count = count,
                                    .listeners = &listener,
                                    .listener_count = kind == LOOPBACK || target->port != OWN_PORT};
    struct reach *reach;
    struct err err = {""};
    if (find_embedded(target->address, target->len).count)
        options.listener_count = 1;
    FUZZ_CHECK(reach_create(&options, &reach, &err) == 0, "%s", err.text);
    bool allows = reach_allows(reach, target->host, (struct sockaddr *)&address, &err);
    bool right = may_go(target, policy, allowed, count);
    FUZZ_CHECK(allows == right, "policy %d is said to %s: %s", policy, allows ? "allow" : "refuse",
               err.text);
    FUZZ_CHECK(allows || !fuzz_is_utf8(target->host, strlen(target->host)) ||
                   fuzz_is_utf8(err.text, strlen(err.text)),
               "a reason that is no text: %s", err.text);
    reach_destroy(reach);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct fuzz_input input = {bytes, len};
    enum reach_policy policy = (enum reach_policy)(fuzz_byte(&input) % 4);
    char *allowed[ALLOWED_MAX], host[URL_HOST_SIZE] = "";
    struct target target = {.len = fuzz_byte(&input) % 2 ? 16 : 4, .host = host};
    size_t count = 0, line_len;
    struct err err;
    for (unsigned i = 0; i < target.len; i++)
        target.address[i] = (unsigned char)fuzz_byte(&input);
    target.port = fuzz_number(&input, 2);
    char *url = fuzz_line(&input, '\n', &line_len);
    check_url(url, host);
    while (input.left && count < ALLOWED_MAX) {
        allowed[count] = fuzz_line(&input, '\n', &line_len);
        if (reach_check_allowed(allowed[count], &err) == 0)
            count++;
        else
            free(allowed[count]);
    }
    check_reach(&target, policy, allowed, count);
    while (count)
        free(allowed[--count]);
    free(url);
    return 0;
}
