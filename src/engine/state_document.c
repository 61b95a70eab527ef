/* Reading a state document: all of it is checked before anything is written (engine/state.h). */
#include "base/complaint.h"
#include "base/json.h"
#include "base/time.h"
#include "engine/admin.h"
#include "engine/check.h"
#include "engine/state.h"
#include "engine/state_fields.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct document {
    struct field_whole version, draws;
    const json_t *workspace, *clock, *seed, *settings, *keys, *members;
    const json_t *lists[SNAPSHOT_TABLES];
    struct field_text room_since;
};

static bool is_seed(const json_t *value)
{
    return json_is_null(value) || json_is_integer(value) ||
           (json_is_string(value) && json_string_length(value) > 0 &&
            json_string_length(value) <= 100);
}

static bool is_time(const json_t *value)
{
    int64_t ms;
    return json_is_string(value) && time_parse(json_string_value(value), &ms, NULL) == 0;
}

static bool is_count(const json_t *value)
{
    json_int_t count = json_is_integer(value) ? json_integer_value(value) : -1;
    return count >= 0 && count <= STATE_WHOLE_MAX;
}

static bool is_version(const json_t *value)
{
    return json_number_value(value) == STATE_VERSION;
}

#define TO(member_) .offset = offsetof(struct document, member_)
#define A_LIST(name_, table_)                                                                      \
    {                                                                                              \
        name_, FIELD_ARRAY, .what = "a list", TO(lists[table_])                                    \
    }

const struct field state_document_fields[] = {
    {"version", FIELD_WHOLE, .what = "1", .check = is_version, TO(version)},
    {"workspace", FIELD_OBJECT, .what = "an object", TO(workspace)},
    {"clock", FIELD_OBJECT, .what = "an object", TO(clock)},
    {"seed", FIELD_ANY, .what = "null, a whole number, or a text of 1 to 100 bytes",
     .check = is_seed, TO(seed)},
    {"draws", FIELD_WHOLE, .what = "a whole number from 0", .check = is_count, TO(draws)},
    {"room_since", FIELD_STRING, .what = "a time, as \"2024-03-01T10:00:00.000Z\"",
     .check = is_time, TO(room_since)},
    {"settings", FIELD_OBJECT, .what = "an object of settings", TO(settings)},
    {"keys", FIELD_ARRAY, .what = "a list of keys", TO(keys)},
    {"members", FIELD_ARRAY, .what = "a list of addresses", TO(members)},
    A_LIST("scenarios", SNAPSHOT_SCENARIOS),
    A_LIST("jobs", SNAPSHOT_JOBS),
    A_LIST("deliveries", SNAPSHOT_DELIVERIES),
    A_LIST("sessions", SNAPSHOT_SESSIONS),
    A_LIST("project_scenarios", SNAPSHOT_PROJECT_SCENARIOS),
    A_LIST("rules", SNAPSHOT_RULES),
};
const size_t state_document_field_count =
    sizeof state_document_fields / sizeof *state_document_fields;

/* -- faults ------------------------------------------------------------------------------------ */

bool state_wrong(struct state_fault *fault, const char *problem)
{
    snprintf(fault->problem, sizeof fault->problem, "%s", problem);
    return false;
}

/* The path that a complaint begins with, or that it names as unknown: `settings."jobz"`. */
static void find_path(const char *detail, char path[STATE_PATH_SIZE])
{
    static const char unknown[] = "There is no field ";
    size_t len = 0;
    if (strncmp(detail, unknown, sizeof unknown - 1) == 0)
        detail += sizeof unknown - 1;
    for (; *detail && !strchr(" :", *detail) && len < STATE_PATH_SIZE - 1; detail++)
        if (*detail != '"')
            path[len++] = *detail;
    path[len] = '\0';
}

/* What a table of fields says, as a fault: its words name the field. */
bool state_complain(struct complaint *complaint, struct state_fault *fault)
{
    const struct buf *detail = &complaint->detail, *hint = &complaint->hint;
    snprintf(fault->problem, sizeof fault->problem, "%s%s%s", detail->data ? detail->data : "",
             hint->data ? ": " : "", hint->data ? hint->data : "");
    find_path(fault->problem, fault->path);
    fault->names_path = true;
    complaint_finish(complaint);
    return false;
}

