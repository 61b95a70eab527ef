/* A rule's JSON: the whole, and what a request must be like. */
#include "engine/rule.h"

#include "base/email.h"
#include "base/json.h"
#include "base/token.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATH_SIZE = 96 };

const char *const rule_operations[] = {
    "createScenarioStudioSession",
    "createScenarioJob",
    "getScenarioJob",
    "cancelScenarioJob",
    "openChat",
    "showScenario",
    "listScenarios",
    "createScenario",
    "getScenario",
    "updateScenario",
    "deleteScenario",
    NULL,
};

int rule_operation(const char *name)
{
    for (int i = 0; name && rule_operations[i]; i++)
        if (strcmp(rule_operations[i], name) == 0)
            return i;
    return -1;
}

/* -- tables ------------------------------------------------------------------------------------ */

struct rule_body {
    const json_t *match, *act;
    struct field_whole times, skip;
    struct field_text label;
};

struct match_body {
    struct field_text operation, email, request_id, scenario_slug, project, job;
    const json_t *prompt, *header, *body;
};

struct prompt_body {
    struct field_text regex;
};

static bool is_count(const json_t *value, double least)
{
    double number = json_number_value(value);
    return number >= least && number <= RULE_TIMES_MAX;
}

static bool check_times(const json_t *value)
{
    return is_count(value, 1);
}

static bool check_skip(const json_t *value)
{
    return is_count(value, 0);
}

static bool check_label(const json_t *value)
{
    size_t len = json_string_length(value);
    return len > 0 && len <= RULE_LABEL_MAX;
}

static bool check_text(const json_t *value)
{
    return json_string_length(value) > 0;
}

static bool check_email(const json_t *value)
{
    size_t len = json_string_length(value);
    return len > 0 && len <= EMAIL_MAX;
}

static bool check_prompt(const json_t *value)
{
    return json_is_object(value) || json_string_length(value) > 0;
}

static bool check_header(const json_t *value)
{
    json_t *members = (json_t *)value; /* its iterators want it writable; they do not write */
    for (void *at = json_object_iter(members); at; at = json_object_iter_next(members, at)) {
        const char *name = json_object_iter_key(at);
        const json_t *wanted = json_object_iter_value(at);
        if (!token_is_right(name, strlen(name)) ||
            (!json_is_string(wanted) && !json_is_null(wanted)))
            return false;
    }
    return true;
}

#define TO(struct_, member_) .offset = offsetof(struct struct_, member_)
#define A_TEXT               .what = "a text that is not empty", .check = check_text

const struct field rule_fields[] = {
    {"match", FIELD_OBJECT, .required = true, .what = "an object; {} matches every request",
     TO(rule_body, match)},
    {"do", FIELD_OBJECT, .what = "an object; without it the rule only watches", TO(rule_body, act)},
    {"times", FIELD_WHOLE, .what = "a whole number from 1 to 1000000000", .check = check_times,
     TO(rule_body, times)},
    {"skip", FIELD_WHOLE, .what = "a whole number from 0 to 1000000000", .check = check_skip,
     TO(rule_body, skip)},
    {"label", FIELD_STRING, .what = "a text of 1 to 200 bytes", .check = check_label,
     TO(rule_body, label)},
};
const size_t rule_field_count = sizeof rule_fields / sizeof *rule_fields;

const struct field rule_match_fields[RULE_MATCH_FIELDS] = {
    {"operation", FIELD_STRING, A_TEXT, TO(match_body, operation)},
    {"email", FIELD_STRING,
     .what = "an address of at most 254 bytes, in which * stands for any characters",
     .check = check_email, TO(match_body, email)},
    {"prompt", FIELD_ANY, .what = "a text that is not empty, or {\"regex\": …}",
     .check = check_prompt, TO(match_body, prompt)},
    {"request_id", FIELD_STRING, A_TEXT, TO(match_body, request_id)},
    {"scenario_slug", FIELD_STRING, A_TEXT, TO(match_body, scenario_slug)},
    {"project", FIELD_STRING, A_TEXT, TO(match_body, project)},
    {"job", FIELD_STRING, A_TEXT, TO(match_body, job)},
    {"header", FIELD_OBJECT,
     .what = "an object of header names, each with the value it must have, or null for any",
     .check = check_header, TO(match_body, header)},
    {"body", FIELD_OBJECT, .what = "an object, of which the request's body must have all",
     TO(match_body, body)},
};

