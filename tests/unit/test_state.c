/*
 * Workspaces as documents: what is wrong with one and where, and that one that was put back is
 * written as it was: S2, S22 (no job can be what it cannot become), H7 (prefixes).
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "engine/state.h"
#include "engine/state_fields.h"
#include "support.h"

static const int64_t now = 1800000000000;

static json_t *parse(const char *text)
{
    json_error_t error;
    json_t *json = json_loads(text, JSON_DECODE_ANY, &error);
    ck_assert_msg(json != NULL, "%s: %s", text, error.text);
    return json;
}

/* The fault's path, a colon and its words; "" where the text is a good document. */
static const char *fault_of(const char *text)
{
    static char told[STATE_PATH_SIZE + STATE_PROBLEM_SIZE + 4];
    struct state_head head;
    struct state_fault fault;
    json_t *json = parse(text);
    bool good = state_check(json, now, &head, &fault);
    snprintf(told, sizeof told, good ? "" : "%s: %s", fault.path, fault.problem);
    json_decref(json);
    return told;
}

/* -- faults ------------------------------------------------------------------------------------ */

#define HEX_64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define RULE                                                                                       \
    "'id':'r','skip_left':0,'hits':0,'created_at':'2024-03-01T10:00:00Z','rule':{'match':{}"

static const struct {
    const char *text, *path, *words;
} faults[] = {
    {"[]", "", "a state must be a JSON object"},
    {"null", "", "a state must be a JSON object"},
    {"{'jobz':[]}", "jobz", "There is no field \"jobz\""},
    {"{'version':2}", "version", "version must be 1"},
    {"{'workspace':{'slug':'-a'}}", "workspace.slug", "lower-case"},
    {"{'workspace':{'name':''}}", "workspace.name", "1 to 255 bytes"},
    {"{'workspace':{'project_id':'a/b'}}", "workspace.project_id", "without white space and /"},
    {"{'workspace':{'ttl':'0s'}}", "workspace.ttl", "above zero"},
    {"{'clock':{}}", "clock.mode", "is required"},
    {"{'clock':{'mode':'manaul'}}", "clock.mode", "real, scaled, manual, auto"},
    {"{'clock':{'mode':'manual','at':'x'}}", "clock.at", "a time"},
    {"{'clock':{'mode':'scaled','scale':0}}", "clock.scale", "0.001"},
    {"{'seed':1.5}", "seed", "a whole number"},
    {"{'draws':9007199254740993}", "draws", "a whole number"},
    {"{'room_since':'x'}", "room_since", "a time"},
    {"{'settings':{'queue_time':5}}", "settings.queue_time", "unit"},
    {"{'settings':{'callback_on':['x']}}", "settings.callback_on[0]", "completed, failed"},
    {"{'settings':{'webhook_secrets':[null,'x']}}", "settings.webhook_secrets[1]", "whsec_"},
    {"{'settings':{'callback_map':{'x':'http://a'}}}", "settings.callback_map", "not \"x\""},
    {"{'keys':[1]}", "keys[0]", "must be an object"},
    {"{'keys':[{'sha256':'" HEX_64 "'}]}", "keys[0]", "must have either key"},
    {"{'keys':[{'sha256':'" HEX_64 "','last4':'abcd'},{'sha256':'" HEX_64 "','last4':'abcd'}]}",
     "keys[1]", "another one before it"},
    {"{'keys':[{'sha256':'X','last4':'abcd'}]}", "keys[0].sha256", "hex"},
    {"{'keys':[{'sha256':'" HEX_64 "','last4':'abcd','id':'a b'}]}", "keys[0].id", "letters"},
    {"{'members':['a@b.c',1]}", "members[1]", "an address"},
    {"{'scenarios':{}}", "scenarios", "a list"},
    {"{'scenarios':[1]}", "scenarios[0]", "must be an object"},
    {"{'scenarios':[{'id':'a'}]}", "scenarios[0].slug", "is required"},
    {"{'scenarios':[{'id':''}]}", "scenarios[0].id", "is required"},
    {"{'scenarios':[{'id':'0123456789abc'}]}", "scenarios[0].id", "12 bytes or fewer"},
    {"{'scenarios':[{'id':'a','x':1}]}", "scenarios[0].x", "is not known here"},
    {"{'scenarios':[{'abcdefghijklmnopqrstuvwxyzabcdefghijklm\u20ac\u20ac':1}]}", /* cut, not broken
                                                                                   */
     "scenarios[0].abcdefghijklmnopqrstuvwxyzabcdefghijklm\u2026", "is not known here"},
    {"{'scenarios':[{'a\x7f':1}]}", "scenarios[0].a\\x7f", "is not known here"},
    {"{'scenarios':[{'id':'a','slug':'s','name':'n','created_at':'2024-03-01'}]}",
     "scenarios[0].created_at", "a time"},
    {"{'deliveries':[{'job':'j','status':'sent'}]}", "deliveries[0].status", "pending"},
    {"{'deliveries':[{'job':'j','status':'pending','created_at':'2024-03-01T10:00:00Z'}]}",
     "deliveries[0].job", "no job"},
    {"{'rules':[{" RULE "},'left':1}]}", "rules[0]", "must have left"},
    {"{'rules':[{" RULE ",'times':2}}]}", "rules[0]", "must have left"},
    {"{'rules':[{" RULE ",'times':2},'left':3}]}", "rules[0]", "must have left"},
    {"{'rules':[{" RULE ",'tmies':2}}]}", "rules[0].rule.tmies", "times"},
    {"{'rules':[{" RULE "}},{" RULE "}}]}", "rules[1].id", "another"},
};

