/*
 * Rules without a server: what their JSON may be (C2), what they match, in which order they act,
 * and that as many act as they say, under threads, failures and restarts.
 */
#include <check.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "control/internal.h"
#include "engine/plan.h"
#include "engine/rules.h"
#include "scenarios/internal.h"
#include "studio/internal.h"
#include "support.h"

static json_t *json(const char *text)
{
    json_error_t error;
    json_t *value = json_loads(text, JSON_DECODE_ANY, &error);
    ck_assert_msg(value != NULL, "%s: %s", text, error.text);
    return value;
}

static struct rule *make(const char *text)
{
    struct complaint complaint = COMPLAINT_INIT;
    struct rule *rule = NULL;
    json_t *value = json(text);
    int status = rule_parse(value, "", &complaint, &rule);
    ck_assert_msg(status == 0, "%s: %s", text, complaint.detail.data);
    json_decref(value);
    return rule;
}

/* -- what is wrong, in words ------------------------------------------------------------------- */

static const struct {
    const char *rule, *name, *detail, *hint;
} wrongs[] = {
    {"7", "invalid_field", "[2] must be an object", NULL},
    {"{}", "missing_field", "[2].match is required", NULL},
    {"{\"match\":{},\"tiems\":1}", "unknown_field", "There is no field [2].\"tiems\"",
     "did you mean \"times\"?"},
    {"{\"match\":{\"operation\":\"getScenarioJobs\"}}", "invalid_field",
     "[2].match.operation must be an operationId of either API",
     "did you mean \"getScenarioJob\"?"},
    {"{\"match\":{\"prompt\":{\"regex\":\"(\"}}}", "invalid_field",
     "[2].match.prompt.regex must be a POSIX extended regular expression: Unmatched ( or \\(",
     NULL},
    {"{\"match\":{},\"do\":{\"job\":{\"queued\":\"5\"}}}", "invalid_field",
     "[2].do.job.queued must be a duration with its unit, as \"90s\"",
     "\"5\" has no unit: write 5ms, 5s, 5m or 5h"},
    {"{\"match\":{},\"do\":{}}", "invalid_field",
     "[2].do must have exactly one of job, webhook, respond, delay, transition, drop, truncate, drip, hang, "
     "garbage",
     NULL},
    {"{\"match\":{},\"do\":{\"console\":{}}}", "unknown_field",
     "There is no field [2].do.\"console\"",
     "known here: job, webhook, respond, retry_after, delay, transition, drop, truncate, drip, hang, "
     "garbage, when"},
    {"{\"match\":{},\"do\":{\"transition\":{\"to\":\"done\"}}}", "invalid_field",
     "[2].do.transition.to must be processing, completed, failed or cancelled",
     "known here: processing, completed, failed, cancelled"},
    {"{\"match\":{},\"do\":{\"webhook\":{\"duplicat\":2}}}", "unknown_field",
     "There is no field [2].do.webhook.\"duplicat\"", "did you mean \"duplicate\"?"},
    {"{\"match\":{},\"do\":{\"webhook\":{}}}", "invalid_field",
     "[2].do.webhook must have at least one of duplicate, delay, drop, hold, send, truncate, body",
     NULL},
    {"{\"match\":{},\"do\":{\"webhook\":{\"duplicate\":1}}}", "invalid_field",
     "[2].do.webhook.duplicate must be a whole number of deliveries in all, from 2 to 100", NULL},
    {"{\"match\":{},\"do\":{\"webhook\":{\"delay\":\"10\"}}}", "invalid_field",
     "[2].do.webhook.delay must be a duration with its unit, as \"10m\"",
     "\"10\" has no unit: write 10ms, 10s, 10m or 10h"},
    {"{\"match\":{},\"do\":{\"webhook\":{\"drop\":false}}}", "invalid_field",
     "[2].do.webhook.drop must be true", NULL},
    {"{\"match\":{},\"do\":{\"webhook\":{\"send\":\"before_anwser\"}}}", "invalid_field",
     "[2].do.webhook.send must be before_answer", "did you mean \"before_answer\"?"},
    {"{\"match\":{},\"do\":{\"webhook\":{\"drop\":true,\"body\":null}}}", "invalid_field",
     "[2].do.webhook.drop goes with nothing else", NULL},
    {"{\"match\":{},\"do\":{\"webhook\":{\"hold\":true,\"delay\":\"1s\"}}}", "invalid_field",
     "[2].do.webhook.hold and delay exclude each other", NULL},
    {"{\"match\":{},\"do\":{\"webhook\":{\"hold\":true,\"send\":\"before_answer\"}}}",
     "invalid_field", "[2].do.webhook.hold and send exclude each other", NULL},
    {"{\"match\":{},\"do\":{\"webhook\":{\"delay\":\"1s\",\"send\":\"before_answer\"}}}",
     "invalid_field", "[2].do.webhook.delay and send exclude each other", NULL},
    {"{\"match\":{},\"do\":{\"webhook\":{\"truncate\":-1}}}", "invalid_field",
     "[2].do.webhook.truncate must be a whole number of bytes, from 0", NULL},
    {"{\"match\":{\"operation\":\"openChat\"},\"do\":{\"webhook\":{\"drop\":true}}}",
     "invalid_field", "[2].do.webhook never acts on openChat, which makes no job with a callback",
     "known here: createScenarioJob"},
    {"{\"match\":{},\"do\":{\"webhook\":{\"drop\":true},\"when\":\"after_commit\"}}",
     "invalid_field",
     "[2].do.when goes with an answer or a fault, and what becomes of a job is neither", NULL},
    {"{\"match\":{},\"do\":{\"webhook\":{\"drop\":true},\"job\":{}}}", "invalid_field",
     "[2].do must have exactly one of job, webhook, respond, delay, transition, drop, truncate, drip, "
     "hang, garbage",
     NULL},
    {"{\"match\":{},\"do\":{\"job\":{\"error\":{\"code\":7}}}}", "invalid_field",
     "[2].do.job.error.code must be a text of 1 to 63 bytes", NULL},
};

