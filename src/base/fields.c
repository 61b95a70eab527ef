#include "base/fields.h"

#include "base/duration.h"

#include <math.h>
#include <string.h>
#include <unistr.h>

/* The member's value; NULL where it is absent or null. */
static const json_t *given(const struct field *field, const json_t *object)
{
    const json_t *value = json_object_get(object, field->name);
    return json_is_null(value) ? NULL : value;
}

static bool is_missing(const struct field *field, const json_t *object)
{
    const json_t *value = given(field, object);
    return !value || (json_is_string(value) && !json_string_length(value));
}

static bool is_whole(const json_t *value)
{
    if (json_typeof(value) == JSON_INTEGER)
        return true;
    double real = json_real_value(value);
    return json_typeof(value) == JSON_REAL && fabs(real) < 0x1p63 && real == trunc(real);
}

static bool has_type(const struct field *field, const json_t *value)
{
    json_type type = json_typeof(value);
    switch (field->type) {
    case FIELD_STRING:
        return type == JSON_STRING;
    case FIELD_WHOLE:
        return is_whole(value);
    case FIELD_ARRAY:
        return type == JSON_ARRAY;
    case FIELD_OBJECT:
        return type == JSON_OBJECT;
    case FIELD_BOOL:
        return type == JSON_TRUE || type == JSON_FALSE;
    case FIELD_REAL:
        return type == JSON_INTEGER || type == JSON_REAL;
    case FIELD_DURATION:
        return type == JSON_STRING &&
               duration_parse(json_string_value(value), &(int64_t){0}, NULL) == 0;
    case FIELD_ANY:
        return true;
    }
    return false;
}

static bool is_right(const struct field *field, const json_t *object)
{
    const json_t *value = given(field, object);
    return !value || (has_type(field, value) && (!field->check || field->check(value)));
}

static bool is_too_long(const struct field *field, const json_t *object)
{
    const json_t *value = given(field, object);
    if (!field->max_chars || !json_is_string(value))
        return false;
    size_t len = json_string_length(value); /* bytes, so never fewer than characters */
    return len > field->max_chars &&
           u8_mbsnlen((const uint8_t *)json_string_value(value), len) > field->max_chars;
}

/* A null, where it has a meaning of its own. */
static void store_null(const struct field *field, const json_t *object, void *at)
{
    const json_t *value = json_object_get(object, field->name);
    if (!field->nullable || !json_is_null(value))
        return;
    if (field->type == FIELD_STRING)
        ((struct field_text *)at)->is_null = true;
    else if (field->type == FIELD_WHOLE || field->type == FIELD_DURATION)
        *(struct field_whole *)at = (struct field_whole){true, -1};
    else if (field->type == FIELD_ANY)
        *(const json_t **)at = value;
}

static void store(const struct field *field, const json_t *object, void *dest)
{
    const json_t *value = given(field, object);
    void *at = (char *)dest + field->offset;
    if (!value) {
        store_null(field, object, at);
        return;
    }
    switch (field->type) {
    case FIELD_STRING:
        *(struct field_text *)at =
            (struct field_text){json_string_value(value), json_string_length(value), false};
        break;
    case FIELD_WHOLE:
        *(struct field_whole *)at = (struct field_whole){
            true, json_typeof(value) == JSON_INTEGER ? json_integer_value(value)
                                                     : (int64_t)json_real_value(value)};
        break;
    case FIELD_BOOL:
        *(struct field_bool *)at = (struct field_bool){true, json_typeof(value) == JSON_TRUE};
        break;
    case FIELD_REAL:
        *(struct field_real *)at = (struct field_real){true, json_number_value(value)};
        break;
    case FIELD_DURATION:
        ((struct field_whole *)at)->given = true;
        duration_parse(json_string_value(value), &((struct field_whole *)at)->value, NULL);
        break;
    case FIELD_ARRAY:
    case FIELD_OBJECT:
    case FIELD_ANY:
        *(const json_t **)at = value;
        break;
    }
}

enum field_fault fields_read(const struct field *table, size_t count, const json_t *object,
                             void *dest, const struct field **ret_field)
{
    for (size_t i = 0; i < count; i++)
        if (table[i].required && is_missing(&table[i], object))
            return *ret_field = &table[i], FIELD_MISSING;
    for (size_t i = 0; i < count; i++)
        if (!is_right(&table[i], object))
            return *ret_field = &table[i], FIELD_WRONG;
    for (size_t i = 0; i < count; i++)
        if (is_too_long(&table[i], object))
            return *ret_field = &table[i], FIELD_TOO_LONG;
    for (size_t i = 0; i < count; i++)
        store(&table[i], object, dest);
    return FIELD_FINE;
}

const char *fields_unknown(const struct field *table, size_t count, const json_t *object)
{
    json_t *members = (json_t *)object; /* its iterators want it writable; they do not write */
    for (void *at = json_object_iter(members); at; at = json_object_iter_next(members, at)) {
        size_t i = 0;
        while (i < count && strcmp(table[i].name, json_object_iter_key(at)) != 0)
            i++;
        if (i == count)
            return json_object_iter_key(at);
    }
    return NULL;
}
