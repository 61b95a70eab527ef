#include "http/respond.h"

#include "http/internal.h"

#include <stdlib.h>
#include <string.h>

const char content_type_json[] = "application/json; charset=utf-8";
const char content_type_problem[] = "application/problem+json";
const char content_type_text[] = "text/plain; charset=utf-8";
const char content_type_html[] = "text/html; charset=utf-8";
const char content_type_yaml[] = "application/yaml";

void respond_header(struct request *request, const char *name, const char *value)
{
    char *copy = request_copy(request, value, strlen(value));
    if (copy && request->added_count < ADDED_HEADERS_MAX)
        request->added[request->added_count++] = (struct added_header){name, copy};
}

/* Queues `response`, which may be NULL for want of memory, and lets go of it. */
static void queue(struct request *request, int status, const char *content_type,
                  struct MHD_Response *response)
{
    request->stage = STAGE_ANSWERED;
    request->status = status;
    request->broken = true;
    if (!response)
        return;
    if (content_type)
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, content_type);
    for (size_t i = 0; i < request->added_count; i++)
        MHD_add_response_header(response, request->added[i].name, request->added[i].value);
    if (request->close || server_is_draining(request->server))
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
    request->broken =
        MHD_queue_response(request->connection, (unsigned)status, response) != MHD_YES;
    MHD_destroy_response(response);
}

void respond(struct request *request, int status, const char *content_type, struct buf *body)
{
    static const char out_of_memory[] = "{\"error\":\"out of memory\"}";
    size_t len;
    char *bytes = buf_take(body, &len);
    if (!bytes) {
        respond_static(request, 500, content_type_json, out_of_memory, sizeof out_of_memory - 1);
        return;
    }
    struct MHD_Response *response =
        MHD_create_response_from_buffer(len, bytes, MHD_RESPMEM_MUST_FREE);
    if (!response)
        free(bytes);
    queue(request, status, content_type, response);
}

void respond_static(struct request *request, int status, const char *content_type, const char *body,
                    size_t len)
{
    queue(request, status, content_type,
          MHD_create_response_from_buffer(len, (void *)body, MHD_RESPMEM_PERSISTENT));
}

void respond_empty(struct request *request)
{
    queue(request, 204, NULL, MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT));
}
