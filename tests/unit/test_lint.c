/*
 * Findings about a client: which paths are nearly one of the APIs' and which are something else's
 * (H3, H4), which names of fields are slips of the fingers (S11, E8), what counts as JSON (E11);
 * and that each finding has its words.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "control/lint.h"
#include "control/lint_look.h"
#include "control/lint_path.h"
#include "scenarios/internal.h"
#include "studio/internal.h"
#include "support.h"

static struct studio studio;
static struct scenarios scenarios;
static const struct api *apis[3];

static void set_up(void)
{
    studio_init(&studio, NULL, NULL, false);
    scenarios_init(&scenarios, NULL, false);
    apis[0] = &studio.api;
    apis[1] = &studio.pages;
    apis[2] = &scenarios.api;
}

#define STUDIO    "/rest/v1/scenario-studio"
#define JOBS      STUDIO "/jobs"
#define PROJECT   "/api/projects/{projectId}/scenarios"
#define A_PROJECT "/api/projects/p/scenarios"

/* `shown` NULL: as it is; `meant` NULL: it is near none. */
static const struct {
    const char *method, *path, *shown, *meant;
} paths[] = {
    /* slashes */
    {"POST", JOBS "/", NULL, JOBS},
    {"GET", JOBS "/abc/", JOBS "/{job_id}/", JOBS "/{job_id}"},
    {"POST", "//rest/v1/scenario-studio", NULL, STUDIO},
    {"POST", "/rest//v1/scenario-studio", NULL, STUDIO},
    {"GET", A_PROJECT "/", PROJECT "/", PROJECT},
    {"GET", "/scenarios/its-slug/", "/scenarios/{slug}/", "/scenarios/{slug}"},
    /* nothing where an id belongs */
    {"GET", JOBS "/", NULL, JOBS "/{job_id}"},
    {"DELETE", JOBS "/", NULL, JOBS "/{job_id}"},
    {"PUT", A_PROJECT "/", PROJECT "/", PROJECT "/{id}"},
    {"GET", "/api/projects//scenarios", NULL, PROJECT},
    /* case, - and _ */
    {"POST", "/REST/v1/Scenario-Studio/JOBS", NULL, JOBS},
    {"POST", "/rest/v1/scenario_studio/jobs", NULL, JOBS},
    /* letters */
    {"POST", "/rest/v1/scenario-studio/job", NULL, JOBS},
    {"GET", "/rest/v1/scenario-studio/job/x", "/rest/v1/scenario-studio/job/{job_id}",
     JOBS "/{job_id}"},
    {"POST", "/rest/v1/scenarios-studio", NULL, STUDIO},
    {"GET", "/api/project/p/scenarios", "/api/project/{projectId}/scenarios", PROJECT},
    {"GET", "/api/projects/p/scenario/7", "/api/projects/{projectId}/scenario/{id}",
     PROJECT "/{id}"},
    /* another beginning */
    {"POST", "/rest/scenario-studio/jobs", NULL, JOBS},
    {"POST", "/scenario-studio", NULL, STUDIO},
    {"POST", "/v1/scenario-studio/jobs", NULL, JOBS},
    {"POST", "/api/v1/scenario-studio/jobs", NULL, JOBS},
    {"POST", "/rest/v1/rest/v1/scenario-studio/jobs", NULL, JOBS},
    {"POST", "/rest/v2/scenario-studio/jobs", NULL, JOBS},
    {"GET", "/projects/p/scenarios", "/projects/{projectId}/scenarios", PROJECT},
    {"GET", "/api/v1/projects/p/scenarios/7", "/api/v1/projects/{projectId}/scenarios/{id}",
     PROJECT "/{id}"},

    /* their own, if with another method */
    {"GET", JOBS, NULL, NULL},
    {"PATCH", JOBS "/abc", NULL, NULL},
    {"POST", A_PROJECT "/7", NULL, NULL},
    /* what the real service may well have, or anybody asks for */
    {"GET", "/", NULL, NULL},
    {"GET", "", NULL, NULL},
    {"GET", "/favicon.ico", NULL, NULL},
    {"GET", "/robots.txt", NULL, NULL},
    {"GET", "/health", NULL, NULL},
    {"GET", "/rest/v1", NULL, NULL},
    {"GET", "/rest/v1/members", NULL, NULL},
    {"GET", "/rest/v1/groups/7", NULL, NULL},
    {"GET", "/rest/v1/scenarios", NULL, NULL},
    {"GET", "/rest/v1/scenarios/its-slug", NULL, NULL},
    {"GET", "/rest/v1/jobs/abc", NULL, NULL},
    {"GET", JOBS "/abc/events", NULL, NULL},
    {"GET", STUDIO "/sessions", NULL, NULL},
    {"GET", "/api/projects", NULL, NULL},
    {"GET", "/api/projects/p", NULL, NULL},
    {"GET", "/api/projects/p/", NULL, NULL},
    {"GET", "/api/projects/p/personas", NULL, NULL},
    {"GET", A_PROJECT "/7/runs", NULL, NULL},
    {"GET", "/api/scenarios/7", NULL, NULL},
    {"GET", "/scenarios", NULL, NULL},
    {"GET", "/chat", NULL, NULL},
    {"GET", "/w/nobody/rest/v1/scenario-studio", NULL, NULL},
    {"GET", "/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17", NULL, NULL},
    {"GET", "/scenario-studio/%ff", NULL, NULL},
};

