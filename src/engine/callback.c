/*
 * The readers of the settings of callbacks. Lists and maps are kept as the JSON that settings show,
 * because they are read once for an attempt, which costs a connection.
 */
#include "engine/callback.h"

#include "base/duration.h"
#include "base/json.h"
#include "base/url.h"
#include "engine/reach.h"

#include <jansson.h>
#include <string.h>
#include <strings.h>

enum { TIMEOUT_MS = 15 * 1000, CONNECT_TIMEOUT_MS = 5 * 1000 };

/* As Standard Webhooks recommends: 27 hours, 35 minutes and 5 seconds in all. */
static const int64_t standard_waits[] = {
    INT64_C(5) * 1000,         INT64_C(5) * 60 * 1000,   INT64_C(30) * 60 * 1000,
    INT64_C(2) * 3600 * 1000,  INT64_C(5) * 3600 * 1000, INT64_C(10) * 3600 * 1000,
    INT64_C(10) * 3600 * 1000,
};
enum { STANDARD_WAITS = sizeof standard_waits / sizeof *standard_waits };

int64_t callback_timeout(const struct settings_row *settings)
{
    return settings->given & GIVEN_CALLBACK_TIMEOUT ? settings->callback.timeout : TIMEOUT_MS;
}

int64_t callback_connect_timeout(const struct settings_row *settings)
{
    return settings->given & GIVEN_CALLBACK_CONNECT_TIMEOUT ? settings->callback.connect_timeout
                                                            : CONNECT_TIMEOUT_MS;
}

bool callback_is_on(const struct settings_row *settings, enum job_status end)
{
    return !(settings->given & GIVEN_CALLBACK_ON) || settings->callback.on & 1U << end;
}

/* -- retries ----------------------------------------------------------------------------------- */

/* The wait after so many tries, of a list; false: it has none. */
static bool read_wait(const json_t *waits, size_t index, int64_t *ret_ms)
{
    const char *text = json_string_value(json_array_get(waits, index));
    return text && duration_parse(text, ret_ms, NULL) == 0;
}

bool callback_retry(const struct settings_row *settings, int64_t tries, int64_t *ret_ms,
                    bool *ret_varies)
{
    const char *retries = settings->callback.retries;
    if (!*retries || tries < 1)
        return false;
    json_t *waits = json_read_text(retries, JSON_DECODE_ANY);
    size_t index = (size_t)tries - 1;
    bool standard = json_is_string(waits);
    bool follows = standard ? index < STANDARD_WAITS : read_wait(waits, index, ret_ms);
    json_decref(waits);
    if (follows && standard)
        *ret_ms = standard_waits[index];
    if (follows)
        *ret_varies = standard;
    return follows;
}

/* -- the map ----------------------------------------------------------------------------------- */

/* How much of a URL its scheme and host are, in which case does not matter. */
static size_t host_end(const char *url)
{
    const char *host = strstr(url, "://");
    return host ? (size_t)(host + 3 - url) + strcspn(host + 3, "/?#") : strlen(url);
}

/*
 * Whether a URL begins with a prefix that ends where a part of the URL does, so that neither
 * another host nor another port nor a longer name in the path is meant.
 */
static bool begins(const char *url, const char *prefix)
{
    size_t len = strlen(prefix), host = host_end(prefix);
    if (strlen(url) < len || strncasecmp(url, prefix, host) != 0 ||
        strncmp(url + host, prefix + host, len - host) != 0)
        return false;
    return prefix[len - 1] == '/' || !url[len] || strchr("/?#", url[len]);
}

/* Whether it is an inbox with its name, which has nothing below it. */
static bool is_inbox(const char *place)
{
    struct url_place read;
    const char *path = place + host_end(place);
    return path[strspn(path, "/")] && url_read_place(place, &read) &&
           strcasecmp(read.host, INBOX_HOST) == 0;
}

static void put_mapped(const char *url, const char *prefix, const char *place, struct buf *out)
{
    const char *rest = url + strlen(prefix);
    size_t len = strlen(place);
    if (prefix[strlen(prefix) - 1] == '/') /* what follows it begins with a slash, as else */
        rest--;
    if (*rest == '/' && place[len - 1] == '/')
        len--;
    buf_append(out, place, len);
    if (!is_inbox(place))
        buf_puts(out, rest);
}

/* The longest prefix that a URL begins with; NULL: none. */
static const char *find_prefix(json_t *map, const char *url)
{
    const char *found = NULL;
    for (void *at = json_object_iter(map); at; at = json_object_iter_next(map, at)) {
        const char *prefix = json_object_iter_key(at);
        if (begins(url, prefix) && (!found || strlen(prefix) > strlen(found)))
            found = prefix;
    }
    return found;
}

int callback_map(const struct settings_row *settings, const char *url, struct buf *out)
{
    json_t *map = NULL;
    if (*settings->callback.map && !(map = json_read_text(settings->callback.map, 0)))
        return ERR_CORRUPT;
    const char *prefix = find_prefix(map, url);
    const char *all = json_string_value(json_object_get(map, "*"));
    if (prefix)
        put_mapped(url, prefix, json_string_value(json_object_get(map, prefix)), out);
    else
        buf_puts(out, all ? all : url);
    json_decref(map);
    return buf_failed(out) ? ERR_NO_MEMORY : 0;
}
