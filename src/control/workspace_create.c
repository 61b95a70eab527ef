/* createWorkspace, ensureWorkspace. */
#include "base/id.h"
#include "base/json.h"
#include "base/time.h"
#include "control/internal.h"
#include "control/rules.h"

#include <stdio.h>
#include <string.h>

enum { MEMBERS_MAX = 10000 };

struct workspace_body {
    struct field_text name, slug, api_key, project_id, run;
    const json_t *members, *clock, *seed, *settings, *rules, *state;
    struct field_whole ttl;
};

struct creation {
    struct workspace_make make;
    struct settings_change settings;
    struct workspace_body body;
    struct clock_wish clock;
    struct state_document state;
    struct rules_read rules;
    char api_key[API_KEY_SIZE];
};

static bool check_members(const json_t *value)
{
    for (size_t i = 0; i < json_array_size(value); i++)
        if (!check_member(json_array_get(value, i)))
            return false;
    return json_array_size(value) <= MEMBERS_MAX;
}

static bool check_clock(const json_t *value)
{
    return json_is_object(value) || json_is_string(value);
}

static bool check_seed(const json_t *value)
{
    size_t len = json_string_length(value);
    return json_is_integer(value) || (json_is_string(value) && len > 0 && len <= SEED_MAX);
}

#define TO(member_) .offset = offsetof(struct workspace_body, member_)

const struct field workspace_fields[] = {
    {"name", FIELD_STRING, .what = "a text of 1 to 255 bytes", .check = check_name, TO(name)},
    {"slug", FIELD_STRING,
     .what = "1 to 63 lower-case letters, digits and -, neither first nor last a -",
     .check = check_slug, TO(slug)},
    {"api_key", FIELD_STRING, .what = "exec_live_ and 40 letters and digits",
     .check = check_api_key, TO(api_key)},
    {"project_id", FIELD_STRING, .what = "a text of 1 to 63 bytes without white space and /",
     .check = check_project_id, TO(project_id)},
    {"members", FIELD_ARRAY,
     .what = "an array of at most 10000 e-mail addresses, in which * stands for any characters",
     .check = check_members, TO(members)},
    {"clock", FIELD_ANY, .what = "an object with mode, scale and now, or a mode's name",
     .check = check_clock, TO(clock)},
    {"seed", FIELD_ANY, .what = "a whole number, or a text of 1 to 100 bytes", .check = check_seed,
     TO(seed)},
    {"settings", FIELD_OBJECT, .what = "an object of settings", TO(settings)},
    {"state", FIELD_OBJECT, .what = "a state, as GET /_mock/state answers it", TO(state)},
    {"rules", FIELD_ARRAY, .what = "an array of rules", TO(rules)},
    {"ttl", FIELD_DURATION, .what = "a duration with its unit, above zero, as \"90s\"",
     .check = check_ttl, TO(ttl)},
    {"run", FIELD_STRING, .what = "a text of 1 to 200 bytes", .check = check_run, TO(run)},
};
const size_t workspace_field_count = sizeof workspace_fields / sizeof *workspace_fields;

static void answer_taken(struct request *request, const char *name, const char *what)
{
    char detail[80], hint[120];
    snprintf(detail, sizeof detail, "Another workspace has this %s", what);
    snprintf(hint, sizeof hint, "Choose another one, or leave it out to get one that is free");
    control_problem(request, 409, name, detail, hint);
}

static void answer(struct request *request)
{
    const struct creation *creation = request_state(request);
    const struct workspace_make *make = &creation->make;
    if (make->outcome == MAKE_STATE_REFUSED) {
        control_tell_state(request, &make->fault);
        return;
    }
    if (control_failed(request, &make->operation))
        return;
    switch (make->outcome) {
    case MAKE_DONE:
        workspace_answer(request, 201, make->row.pk, creation->api_key);
        break;
    case MAKE_SLUG_TAKEN:
        answer_taken(request, "slug_taken", "slug");
        break;
    case MAKE_KEY_TAKEN:
        answer_taken(request, "api_key_taken", "api_key");
        break;
    case MAKE_PROJECT_TAKEN:
        answer_taken(request, "project_id_taken", "project_id");
        break;
    case MAKE_STATE_REFUSED: /* answered above */
        break;
    }
}

