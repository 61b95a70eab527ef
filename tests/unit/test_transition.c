/*
 * A job's transitions and what belongs to each: S22 (compare and set), S23 (failures), S24 (the
 * scenario, its name and its slug), S25 (the outbox row).
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/generator.h"
#include "engine/plan.h"
#include "engine/transition.h"
#include "store/scenario.h"
#include "support.h"

#define PROMPT "Create a discovery call with a skeptical IT director"

static struct db *db;
static struct workspace workspace;
static int64_t due; /* what a transition lowers */
static const struct transition_order by_timer = {.cause = JOB_CAUSE_TIMER};

static void begin(void)
{
    db = support_new_db();
    workspace = (struct workspace){.row.pk = support_workspace(db, "one")};
}

static void end(void)
{
    db_close(db);
}

/* A job of the given input, queued at 10 or, if `started`, processing since 20. */
static struct job add_job(const char *id, const struct job_input *input, bool started)
{
    static int64_t event;
    struct job job = {.created_at = 10,
                      .started_at = -1,
                      .completed_at = -1,
                      .due_at = 20,
                      .processing_time = 30,
                      .event = ++event,
                      .base = "http://b"};
    snprintf(job.id, sizeof job.id, "%s", id);
    ck_assert_int_eq(job_insert(db, workspace.row.pk, &job, input), 0);
    if (started)
        ck_assert_int_eq(transition_start(db, &workspace, &job, JOB_CAUSE_TIMER, 20), 0);
    return job;
}

static struct job add_prompt(const char *id, const char *prompt)
{
    struct job_input input = {.user_email = "jane@acme.com", .prompt = prompt};
    return add_job(id, &input, true);
}

static struct job get(const char *id)
{
    struct job job;
    ck_assert_int_eq(job_by_id(db, workspace.row.pk, id, &job), 0);
    return job;
}

static int64_t count_deliveries(int64_t job)
{
    return support_integer(db, "SELECT count(*) FROM delivery WHERE job = %d", (int)job);
}

static const struct job_input plain = {.user_email = "jane@acme.com", .prompt = PROMPT};
static const struct job_input with_callback = {
    .user_email = "jane@acme.com", .prompt = PROMPT, .callback_url = "http://a/"};

START_TEST(start)
{
    struct job job = add_job("a", &with_callback, false), found;
    ck_assert_int_eq(transition_start(db, &workspace, &job, JOB_CAUSE_TIMER, 25), 0);
    found = get("a");
    ck_assert_int_eq(found.status, JOB_PROCESSING);
    ck_assert_int_eq(found.started_at, 25);
    ck_assert_int_eq(found.completed_at, -1);
    ck_assert_int_eq(found.due_at, 25 + 30);
    ck_assert_int_eq(job.status, JOB_PROCESSING); /* in memory too */
    ck_assert_int_eq(job.started_at, 25);
    ck_assert_int_eq(job.due_at, 55);
    ck_assert_int_eq(count_deliveries(job.seq), 0);
}
END_TEST

START_TEST(finish_makes_a_scenario)
{
    char name[GENERATOR_NAME_SIZE], slug[GENERATOR_SLUG_SIZE];
    struct scenario scenario;
    struct job job = add_job("a", &with_callback, true);
    generator_name(PROMPT, strlen(PROMPT), name);
    ck_assert(generator_slug(name, slug));

    ck_assert_int_eq(transition_finish(db, &workspace, &job, &by_timer, 50, &due), 0);
    struct job found = get("a");
    ck_assert_int_eq(found.status, JOB_COMPLETED);
    ck_assert_int_eq(found.started_at, 20);
    ck_assert_int_eq(found.completed_at, 50);
    ck_assert_int_eq(found.due_at, -1);
    ck_assert_str_eq(found.error_code, "");
    ck_assert_str_eq(found.scenario_name, name);
    ck_assert_str_eq(found.scenario_slug, slug);
    ck_assert_uint_eq(strspn(found.scenario_id, "0123456789abcdef"), 12);
    ck_assert_int_eq(scenario_by_id(db, workspace.row.pk, found.scenario_id, &scenario), 0);
    ck_assert_str_eq(scenario.job, "a");
    ck_assert_str_eq(scenario.source, "");
    ck_assert_int_eq(scenario.created_at, 50);
    ck_assert_int_eq(count_deliveries(job.seq), 1);
    ck_assert_int_eq(support_integer(db, "SELECT created_at FROM delivery"), 50);
}
END_TEST

