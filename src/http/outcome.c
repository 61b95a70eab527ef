#include "http/outcome.h"

#include <stdio.h>
#include <string.h>

static bool has_operation(const struct outcome *outcome, const char *operation)
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
        if (strncmp(outcome->name, name, len) != 0 || !has_operation(outcome, operation))
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