START_TEST(near_paths)
{
    const char *path = paths[_i].path, *meant = paths[_i].meant;
    struct buf shown_text = BUF_INIT, meant_text = BUF_INIT;
    bool found =
        lint_path_meant(apis, COUNT(apis), paths[_i].method, path, &shown_text, &meant_text);
    ck_assert_msg(found == (meant != NULL), "%s %s: %s", paths[_i].method, path,
                  found ? meant_text.data : "near none");
    ck_assert_int_eq(lint_path_meant(apis, COUNT(apis), paths[_i].method, path, NULL, NULL), found);
    if (found) {
        ck_assert_str_eq(meant_text.data, meant);
        ck_assert_str_eq(shown_text.data, paths[_i].shown ? paths[_i].shown : path);
    }
    buf_finish(&shown_text);
    buf_finish(&meant_text);
}
END_TEST

/* -- fields ------------------------------------------------------------------------------------ */

/* `told`: the members that are unknown, each with what was meant. */
static const struct {
    const char *operation, *body, *told;
} bodies[] = {
    {"createScenarioJob",
     "{\"user_email\":1,\"prompt\":2,\"context\":3,\"scenario_slug\":4,"
     "\"request_id\":5,\"callback_url\":6,\"callback_headers\":{\"x\":7}}",
     ""},
    {"createScenarioJob", "{\"callbackUrl\":1,\"user-email\":1,\"Prompt\":1}",
     "callbackUrl=callback_url user-email=user_email Prompt=prompt "},
    {"createScenarioJob", "{\"promt\":1,\"contxet\":1,\"email\":1,\"metadata\":1,\"x\":1,\"\":1}",
     "promt=prompt contxet=context email= metadata= x= = "},
    /* what is there already was not meant */
    {"createScenarioJob", "{\"prompt\":1,\"prompts\":1}", "prompts= "},
    {"createScenarioStudioSession", "{\"callback_url\":1,\"context\":1,\"requestId\":1}",
     "callback_url= context= requestId=request_id "},
    {"createScenario", "{\"name\":1,\"max_messages\":1,\"personas\":1,\"messages\":[{\"x\":1}]}",
     "max_messages=maxMessages personas=personaIds "},
    {"createScenario", "{\"id\":1,\"createdAt\":1,\"updatedAt\":1}", "id= createdAt= updatedAt= "},
    {"updateScenario", "{\"id\":1,\"createdAt\":1,\"updatedAt\":1,\"version\":1}", "version= "},
};

static void tell(void *arg, const char *name, const char *meant)
{
    buf_printf(arg, "%s=%s ", name, meant ? meant : "");
}

START_TEST(unknown_fields)
{
    struct buf told = BUF_INIT;
    json_t *body = json_loads(bodies[_i].body, 0, NULL);
    const struct route_fields *fields = lint_fields(apis, COUNT(apis), bodies[_i].operation);
    ck_assert_ptr_nonnull(fields);
    lint_each_unknown(fields, body, tell, &told);
    ck_assert_str_eq(told.data ? told.data : "", bodies[_i].told);
    buf_finish(&told);
    json_decref(body);
}
END_TEST

START_TEST(operations_without_fields)
{
    static const char *const operations[] = {"getScenarioJob", "listScenarios", "openChat",
                                             "resetWorkspace", NULL};
    for (size_t i = 0; operations[i]; i++)
        ck_assert_ptr_null(lint_fields(apis, COUNT(apis), operations[i]));
    ck_assert_ptr_null(lint_fields(apis, COUNT(apis), NULL));
}
END_TEST

/* -- the rest ---------------------------------------------------------------------------------- */

START_TEST(content_types)
{
    static const char *const json[] = {"application/json",
                                       "Application/JSON",
                                       "application/json; charset=utf-8",
                                       "application/json;charset=latin1",
                                       "application/json ; profile=\"x\"",
                                       NULL};
    static const char *const others[] = {"text/plain",
                                         "application/x-www-form-urlencoded",
                                         "multipart/form-data; boundary=x",
                                         "application/jsonp",
                                         "application/json-patch+json",
                                         "text/json",
                                         NULL};
    for (size_t i = 0; json[i]; i++)
        ck_assert_msg(lint_is_json(json[i]), "%s", json[i]);
    for (size_t i = 0; others[i]; i++)
        ck_assert_msg(!lint_is_json(others[i]), "%s", others[i]);
}
END_TEST

START_TEST(words)
{
    for (int i = 0; i < FINDINGS; i++) {
        const struct lint_kind *kind = &lint_kinds[i];
        ck_assert_ptr_nonnull(finding_names[i]);
        ck_assert_uint_gt(strlen(kind->what), 10);
        ck_assert_uint_gt(strlen(kind->why), 20);
        ck_assert(!kind->real_clock_only || kind->severity == LINT_INFO);
        if (i < REQUEST_FINDINGS)
            ck_assert_str_eq(finding_request_names[i], finding_names[i]);
        for (int j = 0; j < i; j++)
            ck_assert_str_ne(finding_names[i], finding_names[j]);
    }
    ck_assert_ptr_null(finding_names[FINDINGS]);
    ck_assert_ptr_null(finding_request_names[REQUEST_FINDINGS]);
    ck_assert_int_le(FINDINGS, 64);
}
END_TEST

int main(void)
{
    set_up();
    Suite *suite = suite_create("lint");
    TCase *near = tcase_create("H4: paths");
    tcase_add_loop_test(near, near_paths, 0, (int)COUNT(paths));
    suite_add_tcase(suite, near);
    TCase *fields = tcase_create("S11, E8, E11: bodies");
    tcase_add_loop_test(fields, unknown_fields, 0, (int)COUNT(bodies));
    tcase_add_test(fields, operations_without_fields);
    tcase_add_test(fields, content_types);
    suite_add_tcase(suite, fields);
    TCase *kinds = tcase_create("words");
    tcase_add_test(kinds, words);
    suite_add_tcase(suite, kinds);
    return support_run(suite);
}
