/*
 * Requests that wait for real time. Each has its deadline inside, and is in its server's list while
 * it waits, so that a stop can end all waits. Everything happens under the list's lock: a request
 * is suspended and its deadline set, or its wait is ended and it is resumed. So it is never resumed
 * before it is suspended, nor twice; and a deadline that has begun to pass finds its request there,
 * because nobody else may end that wait any more (see deadlines_cancel).
 */
#include "base/time.h"
#include "http/internal.h"

/* With the lock held; from here on the request is its HTTP thread's. */
static void end_wait(struct request *request)
{
    *request->wait_prev = request->wait_next;
    if (request->wait_next)
        request->wait_next->wait_prev = request->wait_prev;
    request->wait_prev = NULL;
    MHD_resume_connection(request->connection);
}

static void wait_passed(struct deadline *deadline)
{
    struct request *request = HEAP_OWNER(deadline, struct request, deadline);
    struct server *server = request->server;
    pthread_mutex_lock(&server->waits_lock);
    end_wait(request);
    pthread_mutex_unlock(&server->waits_lock);
}

bool wait_begin(struct request *request, int64_t at)
{
    struct server *server = request->server;
    request->deadline.passed = wait_passed;
    pthread_mutex_lock(&server->waits_lock);
    bool waits = !atomic_load(&request->hurried) && !atomic_load(&request->nudged) &&
                 !server_is_draining(server) && server->options.deadlines &&
                 deadlines_set(server->options.deadlines, &request->deadline, at) == 0;
    if (waits) {
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
