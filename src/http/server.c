#include "http/server.h"

#include "base/id.h"
#include "base/log.h"
#include "base/time.h"
#include "http/internal.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    BACKLOG = 1024, /* bursts of connections wait here instead of being refused */
    /* Longer than client libraries keep idle connections, so that it is never us who close one that
       a client is about to use. */
    IDLE_SECONDS = 300,
    /* Between two looks at whether the server has become idle. */
    LOOK_MS = 5,
    /* Between two tries to accept without a descriptor to spare. */
    STARVING_MS = 100,
    /* So long a stream has to say that it ends. */
    STREAM_PATIENCE_MS = 1000,
};

/* -- listeners --------------------------------------------------------------------------------- */

static socklen_t fill_address(const char *host, unsigned port, struct sockaddr_storage *ret)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)ret;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)ret;
    memset(ret, 0, sizeof *ret);
    if (inet_pton(AF_INET, host, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons((uint16_t)port);
        return sizeof *v4;
    }
    if (inet_pton(AF_INET6, host, &v6->sin6_addr) == 1) {
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons((uint16_t)port);
        return sizeof *v6;
    }
    return 0;
}

static int bind_error(const char *host, unsigned port, struct err *err)
{
    switch (errno) {
    case EADDRINUSE:
        return err_set(err, ERR_IN_USE, "port %u of %s is in use by another program", port, host);
    case EACCES:
    case EPERM:
        return err_set(err, ERR_PERMISSION, "no permission to listen on port %u of %s", port, host);
    case EADDRNOTAVAIL:
    case EAFNOSUPPORT:
        return err_set(err, ERR_NOT_FOUND, "this machine has no address %s", host);
    default:
        return err_set(err, ERR_INTERNAL, "cannot listen on port %u of %s: %s", port, host,
                       err_system(errno));
    }
}

void listener_address(const struct listener *listener, struct sockaddr_storage *ret_address)
{
    socklen_t len = sizeof *ret_address;
    *ret_address = (struct sockaddr_storage){0};
    getsockname(listener->fd, (struct sockaddr *)ret_address, &len);
}

static void name_listener(struct listener *listener, const char *host)
{
    struct sockaddr_storage bound;
    listener_address(listener, &bound);
    unsigned port = bound.ss_family == AF_INET6 ? ntohs(((struct sockaddr_in6 *)&bound)->sin6_port)
                                                : ntohs(((struct sockaddr_in *)&bound)->sin_port);
    snprintf(listener->url, sizeof listener->url,
             bound.ss_family == AF_INET6 ? "http://[%s]:%u" : "http://%s:%u", host, port);
}

int listener_open(const char *host, unsigned port, struct listener *ret_listener, struct err *err)
{
    struct sockaddr_storage address;
    int on = 1;
    socklen_t len = fill_address(host, port, &address);
    if (!len)
        return err_set(err, ERR_INVALID, "%s is not an IP address", host);

    int fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return bind_error(host, port, err);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on); /* accepted sockets inherit it */
    if (address.ss_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    if (bind(fd, (struct sockaddr *)&address, len) < 0 || listen(fd, BACKLOG) < 0) {
        int status = bind_error(host, port, err);
        close(fd);
        return status;
    }
    ret_listener->fd = fd;
    name_listener(ret_listener, host);
    return 0;
}

void listener_close(struct listener *listener)
{
    if (listener->fd >= 0)
        close(listener->fd);
    listener->fd = -1;
}

/* -- the daemons ------------------------------------------------------------------------------- */

/*
 * Where the descriptors run out, libmicrohttpd only says so. A thread with connections then accepts
 * no more until one of them ends, which is seen to elsewhere; one without tries again and again, so
 * it is slowed down here, where nobody else waits for it.
 */
