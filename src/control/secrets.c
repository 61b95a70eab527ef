#include "control/secrets.h"

#include "base/blot.h"

#include <string.h>

bool secrets_are_in(const char *member)
{
    return blot_find(member, strlen(member), SECRETS_MEMBER) != NULL;
}

/* Values that are texts, wherever they stand in it, become their length: "(12 bytes)". */
static json_t *measure(const json_t *value)
{
    json_t *copy;
    const char *name;
    json_t *part;
    size_t index;
    if (json_is_string(value))
        return json_sprintf("(%zu bytes)", json_string_length(value));
    if (!json_is_object(value) && !json_is_array(value))
        return json_incref((json_t *)value);
    copy = json_is_object(value) ? json_object() : json_array();
    json_object_foreach((json_t *)value, name, part) json_object_set_new(copy, name, measure(part));
    json_array_foreach((json_t *)value, index, part) json_array_append_new(copy, measure(part));
    return copy;
}

json_t *secrets_blot(const json_t *value)
{
    json_t *copy;
    const char *name;
    json_t *part;
    size_t index;
    if (!json_is_object(value) && !json_is_array(value))
        return json_incref((json_t *)value);
    copy = json_is_object(value) ? json_object() : json_array();
    json_object_foreach((json_t *)value, name, part)
        json_object_set_new(copy, name, secrets_are_in(name) ? measure(part) : secrets_blot(part));
    json_array_foreach((json_t *)value, index, part)
        json_array_append_new(copy, secrets_blot(part));
    return copy;
}
