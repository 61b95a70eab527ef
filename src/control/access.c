#include "control/access.h"

#include "base/address.h"

#include <string.h>
#include <strings.h>

/* The value of "Bearer <value>", the scheme in any case; NULL where there is none. */
static const char *bearer(const char *authorization)
{
    if (!authorization || strncasecmp(authorization, "bearer ", 7) != 0)
        return NULL;
    authorization += 7;
    return authorization + strspn(authorization, " ");
}

/* Takes as long whatever of it is right, so that it cannot be guessed letter by letter. */
static bool equals_secret(const char *given, const char *secret)
{
    size_t len = strlen(secret), given_len = strlen(given);
    unsigned char differs = given_len != len;
    for (size_t i = 0; i < given_len; i++)
        differs |= (unsigned char)(given[i] ^ secret[len ? i % len : 0]);
    return !differs;
}

static bool has_token(const struct access_policy *policy, const struct access_request *request)
{
    const char *given = bearer(request->authorization);
    return policy->token && given && equals_secret(given, policy->token);
}

/* -- C8: browsers ------------------------------------------------------------------------------ */

static bool ends_in(const char *host, size_t len, const char *suffix)
{
    size_t suffix_len = strlen(suffix);
    return len > suffix_len && strncasecmp(host + len - suffix_len, suffix, suffix_len) == 0;
}

static bool is(const char *host, size_t len, const char *name)
{
    return strlen(name) == len && strncasecmp(host, name, len) == 0;
}

/* A name that somebody else's DNS cannot point at us. */
static bool host_is_ours(const struct access_policy *policy, const char *authority)
{
    size_t len;
    const char *host = address_host(authority, &len);
    if (address_is_ip(host, len) || !memchr(host, '.', len) || ends_in(host, len, ".localhost") ||
        ends_in(host, len, ".internal") || ends_in(host, len, ".test"))
        return true;
    for (size_t i = 0; i < policy->allowed_host_count; i++)
        if (is(host, len, policy->allowed_hosts[i]))
            return true;
    return false;
}

/* The origin of the request's own Host, or that of --public-url. */
static bool origin_is_ours(const struct access_policy *policy, const struct access_request *request)
{
    const char *origin = request->origin, *url = policy->public_url;
    if (request->host && strncasecmp(origin, "http://", 7) == 0 &&
        strcasecmp(origin + 7, request->host) == 0)
        return true;
    if (!url || !strstr(url, "://"))
        return false;
    size_t scheme = (size_t)(strstr(url, "://") - url) + 3;
    return is(url, scheme + strcspn(url + scheme, "/"), origin);
}

/* What a form of any web page can send without asking first. */
static bool is_form(const char *content_type)
{
    static const char *const forms[] = {"application/x-www-form-urlencoded", "multipart/form-data",
                                        "text/plain"};
    size_t len = strcspn(content_type, "; \t");
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
        if (is(content_type, len, forms[i]))
            return true;
    return false;
}

static enum access_refusal judge_browser(const struct access_policy *policy,
                                         const struct access_request *request)
{
    const char *site = request->fetch_site;
    if (request->host && !host_is_ours(policy, request->host))
        return ACCESS_HOST;
    if (request->origin && !origin_is_ours(policy, request))
        return ACCESS_ORIGIN;
    if (site && (!*site || strcasecmp(site, "cross-site") == 0))
        return ACCESS_CROSS_SITE;
    if (request->content_type && strcmp(request->method, "GET") != 0 &&
        is_form(request->content_type))
        return ACCESS_CONTENT_TYPE;
    return ACCESS_GRANTED;
}

/* -- C6: which workspace ----------------------------------------------------------------------- */

static bool looks_like_key(const char *text)
{
    return strncmp(text, "exec_live_", 10) == 0;
}

/* One of the three ways. `found` NULL: unknown. Keeps the first, and says where two disagree. */
static enum access_refusal take(const struct access_finder *finder, struct workspace *found,
                                struct workspace **io_workspace)
{
    if (!found)
        return ACCESS_UNKNOWN;
    if (!*io_workspace) {
        *io_workspace = found;
        return ACCESS_GRANTED;
    }
    finder->release(found);
    return found == *io_workspace ? ACCESS_GRANTED : ACCESS_DISAGREE;
}

