#include "control/lint_groups.h"

#include "base/err.h"
#include "base/json.h"
#include "control/internal.h"
#include "control/lint.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

struct lint_groups {
    void *tree; /* of struct lint_group, by what they have in common */
    struct lint_group *list[FINDINGS][LINT_PLACES_MAX];
    size_t counts[FINDINGS];
    int64_t left_out;
};

struct lint_groups *lint_groups_create(void)
{
    return calloc(1, sizeof(struct lint_groups));
}

static void free_group(void *group)
{
    free((char *)((struct lint_group *)group)->where);
    free(group);
}

void lint_groups_destroy(struct lint_groups *groups)
{
    if (!groups)
        return;
    tdestroy(groups->tree, free_group);
    free(groups);
}

static int compare_texts(const char *a, const char *b)
{
    return !a || !b ? (a != NULL) - (b != NULL) : strcmp(a, b);
}

static int compare(const void *a, const void *b)
{
    const struct lint_group *one = a, *other = b;
    int order = (int)one->finding - (int)other->finding;
    if (!order)
        order = compare_texts(one->operation, other->operation);
    return order ? order : strcmp(one->where, other->where);
}

/* A new group without occurrences; NULL: out of memory. */
static struct lint_group *create(struct lint_groups *groups, const struct lint_group *found)
{
    struct lint_group *group = calloc(1, sizeof *group);
    char *where = strdup(found->where);
    if (group && where) {
        *group = (struct lint_group){.finding = found->finding,
                                     .operation = found->operation,
                                     .where = where,
                                     .first_at = -1,
                                     .last_at = -1};
        if (tsearch(group, &groups->tree, compare)) {
            groups->list[group->finding][groups->counts[group->finding]++] = group;
            return group;
        }
    }
    free(where);
    free(group);
    return NULL;
}

static void add(struct lint_group *group, const struct lint_group *found)
{
    group->count += found->count;
    if (found->first_at >= 0 && (group->first_at < 0 || found->first_at < group->first_at))
        group->first_at = found->first_at;
    if (found->last_at > group->last_at)
        group->last_at = found->last_at;
    for (size_t i = 0; i < found->request_count; i++)
        if (group->request_count < LINT_REQUESTS_MAX)
            group->requests[group->request_count++] = found->requests[i];
}

int lint_groups_add(struct lint_groups *groups, const struct lint_group *found)
{
    struct lint_group **place = tfind(found, &groups->tree, compare);
    struct lint_group *group = place ? *place : NULL;
    if (!group && groups->counts[found->finding] == LINT_PLACES_MAX) {
        groups->left_out += found->count;
        return 0;
    }
    if (!group)
        group = create(groups, found);
    if (!group)
        return ERR_NO_MEMORY;
    add(group, found);
    return 0;
}

int64_t lint_groups_left_out(const struct lint_groups *groups)
{
    return groups->left_out;
}

/* -- writing ----------------------------------------------------------------------------------- */

static void put_time(struct buf *out, const char *name, int64_t at)
{
    buf_printf(out, ",\"%s\":", name);
    if (at >= 0)
        control_put_time(out, at);
    else
        buf_puts(out, "null");
}

static void put_group(struct buf *out, const struct lint_group *group)
{
    const struct lint_kind *kind = &lint_kinds[group->finding];
    buf_printf(out, "{\"id\":\"%s\",\"severity\":\"%s\",\"what\":", finding_names[group->finding],
               lint_severity_names[kind->severity]);
    json_put_text(out, kind->what);
    buf_puts(out, ",\"where\":{\"operation\":");
    json_put_text(out, group->operation);
    buf_printf(out, "%s,\"requests\":[", group->where);
    for (size_t i = 0; i < group->request_count; i++)
        buf_printf(out, "%s%lld", i ? "," : "", (long long)group->requests[i]);
    buf_printf(out, "]},\"count\":%lld", (long long)group->count);
    put_time(out, "first_at", group->first_at);
    put_time(out, "last_at", group->last_at);
    buf_puts(out, ",\"why\":");
    json_put_text(out, kind->why);
    buf_putc(out, '}');
}

void lint_groups_put(const struct lint_groups *groups, struct buf *out)
{
    const char *separator = "";
    for (int severity = 0; severity < LINT_SEVERITIES; severity++) {
        for (int i = 0; i < FINDINGS; i++) {
            for (size_t j = 0; (int)lint_kinds[i].severity == severity && j < groups->counts[i];
                 j++) {
                buf_puts(out, separator);
                put_group(out, groups->list[i][j]);
                separator = ",";
            }
        }
    }
}
