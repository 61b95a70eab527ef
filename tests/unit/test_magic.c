/* Values that work with an unchanged client: tags of addresses, and #mock lines. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/magic.h"
#include "engine/magic_lines.h"
#include "support.h"

/* What a plan says, in one line to compare. */
static const char *show(const struct plan *plan)
{
    static const char *const ends[] = {"", "completed", "failed"};
    static char text[2000];
    snprintf(text, sizeof text, "%s|%s|%s|%s|%lld|%lld|%d|%d|%s", ends[plan->end], plan->error_code,
             plan->scenario_name, plan->scenario_slug, (long long)plan->queued,
             (long long)plan->processing, plan->polls_queued, plan->polls_processing,
             plan->hold_at < 0 ? "" : job_status_name((enum job_status)plan->hold_at));
    return text;
}
#define NOTHING "||||-1|-1|-1|-1|"

/* -- tags -------------------------------------------------------------------------------------- */

static const struct {
    const char *email, *rest, *said; /* `rest` NULL: not magic */
} tags[] = {
    {"jane+fail@acme.com", "jane@acme.com", "failed|GENERATION_ERROR|||-1|-1|-1|-1|"},
    {"jane+policy@acme.com", "jane@acme.com", "failed|CONTENT_POLICY_VIOLATION|||-1|-1|-1|-1|"},
    {"jane+hold@acme.com", "jane@acme.com", "||||-1|-1|-1|-1|processing"},
    {"jane+slow-10m@acme.com", "jane@acme.com", "||||-1|600000|-1|-1|"},
    {"jane+slow-0ms@acme.com", "jane@acme.com", "||||-1|0|-1|-1|"},
    {"jane+FAIL@acme.com", "jane@acme.com", "failed|GENERATION_ERROR|||-1|-1|-1|-1|"},
    {"Jane+Slow-10M@ACME.com", "Jane@ACME.com", "||||-1|600000|-1|-1|"},
    {"jane+a+fail@acme.com", "jane+a@acme.com", "failed|GENERATION_ERROR|||-1|-1|-1|-1|"},
    {"jane+fail+hold@acme.com", "jane+fail@acme.com", "||||-1|-1|-1|-1|processing"},
    {"jane+fail+a@acme.com", NULL, NULL},
    {"jane+failed@acme.com", NULL, NULL},
    {"jane+@acme.com", NULL, NULL},
    {"jane@acme.com", NULL, NULL},
    {"jane@acme+fail.com", NULL, NULL},
    {"+fail@acme.com", NULL, NULL},
    {"jane+slow@acme.com", NULL, NULL},
    {"jane+slow-@acme.com", NULL, NULL},
    {"jane+slow-10@acme.com", NULL, NULL},
    {"jane+slow-1d@acme.com", NULL, NULL},
    {"jane+slow--1s@acme.com", NULL, NULL},
    {"jane+slow-876601h@acme.com", NULL, NULL},
    {"", NULL, NULL},
    {"+fail", NULL, NULL},
};

START_TEST(a_tag_is_taken_off)
{
    char email[EMAIL_SIZE];
    struct plan plan;
    plan_init(&plan);
    strcpy(email, tags[_i].email);
    ck_assert_int_eq(magic_take_tag(email, &plan), tags[_i].rest != NULL);
    ck_assert_str_eq(email, tags[_i].rest ? tags[_i].rest : tags[_i].email);
    ck_assert_str_eq(show(&plan), tags[_i].rest ? tags[_i].said : NOTHING);
}
END_TEST

START_TEST(a_tag_leaves_what_is_said)
{
    char email[EMAIL_SIZE] = "jane+policy@acme.com";
    struct plan plan;
    plan_init(&plan);
    plan.end = PLAN_COMPLETED;
    ck_assert(magic_take_tag(email, &plan));
    ck_assert_str_eq(show(&plan), "completed||||-1|-1|-1|-1|");
}
END_TEST

