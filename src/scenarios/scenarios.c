#include "scenarios/internal.h"

#define PROJECT "/api/projects/{projectId}/scenarios"

const struct route scenario_routes[] = {
    {"GET", PROJECT, "listScenarios", scenario_list_handler, false},
    {"POST", PROJECT, "createScenario", scenario_create_handler, .takes_body = true},
    {"GET", PROJECT "/{id}", "getScenario", scenario_get_handler, false},
    {"PUT", PROJECT "/{id}", "updateScenario", scenario_update_handler, .takes_body = true},
    {"DELETE", PROJECT "/{id}", "deleteScenario", scenario_delete_handler, false},
};
const size_t scenario_route_count = sizeof scenario_routes / sizeof *scenario_routes;

/* Whoever reads a scenario, changes it and puts it back does nothing wrong. */
static const char *const echoes[] = {"id", "createdAt", "updatedAt", NULL};

static const struct route_fields bodies[] = {
    {"createScenario", scenario_fields, &scenario_field_count, NULL},
    {"updateScenario", scenario_fields, &scenario_field_count, echoes},
};

/* What comes before every handler. */
static void intercept(struct request *request)
{
    const struct hook *hook = &((struct scenarios *)request_api(request)->context)->intercept;
    if (hook->call)
        hook->call(hook->context, request, project_subject(request));
    else
        request_handle(request);
}

void scenarios_init(struct scenarios *scenarios, struct engine *engine, bool strict_projects)
{
    static const char *const roots[] = {"api", NULL};
    *scenarios = (struct scenarios){.engine = engine, .strict_projects = strict_projects};
    scenarios->api = (struct api){.name = "scenarios",
                                  .roots = roots,
                                  .routes = scenario_routes,
                                  .route_count = scenario_route_count,
                                  .outcomes = scenario_outcomes,
                                  .outcome_count = scenario_outcome_count,
                                  .bodies = bodies,
                                  .body_count = sizeof bodies / sizeof *bodies,
                                  .context = scenarios,
                                  .admit = project_admit,
                                  .deny = project_deny,
                                  .enter = intercept,
                                  .refuse = scenarios_refuse,
                                  .failure = scenarios_failure,
                                  .write_refusal = scenarios_write_refusal,
                                  .begin = project_begin,
                                  .leave = project_leave,
                                  .about = project_about};
}
