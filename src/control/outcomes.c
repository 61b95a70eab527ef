/* listOutcomes, and what is said to a name that is none. */
#include "control/outcomes.h"

#include "base/json.h"
#include "control/internal.h"
#include "http/respond.h"

#include <string.h>

enum {
    NAMES_MAX = 160, /* of the different outcomes of all APIs, or of their operations */
};

struct names {
    const char *list[NAMES_MAX + 1]; /* NULL ends it */
    size_t count;
};

/* Calls `visit` with each operation of each API. */
static void each_operation(const struct control *control,
                           void (*visit)(const struct api *api, const char *operation, void *arg),
                           void *arg)
{
    for (size_t i = 0; i < control->options.api_count; i++) {
        const struct api *api = control->options.apis[i];
        for (size_t j = 0; j < api->route_count; j++)
            visit(api, api->routes[j].operation_id, arg);
    }
}

/* -- checking names ---------------------------------------------------------------------------- */

struct search {
    const char *operation; /* the only one that counts; NULL: any */
    const char *name;
    bool found;
    struct names names; /* of the outcomes of the operations that count */
};

static void add_name(struct names *names, const char *name)
{
    for (size_t i = 0; i < names->count; i++)
        if (strcmp(names->list[i], name) == 0)
            return;
    if (names->count < NAMES_MAX)
        names->list[names->count++] = name;
}

static void search_operation(const struct api *api, const char *operation, void *arg)
{
    struct search *search = arg;
    if (search->operation && strcmp(search->operation, operation) != 0)
        return;
    search->found = search->found || outcome_find(api, operation, search->name);
    for (size_t i = 0; i < api->outcome_count; i++)
        if (outcome_is_of(&api->outcomes[i], operation))
            add_name(&search->names, api->outcomes[i].name);
}

static void add_operation(const struct api *api, const char *operation, void *arg)
{
    (void)api;
    add_name(arg, operation);
}

/* The operation before an outcome's name, as the APIs have it; NULL: none of theirs. */
static const char *operation_before(const struct names *operations, const char *name)
{
    for (size_t i = 0; i < operations->count; i++) {
        size_t len = strlen(operations->list[i]);
        if (strncmp(operations->list[i], name, len) == 0 && name[len] == ':')
            return operations->list[i];
    }
    return NULL;
}

/* Whether it begins as the name of an operation would: outcomes begin with their status. */
static bool names_operation(const char *name)
{
    return strchr(name, ':') && (name[0] < '0' || name[0] > '9');
}

static void hint_operation(struct buf *hint, const char *name, const struct names *operations)
{
    struct buf given = BUF_INIT;
    buf_append(&given, name, strcspn(name, ":"));
    complain_names(hint, given.data ? given.data : "", operations->list);
    buf_finish(&given);
}

static void tell_unknown(const struct control *control, struct search *search, struct buf *detail,
                         struct buf *hint)
{
    struct names operations = {.count = 0};
    each_operation(control, add_operation, &operations);
    const char *own = operation_before(&operations, search->name);
    buf_puts(detail, "There is no outcome ");
    complain_quote(detail, search->name);
    if (search->operation)
        buf_printf(detail, " of %s", search->operation);
    if (names_operation(search->name) && !own) {
        hint_operation(hint, search->name, &operations);
        return;
    }
    if (own && !search->operation) { /* those of the operation that it names */
        *search = (struct search){.operation = own, .name = search->name};
        each_operation(control, search_operation, search);
    }
    complain_names(hint, own ? search->name + strlen(own) + 1 : search->name, search->names.list);
}

bool outcome_check(const struct control *control, const char *operation, const char *name,
                   struct buf *detail, struct buf *hint)
{
    struct search found = {.operation = operation, .name = name};
    each_operation(control, search_operation, &found);
    if (!found.found)
        tell_unknown(control, &found, detail, hint);
    return found.found;
}

/* -- listOutcomes ------------------------------------------------------------------------------ */

static void put_headers(struct buf *out, const struct outcome_reply *reply)
{
    buf_puts(out, "{");
    if (reply->content_type) {
        buf_puts(out, "\"Content-Type\":");
        json_put_text(out, reply->content_type);
    }
    for (size_t i = 0; i < reply->header_count; i++) {
        buf_puts(out, i || reply->content_type ? "," : "");
        json_put_text(out, reply->headers[i].name);
        buf_putc(out, ':');
        json_put_text(out, reply->headers[i].value);
    }
    buf_putc(out, '}');
}

/* A body in JSON as it is, another as a text. */
static void put_sample(struct buf *out, const struct outcome_reply *reply)
{
    buf_puts(out, "{\"headers\":");
    put_headers(out, reply);
    if (reply->content_type) {
        buf_puts(out, ",\"body\":");
        if (reply->content_type == content_type_html)
            json_put_text(out, reply->body.data);
        else
            buf_append(out, reply->body.data, reply->body.len);
    }
    buf_putc(out, '}');
}

void outcome_put_basis(struct buf *out, const struct outcome *outcome)
{
    buf_putc(out, '[');
    for (const char *letter = outcome->basis; *letter; letter++)
        buf_printf(out, letter == outcome->basis ? "\"%c\"" : ",\"%c\"", *letter);
    buf_putc(out, ']');
}

static void put_outcome(struct buf *out, const struct api *api, const char *operation,
                        const struct outcome *outcome)
{
    struct outcome_reply reply;
    buf_puts(out, out->data[out->len - 1] == '[' ? "" : ",");
    buf_printf(out, "{\"id\":\"%s:%s\",\"operation\":\"%s\",\"status\":%d,\"basis\":", operation,
               outcome->name, operation, outcome->status);
    outcome_put_basis(out, outcome);
    buf_printf(out, ",\"rule\":\"%s\",\"summary\":", outcome->rule);
    json_put_text(out, outcome->about);
    buf_puts(out, ",\"sample\":");
    outcome_write(
        &(struct outcome_call){
            .api = api, .outcome = outcome, .operation = operation, .retry_after = -1},
        &reply);
    put_sample(out, &reply);
    out->failed |= buf_failed(&reply.body);
    outcome_reply_finish(&reply);
    buf_putc(out, '}');
}

static void put_operation(const struct api *api, const char *operation, void *arg)
{
    struct buf *out = arg;
    for (size_t i = 0; i < api->outcome_count && !buf_failed(out); i++)
        if (outcome_is_of(&api->outcomes[i], operation))
            put_outcome(out, api, operation, &api->outcomes[i]);
}

void outcome_list_handler(struct request *request)
{
    struct buf body = BUF_INIT;
    buf_puts(&body, "{\"items\":[");
    if (!buf_failed(&body))
        each_operation(control_of(request), put_operation, &body);
    buf_puts(&body, "]}");
    respond(request, 200, content_type_json, &body);
}