START_TEST(complains)
{
    struct complaint complaint = COMPLAINT_INIT;
    struct rule *rule = NULL;
    json_t *value = json(wrongs[_i].rule);
    ck_assert_int_eq(rule_parse(value, "[2].", &complaint, &rule), ERR_INVALID);
    ck_assert_ptr_null(rule);
    ck_assert_str_eq(complaint.name, wrongs[_i].name);
    ck_assert_str_eq(complaint.detail.data, wrongs[_i].detail);
    if (wrongs[_i].hint)
        ck_assert_str_eq(complaint.hint.data, wrongs[_i].hint);
    else
        ck_assert_uint_eq(complaint.hint.len, 0);
    complaint_finish(&complaint);
    json_decref(value);
}
END_TEST

START_TEST(becomes_an_action)
{
    struct rule *rule = make("{\"match\":{},\"do\":{\"job\":{\"queued\":\"5s\",\"processing\":"
                             "\"40s\",\"error\":{\"code\":\"X\"},\"polls\":{\"queued\":2},"
                             "\"hold_at\":\"processing\"}}}");
    ck_assert_int_eq(rule->kind, RULE_JOB);
    const struct plan *plan = &rule->action.plan;
    ck_assert_int_eq(plan->queued, 5000);
    ck_assert_int_eq(plan->processing, 40000);
    ck_assert_str_eq(plan->error_code, "X");
    ck_assert_int_eq(plan->polls_queued, 2);
    ck_assert_int_eq(plan->polls_processing, -1);
    ck_assert_int_eq(plan->hold_at, JOB_PROCESSING);
    rule_release(rule);
    rule = make("{\"match\":{},\"do\":{\"respond\":{\"status\":503,\"body\":{\"a\":0.1}},"
                "\"when\":\"after_commit\"}}");
    ck_assert_int_eq(rule->action.kind, ACTION_ANSWER);
    ck_assert(rule->action.after_commit);
    ck_assert_uint_eq(rule->action.body_len, 9);
    ck_assert_mem_eq(rule->action.body, "{\"a\":0.1}", 9);
    ck_assert_str_eq(rule->action.headers[0].value, "application/json; charset=utf-8");
    rule_release(rule);
    rule = make("{\"match\":{},\"do\":{\"drip\":\"4KiB/s\"}}");
    ck_assert_int_eq(rule->action.kind, ACTION_DRIP);
    ck_assert_int_eq(rule->action.amount, 4096);
    rule_release(rule);
    rule = make("{\"match\":{},\"do\":{\"respond\":\"429\",\"retry_after\":\"30s\"}}");
    ck_assert_int_eq(rule->action.retry_after, 30);
    rule_release(rule);
}
END_TEST

/* Every operation of the APIs and the pages is one that a rule may name, and no other. */
static size_t count_known(const struct route *routes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        ck_assert_msg(rule_operation(routes[i].operation_id) >= 0, "%s", routes[i].operation_id);
    return count;
}