static void note_starving(struct server *server, const char *format)
{
    static const char starving[] = "Hit process or system resource limit at ";
    if (strncmp(format, starving, sizeof starving - 1) != 0)
        return;
    atomic_store(&server->starves, true);
    if (strncmp(format + sizeof starving - 1, "FIRST", 5) == 0)
        poll(NULL, 0, STARVING_MS);
}

static void log_library(void *arg, const char *format, va_list args)
{
    char line[300];
    note_starving(arg, format);
    if (!log_enabled(LOG_DEBUG))
        return;
    (void)vsnprintf(line, sizeof line, format, args);
    line[strcspn(line, "\r\n")] = '\0';
    log_event(LOG_DEBUG, "libmicrohttpd", LOG_STR("says", line));
}

/* Paths are cut at their slashes before they are decoded, so libmicrohttpd must not decode them. */
static size_t leave_escapes(void *arg, struct MHD_Connection *connection, char *text)
{
    (void)arg;
    (void)connection;
    return strlen(text);
}

/*
 * Each listener's daemon keeps connections beyond the limit waiting in its backlog; the limit over
 * all of them can only be kept by closing what came too much.
 */
static enum MHD_Result accept_more(void *arg, const struct sockaddr *address, socklen_t len)
{
    const struct server *server = arg;
    (void)address;
    (void)len;
    return atomic_load(&server->connections) < (long)server->options.max_connections ? MHD_YES
                                                                                     : MHD_NO;
}

static struct MHD_Daemon *start_daemon(struct server *server, size_t index)
{
    const struct listener *listener = &server->listeners[index];
    struct daemon_context *context = &server->contexts[index];
    *context = (struct daemon_context){server, listener->url};

    unsigned threads = server->options.threads;
    struct MHD_OptionItem pool[] = {
        {threads > 1 ? MHD_OPTION_THREAD_POOL_SIZE : MHD_OPTION_END, (intptr_t)threads, NULL},
        {MHD_OPTION_END, 0, NULL},
    };
    unsigned flags = MHD_USE_EPOLL | MHD_USE_INTERNAL_POLLING_THREAD | MHD_ALLOW_SUSPEND_RESUME |
                     MHD_USE_ERROR_LOG;
    /* clang-format off */
    return MHD_start_daemon(flags, 0, accept_more, server, request_on_call, context,
        MHD_OPTION_EXTERNAL_LOGGER, log_library, server,
        MHD_OPTION_LISTEN_SOCKET, listener->fd,
        MHD_OPTION_URI_LOG_CALLBACK, request_on_uri, context,
        MHD_OPTION_NOTIFY_COMPLETED, request_on_completed, context,
        MHD_OPTION_UNESCAPE_CALLBACK, leave_escapes, NULL,
        MHD_OPTION_CONNECTION_LIMIT, server->options.max_connections,
        MHD_OPTION_NOTIFY_CONNECTION, connection_on_notice, server,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_BYTES,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_SECONDS,
        MHD_OPTION_ARRAY, pool,
        MHD_OPTION_END);
    /* clang-format on */
}

/* From 0.9.77 on, libmicrohttpd refuses by itself what is_whole() looks for, and keeps another
 * order. */
static bool library_keeps_lines(void)
{
    unsigned long parts[3] = {0};
    const char *at = MHD_get_version();
    for (size_t i = 0; i < 3; i++) {
        char *rest;
        parts[i] = strtoul(at, &rest, 10);
        at = *rest ? rest + 1 : rest;
    }
    return parts[0] == 0 && parts[1] <= 9 && parts[2] < 77;
}

