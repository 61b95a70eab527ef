#include "engine/rule_match.h"

#include "base/glob.h"

#include <string.h>

uint32_t rule_hash(const char *text)
{
    uint32_t hash = 2166136261U; /* FNV-1a */
    for (; *text; text++)
        hash = (hash ^ (unsigned char)*text) * 16777619U;
    return hash ? hash : 1;
}

int rule_request_fill(struct rule_request *request)
{
    if (request->filled)
        return 0;
    int status = request->fill ? request->fill(request) : 0;
    if (status < 0)
        return status;
    request->filled = true;
    if (request->email) {
        email_fold(request->email, request->folded);
        request->folded_len = strlen(request->folded);
        request->email_hash = rule_hash(request->folded);
    }
    if (request->request_id)
        request->request_id_hash = rule_hash(request->request_id);
    return 0;
}

/* -- parts of JSON ----------------------------------------------------------------------------- */

static bool has_members(const json_t *value, const json_t *part)
{
    json_t *members = (json_t *)part; /* its iterators want it writable; they do not write */
    for (void *at = json_object_iter(members); at; at = json_object_iter_next(members, at)) {
        const json_t *own = json_object_get(value, json_object_iter_key(at));
        if (!own || !rule_has_part(own, json_object_iter_value(at)))
            return false;
    }
    return true;
}

static bool has_elements(const json_t *value, const json_t *part)
{
    if (json_array_size(value) != json_array_size(part))
        return false;
    for (size_t i = 0; i < json_array_size(part); i++)
        if (!rule_has_part(json_array_get(value, i), json_array_get(part, i)))
            return false;
    return true;
}

/* Its depth is that of a rule, which jansson bounds to 2,048. */
bool rule_has_part(const json_t *value, const json_t *part)
{
    if (json_is_number(part) && json_is_number(value) &&
        !(json_is_integer(part) && json_is_integer(value)))
        return json_number_value(part) == json_number_value(value); /* 1 and 1.0 */
    if (json_typeof(part) != json_typeof(value))
        return false;
    if (json_is_object(part))
        return has_members(value, part);
    if (json_is_array(part))
        return has_elements(value, part);
    return json_equal(part, value);
}

/* -- the match --------------------------------------------------------------------------------- */

static bool is_same(const char *wanted, const char *given)
{
    return !wanted || (given && strcmp(wanted, given) == 0);
}

static bool fits_headers(const struct rule_match *match, struct rule_request *request)
{
    for (size_t i = 0; i < match->header_count; i++) {
        const struct rule_header *wanted = &match->headers[i];
        const char *given = request->header ? request->header(request, wanted->name) : NULL;
        if (!given || !is_same(wanted->value, given))
            return false;
    }
    return true;
}

static bool fits_email(const struct rule_match *match, const struct rule_request *request)
{
    if (!match->email || !request->email)
        return !match->email;
    if (!match->email_end)
        return strcmp(match->email, request->folded) == 0;
    /* Most are told apart by how they end, or begin, which costs less to see. */
    return match->email_end_len <= request->folded_len &&
           memcmp(request->folded + request->folded_len - match->email_end_len, match->email_end,
                  match->email_end_len) == 0 &&
           glob_fits(match->email, request->folded);
}

static bool fits_prompt(const struct rule_match *match, const struct rule_request *request)
{
    if (match->prompt_pattern)
        return request->prompt && pattern_fits(match->prompt_pattern, request->prompt);
    return !match->prompt || (request->prompt && strstr(request->prompt, match->prompt));
}

static bool asks_for_input(const struct rule_match *match)
{
    return match->email || match->prompt || match->prompt_pattern || match->request_id ||
           match->scenario_slug || match->body;
}

/* A rule of one operation was checked when it was written. */
static bool fits_outcome(const struct rule *rule, struct rule_request *request)
{
    return rule->action.kind != ACTION_OUTCOME || rule->match.operation >= 0 ||
           !request->has_outcome || request->has_outcome(request, rule->action.outcome);
}

/* A transition that cannot be is none: the rule is left for one that can. */
static bool fits_transition(const struct rule *rule, struct rule_request *request)
{
    return rule->action.kind != ACTION_TRANSITION || !request->may_move ||
           request->may_move(request, rule->action.to);
}

int rule_matches(const struct rule *rule, struct rule_request *request)
{
    const struct rule_match *match = &rule->match;
    if ((match->operation >= 0 && match->operation != request->operation) ||
        !is_same(match->project, request->project))
        return 0;
    bool looks = asks_for_input(match) || match->job || rule->action.kind == ACTION_TRANSITION;
    int status = looks ? rule_request_fill(request) : 0;
    if (status < 0)
        return status;
    /* What costs most comes last. */
    return is_same(match->job, request->job) && is_same(match->request_id, request->request_id) &&
           is_same(match->scenario_slug, request->scenario_slug) && fits_email(match, request) &&
           fits_headers(match, request) &&
           (!match->body || (request->body && rule_has_part(request->body, match->body))) &&
           fits_prompt(match, request) && fits_outcome(rule, request) &&
           fits_transition(rule, request);
}
