#include "base/fields.h"

#include <math.h>
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
    if (json_is_integer(value))
        return true;
    double real = json_real_value(value);
    return json_is_real(value) && fabs(real) < 0x1p63 && real == trunc(real);
}

static bool has_type(const struct field *field, const json_t *value)
{
    switch (field->type) {
    case FIELD_STRING:
        return json_is_string(value);
    case FIELD_WHOLE:
        return is_whole(value);
    case FIELD_ARRAY:
        return json_is_array(value);
    case FIELD_OBJECT:
        return json_is_object(value);
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

static void store(const struct field *field, const json_t *object, void *dest)
{
    const json_t *value = given(field, object);
    void *at = (char *)dest + field->offset;
    if (!value)
        return;
    switch (field->type) {
    case FIELD_STRING:
        *(struct field_text *)at =
            (struct field_text){json_string_value(value), json_string_length(value)};
        break;
    case FIELD_WHOLE:
        *(struct field_whole *)at =
            (struct field_whole){true, json_is_integer(value) ? json_integer_value(value)
                                                              : (int64_t)json_real_value(value)};
        break;
    case FIELD_ARRAY:
    case FIELD_OBJECT:
        *(const json_t **)at = value;
        break;
    }
}

enum field_fault fields_read(const struct field *table, size_t count, const json_t *object,
                             void *dest, const struct field **ret_field)
{
    const struct field *end = table + count;
    for (const struct field *field = table; field < end; field++)
        if (field->required && is_missing(field, object))
            return *ret_field = field, FIELD_MISSING;
    for (const struct field *field = table; field < end; field++)
        if (!is_right(field, object))
            return *ret_field = field, FIELD_WRONG;
    for (const struct field *field = table; field < end; field++)
        if (is_too_long(field, object))
            return *ret_field = field, FIELD_TOO_LONG;
    for (const struct field *field = table; field < end; field++)
        store(field, object, dest);
    return FIELD_FINE;
}