/* Quotes are apostrophes in this file's documents. */
static const char *quoted(const char *text)
{
    static char copy[8192];
    ck_assert_uint_lt(strlen(text), sizeof copy);
    strcpy(copy, text);
    for (char *c = copy; *c; c++)
        if (*c == '\'')
            *c = '"';
    return copy;
}

static void assert_fault(const char *text, const char *path, const char *words)
{
    const char *told = fault_of(text);
    size_t len = strlen(path);
    ck_assert_msg(strncmp(told, path, len) == 0 && told[len] == ':' && strstr(told, words),
                  "%s\nis told \"%s\" instead of \"%s: … %s …\"", text, told, path, words);
}

START_TEST(bad_document)
{
    assert_fault(quoted(faults[_i].text), faults[_i].path, faults[_i].words);
}
END_TEST

/* -- jobs -------------------------------------------------------------------------------------- */

/* A job with these members besides or instead; `instead` may end with those that it takes out. */
static const char *job_with(const char *changes)
{
    static char text[4096];
    json_t *job = parse(quoted(
        "{'number':1,'id':'j','status':'queued','created_at':'2024-03-01T10:00:00Z',"
        "'due_at':'2024-03-01T10:01:00Z','queue_time':'60s','processing_time':'5m',"
        "'start_cause':'none','end_cause':'none','base_url':'http://h:1','user_email':'a@b.c',"
        "'prompt':'p'}"));
    json_t *other = parse(quoted(changes));
    json_object_update(job, other);
    char *dumped = json_dumps(job, JSON_COMPACT);
    snprintf(text, sizeof text,
             "{\"scenarios\":[{\"id\":\"s\",\"slug\":\"s\",\"name\":\"n\",\"created_at\":"
             "\"2024-03-01T10:00:00Z\"}],\"jobs\":[%s]}",
             dumped);
    free(dumped);
    json_decref(other);
    json_decref(job);
    return text;
}

#define AT_START "'started_at':'2024-03-01T10:01:00.000Z'"
#define AT_END   "'completed_at':'2024-03-01T10:02:00.000Z'"

static const char *const good_jobs[] = {
    "{}",
    "{'status':'processing'," AT_START "}",
    "{'status':'completed'," AT_START "," AT_END ",'due_at':null,'scenario':'s'}",
    "{'status':'failed'," AT_START "," AT_END ",'due_at':null,'error_code':'X'}",
    "{'status':'cancelled'," AT_START "," AT_END ",'due_at':null}",
    "{'status':'cancelled'," AT_END ",'due_at':null}",
    "{'due_at':null,'plan':{'hold_at':'queued','polls':0}}",
    "{'due_at':null,'plan':{'polls_queued':3,'polls':1}}",
    "{'plan':{'hold_at':'processing','polls':0}}",
    "{'status':'processing'," AT_START ",'due_at':null,'plan':{'hold_at':'processing','polls':0}}",
    "{'status':'processing'," AT_START ",'plan':{'polls_queued':3,'polls':0}}",
    "{'plan':null,'callback_headers':{'A':null,'B':'x'}}",
    "{'callback_headers':{}}",
    "{'callback_url':'https://hooks.acme.com/x?y'}",
};

