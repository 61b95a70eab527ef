#include "http/record.h"

#include "base/blot.h"
#include "base/id.h"
#include "base/time.h"
#include "http/internal.h"

#include <poll.h>
#include <string.h>

/* -- X-Request-Id ------------------------------------------------------------------------------ */

/* A client's own name for it is taken where it can stand in a log and a header as it is. */
static bool is_sane(const char *id)
{
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.:/+=@";
    size_t len = strlen(id);
    return len > 0 && len < REQUEST_ID_SIZE && strspn(id, letters) == len && !blot_has_secret(id);
}

/* "5d262666-1f": the server's own beginning, and a number in hex. */
void server_name_request(struct server *server, char ret_id[REQUEST_ID_SIZE])
{
    char digits[2 * sizeof(unsigned long)];
    unsigned long number = atomic_fetch_add(&server->requests, 1) + 1;
    size_t len = strlen(server->id), count = 0;
    for (; number; number >>= 4)
        digits[count++] = "0123456789abcdef"[number & 15];
    memcpy(ret_id, server->id, len);
    ret_id[len++] = '-';
    while (count)
        ret_id[len++] = digits[--count];
    ret_id[len] = '\0';
}

const char *request_id(struct request *request)
{
    if (*request->id)
        return request->id;
    const char *own = request_header(request, "X-Request-Id");
    if (own && is_sane(own))
        memcpy(request->id, own, strlen(own) + 1);
    else
        server_name_request(request->server, request->id);
    return request->id;
}

const char *request_log_path(const struct request *request)
{
    return request->path ? request->path : request->target;
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

int64_t request_age_us(const struct request *request)
{
    return time_steady_us() - request->begun_us;
}

void request_connections(const struct request *request, int64_t *ret_open, int64_t *ret_accepted)
{
    *ret_open = atomic_load(&request->server->connections);
    *ret_accepted = atomic_load(&request->server->accepted);
}

int64_t request_connection(const struct request *request)
{
    return request->link->number;
}

bool request_is_left(const struct request *request)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    struct pollfd peer = {.fd = info ? info->connect_fd : -1, .events = POLLRDHUP};
    return poll(&peer, 1, 0) == 1;
}

uint64_t request_received(const struct request *request)
{
    return request->received;
}

void *request_about(struct request *request)
{
    return request->api->about ? request->api->about(request) : NULL;
}

static void visit_text(request_header_visitor *visit, void *arg, const char *name,
                       const char *value)
{
    visit(arg, name, strlen(name), value, strlen(value));
}

void request_each_answer_header(struct request *request, request_header_visitor *visit, void *arg)
{
    const struct answer *answer = request->recorded_answer;
    if (!answer)
        return;
    visit_text(visit, arg, "X-Request-Id", request_id(request));
    if (answer->content_type)
        visit_text(visit, arg, "Content-Type", answer->content_type);
    for (size_t i = 0; i < request->added_count; i++)
        visit_text(visit, arg, request->added[i].name, request->added[i].value);
    for (size_t i = 0; i < answer->header_count; i++)
        visit_text(visit, arg, answer->headers[i].name, answer->headers[i].value);
}
