#include "listen.h"

#include <stdlib.h>
#include <string.h>

/* Binds one address; one that need not be there is passed over where this machine lacks it. */
static int open_one(const char *host, unsigned port, bool optional, struct listener *listeners,
                    size_t *count, struct err *err)
{
    int status = listener_open(host, port, &listeners[*count], err);
    if (status == 0)
        ++*count;
    return optional && status == ERR_NOT_FOUND ? 0 : status;
}

static int open_listen(const struct config *config, size_t index, struct listener *listeners,
                       size_t *count, struct err *err)
{
    const struct config_listen *listen = &config->listens[index];
    if (strcmp(listen->host, "localhost") != 0) {
        bool optional = config->listen_is_default && strchr(listen->host, ':');
        return open_one(listen->host, listen->port, optional, listeners, count, err);
    }
    int status = open_one("127.0.0.1", listen->port, false, listeners, count, err);
    if (status < 0)
        return status;
    /* Both on one port, also where a free one was picked. */
    unsigned port = (unsigned)strtoul(strrchr(listeners[*count - 1].url, ':') + 1, NULL, 10);
    return open_one("::1", port, true, listeners, count, err);
}

int listen_open(const struct config *config, struct listener **ret_listeners, size_t *ret_count,
                struct err *err)
{
    size_t count = 0;
    struct listener *listeners = calloc(2 * config->listen_count, sizeof *listeners);
    if (!listeners)
        return err_set(err, ERR_NO_MEMORY, "out of memory");
    for (size_t i = 0; i < config->listen_count; i++) {
        int status = open_listen(config, i, listeners, &count, err);
        if (status < 0) {
            listen_close(listeners, count);
            return status;
        }
    }
    *ret_listeners = listeners;
    *ret_count = count;
    return 0;
}

void listen_close(struct listener *listeners, size_t count)
{
    for (size_t i = 0; i < count; i++)
        listener_close(&listeners[i]);
    free(listeners);
}
