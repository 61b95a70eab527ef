/*
 * A request's way. libmicrohttpd calls once when the headers are there, once for each piece of the
 * body, and once after it. An answer in the first call would cost a good client its connection, and
 * make one that is still sending see a broken pipe; so the first call only decides: guard, route,
 * admission. What it refuses is kept in mind and answered in the last call, when the body has been
 * read and dropped. Only what is ambiguous, or too long to be read, is answered at once.
 */
#include "base/log.h"
#include "base/memory.h"
#include "base/time.h"
#include "http/internal.h"
#include "http/respond.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* -- the first call ---------------------------------------------------------------------------- */

static void refuse(struct request *request, enum refusal_kind kind, int status,
                   const char *detail_format, ...) __attribute__((format(printf, 4, 5)));

static void refuse(struct request *request, enum refusal_kind kind, int status,
                   const char *detail_format, ...)
{
    static const struct refusal out_of_memory = {.kind = REFUSED_FAILURE, .status = 500};
    struct refusal *refusal = request_alloc(request, sizeof *refusal);
    request->refusal = refusal ? refusal : &out_of_memory;
    if (!refusal)
        return;
    va_list args;
    va_start(args, detail_format);
    *refusal = (struct refusal){.kind = kind, .status = status};
    (void)vsnprintf(refusal->detail, sizeof refusal->detail, detail_format, args);
    va_end(args);
}

/* Before anything is done: the answer's own head would find no room in the connection's memory. */
static void refuse_head(struct request *request)
{
    refuse(request, REFUSED_MALFORMED, 431, "The target and the headers have more than %d bytes",
           HEAD_MAX);
    request->close = true;
}

static void refuse_malformed(struct request *request, const char *problem)
{
    refuse(request, REFUSED_MALFORMED, 400, "%s", problem);
    request->close = true;
}

/*
 * libmicrohttpd below 0.9.77 appends the rest of a folded line to the *name* of its field, in new
 * memory, so that a folded Content-Length is none any more; and a NUL that was sent ends a value,
 * or the target, early. Both would let a body be read as the next request (H5). What gives them
 * away is where things stand: such a version leaves a line in its buffer as it was sent, but for
 * the NULs that end name and line. Later versions judge for themselves, and keep another order.
 */

/*
 * The line begins where the one before ended in CR LF, by now NULs: so no NUL has ended a value
 * before its line, and no line was passed over. Its value follows its name with only blanks
 * between.
 */
static bool is_whole(struct request *request, const char *name, size_t name_len, const char *value,
                     size_t value_len)
{
    bool follows = (uintptr_t)name == (uintptr_t)request->next_line;
    request->next_line = value + value_len + 2;
    const char *at = name + name_len + 1;
    if (!follows || (uintptr_t)at > (uintptr_t)value)
        return false;
    at += strspn(at, " \t");
    return at == value && !value[value_len + 1];
}

/*
 * Whether an empty line ended the headers, rather than one that begins with a NUL; and the target,
 * where its line says. (So short is no head that this would be beyond the buffer.)
 */
static bool is_head_whole(const struct request *request, const char *version)
{
    return (uintptr_t)request->raw_target + strlen(request->target) + 1 == (uintptr_t)version &&
           !request->next_line[0] && !request->next_line[1];
}

/*
 * White space after a value is none of it, but libmicrohttpd leaves it there. It stays with what
 * frames the body: there the guard must judge what libmicrohttpd goes by.
 */
static enum MHD_Result take_header(void *arg, enum MHD_ValueKind kind, const char *name,
                                   size_t name_len, const char *value, size_t value_len)
{
    struct request *request = arg;
    size_t len = value ? value_len : 0;
    bool frames = strcasecmp(name, MHD_HTTP_HEADER_TRANSFER_ENCODING) == 0 ||
                  strcasecmp(name, MHD_HTTP_HEADER_CONTENT_LENGTH) == 0;
    (void)kind;
    if (value && request->server->keeps_lines &&
        !is_whole(request, name, name_len, value, value_len) && !request->guard.problem)
        request->guard.problem = "A header is folded, has a NUL, or ends in a line feed alone";
    while (!frames && len && strchr(" \t", value[len - 1]))
        len--;
    if (value && len < value_len)
        value = request_copy(request, value, len);
    guard_header(&request->guard, name, name_len, value ? value : "", value ? len : 0);
    return MHD_YES;
}