static const struct {
    const char *members[3];
    const char *email;
    bool is_member;
    const char *said;
} memberships[] = {
    {{"jane@acme.com"}, "jane@acme.com", true, NOTHING},
    {{"jane@acme.com"}, "Jane+Fail@Acme.com", true, "failed|GENERATION_ERROR|||-1|-1|-1|-1|"},
    {{"jane@acme.com"}, "jane+work@acme.com", false, NOTHING},
    {{"jane@acme.com"}, "jane+work+fail@acme.com", false, NOTHING},
    {{"jane@acme.com"}, "jim+fail@acme.com", false, NOTHING},
    {{"jane@acme.com"}, "jane+slow-1x@acme.com", false, NOTHING},
    /* Several tags; what the last says counts. */
    {{"jane@acme.com"},
     "jane+fail+slow-5s@acme.com",
     true,
     "failed|GENERATION_ERROR|||-1|5000|-1|-1|"},
    {{"jane@acme.com"}, "jane+slow-1s+slow-5s@acme.com", true, "||||-1|5000|-1|-1|"},
    /* An address that is itself a member comes first, and so does one with fewer tags gone. */
    {{"jane@acme.com", "jane+fail@acme.com"}, "jane+fail@acme.com", true, NOTHING},
    {{"jane@acme.com", "jane+fail@acme.com"}, "jane+FAIL@acme.com", true, NOTHING},
    {{"jane@acme.com", "jane+fail@acme.com"},
     "jane+fail+hold@acme.com",
     true,
     "||||-1|-1|-1|-1|processing"},
    /* A pattern takes the address without its tag; and with it, where that is none of its own. */
    {{"*@acme.com"}, "jane+fail@acme.com", true, "failed|GENERATION_ERROR|||-1|-1|-1|-1|"},
    {{"*@acme.com"}, "jane+work@acme.com", true, NOTHING},
    {{"*"}, "+fail@acme.com", true, NOTHING},
    {{"*+fail@acme.com"}, "jane+fail@acme.com", true, NOTHING},
    {{"*+fail@acme.com"}, "jane+fail+hold@acme.com", false, NOTHING},
    {{"*@acme.com", "jane+fail@acme.com"}, "jane+fail@acme.com", true, NOTHING},
    {{"*@acme.com", "jane+fail@acme.com"},
     "jane+fail+fail@acme.com",
     true,
     "failed|GENERATION_ERROR|||-1|-1|-1|-1|"},
};

START_TEST(a_tagged_address_is_its_members)
{
    struct registry *registry = registry_create(&(struct settings){.queue_time = 0});
    struct workspace_row row = {.pk = 1, .id = "w", .slug = "w", .project_id = "w"};
    struct plan plan;
    plan_init(&plan);
    ck_assert_int_eq(registry_add_workspace(registry, &row, 0, 0), 0);
    for (size_t i = 0; memberships[_i].members[i]; i++) {
        struct member_row member = {.workspace = 1};
        strcpy(member.email, memberships[_i].members[i]);
        ck_assert_int_eq(registry_add_member(registry, &member), 0);
    }
    struct workspace *workspace = registry_by_name(registry, "w");
    ck_assert_int_eq(magic_is_member(registry, workspace, memberships[_i].email, &plan),
                     memberships[_i].is_member);
    ck_assert_str_eq(show(&plan), memberships[_i].said);
    char long_one[EMAIL_SIZE + 20];
    memset(long_one, 'a', sizeof long_one);
    strcpy(long_one + EMAIL_MAX - 10, "+fail@a.com");
    ck_assert(!magic_is_member(registry, workspace, long_one, &plan));
    workspace_release(workspace);
    registry_destroy(registry);
}
END_TEST

/* -- lines ------------------------------------------------------------------------------------- */