static bool take(const struct field *table, size_t count, const char *prefix, const json_t *object,
                 void *dest, struct state_fault *fault)
{
    struct complaint complaint = COMPLAINT_INIT;
    return complain_read(&complaint, prefix, object, table, count, dest) == 0 ||
           state_complain(&complaint, fault);
}

/* -- the head ---------------------------------------------------------------------------------- */

struct workspace_part {
    struct field_text slug, name, project_id;
    struct field_bool active;
    struct field_whole ttl;
};

#define WORKSPACE_TO(member_) .offset = offsetof(struct workspace_part, member_)

static const struct field workspace_part_fields[] = {
    {"slug", FIELD_STRING, .what = "1 to 63 lower-case letters, digits and -", .check = check_slug,
     WORKSPACE_TO(slug)},
    {"name", FIELD_STRING, .what = "a text of 1 to 255 bytes", .check = check_name,
     WORKSPACE_TO(name)},
    {"project_id", FIELD_STRING, .what = "a text of 1 to 63 bytes without white space and /",
     .check = check_project_id, WORKSPACE_TO(project_id)},
    {"active", FIELD_BOOL, .what = "true or false", WORKSPACE_TO(active)},
    {"ttl", FIELD_DURATION, .nullable = true, .what = "null or a duration above zero, as \"90s\"",
     .check = check_ttl, WORKSPACE_TO(ttl)},
};
enum { WORKSPACE_PART_FIELDS = sizeof workspace_part_fields / sizeof *workspace_part_fields };

static bool take_workspace(const json_t *object, struct state_head *head, struct state_fault *fault)
{
    struct workspace_part part = {.slug = {0}};
    if (!take(workspace_part_fields, WORKSPACE_PART_FIELDS, "workspace.", object, &part, fault))
        return false;
    head->slug = part.slug.data;
    head->name = part.name.data;
    head->project_id = part.project_id.data;
    head->active = part.active.given ? part.active.value : -1;
    head->ttl = part.ttl.given ? (part.ttl.value < 0 ? 0 : part.ttl.value) : -1;
    return true;
}

struct clock_part {
    struct field_text mode, now, at;
    struct field_real scale;
};

static bool is_mode(const json_t *value)
{
    enum clock_mode mode;
    return clock_mode_parse(json_string_value(value), &mode);
}

static bool is_scale(const json_t *value)
{
    double scale = json_number_value(value);
    return scale >= CLOCK_SCALE_MIN && scale <= CLOCK_SCALE_MAX;
}

#define CLOCK_TO(member_) .offset = offsetof(struct clock_part, member_)
#define A_TIME            "a time, as \"2024-03-01T10:00:00.000Z\""

static const struct field clock_part_fields[] = {
    {"mode", FIELD_STRING, .required = true, .what = "one of: real, scaled, manual, auto",
     .check = is_mode, CLOCK_TO(mode)},
    {"scale", FIELD_REAL, .what = "a number from 0.001 to 1000000", .check = is_scale,
     CLOCK_TO(scale)},
    {"now", FIELD_STRING, .what = A_TIME, .check = is_time, CLOCK_TO(now)},
    {"at", FIELD_STRING, .what = A_TIME, .check = is_time, CLOCK_TO(at)},
};
enum { CLOCK_PART_FIELDS = sizeof clock_part_fields / sizeof *clock_part_fields };

