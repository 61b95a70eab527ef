/* Inside http: what a request and a server are made of. */
#ifndef UNDERSTUDY_HTTP_INTERNAL_H
#define UNDERSTUDY_HTTP_INTERNAL_H

#include "base/buf.h"
#include "http/fault.h"
#include "http/guard.h"
#include "http/record.h"
#include "http/router.h"
#include "http/server.h"

#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

enum {
    /* An over-long body is read and dropped up to this, so that its sender can read the answer
       (H3). */
    DROP_MAX = 8 * 1024 * 1024,
    /* For a connection: what is read and the headers both ways. libmicrohttpd clears it after each
       request, so more of it costs time as well as memory. */
    CONNECTION_BYTES = 16 * 1024,
    /* Of a request's target and headers, so that there is room for the answer's. */
    HEAD_MAX = 13 * 1024,
    /* Headers that one answer adds: WWW-Authenticate, Allow, Retry-After, a page's six. */
    ADDED_HEADERS_MAX = 10,
    ARENA_FIRST = 1024,
};

enum stage {
    STAGE_HEAD,    /* the headers are there */
    STAGE_BODY,    /* the body is coming */
    STAGE_HANDLER, /* a handler has it */
    STAGE_WAITING, /* suspended */
    STAGE_ANSWERED,
};

struct arena_block {
    struct arena_block *next;
    max_align_t bytes[];
};

struct added_header {
    const char *name, *value;
};

/* An answer, until it is libmicrohttpd's. */
struct answer {
    int status;
    const char *content_type; /* NULL: none */
    const char *body;
    size_t len;
    char *owned; /* the body, where it is to be freed */
    const struct fault_header *headers;
    size_t header_count;
};

/* How far the request that a connection expects or has is. */
enum phase {
    PHASE_NONE,  /* nothing is known of it */
    PHASE_LINE,  /* its first line is there */
    PHASE_BODY,  /* its headers */
    PHASE_WHOLE, /* all of it, or it is answered before */
};

/* One of the server's connections (connection.c). */
struct connection {
    struct connection *next, *prev; /* under the server's connections_lock */
    int64_t number;                 /* among those the server ever had, from 1 */
    int fd;
    atomic_ulong state;              /* the phase, and above it the number of requests before */
    _Atomic(const struct api *) api; /* whose the request is, from PHASE_BODY on */
    /* Who looks at them alone uses these, under the lock. */
    unsigned long seen; /* the state at the last look */
    int64_t since;      /* when the head was seen to have begun, or the body */
    uint64_t received;  /* bytes, before the head begun */
    bool has_ended;     /* its client sends no more */
    bool is_known;      /* it was looked at */
};

struct request {
    struct server *server;
    struct MHD_Connection *connection;
    struct connection *link;
    const char *listener_url;
    const char *method;
    enum stage stage;
    bool head;
    bool close;             /* the connection, after the answer */
    atomic_bool hurried;    /* it waits for nothing any more */
    atomic_bool nudged;     /* its stream was woken since it last looked */
    bool broken;            /* the answer could not be queued: the connection is dropped */
    bool denied;            /* by the API's admit */
    bool keeping;           /* the body is wanted */
    const char *raw_target; /* in libmicrohttpd's buffer; to compare places only */
    const char *next_line;  /* there too: where the next header is to begin */
    char *target;           /* as sent */
    char *path;             /* still encoded, without query and prefix */
    char *prefix;           /* the workspace's slug, or NULL */
    const struct api *api;
    struct match match;
    struct guard guard;
    const struct refusal *refusal; /* the answer is to be this; NULL: the handler's */
    struct buf body;
    uint64_t received; /* bytes of body, kept or not */
    json_t *json;
    struct query_param *query; /* once it was asked for */
    size_t query_count;
    request_handler *then;
    struct deadline deadline; /* of its wait (wait.c) */
    int64_t wait_until;
    bool is_watched; /* its waits end when its client leaves */
    struct request *wait_next, **wait_prev;
    void *user;  /* the API's */
    void *state; /* the handler's */
    void (*finish_state)(void *state);
    struct added_header added[ADDED_HEADERS_MAX];
    size_t added_count;
    bool lacks_header;         /* one of these: there was no memory */
    bool lacks_memory;         /* what it has in its arena may not be all */
    bool is_logged;            /* why it fails */
    struct fault_state *fault; /* how the answer goes wrong on purpose; NULL: not */
    struct stream *stream;     /* what makes the answer while it is sent; NULL: nothing */
    int status;                /* of the answer; 0: the connection is closed without one */
    int64_t begun_at, begun_us;
    char id[REQUEST_ID_SIZE];             /* once it was asked for; else "" */
    bool recorded;                        /* its end was told */
    const struct answer *recorded_answer; /* while it is told */
    struct arena_block *blocks;
    size_t arena_used; /* of `first` */
    max_align_t first[ARENA_FIRST / sizeof(max_align_t)];
};

