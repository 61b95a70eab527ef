#include "http/router.h"

#include "base/id.h"
#include "base/log.h"
#include "http/internal.h"
#include "http/respond.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <unistr.h>

static int hex_value(char c)
{
    return c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;
}

/* Decodes a segment in place. A bad escape, which the guard refuses, stays as it is. */
static void decode(char *text)
{
    char *to = text;
    for (const char *at = text; *at; at++) {
        if (*at == '%' && isxdigit((unsigned char)at[1]) && isxdigit((unsigned char)at[2])) {
            *to++ = (char)(hex_value(at[1]) << 4 | hex_value(at[2]));
            at += 2;
        } else {
            *to++ = *at;
        }
    }
    *to = '\0';
}

bool path_split(char *text, struct path *ret_path, bool *ret_too_many)
{
    *ret_path = (struct path){0};
    *ret_too_many = false;
    for (char *at = text; at && *at == '/';) {
        char *slash = at, *segment = slash + 1;
        at = strchr(segment, '/');
        if (slash != text)
            *slash = '\0';
        if (ret_path->count == PATH_SEGMENTS_MAX) {
            *ret_too_many = true; /* what is cut so far still tells whose path it is */
            break;
        }
        ret_path->segments[ret_path->count++] = segment;
    }
    for (size_t i = 0; i < ret_path->count; i++) {
        char *segment = ret_path->segments[i];
        decode(segment);
        if (u8_check((const uint8_t *)segment, strlen(segment)))
            return false;
    }
    return true;
}

/* Whether a pattern fits; fills in the parameters. */
static bool fits(const char *pattern, char *const *segments, size_t count, struct match *match)
{
    size_t params = 0;
    for (size_t i = 0; i < count; i++) {
        if (*pattern++ != '/')
            return false;
        size_t len = strcspn(pattern, "/");
        if (*pattern == '{') {
            if (!*segments[i])
                return false;
            match->params[params++] = segments[i];
        } else if (strlen(segments[i]) != len || memcmp(segments[i], pattern, len) != 0) {
            return false;
        }
        pattern += len;
    }
    return !*pattern;
}

static void add_method(struct match *match, const char *method)
{
    size_t len = strlen(match->allow);
    snprintf(match->allow + len, sizeof match->allow - len, "%s%s", len ? ", " : "", method);
    if (strcmp(method, "GET") == 0)
        add_method(match, "HEAD");
}

void router_match(const struct api *api, const char *method, char *const *segments, size_t count,
                  struct match *ret_match)
{
    *ret_match = (struct match){0};
    for (size_t i = 0; i < api->route_count; i++) {
        const struct route *route = &api->routes[i];
        if (!fits(route->pattern, segments, count, ret_match))
            continue;
        ret_match->known_path = true;
        if (strcmp(route->method, method) == 0) {
            ret_match->route = route;
            return;
        }
        add_method(ret_match, route->method);
    }
}

void router_allow(const struct api *api, const char *pattern, struct match *ret_match)
{
    *ret_match = (struct match){0};
    for (size_t i = 0; i < api->route_count; i++)
        if (strcmp(api->routes[i].pattern, pattern) == 0)
            add_method(ret_match, api->routes[i].method);
}

void refusal_of_error(int error, struct refusal *ret_refusal)
{
    struct refusal refusal = {.kind = REFUSED_UNAVAILABLE, .status = 503};
    const char *text;

    switch (error) {
    case ERR_FULL:
        refusal.code = "storage_full";
        text = "The store's disk is full";
        break;
    case ERR_BUSY:
        refusal.code = "storage_busy";
        text = "Another process holds the store";
        break;
    case ERR_IO:
    case ERR_CORRUPT:
    case ERR_PERMISSION:
        refusal.code = "storage_unavailable";
        text = "The store cannot be read or written";
        break;
    case ERR_OVERLOADED:
    case ERR_STOPPING:
        refusal.code = "overloaded";
        text = error == ERR_STOPPING ? "The server is stopping" : "Too many writes are waiting";
        break;
    default:
        refusal = (struct refusal){.kind = REFUSED_FAILURE, .status = 500};
        text = FAILURE_TEXT;
    }
    snprintf(refusal.detail, sizeof refusal.detail, "%s", text);
    *ret_refusal = refusal;
}

void router_fail(struct request *request, int error, const char *detail)
{
    struct refusal refusal;
    refusal_of_error(error, &refusal);
    request->is_logged = true;
    /* The store says once what fails all alike, and main() that the server stops. */
    bool is_said = refusal.kind == REFUSED_UNAVAILABLE && error != ERR_OVERLOADED;
    log_event(is_said ? LOG_DEBUG : LOG_ERROR, "request failed", LOG_STR("id", request_id(request)),
              LOG_STR("method", request->method), LOG_STR("path", request_log_path(request)),
              LOG_INT("status", refusal.status), LOG_STR("code", refusal.code),
              LOG_STR("reason", detail ? detail : refusal.detail));
    if (refusal.kind == REFUSED_UNAVAILABLE)
        respond_retry_after(request, REFUSAL_RETRY_AFTER);
    request->api->refuse(request, &refusal);
}
