#include "http/respond.h"

#include "base/log.h"
#include "base/memory.h"
#include "http/internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

const char content_type_json[] = "application/json; charset=utf-8";
const char content_type_problem[] = "application/problem+json";
const char content_type_text[] = "text/plain; charset=utf-8";
const char content_type_html[] = "text/html; charset=utf-8";
const char content_type_yaml[] = "application/yaml";
const char content_type_markdown[] = "text/markdown; charset=utf-8";
const char content_type_xml[] = "application/xml";
const char content_type_events[] = "text/event-stream";
const char content_type_metrics[] = "text/plain; version=0.0.4; charset=utf-8";

void respond_header(struct request *request, const char *name, const char *value)
{
    char *copy = request_copy(request, value, strlen(value));
    if (copy && request->added_count < ADDED_HEADERS_MAX)
        request->added[request->added_count++] = (struct added_header){name, copy};
    else
        request->lacks_header = true;
}

void respond_retry_after(struct request *request, int64_t seconds)
{
    char text[24];
    snprintf(text, sizeof text, "%lld", (long long)seconds);
    respond_header(request, "Retry-After", text);
}

/* What is told of a fault that gives an answer. */
static enum request_end_kind end_of(const struct request *request)
{
    return request->fault ? fault_end(request) : END_ANSWERED;
}

/* -- what a browser does with it --------------------------------------------------------------- */

static const char *find_header(const struct answer *answer, const char *name)
{
    for (size_t i = 0; i < answer->header_count; i++)
        if (strcasecmp(answer->headers[i].name, name) == 0)
            return answer->headers[i].value;
    return NULL;
}

static const char *type_of(const struct answer *answer)
{
    return answer->content_type ? answer->content_type : find_header(answer, "Content-Type");
}

/* Whether scripts may run in it, where it is taken for what it says it is. */
static bool may_be_active(const struct answer *answer)
{
    static const char *const inert[] = {"application/json", "application/problem+json",
                                        "application/yaml", "text/event-stream",
                                        "text/markdown",    "text/plain"};
    const char *type = type_of(answer);
    size_t len = type ? strcspn(type, "; \t") : 0;
    if (type && strchr(type, ','))
        return true; /* a browser takes the last of several */
    for (size_t i = 0; type && i < sizeof inert / sizeof *inert; i++)
        if (strlen(inert[i]) == len && strncasecmp(type, inert[i], len) == 0)
            return false;
    return type || answer->len;
}

/* Rules may give one that lets scripts in; of two, both hold. */
static bool stops_scripts(const char *policy)
{
    static const char start[] = "default-src 'none';";
    return policy && strncmp(policy, start, sizeof start - 1) == 0 &&
           !strcasestr(policy, "script") && !strchr(policy, ',');
}

static bool has_policy(const struct request *request, const struct answer *answer)
{
    static const char name[] = "Content-Security-Policy";
    for (size_t i = 0; i < request->added_count; i++)
        if (strcasecmp(request->added[i].name, name) == 0)
            return true;
    return stops_scripts(find_header(answer, name));
}

/*
 * What somebody sent, or has a rule or an inbox answer, must not run in a browser as a page of
 * ours: whoever opens it may do more here than he who wrote it. Pages have a policy of their own.
 */
static void keep_still(struct request *request, const struct answer *answer)
{
    if (type_of(answer) == content_type_json || type_of(answer) == content_type_problem)
        return; /* as most are, and no browser takes them for anything else */
    if (has_policy(request, answer))
        return;
    if (may_be_active(answer))
        respond_header(request, "Content-Security-Policy", "default-src 'none'; sandbox");
    if (answer->len)
        respond_header(request, "X-Content-Type-Options", "nosniff");
}

/* -- answering --------------------------------------------------------------------------------- */

static bool add(struct MHD_Response *response, const char *name, const char *value)
{
    return MHD_add_response_header(response, name, value) == MHD_YES;
}

/* False: for one of them there was no memory. */
static bool add_headers(struct request *request, const struct answer *answer,
                        struct MHD_Response *response)
{
    bool good =
        !answer->content_type || add(response, MHD_HTTP_HEADER_CONTENT_TYPE, answer->content_type);
    for (size_t i = 0; i < request->added_count; i++)
        good &= add(response, request->added[i].name, request->added[i].value);
    for (size_t i = 0; i < answer->header_count; i++) {
        errno = 0; /* for any other reason, those of a rule are left out */
        good &= add(response, answer->headers[i].name, answer->headers[i].value) || errno != ENOMEM;
    }
    good &= add(response, "X-Request-Id", request_id(request));
    if (request->close || server_is_draining(request->server))
        good &= add(response, MHD_HTTP_HEADER_CONNECTION, "close");
    return good;
}

/* An answer without one of its headers is none: the connection is closed instead. */
void answer_queue(struct request *request, const struct answer *answer,
                  struct MHD_Response *response)
{
    keep_still(request, answer);
    bool is_whole = response && !request->lacks_header && add_headers(request, answer, response);
    if (is_whole)
        request_tell_end(request, end_of(request), answer);
    request->stage = STAGE_ANSWERED;
    request->status = answer->status;
    request->broken = true;
    if (!response)
        return;
    request->broken = !is_whole || MHD_queue_response(request->connection, (unsigned)answer->status,
                                                      response) != MHD_YES;
    MHD_destroy_response(response);
}

void answer_send(struct request *request, struct answer *answer)
{
    struct MHD_Response *response = MHD_create_response_from_buffer(
        answer->len, (void *)answer->body,
        answer->owned ? MHD_RESPMEM_MUST_FREE : MHD_RESPMEM_PERSISTENT);
    if (!response)
        free(answer->owned);
    answer->owned = NULL;
    answer_queue(request, answer, response);
}

/* What is answered where there is no memory for the answer (H6). */
static struct answer failure(struct request *request)
{
    static const char problem[] =
        "{\"type\":\"urn:understudy:server_error\",\"title\":\"Internal Server Error\","
        "\"status\":500,\"detail\":\"" FAILURE_TEXT "\"}";
    const char *text = request->api->failure;
    if (!request->is_logged)
        log_event(LOG_ERROR, "request failed", LOG_STR("id", request_id(request)),
                  LOG_STR("method", request->method), LOG_STR("path", request_log_path(request)),
                  LOG_INT("status", 500), LOG_STR("reason", "out of memory"));
    request->added_count = 0;
    return (struct answer){.status = 500,
                           .content_type = text ? content_type_json : content_type_problem,
                           .body = text ? text : problem,
                           .len = strlen(text ? text : problem)};
}

/* What was read or answered with too little memory is not to be believed. */
static void give(struct request *request, struct answer *answer)
{
    if (request->lacks_memory || (answer->status < 500 && memory_lacked())) {
        free(answer->owned);
        *answer = failure(request);
    }
    if (request->fault)
        fault_answer(request, answer);
    else
        answer_send(request, answer);
}

void respond(struct request *request, int status, const char *content_type, struct buf *body)
{
    size_t len;
    char *bytes = buf_take(body, &len);
    struct answer answer = {
        .status = status, .content_type = content_type, .body = bytes, .len = len, .owned = bytes};
    if (!bytes)
        answer = failure(request);
    give(request, &answer);
}

void respond_static(struct request *request, int status, const char *content_type, const char *body,
                    size_t len)
{
    give(request, &(struct answer){
                      .status = status, .content_type = content_type, .body = body, .len = len});
}

void respond_empty(struct request *request)
{
    give(request, &(struct answer){.status = 204});
}
