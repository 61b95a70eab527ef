/* What a rule has a job's callback do, from what is kept with the job to the rows of the outbox:
 * S25. How rules complain is in test_rule.c. */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "base/time.h"
#include "engine/delivery.h"
#include "engine/plan.h"
#include "engine/webhook.h"
#include "support.h"

static struct db *db;
static struct workspace workspace;
static int64_t due;

static void begin(void)
{
    db = support_new_db();
    workspace = (struct workspace){.row.pk = support_workspace(db, "one")};
    due = TIME_NEVER;
}

static void end(void)
{
    db_close(db);
}

/* A job that ended at 50, with this plan for its callback; quotes are apostrophes. */
static int owe(const char *webhook)
{
    char text[200];
    struct plan_row row = {.webhook = webhook ? text : NULL, .webhook_rule = "0123456789ab"};
    struct job_input input = {.user_email = "a@b.c", .prompt = "p", .callback_url = "http://a/"};
    struct job job = {.id = "a",
                      .created_at = 10,
                      .started_at = -1,
                      .completed_at = -1,
                      .due_at = 20,
                      .event = 1,
                      .base = "http://b",
                      .marks = JOB_HAS_PLAN};
    snprintf(text, sizeof text, "%s", webhook ? webhook : "");
    for (char *c = text; *c; c++)
        *c = (char)(*c == '\'' ? '"' : *c);
    plan_init(&row.plan);
    ck_assert_int_eq(job_insert(db, workspace.row.pk, &job, &input), 0);
    ck_assert_int_eq(plan_insert(db, job.seq, &row), 0);
    job.status = JOB_COMPLETED;
    return delivery_owe(db, &workspace, &job, 50, &due);
}

/* The rows, and what holds of each of them. */
static const struct {
    const char *webhook;
    int rows;
    const char *holds;
    int64_t due;
} cases[] = {
    {NULL, 1, "status = 0 AND due_at = 50 AND rule IS NULL AND body IS NULL AND cut IS NULL", 50},
    {"{'duplicate':3}", 3, "status = 0 AND due_at = 50 AND rule = '0123456789ab'", 50},
    {"{'duplicate':100}", 100, "status = 0 AND due_at = 50", 50},
    {"{'delay':'10m'}", 1, "status = 0 AND due_at = 600050 AND created_at = 50", 600050},
    {"{'delay':'876600h'}", 1, "due_at > 3000000000000", 3155760000050},
    {"{'drop':true}", 1, "status = 7 AND due_at IS NULL AND ended_at = 50", TIME_NEVER},
    {"{'hold':true}", 1, "status = 1 AND due_at IS NULL AND ended_at IS NULL", TIME_NEVER},
    {"{'hold':true,'duplicate':2}", 2, "status = 1 AND due_at IS NULL", TIME_NEVER},
    {"{'send':'before_answer'}", 1, "status = 0 AND due_at = 50", 50},
    {"{'truncate':0}", 1, "cut = 0 AND body IS NULL", 50},
    {"{'truncate':40,'body':'x','duplicate':2}", 2, "cut = 40 AND body = 'x'", 50},
    {"{'body':{'a':[1,2.5]}}", 1, "body = '{\"a\":[1,2.5]}'", 50},
    {"{'body':''}", 1, "body = ''", 50},
    {"{'body':null}", 1, "body = 'null'", 50},
    {"{'body':7}", 1, "body = '7'", 50},
};

START_TEST(owes)
{
    ck_assert_int_eq(owe(cases[_i].webhook), 0);
    ck_assert_int_eq(support_integer(db, "SELECT count(*) FROM delivery"), cases[_i].rows);
    ck_assert_msg(support_integer(db, "SELECT count(*) FROM delivery WHERE %s AND sending = 0",
                                  cases[_i].holds) == cases[_i].rows,
                  "%s: %s", cases[_i].webhook, cases[_i].holds);
    ck_assert_int_eq(due, cases[_i].due);
    /* Receivers see one message of them all, whose id is the first one's. */
    ck_assert_int_eq(support_integer(db, "SELECT count(DISTINCT id) FROM delivery"),
                     cases[_i].rows);
    ck_assert_int_eq(support_integer(db, "SELECT count(*) FROM delivery WHERE message ="
                                         " (SELECT id FROM delivery ORDER BY seq LIMIT 1)"),
                     cases[_i].rows);
}
END_TEST

START_TEST(settings_come_first)
{
    workspace.row.settings.given = GIVEN_CALLBACK_ON;
    workspace.row.settings.callback.on = 1U << JOB_FAILED;
    ck_assert_int_eq(owe("{'duplicate':3}"), 0);
    ck_assert_int_eq(support_integer(db, "SELECT count(*) FROM delivery"), 0);
    ck_assert_int_eq(due, TIME_NEVER);
}
END_TEST

/* What a store holds that was not written by this program. */
START_TEST(damage)
{
    static const char *const texts[] = {"", "{", "[]", "{}", "{'duplicate':1}", "{'x':1}"};
    ck_assert_int_eq(owe(texts[_i]), ERR_CORRUPT);
    ck_assert_int_eq(support_integer(db, "SELECT count(*) FROM delivery"), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("webhook");
    TCase *rules = tcase_create("rules");
    tcase_add_checked_fixture(rules, begin, end);
    tcase_add_loop_test(rules, owes, 0, (int)COUNT(cases));
    tcase_add_test(rules, settings_come_first);
    tcase_add_loop_test(rules, damage, 0, 6);
    suite_add_tcase(suite, rules);
    return support_run(suite);
}
