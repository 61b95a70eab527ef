/* A rule's `do`: what becomes of a job, or of an answer. */
#include "engine/rule_place.h"

#include "base/duration.h"
#include "base/json.h"
#include "engine/plan.h"
#include "engine/reply.h"

#include <stdio.h>
#include <string.h>

enum { WAIT_MAX_MS = 24 * 60 * 60 * 1000 }; /* that a connection is kept waiting */

/* -- tables ------------------------------------------------------------------------------------ */

struct do_body {
    const json_t *job, *webhook, *respond, *retry_after, *transition;
    struct field_whole delay, hang, truncate;
    struct field_text drop, drip, when;
    struct field_bool garbage;
};

struct transition_body {
    struct field_text to;
    const json_t *error, *scenario;
};

struct answer_body {
    struct field_whole status;
    const json_t *body, *headers;
};

static bool is_within(const json_t *value, double least, double most)
{
    double number = json_number_value(value);
    return number >= least && number <= most;
}

static bool check_wait(const json_t *value)
{
    int64_t ms = 0;
    return duration_parse(json_string_value(value), &ms, NULL) == 0 && ms <= WAIT_MAX_MS;
}

static bool check_respond(const json_t *value)
{
    return json_is_object(value) || json_string_length(value) > 0;
}

/* As the body of a 429 has it, or a duration of whole seconds. */
static bool read_seconds(const json_t *value, int64_t *ret_seconds)
{
    int64_t ms = 0;
    if (json_is_integer(value) && is_within(value, 0, WAIT_MAX_MS)) {
        *ret_seconds = json_integer_value(value);
        return true;
    }
    if (!json_is_string(value) || duration_parse(json_string_value(value), &ms, NULL) < 0 ||
        ms % 1000)
        return false;
    *ret_seconds = ms / 1000;
    return true;
}

static bool check_seconds(const json_t *value)
{
    return read_seconds(value, &(int64_t){0});
}

static bool check_truncate(const json_t *value)
{
    return is_within(value, 0, INT32_MAX);
}

static bool check_garbage(const json_t *value)
{
    return json_is_true(value);
}

/* "10B/s", "4KiB/s", "1MiB/s": a size and its unit, a second. */
static bool read_rate(const char *text, int64_t *ret_rate)
{
    char size[DURATION_TEXT_SIZE];
    size_t len = strlen(text);
    if (len < 4 || len >= sizeof size || strcmp(text + len - 3, "B/s") != 0)
        return false;
    len -= text[len - 4] == 'i' ? 2 : 3; /* "4KiB", but "10" of "10B" */
    snprintf(size, sizeof size, "%.*s", (int)len, text);
    return size_parse(size, ret_rate, NULL) == 0 && *ret_rate > 0;
}

static bool check_drip(const json_t *value)
{
    return read_rate(json_string_value(value), &(int64_t){0});
}

#define A_WAIT               "a duration with its unit, of at most 24 hours, as \"3s\""
#define ERROR                "an object with code or message or both"
#define SCENARIO             "an object with name or slug or both"
#define TO(struct_, member_) .offset = offsetof(struct struct_, member_)

static const struct field do_fields[] = {
    {"job", FIELD_OBJECT, .what = "an object", TO(do_body, job)},
    {"webhook", FIELD_OBJECT, .what = "an object", TO(do_body, webhook)},
    {"respond", FIELD_ANY, .what = "an object with status, body and headers, or an outcome's name",
     .check = check_respond, TO(do_body, respond)},
    {"retry_after", FIELD_ANY, .what = "a whole number of seconds, or a duration as \"30s\"",
     .check = check_seconds, TO(do_body, retry_after)},
    {"delay", FIELD_DURATION, .what = A_WAIT, .check = check_wait, TO(do_body, delay)},
    {"transition", FIELD_OBJECT, .what = "an object", TO(do_body, transition)},
    {"drop", FIELD_STRING, .what = "before or after_commit", TO(do_body, drop)},
    {"truncate", FIELD_WHOLE, .what = "a whole number of bytes, from 0", .check = check_truncate,
     TO(do_body, truncate)},
    {"drip", FIELD_STRING, .what = "bytes a second, as \"10B/s\" or \"4KiB/s\"",
     .check = check_drip, TO(do_body, drip)},
    {"hang", FIELD_DURATION, .what = A_WAIT, .check = check_wait, TO(do_body, hang)},
    {"garbage", FIELD_BOOL, .what = "true", .check = check_garbage, TO(do_body, garbage)},
    {"when", FIELD_STRING, .what = "after_commit", TO(do_body, when)},
};
enum { DO_FIELDS = sizeof do_fields / sizeof *do_fields };

