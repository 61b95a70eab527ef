/* Authentication and limits (S1, S2, S3, S26): before the body is looked at, and before a path is
 * found unknown. */
#include "studio/internal.h"

#include "base/digest.h"
#include "base/log.h"
#include "base/time.h"
#include "engine/admin.h"
#include "engine/rates.h"
#include "http/problem.h"
#include "http/respond.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

enum denial {
    DENIED_NOT,
    DENIED_KEY,
    DENIED_INACTIVE,
    DENIED_RATE,
    DENIED_WORKSPACE,
    DENIED_MEMORY,
};

/* A workspace that a key makes on its first use (--open-keys). */
struct opening {
    struct workspace_make make;
    struct member_row everybody;
    request_handler *then;
};

/* What hangs off a request as its `user`. */
struct caller {
    struct workspace *workspace; /* NULL: none, or one that is yet to be made */
    enum denial denial;
    struct opening *opening;
    unsigned char key[KEY_HASH_SIZE];
    int64_t wait; /* DENIED_RATE: ms until the next request may come */
    struct rule_subject subject;
};

/* The key of "Bearer <key>", the scheme in any case; NULL where there is none that could be one. */
static const char *bearer_key(const char *authorization)
{
    if (!authorization || strncasecmp(authorization, "bearer ", 7) != 0)
        return NULL;
    const char *key = authorization + 7;
    key += strspn(key, " ");
    return api_key_looks_right(key) ? key : NULL;
}

/*
 * The caller's workspace by its key; under a /w/ prefix the key must be one of that workspace's,
 * unless its any_key is set.
 */
static struct workspace *identify(struct request *request, struct registry *registry,
                                  unsigned char ret_hash[KEY_HASH_SIZE])
{
    const char *key = bearer_key(request_authorization(request));
    const char *prefix = request_workspace_prefix(request);
    if (!key)
        return NULL;
    digest_sha256(key, strlen(key), ret_hash);
    struct workspace *workspace =
        prefix ? registry_by_slug(registry, prefix) : registry_by_key(registry, ret_hash);
    if (!workspace || !prefix || atomic_load(&workspace->any_key))
        return workspace;
    struct workspace *owner = registry_by_key(registry, ret_hash);
    workspace_release(owner);
    if (owner == workspace)
        return workspace;
    workspace_release(workspace);
    return NULL;
}

/* Whether the key has a request left, of those that the settings allow (S26). */
static bool has_request_left(struct request *request, struct registry *registry,
                             struct caller *caller)
{
    struct workspace_row row;
    struct workspace *workspace = caller->workspace;
    if (!atomic_load(&workspace->limited))
        return true;
    registry_read_row(registry, workspace, &row);
    return rates_take(workspace->rates, caller->key, &row.settings.rate,
                      strcmp(request_method(request), "POST") == 0, workspace_now(workspace),
                      &caller->wait);
}

static struct caller *new_caller(struct request *request)
{
    static struct caller without_memory = {.denial = DENIED_MEMORY};
    struct caller *caller = request_alloc(request, sizeof *caller);
    request_set_user(request, caller ? caller : &without_memory);
    return caller;
}

/*
 * Whether a request that belongs to no workspace may make one by its key, which nobody has: one
 * that is switched off is somebody's. A prefix names a workspace that is there, so none is made
 * under it.
 */
static bool may_open(struct request *request, struct registry *registry,
                     const unsigned char hash[KEY_HASH_SIZE])
{
    return studio_of(request)->open_keys && !request_workspace_prefix(request) &&
           bearer_key(request_authorization(request)) && !registry_knows_key(registry, hash);
}

bool auth_admit(struct request *request, const struct route *route)
{
    struct registry *registry = engine_registry(studio_of(request)->engine);
    struct caller *caller = new_caller(request);
    (void)route;
    if (!caller)
        return false;
    caller->workspace = identify(request, registry, caller->key);
    if (!caller->workspace) {
        if (may_open(request, registry, caller->key))
            return true;
        caller->workspace = identify(request, registry, caller->key); /* may be open by now */
    }
    if (!caller->workspace) {
        caller->denial = DENIED_KEY;
        return false;
    }
    if (!atomic_load(&caller->workspace->active))
        caller->denial = DENIED_INACTIVE;
    else if (!has_request_left(request, registry, caller))
        caller->denial = DENIED_RATE;
    return caller->denial == DENIED_NOT;
}

