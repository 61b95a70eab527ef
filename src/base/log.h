/*
 * The log: stderr, one line an event. Whoever handles an error logs it, once; lower rooms return
 * it.
 *
 *     log_event(LOG_INFO, "store opened", LOG_STR("file", path), LOG_INT("jobs", count));
 *
 * Text:  2024-03-01T10:00:00.000Z info  store opened file=understudy.db jobs=3
 * JSON:  {"time":"…","level":"info","event":"store opened","file":"understudy.db","jobs":3}
 *
 * Values come from clients: control characters, quotes and invalid UTF-8 are escaped, so that one
 * event stays one line and says nothing that it should not; API keys and the control token are
 * blotted out (base/blot.h). In text, a value stands in quotes where
 * it would be ambiguous without. A line is written by one write(2) from a buffer of fixed size, so
 * lines of several threads never mix: a value longer than LOG_VALUE_SIZE is cut and ends in "…",
 * and fields that do not fit the line any more are left out, which `cut=1` tells at its end.
 *
 * When stderr is a pipe that nobody empties, a line waits LOG_WAIT_MS for room and is then dropped;
 * the next line that goes out tells how many were (`dropped=3`).
 *
 * Any thread may log. errno stays as it was. The log reads the wall clock, for its time alone.
 */
#ifndef UNDERSTUDY_BASE_LOG_H
#define UNDERSTUDY_BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };
enum log_format { LOG_FORMAT_TEXT, LOG_FORMAT_JSON };

enum {
    LOG_LINE_SIZE = 4096, /* PIPE_BUF: up to here a write to a pipe is whole or not at all */
    LOG_VALUE_SIZE = 512, /* a long path or URL fits; five of them fit the line */
    LOG_WAIT_MS = 100,    /* a log that nobody reads may not hold a request for longer */
};

struct log_field {
    const char *name; /* NULL ends the list; a plain word, written as it is */
    const char *text; /* the value, or NULL for `number` */
    int64_t number;
};

#define LOG_STR(name_, value_)                                                                     \
    {                                                                                              \
        .name = (name_), .text = log_text_or_dash(value_)                                          \
    }
#define LOG_INT(name_, value_)                                                                     \
    {                                                                                              \
        .name = (name_), .number = (int64_t)(value_)                                               \
    }

static inline const char *log_text_or_dash(const char *text)
{
    return text ? text : "-";
}

/* Before any thread starts. Default: info, text. */
void log_setup(enum log_level level, enum log_format format);

/* Whether an event of this level would be written: for what is costly to put together. */
bool log_enabled(enum log_level level);

/* Writes one event; `fields` ends with a nameless one. Strings are NUL-terminated and only read. */
void log_write(enum log_level level, const char *event, const struct log_field *fields);

#define log_event(level_, event_, ...)                                                             \
    log_write((level_), (event_), (const struct log_field[]){__VA_ARGS__, {.name = (void *)0}})
#define log_message(level_, event_) log_write((level_), (event_), (const struct log_field[]){{0}})

#endif
