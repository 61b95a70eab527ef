/*
 * Where callbacks may go (--callback-policy, --callback-allow): decided for each address that a
 * connection is about to be made to, after every name was resolved. Never, whatever was allowed:
 * link-local and metadata addresses, addresses that are no host's, and this server's own listeners.
 *
 * And which callback URLs need no network, because they name an inbox of this server's own.
 *
 * A struct reach does not change after it was made; any thread.
 */
#ifndef UNDERSTUDY_ENGINE_REACH_H
#define UNDERSTUDY_ENGINE_REACH_H

#include "base/err.h"
#include "store/inbox.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

/* Whose URLs are inboxes. */
#define INBOX_HOST "inbox.test"

enum reach_policy { REACH_LOCAL, REACH_PRIVATE, REACH_PUBLIC, REACH_ANY };

/* The names of the policies, in their order; a NULL ends them. */
extern const char *const reach_policies[];

/* Everything is borrowed: it outlives the reach. */
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
struct workspace_row;

/* Whether `text` can be an entry of `allowed`: 0, or ERR_INVALID with a text that reads on after
 * it. */
int reach_check_allowed(const char *text, struct err *err);

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

/* -- inboxes ----------------------------------------------------------------------------------- */

enum reach_inbox {
    REACH_NO_INBOX,      /* the URL goes to the network */
    REACH_INBOX,         /* to the inbox `ret_name` of the job's own workspace */
    REACH_INBOX_REFUSED, /* to none that a callback can go to: `err` says why */
};

/*
 * What a callback URL (as callback_map left it) of a job of this workspace means, whatever the
 * policy: http://inbox.test/{name}, or /_mock/inbox/{name}, with or without the workspace's prefix,
 * at a name of this server's own. These are its listeners, localhost and --allowed-host with a
 * listener's port, --public-url and the workspace's public_url, and `job_base`, by which the job's
 * maker called it. `row` is as registry_read_row() gives it.
 */
enum reach_inbox reach_inbox(const struct reach *reach, const struct workspace_row *row,
                             const char *url, const char *job_base, char ret_name[INBOX_NAME_SIZE],
                             struct err *err);

#endif