static const struct field transition_fields[] = {
    {"to", FIELD_STRING, .required = true, .what = "processing, completed, failed or cancelled",
     TO(transition_body, to)},
    {"error", FIELD_OBJECT, .what = ERROR, TO(transition_body, error)},
    {"scenario", FIELD_OBJECT, .what = SCENARIO, TO(transition_body, scenario)},
};

static const struct field answer_fields[] = {
    {"status", FIELD_WHOLE, .required = true, .what = REPLY_STATUS, .check = reply_check_status,
     TO(answer_body, status)},
    {"body", FIELD_ANY, .nullable = true, .what = "any JSON value", TO(answer_body, body)},
    {"headers", FIELD_OBJECT, .what = REPLY_HEADERS, .check = reply_check_headers,
     TO(answer_body, headers)},
};

#define LENGTH(table_) (sizeof(table_) / sizeof *(table_))

/* -- answers and faults ------------------------------------------------------------------------ */

static int take_transition(const json_t *object, const struct rule_place *above,
                           struct action *action)
{
    static const char *const names[] = {"processing", "completed", "failed", "cancelled", NULL};
    static const enum job_status states[] = {JOB_PROCESSING, JOB_COMPLETED, JOB_FAILED,
                                             JOB_CANCELLED};
    struct transition_body body = {.error = NULL};
    char path[RULE_PATH_SIZE];
    rule_path(above, "transition", ".", path);
    struct rule_place place = {above->complaint, path};
    int status = complain_read(above->complaint, path, object, transition_fields,
                               LENGTH(transition_fields), &body);
    if (status < 0)
        return status;
    int chosen = rule_choose(&place, "to", body.to.data,
                             "processing, completed, failed or cancelled", names);
    if (chosen < 0)
        return ERR_INVALID;
    action->to = states[chosen];
    return rule_take_outcome(&place, body.error, body.scenario, action->to == JOB_FAILED,
                             action->to == JOB_COMPLETED, &action->plan);
}

/* Memory of the rule's for what was read. */
static void *keep(struct rule *rule, const void *bytes, size_t len)
{
    void *copy = rule_alloc(rule, len + 1);
    if (copy && len)
        memcpy(copy, bytes, len);
    return copy;
}

static int take_body(struct rule *rule, const json_t *value, const char *content_type)
{
    struct action *action = &rule->action;
    struct buf text = BUF_INIT;
    reply_put_body(&text, value, content_type);
    action->body = buf_failed(&text) ? NULL : keep(rule, text.data, text.len);
    action->body_len = text.len;
    buf_finish(&text);
    return action->body ? 0 : ERR_NO_MEMORY;
}

static int take_answer(struct rule *rule, const json_t *object, const struct rule_place *place)
{
    struct answer_body body = {.body = NULL};
    struct action *action = &rule->action;
    struct reply_headers headers;
    int status =
        rule_read_within(place, "respond", object, answer_fields, LENGTH(answer_fields), &body);
    if (status < 0)
        return status;
    action->status = (int)body.status.value;
    if (body.body && !reply_may_have_body(action->status))
        return rule_refuse(place, "respond.body", "cannot go with a status that has none");
    reply_read_headers(body.headers, body.body != NULL, &headers);
    action->headers = keep(rule, headers.items, headers.count * sizeof *headers.items);
    action->header_count = headers.count;
    if (!action->headers)
        return ERR_NO_MEMORY;
    return body.body ? take_body(rule, body.body, headers.content_type) : 0;
}

static int take_respond(struct rule *rule, const struct do_body *body,
                        const struct rule_place *place)
{
    struct action *action = &rule->action;
    if (json_is_object(body->respond)) {
        action->kind = ACTION_ANSWER;
        return take_answer(rule, body->respond, place);
    }
    action->kind = ACTION_OUTCOME;
    action->outcome = json_string_value(body->respond);
    if (body->retry_after)
        read_seconds(body->retry_after, &action->retry_after);
    return 0;
}

