/*
 * libmicrohttpd asks for the next piece when the client has taken the last one. Where there is
 * none, the reader suspends the connection; so while it waits, the request counts as busy once
 * more, as a drip does (fault.c). A wake that comes between the look and the sleep is kept in
 * `nudged`, which wait_begin() looks at under the lock that a wake takes.
 */
#include "http/stream.h"

#include "base/time.h"
#include "http/internal.h"
#include "http/record.h"
#include "http/respond.h"

#include <stdatomic.h>

enum {
    /* libmicrohttpd keeps as much for each such answer to a client that cannot take it in chunks.
     */
    PIECE = 2048,
    /* A suspended connection does not notice that its client has left, so it is looked at now and
       then: a thousand of them, 500 times a second. */
    LOOK_MS = 2000,
};

struct stream {
    stream_reader *read;
    bool waits; /* it counts as busy */
};

static void end_wait(struct request *request)
{
    if (request->stream->waits)
        atomic_fetch_sub(&request->server->busy, 1);
    request->stream->waits = false;
}

/* False: it does not wait, because it was woken or the server stops, or for want of memory. */
static bool wait_until(struct request *request, int64_t at)
{
    atomic_fetch_add(&request->server->busy, 1);
    request->stream->waits = true;
    if (wait_begin(request, at))
        return true;
    end_wait(request);
    return false;
}

static ssize_t read_piece(void *arg, uint64_t position, char *to, size_t max)
{
    struct request *request = arg;
    (void)position;
    end_wait(request);
    if (request_is_left(request))
        return MHD_CONTENT_READER_END_WITH_ERROR;
    for (;;) {
        int64_t again = TIME_NEVER, look = time_steady_ms() + LOOK_MS;
        bool stops = request_server_stops(request);
        atomic_store(&request->nudged, false);
        ssize_t len = request->stream->read(request, to, max, &again);
        if (len > 0)
            return len;
        if (len == STREAM_END || stops)
            return MHD_CONTENT_READER_END_OF_STREAM;
        if (wait_until(request, again < look ? again : look))
            return 0;
        if (!atomic_load(&request->nudged) && !request_server_stops(request))
            return MHD_CONTENT_READER_END_WITH_ERROR;
    }
}

void respond_stream(struct request *request, const char *content_type, stream_reader *read)
{
    struct answer answer = {.status = 200, .content_type = content_type};
    if (request->head) {
        answer_send(request, &answer);
        return;
    }
    struct stream *stream = request_alloc(request, sizeof *stream);
    if (!stream) {
        router_fail(request, ERR_NO_MEMORY, NULL);
        return;
    }
    stream->read = read;
    request->stream = stream;
    atomic_fetch_add(&request->server->streams, 1);
    answer_queue(
        request, &answer,
        MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, PIECE, read_piece, request, NULL));
}

void stream_wake(struct request *request)
{
    wait_nudge(request);
}

void stream_finish(struct request *request)
{
    if (!request->stream)
        return;
    end_wait(request); /* a client that left meanwhile */
    atomic_fetch_sub(&request->server->streams, 1);
}
