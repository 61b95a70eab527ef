#include "control/lint_look.h"

#include "base/blot.h"
#include "base/nearest.h"
#include "control/lint_path.h"
#include "engine/finding.h"
#include "http/record.h"

#include <string.h>
#include <strings.h>

enum {
    MEMBERS_MAX =
        100,       /* that are unknown, of a body: more say nothing new, and comparing takes time */
    SLIPS_MAX = 3, /* base/nearest.h */
};

/* -- bodies ------------------------------------------------------------------------------------ */

const struct route_fields *lint_fields(const struct api *const *apis, size_t count,
                                       const char *operation)
{
    for (size_t i = 0; operation && i < count; i++)
        for (size_t j = 0; j < apis[i]->body_count; j++)
            if (strcmp(apis[i]->bodies[j].operation_id, operation) == 0)
                return &apis[i]->bodies[j];
    return NULL;
}

static bool is_known(const struct route_fields *fields, const char *name)
{
    for (size_t i = 0; i < *fields->count; i++)
        if (strcmp(fields->fields[i].name, name) == 0)
            return true;
    for (size_t i = 0; fields->echoes && fields->echoes[i]; i++)
        if (strcmp(fields->echoes[i], name) == 0)
            return true;
    return false;
}

/* Whether their lengths leave any hope: counting slips takes longer. */
static bool may_be_near(const char *name, const char *known)
{
    size_t a = strnlen(name, NEAREST_NAME_MAX + 1), b = strlen(known);
    return (a > b ? a - b : b - a) <= SLIPS_MAX;
}

/* The nearest field that the body does not have. */
static const char *find_meant(const struct route_fields *fields, const json_t *body,
                              const char *name)
{
    const char *best = NULL;
    size_t best_distance = SIZE_MAX;
    for (size_t i = 0; i < *fields->count; i++) {
        const char *known = fields->fields[i].name;
        if (!may_be_near(name, known) || json_object_get(body, known) ||
            !nearest_is_near(name, known))
            continue;
        size_t distance = nearest_distance(name, known);
        if (distance < best_distance) {
            best = known;
            best_distance = distance;
        }
    }
    return best;
}

void lint_each_unknown(const struct route_fields *fields, const json_t *body,
                       lint_member_visitor *visit, void *arg)
{
    json_t *members = (json_t *)body; /* its iterators want it writable; they do not write */
    void *at = json_object_iter(members);
    for (int count = 0; at && count < MEMBERS_MAX; at = json_object_iter_next(members, at)) {
        const char *name = json_object_iter_key(at);
        if (is_known(fields, name))
            continue;
        visit(arg, name, find_meant(fields, body, name));
        count++;
    }
}

bool lint_is_json(const char *content_type)
{
    static const char json[] = "application/json";
    size_t len = sizeof json - 1;
    return strncasecmp(content_type, json, len) == 0 &&
           (!content_type[len] || strchr("; \t", content_type[len]));
}

static void add_member(void *arg, const char *name, const char *meant)
{
    uint64_t *findings = arg;
    (void)name;
    *findings |= finding_bit(meant ? FINDING_MISSPELLED_FIELD : FINDING_UNKNOWN_FIELD);
}

/* What it is asked to read is parsed already, unless nobody came to that. */
static uint64_t look_at_body(struct request *request, const struct route_fields *fields)
{
    const char *type = request_content_type(request);
    const json_t *body = NULL;
    uint64_t findings = 0;
    struct err err;
    size_t len;
    if (!type || !*type)
        findings |= finding_bit(FINDING_CONTENT_TYPE_MISSING);
    else if (!lint_is_json(type))
        findings |= finding_bit(FINDING_CONTENT_TYPE_WRONG);
    request_body(request, &len);
    if (len && request_json(request, &body, &err) == 0 && json_is_object(body))
        lint_each_unknown(fields, body, add_member, &findings);
    return findings;
}

/* -- the rest ---------------------------------------------------------------------------------- */

/* Those whose bodies are ignored (H2); HEAD goes as GET. */
static bool ignores_body(const char *method)
{
    return strcmp(method, "GET") == 0 || strcmp(method, "DELETE") == 0;
}

uint64_t lint_look(struct request *request, const struct api *const *apis, size_t count)
{
    const char *operation = request_operation(request), *path = request_path(request);
    const char *query = strchr(request_target(request), '?');
    uint64_t findings = 0;
    if (query && blot_has_key(query))
        findings |= finding_bit(FINDING_KEY_IN_QUERY);
    if (!operation && path &&
        lint_path_meant(apis, count, request_method(request), path, NULL, NULL))
        findings |= finding_bit(FINDING_MISSPELLED_PATH);
    if (!request_received(request))
        return findings;
    const struct route_fields *fields = lint_fields(apis, count, operation);
    if (fields)
        findings |= look_at_body(request, fields);
    else if (ignores_body(request_method(request)))
        findings |= finding_bit(FINDING_BODY_ON_GET);
    return findings;
}
