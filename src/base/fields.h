/*
 * Turns a JSON object into a plain struct by a declarative table, one row a field, in the order of
 * the document that defines them. The same tables are held against openapi/ by a test.
 *
 * What a request may do wrong is looked for in this order, over all fields each: what is required
 * and absent (S5, E2), what has the wrong type or format (S6, E8), what is too long (S7).
 */
#ifndef UNDERSTUDY_BASE_FIELDS_H
#define UNDERSTUDY_BASE_FIELDS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum field_type {
    FIELD_STRING,   /* → struct field_text */
    FIELD_WHOLE,    /* → struct field_whole; 10.0 is whole too */
    FIELD_ARRAY,    /* → const json_t * */
    FIELD_OBJECT,   /* → const json_t * */
    FIELD_BOOL,     /* → struct field_bool */
    FIELD_REAL,     /* → struct field_real; 1 is a real number too */
    FIELD_DURATION, /* → struct field_whole, in milliseconds; "90s" (C3) */
    FIELD_ANY,      /* → const json_t *, null included; `check` says what may come */
};

/* A string that was given; `data` is NULL where it was not (absent or null). */
struct field_text {
    const char *data; /* NUL-terminated, valid UTF-8, owned by the JSON value */
    size_t len;       /* bytes */
    bool is_null;     /* it was given as null, where the field is nullable */
};

struct field_whole {
    bool given;
    int64_t value; /* -1: it was given as null, where the field is nullable */
};

struct field_bool {
    bool given, value;
};

struct field_real {
    bool given;
    double value;
};

struct field {
    const char *name;
    enum field_type type;
    bool required;                      /* absent, null and "" are refused */
    size_t max_chars;                   /* code points; 0 means no limit */
    const char *what;                   /* completes "<name> must be …" */
    bool (*check)(const json_t *value); /* beyond the type; NULL where the type is all */
    size_t offset;                      /* of the destination in the struct */
    bool nullable;                      /* null has a meaning of its own */
};

enum field_fault { FIELD_FINE, FIELD_MISSING, FIELD_WRONG, FIELD_TOO_LONG };

/*
 * Reads `object` by `table` into `dest`, whose destinations must be zero before. What it stores
 * borrows from `object`. Returns the first fault and its row in *ret_field (untouched when fine).
 * Pure; any thread.
 */
enum field_fault fields_read(const struct field *table, size_t count, const json_t *object,
                             void *dest, const struct field **ret_field);

/* The first member of `object` that the table does not know; NULL: there is none. */
const char *fields_unknown(const struct field *table, size_t count, const json_t *object);

#endif