static void deny_rate(struct request *request, const struct caller *caller)
{
    char seconds[24];
    struct buf body = BUF_INIT;
    snprintf(seconds, sizeof seconds, "%lld", (long long)(caller->wait + 999) / 1000);
    respond_header(request, "Retry-After", seconds);
    studio_put_rate_error(&body, seconds);
    respond(request, 429, content_type_json, &body);
}

void auth_deny_key(struct request *request)
{
    respond_header(request, "WWW-Authenticate", "Bearer");
    studio_error(request, STUDIO_NO_KEY, "");
}

void auth_deny(struct request *request)
{
    const struct caller *caller = request_user(request);
    switch (caller->denial) {
    case DENIED_KEY:
        auth_deny_key(request);
        break;
    case DENIED_RATE:
        deny_rate(request, caller);
        break;
    case DENIED_INACTIVE:
        studio_error(request, STUDIO_INACTIVE, "");
        break;
    default:
        router_fail(request, ERR_NO_MEMORY, NULL);
    }
}

/* -- --open-keys: workspaces that are made by their keys ----------------------------------------
 */

static void open_key(struct request *request, struct opening *opening);

static void opened(struct request *request)
{
    struct caller *caller = request_user(request);
    struct opening *opening = caller->opening;
    const struct workspace_make *make = &opening->make;
    if (studio_failed(request, &make->operation))
        return;
    if (make->outcome == MAKE_SLUG_TAKEN || make->outcome == MAKE_PROJECT_TAKEN) {
        open_key(request, opening); /* which draws others */
        return;
    }
    if (make->outcome == MAKE_DONE)
        log_event(LOG_INFO, "workspace made by the first use of a key",
                  LOG_STR("workspace", make->row.slug), LOG_STR("last4", make->key.last4));
    /* Taken: by another request with this key, at the same time. */
    caller->workspace = registry_by_key(engine_registry(studio_of(request)->engine), caller->key);
    if (!caller->workspace) { /* deleted or switched off since */
        auth_deny_key(request);
        return;
    }
    rule_subject_begin(&caller->subject, caller->workspace);
    opening->then(request);
}

/* The workspace has a slug and a project that are drawn, and everybody is a member. */
static void open_key(struct request *request, struct opening *opening)
{
    struct workspace_make *make = &opening->make;
    struct workspace_row *row = &make->row;
    int64_t now = time_steady_ms();
    *make = (struct workspace_make){.key = {.active = true, .created_at = now},
                                    .members = &opening->everybody,
                                    .member_count = 1};
    opening->everybody = (struct member_row){.email = "*", .created_at = now};
    api_key_describe(bearer_key(request_authorization(request)), &make->key);
    *row = (struct workspace_row){.active = true, .created_at = now};
    id_hex(row->id);
    id_hex(row->project_id);
    snprintf(row->slug, sizeof row->slug, "%s", row->id);
    snprintf(row->name, sizeof row->name, "Key …%s", make->key.last4);
    workspace_make_init(make, studio_of(request)->engine);
    studio_submit(request, &make->operation, opened);
}

void auth_enter(struct request *request, request_handler *then)
{
    struct caller *caller = request_user(request);
    if (caller->workspace) {
        then(request);
        return;
    }
    if (request_is_head(request)) { /* has no side effects (H3): as in a new workspace */
        studio_error(request, STUDIO_NO_JOB, request_param(request, 0));
        return;
    }
    caller->opening = request_alloc(request, sizeof *caller->opening);
    if (!caller->opening) {
        router_fail(request, ERR_NO_MEMORY, NULL);
        return;
    }
    caller->opening->then = then;
    open_key(request, caller->opening);
}

/* -- pages ------------------------------------------------------------------------------------- */

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

void auth_begin(struct request *request)
{
    struct caller *caller = request_user(request);
    if (caller && caller->workspace)
        rule_subject_begin(&caller->subject, caller->workspace);
}

void auth_leave(struct request *request)
{
    struct caller *caller = request_user(request);
    if (!caller || !caller->workspace)
        return;
    rule_subject_finish(&caller->subject);
    workspace_release(caller->workspace);
}

struct workspace *auth_workspace(struct request *request)
{
    return ((struct caller *)request_user(request))->workspace;
}

struct rule_subject *auth_subject(struct request *request)
{
    return &((struct caller *)request_user(request))->subject;
}

void *auth_about(struct request *request)
{
    struct caller *caller = request_user(request);
    return caller ? &caller->subject : NULL;
}