START_TEST(knows_the_operations)
{
    size_t known = count_known(studio_routes, studio_route_count) +
                   count_known(page_routes, page_route_count) +
                   count_known(scenario_routes, scenario_route_count);
    size_t all = 0;
    while (rule_operations[all])
        all++;
    ck_assert_uint_eq(all, known);
}
END_TEST

/* -- parts, patterns --------------------------------------------------------------------------- */

static const struct {
    const char *value, *part;
    bool has;
} parts[] = {
    {"{\"a\":1,\"b\":2}", "{\"a\":1}", true},
    {"{\"a\":1}", "{\"a\":1,\"b\":2}", false},
    {"{\"a\":{\"b\":{\"c\":1,\"d\":2}}}", "{\"a\":{\"b\":{\"d\":2}}}", true},
    {"{\"a\":1}", "{\"a\":1.0}", true},
    {"{\"a\":9007199254740993}", "{\"a\":9007199254740992}", false},
    {"{\"a\":[1,{\"b\":2,\"c\":3}]}", "{\"a\":[1,{\"c\":3}]}", true},
    {"{\"a\":[1,2]}", "{\"a\":[1]}", false},
    {"{\"a\":[1,2]}", "{\"a\":[2,1]}", false},
    {"{\"a\":null}", "{\"a\":null}", true},
    {"{}", "{\"a\":null}", false},
    {"{\"a\":true}", "{\"a\":false}", false},
    {"{\"a\":\"x\"}", "{\"a\":\"X\"}", false},
    {"{\"a\":\"1\"}", "{\"a\":1}", false},
};

START_TEST(finds_parts)
{
    json_t *value = json(parts[_i].value), *part = json(parts[_i].part);
    ck_assert_int_eq(rule_has_part(value, part), parts[_i].has);
    json_decref(value);
    json_decref(part);
}
END_TEST

static const struct {
    const char *expression, *text;
    int fits; /* ERR_INVALID: is none */
} patterns[] = {
    {"b", "abc", 1},
    {"^b", "abc", 0},
    {"^a|c$", "xxc", 1},
    {"^h.llo$", "h\xc3\xa9llo", 1}, /* a dot is a character */
    {"^[\xc3\xa9]$", "\xc3\xa9", 1},
    {"a.b", "a\nb", 1},
    {"x{2,3}", "axxb", 1},
    {"x{300}", "x", 0},
    {"x{301}", "x", ERR_INVALID},
    {"(((((((((a+)+)+)+)+)+)+)+)+)+", "a", ERR_INVALID},
    {"(a)\\1", "aa", ERR_INVALID},
    {"[\\1]", "1", 1},
    {"a)(b", "ab", ERR_INVALID},
    {"(", "a", ERR_INVALID},
    {"", "anything", 1},
};

START_TEST(fits_patterns)
{
    struct pattern *pattern = NULL;
    struct err err;
    int status = pattern_create(patterns[_i].expression, &pattern, &err);
    if (patterns[_i].fits == ERR_INVALID) {
        ck_assert_int_eq(status, ERR_INVALID);
        return;
    }
    ck_assert_int_eq(status, 0);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(pattern_fits(pattern, patterns[_i].text), patterns[_i].fits);
    pattern_destroy(pattern);
}
END_TEST

/* The longest prompt, again and again, so that it is compiled anew on the way. */
START_TEST(pattern_outlives_its_texts)
{
    struct pattern *pattern = NULL;
    struct err err;
    char *text = calloc(1, 10001);
    ck_assert_int_eq(pattern_create("[a-z]+@", &pattern, &err), 0);
    memset(text, 'a', 10000);
    for (int i = 0; i < 20; i++) {
        text[9999] = i % 2 ? '@' : 'a';
        ck_assert_int_eq(pattern_fits(pattern, text), i % 2);
    }
    free(text);
    pattern_destroy(pattern);
}
END_TEST

/* -- order ------------------------------------------------------------------------------------- */

static struct rule_set *make_set(const char *const *texts, size_t count)
{
    struct rule *rules[16];
    for (size_t i = 0; i < count; i++) {
        rules[i] = make(texts[i]);
        rules[i]->seq = (int64_t)i + 1;
        snprintf(rules[i]->id, sizeof rules[i]->id, "%zu", i);
    }
    struct rule_set *set = rule_set_create(rules, count);
    for (size_t i = 0; i < count; i++)
        rule_release(rules[i]);
    return set;
}

#define DELAYS "\"do\":{\"delay\":\"1s\"}"

