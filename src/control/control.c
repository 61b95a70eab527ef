#include "control/internal.h"

#include "control/outcome_of.h"
#include "http/problem.h"

const struct route control_routes[] = {
    {"GET", "/healthz", "getHealth", health_handler, false},
    {"GET", "/readyz", "getReadiness", readiness_handler, false},
    {"GET", "/openapi/{document}", "getOpenapiDocument", openapi_handler, false},
};
const size_t control_route_count = sizeof control_routes / sizeof *control_routes;

#define WORKSPACE "/_mock/workspaces/{workspace}"
#define INBOX     "/_mock/inbox/{inbox}"

const struct route mock_routes[] = {
    {"GET", "/_mock/workspaces", "listWorkspaces", workspace_list_handler, false},
    {"POST", "/_mock/workspaces", "createWorkspace", workspace_create_handler, BODY_LARGE},
    {"GET", WORKSPACE, "getWorkspace", workspace_get_handler, false},
    {"PUT", WORKSPACE, "ensureWorkspace", workspace_put_handler, BODY_LARGE},
    {"PATCH", WORKSPACE, "updateWorkspace", workspace_patch_handler, true},
    {"DELETE", WORKSPACE, "deleteWorkspace", workspace_delete_handler, false},
    {"GET", "/_mock/keys", "listKeys", key_list_handler, false},
    {"POST", "/_mock/keys", "createKey", key_create_handler, true},
    {"PATCH", "/_mock/keys/{key}", "updateKey", key_patch_handler, true},
    {"DELETE", "/_mock/keys/{key}", "deleteKey", key_delete_handler, false},
    {"GET", "/_mock/members", "listMembers", member_list_handler, false},
    {"POST", "/_mock/members", "createMember", member_create_handler, true},
    {"DELETE", "/_mock/members/{email}", "deleteMember", member_delete_handler, false},
    {"GET", "/_mock/settings", "getSettings", settings_get_handler, false},
    {"PATCH", "/_mock/settings", "updateSettings", settings_patch_handler, true},
    {"GET", "/_mock/state", "getState", state_get_handler, false},
    {"PUT", "/_mock/state", "replaceState", state_put_handler, BODY_LARGE},
    {"POST", "/_mock/reset", "resetWorkspace", reset_handler, true},
    {"GET", "/_mock/clock", "getClock", clock_get_handler, false},
    {"PUT", "/_mock/clock", "setClock", clock_put_handler, true},
    {"POST", "/_mock/clock/advance", "advanceClock", clock_advance_handler, true},
    {"POST", "/_mock/scenarios", "createSourceScenario", source_create_handler, true},
    {"GET", "/_mock/jobs", "listJobs", mock_job_list_handler, false},
    {"GET", "/_mock/jobs/{job}", "getJob", mock_job_get_handler, false},
    {"GET", "/_mock/jobs/{job}/timeline", "getJobTimeline", job_timeline_handler, false},
    {"POST", "/_mock/jobs/{job}/transition", "transitionJob", job_transition_handler, true},
    {"POST", "/_mock/jobs/{job}/release", "releaseJob", job_release_handler, true},
    {"GET", "/_mock/webhooks", "listWebhooks", webhook_list_handler, false},
    {"GET", "/_mock/webhooks/{webhook}", "getWebhook", webhook_get_handler, false},
    {"POST", "/_mock/webhooks/{webhook}/redeliver", "redeliverWebhook", webhook_redeliver_handler,
     true},
    {"POST", "/_mock/webhooks/{webhook}/release", "releaseWebhook", webhook_release_handler, true},
    {"POST", "/_mock/wait", "waitUntilSettled", settle_handler, true},
    {"POST", "/_mock/verify", "verifyRequests", verify_handler, true},
    {"GET", "/_mock/rules", "listRules", rule_list_handler, false},
    {"POST", "/_mock/rules", "createRule", rule_create_handler, true},
    {"DELETE", "/_mock/rules", "deleteRules", rules_delete_handler, false},
    {"GET", "/_mock/rules/{rule}", "getRule", rule_get_handler, false},
    {"DELETE", "/_mock/rules/{rule}", "deleteRule", rule_delete_handler, false},
    {"POST", INBOX, "postToInbox", inbox_post_handler, BODY_TAKEN},
    {"GET", INBOX, "listInbox", inbox_list_handler, false},
    {"DELETE", INBOX, "emptyInbox", inbox_empty_handler, false},
    {"GET", INBOX "/replies", "getInboxReplies", inbox_replies_get_handler, false},
    {"PUT", INBOX "/replies", "setInboxReplies", inbox_replies_put_handler, true},
    {"GET", "/_mock/events", "listEvents", event_list_handler, false},
    {"GET", "/_mock/requests", "listRequests", mock_request_list_handler, false},
    {"DELETE", "/_mock/requests", "deleteRequests", mock_requests_delete_handler, false},
    {"GET", "/_mock/requests/{request}", "getRequest", mock_request_get_handler, false},
    {"GET", "/_mock/report", "getReport", report_handler, false},
    {"GET", "/_mock/timeline", "getTimeline", timeline_handler, false},
    {"GET", "/_mock/lint", "listFindings", lint_handler, false},
    {"GET", "/_mock/info", "getInfo", info_handler, false},
    {"GET", "/_mock/outcomes", "listOutcomes", outcome_list_handler, false},
    {"GET", "/metrics", "getMetrics", metrics_handler, false},
};
const size_t mock_route_count = sizeof mock_routes / sizeof *mock_routes;

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

static void mock_refuse(struct request *request, const struct refusal *refusal)
{
    if (refusal->kind == REFUSED_NOT_FOUND)
        problem_answer(request, 404, "not_found", "Not Found", refusal->detail,
                       "/openapi/control.yaml describes what is under /_mock");
    else
        problem_refuse(request, refusal);
}

int control_init(struct control *control, struct engine *engine,
                 const struct control_options *options)
{
    static const char *const roots[] = {"_mock", "metrics", NULL};
    control->engine = engine;
    metrics_init(&control->metrics);
    control->options = *options;
    control->api = (struct api){.name = "control",
                                .routes = control_routes,
                                .route_count = control_route_count,
                                .context = control,
                                .admit = admit,
                                .deny = deny,
                                .refuse = refuse};
    control->mock = (struct api){.name = "control",
                                 .roots = roots,
                                 .routes = mock_routes,
                                 .route_count = mock_route_count,
                                 .context = control,
                                 .admit = mock_admit,
                                 .deny = mock_deny,
                                 .refuse = mock_refuse,
                                 .leave = mock_leave};
    control->outcomes = outcome_index_create(options->apis, options->api_count);
    return control->outcomes ? 0 : ERR_NO_MEMORY;
}

void control_finish(struct control *control)
{
    outcome_index_destroy(control->outcomes);
    control->outcomes = NULL;
    metrics_finish(&control->metrics);
}
