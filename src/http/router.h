/*
 * Routes: one table an API, one row an operation. The tables are held against openapi/ by a test.
 */
#ifndef UNDERSTUDY_HTTP_ROUTER_H
#define UNDERSTUDY_HTTP_ROUTER_H

#include "base/buf.h"
#include "base/fields.h"
#include "http/request.h"

#include <stdint.h>

/* What becomes of a request's body. */
enum route_body {
    BODY_IGNORED, /* it is read and ignored (H2) */
    BODY_TAKEN,   /* up to the server's limit */
    BODY_LARGE,   /* up to BODY_LARGE_MAX */
};
enum { BODY_LARGE_MAX = 256 * 1024 * 1024 };

struct route {
    const char *method;       /* GET serves HEAD too */
    const char *pattern;      /* "/rest/v1/scenario-studio/jobs/{job_id}" */
    const char *operation_id; /* in the API's OpenAPI document */
    request_handler *handler;
    enum route_body takes_body;
};

/* The fields of an operation's body, for whoever wants to know them beside its handler. */
struct route_fields {
    const char *operation_id;
    const struct field *fields;
    const size_t *count;
    const char *const *echoes; /* names that its answers have, so that who puts back what it has
                                  read sends them too; a NULL ends them; NULL: none */
};

/* Why a request gets an error before, or instead of, its handler. */
enum refusal_kind {
    REFUSED_MALFORMED,   /* 400, the connection closes (H4, H5) */
    REFUSED_NOT_FOUND,   /* 404: no such path */
    REFUSED_METHOD,      /* 405, with Allow */
    REFUSED_LATE,        /* 408: not complete in time, the connection closes */
    REFUSED_TOO_LARGE,   /* 413 */
    REFUSED_FAILURE,     /* 500: a fault of ours (H6) */
    REFUSED_UNAVAILABLE, /* 503: storage trouble, with Retry-After (H6) */
};

struct refusal {
    enum refusal_kind kind;
    int status;
    const char *code; /* for 503: storage_full, …; else NULL */
    char detail[256]; /* a sentence for the client's author */
};

struct outcome;

/* What somebody else does between an API and its handlers: answers, or suspends, or goes on with
 * request_handle(). `about` is what the API has found the request to be about. Zeroed: nothing. */
struct hook {
    void (*call)(void *context, struct request *request, void *about);
    void *context;
};

/* An API: what answers under some first path segments. */
struct api {
    const char *name; /* also its OpenAPI document's: "studio" */
    const char *const
        *roots; /* "rest", NULL: all under /rest is its own. NULL: what no other covers */
    const struct route *routes;
    size_t route_count;
    const struct outcome *outcomes; /* what its operations may answer (http/outcome.h); or NULL */
    size_t outcome_count;
    const struct route_fields *bodies; /* of its operations that take one; or NULL */
    size_t body_count;
    void *context; /* the API's own */

    /*
     * Before the body, and before a 404 (S1): whether the request may go on. `route` is NULL where
     * there is none. False: the API keeps in mind why, and its `deny` will say so.
     */
    bool (*admit)(struct request *request, const struct route *route);
    void (*deny)(struct request *request);

    /*
     * The request is there whole, or is answered before it is: from now on it counts, whatever
     * becomes of it. Once, unless its client leaves before. May be NULL.
     */
    void (*begin)(struct request *request);

    /*
     * In the place of the route's handler, when the body is complete: answers, or suspends and goes
     * on later, or calls request_handle(), which is the handler's turn. NULL: the handler at once.
     */
    void (*enter)(struct request *request);

    /* Answers with an error in the API's shape; headers are set already. */
    void (*refuse)(struct request *request, const struct refusal *refusal);

    /* The body of 500, as JSON, for where there is no memory to write it. NULL: a problem. */
    const char *failure;

    /* The same written, as JSON, for who has no request to answer; returns its content type. Any
     * thread. NULL: as a problem document. */
    const char *(*write_refusal)(struct buf *out, const struct refusal *refusal);

    /* The request is over: release what `admit` took. May be NULL. */
    void (*leave)(struct request *request);

    /* What the request is about, as struct hook's: for who records it. NULL: nothing; may be NULL.
     */
    void *(*about)(struct request *request);
};

enum { PATH_SEGMENTS_MAX = 16, ROUTE_PARAMS_MAX = 4 };

/* A path cut at its slashes, then decoded (H4), by path_split(). */
struct path {
    char *segments[PATH_SEGMENTS_MAX];
    size_t count;
};

/*
 * Cuts and decodes `text` in place; the segments point into it. False: not UTF-8, or more segments
 * than any route has (*ret_too_many).
 */
bool path_split(char *text, struct path *ret_path, bool *ret_too_many);

struct match {
    const struct route *route; /* NULL: no such path, or not with this method */
    const char *params[ROUTE_PARAMS_MAX];
    bool known_path;
    char allow[64]; /* the methods that a known path has, for Allow */
};

/* Finds the route of a path. */
void router_match(const struct api *api, const char *method, char *const *segments, size_t count,
                  struct match *ret_match);

/* The methods of all routes with this pattern, in ret_match->allow. */
void router_allow(const struct api *api, const char *pattern, struct match *ret_match);

/* What is answered to storage trouble or a fault of ours, as `error` (an ERR_ code) says (H6). */
void refusal_of_error(int error, struct refusal *ret_refusal);

/* How long a client does well to wait before it tries again after a 503, in seconds. */
enum { REFUSAL_RETRY_AFTER = 1 };

/* What is said of a fault of ours (H6). */
#define FAILURE_TEXT "An error of the server's own; its log says more"

/* What is said of a wrong method and of a body that is too large (H3), as printf has it. */
#define REFUSAL_METHOD_TEXT    "This path answers to %s"
#define REFUSAL_TOO_LARGE_TEXT "The body is larger than the limit of %zu bytes"

/* Answers with storage trouble or a fault of ours, as `error` (an ERR_ code) says; logs it once
 * (H6). */
void router_fail(struct request *request, int error, const char *detail);

#endif
