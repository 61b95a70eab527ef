#include "config_value.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/duration.h"
#include "base/email.h"
#include "config.h"

static const char lower[] = "abcdefghijklmnopqrstuvwxyz";
#define ALPHANUMERIC "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
static const char alphanumeric[] = ALPHANUMERIC;
static const char host_characters[] = ALPHANUMERIC "-._~";

static int no_memory(struct err *err)
{
    return err_set(err, ERR_NO_MEMORY, "out of memory");
}

/* Makes room for one more element at the end of an array that its owner counts. */
static void *grow(void *array, size_t count, size_t size)
{
    return reallocarray(array, count + 1, size);
}

/* Puts a copy of `text`, or NULL, where a string may stand already. */
static int replace_text(char **place, const char *text, size_t len, struct err *err)
{
    char *copy = strndup(text, len);
    if (!copy)
        return no_memory(err);
    free(*place);
    *place = copy;
    return 0;
}

/* ---- addresses ---- */

static int parse_port(const char *text, uint16_t *ret_port, struct err *err)
{
    int64_t port;

    if (!*text)
        return err_set(err, ERR_INVALID,
                       "has no port after the colon: write 3000, or 0 for a free one");
    if (number_parse(text, &port, NULL) || port > UINT16_MAX)
        return err_set(err, ERR_INVALID, "the port must be a number from 0 to 65535");
    *ret_port = (uint16_t)port;
    return 0;
}

/* Tells apart the ways in which people leave half of ADDR:PORT out. */
static int refuse_address(const char *text, const char *colon, struct err *err)
{
    if (strstr(text, "://"))
        return err_set(err, ERR_INVALID,
                       "must be an address and a port, as 127.0.0.1:3000, not a URL");
    if (colon == text || (!colon && strspn(text, "0123456789") == strlen(text)))
        return err_set(err, ERR_INVALID,
                       "has no address: write 127.0.0.1:3000, [::1]:3000, or 0.0.0.0:3000 for all");
    if (*text != '[' && colon && strchr(text, ':') != colon)
        return err_set(err, ERR_INVALID, "an IPv6 address needs brackets: write [::1]:3000");
    if (*text == '[' && (!colon || colon[-1] != ']'))
        return err_set(err, ERR_INVALID, "has no port: write [::1]:3000");
    if (!colon)
        return err_set(err, ERR_INVALID, "has no port: write 127.0.0.1:3000");
    return err_set(
        err, ERR_INVALID,
        "the address must be an IPv4 address, an IPv6 address in brackets, or localhost; "
        "other names are not looked up");
}

/* Reads what stands before the last colon into its usual form; false when it is no address. */
static bool read_host(const char *text, size_t len, char ret_host[CONFIG_HOST_SIZE])
{
    bool brackets = len > 1 && text[0] == '[' && text[len - 1] == ']';
    unsigned char address[sizeof(struct in6_addr)];
    char host[CONFIG_HOST_SIZE];
    int family = brackets ? AF_INET6 : AF_INET;

    text += brackets;
    len -= brackets ? 2 : 0;
    if (len >= sizeof host)
        return false;
    memcpy(host, text, len);
    host[len] = '\0';
    if (!brackets && !strcasecmp(host, "localhost")) {
        snprintf(ret_host, CONFIG_HOST_SIZE, "%s", "localhost");
        return true;
    }
    return inet_pton(family, host, address) == 1 &&
           inet_ntop(family, address, ret_host, CONFIG_HOST_SIZE);
}

static int add_listen(struct config *config, const struct config_listen *listen, struct err *err)
{
    for (size_t i = 0; i < config->listen_count; i++)
        if (listen->port && config->listens[i].port == listen->port &&
            !strcmp(config->listens[i].host, listen->host))
            return err_set(err, ERR_INVALID, "is given twice: leave one out");
    struct config_listen *all = grow(config->listens, config->listen_count, sizeof *all);
    if (!all)
        return no_memory(err);
    config->listens = all;
    all[config->listen_count++] = *listen;
    return 0;
}

int config_parse_listen(const char *text, void *target, struct err *err)
{
    struct config_listen listen = {0};
    const char *colon = strrchr(text, ':');

    if (!colon || !read_host(text, (size_t)(colon - text), listen.host))
        return refuse_address(text, colon, err);
    int error = parse_port(colon + 1, &listen.port, err);
    if (error)
        return error;
    size_t len = strlen(text);
    if (len >= sizeof listen.given)
        return err_set(err, ERR_INVALID, "the port must be a number from 0 to 65535");
    memcpy(listen.given, text, len + 1);
    return target ? add_listen(target, &listen, err) : 0;
}

