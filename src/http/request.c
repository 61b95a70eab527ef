/* What a request gives to those who handle it, and its memory; its way through the server is
 * flow.c's. */
#include "http/request.h"

#include "base/json.h"
#include "http/internal.h"

#include <stdlib.h>
#include <string.h>

/* -- memory ------------------------------------------------------------------------------------ */

void *request_alloc(struct request *request, size_t size)
{
    const size_t align = sizeof(max_align_t);
    size_t rounded = (size + align - 1) / align * align;
    if (rounded < size)
        return NULL;
    if (rounded <= sizeof request->first - request->arena_used) {
        void *at = (char *)request->first + request->arena_used;
        request->arena_used += rounded;
        return memset(at, 0, size);
    }
    struct arena_block *block = calloc(1, sizeof *block + rounded);
    request->lacks_memory |= !block;
    if (!block)
        return NULL;
    block->next = request->blocks;
    request->blocks = block;
    return block->bytes;
}

char *request_copy(struct request *request, const char *text, size_t len)
{
    char *copy = request_alloc(request, len + 1);
    if (copy)
        memcpy(copy, text, len);
    return copy;
}

/* -- what handlers ask ------------------------------------------------------------------------- */

const char *request_method(const struct request *request)
{
    return request->method;
}

bool request_is_head(const struct request *request)
{
    return request->head;
}

const char *request_path(const struct request *request)
{
    return request->path;
}

const char *request_target(const struct request *request)
{
    return request->target;
}

const char *request_workspace_prefix(const struct request *request)
{
    return request->prefix;
}

const char *request_operation(const struct request *request)
{
    return request->match.route ? request->match.route->operation_id : NULL;
}

const char *request_param(const struct request *request, size_t index)
{
    return request->match.params[index];
}

const char *request_host(const struct request *request)
{
    return request->guard.host;
}

const char *request_authorization(const struct request *request)
{
    return request->guard.authorization;
}

const char *request_content_type(const struct request *request)
{
    return request->guard.content_type;
}

const char *request_header(struct request *request, const char *name)
{
    const char *value = NULL;
    size_t len = 0;
    if (MHD_lookup_connection_value_n(request->connection, MHD_HEADER_KIND, name, strlen(name),
                                      &value, &len) != MHD_YES)
        return NULL;
    if (!value)
        return "";
    if (!len || !strchr(" \t", value[len - 1]))
        return value;
    while (len && strchr(" \t", value[len - 1]))
        len--;
    return request_copy(request, value, len);
}

struct visiting {
    request_header_visitor *visit;
    void *arg;
};

static enum MHD_Result visit_header(void *arg, enum MHD_ValueKind kind, const char *name,
                                    size_t name_len, const char *value, size_t len)
{
    const struct visiting *visiting = arg;
    (void)kind;
    len = value ? len : 0;
    while (len && strchr(" \t", value[len - 1]))
        len--;
    visiting->visit(visiting->arg, name, name_len, value ? value : "", len);
    return MHD_YES;
}

void request_each_header(struct request *request, request_header_visitor *visit, void *arg)
{
    struct visiting visiting = {visit, arg};
    MHD_get_connection_values_n(request->connection, MHD_HEADER_KIND, visit_header, &visiting);
}

void request_base(const struct request *request, struct buf *out)
{
    if (request->guard.host) {
        buf_puts(out, "http://");
        buf_puts(out, request->guard.host);
    } else {
        buf_puts(out, request->listener_url);
    }
}

const char *request_body(const struct request *request, size_t *ret_len)
{
    *ret_len = request->body.len;
    return request->body.data ? request->body.data : "";
}

int request_json(struct request *request, const json_t **ret_value, struct err *err)
{
    if (!request->json) {
        size_t len;
        const char *body = request_body(request, &len);
        int status = json_parse_body(body, len, &request->json, err);
        if (status < 0)
            return status;
    }
    *ret_value = request->json;
    return 0;
}

void *request_new_state(struct request *request, size_t size, void (*finish)(void *state))
{
    request->state = request_alloc(request, size);
    request->finish_state = request->state ? finish : NULL;
    return request->state;
}

void *request_state(const struct request *request)
{
    return request->state;
}

const struct api *request_api(const struct request *request)
{
    return request->api;
}

void request_set_user(struct request *request, void *user)
{
    request->user = user;
}

void *request_user(const struct request *request)
{
    return request->user;
}

bool request_server_stops(const struct request *request)
{
    return server_is_draining(request->server);
}

void request_handle(struct request *request)
{
    request->match.route->handler(request);
}

void request_suspend(struct request *request, request_handler *then)
{
    request->then = then;
    request->stage = STAGE_WAITING;
    MHD_suspend_connection(request->connection);
}

void request_resume(struct request *request)
{
    MHD_resume_connection(request->connection);
}