static const struct api *find_api(const struct server *server, const char *root)
{
    const struct api *rest = NULL;
    for (size_t i = 0; i < server->options.api_count; i++) {
        const struct api *api = server->options.apis[i];
        if (!api->roots)
            rest = api;
        for (const char *const *own = api->roots; own && *own; own++)
            if (strcmp(*own, root) == 0)
                return api;
    }
    assert(rest); /* the API without roots, which every server has */
    return rest;
}

/* Cuts the path, takes a workspace's prefix off it (H7), and finds who answers. */
static void route(struct request *request, const char *method)
{
    size_t len = 0;
    struct path path = {0};
    bool too_many = false;
    const char *start = guard_path(request->target, &len);
    char *text = request_copy(request, start ? start : "", len);
    request->path = request_copy(request, start ? start : "", len);
    request->api = find_api(request->server, "");
    if (!text || !request->path) {
        refuse(request, REFUSED_FAILURE, 500, "out of memory");
        return;
    }
    bool good = path_split(text, &path, &too_many);
    char **segments = path.segments;
    size_t count = path.count;
    if (count > 2 && strcmp(segments[0], "w") == 0 && *segments[1]) {
        request->prefix = segments[1];
        segments += 2;
        count -= 2;
        request->path = strchr(strchr(request->path + 1, '/') + 1, '/');
    }
    if (count)
        request->api = find_api(request->server, segments[0]);
    if (!good)
        refuse_malformed(request, "The path is not UTF-8");
    else if (!too_many)
        router_match(request->api, method, segments, count, &request->match);
}

/* Decides whether the handler gets it; the API's own refusal comes before those of its routes. */
static void admit(struct request *request)
{
    const struct match *match = &request->match;
    if (request->api->admit && !request->api->admit(request, match->route)) {
        request->denied = true;
    } else if (!match->known_path) {
        refuse(request, REFUSED_NOT_FOUND, 404, "There is nothing at this path");
    } else if (!match->route) {
        refuse(request, REFUSED_METHOD, 405, REFUSAL_METHOD_TEXT, match->allow);
    }
}

/* The API counts it from now on. */
static void count(struct request *request)
{
    if (request->api->begin)
        request->api->begin(request);
}

/* Answers with what was decided against the handler. */
static void answer_refusal(struct request *request)
{
    request->stage = STAGE_HANDLER;
    if (request->denied) {
        request->api->deny(request);
        return;
    }
    if (request->refusal->kind == REFUSED_METHOD)
        respond_header(request, "Allow", request->match.allow);
    request->api->refuse(request, request->refusal);
}

/* How long its body may be: the server's limit, or the route's own where it is wanted. */
static size_t max_body_of(const struct request *request)
{
    size_t max_body = request->server->options.max_body;
    bool is_large = request->keeping && request->match.route->takes_body == BODY_LARGE;
    return is_large && max_body < BODY_LARGE_MAX ? BODY_LARGE_MAX : max_body;
}

static void refuse_too_large(struct request *request)
{
    refuse(request, REFUSED_TOO_LARGE, 413, REFUSAL_TOO_LARGE_TEXT, max_body_of(request));
}

/* Whether the declared body settles the answer before it is read (H3). */
static bool answers_at_once(struct request *request)
{
    const struct guard *guard = &request->guard;
    bool refused = request->denied || request->refusal;
    size_t max_body = max_body_of(request);
    uint64_t drop_max = max_body > DROP_MAX ? max_body : DROP_MAX;
    bool over = request->keeping && guard->length > max_body;
    if (!refused && (over || guard->length > drop_max))
        refuse_too_large(request);
    return guard->length > drop_max || (guard->expects_continue && (refused || over));
}

/*
 * After a chunked body that libmicrohttpd below 0.9.77 has read, the connection is closed: such a
 * version takes a line feed alone for the end of a chunk's line, and a bare CR for a part of it,
 * and does not show these lines. Another party may see this body end elsewhere, and what we would
 * read as the next request as a part of it, or the other way around (H5).
 */
