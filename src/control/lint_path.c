/*
 * A path is held against each route, part by part. Parts that routes name may be a few slips of the
 * fingers off, ids may be anything. What comes before the first part that tells an API ("rest",
 * "api", "v1") is easily left out, doubled or changed when a base URL is put together, so it is
 * also held against a route without. More than that is another path, of something else.
 */
#include "control/lint_path.h"

#include "base/nearest.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
    SLIPS_MAX = 3,       /* in all parts together */
    OTHER_BEGINNING = 2, /* as so many slips */
    METHOD_WEIGHT = 2,   /* a slip counts more than a method that the route does not have */
    FAR = -1,
};

struct parts {
    const char *at[PATH_SEGMENTS_MAX];
    size_t len[PATH_SEGMENTS_MAX];
    size_t count;
};

/* -- parts ------------------------------------------------------------------------------------- */

static void add_part(struct parts *parts, const char *text, size_t len)
{
    if (parts->count == PATH_SEGMENTS_MAX)
        return;
    parts->at[parts->count] = text;
    parts->len[parts->count++] = len;
}

static struct parts of_pattern(const char *pattern)
{
    struct parts parts = {.count = 0};
    while (*pattern == '/') {
        size_t len = strcspn(++pattern, "/");
        add_part(&parts, pattern, len);
        pattern += len;
    }
    return parts;
}

/* Of a path, with the empty ones or without. */
static struct parts of_path(const struct path *path, bool with_empty)
{
    struct parts parts = {.count = 0};
    for (size_t i = 0; i < path->count; i++)
        if (with_empty || *path->segments[i])
            add_part(&parts, path->segments[i], strlen(path->segments[i]));
    return parts;
}

static bool is_param(const struct parts *route, size_t index)
{
    return *route->at[index] == '{';
}

/* How many at the beginning say no more than where the API is. */
static size_t beginning(const struct parts *parts)
{
    size_t count = 0;
    for (; count < parts->count; count++) {
        const char *at = parts->at[count];
        size_t len = parts->len[count];
        bool is_root = (len == 4 && strncasecmp(at, "rest", len) == 0) ||
                       (len == 3 && strncasecmp(at, "api", len) == 0);
        bool is_version = len > 1 && (*at | 0x20) == 'v' && strspn(at + 1, "0123456789") >= len - 1;
        if (!is_root && !is_version)
            break;
    }
    return count;
}

/* -- how near ---------------------------------------------------------------------------------- */

static int compare_part(const struct parts *given, size_t i, const struct parts *route, size_t j)
{
    char known[NEAREST_NAME_MAX + 1];
    size_t len = route->len[j];
    if (is_param(route, j))
        return given->len[i] == 0;
    if (given->len[i] == len && memcmp(given->at[i], route->at[j], len) == 0)
        return 0;
    if (len > NEAREST_NAME_MAX)
        return FAR;
    memcpy(known, route->at[j], len);
    known[len] = '\0';
    if (!nearest_is_near(given->at[i], known))
        return FAR;
    size_t distance = nearest_distance(given->at[i], known);
    return distance ? (int)distance : 1; /* but for case, or - and _ */
}

/* The slips from these places on; FAR: there are as many parts left, or they are other ones. */
static int compare_from(const struct parts *given, size_t i, const struct parts *route, size_t j)
{
    int slips = 0;
    if (given->count - i != route->count - j)
        return FAR;
    for (; i < given->count; i++, j++) {
        int more = compare_part(given, i, route, j);
        if (more == FAR || (slips += more) > SLIPS_MAX)
            return FAR;
    }
    return slips;
}

static int compare(const struct parts *given, const struct parts *route)
{
    int slips = compare_from(given, 0, route, 0);
    size_t skip = beginning(route);
    if (slips != FAR || !skip)
        return slips;
    slips = compare_from(given, beginning(given), route, skip);
    return slips == FAR ? FAR : slips + OTHER_BEGINNING;
}

/* -- finding ----------------------------------------------------------------------------------- */

struct search {
    const char *method;
    struct parts full, without_empty; /* the path's */
    int best;                         /* FAR: none yet */
    const char *pattern;              /* of the route that is best */
    struct parts route, given;
};

static void try_route(struct search *search, const struct route *route, const struct parts *given,
                      int dropped)
{
    struct parts parts = of_pattern(route->pattern);
    int slips = compare(given, &parts);
    if (slips == FAR)
        return;
    int score = (slips + dropped) * METHOD_WEIGHT + (strcmp(route->method, search->method) != 0);
    if (search->best != FAR && score >= search->best)
        return;
    search->best = score;
    search->pattern = route->pattern;
    search->route = parts;
    search->given = *given;
}

/* The route's part that stands for an id that was given as `segment`; -1: none does. */
static int param_of(const struct search *search, const char *segment)
{
    const struct parts *route = &search->route, *given = &search->given;
    for (size_t i = 0; i < given->count; i++) {
        size_t at = i + route->count - given->count; /* they have their ends in common */
        if (given->at[i] == segment && at < route->count && is_param(route, at))
            return (int)at;
    }
    return -1;
}

static void show(const struct search *search, const struct path *path, struct buf *out)
{
    for (size_t i = 0; i < path->count; i++) {
        const char *segment = path->segments[i];
        int param = *segment ? param_of(search, segment) : -1;
        buf_putc(out, '/');
        if (param < 0)
            buf_puts(out, segment);
        else
            buf_append(out, search->route.at[param], search->route.len[param]);
    }
}

static bool find(const struct api *const *apis, size_t count, const char *method,
                 const struct path *path, struct buf *shown, struct buf *meant)
{
    struct search search = {.method = method,
                            .full = of_path(path, true),
                            .without_empty = of_path(path, false),
                            .best = FAR};
    bool has_empty = search.full.count > search.without_empty.count;
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < apis[i]->route_count; j++) {
            const struct route *route = &apis[i]->routes[j];
            try_route(&search, route, &search.without_empty, has_empty);
            if (has_empty)
                try_route(&search, route, &search.full, 0);
        }
    }
    if (search.best < METHOD_WEIGHT) /* it is one of theirs, if with another method */
        return false;
    if (shown)
        show(&search, path, shown);
    if (meant)
        buf_puts(meant, search.pattern);
    return true;
}

bool lint_path_meant(const struct api *const *apis, size_t count, const char *method,
                     const char *path, struct buf *shown, struct buf *meant)
{
    struct path parts;
    bool too_many;
    char *text = strdup(path);
    bool found = text && path_split(text, &parts, &too_many) && !too_many &&
                 find(apis, count, method, &parts, shown, meant);
    free(text);
    return found;
}