/* ---- files ---- */

int config_parse_path(const char *text, void *target, struct err *err)
{
    (void)target;
    if (text[strlen(text) - 1] == '/')
        return err_set(err, ERR_INVALID, "must be a file, not a directory");
    return 0;
}

int config_parse_db(const char *text, void *target, struct err *err)
{
    struct config *config = target;
    int error = config_parse_path(text, NULL, err);

    if (error || !config)
        return error;
    return replace_text(&config->db, text, strlen(text), err);
}

/* ---- keys and members ---- */

/* ^[a-z0-9]([a-z0-9-]*[a-z0-9])?$, at most 63. NULL, no workspace named, is fine. */
static int check_workspace(const char *text, struct err *err)
{
    if (!text)
        return 0;
    size_t len = strlen(text);
    if (!len)
        return err_set(err, ERR_INVALID, "names no workspace after the \"=\": leave that out");
    for (size_t i = 0; i < len; i++)
        if (!strchr(lower, text[i]) && !(text[i] >= '0' && text[i] <= '9') && text[i] != '-')
            return err_set(err, ERR_INVALID,
                           "a workspace's id or slug has lower-case letters, digits and - only");
    if (*text == '-' || text[len - 1] == '-')
        return err_set(err, ERR_INVALID, "a workspace's id or slug cannot begin or end with -");
    if (len > CONFIG_WORKSPACE_MAX)
        return err_set(err, ERR_INVALID, "a workspace's id or slug has at most %d characters",
                       CONFIG_WORKSPACE_MAX);
    return 0;
}

static int check_key(const char *text, size_t len, struct err *err)
{
    size_t prefix = strlen(CONFIG_KEY_PREFIX);

    if (strncmp(text, CONFIG_KEY_PREFIX, prefix) != 0)
        return err_set(err, ERR_INVALID, "a key begins with " CONFIG_KEY_PREFIX);
    if (strspn(text + prefix, alphanumeric) < len - prefix)
        return err_set(err, ERR_INVALID,
                       "a key has letters and digits only after " CONFIG_KEY_PREFIX);
    if (len != CONFIG_KEY_LENGTH)
        return err_set(err, ERR_INVALID,
                       "a key has %zu letters and digits after " CONFIG_KEY_PREFIX ", not %zu",
                       CONFIG_KEY_LENGTH - prefix, len - prefix);
    return 0;
}

static int add_key(struct config *config, const char *key, const char *workspace, struct err *err)
{
    for (size_t i = 0; i < config->api_key_count; i++)
        if (!strncmp(config->api_keys[i].key, key, CONFIG_KEY_LENGTH))
            return err_set(err, ERR_INVALID, "is given twice: a key belongs to one workspace");
    struct config_api_key *all = grow(config->api_keys, config->api_key_count, sizeof *all);
    if (!all)
        return no_memory(err);
    config->api_keys = all;
    all += config->api_key_count;
    *all = (struct config_api_key){.workspace = workspace ? strdup(workspace) : NULL};
    if (workspace && !all->workspace)
        return no_memory(err);
    memcpy(all->key, key, CONFIG_KEY_LENGTH);
    config->api_key_count++;
    return 0;
}

int config_parse_api_key(const char *text, void *target, struct err *err)
{
    const char *equals = strchr(text, '=');
    const char *workspace = equals ? equals + 1 : NULL;
    int error = check_key(text, equals ? (size_t)(equals - text) : strlen(text), err);

    if (!error)
        error = check_workspace(workspace, err);
    return error || !target ? error : add_key(target, text, workspace, err);
}

static int check_email(const char *text, size_t len, struct err *err)
{
    if (len > EMAIL_MAX)
        return err_set(err, ERR_INVALID, "an e-mail address has at most %d characters", EMAIL_MAX);
    if (!email_looks_right(text, len)) /* the rule that requests are held to, too */
        return err_set(err, ERR_INVALID, "must be an e-mail address, as jane@acme.com");
    return 0;
}

static bool same_workspace(const char *a, const char *b)
{
    return a && b ? !strcmp(a, b) : a == b;
}

static int add_member(struct config *config, const char *email, size_t len, const char *workspace,
                      struct err *err)
{
    struct config_member member = {0};