START_TEST(no_callback_no_delivery)
{
    struct job job = add_job("a", &plain, true);
    ck_assert_int_eq(transition_finish(db, &workspace, &job, &by_timer, 50, &due), 0);
    ck_assert_int_eq(count_deliveries(job.seq), 0);
}
END_TEST

START_TEST(nothing_to_name_fails)
{
    static const char *const prompts[] = {"?!", " \t\n", "...---...", "\xe2\x80\xa6\xc2\xbf"};
    struct job_input input = with_callback;
    input.prompt = prompts[_i];
    struct job job = add_job("a", &input, true), found;
    ck_assert_int_eq(transition_finish(db, &workspace, &job, &by_timer, 50, &due), 0);
    found = get("a");
    ck_assert_int_eq(found.status, JOB_FAILED);
    ck_assert_int_eq(found.completed_at, 50);
    ck_assert_str_eq(found.error_code, "GENERATION_ERROR");
    ck_assert_str_eq(found.error_message, "Unable to generate scenario from the provided prompt");
    ck_assert_str_eq(found.scenario_id, "");
    ck_assert_int_eq(support_integer(db, "SELECT count(*) FROM scenario"), 0);
    ck_assert_int_eq(count_deliveries(job.seq), 1);
}
END_TEST

/* A remix is a scenario of its own, and knows where it came from; a source that went is none. */
START_TEST(remix_remembers_its_source)
{
    struct scenario source = {.id = "0123456789ab", .slug = "source", .name = "Source"}, made;
    struct job_input input = plain;
    struct job job;
    ck_assert_int_eq(scenario_insert(db, workspace.row.pk, &source), 0);
    input.scenario_slug = _i ? "gone" : "source";
    job = add_job("a", &input, true);
    ck_assert_int_eq(transition_finish(db, &workspace, &job, &by_timer, 50, &due), 0);
    ck_assert_int_eq(scenario_by_id(db, workspace.row.pk, get("a").scenario_id, &made), 0);
    ck_assert_str_ne(made.id, source.id);
    ck_assert_str_ne(made.slug, source.slug);
    ck_assert_str_eq(made.source, _i ? "" : source.id);
}
END_TEST

/* -- cancels and races ------------------------------------------------------------------------- */

START_TEST(cancel)
{
    struct job job = add_job("a", &with_callback, _i == 1), found;
    ck_assert_int_eq(transition_cancel(db, &workspace, &job, JOB_CAUSE_REQUEST, 40, &due), 0);
    found = get("a");
    ck_assert_int_eq(found.status, JOB_CANCELLED);
    ck_assert_int_eq(found.started_at, _i ? 20 : -1);
    ck_assert_int_eq(found.completed_at, 40);
    ck_assert_int_eq(found.due_at, -1);
    ck_assert_int_eq(job.status, JOB_CANCELLED);
    ck_assert_int_eq(job.completed_at, 40);
    ck_assert_int_eq(count_deliveries(job.seq), 1);
}
END_TEST

START_TEST(an_end_never_changes)
{
    struct job job = add_job("a", &with_callback, true);
    ck_assert_int_eq(_i ? transition_cancel(db, &workspace, &job, JOB_CAUSE_REQUEST, 50, &due)
                        : transition_finish(db, &workspace, &job, &by_timer, 50, &due),
                     0);
    struct job before = get("a"), after;
    ck_assert_int_eq(transition_cancel(db, &workspace, &job, JOB_CAUSE_REQUEST, 60, &due),
                     ERR_INVALID);
    ck_assert_int_eq(transition_start(db, &workspace, &job, JOB_CAUSE_TIMER, 60), ERR_INVALID);
    after = get("a");
    ck_assert_mem_eq(&before, &after, sizeof before);
    ck_assert_int_eq(count_deliveries(job.seq), 1);
}
END_TEST

