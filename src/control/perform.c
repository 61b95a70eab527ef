/*
 * What a rule does, over http/fault.h. "Before" means in the place of the handler, "after commit"
 * that the handler does its work and only its answer goes wrong. An answer has to exist to be cut
 * or to drip, so these two always follow the handler.
 */
#include "control/perform.h"

#include "http/fault.h"
#include "http/outcome.h"
#include "http/respond.h"
#include "http/router.h"

#include <strings.h>

/* Sends the request's answer by a fault: in the place of its handler, or after it. */
static void go_wrong(struct request *request, const struct action *action,
                     const struct fault *fault, const char *rule_id)
{
    if (!action->after_commit) {
        respond_fault(request, fault);
        return;
    }
    int status = request_set_fault(request, fault);
    if (status < 0) /* the handler has done nothing yet */
        router_fail(request, status, rule_id);
    else
        request_handle(request);
}

static bool has_content_type(const struct action *action)
{
    for (size_t i = 0; i < action->header_count; i++)
        if (strcasecmp(action->headers[i].name, "Content-Type") == 0)
            return true;
    return false;
}

static void answer(struct request *request, const struct action *action, const char *rule_id)
{
    struct fault_answer reply = {.status = action->status,
                                 .body = action->body,
                                 .len = action->body_len,
                                 .header_count = action->header_count};
    struct fault_header *headers =
        request_alloc(request, (action->header_count + 1) * sizeof *headers);
    if (!headers) {
        router_fail(request, ERR_NO_MEMORY, NULL);
        return;
    }
    for (size_t i = 0; i < action->header_count; i++)
        headers[i] = (struct fault_header){action->headers[i].name, action->headers[i].value};
    reply.headers = headers;
    if (action->body && !has_content_type(action))
        reply.content_type = content_type_json;
    go_wrong(request, action, &(struct fault){.answer = &reply}, rule_id);
}

static void answer_outcome(struct request *request, const struct action *action,
                           const char *rule_id)
{
    struct outcome_call call = {.api = request_api(request),
                                .operation = request_operation(request),
                                .request = request,
                                .retry_after = action->retry_after};
    struct outcome_reply reply;
    call.outcome = outcome_find(call.api, call.operation, action->outcome);
    if (!call.outcome) {
        request_handle(request);
        return;
    }
    outcome_write(&call, &reply);
    if (buf_failed(&reply.body))
        router_fail(request, ERR_NO_MEMORY, NULL);
    else
        go_wrong(
            request, action,
            &(struct fault){.answer = &(struct fault_answer){.status = reply.status,
                                                             .content_type = reply.content_type,
                                                             .body = reply.body.data,
                                                             .len = reply.body.len,
                                                             .headers = reply.headers,
                                                             .header_count = reply.header_count}},
            rule_id);
    outcome_reply_finish(&reply);
}

static void delay(struct request *request, const struct action *action, const char *rule_id)
{
    if (action->after_commit)
        go_wrong(request, action, &(struct fault){.delay = action->amount}, rule_id);
    else
        request_wait(request, action->amount, request_handle);
}

/* A fault of the handler's answer, even where the rule does not say "after commit". */
static void spoil(struct request *request, const struct action *action, enum fault_kind kind,
                  const char *rule_id)
{
    struct action after = *action;
    after.after_commit = true;
    go_wrong(request, &after, &(struct fault){.kind = kind, .amount = action->amount}, rule_id);
}

void perform_action(struct request *request, const struct action *action, const char *rule_id)
{
    switch (action->kind) {
    case ACTION_NONE:
    case ACTION_JOB:
    case ACTION_WEBHOOK:
    case ACTION_TRANSITION:
        request_handle(request);
        break;
    case ACTION_ANSWER:
        answer(request, action, rule_id);
        break;
    case ACTION_OUTCOME:
        answer_outcome(request, action, rule_id);
        break;
    case ACTION_DELAY:
        delay(request, action, rule_id);
        break;
    case ACTION_DROP:
        go_wrong(request, action, &(struct fault){.kind = FAULT_DROP}, rule_id);
        break;
    case ACTION_HANG:
        go_wrong(request, action, &(struct fault){.kind = FAULT_HANG, .amount = action->amount},
                 rule_id);
        break;
    case ACTION_GARBAGE:
        go_wrong(request, action, &(struct fault){.kind = FAULT_GARBAGE}, rule_id);
        break;
    case ACTION_TRUNCATE:
        spoil(request, action, FAULT_TRUNCATE, rule_id);
        break;
    case ACTION_DRIP:
        spoil(request, action, FAULT_DRIP, rule_id);
        break;
    }
}
