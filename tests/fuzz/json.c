/*
 * Bodies, by operation: each field table of the APIs, against a reference that reads them as the
 * contract says (S5 to S7, E2, E8, C2). And what else is made of a body: written again, it is equal
 * to itself; rules, settings and states are read to an answer. An input is a byte that picks the
 * table, then the body.
 */
#include "base/json.h"
#include "base/complaint.h"
#include "base/duration.h"
#include "base/json_line.h"
#include "control/internal.h"
#include "engine/inbox.h"
#include "engine/rule.h"
#include "engine/settings.h"
#include "engine/state.h"
#include "fuzz.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The other rooms' tables; their headers share names with the control room's. */
extern const struct field job_fields[], session_fields[], scenario_fields[];
extern const size_t job_field_count, session_field_count, scenario_field_count;

#define TABLE(name_)                                                                               \
    {                                                                                              \
        name_##_fields, &name_##_field_count                                                       \
    }
static const struct {
    const struct field *fields;
    const size_t *count;
} tables[] = {
    TABLE(job),        TABLE(session),         TABLE(scenario),
    TABLE(workspace),  TABLE(workspace_patch), TABLE(key),
    TABLE(key_patch),  TABLE(member),          TABLE(reset),
    TABLE(clock),      TABLE(advance),         TABLE(source),
    TABLE(transition), TABLE(settle),          TABLE(rule),
    TABLE(settings),   TABLE(inbox_reply),     TABLE(state_document),
};
enum { DEST_SIZE = 4096 }; /* any body as a struct */

/* -- the reference ----------------------------------------------------------------------------- */

static size_t characters(const json_t *text)
{
    const unsigned char *at = (const unsigned char *)json_string_value(text);
    size_t left = json_string_length(text), count = 0;
    for (; left; count++) {
        size_t step = fuzz_utf8_length(at, left);
        FUZZ_CHECK(step, "a string that is not UTF-8");
        at += step;
        left -= step;
    }
    return count;
}

static bool fits_type(const struct field *field, const json_t *value)
{
    double real = json_number_value(value);
    int64_t ms;
    switch (field->type) {
    case FIELD_STRING:
        return json_is_string(value);
    case FIELD_WHOLE:
        return json_is_number(value) && floor(real) == real &&
               (json_is_integer(value) ||
                (real < 9223372036854775808.0 && real > -9223372036854775808.0));
    case FIELD_ARRAY:
        return json_is_array(value);
    case FIELD_OBJECT:
        return json_is_object(value);
    case FIELD_BOOL:
        return json_is_true(value) || json_is_false(value);
    case FIELD_REAL:
        return json_is_number(value);
    case FIELD_DURATION:
        return json_is_string(value) && duration_parse(json_string_value(value), &ms, NULL) == 0;
    case FIELD_ANY:
        return true;
    }
    return false;
}

static enum field_fault judge(const struct field *field, const json_t *object,
                              enum field_fault asked)
{
    const json_t *value = json_object_get(object, field->name);
    bool given = value && !json_is_null(value);
    switch (asked) {
    case FIELD_MISSING:
        return field->required && (!given || (json_is_string(value) && !json_string_length(value)))
                   ? asked
                   : FIELD_FINE;
    case FIELD_WRONG:
        return given && (!fits_type(field, value) || (field->check && !field->check(value)))
                   ? asked
                   : FIELD_FINE;
    case FIELD_TOO_LONG:
        return given && field->max_chars && json_is_string(value) &&
                       characters(value) > field->max_chars
                   ? asked
                   : FIELD_FINE;
    case FIELD_FINE:
        break;
    }
    return FIELD_FINE;
}

static enum field_fault expect(const struct field *table, size_t count, const json_t *object,
                               const struct field **ret_field)
{
    static const enum field_fault order[] = {FIELD_MISSING, FIELD_WRONG, FIELD_TOO_LONG};
    for (size_t i = 0; i < COUNT(order); i++)
        for (size_t j = 0; j < count; j++)
            if (judge(&table[j], object, order[i])) {
                *ret_field = &table[j];
                return order[i];
            }
    return FIELD_FINE;
}

/* -- tables ------------------------------------------------------------------------------------ */

static void check_text(const struct field *field, const json_t *value, const void *at)
{
    const struct field_text *text = at;
    bool given = json_is_string(value);
    FUZZ_CHECK(text->data == (given ? json_string_value(value) : NULL), "%s: another text",
               field->name);
    FUZZ_CHECK(text->len == (given ? json_string_length(value) : 0), "%s: its length", field->name);
    FUZZ_CHECK(text->is_null == (field->nullable && json_is_null(value)), "%s: its null",
               field->name);
}

static void check_stored(const struct field *field, const json_t *object, const void *dest)
{
    const json_t *value = json_object_get(object, field->name);
    const void *at = (const char *)dest + field->offset;
    bool given = value && !json_is_null(value);
    switch (field->type) {
    case FIELD_STRING:
        check_text(field, value, at);
        break;
    case FIELD_WHOLE:
        FUZZ_CHECK(!given ||
                       (double)((const struct field_whole *)at)->value == json_number_value(value),
                   "%s: another number", field->name);
        break;
    case FIELD_BOOL:
        FUZZ_CHECK(((const struct field_bool *)at)->value == json_is_true(value),
                   "%s: another bool", field->name);
        break;
    case FIELD_REAL:
        FUZZ_CHECK(((const struct field_real *)at)->value == (given ? json_number_value(value) : 0),
                   "%s: another number", field->name);
        break;
    case FIELD_DURATION:
        FUZZ_CHECK(given || !((const struct field_whole *)at)->given ||
                       ((const struct field_whole *)at)->value == -1,
                   "%s: a span from nowhere", field->name);
        break;
    case FIELD_ARRAY:
    case FIELD_OBJECT:
        FUZZ_CHECK(*(const json_t *const *)at == (given ? value : NULL), "%s: another value",
                   field->name);
        break;
    case FIELD_ANY:
        FUZZ_CHECK(*(const json_t *const *)at == (given || field->nullable ? value : NULL),
                   "%s: another value", field->name);
        break;
    }
}

