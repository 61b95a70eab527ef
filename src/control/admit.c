/* Whether a request may use the control plane: access.c decides, this asks and answers. */
#include "control/internal.h"

#include "base/digest.h"
#include "base/time.h"

#include <stdio.h>
#include <string.h>

/* What hangs off a request as its `user`. */
struct caller {
    struct workspace *workspace;
    enum access_refusal refusal;
    const char *unknown; /* a query parameter that no operation here knows */
    const char *malformed;
    bool server_wide, without_memory;
    bool nobody;      /* it is about the requests that belong to no workspace */
    int64_t begun_at; /* on the workspace's clock */
    const char *name; /* access_caller() */
    char problem[ERR_TEXT_SIZE];
};

/* -- how workspaces are found ------------------------------------------------------------------ */

static struct workspace *by_key(void *registry, const char *key)
{
    unsigned char hash[KEY_HASH_SIZE];
    digest_sha256(key, strlen(key), hash);
    return registry_by_key(registry, hash);
}

static struct workspace *by_slug(void *registry, const char *slug)
{
    return registry_by_slug(registry, slug);
}

static struct workspace *by_name(void *registry, const char *name)
{
    return registry_by_name(registry, name);
}

static struct workspace *only(void *registry)
{
    return registry_count(registry) == 1 ? registry_default(registry) : NULL;
}

/* -- admission --------------------------------------------------------------------------------- */

/* Operations that need no workspace; those with a name in their path are about that one (C6). */
static bool is_server_wide(const struct route *route)
{
    return strncmp(route->pattern, "/_mock/workspaces", 17) == 0 ||
           strcmp(route->pattern, "/_mock/info") == 0 ||
           strcmp(route->pattern, "/_mock/outcomes") == 0 ||
           strcmp(route->pattern, "/metrics") == 0;
}

/* About the workspace that is named, or of all where none is (C6). */
static bool is_optional(const struct route *route)
{
    return strcmp(route->operation_id, "getReport") == 0;
}

/* A POST to an inbox comes from whoever has been given its URL. */
static bool is_for_anybody(const struct route *route)
{
    return strcmp(route->operation_id, "postToInbox") == 0;
}

/* Takes ?workspace= from the query, and notes what is wrong with the rest of it (C2). */
static const char *read_query(struct request *request, const struct route *route,
                              struct caller *caller)
{
    const struct query_param *params = NULL;
    const char *named = NULL;
    size_t count = 0;
    struct err err;
    if (request_query(request, &params, &count, &err) < 0) {
        snprintf(caller->problem, sizeof caller->problem, "%s", err.text);
        caller->malformed = caller->problem;
        return NULL;
    }
    for (size_t i = 0; i < count; i++) {
        bool is_workspace = !caller->server_wide && strcmp(params[i].name, "workspace") == 0;
        if (params_know(route->operation_id, params[i].name) ||
            (!is_workspace && is_for_anybody(route)))
            continue;
        if (!is_workspace)
            caller->unknown = caller->unknown ? caller->unknown : params[i].name;
        else if (named && strcmp(named, params[i].value) != 0)
            caller->malformed = "The query names two workspaces";
        else
            named = params[i].value;
    }
    return named;
}

/* What can be asked of the requests that belong to no workspace (C11), too. */
static bool may_be_nobodys(const struct route *route)
{
    return strncmp(route->pattern, "/_mock/requests", 15) == 0 ||
           strcmp(route->pattern, "/_mock/lint") == 0;
}

static void decide(struct request *request, const struct route *route, struct caller *caller)
{
    const struct control *control = control_of(request);
    char peer[PEER_SIZE];
    caller->server_wide = !route || is_server_wide(route);
    const char *named = route ? read_query(request, route, caller) : NULL;
    caller->nobody = named && strcmp(named, NOBODY) == 0 && may_be_nobodys(route);
    struct access_request access = {
        .method = request_method(request),
        .peer = peer,
        .host = request_host(request),
        .origin = request_origin(request),
        .fetch_site = request_fetch_site(request),
        .content_type = request_content_type(request),
        .forwarded = request_is_forwarded(request),
        .authorization = request_authorization(request),
        .prefix = request_workspace_prefix(request),
        .query = caller->nobody ? NULL : named,
        .server_wide = caller->server_wide || caller->nobody, /* no key opens what is nobody's */
        .optional = route && is_optional(route),
        .anybody = route && is_for_anybody(route),
        .target = route && caller->server_wide ? request_param(request, 0) : NULL,
    };
    struct access_finder finder = {.by_key = by_key,
                                   .by_slug = by_slug,
                                   .by_name = by_name,
                                   .only = only,
                                   .release = workspace_release,
                                   .arg = engine_registry(control->engine)};
    request_peer(request, peer);
    caller->refusal = access_decide(&control->options.policy, &access, &finder, &caller->workspace);
    caller->name = access_caller(&control->options.policy, &access);
    if (caller->workspace)
        caller->begun_at = workspace_now(caller->workspace);
    if (caller->nobody && caller->refusal == ACCESS_GRANTED && access.prefix)
        caller->refusal = ACCESS_DISAGREE;
}