/* What the daemon of one listener calls back with. */
struct daemon_context {
    struct server *server;
    const char *listener_url;
};

struct server {
    struct server_options options;
    struct MHD_Daemon **daemons;
    struct daemon_context *contexts;
    struct listener *listeners;
    size_t count;
    bool keeps_lines; /* libmicrohttpd leaves lines in its buffer as they were sent (see is_whole())
                       */
    atomic_bool draining;
    char id[9];            /* what this server's names of requests begin with */
    atomic_ulong requests; /* that it has named */
    atomic_long accepted;  /* connections, ever */
    atomic_long connections;
    atomic_long active;  /* requests begun and not completed */
    atomic_long busy;    /* of those, with a handler or suspended */
    atomic_long drips;   /* answers that are sent drop by drop */
    atomic_long streams; /* that are made while they are sent */
    atomic_bool closed;  /* no handler begins any more: what is suspended cannot be stopped */
    atomic_int reason;   /* an ERR_ code: why not */
    pthread_mutex_t waits_lock;
    pthread_mutex_t connections_lock;
    struct connection *first_connection; /* the next to be looked at */
    struct connection *last_connection;
    struct deadline look;
    atomic_bool starves; /* descriptors ran out since the last look */
    int64_t starves_said_at;
    long shedding;         /* so many of the next looks close what is idle */
    bool looks, looks_end; /* somebody will look; nobody shall any more */
    struct request *waits; /* those that wait for real time */
    long watched;          /* of those, the ones that are watched; both under the lock */
};

/* libmicrohttpd's callbacks (flow.c). */
void *request_on_uri(void *context, const char *uri, struct MHD_Connection *connection);
enum MHD_Result request_on_call(void *context, struct MHD_Connection *connection, const char *url,
                                const char *method, const char *version, const char *upload,
                                size_t *upload_size, void **state);
void request_on_completed(void *context, struct MHD_Connection *connection, void **state,
                          enum MHD_RequestTerminationCode code);

/* libmicrohttpd's notices of connections (connection.c). */
void connection_on_notice(void *arg, struct MHD_Connection *handle, void **socket_context,
                          enum MHD_ConnectionNotificationCode code);

/* NULL: there was no memory for it. */
struct connection *connection_of(struct MHD_Connection *handle);

/* A request on it is in this phase; PHASE_NONE: the next one. False: it came too late, and nobody
 * may answer any more. */
bool connection_step(struct connection *connection, enum phase phase);

/* Whose the request is, before PHASE_BODY. */
void connection_take_api(struct connection *connection, const struct api *api);

/* Before the first connection; and when nobody shall be cut off any more, while the deadlines still
 * run. */
void connections_start(struct server *server);
void connections_end_looks(struct server *server);

/* Copies text into the request's memory; NULL when there is none. */
char *request_copy(struct request *request, const char *text, size_t len);

/*
 * Suspends the connection until `at`, or until the server stops, request_hurry(), wait_nudge(), or
 * the client leaves, where the request is watched; then it is resumed. False, with nothing done:
 * the server stops already, or there is no memory (wait.c).
 */
bool wait_begin(struct request *request, int64_t at);

/* Ends a wait of a stream, or has the next one not begin. Any thread. */
void wait_nudge(struct request *request);

/* From now on the server drains: ends all waits, and none begins any more. */
void waits_end(struct server *server);

/* A name for a request that has none of its client's. (record.c) */
void server_name_request(struct server *server, char ret_id[REQUEST_ID_SIZE]);

/* The path for a log line; the target, where that has none. (record.c) */
const char *request_log_path(const struct request *request);

/* Tells the recorder, once for each request; `answer` NULL: it gets none. (record.c) */
void request_tell_end(struct request *request, enum request_end_kind kind,
                      const struct answer *answer);

/* Gives an answer, and what it owns, to libmicrohttpd. (respond.c) */
void answer_send(struct request *request, struct answer *answer);

/* The same with a response of the caller's own, which may be NULL for want of memory. */
void answer_queue(struct request *request, const struct answer *answer,
                  struct MHD_Response *response);

/* The connection's socket (fault.c). */
int request_descriptor(const struct request *request);

/* Takes an answer over, and sends it as request->fault says; then frees what is left (fault.c). */
void fault_answer(struct request *request, const struct answer *answer);
void fault_finish(struct request *request);

/* The request is over (stream.c). */
void stream_finish(struct request *request);

/* How a request with a fault ends. */
enum request_end_kind fault_end(const struct request *request);

/* How a request ends whose client has left before its answer: it may have been left hanging. */
enum request_end_kind request_end_unanswered(const struct request *request);

#endif
