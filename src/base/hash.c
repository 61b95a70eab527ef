#include "base/hash.h"

#include <string.h>

/* So that what differs in one bit differs in half of them: members are summed up. */
static uint64_t mix(uint64_t hash)
{
    hash ^= hash >> 30;
    hash *= UINT64_C(0xBF58476D1CE4E5B9);
    hash ^= hash >> 27;
    hash *= UINT64_C(0x94D049BB133111EB);
    return hash ^ hash >> 31;
}

uint64_t hash_bytes(const char *bytes, size_t len)
{
    uint64_t hash = UINT64_C(14695981039346656037); /* FNV-1a */
    for (size_t i = 0; i < len; i++)
        hash = (hash ^ (unsigned char)bytes[i]) * UINT64_C(1099511628211);
    return mix(hash);
}

static uint64_t hash_real(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

/* Of what has no parts; the type is mixed in by the caller. */
static uint64_t hash_plain(const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_STRING:
        return hash_bytes(json_string_value(value), json_string_length(value));
    case JSON_INTEGER:
        return (uint64_t)json_integer_value(value);
    case JSON_REAL:
        return hash_real(json_real_value(value));
    default:
        return 0;
    }
}

uint64_t hash_json(const json_t *value)
{
    uint64_t hash = hash_plain(value);
    const char *name;
    json_t *part;
    size_t index;
    json_object_foreach((json_t *)value, name, part)
    {
        uint64_t own = hash_bytes(name, strlen(name));
        hash += mix(own ^ mix(hash_json(part)));
    }
    json_array_foreach(value, index, part) hash = mix(hash) + hash_json(part);
    return mix(hash + UINT64_C(0x9E3779B97F4A7C15) * ((uint64_t)json_typeof(value) + 1));
}
