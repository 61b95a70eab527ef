/*
 * Connections, and how long they may take over a request. libmicrohttpd's time-out starts anew with
 * each byte, and it does not tell when the first one comes. So once a second somebody looks at each
 * connection that a request is expected from: the system tells whether bytes have come since the
 * last look. Requests themselves only mark how far they are, in one word: whoever changes it from
 * what he has seen wins, so that nobody is cut off whose head or body has just become whole.
 *
 * Who is late cannot be answered through libmicrohttpd, which answers in its own calls alone. It
 * sends nothing on a connection whose request is not whole, so the answer is sent past it, and the
 * socket shut down: that wakes its thread, which closes it.
 */
#include "base/log.h"
#include "base/time.h"
#include "http/internal.h"
#include "http/problem.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

enum {
    HEAD_S = 10, /* from its first byte */
    BODY_S = 30, /* from the head's end */
    LOOK_MS = 1000,
    /* Looked at in one go, while no connection begins or ends; of more, some at a time. */
    GO_MAX = 250,
    STOP_LOOK_MS = 1,
    STARVES_SAID_MS = 10000,
    CLOSE_WAIT = 8, /* a state of TCP, as the system numbers them */
};

/* -- how far a request is ---------------------------------------------------------------------- */

enum { PHASE_BITS = 2, PHASE_MASK = (1 << PHASE_BITS) - 1 };
static const unsigned long state_late = ~0UL;

static enum phase phase_of(unsigned long state)
{
    return (enum phase)(state & PHASE_MASK);
}

bool connection_step(struct connection *connection, enum phase phase)
{
    unsigned long state = atomic_load_explicit(&connection->state, memory_order_relaxed);
    unsigned long turn = (state >> PHASE_BITS) + (phase == PHASE_NONE);
    return state != state_late &&
           atomic_compare_exchange_strong(&connection->state, &state, turn << PHASE_BITS | phase);
}

void connection_take_api(struct connection *connection, const struct api *api)
{
    atomic_store_explicit(&connection->api, api, memory_order_relaxed);
}

struct connection *connection_of(struct MHD_Connection *handle)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(handle, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info ? info->socket_context : NULL;
}

/* -- cutting off ------------------------------------------------------------------------------- */

static void put_answer(struct buf *out, const struct api *api, const char *id, bool has_head)
{
    struct refusal refusal = {.kind = REFUSED_LATE, .status = 408};
    struct buf body = BUF_INIT;
    if (has_head)
        snprintf(refusal.detail, sizeof refusal.detail,
                 "The body was not complete within %d seconds of the headers", BODY_S);
    else
        snprintf(refusal.detail, sizeof refusal.detail,
                 "The headers were not complete within %d seconds", HEAD_S);
    const char *type = api && api->write_refusal ? api->write_refusal(&body, &refusal)
                                                 : problem_write_refusal(NULL, &body, &refusal);
    buf_printf(out,
               "HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Type: %s\r\n"
               "X-Request-Id: %s\r\nContent-Length: %zu\r\n\r\n",
               type, id, body.len);
    buf_append(out, body.data ? body.data : "", body.len);
    if (buf_failed(&body))
        out->failed = true;
    buf_finish(&body);
}

/* Unless its request became whole in this moment. */
static void cut_off(struct server *server, struct connection *connection, unsigned long state,
                    bool is_answered)
{
    bool has_head = phase_of(state) == PHASE_BODY;
    if (!atomic_compare_exchange_strong(&connection->state, &state, state_late))
        return;
    struct buf answer = BUF_INIT;
    char id[REQUEST_ID_SIZE];
    server_name_request(server, id);
    if (is_answered)
        put_answer(&answer, has_head ? atomic_load(&connection->api) : NULL, id, has_head);
    /* So little always fits in, unless the client is gone. */
    if (is_answered && !buf_failed(&answer))
        send(connection->fd, answer.data, answer.len, MSG_NOSIGNAL | MSG_DONTWAIT);
    buf_finish(&answer);
    shutdown(connection->fd, SHUT_RDWR);
    if (is_answered)
        log_event(LOG_DEBUG, "a request was not complete in time", LOG_STR("id", id),
                  LOG_INT("connection", connection->number),
                  LOG_STR("missing", has_head ? "body" : "head"));
}