/* Without `now` it is real time, standing still or not; without `at`, it shows `now` now. */
static bool take_clock(const json_t *object, int64_t real, struct clock_row *clock,
                       struct state_fault *fault)
{
    struct clock_part part = {.mode = {0}};
    enum clock_mode mode = CLOCK_REAL;
    int64_t now = real, at = real;
    if (!object) {
        *clock = (struct clock_row){.mode = CLOCK_REAL, .scale = 1};
        return true;
    }
    if (!take(clock_part_fields, CLOCK_PART_FIELDS, "clock.", object, &part, fault))
        return false;
    clock_mode_parse(part.mode.data, &mode);
    if (part.now.data)
        time_parse(part.now.data, &now, NULL);
    if (part.at.data)
        time_parse(part.at.data, &at, NULL);
    *clock = clock_make(mode, part.scale.given ? part.scale.value : 1, now, at);
    if (mode == CLOCK_REAL && now == at)
        clock->base = clock->anchor = 0;
    return true;
}

static bool take_seed(const json_t *value, char seed[SEED_SIZE])
{
    struct buf text = BUF_INIT;
    *seed = '\0';
    if (!value || json_is_null(value))
        return true;
    json_put_value(&text, value);
    bool fits = !buf_failed(&text) && text.len < SEED_SIZE;
    if (fits)
        memcpy(seed, text.data, text.len + 1);
    buf_finish(&text);
    return fits;
}

static bool take_head(const struct document *document, int64_t now, struct state_head *head,
                      struct state_fault *fault)
{
    struct settings_change change = {.may_keep_secrets = true};
    struct complaint complaint = COMPLAINT_INIT;
    *head = (struct state_head){.active = -1,
                                .ttl = -1,
                                .draws = document->draws.value,
                                .keys = document->keys,
                                .members = document->members,
                                .has_clock = document->clock != NULL};
    if (document->room_since.data)
        time_parse(document->room_since.data, &head->room_since, NULL);
    if (settings_take(document->settings, "settings.", &change, &complaint) < 0)
        return state_complain(&complaint, fault);
    settings_change(&change, &head->settings);
    head->settings.room_since = head->room_since;
    if (!take_seed(document->seed, head->seed)) {
        snprintf(fault->path, sizeof fault->path, "seed");
        return state_wrong(fault, "must be null, a whole number, or a text of 1 to 100 bytes");
    }
    return (!document->workspace || take_workspace(document->workspace, head, fault)) &&
           take_clock(document->clock, now, &head->clock, fault);
}

/* -- keys and members -------------------------------------------------------------------------- */

struct key_part {
    struct field_text id, key, sha256, last4, created_at;
    struct field_bool active;
};

static bool is_hash(const json_t *value)
{
    const char *text = json_string_value(value);
    return strlen(text) == (size_t)2 * KEY_HASH_SIZE &&
           strspn(text, "0123456789abcdef") == strlen(text);
}

static bool is_last4(const json_t *value)
{
    return json_string_length(value) == KEY_LAST4_SIZE - 1 &&
           state_is_id(json_string_value(value), KEY_LAST4_SIZE - 1);
}

static bool is_id(const json_t *value)
{
    return state_is_id(json_string_value(value), ID_HEX_SIZE - 1);
}

#define KEY_TO(member_) .offset = offsetof(struct key_part, member_)

static const struct field key_part_fields[] = {
    {"id", FIELD_STRING, .what = "1 to 12 letters, digits, - and _", .check = is_id, KEY_TO(id)},
    {"key", FIELD_STRING, .what = "exec_live_ and 40 letters or digits", .check = check_api_key,
     KEY_TO(key)},
    {"sha256", FIELD_STRING, .what = "64 digits of lower-case hex", .check = is_hash,
     KEY_TO(sha256)},
    {"last4", FIELD_STRING, .what = "a key's last four characters", .check = is_last4,
     KEY_TO(last4)},
    {"active", FIELD_BOOL, .what = "true or false", KEY_TO(active)},
    {"created_at", FIELD_STRING, .what = A_TIME, .check = is_time, KEY_TO(created_at)},
};
enum { KEY_PART_FIELDS = sizeof key_part_fields / sizeof *key_part_fields };