/* The same, of a PUT that lost against another one of the same slug: that made it. */
static void answer_put(struct request *request)
{
    const struct creation *creation = request_state(request);
    const char *name = request_param(request, 0);
    struct workspace *there = NULL;
    if (creation->make.operation.status == 0 && creation->make.outcome == MAKE_SLUG_TAKEN)
        there = registry_by_name(engine_registry(control_of(request)->engine), name);
    if (there)
        workspace_answer(request, 200, there->row.pk, NULL);
    else
        answer(request);
    workspace_release(there);
}

static void copy(char *dest, size_t size, const struct field_text *given, const char *otherwise)
{
    snprintf(dest, size, "%s", given->data ? given->data : otherwise);
}

/* 2024-03-01T10:00:00Z: where a workspace with a seed begins, so that its times are the same each
 * time. */
static const int64_t seeded_start = 1709287200000;

/* A clock that shows wall time goes by that itself, also after a restart. */
static struct clock_row first_clock(const struct clock_wish *wish, bool seeded)
{
    int64_t real = time_steady_ms();
    if (wish->mode == CLOCK_REAL && wish->now < 0 && !seeded)
        return (struct clock_row){.mode = CLOCK_REAL, .scale = 1};
    int64_t now = wish->now >= 0 ? wish->now : seeded ? seeded_start : real;
    return clock_make(wish->mode, wish->scale, now, real);
}

/* False: out of memory. */
static bool put_seed(const json_t *seed, char text[SEED_SIZE])
{
    struct buf out = BUF_INIT;
    if (seed)
        json_put_value(&out, seed);
    bool good = !buf_failed(&out);
    if (good && seed)
        snprintf(text, SEED_SIZE, "%s", out.data);
    buf_finish(&out);
    return good;
}

/* What the body says of the workspace itself counts above what its state says. */
static void settle_state(struct creation *creation)
{
    const struct workspace_body *body = &creation->body;
    struct state_head *head = &creation->state.head;
    struct workspace_row *row = &creation->make.row;
    head->ttl = body->ttl.given ? -1 : head->ttl;
    head->name = body->name.data ? NULL : head->name;
    settings_change(&creation->settings, &head->settings);
    if (body->clock || (body->seed && !head->has_clock))
        head->clock = row->clock;
    if (body->seed) {
        memcpy(head->seed, row->seed, sizeof head->seed);
        head->draws = 0;
    }
    if (body->members)
        head->members = NULL;
    creation->state.member_count = body->members ? 0 : creation->state.member_count;
    row->clock = head->clock;
    creation->make.state = &creation->state;
}

static bool take_state(struct request *request, struct creation *creation)
{
    struct state_fault fault;
    if (!creation->body.state)
        return true;
    int status =
        state_document_init(&creation->state, creation->body.state, time_steady_ms(), &fault);
    if (status == ERR_INVALID)
        control_tell_state(request, &fault);
    else if (status < 0)
        router_fail(request, status, NULL);
    else
        settle_state(creation);
    return status == 0;
}

static void finish_creation(void *state)
{
    struct creation *creation = state;
    rule_set_release(creation->make.rule_set);
    rules_read_finish(&creation->rules);
    state_document_finish(&creation->state);
}