static const struct {
    const char *text, *said, *rest;
} lines[] = {
    {"A call", NOTHING, "A call"},
    {"", NOTHING, ""},
    {"A call\n#mock end=failed", "failed||||-1|-1|-1|-1|", "A call\n"},
    {"A call #mock end=failed\nwith a CFO", "failed||||-1|-1|-1|-1|", "A call \nwith a CFO"},
    {"A call\r\n#mock end=completed\r\nwith a CFO", "completed||||-1|-1|-1|-1|",
     "A call\r\n\r\nwith a CFO"},
    {"#mock end=completed\rA call", "completed||||-1|-1|-1|-1|", "\rA call"},
    {"#mock\tend=failed \t queued=1s\v\f processing=40s   ", "failed||||1000|40000|-1|-1|", ""},
    {"#mock error=CONTENT_POLICY_VIOLATION", "failed|CONTENT_POLICY_VIOLATION|||-1|-1|-1|-1|", ""},
    {"#mock error=a-B.c_9", "failed|a-B.c_9|||-1|-1|-1|-1|", ""},
    {"#mock hold=queued", "||||-1|-1|-1|-1|queued", ""},
    {"#mock hold=processing", "||||-1|-1|-1|-1|processing", ""},
    {"#mock polls_queued=2 polls_processing=0", "||||-1|-1|2|0|", ""},
    {"#mock polls_queued=1000000", "||||-1|-1|1000000|-1|", ""},
    {"#mock slug=a-call-9", "|||a-call-9|-1|-1|-1|-1|", ""},
    {"#mock queued=0ms", "||||0|-1|-1|-1|", ""},
    /* Lines add up, and the later word counts. */
    {"#mock queued=1s\nA\n#mock processing=2s", "||||1000|2000|-1|-1|", "\nA\n"},
    {"#mock queued=1s\n#mock queued=3s", "||||3000|-1|-1|-1|", "\n"},
    {"#mock queued=1s queued=3s", "||||3000|-1|-1|-1|", ""},
    {"#mock error=A end=completed", "completed||||-1|-1|-1|-1|", ""},
    {"#mock end=completed error=A", "failed|A|||-1|-1|-1|-1|", ""},
    {"#mock error=A end=failed", "failed|A|||-1|-1|-1|-1|", ""},
    /* A mark alone says nothing, and is none of the text. */
    {"A call #mock", NOTHING, "A call "},
    {"#mock", NOTHING, ""},
    {"#mock \nA call", NOTHING, "\nA call"},
    {"#mock\r\nend=failed", NOTHING, "\r\nend=failed"},
    /* No marks. */
    {"#mockery end=failed", NOTHING, "#mockery end=failed"},
    {"#mock: x", NOTHING, "#mock: x"},
    {"#Mock x", NOTHING, "#Mock x"},
    {"# mock x", NOTHING, "# mock x"},
    {"mock x", NOTHING, "mock x"},
    {"a#mock x", NOTHING, "a#mock x"},
    {"##mock x", NOTHING, "##mock x"},
    {"http://x/#mock x", NOTHING, "http://x/#mock x"},
    {"#moc", NOTHING, "#moc"},
    {"#mockery #mock queued=1s", "||||1000|-1|-1|-1|", "#mockery "},
    {"#mock\xc2\xa0x", NOTHING, "#mock\xc2\xa0x"},
    {"(#mock queued=1s", "||||1000|-1|-1|-1|", "("},
    {"\xe3\x81\x99\xe3\x82\x8b#mock queued=1s", "||||1000|-1|-1|-1|", "\xe3\x81\x99\xe3\x82\x8b"},
};

START_TEST(lines_say_what_they_say)
{
    struct plan plan;
    struct err err = {""};
    struct buf rest = BUF_INIT;
    plan_init(&plan);
    ck_assert_msg(magic_read_lines(lines[_i].text, &plan, &err) == 0, "%s", err.text);
    ck_assert_str_eq(show(&plan), lines[_i].said);
    magic_drop_lines(lines[_i].text, &rest);
    ck_assert_str_eq(rest.data ? rest.data : "", lines[_i].rest);
    ck_assert_int_eq(magic_has_line(lines[_i].text), strcmp(lines[_i].text, lines[_i].rest) != 0);
    buf_finish(&rest);
}
END_TEST