static bool check_key(const json_t *key, const char *prefix, struct state_fault *fault)
{
    struct key_part part = {.id = {0}};
    if (!json_is_object(key)) {
        snprintf(fault->path, sizeof fault->path, "%.*s", (int)strlen(prefix) - 1, prefix);
        return state_wrong(fault, "must be an object: {key}, or {sha256, last4, active}");
    }
    if (!take(key_part_fields, KEY_PART_FIELDS, prefix, key, &part, fault))
        return false;
    bool hashed = part.sha256.data && part.last4.data;
    if ((part.key.data != NULL) == hashed || (part.key.data && part.sha256.data)) {
        snprintf(fault->path, sizeof fault->path, "%.*s", (int)strlen(prefix) - 1, prefix);
        return state_wrong(fault, "must have either key, or sha256 and last4");
    }
    return true;
}

static int digit(char hex)
{
    return hex <= '9' ? hex - '0' : hex - 'a' + 10;
}

void state_key(const json_t *key, int64_t now, struct key_row *ret_row)
{
    struct key_part part = {.id = {0}};
    const struct field *field;
    fields_read(key_part_fields, KEY_PART_FIELDS, key, &part, &field);
    *ret_row =
        (struct key_row){.active = !part.active.given || part.active.value, .created_at = now};
    snprintf(ret_row->id, sizeof ret_row->id, "%s", part.id.data ? part.id.data : "");
    if (part.created_at.data)
        time_parse(part.created_at.data, &ret_row->created_at, NULL);
    if (part.key.data) {
        api_key_describe(part.key.data, ret_row);
        return;
    }
    snprintf(ret_row->last4, sizeof ret_row->last4, "%s", part.last4.data);
    for (size_t i = 0; i < KEY_HASH_SIZE; i++)
        ret_row->hash[i] = (unsigned char)(digit(part.sha256.data[2 * i]) << 4 |
                                           digit(part.sha256.data[2 * i + 1]));
}

/* Notes the key and its id; false: one of them was noted before. */
static bool note_key(json_t *seen, const json_t *key)
{
    char hash[2 * KEY_HASH_SIZE + 1];
    struct key_row row;
    state_key(key, 0, &row);
    for (size_t i = 0; i < KEY_HASH_SIZE; i++)
        snprintf(hash + 2 * i, 3, "%02x", row.hash[i]);
    if (json_object_get(seen, hash) || (*row.id && json_object_get(seen, row.id)))
        return false;
    return json_object_set_new(seen, hash, json_true()) == 0 &&
           (!*row.id || json_object_set_new(seen, row.id, json_true()) == 0);
}

static bool check_keys(const json_t *keys, json_t *seen, struct state_fault *fault)
{
    for (size_t i = 0; i < json_array_size(keys); i++) {
        char prefix[40];
        int len = snprintf(prefix, sizeof prefix, "keys[%zu].", i);
        if (!check_key(json_array_get(keys, i), prefix, fault))
            return false;
        snprintf(fault->path, sizeof fault->path, "%.*s", len - 1, prefix);
        if (!note_key(seen, json_array_get(keys, i)))
            return state_wrong(fault, "is, or has the id of, another one before it");
    }
    return true;
}

static bool check_access(const struct document *document, struct state_fault *fault)
{
    json_t *seen = json_object();
    bool good = seen && check_keys(document->keys, seen, fault);
    json_decref(seen);
    if (!good)
        return false;
    for (size_t i = 0; i < json_array_size(document->members); i++) {
        if (check_member(json_array_get(document->members, i)))
            continue;
        snprintf(fault->path, sizeof fault->path, "members[%zu]", i);
        return state_wrong(fault, "must be an address, or a pattern of one as *@acme.com");
    }
    return true;
}

bool state_check(const json_t *json, int64_t now, struct state_head *ret_head,
                 struct state_fault *ret_fault)
{
    struct document document = {.workspace = NULL};
    *ret_fault = (struct state_fault){.path = ""};
    if (!json_is_object(json))
        return state_wrong(ret_fault, "a state must be a JSON object");
    return take(state_document_fields, state_document_field_count, "", json, &document,
                ret_fault) &&
           take_head(&document, now, ret_head, ret_fault) && check_access(&document, ret_fault) &&
           state_check_lists(document.lists, ret_fault);
}
