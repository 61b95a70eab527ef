#include "http/outcome.h"

#include "http/internal.h"

#include <stdio.h>
#include <string.h>

bool outcome_is_of(const struct outcome *outcome, const char *operation)
{
    for (const char *const *own = outcome->operations; *own; own++)
        if (strcmp(*own, operation) == 0)
            return true;
    return false;
}

const struct outcome *outcome_find(const struct api *api, const char *operation, const char *name)
{
    const struct outcome *first = NULL;
    size_t skip = strlen(operation);
    if (strncmp(name, operation, skip) == 0 && name[skip] == ':')
        name += skip + 1;
    size_t len = strlen(name);
    for (size_t i = 0; i < api->outcome_count; i++) {
        const struct outcome *outcome = &api->outcomes[i];
        if (strncmp(outcome->name, name, len) != 0 || !outcome_is_of(outcome, operation))
            continue;
        if (!outcome->name[len])
            return outcome;
        if (outcome->name[len] == ':' && !first)
            first = outcome;
    }
    return len ? first : NULL;
}

void outcome_write(const struct outcome_call *call, struct outcome_reply *ret_reply)
{
    *ret_reply = (struct outcome_reply){.status = call->outcome->status};
    call->outcome->write(call, ret_reply);
}

void outcome_reply_finish(struct outcome_reply *reply)
{
    buf_finish(&reply->body);
}

void outcome_header(struct outcome_reply *reply, const char *name, const char *value)
{
    if (reply->header_count < OUTCOME_HEADERS_MAX)
        reply->headers[reply->header_count++] = (struct fault_header){name, value};
}

void outcome_header_copy(struct outcome_reply *reply, const char *name, const char *value)
{
    if (reply->header_count == OUTCOME_HEADERS_MAX)
        return;
    char *copy = reply->values[reply->header_count];
    snprintf(copy, OUTCOME_HEADER_SIZE, "%s", value);
    outcome_header(reply, name, copy);
}

/* -- refusals ---------------------------------------------------------------------------------- */

/* What the sample of a body's limit says: the limit where nobody asks for another (H2). */
enum { USUAL_MAX_BODY = 1024 * 1024 };

static const char *pattern_of(const struct outcome_call *call)
{
    const struct api *api = call->api;
    for (size_t i = 0; i < api->route_count; i++)
        if (strcmp(api->routes[i].operation_id, call->operation) == 0)
            return api->routes[i].pattern;
    return "";
}

static void refuse_method(const struct outcome_call *call, struct outcome_reply *reply,
                          struct refusal *refusal)
{
    struct match match;
    router_allow(call->api, pattern_of(call), &match);
    outcome_header_copy(reply, "Allow", match.allow);
    refusal->kind = REFUSED_METHOD;
    snprintf(refusal->detail, sizeof refusal->detail, REFUSAL_METHOD_TEXT, match.allow);
}

static void refuse_too_large(const struct outcome_call *call, struct refusal *refusal)
{
    size_t limit = call->request ? call->request->server->options.max_body : USUAL_MAX_BODY;
    refusal->kind = REFUSED_TOO_LARGE;
    snprintf(refusal->detail, sizeof refusal->detail, REFUSAL_TOO_LARGE_TEXT, limit);
}

void outcome_retry_after(const struct outcome_call *call, struct outcome_reply *reply,
                         int64_t usual, char ret_seconds[OUTCOME_SECONDS_SIZE])
{
    int64_t seconds = call->retry_after >= 0 ? call->retry_after : usual;
    snprintf(ret_seconds, OUTCOME_SECONDS_SIZE, "%lld", (long long)seconds);
    outcome_header_copy(reply, "Retry-After", ret_seconds);
}

void outcome_refusal(const struct outcome_call *call, struct outcome_reply *reply,
                     struct refusal *ret_refusal)
{
    char seconds[OUTCOME_SECONDS_SIZE];
    *ret_refusal = (struct refusal){.kind = REFUSED_MALFORMED, .status = call->outcome->status};
    switch (call->outcome->which) {
    case OUTCOME_BAD_ESCAPE:
        snprintf(ret_refusal->detail, sizeof ret_refusal->detail, "%s", guard_bad_escape);
        break;
    case OUTCOME_TWO_FRAMINGS:
        snprintf(ret_refusal->detail, sizeof ret_refusal->detail, "%s", guard_two_framings);
        break;
    case OUTCOME_METHOD:
        refuse_method(call, reply, ret_refusal);
        break;
    case OUTCOME_TOO_LARGE:
        refuse_too_large(call, ret_refusal);
        break;
    default:
        refusal_of_error(call->outcome->which, ret_refusal);
        if (ret_refusal->kind == REFUSED_UNAVAILABLE)
            outcome_retry_after(call, reply, REFUSAL_RETRY_AFTER, seconds);
    }
}

/* -- values of the request --------------------------------------------------------------------- */

const char *outcome_text(const struct outcome_call *call, const char *name, const char *sample)
{
    const json_t *body;
    struct err err;
    if (!call->request || request_json(call->request, &body, &err) < 0)
        return sample;
    const json_t *member = json_object_get(body, name);
    return json_string_length(member) ? json_string_value(member) : sample;
}
