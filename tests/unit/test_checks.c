/*
 * The checks of fields that go beyond a field's type: S6 (formats), E8 (the Scenarios API's) and
 * C2, C3, C9 (the control plane's), each at its bounds.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/email.h"
#include "control/internal.h"
#include "engine/check.h"
#include "engine/generator.h"
#include "scenarios/internal.h"
#include "store/plan.h"
#include "store/workspace.h"
#include "studio/check.h"
#include "support.h"

typedef bool check_function(const json_t *value);

static const struct {
    const char *what;
    check_function *check;
    const char *value; /* JSON, of a value of the field's type */
    bool is_right;
} cases[] = {
    {"slug", check_slug, "\"a\"", true},
    {"slug", check_slug, "\"0-z\"", true},
    {"slug", check_slug, "\"\"", false},
    {"slug", check_slug, "\"-a\"", false},
    {"slug", check_slug, "\"a-\"", false},
    {"slug", check_slug, "\"A\"", false},
    {"slug", check_slug, "\"a_b\"", false},
    {"slug", check_slug, "\"\\u00e9\"", false},

    {"project id", check_project_id, "\"Project_1.\\u00e9\"", true},
    {"project id", check_project_id, "\"\"", false},
    {"project id", check_project_id, "\"a b\"", false},
    {"project id", check_project_id, "\"a\\tb\"", false},
    {"project id", check_project_id, "\"a\\u007f\"", false},
    {"project id", check_project_id, "\"a/b\"", false},

    {"ttl", check_ttl, "\"1ms\"", true},
    {"ttl", check_ttl, "\"0s\"", false},
    {"ttl", check_ttl, "\"soon\"", false},

    {"member", check_member, "\"jane@acme.com\"", true},
    {"member", check_member, "\"*\"", true},
    {"member", check_member, "\"*@acme.com\"", true},
    {"member", check_member, "\"jane\"", false},
    {"member", check_member, "\"\"", false},
    {"member", check_member, "\"* @acme.com\"", false},
    {"member", check_member, "\"*\\u007f\"", false},
    {"member", check_member, "5", false}, /* a list's items come as they are */

    {"scenario slug", check_scenario_slug, "\"call-2\"", true},
    {"scenario slug", check_scenario_slug, "\"\"", false},
    {"scenario slug", check_scenario_slug, "\"-call\"", false},
    {"scenario slug", check_scenario_slug, "\"call-\"", false},
    {"scenario slug", check_scenario_slug, "\"Call\"", false},

    {"e-mail", check_email, "\"jane@acme.com\"", true},
    {"e-mail", check_email, "\"@acme.com\"", false},
    {"not empty", check_not_empty, "\"x\"", true},
    {"not empty", check_not_empty, "\"\"", false},

    {"wait", check_wait, "\"0s\"", true},
    {"wait", check_wait, "\"5m\"", true},
    {"wait", check_wait, "\"300001ms\"", false},
    {"wait", check_wait, "\"5\"", false},
    {"count", check_count, "1", true},
    {"count", check_count, "0", false},
    {"count", check_count, "-1", false},
    {"count", check_count, "1.0", true},
};

START_TEST(values_are_judged)
{
    json_t *value = json_loads(cases[_i].value, JSON_DECODE_ANY, NULL);
    ck_assert_ptr_nonnull(value);
    ck_assert_msg(cases[_i].check(value) == cases[_i].is_right, "%s: %s", cases[_i].what,
                  cases[_i].value);
    json_decref(value);
}
END_TEST

/* How many bytes each may have at the most; none of them may be empty. */
static const struct {
    const char *what;
    check_function *check;
    size_t most;
} lengths[] = {
    {"slug", check_slug, WORKSPACE_SLUG_SIZE - 1},
    {"project id", check_project_id, PROJECT_ID_SIZE - 1},
    {"name", check_name, WORKSPACE_NAME_SIZE - 1},
    {"run", check_run, RUN_SIZE - 1},
    {"scenario name", check_scenario_name, SCENARIO_NAME_SIZE - 1},
    {"scenario slug", check_scenario_slug, GENERATOR_SLUG_SIZE - 1},
    {"error code", check_error_code, ERROR_CODE_SIZE - 1},
    {"error message", check_error_message, ERROR_MESSAGE_SIZE - 1},
};

