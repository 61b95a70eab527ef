/*
 * Requests that wait for real time. Each has its deadline inside, and is in its server's list while
 * it waits, so that a stop can end all waits. Everything happens under the list's lock: a request
 * is suspended and its deadline set, or its wait is ended and it is resumed. So it is never resumed
 * before it is suspended, nor twice; and a deadline that has begun to pass finds its request there,
 * because nobody else may end that wait any more (see deadlines_cancel).
 *
 * libmicrohttpd does not look at a connection that is suspended, so that its client leaves is not
 * noticed. Where that matters before the wait is over, it is watched: its deadline comes early,
 * again and again, and each time somebody looks.
 */
#include "base/time.h"
#include "http/internal.h"

enum {
    /* How soon it is noticed that a client has left, and of how many: for each so many more that
       are watched it takes as much longer, which bounds the looks at all of them to 5,000 a second.
     */
    LOOK_MS = 100,
    WATCHED_A_LOOK = 500,
};

/* What follows is done with the lock held. */

static bool may_wait(const struct request *request)
{
    return !atomic_load(&request->hurried) && !atomic_load(&request->nudged) &&
           !server_is_draining(request->server) && request->server->options.deadlines;
}

static int set_deadline(struct request *request)
{
    int64_t step = LOOK_MS * (1 + request->server->watched / WATCHED_A_LOOK);
    int64_t look = request->is_watched ? time_steady_ms() + step : TIME_NEVER;
    return deadlines_set(request->server->options.deadlines, &request->deadline,
                         look < request->wait_until ? look : request->wait_until);
}

/* From here on the request is its HTTP thread's. */
static void end_wait(struct request *request)
{
    *request->wait_prev = request->wait_next;
    if (request->wait_next)
        request->wait_next->wait_prev = request->wait_prev;
    request->wait_prev = NULL;
    request->server->watched -= request->is_watched;
    MHD_resume_connection(request->connection);
}

/* Whether it was only the time for a look, and nobody has left. */
static bool goes_on(struct request *request)
{
    return time_steady_ms() < request->wait_until && may_wait(request) &&
           !request_is_left(request) && set_deadline(request) == 0;
}

static void wait_passed(struct deadline *deadline)
{
    struct request *request = HEAP_OWNER(deadline, struct request, deadline);
    struct server *server = request->server;
    pthread_mutex_lock(&server->waits_lock);
    if (!goes_on(request))
        end_wait(request);
    pthread_mutex_unlock(&server->waits_lock);
}

bool wait_begin(struct request *request, int64_t at)
{
    struct server *server = request->server;
    request->deadline.passed = wait_passed;
    request->wait_until = at;
    pthread_mutex_lock(&server->waits_lock);
    bool waits = may_wait(request) && set_deadline(request) == 0;
    if (waits) {
        server->watched += request->is_watched;
        request->wait_next = server->waits;
        request->wait_prev = &server->waits;
        if (server->waits)
            server->waits->wait_prev = &request->wait_next;
        server->waits = request;
        MHD_suspend_connection(request->connection);
    }
    pthread_mutex_unlock(&server->waits_lock);
    return waits;
}

void wait_nudge(struct request *request)
{
    struct server *server = request->server;
    pthread_mutex_lock(&server->waits_lock);
    atomic_store(&request->nudged, true);
    if (request->wait_prev && deadlines_cancel(server->options.deadlines, &request->deadline))
        end_wait(request);
    pthread_mutex_unlock(&server->waits_lock);
}

void waits_end(struct server *server)
{
    pthread_mutex_lock(&server->waits_lock);
    atomic_store(&server->draining, true);
    for (struct request *request = server->waits, *next; request; request = next) {
        next = request->wait_next;
        if (deadlines_cancel(server->options.deadlines, &request->deadline))
            end_wait(request);
    }
    pthread_mutex_unlock(&server->waits_lock);
}

void request_wait(struct request *request, int64_t ms, request_handler *then)
{
    int64_t now = time_steady_ms();
    request->then = then;
    request->stage = STAGE_WAITING;
    if (wait_begin(request, ms < TIME_NEVER - now ? now + ms : TIME_NEVER))
        return;
    /* It goes on at once, by the same way, so that waits in a loop do not nest. */
    MHD_suspend_connection(request->connection);
    MHD_resume_connection(request->connection);
}

void request_hurry(struct request *request)
{
    struct server *server = request->server;
    pthread_mutex_lock(&server->waits_lock);
    atomic_store(&request->hurried, true);
    if (request->wait_prev && deadlines_cancel(server->options.deadlines, &request->deadline))
        end_wait(request);
    pthread_mutex_unlock(&server->waits_lock);
}
