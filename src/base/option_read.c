/*
 * Reading options: the command line, the environment, a file. Each reader turns names into rows of
 * the table and hands the values on as they are written; option.c checks and keeps them.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/escape.h"
#include "base/nearest.h"
#include "base/option_internal.h"

/* Appends `; did you mean "<lead><near>"?` where there is something near. */
static void put_hint(struct buf *out, const char *lead, const char *near)
{
    if (near)
        buf_printf(out, ": did you mean \"%s%s\"?", lead, near);
}

static void usage_buf(struct option_set *set, const struct buf *text)
{
    if (buf_failed(text))
        set->no_memory = true;
    else
        option_usage_mistake(set, "%s", text->data);
}

static void unknown_flag(struct option_set *set, const char *shown, const char *near)
{
    cleanup(buf_finish) struct buf text = BUF_INIT;

    buf_puts(&text, "unknown option ");
    option_quote(set->table, &text, shown);
    put_hint(&text, "--", near);
    if (!near)
        buf_printf(&text, ": %s --help lists all", set->table->program);
    usage_buf(set, &text);
}

static const struct option_spec *find_letter(const struct option_table *table, const char *arg)
{
    for (const struct option_spec *spec = table->specs; spec < table->specs + table->count; spec++)
        if (spec->letter && arg[1] == spec->letter && !arg[2])
            return spec;
    return NULL;
}

static void add_flag(struct option_set *set, const struct option_spec *spec, const char *value)
{
    if (!spec->repeatable && option_earlier(set, spec, OPTION_COMMAND))
        option_usage_mistake(set, "--%s is given twice: leave one out", spec->name);
    else
        option_add(set, spec, value, OPTION_COMMAND, 0);
}

/* One option; returns how many arguments after its own it used, 0 or 1. */
static int read_flag(struct option_set *set, const char *arg, const char *next)
{
    char name[OPTION_NAME_MAX];
    const char *equals = strchr(arg, '='), *near = NULL;
    const struct option_spec *spec;

    if (arg[1] != '-') {
        spec = find_letter(set->table, arg);
        equals = NULL;
        const struct option_spec *meant = spec ? NULL : option_find(set->table, arg + 1, &near);
        if (meant)
            near = meant->name; /* one dash is missing */
        snprintf(name, sizeof name, "%s", arg);
    } else {
        int len = equals ? (int)(equals - arg) : (int)strnlen(arg, sizeof name);
        snprintf(name, sizeof name, "%.*s", len, arg);
        spec = option_find(set->table, name + 2, &near);
    }
    bool next_is_value = next && strncmp(next, "--", 2) != 0;

    if (!spec) {
        unknown_flag(set, name, near);
        /* The value of an option that is only misspelt is no second mistake. */
        const struct option_spec *meant = near ? option_find(set->table, near, &near) : NULL;
        return meant && meant->argument && !equals && next_is_value;
    }
    if (spec->type == OPTION_ACTION && equals)
        option_usage_mistake(set, "--%s takes no value", spec->name);
    else if (equals || !spec->argument)
        add_flag(set, spec, equals ? equals + 1 : "true");
    else if (next_is_value)
        add_flag(set, spec, next);
    else
        option_usage_mistake(set, "--%s needs a value: --%s %s", spec->name, spec->name,
                             spec->argument);
    return spec->argument && !equals && next_is_value;
}

void option_read_command(struct option_set *set, int argc, char **argv)
{
    bool options = true;

    set->operands = calloc((size_t)argc + 1, sizeof *set->operands);
    if (!set->operands) {
        set->no_memory = true;
        return;
    }
    for (int i = 1; i < argc; i++) {
        if (options && !strcmp(argv[i], "--"))
            options = false;
        else if (options && argv[i][0] == '-' && argv[i][1])
            i += read_flag(set, argv[i], i + 1 < argc ? argv[i + 1] : NULL);
        else
            set->operands[set->operand_count++] = argv[i];
    }
}

