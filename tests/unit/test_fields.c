/*
 * The field tables: S5 (required), S6 and E8 (types and formats), S7 (lengths in characters), S10
 * (their order), S11 (unknown fields).
 */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/fields.h"
#include "support.h"

struct dest {
    struct field_text name, note, mode;
    struct field_whole count;
    const json_t *list, *map;
};

static bool is_red(const json_t *value)
{
    return strcmp(json_string_value(value), "red") == 0;
}

static bool has_two(const json_t *value)
{
    return json_array_size(value) == 2;
}

static const struct field table[] = {
    {"note", FIELD_STRING, false, 5, "a string", NULL, offsetof(struct dest, note), false},
    {"count", FIELD_WHOLE, false, 0, "a whole number", NULL, offsetof(struct dest, count), false},
    {"mode", FIELD_STRING, false, 0, "red", is_red, offsetof(struct dest, mode), false},
    {"list", FIELD_ARRAY, false, 0, "two things", has_two, offsetof(struct dest, list), false},
    {"map", FIELD_OBJECT, false, 0, "an object", NULL, offsetof(struct dest, map), false},
    {"name", FIELD_STRING, true, 10000, "a string", NULL, offsetof(struct dest, name), false},
};

static enum field_fault read_text(const char *text, json_t **ret_object, struct dest *dest,
                                  const struct field **ret_field)
{
    json_error_t error;
    *ret_object = json_loads(text, 0, &error);
    ck_assert_msg(*ret_object != NULL, "%s: %s", text, error.text);
    *dest = (struct dest){0};
    return fields_read(table, COUNT(table), *ret_object, dest, ret_field);
}

static const struct {
    const char *body;
    enum field_fault fault;
    const char *field;
} cases[] = {
    {"{\"name\":\"x\"}", FIELD_FINE, NULL},
    {"{\"name\":\"x\",\"unknown\":[1]}", FIELD_FINE, NULL},
    {"{\"name\":\"x\",\"note\":null,\"count\":null,\"mode\":null,\"list\":null,\"map\":null}",
     FIELD_FINE, NULL},
    {"{\"name\":\"x\",\"note\":\"\"}", FIELD_FINE, NULL},
    {"{\"name\":\"x\",\"note\":\"12345\"}", FIELD_FINE, NULL},
    {"{\"name\":\"x\",\"mode\":\"red\",\"list\":[1,2],\"map\":{}}", FIELD_FINE, NULL},
    {"{}", FIELD_MISSING, "name"},
    {"{\"name\":null}", FIELD_MISSING, "name"},
    {"{\"name\":\"\"}", FIELD_MISSING, "name"},
    {"{\"Name\":\"x\"}", FIELD_MISSING, "name"},
    {"{\"name\":5}", FIELD_WRONG, "name"},
    {"{\"name\":false}", FIELD_WRONG, "name"},
    {"{\"name\":[]}", FIELD_WRONG, "name"},
    {"{\"name\":\"x\",\"note\":1}", FIELD_WRONG, "note"},
    {"{\"name\":\"x\",\"mode\":\"blue\"}", FIELD_WRONG, "mode"},
    {"{\"name\":\"x\",\"mode\":\"\"}", FIELD_WRONG, "mode"},
    {"{\"name\":\"x\",\"mode\":{}}", FIELD_WRONG, "mode"},
    {"{\"name\":\"x\",\"list\":{}}", FIELD_WRONG, "list"},
    {"{\"name\":\"x\",\"list\":[1]}", FIELD_WRONG, "list"},
    {"{\"name\":\"x\",\"map\":[]}", FIELD_WRONG, "map"},
    {"{\"name\":\"x\",\"map\":\"{}\"}", FIELD_WRONG, "map"},
    {"{\"name\":\"x\",\"note\":\"123456\"}", FIELD_TOO_LONG, "note"},
    /* What is absent comes before what is wrong, and that before what is too long, each in the
       table's order. */
    {"{\"count\":\"x\",\"note\":\"123456\"}", FIELD_MISSING, "name"},
    {"{\"name\":\"x\",\"map\":1,\"note\":\"123456\"}", FIELD_WRONG, "map"},
    {"{\"name\":1,\"map\":1,\"count\":\"1\"}", FIELD_WRONG, "count"},
};

