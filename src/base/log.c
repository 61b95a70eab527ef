#include "base/log.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/blot.h"
#include "base/escape.h"
#include "base/time.h"

enum { READ_MAX = LOG_VALUE_SIZE + 6 * BLOT_TOKEN_MAX }; /* its characters may be \u00NN */

/* Kept free at the end of a line for ` cut=1`, ` dropped=N`, the brace and the newline. */
enum { LINE_RESERVE = 64 };

struct line {
    char bytes[LOG_LINE_SIZE];
    size_t len;
    bool cut;
};

static enum log_level log_level = LOG_INFO;
static enum log_format log_format = LOG_FORMAT_TEXT;
static atomic_uint log_dropped;

static const char *const level_names[] = {"error", "warn", "info", "debug"};

void log_setup(enum log_level level, enum log_format format)
{
    log_level = level;
    log_format = format;
}

bool log_enabled(enum log_level level)
{
    return level <= log_level;
}

static void line_put(struct line *line, const char *text, size_t len)
{
    memcpy(line->bytes + line->len, text, len);
    line->len += len;
}

static bool text_needs_quotes(const char *text, const char *escaped)
{
    return !*text || strpbrk(text, " =\"\\") || strcmp(text, escaped) != 0;
}

/* No more is read of a text than there is room for, or than a secret is long that begins there: the
 * rest would be cut. What is secret may stand in anything that clients send. */
static void read_value(const char *text, char ret_plain[READ_MAX + 1])
{
    size_t len = strnlen(text, READ_MAX);
    memcpy(ret_plain, text, len);
    ret_plain[len] = '\0';
    blot_keys(ret_plain, len, true);
}

/* Puts a field together; false when a piece was longer than `size`, which only a name can be. */
static bool format_field(const struct log_field *field, char *out, size_t size, size_t *ret_len)
{
    char plain[READ_MAX + 1], value[LOG_VALUE_SIZE], number[24];
    bool json = log_format == LOG_FORMAT_JSON, quotes = false;
    const char *shown = number;

    if (field->text) {
        read_value(field->text, plain);
        escape_text(json ? ESCAPE_JSON : ESCAPE_TEXT, plain, strlen(plain), value, sizeof value);
        quotes = json || text_needs_quotes(plain, value);
        shown = value;
    } else {
        snprintf(number, sizeof number, "%" PRId64, field->number);
    }
    const char *quote = quotes ? "\"" : "";
    int len = snprintf(out, size, json ? ",\"%s\":%s%s%s" : " %s=%s%s%s", field->name, quote, shown,
                       quote);
    *ret_len = (size_t)len;
    return len >= 0 && (size_t)len < size;
}

static void line_field(struct line *line, const struct log_field *field)
{
    char text[LOG_VALUE_SIZE + 64];
    size_t len;

    if (!format_field(field, text, sizeof text, &len) ||
        len > sizeof line->bytes - LINE_RESERVE - line->len)
        line->cut = true;
    else
        line_put(line, text, len);
}

static void line_begin(struct line *line, enum log_level level, const char *event)
{
    char time[TIME_TEXT_SIZE], shown[LOG_VALUE_SIZE];
    bool json = log_format == LOG_FORMAT_JSON;

    time_format_millis(time_wall_ms(), time);
    escape_text(json ? ESCAPE_JSON : ESCAPE_TEXT, event, strnlen(event, sizeof shown), shown,
                sizeof shown);
    int len = snprintf(line->bytes, sizeof line->bytes,
                       json ? "{\"time\":\"%s\",\"level\":\"%s\",\"event\":\"%s\"" : "%s %-5s %s",
                       time, level_names[level], shown);
    line->len = (size_t)len; /* both parts are bounded well below the line */
    line->cut = false;
}

static void line_number(struct line *line, const char *name, unsigned number)
{
    char text[LINE_RESERVE / 2];
    int len = snprintf(text, sizeof text, log_format == LOG_FORMAT_JSON ? ",\"%s\":%u" : " %s=%u",
                       name, number);
    line_put(line, text, (size_t)len);
}

static void line_end(struct line *line, unsigned dropped)
{
    if (line->cut)
        line_number(line, "cut", 1);
    if (dropped)
        line_number(line, "dropped", dropped);
    if (log_format == LOG_FORMAT_JSON)
        line_put(line, "}", 1);
    line_put(line, "\n", 1);
}

/* Waits for room in a stderr that someone made non-blocking; false when there was none in time. */
static bool wait_for_room(void)
{
    struct pollfd stderr_poll = {.fd = STDERR_FILENO, .events = POLLOUT};
    int ready;

    do
        ready = poll(&stderr_poll, 1, LOG_WAIT_MS);
    while (ready < 0 && errno == EINTR);
    return ready > 0 && (stderr_poll.revents & POLLOUT);
}

/* One write(2) but for signals and for files and terminals that took only a part. */
static bool write_line(const struct line *line)
{
    size_t done = 0;

    while (done < line->len) {
        ssize_t written = write(STDERR_FILENO, line->bytes + done, line->len - done);
        if (written > 0)
            done += (size_t)written;
        else if (!written || (errno == EAGAIN ? !wait_for_room() : errno != EINTR))
            return false;
    }
    return true;
}

void log_write(enum log_level level, const char *event, const struct log_field *fields)
{
    if (!log_enabled(level))
        return;

    int saved_errno = errno;
    struct line line;
    line_begin(&line, level, event);
    for (; fields->name; fields++)
        line_field(&line, fields);

    unsigned dropped = atomic_exchange(&log_dropped, 0);
    line_end(&line, dropped);
    if (!write_line(&line))
        atomic_fetch_add(&log_dropped, dropped + 1);
    errno = saved_errno;
}