/* A variable that is no option's: nearly one is a slip, anything else is somebody else's. */
static void unknown_variable(struct option_set *set, const char *variable, const char *name)
{
    cleanup(buf_finish) struct buf text = BUF_INIT;
    const char *near;
    const struct option_spec *spec = option_find(set->table, name, &near);

    if (!spec && near)
        spec = option_find(set->table, near, &near);
    bool slip = spec && spec->type != OPTION_ACTION;

    buf_puts(&text, "the environment variable ");
    option_quote(set->table, &text, variable);
    if (slip) {
        buf_puts(&text, " is no option: did you mean \"");
        option_variable(set->table, spec, &text);
        buf_puts(&text, "\"?");
    } else {
        buf_printf(&text, " is ignored: %s",
                   spec ? "only the command line can ask for that" : "it is no option");
    }
    if (buf_failed(&text))
        set->no_memory = true;
    else if (slip)
        option_configuration_mistake(set, "%s", text.data);
    else
        buf_printf(&set->notes, "%s: %s\n", set->table->program, text.data);
}

static void read_variable(struct option_set *set, const char *entry)
{
    const struct option_table *table = set->table;
    size_t len = strcspn(entry, "=");

    for (const struct option_spec *spec = table->specs; spec < table->specs + table->count;
         spec++) {
        cleanup(buf_finish) struct buf name = BUF_INIT;
        option_variable(table, spec, &name);
        if (buf_failed(&name)) {
            set->no_memory = true;
            return;
        }
        if (spec->type != OPTION_ACTION && name.len == len && !memcmp(name.data, entry, len)) {
            /* A name that stands twice counts once, the first, as for getenv(). */
            if (!option_earlier(set, spec, OPTION_ENVIRONMENT))
                option_add(set, spec, entry + len + 1, OPTION_ENVIRONMENT, 0);
            return;
        }
    }
    char variable[OPTION_NAME_MAX * 2]; /* with the prefix; what is longer is nobody's */
    snprintf(variable, sizeof variable, "%.*s",
             (int)(len < sizeof variable ? len : sizeof variable), entry);
    unknown_variable(set, variable, variable + strlen(table->prefix) + 1);
}

void option_read_environment(struct option_set *set, char *const envp[])
{
    const char *prefix = set->table->prefix;
    size_t len = strlen(prefix);

    for (; *envp; envp++)
        if (!strncmp(*envp, prefix, len) && (*envp)[len] == '_' && strchr(*envp + len, '='))
            read_variable(set, *envp);
}

static void file_mistake(struct option_set *set, unsigned line, const struct buf *text)
{
    if (buf_failed(text))
        set->no_memory = true;
    else
        option_configuration_mistake(set, "%s:%u: %s", set->file, line, text->data);
}

static void unknown_name(struct option_set *set, const char *name, const char *near, unsigned line)
{
    cleanup(buf_finish) struct buf text = BUF_INIT;

    buf_puts(&text, "unknown option ");
    option_quote(set->table, &text, name);
    put_hint(&text, "", near);
    if (!near && *name == '-')
        buf_puts(&text, ": names have no dashes in front here");
    file_mistake(set, line, &text);
}

/* True, with a mistake, when a known option cannot be set by this line. */
static bool refuse_line(struct option_set *set, const struct option_spec *spec, const char *value,
                        unsigned line)
{
    cleanup(buf_finish) struct buf text = BUF_INIT;
    const struct option_value *earlier = option_earlier(set, spec, OPTION_FILE);
    size_t len = strlen(value);

    if (spec->type == OPTION_ACTION || spec->not_in_file)
        buf_printf(&text, "%s cannot stand in a file", spec->name);
    else if (earlier && !spec->repeatable)
        buf_printf(&text, "%s is given twice, here and on line %u", spec->name, earlier->line);
    else if (len > 1 && strchr("\"'", value[0]) && value[len - 1] == value[0])
        buf_printf(&text, "%s: write the value without quotes", spec->name);
    else
        return false;
    file_mistake(set, line, &text);
    return true;
}

