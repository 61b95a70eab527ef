/*
 * The guard: what of a request's head is ambiguous, and so is refused with 400 and a closed
 * connection before anything else looks at it (H4, H5). Two parties that read one message
 * differently are how requests get smuggled past a proxy. Pure: no HTTP library here.
 */
#ifndef UNDERSTUDY_HTTP_GUARD_H
#define UNDERSTUDY_HTTP_GUARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What the guard gathers on its way through the headers; the values are borrowed. */
struct guard {
    const char *problem;       /* the first one found; NULL while there is none */
    const char *host;          /* NULL: none */
    const char *authorization; /* NULL: none; "" when there were several */
    const char *content_type;
    const char *accept;     /* the first one */
    const char *origin;     /* "" when there were several */
    const char *fetch_site; /* Sec-Fetch-Site; "" when there were several */
    bool forwarded;         /* Forwarded, X-Forwarded-* or Via: it came by way of a proxy */
    size_t bytes;           /* of all fields */
    bool expects_continue;
    bool chunked;
    bool has_length;
    uint64_t length; /* as declared */
};

/* Two of the things that it says. */
extern const char guard_bad_escape[], guard_two_framings[];

/* Takes one header field. Values are NUL-terminated, without white space around them. */
void guard_header(struct guard *guard, const char *name, size_t name_len, const char *value,
                  size_t value_len);

/*
 * After the last header: looks at the whole. `version` is "HTTP/1.0" or "HTTP/1.1", `target` the
 * raw request target. Returns what is wrong, in words for the client's author, or NULL.
 */
const char *guard_finish(struct guard *guard, const char *method, const char *version,
                         const char *target);

/* Whether `host` is a host, with or without a port, as a Host header or an authority has it. */
bool guard_is_host(const char *host);

/*
 * The path of a request target: what follows the authority of an absolute form, up to the query.
 * NULL where there is no path. *ret_len is its length.
 */
const char *guard_path(const char *target, size_t *ret_len);

#endif
