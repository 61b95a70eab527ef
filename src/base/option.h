/*
 * Options from one table: what the command line, the environment and a configuration file may say,
 * what --help prints, what --check-config prints and what the documentation lists, so that none of
 * them can disagree with another. The names are derived: `queue-time` is the flag --queue-time, the
 * variable <PREFIX>_QUEUE_TIME, and the line `queue-time = 2s` of a file.
 *
 * Reading goes in three steps, on one thread, before any other starts:
 *
 *     option_set_init(&set, &table);
 *     option_read_command(&set, argc, argv);       then option_read_environment, option_read_file
 *     option_apply(&set, &config);                 parses what counts into the caller's struct
 *
 * A flag counts before the environment, the environment before the file, the file before the
 * default; the values of a repeatable option are replaced as a whole. Every value is checked where
 * it is read, also one that something stronger replaces. Nothing stops at the first mistake: each
 * becomes a line of `mistakes`, with the place it stands in, and the caller looks at the counts at
 * the end. Secrets never appear in a text of this module: at most their last four characters do.
 *
 * The file: `name = value`, white space around both ignored; blank lines; `#` at the start of a
 * line or after white space starts a comment. Values take no quotes.
 */
#ifndef UNDERSTUDY_BASE_OPTION_H
#define UNDERSTUDY_BASE_OPTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

enum option_type {
    OPTION_FLAG,     /* bool: --name, --name=true; true/false, yes/no, on/off, 1/0 */
    OPTION_NUMBER,   /* int64_t, min to max */
    OPTION_SIZE,     /* int64_t in bytes, min to max */
    OPTION_DURATION, /* int64_t in milliseconds, min to max */
    OPTION_CHOICE,   /* int, the index in `choices` */
    OPTION_PARSED,   /* whatever `parse` makes of it */
    OPTION_ACTION,   /* takes no value, has no default, and only a command line can ask for it */
};

/* Weakest first. */
enum option_source { OPTION_DEFAULT, OPTION_FILE, OPTION_ENVIRONMENT, OPTION_COMMAND };

struct option_spec {
    const char *name;
    char letter; /* -h for --help; 0 for none */
    enum option_type type;
    bool repeatable; /* OPTION_PARSED only: `parse` is called once for each value */
    bool secret;     /* values are shown by their last four characters, after the table's prefix */
    bool not_in_file;
    const char *group;          /* heading in --help; an option without one follows the last */
    const char *argument;       /* what --help calls the value, "FILE" */
    const char *help;           /* a sentence or more, without line breaks */
    const char *fallback;       /* the default as it would be written, or NULL for none */
    const char *fallback_help;  /* how to say the default where `fallback` cannot, or NULL */
    const char *const *choices; /* NULL ends it */
    int64_t min, max;
    size_t offset; /* of the destination in the struct given to option_apply */

    /*
     * Checks a NUL-terminated value, and with a `target` (the struct itself, not the offset) also
     * stores a copy there. 0, ERR_NO_MEMORY, or ERR_INVALID with a text that reads on after the
     * option's name and the value and does not repeat the value.
     */
    int (*parse)(const char *text, void *target, struct err *err);
};

struct option_table {
    const char *program;
    const char *prefix;        /* of environment variables, without the underscore */
    const char *secret_prefix; /* what secrets begin with and may be shown of them */
    const char *usage;         /* the lines after "Usage: " */
    const char *epilogue;      /* what --help says after the options */
    const struct option_spec *specs;
    size_t count;
};

enum {
    OPTION_FILE_MAX = 256 * 1024, /* thousands of keys; anything larger is the wrong file */
    OPTION_MISTAKES_MAX = 50,     /* more lines than that help nobody */
    OPTION_NAME_MAX = 64,         /* longest name, as of an environment variable */
};

struct option_value {
    const struct option_spec *spec;
    char *text;
    enum option_source source;
    unsigned line; /* in the file, from 1; 0 elsewhere */
    bool valid;
};

struct option_set {
    const struct option_table *table;
    struct option_value *values;
    size_t count, capacity;
    char *file;      /* the configuration file's name, once read */
    char **operands; /* into argv: what is no option, in order */
    size_t operand_count;
    struct buf mistakes;     /* lines for stderr, each "<program>: <place>: <what is wrong>" */
    struct buf notes;        /* the same, of what was ignored and does not stop anybody */
    unsigned usage_mistakes; /* the command line cannot be understood */
    unsigned configuration_mistakes; /* a value is wrong, or something in environment or file */
    bool no_memory;
};

/* Starts a set with the table's defaults. Finish it with option_set_finish. */
void option_set_init(struct option_set *set, const struct option_table *table);

/* Frees what the set owns. A set of zeros is fine. */
void option_set_finish(struct option_set *set);

/* Replaces an option's default by one that only the running program knows. `name` must exist. */
void option_set_default(struct option_set *set, const char *name, const char *text);

/*
 * Reads argv[1] and on: --name value, --name=value, -x. Everything after "--" and everything that
 * is no option is an operand. `argv` must outlive the set; it is not changed.
 */
void option_read_command(struct option_set *set, int argc, char **argv);

/*
 * Reads the variables that begin with the prefix. A name that no option has is a mistake where it
 * is nearly one, else a note: other programs (clusters that describe their services, test suites)
 * own variables with such names too. `envp` ends with NULL.
 */
void option_read_environment(struct option_set *set, char *const envp[]);

/* Reads a configuration file; what keeps it from being read is a mistake like any in it. */
void option_read_file(struct option_set *set, const char *path);

/*
 * Parses the values that count into `target`. Values known to be wrong are left out, so call it for
 * the mistakes between values (one given twice) even when there are others.
 */
void option_apply(struct option_set *set, void *target);

/* Writes a line of `mistakes` and counts it. For mistakes that only the caller can see. */
void option_usage_mistake(struct option_set *set, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void option_configuration_mistake(struct option_set *set, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* True when nothing was wrong, including that memory sufficed. */
bool option_set_ok(const struct option_set *set);

/* Whether an OPTION_ACTION was asked for; where an option's value comes from; its first value that
 * counts, or NULL. The text belongs to the set. `name` must exist. */
bool option_asked(const struct option_set *set, const char *name);
enum option_source option_source(const struct option_set *set, const char *name);
const char *option_text(const struct option_set *set, const char *name);

/* Appends `text` in quotes, safe for a terminal, cut when long, and without any secret in it. */
void option_quote(const struct option_table *table, struct buf *out, const char *text);

/* The whole text of --help, in at most 80 columns. */
void option_print_help(const struct option_table *table, struct buf *out);

/* The documentation's table, in Markdown. */
void option_print_markdown(const struct option_table *table, struct buf *out);

/* What counts and where it comes from, as --check-config shows it; each line could stand in a
 * configuration file, but for secrets. */
void option_print_effective(const struct option_set *set, struct buf *out);

/* The same as a JSON object: repeatable ones as arrays, absent ones as null. */
void option_print_json(const struct option_set *set, struct buf *out);

#endif
