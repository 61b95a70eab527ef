/* The Scenarios API's table: E1 (order), E2 (names), E3, E4 (what an update changes), E5. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/project_scenario.h"
#include "support.h"

static struct db *db;
static int64_t one, two;

static void begin(void)
{
    db = support_new_db();
    one = support_workspace(db, "one");
    two = support_workspace(db, "two");
}

static void end(void)
{
    db_close(db);
}

static const struct project_scenario full = {
    .id = "full",
    .name = "N\xc3\xa4me",
    .instructions = "i",
    .messages = "[{\"role\":\"user\"}]",
    .max_messages = 10,
    .success_criteria = "s",
    .failure_criteria = "f",
    .failure_criteria_mode = "every_turn",
    .evaluators = "[]",
    .persona_ids = "[\"p\"]",
    .created_at = 100,
    .updated_at = 100,
};

static int put_value(char *text, const char *value)
{
    return sprintf(text + strlen(text), "%s|", value ? value : "-");
}

/* All of it in one line, "-" for what is absent. */
static int join(const struct project_scenario *s, void *arg)
{
    char *text = arg;
    const char *const values[] = {s->id, s->name, s->instructions, s->messages};
    const char *const others[] = {s->success_criteria, s->failure_criteria,
                                  s->failure_criteria_mode, s->evaluators, s->persona_ids};
    for (size_t i = 0; i < COUNT(values); i++)
        put_value(text, values[i]);
    sprintf(text + strlen(text), "%d|", (int)s->max_messages);
    for (size_t i = 0; i < COUNT(others); i++)
        put_value(text, others[i]);
    sprintf(text + strlen(text), "%d|%d;", (int)s->created_at, (int)s->updated_at);
    return 7;
}

static const char *show(int64_t workspace, const char *project, const char *id)
{
    static char text[500];
    *text = '\0';
    int status = project_scenario_by_id(db, workspace, project, id, join, text);
    if (status != 7)
        snprintf(text, sizeof text, "%d", status);
    return text;
}

#define FULL      "full|N\xc3\xa4me|i|[{\"role\":\"user\"}]|10|s|f|every_turn|[]|[\"p\"]|100|100;"
#define NOT_FOUND "-3"

static int add(int64_t workspace, const char *project, const char *id, const char *name)
{
    struct project_scenario scenario = {.id = id,
                                        .name = name,
                                        .max_messages = -1,
                                        .failure_criteria_mode = "on_max_messages",
                                        .created_at = 5,
                                        .updated_at = 5};
    return project_scenario_insert(db, workspace, project, &scenario);
}

START_TEST(read_as_written)
{
    ck_assert_int_eq(project_scenario_insert(db, one, "p", &full), 0);
    ck_assert_str_eq(show(one, "p", "full"), FULL);
    ck_assert_int_eq(add(one, "p", "least", "n"), 0);
    ck_assert_str_eq(show(one, "p", "least"), "least|n|-|-|-1|-|-|on_max_messages|-|-|5|5;");
    ck_assert_str_eq(show(one, "q", "full"), NOT_FOUND);
    ck_assert_str_eq(show(two, "p", "full"), NOT_FOUND);
    ck_assert_str_eq(show(one, "p", "Full"), NOT_FOUND);
}
END_TEST

static int join_ids(const struct project_scenario *scenario, void *arg)
{
    strcat(strcat(arg, scenario->id), " ");
    return strcmp(scenario->id, "stop") == 0 ? ERR_INTERNAL : 0;
}

START_TEST(list_is_oldest_first)
{
    char text[100] = "";
    static const char *const ids[] = {"z", "a", "m"};
    for (size_t i = 0; i < COUNT(ids); i++) {
        ck_assert_int_eq(add(one, "p", ids[i], ids[i]), 0);
        ck_assert_int_eq(add(one, "q", i ? i == 1 ? "1" : "2" : "0", ids[i]), 0);
    }
    ck_assert_int_eq(project_scenario_each(db, one, "p", join_ids, text), 0);
    ck_assert_str_eq(text, "z a m ");
    ck_assert_int_eq(project_scenario_each(db, one, "none", join_ids, text), 0);
    ck_assert_int_eq(project_scenario_each(db, two, "p", join_ids, text), 0);
    ck_assert_str_eq(text, "z a m ");
    ck_assert_int_eq(add(one, "p", "stop", "y"), 0);
    ck_assert_int_eq(add(one, "p", "after", "x"), 0);
    *text = '\0';
    ck_assert_int_eq(project_scenario_each(db, one, "p", join_ids, text), ERR_INTERNAL);
    ck_assert_str_eq(text, "z a m stop ");
}
END_TEST