int server_start(const struct server_options *options, struct listener *listeners,
                 size_t listener_count, struct server **ret_server, struct err *err)
{
    struct server *server = calloc(1, sizeof *server);
    if (!server)
        return err_set(err, ERR_NO_MEMORY, "out of memory");
    server->options = *options;
    server->keeps_lines = library_keeps_lines();
    char id[ID_HEX_SIZE];
    id_hex(id);
    snprintf(server->id, sizeof server->id, "%.8s", id);
    pthread_mutex_init(&server->waits_lock, NULL);
    connections_start(server);
    server->daemons = calloc(listener_count, sizeof *server->daemons);
    server->listeners = calloc(listener_count, sizeof *server->listeners);
    server->contexts = calloc(listener_count, sizeof *server->contexts);
    int status = server->daemons && server->listeners && server->contexts
                     ? 0
                     : err_set(err, ERR_NO_MEMORY, "out of memory");
    for (size_t i = 0; status == 0 && i < listener_count; i++) {
        server->listeners[i] = listeners[i];
        server->daemons[i] = start_daemon(server, i);
        if (server->daemons[i])
            server->count++;
        else
            status = err_set(err, ERR_INTERNAL, "cannot start the HTTP threads");
    }
    /* The sockets have one owner: the caller, unless all went well. */
    for (size_t i = 0; i < listener_count && server->listeners; i++)
        (status < 0 ? server->listeners : listeners)[i].fd = -1;
    if (status < 0) {
        server_stop(server, 0);
        return status;
    }
    *ret_server = server;
    return 0;
}

static char library[40];

static void write_library(void)
{
    snprintf(library, sizeof library, "libmicrohttpd %s", MHD_get_version());
}

const char *server_library(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT; /* every page of metrics asks, in any thread */
    pthread_once(&once, write_library);
    return library;
}

void server_drain(struct server *server, int reason)
{
    atomic_store(&server->reason, reason);
    waits_end(server);
}

bool server_is_draining(const struct server *server)
{
    return atomic_load(&server->draining);
}

/*
 * Whoever comes from now on is refused. Not by MHD_quiesce_daemon(): in 0.9.75 both it and each of
 * the daemon's threads take the socket out of the thread's epoll set, and whoever comes second
 * aborts. Instead something that is never ready takes the socket's place: with its last descriptor
 * the socket is gone, out of every set. libmicrohttpd closes what is there when it stops.
 */
static void stop_listening(const struct server *server)
{
    int never = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    for (size_t i = 0; i < server->count; i++) {
        if (never < 0 || dup3(never, server->listeners[i].fd, O_CLOEXEC) < 0)
            shutdown(server->listeners[i].fd, SHUT_RDWR); /* the threads notice, again and again */
    }
    if (never >= 0)
        close(never);
}

void server_stop(struct server *server, int patience_ms)
{
    if (!server_is_draining(server))
        server_drain(server, ERR_STOPPING);
    stop_listening(server);
    /*
     * libmicrohttpd has no event for "idle", so this looks every few milliseconds. It aborts when
     * it is stopped with a connection suspended: so from some moment on no handler begins, and
     * those that have begun are waited for. They wait for the writer, which answers all of them.
     */
    int64_t until = time_steady_ms() + patience_ms;
    int64_t streams_until = time_steady_ms() + STREAM_PATIENCE_MS;
    while (atomic_load(&server->active) > 0 && time_steady_ms() < until) {
        /* What is left may be streams whose clients take nothing. */
        if (atomic_load(&server->active) <= atomic_load(&server->streams) &&
            time_steady_ms() > streams_until)
            break;
        poll(NULL, 0, LOOK_MS);
    }
    connections_end_looks(server);
    atomic_store(&server->closed, true);
    while (atomic_load(&server->busy) > 0)
        poll(NULL, 0, LOOK_MS);
    for (size_t i = 0; i < server->count; i++)
        MHD_stop_daemon(server->daemons[i]); /* and its descriptor is closed */
    /* Whoever resumed the last one may not have let go of the lock yet. */
    pthread_mutex_lock(&server->waits_lock);
    pthread_mutex_unlock(&server->waits_lock);
    pthread_mutex_destroy(&server->waits_lock);
    pthread_mutex_destroy(&server->connections_lock);
    free(server->daemons);
    free(server->contexts);
    free(server->listeners);
    free(server);
}
