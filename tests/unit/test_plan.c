/* What is to become of a job: precedence of what several say, and the error it fails with (S23). */
#include <stdlib.h>
#include <string.h>

#include "engine/plan.h"
#include "support.h"

#define SAYS_NOTHING                                                                               \
    .queued = -1, .processing = -1, .polls_queued = -1, .polls_processing = -1, .hold_at = -1

START_TEST(a_new_plan_says_nothing)
{
    struct plan plan;
    memset(&plan, 7, sizeof plan);
    plan_init(&plan);
    ck_assert_int_eq(plan.queued, -1);
    ck_assert_int_eq(plan.processing, -1);
    ck_assert_int_eq(plan_says_end(&plan), PLAN_END_UNSAID);
    ck_assert_str_eq(plan.error_code, "");
    ck_assert_str_eq(plan.error_message, "");
    ck_assert_str_eq(plan.scenario_name, "");
    ck_assert_str_eq(plan.scenario_slug, "");
    ck_assert_int_eq(plan.polls_queued, -1);
    ck_assert_int_eq(plan.polls_processing, -1);
    ck_assert_int_eq(plan.hold_at, -1);
}
END_TEST

static void expect_equal(const struct plan *is, const struct plan *wanted)
{
    ck_assert_int_eq(is->queued, wanted->queued);
    ck_assert_int_eq(is->processing, wanted->processing);
    ck_assert_int_eq(is->end, wanted->end);
    ck_assert_str_eq(is->error_code, wanted->error_code);
    ck_assert_str_eq(is->error_message, wanted->error_message);
    ck_assert_str_eq(is->scenario_name, wanted->scenario_name);
    ck_assert_str_eq(is->scenario_slug, wanted->scenario_slug);
    ck_assert_int_eq(is->polls_queued, wanted->polls_queued);
    ck_assert_int_eq(is->polls_processing, wanted->polls_processing);
    ck_assert_int_eq(is->hold_at, wanted->hold_at);
}

static const struct plan full = {.queued = 0, /* is said: no time at all */
                                 .processing = 2,
                                 .end = PLAN_FAILED,
                                 .error_code = "ONE",
                                 .error_message = "The first",
                                 .scenario_name = "Name",
                                 .scenario_slug = "slug",
                                 .polls_queued = 0,
                                 .polls_processing = 4,
                                 .hold_at = JOB_QUEUED};
static const struct plan other = {.queued = 11,
                                  .processing = 12,
                                  .end = PLAN_COMPLETED,
                                  .error_code = "",
                                  .scenario_name = "Other",
                                  .scenario_slug = "other",
                                  .polls_queued = 13,
                                  .polls_processing = 14,
                                  .hold_at = JOB_PROCESSING};

START_TEST(what_is_said_stays)
{
    struct plan plan = full;
    plan_add(&plan, &other);
    expect_equal(&plan, &full);
}
END_TEST

START_TEST(what_is_not_said_is_taken)
{
    struct plan plan;
    plan_init(&plan);
    plan_add(&plan, &full);
    expect_equal(&plan, &full);
    plan_init(&plan);
    plan_add(&plan, &other);
    expect_equal(&plan, &other);
}
END_TEST

