/*
 * The answer is kept here instead of being queued, and the connection waits where it has to. A body
 * that is cut or drips is given to libmicrohttpd piece by piece by a reader: it ends in an error,
 * or suspends the connection until more of it is due. The reader runs on the connection's own
 * thread, after the handler has ended; so while it waits, the request counts as busy once more.
 */
#include "http/fault.h"

#include "base/time.h"
#include "http/internal.h"
#include "http/respond.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum {
    /* A drip's pieces are sent at multiples of a step, so that many connections wake up together
       and a fast one does not wake up all the time. For each so many drips the step is as much
       longer, which bounds the wake-ups of all of them to 5,000 a second. */
    DRIP_STEP_MS = 50,
    DRIPS_A_STEP = 250,
    DRIP_RATE_MAX = 1000000000, /* beyond, a drip is none */
    /* What the reader is asked for at once; libmicrohttpd keeps as much for each such answer. */
    PIECE_MAX = 4096,
};

/* No status line, whoever reads it: a NUL, control characters and no UTF-8. */
static const char garbage[] = "\x16\x00\xff\xfe\x80 this is no HTTP \x00\x01\x02\xc3\x28\n\n\x7f";

struct fault_state {
    struct fault fault;
    struct answer answer; /* what is to be sent */
    int64_t begun_at;     /* a drip */
    bool drips;           /* it counts among its server's */
    bool waits;           /* its reader does: it counts as busy */
};

/* -- telling it -------------------------------------------------------------------------------- */

static const char *copy_text(struct request *request, const char *text, size_t *io_room)
{
    size_t len = strlen(text);
    if (len > *io_room)
        return NULL;
    *io_room -= len;
    return request_copy(request, text, len);
}

static int copy_headers(struct request *request, const struct fault_answer *from,
                        struct fault_answer *to)
{
    size_t room = FAULT_HEADER_BYTES_MAX;
    if (from->header_count > FAULT_HEADERS_MAX)
        return ERR_INVALID;
    struct fault_header *headers = request_alloc(request, from->header_count * sizeof *headers);
    if (!headers)
        return ERR_NO_MEMORY;
    for (size_t i = 0; i < from->header_count; i++) {
        headers[i].name = copy_text(request, from->headers[i].name, &room);
        headers[i].value = copy_text(request, from->headers[i].value, &room);
        if (!headers[i].name || !headers[i].value)
            return ERR_INVALID;
    }
    to->headers = headers;
    return 0;
}

static int copy_answer(struct request *request, const struct fault_answer *from,
                       const struct fault_answer **ret_answer)
{
    struct fault_answer *to = request_alloc(request, sizeof *to);
    if (!to)
        return ERR_NO_MEMORY;
    *to = *from;
    to->body = request_copy(request, from->body ? from->body : "", from->len);
    int status = to->body ? copy_headers(request, from, to) : ERR_NO_MEMORY;
    if (status == 0)
        *ret_answer = to;
    return status;
}

static int64_t fit_amount(const struct fault *fault)
{
    int64_t least = fault->kind == FAULT_DRIP ? 1 : 0;
    if (fault->kind == FAULT_DRIP && fault->amount > DRIP_RATE_MAX)
        return DRIP_RATE_MAX;
    return fault->amount < least ? least : fault->amount;
}

int request_set_fault(struct request *request, const struct fault *fault)
{
    struct fault_state *state = fault ? request_alloc(request, sizeof *state) : NULL;
    if (fault && !state)
        return ERR_NO_MEMORY;
    if (fault) {
        state->fault = *fault;
        state->fault.amount = fit_amount(fault);
        int status = fault->answer ? copy_answer(request, fault->answer, &state->fault.answer) : 0;
        if (status < 0)
            return status;
    }
    request->fault = state;
    return 0;
}

void respond_fault(struct request *request, const struct fault *fault)
{
    int status = request_set_fault(request, fault);
    if (status < 0)
        router_fail(request, status, "an answer that goes wrong on purpose is too large");
    else
        respond_empty(request);
}

/* -- doing it ---------------------------------------------------------------------------------- */

int request_descriptor(const struct request *request)
{
    return MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_CONNECTION_FD)
        ->connect_fd;
}

enum request_end_kind fault_end(const struct request *request)
{
    static const enum request_end_kind ends[] = {
        [FAULT_NONE] = END_ANSWERED,      [FAULT_DROP] = END_DROPPED, [FAULT_HANG] = END_HUNG,
        [FAULT_TRUNCATE] = END_TRUNCATED, [FAULT_DRIP] = END_DRIPPED, [FAULT_GARBAGE] = END_GARBAGE,
    };
    return ends[request->fault->fault.kind];
}

enum request_end_kind request_end_unanswered(const struct request *request)
{
    return request->fault && fault_end(request) == END_HUNG ? END_HUNG : END_LEFT;
}

/* libmicrohttpd is told to close the connection without an answer. */
static void end_without_answer(struct request *request)
{
    request->stage = STAGE_ANSWERED;
    request->status = 0;
    request->broken = true;
}

/* Closing would be a FIN, even with SO_LINGER, for libmicrohttpd shuts the socket down first. */
static void reset(struct request *request)
{
    struct sockaddr nowhere = {.sa_family = AF_UNSPEC};
    request_tell_end(request, fault_end(request), NULL); /* before its client can see it */
    (void)connect(request_descriptor(request), &nowhere, sizeof nowhere);
    end_without_answer(request);
}

