/*
 * Outcomes: how a name finds one, what is said to a name that is none (C2), and what the answers
 * say where nobody asks for them.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "control/outcomes.h"
#include "scenarios/internal.h"
#include "studio/internal.h"
#include "support.h"

static struct studio studio;
static struct scenarios scenarios;
static struct control control;
static const struct api *apis[3];

static void set_up(void)
{
    studio_init(&studio, NULL, NULL, false);
    scenarios_init(&scenarios, NULL, false);
    apis[0] = &studio.api;
    apis[1] = &scenarios.api;
    apis[2] = &studio.pages;
    control.options = (struct control_options){.apis = apis, .api_count = COUNT(apis)};
}

static const struct api *api_of(const char *operation)
{
    for (size_t i = 0; i < COUNT(apis); i++)
        for (size_t j = 0; j < apis[i]->route_count; j++)
            if (strcmp(apis[i]->routes[j].operation_id, operation) == 0)
                return apis[i];
    ck_abort_msg("no operation %s", operation);
    return NULL;
}

/* `found`: the outcome's own name; NULL: none. */
static const struct {
    const char *operation, *name, *found;
} finds[] = {
    {"createScenarioJob", "429", "429"},
    {"createScenarioJob", "createScenarioJob:429", "429"},
    {"createScenarioJob", "getScenarioJob:429", NULL},
    {"createScenarioJob", "400:user_not_found", "400:user_not_found"},
    {"createScenarioJob", "createScenarioJob:400:user_not_found", "400:user_not_found"},
    {"createScenarioJob", "201", "201"},
    {"createScenarioJob", "200", "200"},
    {"createScenarioJob", "404", "404"},
    {"createScenarioStudioSession", "201", NULL},
    {"createScenarioStudioSession", "200:existing", "200:existing"},
    {"createScenarioStudioSession", "400:field_too_long", NULL},
    {"getScenarioJob", "200:failed:GENERATION_ERROR", "200:failed:GENERATION_ERROR"},
    {"getScenarioJob", "400:user_not_found", NULL},
    {"cancelScenarioJob", "404:job_not_found", "404:job_not_found"},
    {"createScenario", "409", "409"},
    {"listScenarios", "409", NULL},
    {"listScenarios", "429", NULL},
    {"deleteScenario", "204", "204"},
    {"showScenario", "404", "404"},
    /* The first part of a name: the first that begins so. */
    {"createScenarioJob", "400", "400:missing_field"},
    {"createScenarioJob", "401", "401:invalid_api_key"},
    {"createScenarioJob", "503", "503:storage_busy"},
    {"getScenarioJob", "200", "200:queued"},
    {"getScenarioJob", "200:failed", "200:failed:GENERATION_ERROR"},
    {"getScenarioJob", "getScenarioJob:404", "404:job_not_found"},
    {"getScenarioJob", "400", "400:malformed_path"},
    /* Not any beginning, and nothing is none. */
    {"createScenarioJob", "4", NULL},
    {"createScenarioJob", "400:missing", NULL},
    {"createScenarioJob", "400:", NULL},
    {"createScenarioJob", "4000", NULL},
    {"createScenarioJob", "", NULL},
    {"createScenarioJob", "createScenarioJob", NULL},
    {"createScenarioJob", "createScenarioJob:", NULL},
    {"createScenario", "createScenarioJob:429", NULL}, /* one name begins another */
    {"getScenario", "getScenarioJob:404", NULL},
};

START_TEST(name_finds_the_outcome_of_its_operation)
{
    const struct outcome *outcome =
        outcome_find(api_of(finds[_i].operation), finds[_i].operation, finds[_i].name);
    if (!finds[_i].found) {
        ck_assert_msg(!outcome, "%s of %s finds %s", finds[_i].name, finds[_i].operation,
                      outcome ? outcome->name : "");
        return;
    }
    ck_assert_msg(outcome != NULL, "%s of %s", finds[_i].name, finds[_i].operation);
    ck_assert_str_eq(outcome->name, finds[_i].found);
}
END_TEST

/* `detail` NULL: it is fine; `hint`: how it begins. */
static const struct {
    const char *operation, *name, *detail, *hint;
} checks[] = {
    {NULL, "429", NULL, NULL},
    {NULL, "createScenarioJob:429", NULL, NULL},
    {NULL, "409", NULL, NULL},
    {NULL, "503", NULL, NULL},
    {"createScenarioJob", "429", NULL, NULL},
    {"createScenarioJob", "createScenarioJob:400:user_not_found", NULL, NULL},
    {NULL, "400:user_not_fuond", "There is no outcome \"400:user_not_fuond\"",
     "did you mean \"400:user_not_found\"?"},
    {NULL, "createScenarioJob:400:user_not_fuond",
     "There is no outcome \"createScenarioJob:400:user_not_fuond\"",
     "did you mean \"400:user_not_found\"?"},
    {NULL, "createScenaroiJob:429", "There is no outcome \"createScenaroiJob:429\"",
     "did you mean \"createScenarioJob\"?"},
    {NULL, "getScenarioJob:409", "There is no outcome \"getScenarioJob:409\"",
     "did you mean \"429\"?"},
    {NULL, "too many", "There is no outcome \"too many\"", "known here: 200, 200:existing, 400:"},
    {NULL, "", "There is no outcome \"\"", "known here: 200, "},
    {NULL, "listJobs:200:whatever", "There is no outcome \"listJobs:200:whatever\"",
     "known here: createScenarioStudioSession, createScenarioJob, "},
    {"getScenarioJob", "createScenarioJob:429",
     "There is no outcome \"createScenarioJob:429\" of getScenarioJob", "did you mean \"429\"?"},
    {"listScenarios", "teapot", "There is no outcome \"teapot\" of listScenarios",
     "known here: 200, 200:empty, 404:"},
};