static const struct field prompt_fields[] = {
    {"regex", FIELD_STRING, .required = true, .what = "a POSIX extended regular expression",
     TO(prompt_body, regex)},
};

/* -- match ------------------------------------------------------------------------------------- */

static int take_prompt(struct rule *rule, const json_t *prompt, const char *prefix,
                       struct complaint *complaint)
{
    struct prompt_body body = {{0}};
    struct err err;
    char path[PATH_SIZE];
    snprintf(path, sizeof path, "%sprompt.", prefix);
    rule->match.prompt = json_string_value(prompt);
    if (!json_is_object(prompt))
        return 0;
    int status = complain_read(complaint, path, prompt, prompt_fields, 1, &body);
    if (status < 0)
        return status;
    status = pattern_create(body.regex.data, &rule->match.prompt_pattern, &err);
    if (status == ERR_INVALID)
        complain(complaint, "invalid_field",
                 "%sregex must be a POSIX extended regular expression: %s", path, err.text);
    return status;
}

static int take_email(struct rule *rule, const char *email)
{
    char *folded = rule_alloc(rule, EMAIL_MAX + 1);
    if (!folded)
        return ERR_NO_MEMORY;
    email_fold(email, folded);
    rule->match.email = folded;
    const char *star = strrchr(folded, '*');
    if (star) {
        rule->match.email_end = star + 1;
        rule->match.email_end_len = strlen(star + 1);
    }
    return 0;
}

static int take_headers(struct rule *rule, const json_t *header)
{
    json_t *members = (json_t *)header; /* as in check_header() */
    struct rule_header *headers =
        rule_alloc(rule, (json_object_size(members) + 1) * sizeof *headers);
    if (!headers)
        return ERR_NO_MEMORY;
    rule->match.headers = headers;
    for (void *at = json_object_iter(members); at; at = json_object_iter_next(members, at))
        headers[rule->match.header_count++] = (struct rule_header){
            json_object_iter_key(at), json_string_value(json_object_iter_value(at))};
    return 0;
}

/* Its members are named after `prefix`: "match." */
static int parse_match(struct rule *rule, const json_t *object, const char *prefix,
                       struct complaint *complaint)
{
    struct match_body body = {.prompt = NULL};
    struct rule_match *match = &rule->match;
    char path[PATH_SIZE];
    int status =
        complain_read(complaint, prefix, object, rule_match_fields, RULE_MATCH_FIELDS, &body);
    if (status < 0)
        return status;
    match->operation = rule_operation(body.operation.data);
    if (body.operation.data && match->operation < 0) {
        snprintf(path, sizeof path, "%soperation", prefix);
        return complain_unknown(complaint, path, body.operation.data,
                                "an operationId of either API", rule_operations);
    }
    match->request_id = body.request_id.data;
    match->scenario_slug = body.scenario_slug.data;
    match->project = body.project.data;
    match->job = body.job.data;
    match->body = body.body;
    if (body.email.data)
        status = take_email(rule, body.email.data);
    if (status == 0 && body.header)
        status = take_headers(rule, body.header);
    if (status == 0 && body.prompt)
        status = take_prompt(rule, body.prompt, prefix, complaint);
    return status;
}

/* -- the whole --------------------------------------------------------------------------------- */

static int check_size(const json_t *value, const char *prefix, struct complaint *complaint)
{
    struct buf text = BUF_INIT;
    json_put_value(&text, value);
    bool failed = buf_failed(&text);
    size_t len = text.len;
    buf_finish(&text);
    if (failed)
        return ERR_NO_MEMORY;
    if (len <= RULE_BYTES_MAX)
        return 0;
    return complain(complaint, "invalid_field",
                    "%smatch and do must have at most %d bytes together", prefix,
                    (int)RULE_BYTES_MAX);
}

