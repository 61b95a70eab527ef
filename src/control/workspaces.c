/* listWorkspaces, getWorkspace, updateWorkspace, deleteWorkspace; the one serializer of them. */
#include "base/json.h"
#include "base/time.h"
#include "control/internal.h"
#include "control/list.h"
#include "http/respond.h"

#include <string.h>

struct patch_body {
    struct field_text name;
    struct field_bool active;
    struct field_whole ttl;
};

#define TO(member_) .offset = offsetof(struct patch_body, member_)

const struct field workspace_patch_fields[] = {
    {"name", FIELD_STRING, .what = "a text of 1 to 255 bytes", .check = check_name, TO(name)},
    {"active", FIELD_BOOL, .what = "true or false", TO(active)},
    {"ttl", FIELD_DURATION, .nullable = true,
     .what = "null or a duration with its unit, above zero, as \"90s\"", .check = check_ttl,
     TO(ttl)},
};
const size_t workspace_patch_field_count =
    sizeof workspace_patch_fields / sizeof *workspace_patch_fields;

/* -- answering --------------------------------------------------------------------------------- */

struct access_json {
    struct buf *out;
    const char *separator;
    char last4[KEY_LAST4_SIZE]; /* of the oldest key that is active */
};

static int put_member(const struct member_row *row, void *arg)
{
    struct access_json *access = arg;
    buf_puts(access->out, access->separator);
    json_put_text(access->out, row->email);
    access->separator = ",";
    return 0;
}

static int note_key(const struct key_row *row, void *arg)
{
    struct access_json *access = arg;
    if (row->active && !*access->last4)
        memcpy(access->last4, row->last4, sizeof access->last4);
    return 0;
}

static void put_key(struct buf *out, const struct access_json *access, const char *api_key)
{
    buf_puts(out, ",\"api_key\":");
    if (api_key)
        json_put_text(out, api_key);
    else if (*access->last4)
        buf_printf(out, "\"exec_live_…%s\"", access->last4);
    else
        buf_puts(out, "null");
}

/* The workspace's base, as its clients reach it. */
static void put_base(struct request *request, const struct workspace_row *row, struct buf *base)
{
    const char *server = control_of(request)->options.policy.public_url;
    if (*row->settings.public_url)
        buf_puts(base, row->settings.public_url);
    else if (server)
        buf_puts(base, server);
    else
        request_base(request, base);
    if (strcmp(row->id, DEFAULT_WORKSPACE) != 0)
        buf_printf(base, "/w/%s", row->slug);
}

static void put_url(struct buf *out, const char *name, const struct buf *base, const char *path)
{
    struct buf url = BUF_INIT;
    buf_printf(&url, "%s%s", base->data ? base->data : "", path);
    buf_printf(out, "\"%s\":", name);
    json_put_text(out, url.data);
    out->failed |= buf_failed(&url);
    buf_finish(&url);
}

static void put_urls(struct request *request, const struct workspace_row *row, struct buf *out)
{
    struct buf base = BUF_INIT;
    put_base(request, row, &base);
    buf_puts(out, ",\"base_urls\":{");
    put_url(out, "studio", &base, "/rest/v1");
    buf_putc(out, ',');
    put_url(out, "scenarios", &base, "/api");
    buf_putc(out, ',');
    put_url(out, "control", &base, "/_mock");
    buf_putc(out, '}');
    out->failed |= buf_failed(&base);
    buf_finish(&base);
}

/* When its ttl ends if nobody asks anything of it until then; and what has happened in it. */
static int put_present(struct request *request, struct db *db, const struct workspace_row *row,
                       struct buf *out)
{
    struct registry *registry = engine_registry(control_of(request)->engine);
    struct workspace *workspace = registry_by_name(registry, row->id);
    struct cursor cursor = {0};
    char text[CURSOR_SIZE];
    int status = 0;
    buf_puts(out, ",\"expires_at\":");
    if (workspace && row->ttl)
        control_put_time(out, workspace_used_at(workspace) + row->ttl);
    else
        buf_puts(out, "null");
    if (workspace) { /* else it has just been deleted */
        cursor = cursor_now(workspace);
        status = cursor_complete(workspace, db, &cursor);
    }
    cursor_format(&cursor, text);
    buf_printf(out, ",\"cursor\":\"%s\"", text);
    workspace_release(workspace);
    return status;
}

static int put_json(struct request *request, struct db *db, const struct workspace_row *row,
                    const char *api_key, struct buf *out)
{
    struct access_json access = {.out = out, .separator = ""};
    int status = key_each_of(db, row->pk, note_key, &access);
    buf_puts(out, "{\"id\":");
    json_put_text(out, row->id);
    buf_puts(out, ",\"slug\":");
    json_put_text(out, row->slug);
    buf_puts(out, ",\"name\":");
    json_put_text(out, row->name);
    buf_printf(out, ",\"active\":%s", row->active ? "true" : "false");
    put_key(out, &access, api_key);
    buf_puts(out, ",\"project_id\":");
    json_put_text(out, row->project_id);
    put_urls(request, row, out);
    buf_puts(out, ",\"members\":[");
    if (status == 0)
        status = member_each_of(db, row->pk, put_member, &access);
    buf_puts(out, "],\"clock\":{");
    clock_put_members(out, &row->clock, clock_show(&row->clock, time_steady_ms()));
    buf_printf(out, "},\"seed\":%s,\"settings\":", *row->seed ? row->seed : "null");
    settings_put_json(request, out, &row->settings);
    buf_puts(out, ",\"run\":");
    json_put_text(out, *row->run ? row->run : NULL);
    buf_puts(out, ",\"created_at\":");
    control_put_time(out, row->created_at);
    int present = put_present(request, db, row, out);
    buf_putc(out, '}');
    return status < 0 ? status : present;
}

