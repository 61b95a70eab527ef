/*
 * Whose project it is (E10). Under /w/{slug} every project is that workspace's own. Without a
 * prefix a workspace's project_id belongs to it, and every other project to `default`.
 */
#include "scenarios/internal.h"

#include <string.h>

enum denial { DENIED_NOT, DENIED_WORKSPACE, DENIED_PROJECT, DENIED_MEMORY };

/* What hangs off a request as its `user`. */
struct owner {
    struct workspace *workspace;
    const char *project;
    enum denial denial;
    struct rule_subject subject;
};

static const struct scenarios *scenarios_of(struct request *request)
{
    return request_api(request)->context;
}

static void find_owner(struct request *request, struct owner *owner)
{
    const struct scenarios *scenarios = scenarios_of(request);
    struct registry *registry = engine_registry(scenarios->engine);
    const char *prefix = request_workspace_prefix(request);
    bool is_own;

    if (prefix) {
        owner->workspace = registry_by_slug(registry, prefix);
        is_own = owner->workspace && strcmp(owner->workspace->row.project_id, owner->project) == 0;
    } else {
        owner->workspace = registry_by_project(registry, owner->project);
        is_own = owner->workspace != NULL;
        if (!is_own)
            owner->workspace = registry_default(registry);
    }
    if (!owner->workspace)
        owner->denial = DENIED_WORKSPACE;
    else if (scenarios->strict_projects && !is_own)
        owner->denial = DENIED_PROJECT;
}

bool project_admit(struct request *request, const struct route *route)
{
    static struct owner without_memory = {.denial = DENIED_MEMORY};
    if (!route)
        return true; /* an unknown path has no project; it is refused as such */
    struct owner *owner = request_alloc(request, sizeof *owner);
    request_set_user(request, owner ? owner : &without_memory);
    if (!owner)
        return false;
    owner->project = request_param(request, 0);
    find_owner(request, owner);
    return owner->denial == DENIED_NOT;
}

void project_deny(struct request *request)
{
    const struct owner *owner = request_user(request);
    switch (owner->denial) {
    case DENIED_WORKSPACE:
        scenarios_error(request, SCENARIOS_NO_WORKSPACE, request_workspace_prefix(request));
        break;
    case DENIED_PROJECT:
        scenarios_error(request, SCENARIOS_NO_PROJECT, owner->project);
        break;
    default:
        router_fail(request, ERR_NO_MEMORY, NULL);
    }
}

void project_begin(struct request *request)
{
    struct owner *owner = request_user(request);
    if (owner && owner->workspace)
        rule_subject_begin(&owner->subject, owner->workspace);
}

void project_leave(struct request *request)
{
    struct owner *owner = request_user(request);
    if (!owner || !owner->workspace)
        return;
    rule_subject_finish(&owner->subject);
    workspace_release(owner->workspace);
}

struct workspace *project_workspace(struct request *request)
{
    return ((struct owner *)request_user(request))->workspace;
}

struct rule_subject *project_subject(struct request *request)
{
    return &((struct owner *)request_user(request))->subject;
}

void *project_about(struct request *request)
{
    struct owner *owner = request_user(request);
    return owner ? &owner->subject : NULL;
}