START_TEST(unknown_name_is_told_with_what_is_meant)
{
    struct buf detail = BUF_INIT, hint = BUF_INIT;
    bool fine = outcome_check(&control, checks[_i].operation, checks[_i].name, &detail, &hint);
    ck_assert_int_eq(fine, checks[_i].detail == NULL);
    if (checks[_i].detail) {
        ck_assert_str_eq(detail.data, checks[_i].detail);
        ck_assert_msg(strncmp(hint.data, checks[_i].hint, strlen(checks[_i].hint)) == 0, "%s",
                      hint.data);
    } else {
        ck_assert_ptr_null(detail.data);
        ck_assert_ptr_null(hint.data);
    }
    buf_finish(&detail);
    buf_finish(&hint);
}
END_TEST

/* A name in a list that is not an operation's would never be found. */
START_TEST(rows_name_operations_of_their_api)
{
    for (size_t i = 0; i < COUNT(apis); i++)
        for (size_t j = 0; j < apis[i]->outcome_count; j++)
            for (const char *const *own = apis[i]->outcomes[j].operations; *own; own++)
                ck_assert_msg(api_of(*own) == apis[i], "%s", *own);
}
END_TEST

START_TEST(rows_begin_with_their_status)
{
    for (size_t i = 0; i < COUNT(apis); i++)
        for (size_t j = 0; j < apis[i]->outcome_count; j++) {
            const struct outcome *outcome = &apis[i]->outcomes[j];
            char *end;
            ck_assert_int_eq(strtol(outcome->name, &end, 10), outcome->status);
            ck_assert_msg(!*end || *end == ':', "%s", outcome->name);
            ck_assert_msg(*outcome->basis && *outcome->rule && *outcome->about, "%s",
                          outcome->name);
        }
}
END_TEST

static const char *header_of(const struct outcome_reply *reply, const char *name)
{
    for (size_t i = 0; i < reply->header_count; i++)
        if (strcmp(reply->headers[i].name, name) == 0)
            return reply->headers[i].value;
    return NULL;
}

static void write_sample(const char *operation, const char *name, int64_t retry_after,
                         struct outcome_reply *ret_reply)
{
    struct outcome_call call = {
        .api = api_of(operation), .operation = operation, .retry_after = retry_after};
    call.outcome = outcome_find(call.api, operation, name);
    ck_assert_ptr_nonnull(call.outcome);
    outcome_write(&call, ret_reply);
    ck_assert(!buf_failed(&ret_reply->body));
}

START_TEST(retry_after_is_what_the_rule_says)
{
    struct outcome_reply reply;
    write_sample("createScenarioJob", "429", 7, &reply);
    ck_assert_str_eq(header_of(&reply, "Retry-After"), "7");
    ck_assert_str_eq(reply.body.data,
                     "{\"error\":{\"type\":\"rate_limited\",\"message\":\"Rate limit "
                     "exceeded\",\"retry_after\":7}}");
    outcome_reply_finish(&reply);
    write_sample("createScenarioJob", "429", 0, &reply);
    ck_assert_str_eq(header_of(&reply, "Retry-After"), "0");
    outcome_reply_finish(&reply);
    write_sample("createScenarioJob", "429", -1, &reply);
    ck_assert_str_eq(header_of(&reply, "Retry-After"), "30");
    outcome_reply_finish(&reply);
    write_sample("listScenarios", "503:overloaded", 9, &reply);
    ck_assert_str_eq(header_of(&reply, "Retry-After"), "9");
    outcome_reply_finish(&reply);
    write_sample("listScenarios", "503:overloaded", -1, &reply);
    ck_assert_str_eq(header_of(&reply, "Retry-After"), "1");
    outcome_reply_finish(&reply);
}
END_TEST

START_TEST(headers_belong_to_the_outcome)
{
    struct outcome_reply reply;
    write_sample("getScenarioJob", "401", -1, &reply);
    ck_assert_str_eq(header_of(&reply, "WWW-Authenticate"), "Bearer");
    ck_assert_ptr_null(header_of(&reply, "Retry-After"));
    outcome_reply_finish(&reply);
    write_sample("getScenarioJob", "405", -1, &reply);
    ck_assert_str_eq(header_of(&reply, "Allow"), "GET, HEAD, DELETE");
    outcome_reply_finish(&reply);
    write_sample("createScenario", "405", -1, &reply);
    ck_assert_str_eq(header_of(&reply, "Allow"), "GET, HEAD, POST");
    outcome_reply_finish(&reply);
    write_sample("deleteScenario", "204", -1, &reply);
    ck_assert_ptr_null(reply.content_type);
    ck_assert_uint_eq(reply.body.len, 0);
    outcome_reply_finish(&reply);
}
END_TEST

int main(void)
{
    set_up();
    Suite *suite = suite_create("outcomes");
    TCase *names = tcase_create("C2: names");
    tcase_add_loop_test(names, name_finds_the_outcome_of_its_operation, 0, (int)COUNT(finds));
    tcase_add_loop_test(names, unknown_name_is_told_with_what_is_meant, 0, (int)COUNT(checks));
    tcase_add_test(names, rows_name_operations_of_their_api);
    tcase_add_test(names, rows_begin_with_their_status);
    suite_add_tcase(suite, names);
    TCase *answers = tcase_create("H3, H6, S1, S26: answers");
    tcase_add_test(answers, retry_after_is_what_the_rule_says);
    tcase_add_test(answers, headers_belong_to_the_outcome);
    suite_add_tcase(suite, answers);
    return support_run(suite);
}
