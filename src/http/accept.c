/* Who asks, and what answer the client likes: what headers and the connection say. */
#include "http/internal.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

const char *request_origin(const struct request *request)
{
    return request->guard.origin;
}

const char *request_fetch_site(const struct request *request)
{
    return request->guard.fetch_site;
}

bool request_is_forwarded(const struct request *request)
{
    return request->guard.forwarded;
}

void request_peer(const struct request *request, char ret_address[PEER_SIZE])
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    const struct sockaddr *peer = info ? info->client_addr : NULL;
    const void *address = NULL;
    if (peer && peer->sa_family == AF_INET)
        address = &((const struct sockaddr_in *)peer)->sin_addr;
    else if (peer && peer->sa_family == AF_INET6)
        address = &((const struct sockaddr_in6 *)peer)->sin6_addr;
    if (!address || !inet_ntop(peer->sa_family, address, ret_address, PEER_SIZE))
        *ret_address = '\0';
}

/* How well a media range fits a type: 3 exactly, 2 by its first half, 1 as anything, 0 not. */
static int closeness(const char *range, size_t len, const char *type)
{
    size_t half = strcspn(type, "/") + 1;
    if (len == strlen(type) && strncasecmp(range, type, len) == 0)
        return 3;
    if (len == half + 1 && range[half] == '*' && strncasecmp(range, type, half) == 0)
        return 2;
    return len == 3 && strncmp(range, "*/*", 3) == 0 ? 1 : 0;
}

/* The weight of one media range, with its parameters behind it. */
static double weight(const char *range, size_t len)
{
    for (const char *at = memchr(range, ';', len), *end = range + len; at;
         at = memchr(at, ';', (size_t)(end - at))) {
        at++;
        at += strspn(at, " \t");
        if (strncasecmp(at, "q=", 2) == 0)
            return strtod(at + 2, NULL);
    }
    return 1;
}

/* The weight that an Accept header gives a type, by the range that fits it best (RFC 9110, 12.5.1).
 */
static double liking(const char *accept, const char *type)
{
    int best = 0;
    double found = 0;
    for (const char *at = accept; *at;) {
        at += strspn(at, " \t,");
        size_t len = strcspn(at, ","), name = strcspn(at, ",; \t");
        int close = closeness(at, name, type);
        if (close > best) {
            best = close;
            found = weight(at, len);
        }
        at += len;
    }
    return found;
}

bool request_prefers_text(const struct request *request)
{
    const char *accept = request->guard.accept;
    if (!accept)
        return false;
    double text = liking(accept, "text/plain");
    return text > liking(accept, "application/problem+json") &&
           text > liking(accept, "application/json");
}