START_TEST(good_job)
{
    ck_assert_str_eq(fault_of(job_with(good_jobs[_i])), "");
}
END_TEST

static const struct {
    const char *changes, *path, *words;
} bad_jobs[] = {
    {"{'status':'processing'}", "jobs[0]", "must have started_at"},
    {"{" AT_START "}", "jobs[0]", "must not have started_at while it is queued"},
    {"{" AT_END "}", "jobs[0]", "must have completed_at if it has ended, and else none"},
    {"{'status':'cancelled','due_at':null}", "jobs[0]", "must have completed_at"},
    {"{'status':'completed'," AT_END ",'due_at':null,'scenario':'s'}", "jobs[0]",
     "must have started_at"},
    {"{'status':'completed'," AT_START "," AT_END ",'due_at':null}", "jobs[0]",
     "must have the id of its scenario"},
    {"{'status':'failed'," AT_START "," AT_END ",'due_at':null}", "jobs[0]",
     "must have error_code"},
    {"{'status':'processing','started_at':'2024-03-01T09:59:59Z'}", "jobs[0]", "in this order"},
    {"{'status':'cancelled','due_at':null,'completed_at':'2024-03-01T09:00:00Z'}", "jobs[0]",
     "in this order"},
    {"{'status':'cancelled','due_at':null,'started_at':'2024-03-01T10:03:00Z'," AT_END "}",
     "jobs[0]", "in this order"},
    {"{'due_at':null}", "jobs[0]", "must have due_at"},
    {"{'status':'cancelled'," AT_END "}", "jobs[0]", "must have due_at"},
    {"{'plan':{'hold_at':'queued','polls':0}}", "jobs[0]", "neither held nor polled"},
    {"{'plan':{'polls_queued':3,'polls':0}}", "jobs[0]", "neither held nor polled"},
    {"{'due_at':null,'plan':{'hold_at':'processing','polls':0}}", "jobs[0]", "must have due_at"},
    {"{'plan':[]}", "jobs[0].plan", "must be an object"},
    {"{'plan':{'polls':0,'end':'maybe'}}", "jobs[0].plan.end", "none, completed, failed"},
    {"{'plan':{'polls':-1}}", "jobs[0].plan.polls", "from 0 to 1000000000"},
    {"{'plan':{'polls':0,'x':1}}", "jobs[0].plan.x", "is not known"},
    {"{'number':0}", "jobs[0].number", "from 1"},
    {"{'number':9007199254740993}", "jobs[0].number", "from 1"},
    {"{'number':1.0}", "jobs[0].number", "whole number"},
    {"{'id':'a/b'}", "jobs[0].id", "letters, digits"},
    {"{'status':'done'}", "jobs[0].status", "queued, processing, completed, failed, cancelled"},
    {"{'start_cause':'luck'}", "jobs[0].start_cause", "none, timer, request, poll, rule, control"},
    {"{'queue_time':'60'}", "jobs[0].queue_time", "unit"},
    {"{'base_url':'ftp://h'}", "jobs[0].base_url", "base of urls"},
    {"{'base_url':'http://h/?a'}", "jobs[0].base_url", "base of urls"},
    {"{'base_url':'http://h/a b'}", "jobs[0].base_url", "base of urls"},
    {"{'prompt':''}", "jobs[0].prompt", "is required"},
    {"{'prompt':null}", "jobs[0].prompt", "is required"},
    {"{'prompt':1}", "jobs[0].prompt", "must be a text"},
    {"{'callback_headers':[]}", "jobs[0].callback_headers", "an object"},
    {"{'callback_headers':{'A':1}}", "jobs[0].callback_headers", "header names and values"},
    {"{'callback_headers':{'Host':'x'}}", "jobs[0].callback_headers", "that may be sent"},
    {"{'callback_headers':{'A':null,'a':null}}", "jobs[0].callback_headers", "that may be sent"},
    {"{'callback_headers':{'A':'x\\r\\nB: y'}}", "jobs[0].callback_headers", "that may be sent"},
    {"{'callback_url':'ftp://h'}", "jobs[0].callback_url", "absolute http or https URL"},
    {"{'callback_url':'http://u:p@h/'}", "jobs[0].callback_url", "without user info"},
    {"{'callback_url':''}", "jobs[0].callback_url", "absolute http or https URL"},
    {"{'scenario':'t'}", "jobs[0].scenario", "is no scenario of the document"},
};