    for (size_t i = 0; i < config->member_count; i++) {
        const struct config_member *other = &config->members[i];
        if (strlen(other->email) == len && !strncasecmp(other->email, email, len) &&
            same_workspace(other->workspace, workspace))
            return err_set(err, ERR_INVALID, "is given twice: leave one out");
    }
    struct config_member *all = grow(config->members, config->member_count, sizeof *all);
    if (!all)
        return no_memory(err);
    config->members = all;
    int error = replace_text(&member.email, email, len, err);
    if (!error && workspace)
        error = replace_text(&member.workspace, workspace, strlen(workspace), err);
    if (error) {
        free(member.email);
        return error;
    }
    all[config->member_count++] = member;
    return 0;
}

int config_parse_member(const char *text, void *target, struct err *err)
{
    /* A mailbox may hold "=", a domain cannot: the one after the @ is ours. */
    const char *at = strchr(text, '@');
    const char *equals = at ? strchr(at, '=') : NULL;
    size_t len = equals ? (size_t)(equals - text) : strlen(text);
    const char *workspace = equals ? equals + 1 : NULL;
    int error = check_email(text, len, err);

    if (!error)
        error = check_workspace(workspace, err);
    return error || !target ? error : add_member(target, text, len, workspace, err);
}

/* ---- URLs ---- */

/* host[:port] of a URL; what it may consist of, not whether it exists. */
static int check_authority(const char *text, size_t len, struct err *err)
{
    char host[CONFIG_URL_MAX + 1], ignored[CONFIG_HOST_SIZE];
    uint16_t port = 1;

    memcpy(host, text, len);
    host[len] = '\0';
    if (strchr(host, '@'))
        return err_set(err, ERR_INVALID, "may not contain user info (name@)");
    char *colon = *host == '[' ? strstr(host, "]:") : strchr(host, ':');
    if (colon) {
        colon += *host == '[';
        *colon = '\0';
        if (parse_port(colon + 1, &port, NULL) || !port)
            return err_set(err, ERR_INVALID, "the port must be a number from 1 to 65535");
    }
    size_t host_len = strlen(host);
    bool good = *host == '[' ? read_host(host, host_len, ignored)
                             : host_len && strspn(host, host_characters) == host_len;
    if (!good)
        return err_set(err, ERR_INVALID, "has no valid host after http://");
    return 0;
}

static int check_url(const char *text, struct err *err)
{
    size_t scheme = !strncasecmp(text, "http://", 7)    ? 7
                    : !strncasecmp(text, "https://", 8) ? 8
                                                        : 0;

    if (!scheme)
        return err_set(err, ERR_INVALID,
                       "must be a whole URL that begins with http:// or https://");
    if (strlen(text) > CONFIG_URL_MAX)
        return err_set(err, ERR_INVALID, "has at most %d characters", CONFIG_URL_MAX);
    if (strpbrk(text, "?#"))
        return err_set(err, ERR_INVALID, "may have neither a query (?) nor a fragment (#)");
    const char *host = text + scheme, *path = host + strcspn(host, "/");
    for (const char *c = path; *c; c++) {
        bool escape = *c == '%' && strspn(c + 1, "0123456789abcdefABCDEF") >= 2;
        if (!strchr(alphanumeric, *c) && !strchr("-._~!$&'()*+,;=:@/", *c) && !escape)
            return err_set(err, ERR_INVALID,
                           "the path has a character that must be written as %%XX");
    }
    return check_authority(host, (size_t)(path - host), err);
}

/* It begins every url that is stored with an object, before /w/<slug>. */
enum { PUBLIC_URL_MAX = 400 };

int config_parse_public_url(const char *text, void *target, struct err *err)
{
    struct config *config = target;
    size_t len = strlen(text);
    int error = check_url(text, err);

    if (!error && len > PUBLIC_URL_MAX)
        error = err_set(err, ERR_INVALID, "is longer than %d characters", PUBLIC_URL_MAX);
    if (error || !config)
        return error;
    while (text[len - 1] == '/')
        len--;
    return replace_text(&config->public_url, text, len, err);
}

int config_parse_healthcheck_url(const char *text, void *target, struct err *err)
{
    struct config *config = target;
    int error = check_url(text, err);

    if (error || !config)
        return error;
    return replace_text(&config->healthcheck_url, text, strlen(text), err);
}