static void send_garbage(struct request *request)
{
    request_tell_end(request, fault_end(request), NULL);
    /* So little always fits in, unless the client is gone. */
    send(request_descriptor(request), garbage, sizeof garbage - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
    end_without_answer(request);
}

/* Byte number n of a drip, from 1, is due n / rate seconds after its begin. */
static size_t dripped(const struct fault_state *state, int64_t now)
{
    int64_t rate = state->fault.amount, len = (int64_t)state->answer.len;
    int64_t passed = now - state->begun_at;
    if (passed < 0)
        return 0;
    return passed > len * 1000 / rate ? (size_t)len : (size_t)(passed * rate / 1000);
}

static int64_t next_drip_at(const struct request *request, int64_t byte)
{
    const struct fault_state *state = request->fault;
    int64_t rate = state->fault.amount;
    int64_t at = state->begun_at + (byte * 1000 + rate - 1) / rate;
    int64_t step = DRIP_STEP_MS * (1 + atomic_load(&request->server->drips) / DRIPS_A_STEP);
    return (at + step - 1) / step * step;
}

/* How much of the body may have been sent by now; `at` of it, where the reader has to wait. */
static size_t drip(struct request *request, struct fault_state *state, size_t at)
{
    atomic_long *busy = &request->server->busy;
    size_t due = dripped(state, time_steady_ms());
    if (due > at)
        return due;
    atomic_fetch_add(busy, 1);
    state->waits = true;
    if (wait_begin(request, next_drip_at(request, (int64_t)at + 1)))
        return at;
    atomic_fetch_sub(busy, 1);
    state->waits = false;
    return state->answer.len; /* the server stops, or the request is hurried */
}

static void end_drip_wait(struct request *request)
{
    if (request->fault->waits)
        atomic_fetch_sub(&request->server->busy, 1);
    request->fault->waits = false;
}

/* libmicrohttpd's reader of a body: the piece at `position`; 0: later. */
static ssize_t read_piece(void *arg, uint64_t position, char *to, size_t max)
{
    struct request *request = arg;
    struct fault_state *state = request->fault;
    size_t at = (size_t)position, until;
    end_drip_wait(request);
    if (state->fault.kind == FAULT_DRIP)
        until = drip(request, state, at);
    else
        until = (size_t)state->fault.amount;
    if (at >= until)
        return state->fault.kind == FAULT_DRIP ? 0 : MHD_CONTENT_READER_END_WITH_ERROR;
    if (max > until - at)
        max = until - at;
    memcpy(to, state->answer.body + at, max);
    return (ssize_t)max;
}

/* Whether there is a body that can be cut or dripped. */
static bool has_body(const struct request *request, const struct answer *answer)
{
    return answer->len && !request->head && answer->status != 204 && answer->status != 304;
}

static void send_in_pieces(struct request *request, struct fault_state *state)
{
    const struct answer *answer = &state->answer;
    size_t piece = answer->len < PIECE_MAX ? answer->len : PIECE_MAX;
    state->begun_at = time_steady_ms();
    state->drips = state->fault.kind == FAULT_DRIP;
    atomic_fetch_add(&request->server->drips, state->drips);
    answer_queue(request, answer,
                 MHD_create_response_from_callback(answer->len, piece, read_piece, request, NULL));
}

static void perform(struct request *request)
{
    struct fault_state *state = request->fault;
    bool is_left = request->is_watched && request_is_left(request);
    request->is_watched = false;
    if (is_left) {
        request_tell_end(request, request_end_unanswered(request), NULL);
        end_without_answer(request);
        return;
    }
    bool whole = !has_body(request, &state->answer);
    switch (state->fault.kind) {
    case FAULT_DROP:
    case FAULT_HANG:
        reset(request);
        return;
    case FAULT_GARBAGE:
        send_garbage(request);
        return;
    case FAULT_TRUNCATE:
        whole = whole || state->fault.amount >= (int64_t)state->answer.len;
        break;
    case FAULT_DRIP:
        break;
    case FAULT_NONE:
        whole = true;
        break;
    }
    if (!whole) {
        send_in_pieces(request, state);
        return;
    }
    state->fault.kind = FAULT_NONE; /* it is told as what it is */
    answer_send(request, &state->answer);
}

/* The handler's answer is dropped, with its headers. */
static void replace(struct request *request, struct fault_state *state)
{
    const struct fault_answer *answer = state->fault.answer;
    free(state->answer.owned);
    state->answer = (struct answer){.status = answer->status,
                                    .content_type = answer->content_type,
                                    .body = answer->body,
                                    .len = answer->len,
                                    .headers = answer->headers,
                                    .header_count = answer->header_count};
    request->added_count = 0;
}

void fault_answer(struct request *request, const struct answer *answer)
{
    struct fault_state *state = request->fault;
    state->answer = *answer;
    if (state->fault.answer)
        replace(request, state);
    int64_t wait = state->fault.delay;
    if (state->fault.kind == FAULT_HANG)
        wait += state->fault.amount;
    request->is_watched = wait > 0;
    if (wait > 0)
        request_wait(request, wait, perform);
    else
        perform(request);
}

void fault_finish(struct request *request)
{
    if (!request->fault)
        return;
    end_drip_wait(request); /* a client that left meanwhile */
    atomic_fetch_sub(&request->server->drips, request->fault->drips);
    free(request->fault->answer.owned);
}