/* The row and the key, with what was not given drawn. */
static void fill_in(struct creation *creation, const char *slug)
{
    const struct workspace_body *body = &creation->body;
    struct workspace_row *row = &creation->make.row;
    int64_t now = time_steady_ms();
    char drawn[ID_HEX_SIZE];

    *row = (struct workspace_row){.active = true, .created_at = now, .ttl = body->ttl.value};
    row->settings = creation->settings.row;
    row->clock = first_clock(&creation->clock, body->seed != NULL);
    id_hex(row->id);
    id_hex(drawn);
    copy(row->slug, sizeof row->slug, &body->slug, slug ? slug : row->id);
    copy(row->name, sizeof row->name, &body->name, row->slug);
    copy(row->project_id, sizeof row->project_id, &body->project_id, drawn);
    copy(row->run, sizeof row->run, &body->run, "");
    if (body->api_key.data)
        copy(creation->api_key, sizeof creation->api_key, &body->api_key, "");
    else
        api_key_draw(creation->api_key);
    creation->make.key = (struct key_row){.active = true, .created_at = now};
    api_key_describe(creation->api_key, &creation->make.key);
}

static bool take_members(struct request *request, struct creation *creation)
{
    const json_t *given = creation->body.members;
    size_t count = json_array_size(given);
    struct member_row *members = request_alloc(request, (count + 1) * sizeof *members);
    if (!members) {
        router_fail(request, ERR_NO_MEMORY, NULL);
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        members[i].created_at = creation->make.row.created_at;
        email_fold(json_string_value(json_array_get(given, i)), members[i].email);
    }
    creation->make.members = members;
    creation->make.member_count = count;
    return true;
}

/* Reads what is asked for; `slug` is the path's, or NULL. NULL: the request was answered. */
static struct creation *prepare(struct request *request, const char *slug)
{
    struct creation *creation = request_new_state(request, sizeof *creation, finish_creation);
    if (!creation) {
        router_fail(request, ERR_NO_MEMORY, NULL);
        return NULL;
    }
    if (!control_read_body(request, workspace_fields, workspace_field_count, &creation->body))
        return NULL;
    const struct workspace_body *body = &creation->body;
    if (slug && body->slug.data && strcmp(slug, body->slug.data) != 0) {
        control_problem(request, 422, "invalid_field", "slug must be that of the path",
                        "Leave it out of the body");
        return NULL;
    }
    if (body->settings && !settings_read(request, "settings.", body->settings, &creation->settings))
        return NULL;
    if (body->rules && !rules_read(request, "rules", body->rules, &creation->rules))
        return NULL;
    creation->clock = (struct clock_wish){.mode = CLOCK_REAL, .scale = 1, .now = -1};
    if (body->clock && !clock_read(request, "clock.", body->clock, &creation->clock))
        return NULL;
    fill_in(creation, slug);
    if (!put_seed(body->seed, creation->make.row.seed)) {
        router_fail(request, ERR_NO_MEMORY, NULL);
        return NULL;
    }
    if (!take_members(request, creation) || !take_state(request, creation))
        return NULL;
    creation->make.rules = creation->rules.rules;
    creation->make.rule_count = creation->rules.count;
    return creation;
}

static void create(struct request *request, const char *slug, request_handler *then)
{
    struct creation *creation = prepare(request, slug);
    if (!creation)
        return;
    workspace_make_init(&creation->make, control_of(request)->engine);
    control_operate(request, &creation->make.operation, then);
}

void workspace_create_handler(struct request *request)
{
    create(request, NULL, answer);
}

void workspace_put_handler(struct request *request)
{
    const char *name = request_param(request, 0);
    struct workspace *there = mock_workspace(request);
    json_t *slug = json_string(name);
    if (there) { /* a mistake is told all the same, not only by the first of many runs */
        if (prepare(request, there->row.slug))
            workspace_answer(request, 200, there->row.pk, NULL);
    } else if (slug && check_slug(slug)) {
        create(request, name, answer_put);
    } else {
        control_problem(request, 422, "invalid_field",
                        "The slug in the path must be 1 to 63 lower-case letters, digits and -, "
                        "neither first nor last a -",
                        NULL);
    }
    json_decref(slug);
}
