#include "studio/internal.h"

#include "http/problem.h"

#include <stdio.h>
#include <string.h>

const struct route studio_routes[] = {
    {"POST", "/rest/v1/scenario-studio", "createScenarioStudioSession", session_create_handler,
     .takes_body = true},
    {"POST", "/rest/v1/scenario-studio/jobs", "createScenarioJob", job_create_handler,
     .takes_body = true},
    {"GET", "/rest/v1/scenario-studio/jobs/{job_id}", "getScenarioJob", job_get_handler, false},
    {"DELETE", "/rest/v1/scenario-studio/jobs/{job_id}", "cancelScenarioJob", job_cancel_handler,
     false},
};
const size_t studio_route_count = sizeof studio_routes / sizeof *studio_routes;

static const struct route_fields bodies[] = {
    {"createScenarioStudioSession", session_fields, &session_field_count, NULL},
    {"createScenarioJob", job_fields, &job_field_count, NULL},
};

const struct route page_routes[] = {
    {"GET", "/chat/{id}", "openChat", chat_handler, false},
    {"GET", "/scenarios/{slug}", "showScenario", scenario_handler, false},
};
const size_t page_route_count = sizeof page_routes / sizeof *page_routes;

/* What comes before every handler. */
static void intercept(struct request *request)
{
    const struct hook *hook = &studio_of(request)->intercept;
    if (hook->call)
        hook->call(hook->context, request, auth_subject(request));
    else
        request_handle(request);
}

/* The same of /rest, whose workspace may have to be made first. */
static void enter(struct request *request)
{
    auth_enter(request, intercept);
}

void studio_init(struct studio *studio, struct engine *engine, const char *public_url,
                 bool open_keys)
{
    static const char *const rest[] = {"rest", NULL};
    static const char *const pages[] = {"chat", "scenarios", NULL};
    *studio = (struct studio){.engine = engine, .public_url = public_url, .open_keys = open_keys};
    studio->api = (struct api){.name = "studio",
                               .roots = rest,
                               .routes = studio_routes,
                               .route_count = studio_route_count,
                               .outcomes = studio_outcomes,
                               .outcome_count = studio_outcome_count,
                               .bodies = bodies,
                               .body_count = sizeof bodies / sizeof *bodies,
                               .context = studio,
                               .admit = auth_admit,
                               .deny = auth_deny,
                               .enter = enter,
                               .refuse = studio_refuse,
                               .failure = studio_failure,
                               .write_refusal = studio_write_refusal,
                               .begin = auth_begin,
                               .leave = auth_leave,
                               .about = auth_about};
    studio->pages = (struct api){.name = "studio",
                                 .roots = pages,
                                 .routes = page_routes,
                                 .route_count = page_route_count,
                                 .outcomes = page_outcomes,
                                 .outcome_count = page_outcome_count,
                                 .context = studio,
                                 .admit = page_admit,
                                 .deny = page_deny,
                                 .enter = intercept,
                                 .refuse = problem_refuse,
                                 .begin = auth_begin,
                                 .leave = auth_leave,
                                 .about = auth_about};
}

struct studio *studio_of(struct request *request)
{
    return request_api(request)->context;
}

int studio_find_base(struct request *request, char ret_base[URL_BASE_SIZE])
{
    const struct studio *studio = studio_of(request);
    const struct workspace *workspace = auth_workspace(request);
    struct workspace_row row;
    struct buf base = BUF_INIT;

    registry_read_row(engine_registry(studio->engine), workspace, &row);
    if (*row.settings.public_url)
        buf_puts(&base, row.settings.public_url);
    else if (studio->public_url)
        buf_puts(&base, studio->public_url);
    else
        request_base(request, &base);
    if (strcmp(workspace->row.id, DEFAULT_WORKSPACE) != 0)
        buf_printf(&base, "/w/%s", workspace->row.slug);
    int status = buf_failed(&base) ? ERR_NO_MEMORY : 0;
    if (status == 0)
        snprintf(ret_base, URL_BASE_SIZE, "%s",
                 base.data); /* of a Host at most 300 bytes, of --public-url 400 */
    buf_finish(&base);
    return status;
}

bool studio_base(struct request *request, char ret_base[URL_BASE_SIZE])
{
    int status = studio_find_base(request, ret_base);
    if (status < 0)
        router_fail(request, status, NULL);
    return status == 0;
}

struct db *studio_reader(struct request *request)
{
    struct err err;
    struct db *db = store_reader(engine_store(studio_of(request)->engine), &err);
    if (!db)
        router_fail(request, ERR_IO, err.text);
    return db;
}

static void wake(void *request)
{
    request_resume(request);
}

void studio_operate(struct request *request, struct operation *operation,
                    int (*run)(struct write *write, struct db *db), request_handler *then)
{
    operation_init(operation, studio_of(request)->engine, auth_workspace(request), run);
    studio_submit(request, operation, then);
}

void studio_submit(struct request *request, struct operation *operation, request_handler *then)
{
    request_suspend(request, then);
    operation_submit(operation, wake, request);
}

bool studio_failed(struct request *request, const struct operation *operation)
{
    if (operation->status == 0)
        return false;
    if (operation->status == ERR_GONE) /* its keys are gone as well */
        auth_deny_key(request);
    else
        router_fail(request, operation->status, NULL);
    return true;
}