static bool is_end_in_doubt(const struct request *request)
{
    return request->server->keeps_lines && request->guard.chunked;
}

static void begin(struct request *request, const char *method, const char *version)
{
    request->next_line = version + strlen(version) + 2;
    MHD_get_connection_values_n(request->connection, MHD_HEADER_KIND, take_header, request);
    request->head = strcmp(method, "HEAD") == 0;
    request->method = request->head ? "GET" : method;
    if (request->server->keeps_lines && !request->guard.problem && !is_head_whole(request, version))
        request->guard.problem = "The request target has a NUL, or a line begins with one";
    const char *problem = guard_finish(&request->guard, method, version, request->target);
    route(request, request->method);
    if (problem)
        refuse_malformed(request, problem);
    if (request->guard.bytes + strlen(request->target) > HEAD_MAX)
        refuse_head(request);
    if (request->refusal && request->close) {
        answer_refusal(request);
        return;
    }
    if (!request->refusal)
        admit(request);
    connection_take_api(request->link, request->api);
    request->keeping = !request->denied && !request->refusal && request->match.route->takes_body;
    request->stage = STAGE_BODY;
    request->close = is_end_in_doubt(request);
    if (answers_at_once(request)) {
        request->close = true;
        count(request);
        answer_refusal(request);
    } else if (request->keeping && request->guard.length) {
        uint64_t first = request->guard.length, most = request->server->options.max_body;
        buf_reserve(&request->body, (size_t)(first < most ? first : most));
    }
}

/* -- the body and the end ---------------------------------------------------------------------- */

/*
 * Whether a NUL stands behind the last header's value, or alone in the line that ended the headers:
 * the body then begins later than those lines say. (libmicrohttpd hands out the first piece from
 * where it stands behind the head.)
 */
static bool has_hidden_nul(const struct request *request, const char *body)
{
    uintptr_t end = (uintptr_t)request->next_line + 2, at = (uintptr_t)body;
    return request->server->keeps_lines && !request->guard.chunked && !request->received &&
           at > end && at - end < CONNECTION_BYTES;
}

/* False: so much came that the connection is closed without an answer. */
static bool take_body(struct request *request, const char *bytes, size_t len)
{
    size_t max_body = max_body_of(request);
    uint64_t drop_max = max_body > DROP_MAX ? max_body : DROP_MAX;
    if (has_hidden_nul(request, bytes)) {
        refuse_malformed(request, "The end of the headers has a NUL");
        request->keeping = false;
    }
    request->received += len;
    if (request->received > drop_max)
        return false;
    if (!request->keeping)
        return true;
    if (request->received > max_body) {
        request->keeping = false;
        buf_finish(&request->body);
        refuse_too_large(request);
    } else {
        buf_append(&request->body, bytes, len);
    }
    return true;
}

/*
 * Whether a handler may begin. The server's last look at `busy` comes after it has set `closed`,
 * and this adds to the one before it looks at the other: so no request is suspended behind its
 * back.
 */
static bool begin_work(struct request *request)
{
    struct server *server = request->server;
    atomic_fetch_add(&server->busy, 1);
    if (!atomic_load(&server->closed))
        return true;
    atomic_fetch_sub(&server->busy, 1);
    return false;
}

static void end_work(struct request *request)
{
    if (request->stage != STAGE_WAITING)
        atomic_fetch_sub(&request->server->busy, 1);
}

static void finish(struct request *request)
{
    count(request);
    if (request->denied || request->refusal) {
        answer_refusal(request);
        return;
    }
    request->stage = STAGE_HANDLER;
    if (buf_failed(&request->body) || request->lacks_memory) {
        router_fail(request, ERR_NO_MEMORY, "no memory for the request");
    } else if (!begin_work(request)) {
        router_fail(request, atomic_load(&request->server->reason), NULL);
    } else {
        if (request->api->enter)
            request->api->enter(request);
        else
            request_handle(request);
        end_work(request);
    }
}

/* A suspended request was resumed. */
static void go_on(struct request *request)
{
    request->stage = STAGE_HANDLER;
    request->then(request);
    end_work(request);
}

/* -- libmicrohttpd's callbacks ----------------------------------------------------------------- */