/* What was read is not what is there any more: the later one sees it and owes no callback. */
START_TEST(later_transition_sees_the_earlier)
{
    struct job first = add_job("a", &with_callback, true), second = first;
    ck_assert_int_eq(transition_cancel(db, &workspace, &first, JOB_CAUSE_REQUEST, 40, &due), 0);
    ck_assert_int_eq(transition_cancel(db, &workspace, &second, JOB_CAUSE_REQUEST, 41, &due),
                     ERR_NOT_FOUND);
    ck_assert_int_eq(second.status, JOB_PROCESSING); /* untouched */
    ck_assert_int_eq(transition_finish(db, &workspace, &second, &by_timer, 50, &due),
                     ERR_NOT_FOUND);
    ck_assert_int_eq(get("a").completed_at, 40);
    ck_assert_int_eq(count_deliveries(first.seq), 1);
}
END_TEST

START_TEST(plan_names_the_scenario)
{
    struct plan_row planned = {.plan = PLAN_NONE};
    struct job job = add_job("a", &plain, true);
    snprintf(planned.plan.scenario_name, sizeof planned.plan.scenario_name, "Renewal");
    snprintf(planned.plan.scenario_slug, sizeof planned.plan.scenario_slug, "renewal-q3");
    ck_assert_int_eq(plan_insert(db, job.seq, &planned), 0);
    support_sql(db, "UPDATE job SET marks = %d", JOB_HAS_PLAN);
    job = get("a");
    ck_assert_int_eq(transition_finish(db, &workspace, &job, &by_timer, 50, &due), 0);
    ck_assert_str_eq(get("a").scenario_name, "Renewal");
    ck_assert_str_eq(get("a").scenario_slug, "renewal-q3");
}
END_TEST

/* S21: an id that is taken is drawn again. */
START_TEST(taken_ids_are_drawn_again)
{
    struct job first, second;
    snprintf(workspace.row.seed, sizeof workspace.row.seed, "seed");
    first = add_job("a", &plain, true);
    ck_assert_int_eq(transition_finish(db, &workspace, &first, &by_timer, 50, &due), 0);
    int64_t drawn = support_integer(db, "SELECT draws FROM workspace WHERE slug = 'one'");
    support_sql(db, "UPDATE workspace SET draws = 0");
    second = add_job("b", &plain, true);
    ck_assert_int_eq(transition_finish(db, &workspace, &second, &by_timer, 60, &due), 0);
    ck_assert_str_ne(get("b").scenario_id, get("a").scenario_id);
    ck_assert_int_eq(support_integer(db, "SELECT draws FROM workspace WHERE slug = 'one'"),
                     drawn + 1);
}
END_TEST

/* -- a store that refuses ---------------------------------------------------------------------- */

static const struct job_input callback_and_source = {
    .user_email = "jane@acme.com",
    .prompt = PROMPT,
    .callback_url = "http://a/",
    .scenario_slug = "source",
};
static const struct job_input nothing_to_name = {
    .user_email = "jane@acme.com", .prompt = "?!", .callback_url = "http://a/"};

static const char *stem_of(const char *prompt)
{
    static char stem[GENERATOR_SLUG_SIZE];
    char name[GENERATOR_NAME_SIZE];
    generator_name(prompt, strlen(prompt), name);
    ck_assert(generator_slug(name, stem));
    return stem;
}

static int start_it(struct job *job)
{
    return transition_start(db, &workspace, job, JOB_CAUSE_TIMER, 20);
}

static int expect_it(struct job *job)
{
    enum job_status to;
    return transition_expect(db, job, &to);
}

static int finish_it(struct job *job)
{
    return transition_finish(db, &workspace, job, &by_timer, 50, &due);
}

static int cancel_it(struct job *job)
{
    return transition_cancel(db, &workspace, job, JOB_CAUSE_REQUEST, 50, &due);
}

