/* What the option table looks like: --help, the documentation's table, --check-config. */
#include <stdio.h>
#include <string.h>

#include "base/escape.h"
#include "base/option_internal.h"

enum {
    HELP_WIDTH = 80,   /* of the narrowest terminal that anybody has */
    HELP_COLUMN = 30,  /* where the words begin, right of the longest option */
    ORIGIN_COLUMN = 48 /* where --check-config says what a value comes from */
};

/* Appends `text` word by word, from `column`, with later lines indented to `indent`. */
static void put_wrapped(struct buf *out, const char *text, int column, int indent)
{
    while (*text) {
        int len = (int)strcspn(text, " ");
        if (column > indent && column + 1 + len > HELP_WIDTH) {
            buf_printf(out, "\n%*s", indent, "");
            column = indent;
        } else if (column > indent) {
            buf_putc(out, ' ');
            column++;
        }
        buf_append(out, text, (size_t)len);
        column += len;
        text += len + (text[len] == ' ');
    }
    buf_putc(out, '\n');
}

/* `--name ARGUMENT`; the choices are their own argument. */
static void put_label(struct buf *out, const struct option_spec *spec)
{
    if (spec->letter)
        buf_printf(out, "-%c, ", spec->letter);
    buf_printf(out, "--%s", spec->name);
    if (spec->argument)
        buf_printf(out, " %s", spec->argument);
}

static const char *default_words(const struct option_spec *spec)
{
    if (spec->fallback_help)
        return spec->fallback_help;
    return spec->type == OPTION_FLAG ? "off" : spec->fallback;
}

static void put_option(struct buf *out, const struct option_spec *spec)
{
    struct buf words = BUF_INIT;
    size_t start = out->len;

    buf_puts(out, "  ");
    put_label(out, spec);
    int column = (int)(out->len - start);
    if (column > HELP_COLUMN - 2) {
        buf_putc(out, '\n');
        column = 0;
    }
    buf_printf(out, "%*s", HELP_COLUMN - column, "");

    buf_puts(&words, spec->help);
    if (spec->repeatable)
        buf_puts(&words, " Repeatable.");
    if (default_words(spec))
        buf_printf(&words, " Default: %s.", default_words(spec));
    if (buf_failed(&words))
        out->failed = true;
    else
        put_wrapped(out, words.data, HELP_COLUMN, HELP_COLUMN);
    buf_finish(&words);
}

void option_print_help(const struct option_table *table, struct buf *out)
{
    buf_printf(out, "Usage: %s\n", table->usage);
    for (const struct option_spec *spec = table->specs; spec < table->specs + table->count;
         spec++) {
        if (spec->group)
            buf_printf(out, "\n%s:\n", spec->group);
        put_option(out, spec);
    }
    buf_printf(out, "\n%s", table->epilogue);
}

/* A bar would end the cell, even inside a code span. */
static void put_cell(struct buf *out, const char *text)
{
    for (; *text; text++)
        buf_printf(out, *text == '|' ? "\\%c" : "%c", *text);
}

static void put_row(struct buf *out, const struct option_table *table,
                    const struct option_spec *spec)
{
    struct buf label = BUF_INIT;

    put_label(&label, spec);
    buf_puts(out, "| `");
    put_cell(out, label.data ? label.data : "");
    buf_puts(out, "` | ");
    if (spec->type != OPTION_ACTION) {
        buf_putc(out, '`');
        option_variable(table, spec, out);
        buf_putc(out, '`');
    }
    const char *words = default_words(spec);
    buf_printf(out, " | %s | ", words ? words : "");
    put_cell(out, spec->help);
    buf_printf(out, "%s |\n", spec->repeatable ? " Repeatable." : "");
    out->failed = out->failed || buf_failed(&label);
    buf_finish(&label);
}

void option_print_markdown(const struct option_table *table, struct buf *out)
{
    buf_puts(out, "| option | environment | default | meaning |\n|---|---|---|---|\n");
    for (const struct option_spec *spec = table->specs; spec < table->specs + table->count; spec++)
        put_row(out, table, spec);
}