START_TEST(faults_and_their_order)
{
    const struct field untouched = {0}, *field = &untouched;
    static const struct dest zero;
    struct dest dest;
    json_t *object;
    ck_assert_int_eq(read_text(cases[_i].body, &object, &dest, &field), cases[_i].fault);
    if (cases[_i].fault == FIELD_FINE) {
        ck_assert_ptr_eq(field, &untouched);
        ck_assert_str_eq(dest.name.data, "x");
    } else {
        ck_assert_str_eq(field->name, cases[_i].field);
        ck_assert_int_eq(memcmp(&dest, &zero, sizeof dest), 0); /* nothing of it was taken */
    }
    json_decref(object);
}
END_TEST

START_TEST(values_arrive)
{
    const struct field *field;
    struct dest dest;
    json_t *object;
    ck_assert_int_eq(read_text("{\"name\":\"\\u00e9\",\"note\":\"\",\"count\":7,\"mode\":\"red\","
                               "\"list\":[1,2],\"map\":{\"a\":1}}",
                               &object, &dest, &field),
                     FIELD_FINE);
    ck_assert_str_eq(dest.name.data, "\xc3\xa9");
    ck_assert_uint_eq(dest.name.len, 2);
    ck_assert_ptr_nonnull(dest.note.data);
    ck_assert_uint_eq(dest.note.len, 0);
    ck_assert(dest.count.given && dest.count.value == 7);
    ck_assert_ptr_eq(dest.list, json_object_get(object, "list"));
    ck_assert_ptr_eq(dest.map, json_object_get(object, "map"));
    json_decref(object);

    read_text("{\"name\":\"x\",\"count\":null}", &object, &dest, &field);
    ck_assert_ptr_null(dest.note.data);
    ck_assert(!dest.count.given);
    ck_assert_ptr_null(dest.list);
    json_decref(object);
}
END_TEST

static const struct {
    const char *text;
    bool whole;
    int64_t value;
} numbers[] = {
    {"10", true, 10},
    {"0", true, 0},
    {"-3", true, -3},
    {"10.0", true, 10},
    {"1e3", true, 1000},
    {"9223372036854775807", true, INT64_MAX},
    {"9007199254740992.0", true, INT64_C(9007199254740992)},
    {"9007199254740994.0", true, INT64_C(9007199254740994)},
    {"1e18", true, INT64_C(1000000000000000000)},
    {"9223372036854775808.0", false, 0},
    {"1e300", false, 0},
    {"-1e300", false, 0},
    {"10.5", false, 0},
    {"1e-3", false, 0},
    {"\"10\"", false, 0},
    {"true", false, 0},
    {"[10]", false, 0},
};

START_TEST(whole_numbers)
{
    const struct field *field;
    struct dest dest;
    json_t *object;
    char body[80];
    snprintf(body, sizeof body, "{\"name\":\"x\",\"count\":%s}", numbers[_i].text);
    ck_assert_int_eq(read_text(body, &object, &dest, &field),
                     numbers[_i].whole ? FIELD_FINE : FIELD_WRONG);
    ck_assert_int_eq(dest.count.given, numbers[_i].whole);
    ck_assert_int_eq(dest.count.value, numbers[_i].value);
    json_decref(object);
}
END_TEST

/* S7: one character of each length in bytes, written as it is and as an escape. */
static const char *const characters[] = {
    "a",       "\xc3\xa9",     "\xe2\x82\xac", "\xf0\x9f\x98\x80", "\\ud83d\\ude00",
    "\\u0301", "\xe2\x80\x8b",
};

START_TEST(characters_are_counted_not_bytes)
{
    for (size_t count = 9999; count <= 10001; count++) {
        cleanup(buf_finish) struct buf body = BUF_INIT;
        const struct field *field;
        struct dest dest;
        json_t *object;
        buf_puts(&body, "{\"name\":\"");
        for (size_t i = 0; i < count; i++)
            buf_puts(&body, characters[_i]);
        buf_puts(&body, "\"}");
        ck_assert_int_eq(read_text(body.data, &object, &dest, &field),
                         count <= 10000 ? FIELD_FINE : FIELD_TOO_LONG);
        json_decref(object);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("fields");
    TCase *faults = tcase_create("S5, S6, S7, S10, S11, E8");
    tcase_add_loop_test(faults, faults_and_their_order, 0, (int)COUNT(cases));
    tcase_add_test(faults, values_arrive);
    tcase_add_loop_test(faults, whole_numbers, 0, (int)COUNT(numbers));
    tcase_add_loop_test(faults, characters_are_counted_not_bytes, 0, (int)COUNT(characters));
    suite_add_tcase(suite, faults);
    return support_run(suite);
}