static int take_drop(const struct do_body *body, const struct rule_place *place,
                     struct action *action)
{
    static const char *const names[] = {"before", "after_commit", NULL};
    int chosen = rule_choose(place, "drop", body->drop.data, "before or after_commit", names);
    action->kind = ACTION_DROP;
    action->after_commit = chosen == 1;
    return chosen < 0 ? ERR_INVALID : 0;
}

/* -- callbacks --------------------------------------------------------------------------------- */

static int take_webhook(struct rule *rule, const json_t *object, const struct rule_place *place)
{
    struct buf text = BUF_INIT;
    int status = webhook_take(place, object, &rule->action.webhook);
    if (status < 0)
        return status;
    json_put_value(&text, object);
    char *copy = buf_failed(&text) ? NULL : rule_alloc(rule, text.len + 1);
    if (copy)
        memcpy(copy, text.data, text.len);
    buf_finish(&text);
    rule->action.webhook_text = copy;
    return copy ? 0 : ERR_NO_MEMORY;
}

/* -- the whole --------------------------------------------------------------------------------- */

static int take_when(const struct do_body *body, const struct rule_place *place,
                     struct action *action)
{
    static const char *const names[] = {"after_commit", NULL};
    if (rule_choose(place, "when", body->when.data, "after_commit", names) < 0)
        return ERR_INVALID;
    if (action->kind == ACTION_JOB || action->kind == ACTION_WEBHOOK)
        return rule_refuse(place, "when",
                           "goes with an answer or a fault, and what becomes of a job is neither");
    if (action->kind == ACTION_TRANSITION)
        return rule_refuse(place, "when",
                           "cannot go with transition, which comes before the answer");
    if (body->drop.data)
        return rule_refuse(place, "when", "cannot go with drop, which says so itself");
    action->after_commit = true;
    return 0;
}

/* The one kind of a rule, of those that take no more than a value. */
static int take_simple(const struct do_body *body, const struct rule_place *place,
                       struct action *action)
{
    if (body->drop.data)
        return take_drop(body, place, action);
    if (body->delay.given) {
        action->kind = ACTION_DELAY;
        action->amount = body->delay.value;
    } else if (body->hang.given) {
        action->kind = ACTION_HANG;
        action->amount = body->hang.value;
    } else if (body->truncate.given) {
        action->kind = ACTION_TRUNCATE;
        action->amount = body->truncate.value;
    } else if (body->drip.data) {
        action->kind = ACTION_DRIP;
        read_rate(body->drip.data, &action->amount);
    } else {
        action->kind = ACTION_GARBAGE;
    }
    return 0;
}

static int count_kinds(const struct do_body *body)
{
    return (body->job != NULL) + (body->webhook != NULL) + (body->respond != NULL) +
           (body->transition != NULL) + body->delay.given + body->hang.given +
           body->truncate.given + (body->drop.data != NULL) + (body->drip.data != NULL) +
           body->garbage.given;
}

static int take_kind(struct rule *rule, const struct do_body *body, const struct rule_place *place)
{
    struct action *action = &rule->action;
    if (body->job) {
        action->kind = ACTION_JOB;
        return rule_take_job(place, body->job, &action->plan);
    }
    if (body->webhook) {
        action->kind = ACTION_WEBHOOK;
        return take_webhook(rule, body->webhook, place);
    }
    if (body->transition) {
        action->kind = ACTION_TRANSITION;
        return take_transition(body->transition, place, action);
    }
    if (body->respond)
        return take_respond(rule, body, place);
    return take_simple(body, place, action);
}

int rule_parse_do(struct rule *rule, const json_t *object, const char *path,
                  struct complaint *complaint)
{
    struct do_body body = {.job = NULL};
    struct rule_place place = {complaint, path};
    rule->action.retry_after = -1;
    plan_init(&rule->action.plan);
    int status = complain_read(complaint, path, object, do_fields, DO_FIELDS, &body);
    if (status < 0)
        return status;
    if (count_kinds(&body) != 1)
        return complain(
            complaint, "invalid_field",
            "%.*s must have exactly one of job, webhook, respond, delay, transition, drop, "
            "truncate, drip, hang, garbage",
            (int)strlen(path) - 1, path);
    if (body.retry_after && !json_is_string(body.respond))
        return rule_refuse(&place, "retry_after", "goes with respond and an outcome's name");
    status = take_kind(rule, &body, &place);
    if (status == 0 && body.when.data)
        status = take_when(&body, &place, &rule->action);
    return status;
}
