/*
 * Answers that go wrong on purpose: late, lost, cut, slow, no HTTP at all, or another one than the
 * handler's. HTTP threads, from a handler or struct api's `enter`.
 *
 * A fault is told before the answer is given: request_set_fault(), then the handler does its work
 * and answers as always, and what it answered is sent as the fault says. Its effects stay: that is
 * a lost answer to a request that was served. respond_fault() is the same without a handler.
 */
#ifndef UNDERSTUDY_HTTP_FAULT_H
#define UNDERSTUDY_HTTP_FAULT_H

#include "http/request.h"

#include <stdint.h>

enum fault_kind {
    FAULT_NONE,     /* the answer is sent whole */
    FAULT_DROP,     /* the connection is reset (RST) without a byte of an answer */
    FAULT_HANG,     /* the same, after `amount` ms in which nothing is sent */
    FAULT_TRUNCATE, /* the head with the whole Content-Length, `amount` bytes of body, then closed
                     */
    FAULT_DRIP,     /* the head at once, then the body, `amount` bytes a second; at least 1 */
    FAULT_GARBAGE,  /* some bytes that are no HTTP, then closed */
};

enum {
    /* What the connection's memory has room for, beside the request's own head. */
    FAULT_HEADERS_MAX = 16,
    FAULT_HEADER_BYTES_MAX = 2048, /* of all names and values */
};

struct fault_header {
    const char *name, *value;
};

/* An answer in the place of the handler's, whose headers go with it. */
struct fault_answer {
    int status;               /* 200 to 599 */
    const char *content_type; /* static; NULL: in `headers`, or none */
    const char *body;         /* NULL: none */
    size_t len;
    const struct fault_header
        *headers; /* not Content-Length, Transfer-Encoding, Connection, Date */
    size_t header_count;
};

/* Zeroed, the answer is sent as it is. */
struct fault {
    int64_t delay; /* ms of real time from the handler's answer until anything else happens */
    enum fault_kind kind;
    int64_t amount; /* see the kinds; cutting and dripping do nothing to an answer without a body */
    const struct fault_answer *answer; /* NULL: the handler's */
};

/*
 * How the answer of this request is to be sent; NULL: as usual. All of it is copied, and the last
 * call before the answer counts. ERR_NO_MEMORY, ERR_INVALID beyond the limits above.
 *
 * When the server stops, what is left of delay and hang is skipped, and of a drip sent at once.
 * Where the client leaves during a delay or a hang, the request is over soon after.
 */
int request_set_fault(struct request *request, const struct fault *fault);

/*
 * Answers by a fault alone. Where its kind sends an answer, `fault->answer` gives it (else it is a
 * 204). What cannot be done is answered as a fault of ours.
 */
void respond_fault(struct request *request, const struct fault *fault);

#endif
