#include "base/option_internal.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/duration.h"
#include "base/escape.h"
#include "base/nearest.h"

/* What is shown of a value that is wrong: enough to find it by. */
enum { QUOTE_SIZE = 100 };

/* Fewer than that, and four characters would be too much of a secret to show. */
enum { SECRET_LENGTH_MIN = 20 };

static const char ellipsis[] = "\xe2\x80\xa6";

void option_quote(const struct option_table *table, struct buf *out, const char *text)
{
    char shown[QUOTE_SIZE];
    const char *secret = table->secret_prefix ? strcasestr(text, table->secret_prefix) : NULL;
    size_t len = secret ? (size_t)(secret - text) + strlen(table->secret_prefix) : strlen(text);

    escape_text(ESCAPE_TEXT, text, len, shown, sizeof shown);
    buf_printf(out, "\"%s%s\"", shown, secret ? ellipsis : "");
}

/* The prefix and the last four characters of what stands before a "=", or less. */
void option_show_secret(const struct option_table *table, struct buf *out, const char *text,
                        bool valid)
{
    size_t len = strcspn(text, "=");
    size_t prefix_len = strlen(table->secret_prefix);
    bool is_ours = !strncmp(text, table->secret_prefix, prefix_len);

    buf_printf(out, "%s%s", is_ours ? table->secret_prefix : "", ellipsis);
    if (!is_ours || len < SECRET_LENGTH_MIN)
        return;
    char shown[32];
    escape_text(ESCAPE_TEXT, text + len - 4, 4, shown, sizeof shown);
    buf_printf(out, "%s%s", shown, valid ? text + len : "");
}

static void put_value(const struct option_table *table, struct buf *out,
                      const struct option_value *value)
{
    if (!value->spec->secret)
        option_quote(table, out, value->text);
    else {
        buf_putc(out, '"');
        option_show_secret(table, out, value->text, value->valid);
        buf_putc(out, '"');
    }
}

void option_variable(const struct option_table *table, const struct option_spec *spec,
                     struct buf *out)
{
    buf_printf(out, "%s_", table->prefix);
    for (const char *c = spec->name; *c; c++)
        if (*c >= 'a' && *c <= 'z')
            buf_putc(out, (char)(*c - 'a' + 'A'));
        else if (*c == '-')
            buf_putc(out, '_');
        else
            buf_putc(out, *c);
}

/* --queue-time, UNDERSTUDY_QUEUE_TIME, or understudy.conf:3: queue-time. */
static void put_place(const struct option_set *set, struct buf *out, const struct option_spec *spec,
                      enum option_source source, unsigned line)
{
    if (source == OPTION_ENVIRONMENT)
        option_variable(set->table, spec, out);
    else if (source == OPTION_FILE)
        buf_printf(out, "%s:%u: %s", set->file, line, spec->name);
    else
        buf_printf(out, "--%s", spec->name);
}

static void add_mistake(struct option_set *set, unsigned *count, const char *format, va_list args)
{
    char line[ERR_TEXT_SIZE * 2]; /* a place, a quoted value and an error's text */

    ++*count;
    if (set->usage_mistakes + set->configuration_mistakes > OPTION_MISTAKES_MAX)
        return;
    (void)vsnprintf(line, sizeof line, format, args);
    buf_printf(&set->mistakes, "%s: %s\n", set->table->program, line);
}

void option_usage_mistake(struct option_set *set, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    add_mistake(set, &set->usage_mistakes, format, args);
    va_end(args);
}

void option_configuration_mistake(struct option_set *set, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    add_mistake(set, &set->configuration_mistakes, format, args);
    va_end(args);
}

/* "<place> "<value>": <reason>". */
static void value_mistake(struct option_set *set, const struct option_value *value,
                          const char *reason)
{
    cleanup(buf_finish) struct buf text = BUF_INIT;

    put_place(set, &text, value->spec, value->source, value->line);
    if (*value->text) {
        buf_putc(&text, ' ');
        put_value(set->table, &text, value);
    }
    if (buf_failed(&text))
        set->no_memory = true;
    else
        option_configuration_mistake(set, "%s: %s", text.data, reason);
}

