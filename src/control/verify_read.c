/* What a verification asks: POST /_mock/verify's body. */
#include "base/blot.h"
#include "base/duration.h"
#include "base/json.h"
#include "control/internal.h"
#include "control/list.h"
#include "control/secrets.h"
#include "control/verify.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { PREFIX_SIZE = 32 };

struct verify_body {
    const json_t *match, *status, *order;
    struct field_text end, rules, since;
    struct field_whole count, min, max, wait;
};

static bool check_status(const json_t *value)
{
    struct request_filter filter = REQUEST_FILTER_INIT;
    return json_is_integer(value)
               ? json_integer_value(value) >= 100 && json_integer_value(value) <= 599
               : json_is_string(value) &&
                     request_filter_read_status(json_string_value(value), &filter);
}

/* More than a journal holds could never be told to have come. */
static bool check_amount(const json_t *value)
{
    double number = json_number_value(value);
    return number >= 0 && number <= JOURNAL_ENTRIES_MAX;
}

static bool check_order(const json_t *value)
{
    size_t count = json_array_size(value);
    for (size_t i = 0; i < count; i++)
        if (!json_is_object(json_array_get(value, i)))
            return false;
    return count >= 1 && count <= VERIFY_STEPS_MAX;
}

static bool check_rules(const json_t *value)
{
    return strcmp(json_string_value(value), "used") == 0;
}

static bool check_since(const json_t *value)
{
    struct cursor cursor;
    return cursor_parse(json_string_value(value), &cursor);
}

#define TO(member_) .offset = offsetof(struct verify_body, member_)
#define A_STATUS                                                                                   \
    .what = "a status such as 404, or a class of them such as \"4xx\"", .check = check_status
#define AN_AMOUNT .what = "a whole number from 0 to 10000", .check = check_amount

const struct field verify_fields[] = {
    {"match", FIELD_OBJECT, .what = "an object; {} matches every request", TO(match)},
    {"status", FIELD_ANY, A_STATUS, TO(status)},
    {"end", FIELD_STRING, .what = "how a request ends", TO(end)},
    {"count", FIELD_WHOLE, AN_AMOUNT, TO(count)},
    {"min", FIELD_WHOLE, AN_AMOUNT, TO(min)},
    {"max", FIELD_WHOLE, AN_AMOUNT, TO(max)},
    {"order", FIELD_ARRAY, .what = "an array of 1 to 64 objects, each a match",
     .check = check_order, TO(order)},
    {"rules", FIELD_STRING, .what = "\"used\"", .check = check_rules, TO(rules)},
    {"since", FIELD_STRING, .what = "a cursor that this server gave", .check = check_since,
     TO(since)},
    {"wait", FIELD_DURATION, .what = "a duration with its unit, at most \"5m\"",
     .check = check_wait, TO(wait)},
};
const size_t verify_field_count = sizeof verify_fields / sizeof *verify_fields;

/* -- a filter ---------------------------------------------------------------------------------- */

/* The text, where it stands in what is kept only blotted out, could never be found. */
static int refuse_secret(struct complaint *complaint, const char *prefix, const char *name,
                         const char *kept)
{
    buf_printf(&complaint->hint, "Of it only %s is kept", kept);
    return complain(complaint, "invalid_field", "%s%s is secret, and no request can be told by it",
                    prefix, name);
}

/* Whether there is an API key in a text of it, or a text below callback_headers. */
static bool has_secret(const json_t *value, bool below)
{
    json_t *members = (json_t *)value; /* its iterators want it writable; they do not write */
    for (void *at = json_object_iter(members); at; at = json_object_iter_next(members, at)) {
        const char *name = json_object_iter_key(at);
        if (has_secret(json_object_iter_value(at), below || secrets_are_in(name)))
            return true;
    }
    for (size_t i = 0; i < json_array_size(value); i++)
        if (has_secret(json_array_get(value, i), below))
            return true;
    return json_is_string(value) && (below || blot_has_secret(json_string_value(value)));
}

static int check_secrets(const json_t *match, const char *prefix, struct complaint *complaint)
{
    static const char *const credentials[] = {"Authorization", "Proxy-Authorization"};
    static const char *const fields[] = {"email",   "prompt", "request_id", "scenario_slug",
                                         "project", "job",    "header",     "body"};
    json_t *header = json_object_get(match, "header");
    for (void *at = json_object_iter(header); at; at = json_object_iter_next(header, at)) {
        const char *value = json_string_value(json_object_iter_value(at));
        for (size_t i = 0; value && i < sizeof credentials / sizeof *credentials; i++)
            if (strcasecmp(json_object_iter_key(at), credentials[i]) == 0 && !strstr(value, "…"))
                return refuse_secret(complaint, prefix, "header.Authorization",
                                     "its end, as in \"Bearer …3f9a\",");
    }
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        if (has_secret(json_object_get(match, fields[i]), false))
            return refuse_secret(complaint, prefix, fields[i],
                                 "the end of API keys, and the length of callback header values,");
    return 0;
}

static int take_end(const char *given, const char *prefix, struct complaint *complaint,
                    struct request_filter *filter)
{
    char path[PREFIX_SIZE + 8];
    for (int i = 0; given && journal_end_names[i]; i++)
        if (strcmp(journal_end_names[i], given) == 0)
            filter->end = i;
    if (!given || filter->end >= 0)
        return 0;
    snprintf(path, sizeof path, "%send", prefix);
    return complain_unknown(complaint, path, given, "how a request ends", journal_end_names);
}

static void take_status(const json_t *status, struct request_filter *filter)
{
    if (json_is_string(status))
        request_filter_read_status(json_string_value(status), filter);
    else if (status)
        filter->lowest_status = filter->highest_status = (int)json_integer_value(status);
}

