#include "control/header_view.h"

#include "base/json.h"
#include "base/token.h"
#include "base/utf8.h"

#include <stdlib.h>
#include <string.h>

json_t *header_view_create(void)
{
    return json_object();
}

static json_t *readable(const char *bytes, size_t len)
{
    struct buf text = BUF_INIT;
    utf8_append_field(&text, bytes, len);
    json_t *value = buf_failed(&text) ? NULL : json_stringn(text.data ? text.data : "", text.len);
    buf_finish(&text);
    return value;
}

/* A new field: its name as it was sent first, behind which come its values. */
static json_t *begin_field(json_t *view, const char *key, json_t *name)
{
    json_t *field = json_array();
    if (json_array_append(field, name) == 0 && json_object_set(view, key, field) == 0) {
        json_decref(field); /* it is the view's */
        return field;
    }
    json_decref(field);
    return NULL;
}

static json_t *find_field(json_t *view, const char *name)
{
    json_t *readable_name = readable(name, strlen(name));
    char *key = readable_name ? strdup(json_string_value(readable_name)) : NULL;
    json_t *field = NULL;
    if (key) {
        token_fold(key);
        field = json_object_get(view, key);
        if (!field)
            field = begin_field(view, key, readable_name);
    }
    free(key);
    json_decref(readable_name);
    return field;
}

bool header_view_add(json_t *view, const char *name, const char *value, size_t len)
{
    json_t *field = find_field(view, name);
    return field && json_array_append_new(field, readable(value, len)) == 0;
}

/* "Name":"value, value" */
static void put_field(struct buf *out, const json_t *field)
{
    struct buf values = BUF_INIT;
    for (size_t i = 1; i < json_array_size(field); i++) {
        const json_t *value = json_array_get(field, i);
        buf_puts(&values, i > 1 ? ", " : "");
        buf_append(&values, json_string_value(value), json_string_length(value));
    }
    json_put_text(out, json_string_value(json_array_get(field, 0)));
    buf_putc(out, ':');
    json_put_string(out, values.data ? values.data : "", values.len);
    out->failed |= buf_failed(&values);
    buf_finish(&values);
}

void header_view_put(struct buf *out, const json_t *view)
{
    const char *name, *separator = "";
    json_t *field;
    if (!view)
        out->failed = true;
    buf_putc(out, '{');
    json_object_foreach((json_t *)view, name, field)
    {
        buf_puts(out, separator);
        put_field(out, field);
        separator = ",";
    }
    buf_putc(out, '}');
}