static int parse_flag(const char *text, bool *ret_flag, struct err *err)
{
    static const char *const words[] = {"false", "true", "no", "yes", "off", "on", "0", "1"};

    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (!strcasecmp(text, words[i])) {
            *ret_flag = i % 2;
            return 0;
        }
    return err_set(err, ERR_INVALID, "must be true or false (or yes, no, on, off, 1, 0)");
}

static int parse_choice(const struct option_spec *spec, const char *text, int *ret_index,
                        struct err *err)
{
    cleanup(buf_finish) struct buf all = BUF_INIT;

    for (int i = 0; spec->choices[i]; i++) {
        if (!strcmp(spec->choices[i], text)) {
            *ret_index = i;
            return 0;
        }
        buf_printf(&all, "%s%s",
                   i == 0                 ? ""
                   : spec->choices[i + 1] ? ", "
                                          : " or ",
                   spec->choices[i]);
    }
    if (buf_failed(&all))
        return err_set(err, ERR_NO_MEMORY, "out of memory");
    const char *near = nearest_name(text, spec->choices);
    if (near)
        return err_set(err, ERR_INVALID, "must be %s: did you mean \"%s\"?", all.data, near);
    return err_set(err, ERR_INVALID, "must be %s", all.data);
}

static void format_number(enum option_type type, int64_t number, char text[DURATION_TEXT_SIZE])
{
    if (type == OPTION_SIZE)
        size_format(number, text);
    else if (type == OPTION_DURATION)
        duration_format(number, text);
    else
        snprintf(text, DURATION_TEXT_SIZE, "%" PRId64, number);
}

static int parse_number(const struct option_spec *spec, const char *text, int64_t *ret_number,
                        struct err *err)
{
    char min[DURATION_TEXT_SIZE], max[DURATION_TEXT_SIZE];
    int64_t number;
    int error = spec->type == OPTION_SIZE       ? size_parse(text, &number, err)
                : spec->type == OPTION_DURATION ? duration_parse(text, &number, err)
                                                : number_parse(text, &number, err);
    if (error)
        return error;
    format_number(spec->type, spec->min, min);
    format_number(spec->type, spec->max, max);
    if (number < spec->min)
        return err_set(err, ERR_INVALID, "must be at least %s", min);
    if (number > spec->max)
        return err_set(err, ERR_INVALID, "must be at most %s", max);
    *ret_number = number;
    return 0;
}

/* Checks a value and, with a target, stores it there. */
static int parse_value(const struct option_spec *spec, const char *text, void *target,
                       struct err *err)
{
    union {
        bool flag;
        int index;
        int64_t number;
    } unused;
    void *field = target ? (char *)target + spec->offset : (void *)&unused;

    if (!*text)
        return err_set(err, ERR_INVALID, "needs a value, not an empty one");
    switch (spec->type) {
    case OPTION_FLAG:
        return parse_flag(text, field, err);
    case OPTION_CHOICE:
        return parse_choice(spec, text, field, err);
    case OPTION_NUMBER:
    case OPTION_SIZE:
    case OPTION_DURATION:
        return parse_number(spec, text, field, err);
    case OPTION_PARSED:
        return spec->parse(text, target, err);
    case OPTION_ACTION:
        break;
    }
    return 0;
}

static void note_error(struct option_set *set, struct option_value *value, int error,
                       const struct err *err)
{
    value->valid = false;
    if (error == ERR_NO_MEMORY)
        set->no_memory = true;
    else
        value_mistake(set, value, err->text);
}

static struct option_value *append_value(struct option_set *set)
{
    if (set->count == set->capacity) {
        size_t capacity = set->capacity ? set->capacity * 2 : 32;
        struct option_value *values = reallocarray(set->values, capacity, sizeof *values);
        if (!values)
            return NULL;
        set->values = values;
        set->capacity = capacity;
    }
    return &set->values[set->count++];
}

static void add_one(struct option_set *set, const struct option_spec *spec, const char *text,
                    size_t len, enum option_source source, unsigned line)
{
    struct err err = {""};
    char *copy = strndup(text, len);
    struct option_value *value = copy ? append_value(set) : NULL;

    if (!value) {
        free(copy);
        set->no_memory = true;
        return;
    }
    *value = (struct option_value){spec, copy, source, line, true};
    int error = spec->type == OPTION_ACTION ? 0 : parse_value(spec, copy, NULL, &err);
    if (error)
        note_error(set, value, error, &err);
}

