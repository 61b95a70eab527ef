/* The listeners that the options ask for. Before any thread starts. */
#ifndef UNDERSTUDY_LISTEN_H
#define UNDERSTUDY_LISTEN_H

#include "config.h"
#include "http/server.h"

/*
 * Binds them all; the caller owns the array and its sockets. "localhost" is 127.0.0.1 and, where it
 * exists, ::1. Errors as listener_open(); then nothing is bound.
 */
int listen_open(const struct config *config, struct listener **ret_listeners, size_t *ret_count,
                struct err *err);

/* Closes what is still open, and frees the array. */
void listen_close(struct listener *listeners, size_t count);

#endif