/* Of a request that anybody may make: a key is somebody else's secret, unless it happens to be one
 * of ours and nothing else names a workspace. */
static enum access_refusal find_for_anybody(const struct access_request *request,
                                            const struct access_finder *finder,
                                            struct workspace **io_workspace)
{
    enum access_refusal refusal = ACCESS_GRANTED;
    const char *key = bearer(request->authorization);
    if (request->prefix)
        refusal = take(finder, finder->by_slug(finder->arg, request->prefix), io_workspace);
    if (refusal == ACCESS_GRANTED && request->query)
        refusal = take(finder, finder->by_name(finder->arg, request->query), io_workspace);
    if (refusal == ACCESS_GRANTED && !*io_workspace && key && looks_like_key(key))
        *io_workspace = finder->by_key(finder->arg, key);
    return refusal;
}

/*
 * *io_workspace becomes the one that is named, if any; *ret_owner tells whether the request bears
 * a key of it. A server-wide operation is about the workspace in its path alone.
 */
static enum access_refusal find(const struct access_request *request,
                                const struct access_finder *finder, struct workspace **io_workspace,
                                bool *ret_owner)
{
    enum access_refusal refusal = ACCESS_GRANTED;
    const char *key = bearer(request->authorization);
    struct workspace *own = key && looks_like_key(key) ? finder->by_key(finder->arg, key) : NULL;
    if (request->prefix)
        refusal = take(finder, finder->by_slug(finder->arg, request->prefix), io_workspace);
    if (!request->server_wide) {
        if (refusal == ACCESS_GRANTED && key && looks_like_key(key))
            refusal = take(finder, finder->by_key(finder->arg, key), io_workspace);
        if (refusal == ACCESS_GRANTED && request->query)
            refusal = take(finder, finder->by_name(finder->arg, request->query), io_workspace);
    } else if (refusal == ACCESS_GRANTED && request->target) {
        finder->release(*io_workspace);
        *io_workspace = finder->by_name(finder->arg, request->target);
    }
    /* A key opens its own workspace, not what is everybody's. */
    *ret_owner = own && own == *io_workspace && (!request->server_wide || request->target);
    finder->release(own);
    return refusal;
}

/* -- C7: who may ------------------------------------------------------------------------------- */

static bool is_privileged(const struct access_policy *policy, const struct access_request *request)
{
    if (policy->open || has_token(policy, request))
        return true;
    return policy->private_listeners && !request->forwarded && request->peer &&
           address_is_loopback(request->peer);
}

enum access_refusal access_decide(const struct access_policy *policy,
                                  const struct access_request *request,
                                  const struct access_finder *finder,
                                  struct workspace **ret_workspace)
{
    struct workspace *workspace = NULL;
    bool owner = false;
    bool is_free = request->anybody || has_token(policy, request);
    enum access_refusal refusal = is_free ? ACCESS_GRANTED : judge_browser(policy, request);
    if (refusal == ACCESS_GRANTED)
        refusal = request->anybody ? find_for_anybody(request, finder, &workspace)
                                   : find(request, finder, &workspace, &owner);
    bool needs_one = !request->server_wide && !request->optional;
    if (refusal == ACCESS_GRANTED && needs_one && !workspace) {
        workspace = finder->only(finder->arg);
        if (!workspace)
            refusal = ACCESS_UNNAMED;
    }
    if (refusal == ACCESS_GRANTED && !owner && !request->anybody && !is_privileged(policy, request))
        refusal = ACCESS_FORBIDDEN;
    if (refusal == ACCESS_GRANTED)
        *ret_workspace = workspace;
    else
        finder->release(workspace);
    return refusal;
}

const char *access_caller(const struct access_policy *policy, const struct access_request *request)
{
    const char *given = bearer(request->authorization);
    if (has_token(policy, request))
        return "control_token";
    if (given && looks_like_key(given))
        return "key";
    return request->peer && address_is_loopback(request->peer) && !request->forwarded ? "loopback"
                                                                                      : "anybody";
}
