#include "base/json.h"

#include "base/utf8.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void put_escape(struct buf *out, unsigned char c)
{
    static const char names[] = "\b\f\n\r\t\"\\", letters[] = "bfnrt\"\\";
    const char *at = c ? strchr(names, c) : NULL;
    if (at) {
        char pair[2] = {'\\', letters[at - names]};
        buf_append(out, pair, sizeof pair);
    } else {
        buf_printf(out, "\\u%04x", c);
    }
}

void json_put_string(struct buf *out, const char *text, size_t len)
{
    size_t done = 0;
    buf_putc(out, '"');
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c >= 0x20 && c != '"' && c != '\\')
            continue;
        buf_append(out, text + done, i - done);
        put_escape(out, c);
        done = i + 1;
    }
    buf_append(out, text + done, len - done);
    buf_putc(out, '"');
}

void json_put_text(struct buf *out, const char *text)
{
    if (text)
        json_put_string(out, text, strlen(text));
    else
        buf_append(out, "null", 4);
}

void json_put_foreign(struct buf *out, const char *text, size_t len)
{
    struct buf readable = BUF_INIT;
    utf8_append_field(&readable, text, len);
    json_put_string(out, readable.data ? readable.data : "", readable.len);
    out->failed |= buf_failed(&readable);
    buf_finish(&readable);
}

/*
 * The fewest significant digits that read back as `value`, as digits without a point, and the
 * decimal exponent of the first one. 17 digits always suffice for a double.
 */
static int shortest_digits(double value, char digits[32], int *ret_exponent)
{
    char text[32];
    for (int precision = 0; precision < 17; precision++) {
        snprintf(text, sizeof text, "%.*e", precision, value);
        if (strtod(text, NULL) == value)
            break;
    }
    int count = 0;
    char *at = text;
    for (; *at != 'e'; at++)
        if (*at != '.')
            digits[count++] = *at;
    *ret_exponent = (int)strtol(at + 1, NULL, 10);
    while (count > 1 && digits[count - 1] == '0')
        count--;
    return count;
}

static void put_zeros(struct buf *out, int count)
{
    while (count-- > 0)
        buf_putc(out, '0');
}

void json_put_real(struct buf *out, double value)
{
    char digits[32] = {0};
    int exponent;

    if (value == trunc(value) && fabs(value) < 0x1p53) { /* exact, and -0 is 0 */
        buf_int(out, (int64_t)value);
        return;
    }
    if (signbit(value))
        buf_putc(out, '-');
    int count = shortest_digits(fabs(value), digits, &exponent);
    size_t len = (size_t)count;

    /* ECMAScript's bounds for plain notation, but that no reader may take a whole number for an
       integer that it, as jansson, cannot hold. */
    if (exponent < -6 || fabs(value) >= 0x1p63) {
        buf_putc(out, digits[0]);
        if (count > 1) {
            buf_putc(out, '.');
            buf_append(out, digits + 1, len - 1);
        }
        buf_printf(out, "e%+d", exponent);
    } else if (exponent < 0) {
        buf_puts(out, "0.");
        put_zeros(out, -exponent - 1);
        buf_append(out, digits, len);
    } else if (count <= exponent + 1) {
        buf_append(out, digits, len);
        put_zeros(out, exponent + 1 - count);
    } else {
        buf_append(out, digits, (size_t)exponent + 1);
        buf_putc(out, '.');
        buf_append(out, digits + exponent + 1, len - (size_t)exponent - 1);
    }
}

static void put_array(struct buf *out, const json_t *array)
{
    size_t index;
    json_t *item;
    buf_putc(out, '[');
    json_array_foreach(array, index, item)
    {
        if (index)
            buf_putc(out, ',');
        json_put_value(out, item);
    }
    buf_putc(out, ']');
}

static void put_object(struct buf *out, const json_t *object)
{
    json_t *members =
        (json_t *)object; /* jansson's iterators want it writable; they do not write */
    const char *separator = "";
    buf_putc(out, '{');
    for (void *at = json_object_iter(members); at; at = json_object_iter_next(members, at)) {
        buf_puts(out, separator);
        json_put_text(out, json_object_iter_key(at));
        buf_putc(out, ':');
        json_put_value(out, json_object_iter_value(at));
        separator = ",";
    }
    buf_putc(out, '}');
}

void json_put_value(struct buf *out, const json_t *value)
{
    if (!value) {
        out->failed = true;
        return;
    }
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        put_object(out, value);
        break;
    case JSON_ARRAY:
        put_array(out, value);
        break;
    case JSON_STRING:
        json_put_string(out, json_string_value(value), json_string_length(value));
        break;
    case JSON_INTEGER:
        buf_int(out, json_integer_value(value));
        break;
    case JSON_REAL:
        json_put_real(out, json_real_value(value));
        break;
    case JSON_TRUE:
        buf_append(out, "true", 4);
        break;
    case JSON_FALSE:
        buf_append(out, "false", 5);
        break;
    case JSON_NULL:
        buf_append(out, "null", 4);
        break;
    }
}