START_TEST(puts_in_order)
{
    static const char *const texts[] = {
        "{\"match\":{}," DELAYS "}",
        "{\"match\":{}," DELAYS ",\"times\":1}",
        "{\"match\":{}}",
        "{\"match\":{}," DELAYS ",\"times\":2,\"skip\":1}",
        "{\"match\":{}," DELAYS "}",
        "{\"match\":{}," DELAYS ",\"skip\":1}",
        "{\"match\":{},\"do\":{\"job\":{}}}",
        "{\"match\":{\"request_id\":\"other\"}," DELAYS ",\"times\":1}",
    };
    static const char *const answers[] = {"1", "3", "5", "4"}; /* and 4 certainly acts */
    struct rule_set *set = make_set(texts, COUNT(texts));
    struct rule_list lists[RULE_KINDS] = {{0}};
    struct rule_request request = {.operation = 0};
    ck_assert_int_eq(rule_set_match(set, &request, lists), 0);
    ck_assert_uint_eq(lists[RULE_ANSWER].count, COUNT(answers));
    for (size_t i = 0; i < COUNT(answers); i++)
        ck_assert_str_eq(lists[RULE_ANSWER].items[i].rule->id, answers[i]);
    ck_assert_uint_eq(lists[RULE_WATCH].count, 1);
    ck_assert_uint_eq(lists[RULE_JOB].count, 1);
    for (size_t i = 0; i < RULE_KINDS; i++)
        free(lists[i].items);
    rule_set_release(set);
}
END_TEST

/* -- claims ------------------------------------------------------------------------------------ */

static struct store *store;
static struct workspace workspace;

static int insert_rules(struct db *db, void *arg)
{
    struct rule **rule = arg;
    return rules_insert(db, &workspace, rule, 1);
}

static int make_workspace(struct db *db, void *arg)
{
    (void)arg;
    workspace.row.pk = support_workspace(db, "one");
    return 0;
}

static void begin(void)
{
    store = support_new_store();
    workspace = (struct workspace){.row = {.pk = 0}};
    pthread_mutex_init(&workspace.rules_lock, NULL);
    events_init(&workspace.events, 0);
    ck_assert_int_eq(support_write(store, make_workspace, NULL), 0);
}

static void end(void)
{
    rule_set_release(atomic_load(&workspace.rules));
    pthread_mutex_destroy(&workspace.rules_lock);
    events_finish(&workspace.events);
    store_close(store);
}

static void add_rule(const char *text)
{
    struct rule *rule = make(text);
    ck_assert_int_eq(support_write(store, insert_rules, &rule), 0);
    ck_assert_int_eq(rules_publish(&workspace, &rule, 1), 0);
    rule_release(rule);
}

static bool with_callback; /* of the job that is made */

/* One request, from its match to its end; returns the rule that acted: its place, or -1. */
static int claim_in(struct db *db, void *arg)
{
    struct rule_subject *subject = arg;
    struct plan_row planned = {.polls = 0};
    plan_init(&planned.plan);
    int status = rule_subject_claim_job(db, subject, with_callback, &planned);
    ck_assert(!planned.webhook == !subject->webhook);
    return status;
}

static int64_t act_once(int (*claim)(struct db *db, void *arg))
{
    struct rule_subject subject = {.workspace = &workspace, .request = 1};
    struct rule_request request = {.operation = 1};
    ck_assert_int_eq(rule_subject_match(&subject, &request), 0);
    int status = support_write(store, claim, &subject);
    if (status == 0)
        rule_subject_commit_job(&subject, "0123456789ab");
    int64_t seq = status == 0 && subject.job ? subject.job->seq : -1;
    if (status < 0)
        rule_subject_forget_job(&subject);
    rule_subject_finish(&subject);
    return seq;
}

/* Reads the rules anew, as a start does. */
static int load_rules(struct db *db, void *arg)
{
    (void)arg;
    return rules_load(db, &workspace);
}

enum { THREADS = 8, EACH = 25 };

static void *act_often(void *arg)
{
    atomic_int *acted = arg;
    for (int i = 0; i < EACH; i++)
        if (act_once(claim_in) > 0)
            atomic_fetch_add(acted, 1);
    return NULL;
}

START_TEST(acts_exactly_so_often)
{
    pthread_t threads[THREADS];
    atomic_int acted = 0;
    add_rule("{\"match\":{},\"do\":{\"job\":{}},\"times\":37,\"skip\":5}");
    for (size_t i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, act_often, &acted);
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    ck_assert_int_eq(acted, 37);
    struct rule *rule = atomic_load(&workspace.rules)->rules[0];
    ck_assert_int_eq(atomic_load(&rule->hit_count), 37);
    ck_assert_int_eq(support_write(store, load_rules, NULL), 0);
    rule = atomic_load(&workspace.rules)->rules[0];
    ck_assert_int_eq(atomic_load(&rule->hit_count), 37);
    ck_assert(rule_is_spent(rule));
}
END_TEST