static void check_table(const struct field *table, size_t count, const json_t *object)
{
    static _Alignas(max_align_t) char dest[DEST_SIZE];
    const struct field *found = NULL, *expected = NULL;
    memset(dest, 0, sizeof dest);
    enum field_fault right = expect(table, count, object, &expected);
    enum field_fault fault = fields_read(table, count, object, dest, &found);
    FUZZ_CHECK(fault == right && found == expected, "%s is %d, and not %s %d",
               found ? found->name : "all", (int)fault, expected ? expected->name : "all",
               (int)right);
    for (size_t i = 0; i < count && fault == FIELD_FINE; i++)
        check_stored(&table[i], object, dest);
    const char *unknown = fields_unknown(table, count, object);
    for (size_t i = 0; i < count; i++)
        FUZZ_CHECK(!unknown || strcmp(unknown, table[i].name) != 0, "%s is known", unknown);
}

/* -- whole bodies ------------------------------------------------------------------------------ */

static void check_complaint(struct complaint *complaint, int status)
{
    FUZZ_CHECK(status < 0 || !complaint->detail.len, "a complaint about what is right");
    FUZZ_CHECK(status != ERR_INVALID || (complaint->detail.len && complaint->name),
               "a refusal without a reason");
    FUZZ_CHECK(fuzz_is_utf8(complaint->detail.data, complaint->detail.len) &&
                   fuzz_is_utf8(complaint->hint.data, complaint->hint.len),
               "a complaint that is no text");
    complaint_finish(complaint);
}

static void check_rule(const json_t *value)
{
    struct complaint complaint = COMPLAINT_INIT;
    struct rule *rule = NULL;
    int status = rule_parse(value, "", &complaint, &rule);
    check_complaint(&complaint, status);
    if (status == 0)
        rule_release(rule);
}

static void check_settings(const json_t *object)
{
    struct complaint complaint = COMPLAINT_INIT;
    struct settings_change change = {0};
    int status = settings_take(object, "", &change, &complaint);
    check_complaint(&complaint, status);
}

static void check_state(const json_t *object)
{
    struct state_document document;
    struct state_fault fault = {.path = ""};
    int status = state_document_init(&document, object, 1709287200000, &fault);
    FUZZ_CHECK(status == 0 || status == ERR_INVALID, "a state's status is %d", status);
    FUZZ_CHECK(status == 0 || *fault.problem, "a refusal without a reason");
    FUZZ_CHECK(fuzz_is_utf8(fault.path, strlen(fault.path)) &&
                   fuzz_is_utf8(fault.problem, strlen(fault.problem)),
               "a fault that is no text");
    if (status == 0)
        state_document_finish(&document);
}

/* Written and read it is the same, and written again the same bytes. */
static void check_again(const json_t *value)
{
    struct buf first = BUF_INIT, second = BUF_INIT;
    struct err err;
    json_t *again = NULL;
    json_put_value(&first, value);
    FUZZ_CHECK(json_parse_body(first.data, first.len, &again, &err) == 0,
               "cannot be read again: %s", err.text);
    json_put_value(&second, again);
    FUZZ_CHECK(first.len == second.len && memcmp(first.data, second.data, first.len) == 0,
               "changes each time: %s, %s", first.data, second.data);
    json_decref(again);
    buf_finish(&first);
    buf_finish(&second);
}

static void check_line(const char *text, const json_t *value)
{
    size_t lines = 1;
    for (const char *at = strchr(text, '\n'); at; at = strchr(at + 1, '\n'))
        lines++;
    json_t *members = (json_t *)value;
    for (void *at = json_object_iter(members); at; at = json_object_iter_next(members, at)) {
        struct buf path = BUF_INIT;
        buf_printf(&path, "%s[1].a[0]", json_object_iter_key(at));
        size_t line = json_line_of(text, path.data);
        FUZZ_CHECK(line >= 1 && line <= lines, "line %zu of %zu", line, lines);
        buf_finish(&path);
    }
}

static void check_duration(const json_t *value)
{
    int64_t ms, again;
    char text[DURATION_TEXT_SIZE];
    if (!json_is_string(value) || duration_parse(json_string_value(value), &ms, NULL) < 0)
        return;
    FUZZ_CHECK(ms >= 0 && ms <= DURATION_MAX_MS, "a span of %lld", (long long)ms);
    duration_format(ms, text);
    FUZZ_CHECK(duration_parse(text, &again, NULL) == 0 && again == ms, "%s is another span", text);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct fuzz_input input = {bytes, len};
    size_t table = fuzz_byte(&input) % COUNT(tables), text_len;
    char *text = fuzz_rest(&input, &text_len);
    json_t *value = NULL;
    struct err err = {""};
    int status = json_parse_body(text, text_len, &value, &err);
    FUZZ_CHECK(status == 0 || *err.text, "a body is refused without a reason");
    if (status == 0) {
        check_again(value);
        check_duration(value);
        check_rule(value);
    }
    if (json_is_object(value)) {
        check_table(tables[table].fields, *tables[table].count, value);
        check_settings(value);
        check_state(value);
        if (strlen(text) == text_len)
            check_line(text, value);
    }
    json_decref(value);
    free(text);
    return 0;
}