START_TEST(bad_job)
{
    assert_fault(job_with(bad_jobs[_i].changes), bad_jobs[_i].path, bad_jobs[_i].words);
}
END_TEST

START_TEST(secrets)
{
    struct state_fault fault;
    json_t *lacks = parse(job_with("{'callback_headers':{'A':'x','B':null}}"));
    json_t *says = parse(job_with("{'callback_headers':{'A':'x'}}"));
    ck_assert(!state_check_secrets(lacks, &fault));
    ck_assert_str_eq(fault.path, "jobs[0].callback_headers.B");
    ck_assert(state_check_secrets(says, &fault));
    json_decref(lacks);
    json_decref(says);
    lacks = parse("{\"settings\":{\"webhook_secrets\":[\"x\",null]}}");
    ck_assert(!state_check_secrets(lacks, &fault));
    ck_assert_str_eq(fault.path, "settings.webhook_secrets[1]");
    json_decref(lacks);
}
END_TEST

/* -- clocks ------------------------------------------------------------------------------------ */

START_TEST(clocks)
{
    struct state_head head;
    struct state_fault fault;
    json_t *none = json_object(), *real = parse("{\"clock\":{\"mode\":\"real\"}}");
    json_t *scaled = parse("{\"clock\":{\"mode\":\"scaled\",\"scale\":2,\"now\":"
                           "\"2024-03-01T10:00:00Z\",\"at\":\"2024-03-01T09:00:00Z\"}}");
    json_t *manual = parse("{\"clock\":{\"mode\":\"manual\",\"now\":\"2024-03-01T10:00:00.5Z\"}}");
    ck_assert(state_check(none, now, &head, &fault) && !head.has_clock);
    ck_assert_int_eq(clock_show(&head.clock, 12345), 12345);
    ck_assert(state_check(real, now, &head, &fault) && head.has_clock);
    ck_assert_int_eq(clock_show(&head.clock, 12345), 12345);
    ck_assert(state_check(scaled, now, &head, &fault));
    ck_assert_int_eq(clock_show(&head.clock, 1709283600000 + 5000), 1709287200000 + 10000);
    ck_assert(state_check(manual, now, &head, &fault));
    ck_assert_int_eq(clock_show(&head.clock, 5), 1709287200500);
    json_decref(none);
    json_decref(real);
    json_decref(scaled);
    json_decref(manual);
}
END_TEST

/* -- round trips ------------------------------------------------------------------------------- */

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

static int put(int64_t pk, const char *text, struct state_fault *fault, int64_t *event)
{
    struct state_document document;
    struct workspace_row row;
    json_t *json = parse(text);
    ck_assert_int_eq(workspace_read(db, pk, &row), 0);
    int status = state_document_init(&document, json, now, fault);
    if (status == 0) {
        status = state_put(db, &row, &document, event, fault);
        if (status == 0)
            status = workspace_set_clock(db, pk, &row.clock);
        state_document_finish(&document);
    }
    json_decref(json);
    return status;
}

static void put_well(int64_t pk, const char *text)
{
    struct state_fault fault;
    int64_t event = 0;
    int status = put(pk, text, &fault, &event);
    ck_assert_msg(status == 0, "%d: %s: %s", status, fault.path, fault.problem);
}

/* To be freed. */
static char *written(int64_t pk, bool reveal)
{
    struct buf out = BUF_INIT;
    size_t len;
    ck_assert_int_eq(state_write(db, pk, NULL, reveal, &out), 0);
    char *text = buf_take(&out, &len);
    ck_assert_ptr_nonnull(text);
    return text;
}