/* The end and its error: what each says, and what comes of both. */
static const struct {
    enum plan_end end;
    const char *code, *message;
    enum plan_end under_end;
    const char *under_code, *under_message;
    enum plan_end wanted_end;
    const char *wanted_code, *wanted_message;
} ends[] = {
    {0, "", "", 0, "", "", 0, "", ""},
    {0, "A", "", 0, "", "", PLAN_FAILED, "A", ""},
    {0, "", "Because", 0, "", "", PLAN_FAILED, "", "Because"},
    {0, "", "", 0, "A", "", PLAN_FAILED, "A", ""},
    {0, "A", "", PLAN_COMPLETED, "", "", PLAN_FAILED, "A", ""},
    {PLAN_COMPLETED, "", "", 0, "A", "Because", PLAN_COMPLETED, "", ""},
    {PLAN_COMPLETED, "", "", PLAN_FAILED, "A", "", PLAN_COMPLETED, "", ""},
    {PLAN_FAILED, "", "", PLAN_FAILED, "A", "Because", PLAN_FAILED, "A", "Because"},
    {PLAN_FAILED, "", "", PLAN_COMPLETED, "", "", PLAN_FAILED, "", ""},
    {PLAN_FAILED, "B", "", PLAN_FAILED, "A", "Because", PLAN_FAILED, "B", ""},
    {PLAN_FAILED, "A", "", PLAN_FAILED, "A", "Because", PLAN_FAILED, "A", "Because"},
    {PLAN_FAILED, "", "Mine", PLAN_FAILED, "A", "Because", PLAN_FAILED, "A", "Mine"},
    /* An error beside a completed end means nothing, and is not passed on. */
    {0, "", "", PLAN_COMPLETED, "A", "", PLAN_COMPLETED, "", ""},
    {PLAN_FAILED, "", "", PLAN_COMPLETED, "A", "", PLAN_FAILED, "", ""},
};

START_TEST(an_end_and_its_error_belong_together)
{
    struct plan plan = {.end = ends[_i].end, SAYS_NOTHING};
    struct plan under = {.end = ends[_i].under_end, SAYS_NOTHING};
    strcpy(plan.error_code, ends[_i].code);
    strcpy(plan.error_message, ends[_i].message);
    strcpy(under.error_code, ends[_i].under_code);
    strcpy(under.error_message, ends[_i].under_message);
    plan_add(&plan, &under);
    ck_assert_int_eq(plan.end, ends[_i].wanted_end);
    ck_assert_str_eq(plan.error_code, ends[_i].wanted_code);
    ck_assert_str_eq(plan.error_message, ends[_i].wanted_message);
}
END_TEST

static const struct {
    const char *code, *message, *wanted_code, *wanted_message;
} errors[] = {
    {"", "", "GENERATION_ERROR", "Unable to generate scenario from the provided prompt"},
    {"GENERATION_ERROR", "", "GENERATION_ERROR",
     "Unable to generate scenario from the provided prompt"},
    {"CONTENT_POLICY_VIOLATION", "", "CONTENT_POLICY_VIOLATION",
     "The prompt violates the content policy"},
    {"CONTENT_POLICY_VIOLATION", "No", "CONTENT_POLICY_VIOLATION", "No"},
    {"OUT_OF_TEA", "", "OUT_OF_TEA", "The job failed: OUT_OF_TEA"},
    {"OUT_OF_TEA", "No tea", "OUT_OF_TEA", "No tea"},
    {"", "No tea", "GENERATION_ERROR", "No tea"},
};

START_TEST(a_failure_has_a_code_and_a_message)
{
    struct plan plan = {SAYS_NOTHING};
    char code[ERROR_CODE_SIZE], message[ERROR_MESSAGE_SIZE];
    strcpy(plan.error_code, errors[_i].code);
    strcpy(plan.error_message, errors[_i].message);
    plan_error(&plan, code, message);
    ck_assert_str_eq(code, errors[_i].wanted_code);
    ck_assert_str_eq(message, errors[_i].wanted_message);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("plan");
    TCase *tests = tcase_create("plan");
    tcase_add_test(tests, a_new_plan_says_nothing);
    tcase_add_test(tests, what_is_said_stays);
    tcase_add_test(tests, what_is_not_said_is_taken);
    tcase_add_loop_test(tests, an_end_and_its_error_belong_together, 0, (int)COUNT(ends));
    tcase_add_loop_test(tests, a_failure_has_a_code_and_a_message, 0, (int)COUNT(errors));
    suite_add_tcase(suite, tests);
    return support_run(suite);
}