static const struct {
    const char *what;
    const struct job_input *input;
    bool started, planned, seeded;
    int (*move)(struct job *job);
    enum job_status to;
} refused[] = {
    {"a start", &plain, false, false, false, start_it, JOB_PROCESSING},
    {"a start by a plan", &plain, false, true, false, start_it, JOB_PROCESSING},
    {"a look ahead", &plain, true, true, false, expect_it, JOB_PROCESSING},
    {"an end", &callback_and_source, true, false, true, finish_it, JOB_COMPLETED},
    {"an end by a plan", &with_callback, true, true, true, finish_it, JOB_COMPLETED},
    {"a failure", &nothing_to_name, true, false, true, finish_it, JOB_FAILED},
    {"a cancel", &with_callback, true, true, true, cancel_it, JOB_CANCELLED},
};

/* Where slugs are taken up to some number, and a scenario to remix is there. */
static struct job add_refused(int which)
{
    static const struct plan_row planned = {.plan = PLAN_NONE};
    struct scenario other = {.id = "0123456789ab", .slug = "source", .name = "Source"};
    if (refused[which].seeded)
        snprintf(workspace.row.seed, sizeof workspace.row.seed, "seed");
    ck_assert_int_eq(scenario_insert(db, workspace.row.pk, &other), 0);
    for (int i = 1; i <= 12; i++) {
        snprintf(other.id, sizeof other.id, "other-%d", i);
        snprintf(other.slug, sizeof other.slug, i > 1 ? "%s-%d" : "%s", stem_of(PROMPT), i);
        ck_assert_int_eq(scenario_insert(db, workspace.row.pk, &other), 0);
    }
    struct job job = add_job("a", refused[which].input, refused[which].started);
    if (refused[which].planned) {
        ck_assert_int_eq(plan_insert(db, job.seq, &planned), 0);
        support_sql(db, "UPDATE job SET marks = %d", JOB_HAS_PLAN);
    }
    return get("a");
}

/*
 * Whatever step of it the store refuses: the transition says so, and leaves nothing behind once its
 * transaction is rolled back; and then it can be had.
 */
START_TEST(refused_steps_are_told)
{
    enum { STEPS_MAX = 20000 };
    const struct job before = add_refused(_i);
    int64_t scenarios = support_integer(db, "SELECT count(*) FROM scenario");
    for (int step = 0; step < STEPS_MAX; step++) {
        struct job job = before;
        ck_assert_int_eq(db_begin(db), 0);
        support_refuse(db, step);
        int status = refused[_i].move(&job);
        bool was_refused = support_has_refused();
        support_refuse(db, -1);
        ck_assert_msg((status < 0) == was_refused, "%s, step %d: %d", refused[_i].what, step,
                      status);
        if (!was_refused) {
            ck_assert_int_eq(db_commit(db), 0);
            ck_assert_int_eq(get("a").status, refused[_i].to);
            ck_assert_int_gt(step, 0);
            return;
        }
        db_rollback(db);
        job = get("a");
        ck_assert_mem_eq(&job, &before, sizeof job);
        ck_assert_int_eq(support_integer(db, "SELECT count(*) FROM scenario"), scenarios);
        ck_assert_int_eq(count_deliveries(job.seq), 0);
    }
    ck_abort_msg("%s: no end of steps", refused[_i].what);
}
END_TEST

/* -- slugs ------------------------------------------------------------------------------------- */

/* Completes a job of that prompt; the slug of what it made. Static memory. */
static const char *finish(int number, const char *prompt)
{
    static struct job found;
    char id[ID_HEX_SIZE];
    snprintf(id, sizeof id, "%d", number);
    struct job job = add_prompt(id, prompt);
    ck_assert_int_eq(transition_finish(db, &workspace, &job, &by_timer, 50, &due), 0);
    found = get(id);
    ck_assert_int_eq(found.status, JOB_COMPLETED);
    return found.scenario_slug;
}

START_TEST(taken_slugs_are_numbered)
{
    char wanted[SCENARIO_SLUG_SIZE];
    const char *stem = stem_of(PROMPT);
    ck_assert_str_eq(finish(1, PROMPT), stem);
    for (int i = 2; i <= 40; i++) {
        snprintf(wanted, sizeof wanted, "%s-%d", stem, i);
        ck_assert_str_eq(finish(i, PROMPT), wanted);
    }
}
END_TEST