/*
 * libmicrohttpd makes a record of each parameter of the query, which nobody here asks for. Where
 * its memory does not hold them all, it queues an answer of its own and then forgets that it has:
 * the client waits until the connection times out. So it finds none; it lets the text be changed,
 * as it changes that itself next.
 */
static void hide_query(const char *uri)
{
    const char *query = uri ? strchr(uri, '?') : NULL;
    if (query)
        *(char *)(query + 1) = '\0';
}

void *request_on_uri(void *context, const char *uri, struct MHD_Connection *connection)
{
    struct daemon_context *daemon = context;
    struct request *request = malloc(sizeof *request);
    if (!request)
        return NULL;
    memset(request, 0, offsetof(struct request, first));
    request->server = daemon->server;
    request->listener_url = daemon->listener_url;
    request->connection = connection;
    request->target = request_copy(request, uri ? uri : "", uri ? strlen(uri) : 0);
    request->raw_target = uri;
    hide_query(uri);
    request->begun_us = time_steady_us();
    request->begun_at = request->begun_us / 1000;
    request->link = connection_of(connection);
    if (request->link)
        connection_step(request->link, PHASE_LINE); /* who is late is told so by the next step */
    atomic_fetch_add(&daemon->server->active, 1);
    return request;
}

enum MHD_Result request_on_call(void *context, struct MHD_Connection *connection, const char *url,
                                const char *method, const char *version, const char *upload,
                                size_t *upload_size, void **state)
{
    struct request *request = *state;
    (void)context;
    (void)connection;
    (void)url;
    if (!request || !request->target || !request->link)
        return MHD_NO;

    memory_forget_lack();
    switch (request->stage) {
    case STAGE_HEAD:
        if (!connection_step(request->link, PHASE_BODY))
            return MHD_NO;
        begin(request, method, version);
        if (request->stage != STAGE_BODY && !connection_step(request->link, PHASE_WHOLE))
            return MHD_NO;
        break;
    case STAGE_BODY:
        if (*upload_size) {
            if (!take_body(request, upload, *upload_size))
                return MHD_NO;
            *upload_size = 0;
        } else if (connection_step(request->link, PHASE_WHOLE)) {
            finish(request);
        } else {
            return MHD_NO;
        }
        break;
    case STAGE_WAITING:
        go_on(request);
        break;
    case STAGE_HANDLER:
    case STAGE_ANSWERED:
        break;
    }
    if (request->stage == STAGE_HANDLER)
        router_fail(request, ERR_INTERNAL, "the handler gave no answer");
    return request->broken ? MHD_NO : MHD_YES;
}

static void log_access(struct request *request)
{
    if (!log_enabled(LOG_DEBUG))
        return;
    log_event(LOG_DEBUG, "request", LOG_STR("id", *request->id ? request->id : "-"),
              LOG_STR("method", request->method ? request->method : "-"),
              LOG_STR("path", request_log_path(request)), LOG_INT("status", request->status),
              LOG_INT("ms", time_steady_ms() - request->begun_at));
}

void request_on_completed(void *context, struct MHD_Connection *connection, void **state,
                          enum MHD_RequestTerminationCode code)
{
    struct daemon_context *daemon = context;
    struct request *request = *state;
    (void)connection;
    (void)code;
    if (!request)
        return;
    /* A client that left while it waited: resumed, and found closed before the handler's turn. */
    if (request->stage == STAGE_WAITING)
        atomic_fetch_sub(&request->server->busy, 1);
    if (request->link && !connection_step(request->link, PHASE_NONE))
        request->status = 408; /* past libmicrohttpd (connection.c) */
    request_tell_end(request, request_end_unanswered(request), NULL);
    log_access(request);
    if (request->finish_state)
        request->finish_state(request->state);
    if (request->api && request->api->leave)
        request->api->leave(request);
    fault_finish(request);
    stream_finish(request);
    json_decref(request->json);
    buf_finish(&request->body);
    for (struct arena_block *block = request->blocks, *next; block; block = next) {
        next = block->next;
        free(block);
    }
    free(request);
    *state = NULL;
    atomic_fetch_sub(&daemon->server->active, 1);
}
