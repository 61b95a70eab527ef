/* Authentication (S1, S2, S3): before the body is looked at, and before a path is found unknown. */
#include "studio/internal.h"

#include "base/digest.h"
#include "http/problem.h"
#include "http/respond.h"

#include <string.h>
#include <strings.h>

#define KEY_PREFIX "exec_live_"
enum { KEY_PREFIX_LEN = sizeof KEY_PREFIX - 1, KEY_SECRET_LEN = 40 };

enum denial { DENIED_NOT, DENIED_KEY, DENIED_INACTIVE, DENIED_WORKSPACE, DENIED_MEMORY };

/* What hangs off a request as its `user`. */
struct caller {
    struct workspace *workspace;
    enum denial denial;
};

/* The key of "Bearer <key>", the scheme in any case; NULL where there is none that could be one. */
static const char *bearer_key(const char *authorization)
{
    static const char alphabet[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    if (!authorization || strncasecmp(authorization, "bearer ", 7) != 0)
        return NULL;
    const char *key = authorization + 7;
    key += strspn(key, " ");
    if (strncmp(key, KEY_PREFIX, KEY_PREFIX_LEN) != 0)
        return NULL;
    const char *secret = key + KEY_PREFIX_LEN;
    if (strspn(secret, alphabet) != KEY_SECRET_LEN || secret[KEY_SECRET_LEN])
        return NULL;
    return key;
}

/* The caller's workspace by its key; under a /w/ prefix the key must be one of that workspace's. */
static struct workspace *identify(struct request *request, struct registry *registry)
{
    unsigned char hash[DIGEST_SIZE];
    const char *key = bearer_key(request_authorization(request));
    const char *prefix = request_workspace_prefix(request);
    if (!key)
        return NULL;
    digest_sha256(key, KEY_PREFIX_LEN + KEY_SECRET_LEN, hash);
    struct workspace *workspace = registry_by_key(registry, hash);
    if (workspace && prefix && strcmp(workspace->row.slug, prefix) != 0) {
        workspace_release(workspace);
        return NULL;
    }
    return workspace;
}

static struct caller *new_caller(struct request *request)
{
    static struct caller without_memory = {.denial = DENIED_MEMORY};
    struct caller *caller = request_alloc(request, sizeof *caller);
    request_set_user(request, caller ? caller : &without_memory);
    return caller;
}

bool auth_admit(struct request *request, const struct route *route)
{
    struct caller *caller = new_caller(request);
    (void)route;
    if (!caller)
        return false;
    caller->workspace = identify(request, engine_registry(studio_of(request)->engine));
    if (!caller->workspace)
        caller->denial = DENIED_KEY;
    else if (!caller->workspace->row.active)
        caller->denial = DENIED_INACTIVE;
    return caller->denial == DENIED_NOT;
}

void auth_deny(struct request *request)
{
    const struct caller *caller = request_user(request);
    switch (caller->denial) {
    case DENIED_KEY:
        respond_header(request, "WWW-Authenticate", "Bearer");
        studio_error(request, 401, "authentication_error", "invalid_api_key",
                     "Invalid or inactive API key");
        break;
    case DENIED_INACTIVE:
        studio_error(request, 403, "authorization_error", "workspace_inactive",
                     "Workspace is inactive");
        break;
    default:
        router_fail(request, ERR_NO_MEMORY, NULL);
    }
}

/* Pages need no key: their addresses are the secret, as with the real service's sign-in aside. */
bool page_admit(struct request *request, const struct route *route)
{
    struct registry *registry = engine_registry(studio_of(request)->engine);
    const char *prefix = request_workspace_prefix(request);
    struct caller *caller = new_caller(request);
    (void)route;
    if (!caller)
        return false;
    caller->workspace = prefix ? registry_by_slug(registry, prefix) : registry_default(registry);
    if (!caller->workspace)
        caller->denial = DENIED_WORKSPACE;
    return caller->denial == DENIED_NOT;
}

void page_deny(struct request *request)
{
    const struct caller *caller = request_user(request);
    struct refusal refusal = {
        .kind = REFUSED_NOT_FOUND, .status = 404, .detail = "There is no workspace with this slug"};
    if (caller->denial == DENIED_WORKSPACE)
        problem_refuse(request, &refusal);
    else
        router_fail(request, ERR_NO_MEMORY, NULL);
}

void auth_leave(struct request *request)
{
    struct caller *caller = request_user(request);
    if (caller)
        workspace_release(caller->workspace);
}

struct workspace *auth_workspace(struct request *request)
{
    return ((struct caller *)request_user(request))->workspace;
}
