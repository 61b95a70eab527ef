/* What the files of engine/reach.h share: what this server itself is. For nobody else to include.
 */
#ifndef UNDERSTUDY_ENGINE_REACH_OWN_H
#define UNDERSTUDY_ENGINE_REACH_OWN_H

#include "base/ip.h"
#include "engine/reach.h"

struct reach_allowed {
    const char *host; /* NULL: a network */
    struct ip_net net;
};

struct reach {
    struct reach_options options;
    struct reach_allowed *allowed; /* as many as in the options */
};

/* Whether a listener has this port. */
bool reach_listens_on(const struct reach *reach, unsigned port);

/* Whether a connection there would, or might, come to a listener: a port of ours at any address of
 * this machine. */
bool reach_is_own(const struct reach *reach, const struct ip *ip, unsigned port);

/* Whether two hosts are the same but for case and a dot at the end. */
bool reach_same_host(const char *a, const char *b);

#endif
