/*
 * What became of each request, told once: when its answer is given, before that is sent, or else
 * when it is over without one. HTTP threads.
 */
#ifndef UNDERSTUDY_HTTP_RECORD_H
#define UNDERSTUDY_HTTP_RECORD_H

#include "http/request.h"

#include <stdint.h>

enum request_end_kind {
    END_ANSWERED,
    END_TRUNCATED, /* by faults (http/fault.h) */
    END_DRIPPED,
    END_DROPPED,
    END_HUNG,
    END_GARBAGE,
    END_LEFT, /* the client left, or the connection was closed on it */
};

struct request_end {
    enum request_end_kind kind;
    int status;       /* 0: no answer */
    const char *body; /* not NUL-terminated; NULL: none */
    size_t len;
};

/* Whom the server tells; `record` NULL: nobody. */
struct recorder {
    void (*record)(void *context, struct request *request, const struct request_end *end);
    void *context;
};

/* -- for the recorder ---------------------------------------------------------------------------
 */

/* When its head had come, in real ms; and which of the server's connections it came by, from 1. */
int64_t request_begun_at(const struct request *request);
int64_t request_connection(const struct request *request);

/* How long that is ago, in microseconds. */
int64_t request_age_us(const struct request *request);

/* The server's connections, those that are open and all that ever were. */
void request_connections(const struct request *request, int64_t *ret_open, int64_t *ret_accepted);

/* Whether its client has closed its side meanwhile, as those do who have waited long enough: it
 * will hardly read what it is answered. Asks the system. */
bool request_is_left(const struct request *request);

/* How many bytes of body came, kept or not. */
uint64_t request_received(const struct request *request);

/* What its API has found it to be about (struct api's `about`); NULL: nothing. */
void *request_about(struct request *request);

/* Visits each header of the answer that is given. */
void request_each_answer_header(struct request *request, request_header_visitor *visit, void *arg);

#endif