static void put_origin(const struct option_set *set, const struct option_value *value,
                       struct buf *out)
{
    if (value->source == OPTION_COMMAND)
        buf_printf(out, "--%s", value->spec->name);
    else if (value->source == OPTION_ENVIRONMENT)
        option_variable(set->table, value->spec, out);
    else if (value->source == OPTION_FILE)
        buf_printf(out, "%s:%u", set->file, value->line);
    else
        buf_puts(out, "default");
}

/* Columns that UTF-8 takes on a terminal, near enough: its characters. */
static int columns(const char *text, size_t len)
{
    int count = 0;
    for (size_t i = 0; i < len; i++)
        count += ((unsigned char)text[i] & 0xc0) != 0x80;
    return count;
}

static void put_effective(const struct option_set *set, const struct option_value *value,
                          struct buf *out)
{
    const struct option_spec *spec = value->spec;
    char shown[4096]; /* PATH_MAX, the longest value that makes sense */
    size_t start = out->len;

    buf_printf(out, "%s%s = ", spec->not_in_file ? "# " : "", spec->name);
    if (spec->secret)
        option_show_secret(set->table, out, value->text, value->valid);
    else {
        escape_text(ESCAPE_TEXT, value->text, strlen(value->text), shown, sizeof shown);
        buf_puts(out, shown);
    }
    int column = out->data ? columns(out->data + start, out->len - start) : 0;
    buf_printf(out, "%*s# ", column < ORIGIN_COLUMN ? ORIGIN_COLUMN - column : 2, "");
    put_origin(set, value, out);
    buf_putc(out, '\n');
}

void option_print_effective(const struct option_set *set, struct buf *out)
{
    const struct option_table *table = set->table;

    for (const struct option_spec *spec = table->specs; spec < table->specs + table->count;
         spec++) {
        enum option_source source = option_strongest(set, spec);
        bool given = false;
        if (spec->type == OPTION_ACTION)
            continue;
        for (size_t i = 0; i < set->count; i++)
            if (set->values[i].spec == spec && set->values[i].source == source) {
                put_effective(set, &set->values[i], out);
                given = true;
            }
        if (!given)
            buf_printf(out, "# %s is not given%s%s\n", spec->name, spec->fallback_help ? ": " : "",
                       spec->fallback_help ? spec->fallback_help : "");
    }
}

static void put_json_value(const struct option_set *set, const struct option_value *value,
                           struct buf *out)
{
    struct buf shown = BUF_INIT;
    char escaped[4096]; /* as in put_effective() */
    if (value->spec->secret)
        option_show_secret(set->table, &shown, value->text, value->valid);
    else
        buf_puts(&shown, value->text);
    escape_text(ESCAPE_JSON, shown.data ? shown.data : "", shown.len, escaped, sizeof escaped);
    buf_printf(out, "\"%s\"", escaped);
    out->failed |= buf_failed(&shown);
    buf_finish(&shown);
}

static void put_json_values(const struct option_set *set, const struct option_spec *spec,
                            struct buf *out)
{
    enum option_source source = option_strongest(set, spec);
    size_t given = 0;
    buf_puts(out, spec->repeatable ? "[" : "");
    for (size_t i = 0; i < set->count; i++) {
        if (set->values[i].spec != spec || set->values[i].source != source)
            continue;
        buf_puts(out, given++ ? "," : "");
        put_json_value(set, &set->values[i], out);
    }
    buf_puts(out, spec->repeatable ? "]" : given ? "" : "null");
}

void option_print_json(const struct option_set *set, struct buf *out)
{
    const struct option_table *table = set->table;
    const char *separator = "{";
    for (const struct option_spec *spec = table->specs; spec < table->specs + table->count;
         spec++) {
        if (spec->type == OPTION_ACTION)
            continue;
        buf_printf(out, "%s\"%s\":", separator, spec->name);
        put_json_values(set, spec, out);
        separator = ",";
    }
    buf_putc(out, '}');
}
