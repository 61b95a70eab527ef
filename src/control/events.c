/*
 * listEvents: what happens in a workspace, as server-sent events, for as long as the client listens
 * (engine/feed.h keeps them, http/stream.h sends them). What the stream itself has to say, its
 * beginning, its end and that it is still there, goes between the events.
 */
#include "base/duration.h"
#include "base/time.h"
#include "control/internal.h"
#include "engine/feed.h"
#include "http/respond.h"
#include "http/stream.h"

#include <stdio.h>
#include <string.h>

enum {
    /* After so long in which nothing was said, a comment: proxies and clients end what is silent.
     */
    SILENCE_MS = 15000,
    /* Browsers come back after that. */
    RETRY_MS = 1000,
};

struct listening {
    struct workspace *workspace;
    struct feed_listener listener;
    int64_t spoke_at; /* real ms */
    char words[400];  /* the stream's own, of which `said` are sent */
    size_t len, said;
    bool over; /* nothing comes after them */
};

/* -- its own words ------------------------------------------------------------------------------
 */

static void say_begin(struct listening *listening, int64_t lost)
{
    long long read = (long long)listening->listener.read;
    char count[24] = "null";
    if (lost > 0)
        snprintf(count, sizeof count, "%lld", (long long)lost);
    if (lost)
        listening->len = (size_t)snprintf(
            listening->words, sizeof listening->words,
            "retry: %d\nid: %lld\nevent: lost\ndata: {\"events\":%s,\"detail\":\"What came between "
            "Last-Event-ID and the next event is not kept any more\"}\n\n",
            RETRY_MS, read, count);
    else
        listening->len = (size_t)snprintf(listening->words, sizeof listening->words,
                                          ": listening\nretry: %d\nid: %lld\n\n", RETRY_MS, read);
}

/* The last event; it has no number, so that who comes back goes on behind the one before. */
static void say_end(struct listening *listening, const char *type, const char *detail)
{
    listening->said = 0;
    listening->len = (size_t)snprintf(listening->words, sizeof listening->words,
                                      "event: %s\ndata: {\"detail\":\"%s\"}\n\n", type, detail);
    listening->over = true;
}

static void say_behind(struct listening *listening, size_t missed)
{
    char detail[120];
    snprintf(detail, sizeof detail,
             "This listener is %zu events behind, and those that come next are not kept any more",
             missed);
    say_end(listening, "dropped", detail);
}

static void say_comment(struct listening *listening)
{
    listening->said = 0;
    listening->len = (size_t)snprintf(listening->words, sizeof listening->words, ":\n\n");
}

static size_t take_words(struct listening *listening, char *to, size_t max)
{
    size_t left = listening->len - listening->said;
    size_t len = left < max ? left : max;
    memcpy(to, listening->words + listening->said, len);
    listening->said += len;
    return len;
}

/* -- reading ------------------------------------------------------------------------------------
 */

/* Nothing has happened: whether the stream has something to say. */
static bool speak(struct request *request, struct listening *listening, int64_t now)
{
    if (request_server_stops(request))
        say_end(listening, "stopping", "The server stops");
    else if (now >= listening->spoke_at + SILENCE_MS)
        say_comment(listening);
    else
        return false;
    return true;
}

static ssize_t read_events(struct request *request, char *to, size_t max, int64_t *ret_again)
{
    struct listening *listening = request_state(request);
    int64_t now = time_steady_ms();
    size_t len = take_words(listening, to, max);
    if (!len && listening->over)
        return STREAM_END;
    enum feed_read read = len ? FEED_SOME : feed_read(&listening->listener, to, max, &len);
    if (read == FEED_ENDED)
        return STREAM_END;
    if (read == FEED_BEHIND)
        say_behind(listening, len);
    if (read == FEED_BEHIND || (read == FEED_NOTHING && speak(request, listening, now)))
        len = take_words(listening, to, max);
    if (len)
        listening->spoke_at = now;
    *ret_again = listening->spoke_at + SILENCE_MS;
    return len ? (ssize_t)len : STREAM_LATER;
}

/* -- the request --------------------------------------------------------------------------------
 */

static void wake(void *request)
{
    stream_wake(request);
}

static void finish(void *state)
{
    struct listening *listening = state;
    feed_leave(&listening->listener);
    workspace_end_wait(listening->workspace);
}

/* The number of the last event that the client has got, or FEED_NOW. False: answered. */
static bool read_place(struct request *request, int64_t *ret_after)
{
    const char *given = request_header(request, "Last-Event-ID");
    struct err err;
    *ret_after = FEED_NOW;
    if (!given || !*given || number_parse(given, ret_after, &err) == 0)
        return true;
    control_problem(request, 422, "invalid_header",
                    "Last-Event-ID must be the id of an event of this stream",
                    "Leave it out to hear what happens from now on");
    return false;
}

void event_list_handler(struct request *request)
{
    struct workspace *workspace = mock_workspace(request);
    int64_t after;
    if (!read_place(request, &after))
        return;
    struct feed *feed = feeds_of(engine_feeds(control_of(request)->engine), workspace);
    struct listening *listening =
        feed ? request_new_state(request, sizeof *listening, finish) : NULL;
    if (!listening) {
        router_fail(request, ERR_NO_MEMORY, NULL);
        return;
    }
    listening->workspace = workspace;
    listening->listener.wake = wake;
    listening->listener.arg = request;
    listening->spoke_at = time_steady_ms();
    workspace_begin_wait(workspace);
    say_begin(listening, feed_listen(feed, &listening->listener, after));
    respond_header(request, "Cache-Control", "no-store");
    respond_stream(request, content_type_events, read_events);
}
