#include "http/guard.h"

#include "base/token.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

const char guard_bad_escape[] = "The path has a % that is not followed by two hexadecimal digits";
const char guard_two_framings[] = "The request has both Content-Length and Transfer-Encoding";

/* Control characters, but for the tab, have no place in a value. */
static bool is_value(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        if ((c < 0x20 && c != '\t') || c == 0x7f)
            return false;
    }
    return true;
}

static void complain(struct guard *guard, const char *problem)
{
    if (!guard->problem)
        guard->problem = problem;
}

static bool is(const char *name, size_t len, const char *wanted)
{
    return len == strlen(wanted) && strncasecmp(name, wanted, len) == 0;
}

static void take_length(struct guard *guard, const char *value, size_t len)
{
    if (guard->has_length)
        complain(guard, "The request has two Content-Length headers");
    guard->has_length = true;
    /* 18 digits hold every length there is, and no overflow. */
    if (!len || len > 18 || strspn(value, "0123456789") != len)
        complain(guard, "The Content-Length header is not a length");
    else
        guard->length = strtoull(value, NULL, 10);
}

static void take_encoding(struct guard *guard, const char *value)
{
    if (guard->chunked)
        complain(guard, "The request has two Transfer-Encoding headers");
    guard->chunked = true;
    if (strcasecmp(value, "chunked") != 0)
        complain(guard, "The only Transfer-Encoding that is understood is chunked");
}

/* Headers that say where a request comes from, and what answer it likes. */
static void take_origin(struct guard *guard, const char *name, size_t len, const char *value)
{
    static const char forwarded[] = "x-forwarded-";
    const size_t prefix = sizeof forwarded - 1;
    if (is(name, len, "origin"))
        guard->origin = guard->origin ? "" : value;
    else if (is(name, len, "sec-fetch-site"))
        guard->fetch_site = guard->fetch_site ? "" : value;
    else if (is(name, len, "accept"))
        guard->accept = guard->accept ? guard->accept : value;
    else if (is(name, len, "forwarded") || is(name, len, "via") ||
             (len > prefix && strncasecmp(name, forwarded, prefix) == 0))
        guard->forwarded = true;
}

void guard_header(struct guard *guard, const char *name, size_t name_len, const char *value,
                  size_t value_len)
{
    guard->bytes += name_len + value_len + 4; /* a colon, a space, CR LF */
    if (!token_is_right(name, name_len))
        complain(guard, "A header's name is not a token, or a space stands before its colon");
    if (!is_value(value, value_len))
        complain(guard, "A header's value has a control character");

    if (is(name, name_len, "host")) {
        if (guard->host)
            complain(guard, "The request has two Host headers");
        guard->host = value;
    } else if (is(name, name_len, "content-length")) {
        take_length(guard, value, value_len);
    } else if (is(name, name_len, "transfer-encoding")) {
        take_encoding(guard, value);
    } else if (is(name, name_len, "authorization")) {
        guard->authorization = guard->authorization ? "" : value;
    } else if (is(name, name_len, "content-type")) {
        guard->content_type = value;
    } else if (is(name, name_len, "expect")) {
        guard->expects_continue = strcasecmp(value, "100-continue") == 0;
    } else {
        take_origin(guard, name, name_len, value);
    }
}

static bool is_port(const char *text)
{
    size_t digits = strspn(text, "0123456789");
    return digits == strlen(text) && digits <= 5 && (!digits || strtol(text, NULL, 10) <= 65535);
}

bool guard_is_host(const char *host)
{
    enum { HOST_MAX = 300 }; /* a DNS name and a port, with room to spare */
    static const char name[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";
    static const char address[] = "0123456789abcdefABCDEF:.";
    size_t len = strnlen(host, HOST_MAX + 1), end;

    if (len > HOST_MAX)
        return false;
    if (*host == '[') {
        end = 1 + strspn(host + 1, address);
        if (end < 3 || host[end] != ']')
            return false;
        end++;
    } else if ((end = strspn(host, name)) == 0) {
        return false;
    }
    return !host[end] || (host[end] == ':' && is_port(host + end + 1));
}

/* The authority of an absolute form, "http://authority/…"; NULL where the target is none. */
static const char *authority(const char *target, size_t *ret_len)
{
    if (strncasecmp(target, "http://", 7) != 0)
        return NULL;
    *ret_len = strcspn(target + 7, "/?#");
    return target + 7;
}

const char *guard_path(const char *target, size_t *ret_len)
{
    size_t len;
    const char *named = authority(target, &len);
    const char *path = named ? named + len : target;
    if (*path != '/')
        return NULL;
    *ret_len = strcspn(path, "?");
    return path;
}

static int hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static const char *path_problem(const char *path, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (path[i] != '%')
            continue;
        if (len - i < 3 || hex(path[i + 1]) < 0 || hex(path[i + 2]) < 0)
            return guard_bad_escape;
        if (path[i + 1] == '0' && path[i + 2] == '0')
            return "The path has a NUL";
    }
    return NULL;
}

static const char *target_problem(const struct guard *guard, const char *target)
{
    size_t len;
    for (const char *at = target; *at; at++)
        if ((unsigned char)*at <= 0x20 || *at == 0x7f)
            return "The request target has a space or a control character";
    if (strchr(target, '#'))
        return "The request target has a fragment";

    const char *named = authority(target, &len);
    /* Whose name this is, is looked at in the Host header alone. */
    if (named && !guard->host)
        return "The request target names a host that no Host header says";
    if (named && !(strlen(guard->host) == len && strncasecmp(named, guard->host, len) == 0))
        return "The request target and the Host header name different hosts";
    const char *path = guard_path(target, &len);
    if (!path)
        return strcmp(target, "*") == 0 ? NULL : "The request target is not a path";
    return path_problem(path, len);
}

const char *guard_finish(struct guard *guard, const char *method, const char *version,
                         const char *target)
{
    if (!token_is_right(method, strlen(method)))
        complain(guard, "The method is not a token");
    bool modern = strcmp(version, "HTTP/1.1") == 0;
    if (!modern && strcmp(version, "HTTP/1.0") != 0)
        complain(guard, "The HTTP version is neither 1.0 nor 1.1");
    if (modern && !guard->host)
        complain(guard, "The request has no Host header");
    if (guard->host && !guard_is_host(guard->host))
        complain(guard, "The Host header is not a host");
    if (guard->chunked && guard->has_length)
        complain(guard, guard_two_framings);
    if (guard->chunked && !modern)
        complain(guard, "HTTP/1.0 knows no Transfer-Encoding");
    complain(guard, target_problem(guard, target));
    return guard->problem;
}