static const char whole[] =
    "{'version':1,'workspace':{'slug':'elsewhere','name':'N \\\"','active':false,'ttl':'90s'},"
    "'clock':{'mode':'auto','now':'2024-03-01T10:30:00.001Z','at':'2024-03-02T10:00:00.000Z'},"
    "'seed':'s','draws':7,'room_since':'2024-03-01T10:00:00.002Z',"
    "'settings':{'queue_time':'5s','jitter':0.5,'magic':false,'public_url':'http://x',"
    "'rate_limit':{'per_day':5}},"
    "'keys':[{'id':'k1','sha256':'" HEX_64 "','last4':'abcd','active':false,"
    "'created_at':'2024-03-01T10:00:00.003Z'}],"
    "'members':['*@b.c','a@b.c'],"
    "'scenarios':[{'id':'s','slug':'a-1','name':'ü','source':'q','job':'j',"
    "'created_at':'2024-03-01T10:02:00.004Z'}],"
    "'jobs':[{'number':4,'id':'j','status':'completed','created_at':'2024-03-01T10:00:00.000Z'," AT_START
    "," AT_END ",'queue_time':'1m','processing_time':'1m','start_cause':'timer',"
    "'end_cause':'control','scenario':'s','base_url':'http://h/p','user_email':'a@b.c','prompt':'p',"
    "'callback_url':'http://c/','callback_headers':{'A':'hidden','B':'too'},'request_id':'r',"
    "'context':'c','scenario_slug':'q','session':'t'},"
    "{'number':9,'id':'k','status':'queued','created_at':'2024-03-01T10:00:00.000Z','queue_time':'1m',"
    "'processing_time':'1m','start_cause':'none','end_cause':'none','base_url':'http://h',"
    "'user_email':'a@b.c','prompt':'p','plan':{'end':'failed','error_code':'E','error_message':'m',"
    "'scenario_name':'n','scenario_slug':'z','polls_queued':2,'polls_processing':3,"
    "'hold_at':'queued','polls':1,'rule':'u'}}],"
    "'deliveries':[{'job':'j','status':'pending','created_at':'2024-03-01T10:02:00.000Z'}],"
    "'sessions':[{'id':'t','job':'j','created_at':'2024-03-01T10:00:00.000Z','base_url':'http://h',"
    "'request_id':'r','user_email':'a@b.c','prompt':'p'}],"
    "'project_scenarios':[{'project':'p','id':'00-a','name':'n','instructions':'i',"
    "'messages':[{'role':'user','content':1e-7}],'max_messages':9223372036854775807,"
    "'success_criteria':'s','failure_criteria':'f','failure_criteria_mode':'every_turn',"
    "'evaluators':[],'persona_ids':['x'],'created_at':'2024-03-01T10:00:00.005Z',"
    "'updated_at':'2024-03-01T10:00:00.006Z'}],"
    "'rules':[{'id':'u','rule':{'match':{'email':'a*'},'times':3,'label':'l'},'left':2,"
    "'skip_left':1,'hits':8,'created_at':'2024-03-01T10:00:00.007Z'}]}";

/* Every value that was given is in what is written. */
static void assert_has(const json_t *all, const json_t *part, const char *where)
{
    const char *name;
    json_t *value;
    if (json_is_object(part)) {
        json_object_foreach((json_t *)part, name, value)
            assert_has(json_object_get(all, name), value, name);
    } else if (json_is_array(part)) {
        ck_assert_msg(json_array_size(all) == json_array_size(part), "%s", where);
        for (size_t i = 0; i < json_array_size(part); i++)
            assert_has(json_array_get(all, i), json_array_get(part, i), where);
    } else {
        ck_assert_msg(json_equal(all, part), "%s", where);
    }
}

START_TEST(round_trip)
{
    put_well(one, quoted(whole));
    char *first = written(one, true);
    json_t *all = parse(first), *given = parse(quoted(whole));
    json_object_set_new(json_object_get(given, "workspace"), "slug", json_string("one"));
    assert_has(all, given, "the document");
    put_well(one, first);
    char *second = written(one, true);
    ck_assert_str_eq(second, first);
    ck_assert_int_eq(support_integer(db, "SELECT marks FROM job WHERE id = 'k'"), 1 | 2 | 4);
    ck_assert_int_eq(support_integer(db, "SELECT count(*) FROM rule WHERE label = 'l'"), 1);
    json_decref(all);
    json_decref(given);
    free(first);
    free(second);
}
END_TEST

