/*
 * A request that is answered when its job's callback was sent, as a rule asks: the one wait of the
 * Studio API. It holds up nobody who tidies up: a reset, a deletion and a stop end it at once. HTTP
 * threads.
 */
#ifndef UNDERSTUDY_STUDIO_CALLBACK_WAIT_H
#define UNDERSTUDY_STUDIO_CALLBACK_WAIT_H

#include "base/id.h"
#include "engine/events.h"
#include "http/request.h"

/* The first member of the request's state; zeroed. */
struct callback_wait {
    char delivery[ID_HEX_SIZE];
    request_handler *then;
    struct waiter waiter;
    struct held held;
    atomic_bool hurried;
};

/* Goes on with `then` when an attempt at the delivery has ended, or callback_timeout has passed. */
void callback_wait(struct request *request, const char *delivery, request_handler *then);

/* With the request's state. */
void callback_wait_finish(struct callback_wait *wait);

#endif