#define C40 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static const struct {
    const char *text, *reasons[3];
} bad_lines[] = {
    {"#mock end", {"the #mock word \"end\"", "must be completed or failed"}},
    {"#mock end=", {"\"end=\"", "must be completed or failed"}},
    {"#mock end=faild", {"\"end=faild\"", "must be completed or failed: did you mean \"failed\"?"}},
    {"#mock end=Failed", {"did you mean \"failed\"?"}},
    {"#mock end=cancelled", {"must be completed or failed"}},
    {"#mock end==failed", {"must be completed or failed"}},
    {"#mock error=", {"must be a code of 1 to 63"}},
    {"#mock error=\"A\"", {"must be a code"}},
    {"#mock error=\xc3\x84", {"must be a code"}},
    {"#mock error=" C40 C40, {"must be a code", "\"error=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa…\""}},
    {"#mock queued=5", {"\"queued=5\"", "has no unit: write 5ms, 5s, 5m or 5h"}},
    {"#mock queued=", {"whose value is empty"}},
    {"#mock processing=-5s", {"negative"}},
    {"#mock polls_queued=-1", {"must be a whole number from 0 to 1000000"}},
    {"#mock polls_queued=1000001", {"must be a whole number"}},
    {"#mock polls_processing=two", {"must be a whole number"}},
    {"#mock hold=completed", {"must be queued or processing"}},
    {"#mock hold=procesing", {"did you mean \"processing\"?"}},
    {"#mock slug=", {"lower-case letters"}},
    {"#mock slug=A", {"lower-case letters"}},
    {"#mock slug=-a", {"lower-case letters"}},
    {"#mock slug=a-", {"lower-case letters"}},
    {"#mock slug=" C40 C40 C40, {"must be 1 to 119"}},
    {"#mock proccessing=5s",
     {"unknown #mock word \"proccessing=5s\"", "did you mean \"processing\"?", "Known are end="}},
    {"#mock End=failed", {"did you mean \"end\"?"}},
    {"#mock polls=5", {"unknown #mock word \"polls=5\". Known are", "polls_queued=2"}},
    {"#mock failed", {"unknown #mock word \"failed\""}},
    {"#mock =failed", {"unknown #mock word \"=failed\""}},
    {"#mock #mock", {"unknown #mock word \"#mock\""}},
    {"#mock end=failed, queued=1s", {"\"end=failed,\""}},
    {"#mock queued=1s\nA\r\n#mock x=1", {"unknown #mock word \"x=1\""}},
    {"#mock end=failed\xc2\xa0queued=1s", {"must be completed or failed"}},
    /* What is shown ends with a whole character. */
    {"#mock aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\xf0\x9f\x98\x80\xf0\x9f\x98\x80",
     {"\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa…\""}},
};

START_TEST(a_wrong_word_is_named)
{
    struct plan plan;
    struct err err = {""};
    plan_init(&plan);
    ck_assert_msg(magic_read_lines(bad_lines[_i].text, &plan, &err) == ERR_INVALID, "%s",
                  bad_lines[_i].text);
    for (size_t i = 0; i < 3 && bad_lines[_i].reasons[i]; i++)
        ck_assert_msg(strstr(err.text, bad_lines[_i].reasons[i]) != NULL, "%s", err.text);
    ck_assert_str_eq(show(&plan), NOTHING);
}
END_TEST

START_TEST(a_word_of_any_length_is_refused)
{
    enum { LENGTH = 1 << 20 };
    struct plan plan;
    struct err err;
    char *text = malloc(LENGTH + 1);
    memset(text, 'x', LENGTH);
    text[LENGTH] = '\0';
    memcpy(text, "#mock slug=", 11);
    plan_init(&plan);
    ck_assert_int_eq(magic_read_lines(text, &plan, &err), ERR_INVALID);
    memcpy(text, "#mock slog=", 11);
    ck_assert_int_eq(magic_read_lines(text, &plan, &err), ERR_INVALID);
    /* As many marks as fit, and as many that are none: the text is gone through once. */
    for (size_t i = 0; i < LENGTH; i += 6)
        memcpy(text + i, "a#mock", i + 6 <= LENGTH ? 6 : LENGTH - i);
    ck_assert_int_eq(magic_read_lines(text, &plan, &err), 0);
    for (size_t i = 0; i < LENGTH; i += 6)
        memcpy(text + i, "#mock\n", i + 6 <= LENGTH ? 6 : LENGTH - i);
    ck_assert_int_eq(magic_read_lines(text, &plan, &err), 0);
    free(text);
}
END_TEST