void option_add(struct option_set *set, const struct option_spec *spec, const char *text,
                enum option_source source, unsigned line)
{
    static const char blanks[] = " \t\r\n\v\f";
    const char *at = text + strspn(text, blanks);

    if (!spec->repeatable || source == OPTION_COMMAND || !*at) {
        add_one(set, spec, text, strlen(text), source, line);
        return;
    }
    while (*at) {
        size_t len = strcspn(at, blanks);
        add_one(set, spec, at, len, source, line);
        at += len + strspn(at + len, blanks);
    }
}

const struct option_spec *option_find(const struct option_table *table, const char *name,
                                      const char **ret_near)
{
    size_t best = SIZE_MAX;

    *ret_near = NULL;
    for (const struct option_spec *spec = table->specs; spec < table->specs + table->count;
         spec++) {
        if (!strcmp(spec->name, name))
            return spec;
        size_t distance = nearest_distance(name, spec->name);
        if (distance < best && nearest_is_near(name, spec->name)) {
            best = distance;
            *ret_near = spec->name;
        }
    }
    return NULL;
}

void option_set_init(struct option_set *set, const struct option_table *table)
{
    *set = (struct option_set){.table = table};
    for (const struct option_spec *spec = table->specs; spec < table->specs + table->count; spec++)
        if (spec->fallback)
            option_add(set, spec, spec->fallback, OPTION_DEFAULT, 0);
}

void option_set_finish(struct option_set *set)
{
    for (size_t i = 0; i < set->count; i++)
        free(set->values[i].text);
    free(set->values);
    free(set->operands);
    free(set->file);
    buf_finish(&set->mistakes);
    buf_finish(&set->notes);
    *set = (struct option_set){0};
}

void option_set_default(struct option_set *set, const char *name, const char *text)
{
    const char *near;
    const struct option_spec *spec = option_find(set->table, name, &near);

    for (size_t i = 0; i < set->count; i++)
        if (set->values[i].spec == spec && set->values[i].source == OPTION_DEFAULT) {
            char *copy = strdup(text);
            if (!copy) {
                set->no_memory = true;
                return;
            }
            free(set->values[i].text);
            set->values[i].text = copy;
            return;
        }
    option_add(set, spec, text, OPTION_DEFAULT, 0);
}

enum option_source option_strongest(const struct option_set *set, const struct option_spec *spec)
{
    enum option_source source = OPTION_DEFAULT;
    for (size_t i = 0; i < set->count; i++)
        if (set->values[i].spec == spec && set->values[i].source > source)
            source = set->values[i].source;
    return source;
}

void option_apply(struct option_set *set, void *target)
{
    for (size_t i = 0; i < set->count; i++) {
        struct option_value *value = &set->values[i];
        struct err err = {""};
        if (!value->valid || value->spec->type == OPTION_ACTION ||
            value->source != option_strongest(set, value->spec))
            continue;
        int error = parse_value(value->spec, value->text, target, &err);
        if (error)
            note_error(set, value, error, &err);
    }
}

const struct option_value *option_earlier(const struct option_set *set,
                                          const struct option_spec *spec, enum option_source source)
{
    for (size_t i = 0; i < set->count; i++)
        if (set->values[i].spec == spec && set->values[i].source == source)
            return &set->values[i];
    return NULL;
}

bool option_set_ok(const struct option_set *set)
{
    return !set->usage_mistakes && !set->configuration_mistakes && !set->no_memory &&
           !buf_failed(&set->mistakes) && !buf_failed(&set->notes);
}

static const struct option_value *first_value(const struct option_set *set, const char *name)
{
    const char *near;
    const struct option_spec *spec = option_find(set->table, name, &near);
    return option_earlier(set, spec, option_strongest(set, spec));
}

bool option_asked(const struct option_set *set, const char *name)
{
    return first_value(set, name) != NULL;
}

enum option_source option_source(const struct option_set *set, const char *name)
{
    const struct option_value *value = first_value(set, name);
    return value ? value->source : OPTION_DEFAULT;
}

const char *option_text(const struct option_set *set, const char *name)
{
    const struct option_value *value = first_value(set, name);
    return value ? value->text : NULL;
}
