/* listKeys, createKey, updateKey, deleteKey. */
#include "base/json.h"
#include "base/time.h"
#include "control/internal.h"
#include "control/list.h"
#include "http/respond.h"

#include <stdio.h>
#include <string.h>

struct key_body {
    struct field_text api_key;
};

const struct field key_fields[] = {
    {"api_key", FIELD_STRING, .what = "exec_live_ and 40 letters and digits",
     .check = check_api_key, .offset = offsetof(struct key_body, api_key)},
};
const size_t key_field_count = sizeof key_fields / sizeof *key_fields;

struct key_patch_body {
    struct field_bool active;
};

const struct field key_patch_fields[] = {
    {"active", FIELD_BOOL, .required = true, .what = "true or false",
     .offset = offsetof(struct key_patch_body, active)},
};
const size_t key_patch_field_count = sizeof key_patch_fields / sizeof *key_patch_fields;

struct change {
    struct key_change change;
    char api_key[API_KEY_SIZE]; /* whole, where it was just made; else "" */
};

static void put_key(struct buf *out, const struct key_row *row, const char *api_key)
{
    buf_printf(out, "{\"id\":\"%s\",\"api_key\":", row->id);
    if (*api_key)
        json_put_text(out, api_key);
    else
        buf_printf(out, "\"exec_live_…%s\"", row->last4);
    buf_printf(out, ",\"last4\":\"%s\",\"active\":%s,\"created_at\":", row->last4,
               row->active ? "true" : "false");
    control_put_time(out, row->created_at);
    buf_putc(out, '}');
}

/* -- listKeys ---------------------------------------------------------------------------------- */

static int put_item(const struct key_row *row, void *arg)
{
    struct buf *body = arg;
    if (body->len && body->data[body->len - 1] == '}')
        buf_putc(body, ',');
    put_key(body, row, "");
    return 0;
}

void key_list_handler(struct request *request)
{
    struct buf body = BUF_INIT;
    struct cursor now = cursor_now(mock_workspace(request));
    struct db *db = control_reader(request);
    if (!db)
        return;
    buf_puts(&body, "{\"items\":[");
    int status = key_each_of(db, mock_workspace(request)->row.pk, put_item, &body);
    if (status == 0)
        status = cursor_complete(mock_workspace(request), db, &now);
    if (status == 0) {
        list_answer(request, &body, &now);
        return;
    }
    buf_finish(&body);
    router_fail(request, status, "cannot read the keys");
}

/* -- changes ----------------------------------------------------------------------------------- */

static void answer_absent(struct request *request)
{
    control_problem(request, 404, "key_not_found",
                    "The workspace has no key of this id or these last four characters",
                    "GET /_mock/keys lists them");
}

static void answer(struct request *request)
{
    const struct change *change = request_state(request);
    const struct key_change *result = &change->change;
    struct buf body = BUF_INIT;
    if (control_failed(request, &result->operation))
        return;
    if (result->taken) {
        control_problem(request, 409, "api_key_taken", "This api_key is in use already",
                        "Choose another one, or leave it out to get one that is free");
    } else if (result->absent) {
        answer_absent(request);
    } else if (result->kind == KEY_REMOVE) {
        respond_empty(request);
    } else {
        put_key(&body, &result->row, change->api_key);
        respond(request, result->kind == KEY_ADD ? 201 : 200, content_type_json, &body);
    }
}

static struct change *new_change(struct request *request)
{
    struct change *change = control_state(request, sizeof *change);
    if (change)
        key_change_init(&change->change, control_of(request)->engine, mock_workspace(request));
    return change;
}

void key_create_handler(struct request *request)
{
    struct key_body body = {{0}};
    struct change *change = new_change(request);
    if (!change || !control_read_body(request, key_fields, key_field_count, &body))
        return;
    struct key_row *row = &change->change.row;
    if (body.api_key.data)
        snprintf(change->api_key, sizeof change->api_key, "%s", body.api_key.data);
    else
        api_key_draw(change->api_key);
    change->change.kind = KEY_ADD;
    *row = (struct key_row){.active = true, .created_at = time_steady_ms()};
    id_hex(row->id);
    api_key_describe(change->api_key, row);
    control_operate(request, &change->change.operation, answer);
}

struct search {
    const char *name;
    struct key_row found;
    int by_last4; /* how many have these last four characters */
    bool by_id;
};

static int look_at(const struct key_row *row, void *arg)
{
    struct search *search = arg;
    bool is_id = strcmp(row->id, search->name) == 0;
    if (is_id || (!search->by_id && strcmp(row->last4, search->name) == 0))
        search->found = *row;
    search->by_id |= is_id;
    search->by_last4 += strcmp(row->last4, search->name) == 0;
    return 0;
}

/* The key in the path; false: answered. */
static bool find(struct request *request, struct key_row *ret_row)
{
    struct search search = {.name = request_param(request, 0)};
    struct db *db = control_reader(request);
    if (!db)
        return false;
    int status = key_each_of(db, mock_workspace(request)->row.pk, look_at, &search);
    *ret_row = search.found;
    if (status < 0)
        router_fail(request, status, "cannot read the keys");
    else if (!search.by_id && search.by_last4 > 1)
        control_problem(request, 409, "key_ambiguous", "Several keys end in these four characters",
                        "Name the key by its id: GET /_mock/keys lists them");
    else if (!search.by_id && !search.by_last4)
        answer_absent(request);
    else
        return true;
    return false;
}

void key_patch_handler(struct request *request)
{
    struct key_patch_body body = {{0}};
    struct change *change = new_change(request);
    if (!change || !find(request, &change->change.row) ||
        !control_read_body(request, key_patch_fields, key_patch_field_count, &body))
        return;
    change->change.kind = KEY_SET_ACTIVE;
    change->change.row.active = body.active.value;
    control_operate(request, &change->change.operation, answer);
}

void key_delete_handler(struct request *request)
{
    struct change *change = new_change(request);
    if (!change || !find(request, &change->change.row))
        return;
    change->change.kind = KEY_REMOVE;
    control_operate(request, &change->change.operation, answer);
}