static const struct {
    const char *prompt, *context, *said;
} wholes[] = {
    {"A call with a CFO", NULL, NOTHING},
    {"A call with a CFO", "Notes", NOTHING},
    {"A call with a CFO\n#mock queued=1s", NULL, "||Call with CFO||1000|-1|-1|-1|"},
    {"A call with a CFO", "#mock queued=1s", "||||1000|-1|-1|-1|"},
    {"A call with a CFO #mock queued=1s", "#mock queued=2s processing=3s",
     "||Call with CFO||1000|3000|-1|-1|"},
    {"A call with a CFO #mock end=completed", "#mock error=X",
     "completed||Call with CFO||-1|-1|-1|-1|"},
    /* Nothing is left to name. */
    {"#mock queued=1s", NULL, "failed||Scenario||1000|-1|-1|-1|"},
    {"?!\n#mock", "A call", "failed||Scenario||-1|-1|-1|-1|"},
    {"#mock end=completed", NULL, "completed||Scenario||-1|-1|-1|-1|"},
    {"#mock", "#mock end=completed", "completed||Scenario||-1|-1|-1|-1|"},
    {"#mock error=X", NULL, "failed|X|Scenario||-1|-1|-1|-1|"},
    {"?!", "#mock queued=1s", "||||1000|-1|-1|-1|"},
    /* What was refused when magic was on, and taken when it was off. */
    {"A call #mock x", "#mock queued=1s", "||Call||1000|-1|-1|-1|"},
};

START_TEST(a_job_follows_its_lines)
{
    struct plan plan;
    plan_init(&plan);
    ck_assert_int_eq(magic_add_lines(wholes[_i].prompt, wholes[_i].context, &plan), 0);
    ck_assert_str_eq(show(&plan), wholes[_i].said);
}
END_TEST

START_TEST(lines_leave_what_is_said)
{
    struct plan plan;
    plan_init(&plan);
    plan.end = PLAN_COMPLETED;
    plan.queued = 5;
    ck_assert_int_eq(magic_add_lines("#mock queued=1s processing=2s error=X", NULL, &plan), 0);
    ck_assert_str_eq(show(&plan), "completed||Scenario||5|2000|-1|-1|");
}
END_TEST

/* A line counts before a tag; without magic both are text. */
static const struct {
    bool magic;
    const char *email;
    bool is_member;
    const char *said;
} plans[] = {
    {true, "jane+policy@acme.com", true, "failed|CONTENT_POLICY_VIOLATION|Call||1000|-1|-1|-1|"},
    {true, "jane+slow-5s@acme.com", true, "||Call||1000|5000|-1|-1|"},
    {true, "jane+x@acme.com", false, "||Call||1000|-1|-1|-1|"},
    {false, "jane+policy@acme.com", false, NOTHING},
    {false, "jane@acme.com", true, NOTHING},
};

START_TEST(magic_is_the_workspaces)
{
    struct registry *registry = registry_create(&(struct settings){.magic = plans[_i].magic});
    struct workspace_row row = {.pk = 1, .id = "w", .slug = "w", .project_id = "w"};
    struct member_row member = {.workspace = 1, .email = "jane@acme.com"};
    struct job_input input = {.user_email = plans[_i].email, .prompt = "Call #mock queued=1s"};
    struct plan plan;
    bool is_member;
    plan_init(&plan);
    ck_assert_int_eq(registry_add_workspace(registry, &row, 0, 0), 0);
    ck_assert_int_eq(registry_add_member(registry, &member), 0);
    struct workspace *workspace = registry_by_name(registry, "w");
    ck_assert_int_eq(magic_plan(registry, workspace, &input, &plan, &is_member), 0);
    ck_assert_int_eq(is_member, plans[_i].is_member);
    ck_assert_str_eq(show(&plan), plans[_i].said);
    workspace_release(workspace);
    registry_destroy(registry);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("magic");
    TCase *tests = tcase_create("tags");
    tcase_add_loop_test(tests, a_tag_is_taken_off, 0, (int)COUNT(tags));
    tcase_add_test(tests, a_tag_leaves_what_is_said);
    tcase_add_loop_test(tests, a_tagged_address_is_its_members, 0, (int)COUNT(memberships));
    suite_add_tcase(suite, tests);
    tests = tcase_create("lines");
    tcase_add_loop_test(tests, lines_say_what_they_say, 0, (int)COUNT(lines));
    tcase_add_loop_test(tests, a_wrong_word_is_named, 0, (int)COUNT(bad_lines));
    tcase_add_test(tests, a_word_of_any_length_is_refused);
    tcase_add_loop_test(tests, a_job_follows_its_lines, 0, (int)COUNT(wholes));
    tcase_add_test(tests, lines_leave_what_is_said);
    tcase_add_loop_test(tests, magic_is_the_workspaces, 0, (int)COUNT(plans));
    suite_add_tcase(suite, tests);
    return support_run(suite);
}
