#include "base/complaint.h"

#include "base/duration.h"
#include "base/escape.h"
#include "base/nearest.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { NAMES_MAX = 24, SHOWN_SIZE = 100, DETAIL_SIZE = 600 };

void complaint_finish(struct complaint *complaint)
{
    buf_finish(&complaint->detail);
    buf_finish(&complaint->hint);
}

void complain_quote(struct buf *out, const char *text)
{
    char shown[SHOWN_SIZE];
    escape_text(ESCAPE_TEXT, text, strlen(text), shown, sizeof shown);
    buf_printf(out, "\"%s\"", shown);
}

void complain_names(struct buf *out, const char *given, const char *const *names)
{
    const char *near = nearest_name(given, names);
    if (near) {
        buf_printf(out, "did you mean \"%s\"?", near);
        return;
    }
    buf_puts(out, *names ? "known here: " : "none is known here");
    for (const char *const *name = names; *name; name++)
        buf_printf(out, "%s%s", name == names ? "" : ", ", *name);
}

int complain(struct complaint *complaint, const char *name, const char *format, ...)
{
    char text[DETAIL_SIZE];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    complaint->name = name;
    buf_puts(&complaint->detail, text);
    return ERR_INVALID;
}

int complain_unknown(struct complaint *complaint, const char *path, const char *value,
                     const char *what, const char *const *names)
{
    complain(complaint, "invalid_field", "%s must be %s", path, what);
    complain_names(&complaint->hint, value, names);
    return ERR_INVALID;
}

static int unknown_member(struct complaint *complaint, const char *prefix, const char *given,
                          const struct field *table, size_t count)
{
    const char *names[NAMES_MAX + 1] = {NULL};
    for (size_t i = 0; i < count && i < NAMES_MAX; i++)
        names[i] = table[i].name;
    complain(complaint, "unknown_field", "There is no field %s", prefix);
    complain_quote(&complaint->detail, given);
    complain_names(&complaint->hint, given, names);
    return ERR_INVALID;
}

/* Why a duration is none, where it is a text at all (C3). */
static void tell_reason(struct buf *hint, const struct field *field, const json_t *value)
{
    struct err err;
    int64_t ms;
    if (field->type != FIELD_DURATION || !json_is_string(value))
        return;
    if (duration_parse(json_string_value(value), &ms, &err) < 0) {
        complain_quote(hint, json_string_value(value));
        buf_printf(hint, " %s", err.text);
    }
}

int complain_members(struct complaint *complaint, const char *prefix, const json_t *object,
                     const struct field *table, size_t count)
{
    const char *unknown = fields_unknown(table, count, object);
    return unknown ? unknown_member(complaint, prefix, unknown, table, count) : 0;
}

int complain_read(struct complaint *complaint, const char *prefix, const json_t *object,
                  const struct field *table, size_t count, void *dest)
{
    const struct field *field = NULL;
    if (complain_members(complaint, prefix, object, table, count) < 0)
        return ERR_INVALID;
    enum field_fault fault = fields_read(table, count, object, dest, &field);
    if (fault == FIELD_FINE)
        return 0;
    if (fault == FIELD_MISSING)
        complain(complaint, "missing_field", "%s%s is required", prefix, field->name);
    else
        complain(complaint, "invalid_field", "%s%s must be %s", prefix, field->name, field->what);
    tell_reason(&complaint->hint, field, json_object_get(object, field->name));
    return ERR_INVALID;
}