void workspace_answer(struct request *request, int status, int64_t pk, const char *api_key)
{
    struct workspace_row row;
    struct buf body = BUF_INIT;
    struct db *db = control_reader(request);
    if (!db)
        return;
    int error = workspace_read(db, pk, &row);
    if (error == 0)
        error = put_json(request, db, &row, api_key, &body);
    if (error == 0) {
        respond(request, status, content_type_json, &body);
        return;
    }
    buf_finish(&body);
    if (error == ERR_NOT_FOUND)
        control_problem(request, 404, "workspace_not_found", "The workspace has just been deleted",
                        NULL);
    else
        router_fail(request, error, "cannot read a workspace");
}

/* -- listWorkspaces ---------------------------------------------------------------------------- */

struct workspace_list_query {
    struct list_params list;
};

const struct param workspace_list_params[] = {
    LIST_SINCE_PARAM(struct workspace_list_query, list),
    LIST_LIMIT_PARAM(struct workspace_list_query, list),
};
const size_t workspace_list_param_count =
    sizeof workspace_list_params / sizeof *workspace_list_params;

struct listing {
    struct request *request;
    struct db *db;
    struct buf body;
    struct list_query query;
    int64_t count;
    struct cursor cursor;
};

static int put_item(const struct workspace_row *row, void *arg)
{
    struct listing *listing = arg;
    if (row->pk <= listing->query.since.workspaces || listing->count == listing->query.limit)
        return 0;
    if (listing->count++)
        buf_putc(&listing->body, ',');
    listing->cursor.workspaces = row->pk;
    return put_json(listing->request, listing->db, row, NULL, &listing->body);
}

void workspace_list_handler(struct request *request)
{
    struct workspace_list_query params = {.list = {0}};
    struct listing listing = {.request = request};
    if (!params_read(request, &params) || !list_read(request, &params.list, &listing.query))
        return;
    if (!params.list.limit.given)
        listing.query.limit = INT64_MAX; /* they are a thousand at once, and short */
    listing.cursor.workspaces = listing.query.since.workspaces;
    listing.db = control_reader(request);
    if (!listing.db)
        return;
    buf_puts(&listing.body, "{\"items\":[");
    int status = workspace_each(listing.db, put_item, &listing);
    if (status == 0) {
        list_answer(request, &listing.body, &listing.cursor);
        return;
    }
    buf_finish(&listing.body);
    router_fail(request, status, "cannot read the workspaces");
}

/* -- one workspace ----------------------------------------------------------------------------- */

/* The workspace in the path; NULL: answered. */
static struct workspace *named(struct request *request)
{
    struct workspace *workspace = mock_workspace(request);
    if (!workspace)
        control_problem(request, 404, "workspace_not_found",
                        "There is no workspace with this id or slug",
                        "GET /_mock/workspaces lists them");
    return workspace;
}

void workspace_get_handler(struct request *request)
{
    struct workspace *workspace = named(request);
    if (workspace)
        workspace_answer(request, 200, workspace->row.pk, NULL);
}

static void answer_patch(struct request *request)
{
    workspace_answer(request, 200, mock_workspace(request)->row.pk, NULL);
}

void workspace_patch_handler(struct request *request)
{
    struct patch_body body = {.name = {0}};
    struct workspace *workspace = named(request);
    if (!workspace ||
        !control_read_body(request, workspace_patch_fields, workspace_patch_field_count, &body))
        return;
    struct workspace_change *change = request_alloc(request, sizeof *change);
    if (!change) {
        router_fail(request, ERR_NO_MEMORY, NULL);
        return;
    }
    workspace_change_init(change, control_of(request)->engine, workspace);
    change->name = body.name.data;
    if (body.active.given)
        change->active = body.active.value;
    if (body.ttl.given)
        change->ttl = body.ttl.value < 0 ? 0 : body.ttl.value;
    settings_operate(request, change, answer_patch);
}

static void answer_delete(struct request *request)
{
    const struct workspace_delete *deletion = request_state(request);
    struct buf body = BUF_INIT;
    buf_printf(&body,
               "{\"requests\":%lld,\"unused_rules\":%lld,\"unfinished_jobs\":%lld,"
               "\"failed_deliveries\":%lld}",
               (long long)deletion->requests, (long long)deletion->unused_rules,
               (long long)deletion->unfinished_jobs, (long long)deletion->failed_deliveries);
    respond(request, 200, content_type_json, &body);
}

static void delete_over(struct request *request)
{
    const struct workspace_delete *deletion = request_state(request);
    if (!control_failed(request, &deletion->operation))
        control_forget_attempts(request, deletion->operation.workspace, answer_delete);
}

void workspace_delete_handler(struct request *request)
{
    struct workspace *workspace = named(request);
    if (!workspace)
        return;
    if (strcmp(workspace->row.id, DEFAULT_WORKSPACE) == 0) {
        control_problem(request, 409, "default_workspace",
                        "The default workspace cannot be deleted",
                        "Make workspaces of their own for tests: POST /_mock/workspaces");
        return;
    }
    struct workspace_delete *deletion = control_state(request, sizeof *deletion);
    if (!deletion)
        return;
    workspace_delete_init(deletion, control_of(request)->engine, workspace);
    control_operate(request, &deletion->operation, delete_over);
}
