#include "http/record.h"

#include "base/blot.h"
#include "base/id.h"
#include "http/internal.h"

#include <string.h>

/* -- X-Request-Id ------------------------------------------------------------------------------ */

/* A client's own name for it is taken where it can stand in a log and a header as it is. */
static bool is_sane(const char *id)
{
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.:/+=@";
    size_t len = strlen(id);
    return len > 0 && len < REQUEST_ID_SIZE && strspn(id, letters) == len && !blot_has_key(id);
}

/* "5d262666-1f": the server's own beginning, and a number in hex. */
static void name(struct request *request)
{
    char digits[2 * sizeof(unsigned long)];
    unsigned long number = atomic_fetch_add(&request->server->requests, 1) + 1;
    size_t len = strlen(request->server->id), count = 0;
    for (; number; number >>= 4)
        digits[count++] = "0123456789abcdef"[number & 15];
    memcpy(request->id, request->server->id, len);
    request->id[len++] = '-';
    while (count)
        request->id[len++] = digits[--count];
    request->id[len] = '\0';
}

const char *request_id(struct request *request)
{
    if (*request->id)
        return request->id;
    const char *own = request_header(request, "X-Request-Id");
    if (own && is_sane(own))
        memcpy(request->id, own, strlen(own) + 1);
    else
        name(request);
    return request->id;
}

const char *request_log_path(struct request *request)
{
    const char *path = request->path ? request->path : request->target;
    char *copy = request_copy(request, path, strlen(path));
    if (copy)
        blot_keys(copy, strlen(copy), true);
    return copy ? copy : "-";
}

/* -- telling ----------------------------------------------------------------------------------- */

void request_tell_end(struct request *request, enum request_end_kind kind,
                      const struct answer *answer)
{
    const struct recorder *recorder = &request->server->options.recorder;
    if (request->recorded || !recorder->record || !request->api)
        return;
    request->recorded = true;
    request->recorded_answer = answer;
    struct request_end end = {.kind = kind, .status = answer ? answer->status : 0};
    if (answer && !request->head) {
        end.body = answer->body;
        end.len = answer->len;
    }
    recorder->record(recorder->context, request, &end);
    request->recorded_answer = NULL;
}

int64_t request_begun_at(const struct request *request)
{
    return request->begun_at;
}

int64_t request_connection(const struct request *request)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info ? (int64_t)(intptr_t)info->socket_context : 0;
}

uint64_t request_received(const struct request *request)
{
    return request->received;
}

void *request_about(struct request *request)
{
    return request->api->about ? request->api->about(request) : NULL;
}

void request_each_answer_header(struct request *request,
                                void (*visit)(const char *name, const char *value, size_t len,
                                              void *arg),
                                void *arg)
{
    const struct answer *answer = request->recorded_answer;
    if (!answer)
        return;
    const char *id = request_id(request);
    visit("X-Request-Id", id, strlen(id), arg);
    if (answer->content_type)
        visit("Content-Type", answer->content_type, strlen(answer->content_type), arg);
    for (size_t i = 0; i < request->added_count; i++)
        visit(request->added[i].name, request->added[i].value, strlen(request->added[i].value),
              arg);
    for (size_t i = 0; i < answer->header_count; i++)
        visit(answer->headers[i].name, answer->headers[i].value, strlen(answer->headers[i].value),
              arg);
}
