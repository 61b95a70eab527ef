/*
 * The HTTP server: listeners, threads, and a request's way through guard, router and API.
 */
#ifndef UNDERSTUDY_HTTP_SERVER_H
#define UNDERSTUDY_HTTP_SERVER_H

#include "base/deadlines.h"
#include "base/err.h"
#include "http/record.h"
#include "http/router.h"

#include <stddef.h>
#include <sys/socket.h>

struct server;

enum { LISTENER_URL_SIZE = 80 };

/* A bound socket. */
struct listener {
    int fd;
    char url[LISTENER_URL_SIZE]; /* http://127.0.0.1:3000 */
};

/*
 * Binds and listens; port 0 picks a free one. `host` is an IP literal without brackets. ERR_IN_USE,
 * ERR_PERMISSION, ERR_NOT_FOUND where this machine has no such address, ERR_INVALID.
 */
int listener_open(const char *host, unsigned port, struct listener *ret_listener, struct err *err);
void listener_close(struct listener *listener);

/* Where it listens. Before server_start(). */
void listener_address(const struct listener *listener, struct sockaddr_storage *ret_address);

struct server_options {
    unsigned threads;            /* for each listener */
    unsigned max_connections;    /* over all listeners */
    size_t max_body;             /* bytes */
    struct deadlines *deadlines; /* run by somebody until server_stop() has returned; NULL: nothing
                                    waits (request_wait) */
    const struct api *const *apis;
    size_t api_count;
    struct recorder recorder; /* zeroed: nobody */
};

/*
 * Serves on `listeners`, whose sockets it takes over on success. The options' APIs must outlive it.
 */
int server_start(const struct server_options *options, struct listener *listeners,
                 size_t listener_count, struct server **ret_server, struct err *err);

/* "libmicrohttpd 0.9.75": what is linked in. */
const char *server_library(void);

/* From now on the server is not ready, answers close their connections, and what waits for real
 * time goes on at once. At the very last, requests are refused with `reason`, an ERR_ code. Any
 * thread. */
void server_drain(struct server *server, int reason);
bool server_is_draining(const struct server *server);

/* Stops accepting, waits for the requests in flight (at most `patience_ms`), stops and frees it. */
void server_stop(struct server *server, int patience_ms);

#endif
