/*
 * Inbox URLs (engine/reach.h). They are told apart as libcurl reads URLs, so that each spelling of
 * a host means here what it would mean there; paths are cut at their slashes and then decoded, as
 * the server does it with those that it is sent.
 */
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/url.h"
#include "engine/inbox.h"
#include "engine/reach_own.h"
#include "store/workspace.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Where a URL leads. */
struct target {
    struct url_place place;
    unsigned port;
    struct buf path;
};

/* False for what cannot be called. To be finished in any case. */
static bool target_read(const char *text, struct target *ret_target)
{
    *ret_target = (struct target){.path = BUF_INIT};
    if (!url_read_place(text, &ret_target->place) || !url_read_path(text, &ret_target->path))
        return false;
    ret_target->port = (unsigned)strtoul(ret_target->place.port, NULL, 10);
    return true;
}

static void target_finish(struct target *target)
{
    buf_finish(&target->path);
}

/* -- whether a host is ours -------------------------------------------------------------------- */

/* localhost, and names below it. */
static bool is_localhost(const char *host)
{
    static const char name[] = "localhost";
    size_t len = strlen(host), name_len = sizeof name - 1;
    len -= len > 1 && host[len - 1] == '.';
    if (len < name_len || strncasecmp(host + len - name_len, name, name_len) != 0)
        return false;
    return len == name_len || host[len - name_len - 1] == '.';
}

static bool is_own_host(const struct reach *reach, const struct target *target)
{
    const char *host = target->place.host;
    struct ip ip;
    if (ip_parse(host, &ip))
        return reach_is_own(reach, &ip, target->port);
    if (!reach_listens_on(reach, target->port))
        return false;
    if (is_localhost(host))
        return true;
    for (size_t i = 0; i < reach->options.own_name_count; i++)
        if (reach_same_host(reach->options.own_names[i], host))
            return true;
    return false;
}

/* The length of a base's path, without a slash at its end and without the workspace's prefix. */
static size_t base_len(const char *path, const char *slug)
{
    char prefix[sizeof "/w/" + WORKSPACE_SLUG_SIZE];
    size_t len = strlen(path), prefix_len;
    len -= len && path[len - 1] == '/';
    prefix_len = (size_t)snprintf(prefix, sizeof prefix, "/w/%s", slug);
    bool prefixed = len >= prefix_len && strncmp(path + len - prefix_len, prefix, prefix_len) == 0;
    return prefixed ? len - prefix_len : len;
}

/*
 * Whether `target` is at the host and port of `base`, one of the URLs that ours are built on; then
 * *ret_path is what follows base's own path.
 */
static bool is_below(const struct target *target, const char *base, const char *slug,
                     const char **ret_path)
{
    cleanup(target_finish) struct target own = {.path = BUF_INIT};
    if (!base || !target_read(base, &own) || own.port != target->port ||
        !reach_same_host(own.place.host, target->place.host))
        return false;
    const char *path = target->path.data;
    size_t len = base_len(own.path.data, slug);
    bool below = strncmp(path, own.path.data, len) == 0 && path[len] == '/';
    *ret_path = below ? path + len : path;
    return true;
}

/* -- paths ------------------------------------------------------------------------------------- */

enum { SEGMENTS_MAX = 5, SEGMENT_SIZE = 80 }; /* /w/{slug}/_mock/inbox/{name} */

/* Decodes the segments of a path; returns how many, SEGMENTS_MAX + 1 for more. What is too long for
 * a name or a slug comes out cut, but too long still. */
static size_t split(const char *path, char ret_segments[SEGMENTS_MAX][SEGMENT_SIZE])
{
    size_t count = 0;
    for (; *path == '/' && count <= SEGMENTS_MAX; count++) {
        size_t len = strcspn(++path, "/");
        if (count < SEGMENTS_MAX) {
            int got = 0;
            char *text = len ? curl_easy_unescape(NULL, path, (int)len, &got) : NULL;
            bool whole = text && (size_t)got == strlen(text);
            snprintf(ret_segments[count], SEGMENT_SIZE, "%s", whole ? text : "");
            curl_free(text);
        }
        path += len;
    }
    return count;
}

static enum reach_inbox take_name(const char *name, char ret_name[INBOX_NAME_SIZE], struct err *err)
{
    if (inbox_name_is_right(name)) {
        memcpy(ret_name, name, strlen(name) + 1);
        return REACH_INBOX;
    }
    err_set(err, ERR_INVALID,
            "an inbox's name is one segment of 1 to %d letters, digits and . _ ~ - as in "
            "http://" INBOX_HOST "/hooks",
            INBOX_NAME_SIZE - 1);
    return REACH_INBOX_REFUSED;
}

static enum reach_inbox take_path(const char *path, const struct workspace_row *row,
                                  char ret_name[INBOX_NAME_SIZE], struct err *err)
{
    char segments[SEGMENTS_MAX][SEGMENT_SIZE];
    size_t count = split(path, segments);
    bool prefixed = count == 5 && strcmp(segments[0], "w") == 0;
    size_t first = prefixed ? 2 : 0;
    if ((count != 3 && !prefixed) || strcmp(segments[first], "_mock") != 0 ||
        strcmp(segments[first + 1], "inbox") != 0)
        return REACH_NO_INBOX;
    if (!prefixed || strcmp(segments[1], row->slug) == 0)
        return take_name(segments[first + 2], ret_name, err);
    err_set(err, ERR_INVALID,
            "the URL names an inbox of the workspace %s: callbacks of %s go to its own inboxes "
            "alone, and no option would let them go there",
            segments[1], row->slug);
    return REACH_INBOX_REFUSED;
}

static enum reach_inbox take_only_segment(const char *path, char ret_name[INBOX_NAME_SIZE],
                                          struct err *err)
{
    char segments[SEGMENTS_MAX][SEGMENT_SIZE];
    return take_name(split(path, segments) == 1 ? segments[0] : "", ret_name, err);
}

/* Most paths can be told from an inbox's by a glance, which every callback takes. */
static bool may_be_inbox(const char *path)
{
    return strstr(path, "/_mock/") || strchr(path, '%');
}

/* -- both -------------------------------------------------------------------------------------- */

static enum reach_inbox take(const struct reach *reach, const struct workspace_row *row,
                             const struct target *target, const char *job_base,
                             char ret_name[INBOX_NAME_SIZE], struct err *err)
{
    const char *bases[] = {reach->options.public_url, row->settings.public_url, job_base};
    enum reach_inbox taken = REACH_NO_INBOX;
    if (reach_same_host(target->place.host, INBOX_HOST))
        return take_only_segment(target->path.data, ret_name, err);
    if (!may_be_inbox(target->path.data))
        return REACH_NO_INBOX;
    if (is_own_host(reach, target))
        taken = take_path(target->path.data, row, ret_name, err);
    for (size_t i = 0; i < sizeof bases / sizeof *bases && taken == REACH_NO_INBOX; i++) {
        const char *path;
        if (is_below(target, bases[i], row->slug, &path))
            taken = take_path(path, row, ret_name, err);
    }
    return taken;
}

enum reach_inbox reach_inbox(const struct reach *reach, const struct workspace_row *row,
                             const char *url, const char *job_base, char ret_name[INBOX_NAME_SIZE],
                             struct err *err)
{
    cleanup(target_finish) struct target target = {.path = BUF_INIT};
    return target_read(url, &target) ? take(reach, row, &target, job_base, ret_name, err)
                                     : REACH_NO_INBOX;
}