static int claim_and_fail(struct db *db, void *arg)
{
    int status = claim_in(db, arg);
    return status < 0 ? status : ERR_FULL; /* the job could not be written */
}

/* What is rolled back with a job was not used; what was used stays so when the rules are read anew.
 */
START_TEST(counts_with_the_transaction)
{
    add_rule("{\"match\":{},\"do\":{\"job\":{}},\"times\":2}");
    ck_assert_int_eq(act_once(claim_and_fail), -1);
    struct rule *rule = atomic_load(&workspace.rules)->rules[0];
    ck_assert_int_eq(atomic_load(&rule->left), 2);
    ck_assert_int_eq(atomic_load(&rule->hit_count), 0);
    ck_assert_int_gt(act_once(claim_in), 0);
    ck_assert_int_eq(support_write(store, load_rules, NULL), 0);
    rule = atomic_load(&workspace.rules)->rules[0];
    ck_assert_int_eq(atomic_load(&rule->left), 1);
    ck_assert_int_eq(atomic_load(&rule->hit_count), 1);
    ck_assert_int_gt(act_once(claim_in), 0);
    ck_assert_int_eq(act_once(claim_in), -1);
}
END_TEST

/* One rule for the job and one for its callback, where it has one. */
START_TEST(callbacks_have_rules_of_their_own)
{
    add_rule("{\"match\":{},\"do\":{\"webhook\":{\"duplicate\":2}},\"times\":2}");
    add_rule("{\"match\":{},\"do\":{\"job\":{}}}");
    struct rule *rule = atomic_load(&workspace.rules)->rules[0];
    with_callback = false;
    ck_assert_int_gt(act_once(claim_in), 0);
    ck_assert_int_eq(atomic_load(&rule->left), 2);
    with_callback = true;
    act_once(claim_and_fail);
    ck_assert_int_eq(atomic_load(&rule->left), 2);
    ck_assert_int_gt(act_once(claim_in), 0);
    ck_assert_int_eq(atomic_load(&rule->left), 1);
    ck_assert_int_gt(act_once(claim_in), 0);
    ck_assert_int_gt(act_once(claim_in), 0);
    ck_assert_int_eq(atomic_load(&rule->hit_count), 2);
    ck_assert_int_eq(atomic_load(&atomic_load(&workspace.rules)->rules[1]->hit_count), 4);
}
END_TEST

/* The ring of hits: the last ones stay, oldest first, whatever was counted before. */
START_TEST(keeps_the_last_hits)
{
    struct rule *rule = make("{\"match\":{}}");
    struct rule_hit *hits;
    size_t kept;
    int64_t count;
    atomic_store(&rule->hit_count, 7);
    for (int64_t i = 1; i <= RULE_HITS_KEPT + 5; i++)
        rule_note(rule, &(struct rule_hit){.request = i});
    ck_assert_int_eq(rule_read_hits(rule, &hits, &kept, &count), 0);
    ck_assert_int_eq(count, RULE_HITS_KEPT + 12);
    ck_assert_uint_eq(kept, RULE_HITS_KEPT);
    for (size_t i = 0; i < kept; i++)
        ck_assert_int_eq(hits[i].request, (int64_t)i + 6);
    free(hits);
    rule_release(rule);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("rule");
    TCase *pure = tcase_create("pure");
    tcase_add_loop_test(pure, complains, 0, COUNT(wrongs));
    tcase_add_test(pure, becomes_an_action);
    tcase_add_test(pure, knows_the_operations);
    tcase_add_loop_test(pure, finds_parts, 0, COUNT(parts));
    tcase_add_loop_test(pure, fits_patterns, 0, COUNT(patterns));
    tcase_add_test(pure, pattern_outlives_its_texts);
    tcase_add_test(pure, puts_in_order);
    tcase_add_test(pure, keeps_the_last_hits);
    suite_add_tcase(suite, pure);
    TCase *claims = tcase_create("claims");
    tcase_set_timeout(claims, 120);
    tcase_add_checked_fixture(claims, begin, end);
    tcase_add_test(claims, acts_exactly_so_often);
    tcase_add_test(claims, counts_with_the_transaction);
    tcase_add_test(claims, callbacks_have_rules_of_their_own);
    suite_add_tcase(suite, claims);
    return support_run(suite);
}
