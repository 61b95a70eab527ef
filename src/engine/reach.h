/*
 * Where callbacks may go (--callback-policy, --callback-allow): decided for each address that a
 * connection is about to be made to, after every name was resolved. Never, whatever was allowed:
 * link-local and metadata addresses, addresses that are no host's, and this server's own listeners.
 *
 * A struct reach does not change after it was made; any thread.
 */
#ifndef UNDERSTUDY_ENGINE_REACH_H
#define UNDERSTUDY_ENGINE_REACH_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

enum reach_policy { REACH_LOCAL, REACH_PRIVATE, REACH_PUBLIC, REACH_ANY };

struct reach_options {
    enum reach_policy policy;
    const char *const *allowed; /* of --callback-allow: CIDRs, addresses and host names */
    size_t allowed_count;
    const struct sockaddr_storage *listeners; /* this server's own */
    size_t listener_count;
    const char *const *own_names; /* hosts that this server is called by, of --allowed-host */
    size_t own_name_count;
    const char *public_url; /* NULL: none */
};

struct reach;

/* ERR_INVALID with what is wrong with an entry of `allowed`, ERR_NO_MEMORY. */
int reach_create(const struct reach_options *options, struct reach **ret_reach, struct err *err);
void reach_destroy(struct reach *reach); /* NULL is fine */

/*
 * Whether a connection to `address` may be made, for a URL whose host is `host` (as curl has it: no
 * brackets, in lower case). If not, `err` says why, and which option would allow it where one
 * would.
 */
bool reach_allows(const struct reach *reach, const char *host, const struct sockaddr *address,
                  struct err *err);

#endif