/* What a document leaves out is as in a new workspace; keys and members stay. */
START_TEST(emptied)
{
    put_well(one, quoted(whole));
    put_well(two, "{}");
    put_well(one, "{}");
    char *text = written(one, true);
    json_t *json = parse(text);
    for (size_t i = 0; i < SNAPSHOT_TABLES; i++)
        ck_assert_uint_eq(json_array_size(json_object_get(json, state_lists[i].name)), 0);
    ck_assert_uint_eq(json_array_size(json_object_get(json, "keys")), 1);
    ck_assert_uint_eq(json_array_size(json_object_get(json, "members")), 2);
    ck_assert(json_is_null(json_object_get(json, "seed")));
    ck_assert_uint_eq(json_object_size(json_object_get(json, "settings")), 2); /* jitter, any_key */
    ck_assert_int_eq(support_integer(db, "SELECT count(*) FROM job_plan"), 0);
    json_decref(json);
    free(text);
}
END_TEST

START_TEST(hidden_secrets)
{
    struct state_fault fault;
    int64_t event = 0;
    put_well(one, quoted(whole));
    char *shown = written(one, true), *hidden = written(one, false);
    ck_assert_ptr_nonnull(strstr(shown, "\"A\":\"hidden\""));
    ck_assert_ptr_null(strstr(hidden, "hidden"));
    ck_assert_ptr_nonnull(strstr(hidden, "{\"A\":null,\"B\":null}"));
    put_well(one, hidden);
    char *again = written(one, true);
    ck_assert_str_eq(again, shown);
    json_t *json = parse(hidden); /* without its keys, which are the other's */
    json_object_del(json, "keys");
    char *keyless = json_dumps(json, 0);
    ck_assert_int_eq(put(two, keyless, &fault, &event), ERR_INVALID);
    ck_assert_str_eq(fault.path, "jobs[0].callback_headers.B");
    json_decref(json);
    free(keyless);
    free(shown);
    free(hidden);
    free(again);
}
END_TEST

START_TEST(taken_key)
{
    struct state_fault fault;
    int64_t event = 0;
    put_well(one, quoted(whole));
    ck_assert_int_eq(put(two, quoted(whole), &fault, &event), ERR_INVALID);
    ck_assert_str_eq(fault.path, "keys[0]");
    ck_assert(fault.is_taken);
}
END_TEST

/* The newest job's number, so that the next one's is higher; and never a lower one. */
START_TEST(numbers)
{
    struct state_fault fault;
    int64_t event = 0;
    ck_assert_int_eq(put(one, quoted(whole), &fault, &event), 0);
    ck_assert_int_eq(event, 9);
    event = 12;
    ck_assert_int_eq(put(one, quoted(whole), &fault, &event), 0);
    ck_assert_int_eq(event, 12);
}
END_TEST

/* H7: the prefix is not the state's. */
START_TEST(prefixes)
{
    put_well(one, quoted(whole));
    ck_assert_int_eq(support_integer(db, "SELECT count(*) FROM job WHERE base IN ('http://h/w/one',"
                                         " 'http://h/p/w/one')"),
                     2);
    ck_assert_int_eq(support_integer(db, "SELECT count(*) FROM session WHERE base ="
                                         " 'http://h/w/one'"),
                     1);
}
END_TEST

START_TEST(remembered)
{
    put_well(one, quoted(whole));
    ck_assert_int_eq(state_remember(db, one), 0);
    ck_assert_int_eq(
        support_integer(db,
                        "SELECT json_extract(document, '$.keys') IS NULL AND"
                        " json_extract(document, '$.members') IS NULL AND"
                        " json_extract(document, '$.jobs[0].callback_headers.A') = 'hidden'"
                        " FROM workspace_origin WHERE workspace = %lld",
                        (long long)one),
        1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("state");
    TCase *pure = tcase_create("check"), *stored = tcase_create("store");
    tcase_add_loop_test(pure, bad_document, 0, COUNT(faults));
    tcase_add_loop_test(pure, good_job, 0, COUNT(good_jobs));
    tcase_add_loop_test(pure, bad_job, 0, COUNT(bad_jobs));
    tcase_add_test(pure, secrets);
    tcase_add_test(pure, clocks);
    suite_add_tcase(suite, pure);
    tcase_add_checked_fixture(stored, begin, end);
    tcase_add_test(stored, round_trip);
    tcase_add_test(stored, emptied);
    tcase_add_test(stored, hidden_secrets);
    tcase_add_test(stored, taken_key);
    tcase_add_test(stored, numbers);
    tcase_add_test(stored, prefixes);
    tcase_add_test(stored, remembered);
    suite_add_tcase(suite, stored);
    return support_run(suite);
}