static bool judge_length(check_function *check, size_t len)
{
    cleanup(buf_finish) struct buf text = BUF_INIT;
    for (size_t i = 0; i < len; i++)
        buf_putc(&text, 'a');
    json_t *value = json_stringn(len ? text.data : "", len);
    bool is_right = check(value);
    json_decref(value);
    return is_right;
}

START_TEST(lengths_are_bounded)
{
    check_function *check = lengths[_i].check;
    size_t most = lengths[_i].most;
    ck_assert_msg(!judge_length(check, 0), "%s: empty", lengths[_i].what);
    ck_assert_msg(judge_length(check, 1), "%s: one byte", lengths[_i].what);
    ck_assert_msg(judge_length(check, most), "%s: %zu bytes", lengths[_i].what, most);
    ck_assert_msg(!judge_length(check, most + 1), "%s: %zu bytes", lengths[_i].what, most + 1);
}
END_TEST

START_TEST(pattern_is_as_short_as_an_address)
{
    char text[EMAIL_MAX + 2];
    memset(text, '*', sizeof text);
    for (size_t len = EMAIL_MAX; len <= EMAIL_MAX + 1; len++) {
        json_t *value = json_stringn(text, len);
        ck_assert_int_eq(check_member(value), len <= EMAIL_MAX);
        json_decref(value);
    }
}
END_TEST

/* E8: a field's name, a value of it, and whether it is right. */
static const struct {
    const char *field, *value;
    bool is_right;
} scenario_cases[] = {
    {"maxMessages", "1", true},
    {"maxMessages", "0", false},
    {"failureCriteriaMode", "\"on_max_messages\"", true},
    {"failureCriteriaMode", "\"every_turn\"", true},
    {"failureCriteriaMode", "\"On_max_messages\"", false},
    {"messages", "[]", true},
    {"messages", "[{\"role\":\"user\",\"content\":null}]", true},
    {"messages", "[{\"role\":\"user\",\"content\":[]},{\"role\":\"user\"}]", false},
    {"messages", "[{\"role\":5,\"content\":\"x\"}]", false},
    {"messages", "[{\"content\":\"x\"}]", false},
    {"messages", "[\"x\"]", false},
    {"messages", "[null]", false},
    {"evaluators", "[{},{\"a\":1}]", true},
    {"evaluators", "[{},[]]", false},
    {"evaluators", "[null]", false},
    {"personaIds", "[\"a\",\"\"]", true},
    {"personaIds", "[\"a\",5]", false},
    {"personaIds", "[null]", false},
};

START_TEST(scenario_fields_are_judged)
{
    struct scenario_body body = {0};
    const struct field *field = NULL;
    json_t *object = json_pack("{s:s}", "name", "x");
    json_object_set_new(object, scenario_cases[_i].field,
                        json_loads(scenario_cases[_i].value, JSON_DECODE_ANY, NULL));
    enum field_fault fault =
        fields_read(scenario_fields, scenario_field_count, object, &body, &field);
    ck_assert_msg(fault == (scenario_cases[_i].is_right ? FIELD_FINE : FIELD_WRONG), "%s: %s",
                  scenario_cases[_i].field, scenario_cases[_i].value);
    if (!scenario_cases[_i].is_right)
        ck_assert_str_eq(field->name, scenario_cases[_i].field);
    json_decref(object);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("checks");
    TCase *all = tcase_create("S6, E8, C2, C3, C9");
    tcase_add_loop_test(all, values_are_judged, 0, (int)COUNT(cases));
    tcase_add_loop_test(all, lengths_are_bounded, 0, (int)COUNT(lengths));
    tcase_add_test(all, pattern_is_as_short_as_an_address);
    tcase_add_loop_test(all, scenario_fields_are_judged, 0, (int)COUNT(scenario_cases));
    suite_add_tcase(suite, all);
    return support_run(suite);
}
