/*
 * A request, as the APIs see it. Everything that hangs off it (its strings, what request_alloc()
 * gives, the parsed body) lives until it was answered and completed, and is freed in one place.
 *
 * A handler runs on an HTTP thread and must not wait. To answer later, it calls request_suspend()
 * with the handler to go on with; request_resume() may then be called once, from any thread.
 */
#ifndef UNDERSTUDY_HTTP_REQUEST_H
#define UNDERSTUDY_HTTP_REQUEST_H

#include "base/buf.h"
#include "base/err.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct request;
struct api;

typedef void request_handler(struct request *request);

/* "GET" … ; a HEAD request is handled as GET, and request_is_head() tells. */
const char *request_method(const struct request *request);
bool request_is_head(const struct request *request);

/* The path as it was sent, still percent-encoded, without the query and without a /w/ prefix. */
const char *request_path(const struct request *request);

/* The request's target as it was sent, prefix and query included. */
const char *request_target(const struct request *request);

/* The slug of the /w/{slug} prefix; NULL without one (H7). */
const char *request_workspace_prefix(const struct request *request);

/* What its client calls it (X-Request-Id), where that is sane, or else a name of ours. It is in
 * every answer, in the log and in the journal. */
enum { REQUEST_ID_SIZE = 65 };
const char *request_id(struct request *request);

/* The operationId of the route that was found; NULL where there is none. */
const char *request_operation(const struct request *request);

/* The path's parameter number `index`, decoded. */
const char *request_param(const struct request *request, size_t index);

/* Header values; NULL where there is none. Several Authorization headers give "". */
const char *request_host(const struct request *request);
const char *request_authorization(const struct request *request);
const char *request_content_type(const struct request *request);

/* The first value of any header, whose name is compared without case; NULL where there is none. It
 * belongs to the request, without white space at its ends. */
const char *request_header(struct request *request, const char *name);

/* Visits all headers, in their order; a value as above, until the visitor returns. */
void request_each_header(struct request *request,
                         void (*visit)(const char *name, const char *value, size_t len, void *arg),
                         void *arg);

/* Where it comes from: Origin and Sec-Fetch-Site likewise, and whether a proxy says that it passed
 * it on (Forwarded, X-Forwarded-*, Via). */
const char *request_origin(const struct request *request);
const char *request_fetch_site(const struct request *request);
bool request_is_forwarded(const struct request *request);

/* Whether an answer in plain text is liked better than one in JSON (Accept). */
bool request_prefers_text(const struct request *request);

/* The address that the connection comes from, without its port; "" where it is not known. */
enum { PEER_SIZE = 46 };
void request_peer(const struct request *request, char ret_address[PEER_SIZE]);

/* The query string's parameters, decoded, in their order; they belong to the request. */
struct query_param {
    const char *name, *value;
};
enum { QUERY_PARAMS_MAX = 32 }; /* more than any operation knows */

/* ERR_INVALID, with what is wrong in `err`: a bad escape, no UTF-8, too many. ERR_NO_MEMORY. */
int request_query(struct request *request, const struct query_param **ret_params, size_t *ret_count,
                  struct err *err);

/* "http://" and the Host that the client named, or else the address it reached. */
void request_base(const struct request *request, struct buf *out);

/* The body, complete; NUL-terminated, *ret_len bytes. */
const char *request_body(const struct request *request, size_t *ret_len);

/*
 * The body parsed (H2), on its first call; it belongs to the request. ERR_INVALID with where and
 * why in `err`, ERR_NO_MEMORY.
 */
int request_json(struct request *request, const json_t **ret_value, struct err *err);

/* Zeroed memory that is freed with the request; NULL when there is none. */
void *request_alloc(struct request *request, size_t size);

/*
 * What a handler keeps from one call to the next: zeroed memory of the request's; NULL: none.
 * `finish`, where it is not NULL, releases what the state owns beyond that. It is called when the
 * request is over, also where the client left while it was suspended and no handler is called any
 * more.
 */
void *request_new_state(struct request *request, size_t size, void (*finish)(void *state));
void *request_state(const struct request *request);

/* The API that answers it, and a place for what that API found out in its `admit`. */
const struct api *request_api(const struct request *request);
void request_set_user(struct request *request, void *user);
void *request_user(const struct request *request);

/* Whether the server is on its way down: it takes no more work that could wait. */
bool request_server_stops(const struct request *request);

/* The turn of the handler of the route that was found: for struct api's `enter`, or whom that left
 * it to. Once. */
void request_handle(struct request *request);

/*
 * The same for a span of real time, at most: `then` goes on when it has passed, request_hurry() was
 * called, or the server stops (request_server_stops() tells). TIME_NEVER waits for the other two.
 * A client that leaves is noticed only when the wait ends.
 */
void request_wait(struct request *request, int64_t ms, request_handler *then);

/* Ends a request_wait() of this request, and skips all that it begins later, those of its faults
 * (http/fault.h) included. Any thread, which makes sure that the request is not over. */
void request_hurry(struct request *request);

/* See above. */
void request_suspend(struct request *request, request_handler *then);
void request_resume(struct request *request);

#endif