/* -- looking ----------------------------------------------------------------------------------- */

struct known {
    uint64_t received; /* bytes that ever came */
    bool is_read;      /* all of them, by us */
    bool has_ended;    /* and none will come any more */
};

/* What the system knows of a connection. */
static bool ask_system(const struct connection *connection, struct known *ret_known)
{
    struct tcp_info info = {0};
    socklen_t len = sizeof info;
    int unread = 0;
    if (getsockopt(connection->fd, IPPROTO_TCP, TCP_INFO, &info, &len) < 0 ||
        ioctl(connection->fd, FIONREAD, &unread) < 0)
        return false;
    ret_known->received = info.tcpi_bytes_received;
    ret_known->is_read = unread == 0;
    ret_known->has_ended = info.tcpi_state == CLOSE_WAIT && unread == 0;
    return true;
}

/*
 * When the head or the body began: TIME_NEVER while nothing has come. After an earlier request,
 * what had come by the first look counts as that one's: it may be, and a client that then sends
 * nothing costs no more than an idle one.
 */
static void note_begin(struct connection *connection, unsigned long state, unsigned long before,
                       uint64_t received, int64_t now)
{
    if (phase_of(state) == PHASE_BODY) {
        if (state != before)
            connection->since = now;
        return;
    }
    if (state >> PHASE_BITS != before >> PHASE_BITS) {
        connection->since = TIME_NEVER;
        connection->received = received;
    }
    bool begun = phase_of(state) == PHASE_LINE || received != connection->received;
    if (begun && connection->since == TIME_NEVER)
        connection->since = now;
}

/* Whether nothing was known of a request at the last look, nor is now. */
static bool is_idle(const struct connection *connection, unsigned long state, unsigned long before)
{
    return connection->is_known && state == before && phase_of(state) == PHASE_NONE &&
           connection->since == TIME_NEVER;
}

/*
 * `starves`: those that do nothing make room for others. Who has sent what we have not read yet is
 * not late: we are, on a machine that is too busy.
 */
static void look_at(struct server *server, struct connection *connection, int64_t now, bool starves)
{
    unsigned long state = atomic_load(&connection->state), before = connection->seen;
    bool had_ended = connection->has_ended && state == before;
    struct known known;
    connection->seen = state;
    if (state == state_late || phase_of(state) == PHASE_WHOLE || !ask_system(connection, &known))
        return;
    connection->has_ended = known.has_ended;
    note_begin(connection, state, before, known.received, now);
    int64_t limit = INT64_C(1000) * (phase_of(state) == PHASE_BODY ? BODY_S : HEAD_S);
    /* libmicrohttpd misses an end that comes with the last bytes, where the request is not whole.
       The second look sees that it has. */
    if ((connection->has_ended && had_ended) || (starves && is_idle(connection, state, before)))
        cut_off(server, connection, state, false);
    else if (connection->since != TIME_NEVER && now - connection->since >= limit && known.is_read)
        cut_off(server, connection, state, true);
    connection->is_known = true;
}

static void append(struct server *server, struct connection *connection)
{
    connection->next = NULL;
    connection->prev = server->last_connection;
    *(connection->prev ? &connection->prev->next : &server->first_connection) = connection;
    server->last_connection = connection;
}

static void take_out(struct server *server, struct connection *connection)
{
    struct connection *next = connection->next, *prev = connection->prev;
    *(prev ? &prev->next : &server->first_connection) = next;
    *(next ? &next->prev : &server->last_connection) = prev;
}

