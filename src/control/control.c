#include "control/internal.h"

#include "http/problem.h"

const struct route control_routes[] = {
    {"GET", "/healthz", "getHealth", health_handler, false},
    {"GET", "/readyz", "getReadiness", readiness_handler, false},
    {"GET", "/openapi/{document}", "getOpenapiDocument", openapi_handler, false},
};
const size_t control_route_count = sizeof control_routes / sizeof *control_routes;

/* Under /w/{slug} the slug must be a workspace's, or there is no such path (H7). */
static bool admit(struct request *request, const struct route *route)
{
    const struct control *control = request_api(request)->context;
    const char *prefix = request_workspace_prefix(request);
    (void)route;
    if (!prefix)
        return true;
    struct workspace *workspace = registry_by_slug(engine_registry(control->engine), prefix);
    workspace_release(workspace);
    return workspace != NULL;
}

static void deny(struct request *request)
{
    problem_answer(request, 404, "not_found", "Not Found", "There is no workspace with this slug",
                   NULL);
}

/* A path that is nobody's is often the first one that somebody tries. */
static void refuse(struct request *request, const struct refusal *refusal)
{
    if (refusal->kind != REFUSED_NOT_FOUND) {
        problem_refuse(request, refusal);
        return;
    }
    problem_answer(request, 404, "not_found", "Not Found", refusal->detail,
                   "The APIs are under /rest/v1/scenario-studio and "
                   "/api/projects/{projectId}/scenarios; /openapi/studio.yaml and "
                   "/openapi/scenarios.yaml describe them");
}

void control_init(struct control *control, struct engine *engine)
{
    control->engine = engine;
    control->api = (struct api){.name = "control",
                                .routes = control_routes,
                                .route_count = control_route_count,
                                .context = control,
                                .admit = admit,
                                .deny = deny,
                                .refuse = refuse};
}