static int take(struct rule *rule, const json_t *value, const char *prefix,
                struct complaint *complaint)
{
    struct rule_body body = {.match = NULL};
    char path[PATH_SIZE];
    int status = complain_read(complaint, prefix, value, rule_fields, rule_field_count, &body);
    if (status == 0)
        status = check_size(value, prefix, complaint);
    if (status < 0)
        return status;
    rule->label = body.label.data;
    rule->times = body.times.given ? body.times.value : -1;
    rule->skip = body.skip.value;
    atomic_init(&rule->left, rule->times);
    atomic_init(&rule->skip_left, rule->skip);
    snprintf(path, sizeof path, "%smatch.", prefix);
    status = parse_match(rule, body.match, path, complaint);
    if (status < 0 || !body.act)
        return status;
    snprintf(path, sizeof path, "%sdo.", prefix);
    status = rule_parse_do(rule, body.act, path, complaint);
    rule->kind = rule->action.kind == ACTION_JOB       ? RULE_JOB
                 : rule->action.kind == ACTION_WEBHOOK ? RULE_WEBHOOK
                                                       : RULE_ANSWER;
    return status;
}

static bool is_among(int operation, const char *const *names)
{
    for (; *names; names++)
        if (rule_operation(*names) == operation)
            return true;
    return false;
}

/* A rule that could never act is a mistake. */
static int check_use(const struct rule *rule, const char *prefix, struct complaint *complaint)
{
    static const struct {
        enum action_kind kind;
        const char *name, *why;
        const char *fitting[4];
    } uses[] = {
        {ACTION_JOB, "job", "makes no job", {"createScenarioJob", "openChat"}},
        {ACTION_WEBHOOK, "webhook", "makes no job with a callback", {"createScenarioJob"}},
        {ACTION_TRANSITION,
         "transition",
         "is about no job that is there",
         {"getScenarioJob", "cancelScenarioJob", "openChat"}},
    };
    int operation = rule->match.operation;
    for (size_t i = 0; operation >= 0 && i < sizeof uses / sizeof *uses; i++) {
        if (uses[i].kind != rule->action.kind || is_among(operation, uses[i].fitting))
            continue;
        complain_names(&complaint->hint, "", uses[i].fitting);
        return complain(complaint, "invalid_field", "%sdo.%s never acts on %s, which %s", prefix,
                        uses[i].name, rule_operations[operation], uses[i].why);
    }
    return 0;
}

static struct rule *create(const json_t *value)
{
    struct rule *rule = calloc(1, sizeof *rule);
    if (!rule)
        return NULL;
    atomic_init(&rule->references, 1);
    pthread_mutex_init(&rule->lock, NULL);
    rule->document = json_incref((json_t *)value); /* counting is all that is written to it */
    rule->match.operation = -1;
    return rule;
}

int rule_parse_match(const json_t *match, const char *prefix, struct complaint *complaint,
                     struct rule **ret_rule)
{
    struct rule *rule = create(match);
    int status = rule ? parse_match(rule, match, prefix, complaint) : ERR_NO_MEMORY;
    if (status < 0)
        rule_release(rule);
    else
        *ret_rule = rule;
    return status;
}

int rule_parse(const json_t *value, const char *prefix, struct complaint *complaint,
               struct rule **ret_rule)
{
    if (!json_is_object(value)) {
        size_t len = strlen(prefix); /* which ends in a dot */
        return complain(complaint, "invalid_field", "%.*s must be an object",
                        len ? (int)len - 1 : 8, len ? prefix : "The rule");
    }
    struct rule *rule = create(value);
    if (!rule)
        return ERR_NO_MEMORY;
    int status = take(rule, value, prefix, complaint);
    if (status == 0)
        status = check_use(rule, prefix, complaint);
    if (status < 0)
        rule_release(rule);
    else
        *ret_rule = rule;
    return status;
}

int rule_load(const struct rule_row *row, struct rule **ret_rule)
{
    struct complaint complaint = COMPLAINT_INIT;
    struct rule *rule = NULL;
    json_t *value = NULL;
    struct err err;
    int status = json_parse_body(row->document, strlen(row->document), &value, &err);
    if (status == 0)
        status = rule_parse(value, "", &complaint, &rule);
    json_decref(value);
    complaint_finish(&complaint);
    if (status < 0 || !rule)
        return status == ERR_INVALID ? ERR_CORRUPT : status;
    rule->seq = row->seq;
    rule->created_at = row->created_at;
    memcpy(rule->id, row->id, sizeof rule->id);
    rule_set(rule, &row->uses);
    atomic_store(&rule->hit_count, row->uses.hits);
    *ret_rule = rule;
    return 0;
}