/* With the lock held: where nobody will look, the next connection tries again. */
static void plan_look(struct server *server)
{
    int64_t count = atomic_load(&server->connections);
    int64_t wait = count > GO_MAX ? LOOK_MS * (int64_t)GO_MAX / count : LOOK_MS;
    server->looks =
        server->options.deadlines && !server->looks_end && server->first_connection &&
        deadlines_set(server->options.deadlines, &server->look, time_steady_ms() + wait) == 0;
}

/*
 * All are looked at twice with that in mind, for those that came since the last look are not yet
 * known to be idle; and libmicrohttpd will not say it again. We do, now and then.
 */
static void begin_shedding(struct server *server, long count, int64_t now)
{
    server->shedding = 2 * count;
    if (server->starves_said_at && now - server->starves_said_at < STARVES_SAID_MS)
        return;
    server->starves_said_at = now;
    log_event(LOG_WARN, "no file can be opened for another connection: idle ones are closed",
              LOG_INT("connections", count));
}

static void look_passed(struct deadline *deadline)
{
    struct server *server = HEAP_OWNER(deadline, struct server, look);
    int64_t now = time_steady_ms();
    pthread_mutex_lock(&server->connections_lock);
    long count = atomic_load(&server->connections);
    if (atomic_exchange(&server->starves, false))
        begin_shedding(server, count, now);
    for (long i = 0; i < GO_MAX && i < count && server->first_connection; i++) {
        struct connection *connection = server->first_connection;
        take_out(server, connection);
        append(server, connection);
        look_at(server, connection, now, server->shedding > 0);
        server->shedding -= server->shedding > 0;
    }
    plan_look(server);
    pthread_mutex_unlock(&server->connections_lock);
}

/* -- their begin and end ----------------------------------------------------------------------- */

static void begin(struct server *server, struct MHD_Connection *handle, void **socket_context)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(handle, MHD_CONNECTION_INFO_CONNECTION_FD);
    struct connection *connection = calloc(1, sizeof *connection);
    int64_t number = atomic_fetch_add(&server->accepted, 1) + 1;
    atomic_fetch_add(&server->connections, 1);
    *socket_context = connection;
    if (!connection)
        return; /* its first request is refused by closing it */
    connection->number = number;
    connection->fd = info ? info->connect_fd : -1;
    connection->since = TIME_NEVER;
    pthread_mutex_lock(&server->connections_lock);
    append(server, connection);
    if (!server->looks)
        plan_look(server);
    pthread_mutex_unlock(&server->connections_lock);
}

/* libmicrohttpd closes the socket after this. */
static void end(struct server *server, struct connection *connection)
{
    atomic_fetch_sub(&server->connections, 1);
    if (!connection)
        return;
    pthread_mutex_lock(&server->connections_lock);
    take_out(server, connection);
    pthread_mutex_unlock(&server->connections_lock);
    free(connection);
}

void connection_on_notice(void *arg, struct MHD_Connection *handle, void **socket_context,
                          enum MHD_ConnectionNotificationCode code)
{
    if (code == MHD_CONNECTION_NOTIFY_STARTED)
        begin(arg, handle, socket_context);
    else
        end(arg, *socket_context);
}

void connections_start(struct server *server)
{
    pthread_mutex_init(&server->connections_lock, NULL);
    server->look.passed = look_passed;
}

void connections_end_looks(struct server *server)
{
    pthread_mutex_lock(&server->connections_lock);
    server->looks_end = true;
    if (server->looks && deadlines_cancel(server->options.deadlines, &server->look))
        server->looks = false;
    while (server->looks) { /* a look is about to begin */
        pthread_mutex_unlock(&server->connections_lock);
        poll(NULL, 0, STOP_LOOK_MS);
        pthread_mutex_lock(&server->connections_lock);
    }
    pthread_mutex_unlock(&server->connections_lock);
}