/* Another name may have taken a number, or a scenario be gone: still every slug is new. */
START_TEST(numbers_with_holes)
{
    const char *stem = stem_of(PROMPT);
    for (int i = 1; i <= 40; i++)
        finish(i, PROMPT);
    for (int hole = 2; hole <= 40; hole += _i + 1)
        support_sql(db, "DELETE FROM scenario WHERE slug = '%s-%d'", stem, hole);
    int64_t left = support_integer(db, "SELECT count(*) FROM scenario");
    for (int i = 41; i <= 100; i++) {
        const char *slug = finish(i, PROMPT); /* the store would refuse one that is taken */
        ck_assert_int_eq(strncmp(slug, stem, strlen(stem)), 0);
    }
    ck_assert_int_eq(support_integer(db, "SELECT count(DISTINCT slug) FROM scenario"), left + 60);
}
END_TEST

START_TEST(numbers_skip_other_names)
{
    char slug[SCENARIO_SLUG_SIZE];
    const char *stem = stem_of(PROMPT);
    static const int taken[] = {2, 3, 5};
    for (int i = 0; i < 3; i++) {
        struct scenario other = {.name = "Other"};
        snprintf(other.id, sizeof other.id, "other-%d", i);
        snprintf(other.slug, sizeof other.slug, "%s-%d", stem, taken[i]);
        ck_assert_int_eq(scenario_insert(db, workspace.row.pk, &other), 0);
    }
    snprintf(slug, sizeof slug, "%s-4", stem);
    ck_assert_str_eq(finish(1, PROMPT), stem);
    ck_assert_str_eq(finish(2, PROMPT), slug);
}
END_TEST

START_TEST(slugs_are_the_workspaces)
{
    const char *stem = stem_of(PROMPT);
    ck_assert_str_eq(finish(1, PROMPT), stem);
    workspace = (struct workspace){.row.pk = support_workspace(db, "two")};
    ck_assert_str_eq(finish(2, PROMPT), stem);
}
END_TEST

/* A name without an ASCII form goes by its scenario's id. */
START_TEST(slug_of_a_name_without_ascii)
{
    char wanted[SCENARIO_SLUG_SIZE];
    const char *slug = finish(1, "\xe8\xaf\x95\xe9\xaa\x8c\xe5\xae\xa2\xe6\x88\xb7");
    snprintf(wanted, sizeof wanted, "scenario-%s", get("1").scenario_id);
    ck_assert_str_eq(slug, wanted);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("transition");
    TCase *effects = tcase_create("S22, S23, S25"), *slugs = tcase_create("S24: slugs");
    tcase_set_timeout(effects, 30);
    tcase_add_checked_fixture(effects, begin, end);
    tcase_add_test(effects, start);
    tcase_add_test(effects, finish_makes_a_scenario);
    tcase_add_test(effects, no_callback_no_delivery);
    tcase_add_loop_test(effects, nothing_to_name_fails, 0, 4);
    tcase_add_loop_test(effects, remix_remembers_its_source, 0, 2);
    tcase_add_loop_test(effects, cancel, 0, 2);
    tcase_add_loop_test(effects, an_end_never_changes, 0, 2);
    tcase_add_test(effects, later_transition_sees_the_earlier);
    tcase_add_test(effects, plan_names_the_scenario);
    tcase_add_test(effects, taken_ids_are_drawn_again);
    tcase_add_loop_test(effects, refused_steps_are_told, 0, (int)COUNT(refused));
    suite_add_tcase(suite, effects);
    tcase_set_timeout(slugs, 30);
    tcase_add_checked_fixture(slugs, begin, end);
    tcase_add_test(slugs, taken_slugs_are_numbered);
    tcase_add_loop_test(slugs, numbers_with_holes, 0, 7);
    tcase_add_test(slugs, numbers_skip_other_names);
    tcase_add_test(slugs, slugs_are_the_workspaces);
    tcase_add_test(slugs, slug_of_a_name_without_ascii);
    suite_add_tcase(suite, slugs);
    return support_run(suite);
}
