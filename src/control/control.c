#include "control/internal.h"

#include "http/problem.h"

const struct route control_routes[] = {
    {"GET", "/healthz", "getHealth", health_handler, false},
    {"GET", "/readyz", "getReadiness", readiness_handler, false},
    {"GET", "/openapi/{document}", "getOpenapiDocument", openapi_handler, false},
};
const size_t control_route_count = sizeof control_routes / sizeof *control_routes;

void control_init(struct control *control)
{
    atomic_init(&control->stopping, false);
    control->api = (struct api){.name = "control",
                                .routes = control_routes,
                                .route_count = control_route_count,
                                .context = control,
                                .refuse = problem_refuse};
}