/* E2: byte for byte, in one project. */
START_TEST(names_are_unique_in_a_project)
{
    ck_assert_int_eq(add(one, "p", "1", "caf\xc3\xa9"), 0);
    ck_assert_int_eq(add(one, "p", "2", "caf\xc3\xa9"), ERR_EXISTS);
    ck_assert_int_eq(add(one, "p", "3", "cafe\xcc\x81"), 0); /* no normalisation */
    ck_assert_int_eq(add(one, "p", "4", "CAF\xc3\xa9"), 0);
    ck_assert_int_eq(add(one, "p", "5", "caf\xc3\xa9 "), 0);
    ck_assert_int_eq(add(one, "q", "6", "caf\xc3\xa9"), 0);
    ck_assert_int_eq(add(two, "p", "7", "caf\xc3\xa9"), 0);
    ck_assert_str_eq(show(one, "p", "2"), NOT_FOUND);
}
END_TEST

static int update(const char *id, const struct project_scenario *changes)
{
    return project_scenario_update(db, one, "p", id, changes);
}

/* E4: only what is given changes; updated_at never goes back, created_at never moves. */
START_TEST(update_changes_what_is_given)
{
    ck_assert_int_eq(project_scenario_insert(db, one, "p", &full), 0);
    struct project_scenario changes = {.max_messages = -1, .updated_at = 200};
    ck_assert_int_eq(update("full", &changes), 0);
    ck_assert_str_eq(show(one, "p", "full"),
                     "full|N\xc3\xa4me|i|[{\"role\":\"user\"}]|10|s|f|every_turn|[]|[\"p\"]|100|"
                     "200;");
    changes = (struct project_scenario){.name = "n2",
                                        .messages = "[]",
                                        .max_messages = 3,
                                        .failure_criteria = "",
                                        .created_at = 1,
                                        .updated_at = 150};
    ck_assert_int_eq(update("full", &changes), 0);
    ck_assert_str_eq(show(one, "p", "full"), "full|n2|i|[]|3|s||every_turn|[]|[\"p\"]|100|200;");
    changes = full;
    changes.updated_at = 300;
    ck_assert_int_eq(update("full", &changes), 0);
    ck_assert_str_eq(show(one, "p", "full"),
                     "full|N\xc3\xa4me|i|[{\"role\":\"user\"}]|10|s|f|every_turn|[]|[\"p\"]|100|"
                     "300;");
}
END_TEST

/* E4: 404 before 409; a name taken by another; its own is fine. */
START_TEST(update_refuses)
{
    struct project_scenario taken = {.name = "b", .max_messages = -1, .updated_at = 9};
    struct project_scenario own = {.name = "a", .max_messages = -1, .updated_at = 9};
    ck_assert_int_eq(add(one, "p", "1", "a"), 0);
    ck_assert_int_eq(add(one, "p", "2", "b"), 0);
    ck_assert_int_eq(update("none", &taken), ERR_NOT_FOUND);
    ck_assert_int_eq(project_scenario_update(db, one, "q", "1", &taken), ERR_NOT_FOUND);
    ck_assert_int_eq(project_scenario_update(db, two, "p", "1", &taken), ERR_NOT_FOUND);
    ck_assert_int_eq(update("1", &taken), ERR_EXISTS);
    ck_assert_str_eq(show(one, "p", "1"), "1|a|-|-|-1|-|-|on_max_messages|-|-|5|5;");
    ck_assert_int_eq(update("1", &own), 0);
    ck_assert_str_eq(show(one, "p", "1"), "1|a|-|-|-1|-|-|on_max_messages|-|-|5|9;");
}
END_TEST

/* E5: again is unknown, and the name is free. */
START_TEST(deleted_is_gone)
{
    ck_assert_int_eq(add(one, "p", "1", "a"), 0);
    ck_assert_int_eq(project_scenario_delete(db, one, "q", "1"), ERR_NOT_FOUND);
    ck_assert_int_eq(project_scenario_delete(db, two, "p", "1"), ERR_NOT_FOUND);
    ck_assert_int_eq(project_scenario_delete(db, one, "p", "1"), 0);
    ck_assert_int_eq(project_scenario_delete(db, one, "p", "1"), ERR_NOT_FOUND);
    ck_assert_str_eq(show(one, "p", "1"), NOT_FOUND);
    ck_assert_int_eq(add(one, "p", "2", "a"), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("project_scenarios");
    TCase *table = tcase_create("E1 to E5");
    tcase_set_timeout(table, 30);
    tcase_add_checked_fixture(table, begin, end);
    tcase_add_test(table, read_as_written);
    tcase_add_test(table, list_is_oldest_first);
    tcase_add_test(table, names_are_unique_in_a_project);
    tcase_add_test(table, update_changes_what_is_given);
    tcase_add_test(table, update_refuses);
    tcase_add_test(table, deleted_is_gone);
    suite_add_tcase(suite, table);
    return support_run(suite);
}