bool mock_admit(struct request *request, const struct route *route)
{
    static struct caller nobody = {.without_memory = true};
    struct caller *caller = request_alloc(request, sizeof *caller);
    request_set_user(request, caller ? caller : &nobody);
    if (!caller)
        return false;
    decide(request, route, caller);
    bool uses = !caller->server_wide || strcmp(request_method(request), "PUT") == 0 ||
                strcmp(request_method(request), "PATCH") == 0;
    if (caller->workspace && uses) /* its ttl begins anew; its requests are those of the APIs */
        atomic_store(&caller->workspace->used_at, time_steady_ms());
    return caller->refusal == ACCESS_GRANTED && !caller->malformed && !caller->unknown;
}

void mock_leave(struct request *request)
{
    struct caller *caller = request_user(request);
    if (caller)
        workspace_release(caller->workspace);
}

struct journal *mock_journal(struct request *request)
{
    const struct caller *caller = request_user(request);
    if (caller->nobody)
        return engine_nobodys_journal(control_of(request)->engine);
    return caller->workspace ? caller->workspace->journal : NULL;
}

const char *mock_caller(struct request *request)
{
    const struct caller *caller = request_user(request);
    return caller->name;
}

int64_t mock_begun_at(struct request *request)
{
    const struct caller *caller = request_user(request);
    return caller->begun_at;
}

struct workspace *mock_workspace(struct request *request)
{
    const struct caller *caller = request_user(request);
    return caller ? caller->workspace : NULL;
}

/* -- refusals ---------------------------------------------------------------------------------- */

static const struct {
    int status;
    const char *name, *detail, *hint;
} refusals[] = {
    [ACCESS_HOST] = {403, "forbidden_host",
                     "The Host header names a host that this server does not take for its own",
                     "Use an IP address or localhost, start the server with --allowed-host NAME, "
                     "or send the control token"},
    [ACCESS_ORIGIN] = {403, "forbidden_origin", "The request comes from a page of another origin",
                       "Call the control plane from outside of a browser, or send the control "
                       "token"},
    [ACCESS_CROSS_SITE] = {403, "forbidden_origin", "The request comes from a page of another site",
                           "Call the control plane from outside of a browser, or send the control "
                           "token"},
    [ACCESS_CONTENT_TYPE] = {415, "unsupported_media_type",
                             "A form's content type is not taken here",
                             "Send application/json, as curl --json does, or no content type"},
    [ACCESS_DISAGREE] = {400, "workspaces_disagree",
                         "The path's prefix, the API key and the query name different workspaces",
                         "Name the workspace in one of the three ways"},
    [ACCESS_UNKNOWN] = {404, "workspace_not_found", "There is no workspace of this name or key",
                        "GET /_mock/workspaces lists them"},
    [ACCESS_UNNAMED] = {400, "workspace_required",
                        "There are several workspaces, and the request names none",
                        "Put /w/{slug} before the path, send the workspace's API key as "
                        "Authorization: Bearer, or add ?workspace={id or slug}"},
    [ACCESS_FORBIDDEN] = {403, "forbidden", "The request may not control this",
                          "One of these would do: the workspace's own API key, for what is its "
                          "own; the token of --control-token as Authorization: Bearer; a call "
                          "from this machine, without a proxy, to a server that listens on "
                          "loopback addresses alone; a server started with --control open"},
};

static void deny_parameter(struct request *request, const struct caller *caller)
{
    const char *names[PARAMS_MAX + 2];
    struct buf detail = BUF_INIT, hint = BUF_INIT;
    buf_puts(&detail, "There is no query parameter ");
    complain_quote(&detail, caller->unknown);
    params_names(request_operation(request), !caller->server_wide, names);
    complain_names(&hint, caller->unknown, names);
    if (buf_failed(&detail) || buf_failed(&hint))
        router_fail(request, ERR_NO_MEMORY, NULL);
    else
        control_problem(request, 422, "unknown_parameter", detail.data, hint.data);
    buf_finish(&detail);
    buf_finish(&hint);
}

void mock_deny(struct request *request)
{
    const struct caller *caller = request_user(request);
    /* A query that is wrong may be why no workspace is named. */
    bool query_is_wrong = caller->malformed || caller->unknown;
    if (caller->without_memory)
        router_fail(request, ERR_NO_MEMORY, NULL);
    else if (caller->refusal != ACCESS_GRANTED &&
             !(caller->refusal == ACCESS_UNNAMED && query_is_wrong))
        control_problem(request, refusals[caller->refusal].status, refusals[caller->refusal].name,
                        refusals[caller->refusal].detail, refusals[caller->refusal].hint);
    else if (caller->malformed)
        control_problem(request, 400, "malformed_query", caller->malformed, NULL);
    else
        deny_parameter(request, caller);
}
