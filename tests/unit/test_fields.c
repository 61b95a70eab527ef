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

/* The types that the tables of control bodies use beside these, and what null means to them. */
struct other_dest {
    struct field_bool flag;
    struct field_real share;
    struct field_whole delay, number;
    struct field_text label;
    const json_t *any, *list;
};

#define NULLABLE(name_, type_)                                                                     \
    {                                                                                              \
#name_, type_, false, 0, "right", NULL, offsetof(struct other_dest, name_), true           \
    }
static const struct field other_table[] = {
    NULLABLE(flag, FIELD_BOOL),    NULLABLE(share, FIELD_REAL),   NULLABLE(delay, FIELD_DURATION),
    NULLABLE(number, FIELD_WHOLE), NULLABLE(label, FIELD_STRING), NULLABLE(any, FIELD_ANY),
    NULLABLE(list, FIELD_ARRAY),
};

static enum field_fault read_other(const char *text, json_t **ret_object, struct other_dest *dest)
{
    const struct field *field = NULL;
    *ret_object = json_loads(text, 0, NULL);
    ck_assert_msg(*ret_object != NULL, "%s", text);
    *dest = (struct other_dest){0};
    return fields_read(other_table, COUNT(other_table), *ret_object, dest, &field);
}

static const struct {
    const char *body;
    bool is_right;
} others[] = {
    {"{\"flag\":true}", true},      {"{\"flag\":false}", true},  {"{\"flag\":1}", false},
    {"{\"flag\":\"true\"}", false}, {"{\"share\":1}", true},     {"{\"share\":0.5}", true},
    {"{\"share\":\"0.5\"}", false}, {"{\"share\":true}", false}, {"{\"delay\":\"90s\"}", true},
    {"{\"delay\":\"90\"}", false},  {"{\"delay\":90}", false},   {"{\"number\":1e30}", false},
    {"{\"any\":[{}]}", true},       {"{\"any\":false}", true},   {"{\"list\":{}}", false},
};

START_TEST(other_types)
{
    struct other_dest dest;
    json_t *object;
    ck_assert_msg(read_other(others[_i].body, &object, &dest) ==
                      (others[_i].is_right ? FIELD_FINE : FIELD_WRONG),
                  "%s", others[_i].body);
    json_decref(object);
}
END_TEST

START_TEST(other_values_arrive)
{
    struct other_dest dest;
    json_t *object;
    ck_assert_int_eq(read_other("{\"flag\":true,\"share\":1,\"delay\":\"1500ms\",\"number\":2.0,"
                                "\"label\":\"x\",\"any\":\"y\",\"list\":[]}",
                                &object, &dest),
                     FIELD_FINE);
    ck_assert(dest.flag.given && dest.flag.value);
    ck_assert(dest.share.given && dest.share.value == 1);
    ck_assert(dest.delay.given && dest.delay.value == 1500);
    ck_assert(dest.number.given && dest.number.value == 2);
    ck_assert_str_eq(dest.label.data, "x");
    ck_assert(!dest.label.is_null);
    ck_assert_ptr_eq(dest.any, json_object_get(object, "any"));
    ck_assert_ptr_eq(dest.list, json_object_get(object, "list"));
    json_decref(object);

    ck_assert_int_eq(read_other("{\"flag\":false}", &object, &dest), FIELD_FINE);
    ck_assert(dest.flag.given && !dest.flag.value);
    ck_assert(!dest.label.is_null && !dest.any && !dest.delay.given);
    json_decref(object);
}
END_TEST

/* Where null has a meaning, it arrives; a flag, a share and a list have none for it. */
START_TEST(nulls_arrive)
{
    struct other_dest dest;
    json_t *object;
    ck_assert_int_eq(read_other("{\"flag\":null,\"share\":null,\"delay\":null,\"number\":null,"
                                "\"label\":null,\"any\":null,\"list\":null}",
                                &object, &dest),
                     FIELD_FINE);
    ck_assert(dest.delay.given && dest.delay.value == -1);
    ck_assert(dest.number.given && dest.number.value == -1);
    ck_assert(dest.label.is_null && !dest.label.data);
    ck_assert(json_is_null(dest.any));
    ck_assert(!dest.flag.given && !dest.share.given && !dest.list);
    json_decref(object);
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
    tcase_add_loop_test(faults, other_types, 0, (int)COUNT(others));
    tcase_add_test(faults, other_values_arrive);
    tcase_add_test(faults, nulls_arrive);
    suite_add_tcase(suite, faults);
    return support_run(suite);
}