static char *trim(char *text)
{
    text += strspn(text, " \t\r");
    size_t len = strlen(text);
    while (len && strchr(" \t\r", text[len - 1]))
        text[--len] = '\0';
    return text;
}

static void cut_comment(char *text)
{
    for (char *c = text; (c = strchr(c, '#')); c++)
        if (c == text || strchr(" \t", c[-1])) {
            *c = '\0';
            return;
        }
}

/* `text` is the line without its end, and is written into. */
static void read_line(struct option_set *set, char *text, unsigned line)
{
    const char *near;

    cut_comment(text);
    text = trim(text);
    if (!*text)
        return;
    char *equals = strchr(text, '=');
    if (!equals) {
        cleanup(buf_finish) struct buf mistake = BUF_INIT;
        option_quote(set->table, &mistake, text);
        buf_puts(&mistake, " is not of the form \"name = value\"");
        file_mistake(set, line, &mistake);
        return;
    }
    *equals = '\0';
    char *name = trim(text), *value = trim(equals + 1);
    const struct option_spec *spec = option_find(set->table, name, &near);
    if (!spec)
        unknown_name(set, name, near, line);
    else if (!refuse_line(set, spec, value, line))
        option_add(set, spec, value, OPTION_FILE, line);
}

/* False, with a mistake, when the line holds what no text file does. */
static bool line_is_text(struct option_set *set, const char *text, size_t len, unsigned line)
{
    size_t used;

    for (size_t i = 0; i < len; i += used) {
        unsigned char c = (unsigned char)text[i];
        used = escape_utf8_length(text + i, len - i);
        if (used && (c >= 0x20 || c == '\t' || c == '\r') && c != 0x7f)
            continue;
        option_configuration_mistake(set,
                                     "%s:%u: byte \\x%02x is no UTF-8 text: is this a "
                                     "configuration file?",
                                     set->file, line, c);
        return false;
    }
    return true;
}

static void read_lines(struct option_set *set, char *text, size_t len)
{
    static const char mark[] = "\xef\xbb\xbf"; /* what some editors put in front */
    char *end = text + len;
    unsigned line = 0;

    if (len >= 3 && !memcmp(text, mark, 3))
        text += 3;
    while (text < end) {
        char *stop = memchr(text, '\n', (size_t)(end - text));
        if (!stop)
            stop = end; /* the buffer's own NUL stands there */
        if (!line_is_text(set, text, (size_t)(stop - text), ++line))
            return;
        *stop = '\0';
        read_line(set, text, line);
        text = stop + 1;
    }
}

/* Reads at most one byte more than a file may have. 0, or what errno says. */
static int read_all(const char *path, struct buf *ret_bytes)
{
    int error = 0, fd = open(path, O_RDONLY | O_CLOEXEC);
    char part[4096]; /* a page at a time */

    if (fd < 0)
        return errno;
    while (!error && ret_bytes->len <= OPTION_FILE_MAX) {
        ssize_t got = read(fd, part, sizeof part);
        if (got > 0)
            buf_append(ret_bytes, part, (size_t)got);
        else if (!got)
            break;
        else if (errno != EINTR)
            error = errno;
        if (buf_failed(ret_bytes))
            error = ENOMEM;
    }
    close(fd);
    return error;
}

void option_read_file(struct option_set *set, const char *path)
{
    cleanup(buf_finish) struct buf bytes = BUF_INIT;
    char shown[4096]; /* PATH_MAX */

    escape_text(ESCAPE_TEXT, path, strlen(path), shown, sizeof shown);
    set->file = strdup(shown);
    if (!set->file) {
        set->no_memory = true;
        return;
    }
    int error = read_all(path, &bytes);
    if (error)
        option_configuration_mistake(set, "%s: cannot be read: %s", shown, err_system(error));
    else if (bytes.len > OPTION_FILE_MAX)
        option_configuration_mistake(set, "%s: is larger than %d KiB: is it a configuration file?",
                                     shown, OPTION_FILE_MAX / 1024);
    else if (bytes.len)
        read_lines(set, bytes.data, bytes.len);
}