/* `match`, whose members are named after `prefix`; NULL is fine. */
static int take_match(const json_t *match, const char *prefix, struct complaint *complaint,
                      struct request_filter *filter)
{
    if (!match || !json_object_size(match))
        return 0;
    int status = rule_parse_match(match, prefix, complaint, &filter->match);
    return status < 0 ? status : check_secrets(match, prefix, complaint);
}

/* -- the order --------------------------------------------------------------------------------- */

struct step_body {
    const json_t *status;
    struct field_text end;
};

static const struct field step_fields[] = {
    {"status", FIELD_ANY, A_STATUS, .offset = offsetof(struct step_body, status)},
    {"end", FIELD_STRING, .what = "how a request ends", .offset = offsetof(struct step_body, end)},
};
enum { STEP_FIELDS = sizeof step_fields / sizeof *step_fields };

static int check_step(const json_t *step, const char *prefix, struct complaint *complaint)
{
    struct field all[RULE_MATCH_FIELDS + STEP_FIELDS];
    memcpy(all, rule_match_fields, sizeof rule_match_fields);
    memcpy(all + RULE_MATCH_FIELDS, step_fields, sizeof step_fields);
    return complain_members(complaint, prefix, step, all, sizeof all / sizeof *all);
}

/* A match that may have a status and an end, too. */
static int take_step(const json_t *step, size_t index, struct complaint *complaint,
                     struct request_filter *filter)
{
    struct step_body body = {.status = NULL};
    char prefix[PREFIX_SIZE];
    json_t *own = json_object(), *match = json_copy((json_t *)step);
    snprintf(prefix, sizeof prefix, "order[%zu].", index);
    for (size_t i = 0; i < STEP_FIELDS; i++) {
        json_t *value = json_object_get(step, step_fields[i].name);
        if (value)
            json_object_set(own, step_fields[i].name, value);
        json_object_del(match, step_fields[i].name);
    }
    int status = !own || !match ? ERR_NO_MEMORY : check_step(step, prefix, complaint);
    if (status == 0)
        status = complain_read(complaint, prefix, own, step_fields, STEP_FIELDS, &body);
    if (status == 0)
        status = take_end(body.end.data, prefix, complaint, filter);
    if (status == 0) {
        take_status(body.status, filter);
        status = take_match(match, prefix, complaint, filter);
    }
    json_decref(own);
    json_decref(match);
    return status;
}

static int take_order(const json_t *order, struct complaint *complaint, struct verify *verify)
{
    size_t count = json_array_size(order);
    if (!count)
        return 0;
    verify->steps = calloc(count, sizeof *verify->steps);
    if (!verify->steps)
        return ERR_NO_MEMORY;
    int status = 0;
    for (size_t i = 0; status == 0 && i < count; i++) {
        verify->steps[verify->step_count] = REQUEST_FILTER_INIT;
        status =
            take_step(json_array_get(order, i), i, complaint, &verify->steps[verify->step_count++]);
    }
    return status;
}

/* -- the whole --------------------------------------------------------------------------------- */

/* Nothing said of how many: one, or as many as the order has steps. */
static int take_amounts(const struct verify_body *body, struct complaint *complaint,
                        struct verify *verify)
{
    if (body->count.given && (body->min.given || body->max.given))
        return complain(complaint, "misplaced_field", "count cannot be given with %s",
                        body->min.given ? "min" : "max");
    if (body->min.given && body->max.given && body->min.value > body->max.value)
        return complain(complaint, "invalid_field", "min must be at most max");
    verify->is_exact = body->count.given;
    verify->min = body->count.given ? body->count.value
                  : body->min.given ? body->min.value
                                    : !body->max.given && !body->order;
    verify->max = body->count.given ? body->count.value : body->max.given ? body->max.value : -1;
    return 0;
}

static int check_alone(const json_t *object, struct complaint *complaint)
{
    for (size_t i = 0; i < verify_field_count; i++) {
        const char *name = verify_fields[i].name;
        if (strcmp(name, "rules") != 0 && strcmp(name, "wait") != 0 &&
            json_object_get(object, name))
            return complain(complaint, "misplaced_field", "%s cannot be given with rules", name);
    }
    return 0;
}

static int take(const json_t *object, struct complaint *complaint, struct verify *verify)
{
    struct verify_body body = {.match = NULL};
    int status = complain_read(complaint, "", object, verify_fields, verify_field_count, &body);
    if (status < 0)
        return status;
    verify->wait.ms = body.wait.value;
    verify->rules = body.rules.data != NULL;
    if (body.since.data)
        cursor_parse(body.since.data, &verify->since);
    status = verify->rules ? check_alone(object, complaint) : 0;
    if (status == 0)
        status = take_amounts(&body, complaint, verify);
    if (status == 0)
        status = take_end(body.end.data, "", complaint, &verify->filter);
    if (status == 0)
        status = take_match(body.match, "match.", complaint, &verify->filter);
    take_status(body.status, &verify->filter);
    return status < 0 ? status : take_order(body.order, complaint, verify);
}

bool verify_read(struct request *request, struct verify *verify)
{
    struct complaint complaint = COMPLAINT_INIT;
    const json_t *object;
    verify->filter = REQUEST_FILTER_INIT;
    verify->max = -1;
    if (!control_read_body_object(request, &object))
        return false;
    int status = take(object, &complaint, verify);
    if (status == ERR_INVALID) {
        control_complain(request, &complaint);
        return false;
    }
    complaint_finish(&complaint);
    if (status < 0) {
        router_fail(request, status, NULL);
        return false;
    }
    if (verify->since.journal > journal_newest(verify->journal)) {
        list_refuse_since(request, true);
        return false;
    }
    return true;
}
