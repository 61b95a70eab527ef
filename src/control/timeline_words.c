/* Items of a timeline: requests, what faults made of them, and control writes. */
#include "base/blot.h"
#include "base/duration.h"
#include "base/json.h"
#include "base/json_peek.h"
#include "control/internal.h"
#include "control/request_view.h"
#include "control/timeline.h"
#include "engine/finding.h"

#include <stdlib.h>
#include <string.h>
#include <unistr.h>

enum {
    PATH_MAX_SHOWN = 72, /* characters */
    MESSAGE_MAX = 60,
    LABEL_MAX = 40,
};

/* -- plain text -------------------------------------------------------------------------------- */

/* Marks that change the direction of what follows. */
static bool turns_around(ucs4_t c)
{
    return (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) || c == 0x200e ||
           c == 0x200f || c == 0x061c;
}

static bool is_blank(ucs4_t c)
{
    return c <= ' ' || (c >= 0x7f && c <= 0xa0) || c == 0x2028 || c == 0x2029;
}

static void put_plain(struct buf *out, const char *text, size_t max)
{
    size_t len = strlen(text), count = 0;
    for (size_t at = 0; at < len;) {
        ucs4_t c = (unsigned char)text[at];
        uint8_t utf8[6];
        int size = u8_mbtoucr(&c, (const uint8_t *)text + at, len - at);
        if (size <= 0) { /* as HTTP once said: Latin-1 */
            c = (unsigned char)text[at];
            size = 1;
        }
        at += (size_t)size;
        if (turns_around(c))
            continue;
        if (count++ == max) {
            buf_puts(out, "…");
            return;
        }
        if (is_blank(c))
            c = ' ';
        int written = u8_uctomb(utf8, c, sizeof utf8);
        if (written > 0)
            buf_append(out, utf8, (size_t)written);
    }
}

/* Before it is cut: the beginning of an API key is secret, too. */
void timeline_put_plain(struct buf *out, const char *text, size_t max)
{
    if (!blot_has_secret(text)) {
        put_plain(out, text, max);
        return;
    }
    char *copy = strdup(text);
    out->failed |= !copy;
    if (copy) {
        blot_keys(copy, strlen(copy), true);
        put_plain(out, copy, max);
    }
    free(copy);
}

void timeline_put_span(struct buf *out, int64_t ms)
{
    const int64_t second = 1000, minute = 60 * second, hour = 60 * minute, day = 24 * hour;
    static const struct {
        int64_t size;
        const char *name;
    } units[] = {{INT64_C(86400000), "d"}, {INT64_C(3600000), "h"}, {INT64_C(60000), "m"}};
    if (ms < second) {
        buf_printf(out, "%lldms", (long long)ms);
        return;
    }
    if (ms < minute) {
        buf_int(out, ms / second);
        if (ms % second / 100)
            buf_printf(out, ".%lld", (long long)(ms % second / 100));
        buf_putc(out, 's');
        return;
    }
    /* The largest unit, and what is left in the next one. */
    size_t i = ms >= day ? 0 : ms >= hour ? 1 : 2;
    int64_t smaller = i == 0 ? hour : i == 1 ? minute : second;
    buf_printf(out, "%lld%s", (long long)(ms / units[i].size), units[i].name);
    if (ms % units[i].size / smaller)
        buf_printf(out, "%lld%s", (long long)(ms % units[i].size / smaller),
                   i == 2 ? "s" : units[i + 1].name);
}

/* -- members ----------------------------------------------------------------------------------- */

void timeline_put_text(struct buf *out, const char *name, const char *text)
{
    buf_printf(out, ",\"%s\":", name);
    size_t from = out->len;
    json_put_text(out, text && *text ? text : NULL);
    if (text && blot_has_secret(text) && !buf_failed(out))
        blot_keys(out->data + from, out->len - from, true);
}

static void put_foreign(struct buf *out, const char *name, const char *text)
{
    buf_printf(out, ",\"%s\":", name);
    if (text)
        json_put_foreign(out, text, strlen(text));
    else
        buf_puts(out, "null");
}

void timeline_put_number(struct buf *out, const char *name, int64_t number)
{
    if (number)
        buf_printf(out, ",\"%s\":%lld", name, (long long)number);
    else
        buf_printf(out, ",\"%s\":null", name);
}

void timeline_put_time(struct buf *out, const char *name, int64_t at)
{
    buf_printf(out, ",\"%s\":", name);
    if (at < 0)
        buf_puts(out, "null");
    else
        control_put_time(out, at);
}

static void put_duration(struct buf *out, int64_t ms)
{
    char text[DURATION_TEXT_SIZE];
    duration_format(ms > 0 ? ms : 0, text);
    timeline_put_text(out, "duration", text);
}

/* -- requests ---------------------------------------------------------------------------------- */

void timeline_put_turn(struct buf *out, const struct journal_entry *entry)
{
    if (entry && !entry->is_control)
        buf_printf(out, "[%lld] ", (long long)entry->number);
}

/* Method and path; the query is left out, which may be long. */
static void put_request_line(struct buf *out, const struct journal_entry *entry)
{
    timeline_put_plain(out, entry->method ? entry->method : "?", LABEL_MAX);
    buf_putc(out, ' ');
    timeline_put_plain(out, entry->path ? entry->path : entry->target, PATH_MAX_SHOWN);
}

/* A text of the answer's, as it stands there: without its escapes, it is but shown. */
static void put_part(struct buf *out, struct json_part part)
{
    struct buf text = BUF_INIT;
    for (size_t i = 0; i < part.len; i++) {
        if (part.text[i] == '\\' && i + 1 < part.len)
            i++;
        buf_putc(&text, part.text[i]);
    }
    timeline_put_plain(out, text.data ? text.data : "", MESSAGE_MAX);
    out->failed |= buf_failed(&text);
    buf_finish(&text);
}

/* What went wrong, as the answer's own body says: its code, or else its message. */
static void put_error(struct buf *out, struct json_part error)
{
    struct json_peek peek = json_peek_begin(error.text, error.len);
    struct json_part name, value, message = json_part_text(error), code = {0};
    while (json_peek_next(&peek, &name, &value)) {
        if (json_part_is(name, "message"))
            message = json_part_text(value);
        else if (json_part_is(name, "code"))
            code = json_part_text(value);
    }
    if (!code.text && !message.text)
        return;
    buf_puts(out, " ");
    put_part(out, code.text ? code : message);
}

/* The state that a job is in, the job that was there already, or what was wrong. */
static void put_answer(struct buf *out, const struct journal_entry *entry)
{
    struct json_peek peek = json_peek_begin(entry->answer.data, entry->answer.len);
    struct json_part name, value;
    buf_printf(out, "%d", entry->status);
    while (json_peek_next(&peek, &name, &value)) {
        if (json_part_is(name, "status") && json_part_text(value).text) {
            buf_putc(out, ' ');
            put_part(out, json_part_text(value));
        } else if (json_part_is(name, "error") && entry->status >= 400) {
            put_error(out, value);
        } else if (json_part_is(name, "is_new") && json_part_is(value, "false")) {
            buf_puts(out, ", known already");
        }
    }
}

static void put_end(struct buf *out, const struct journal_entry *entry)
{
    buf_puts(out, " → ");
    if (entry->end == JOURNAL_LEFT) {
        buf_puts(out, "no answer: its client left after ");
        timeline_put_span(out, entry->duration);
    } else if (!entry->status) {
        buf_puts(out, "no answer");
    } else {
        put_answer(out, entry);
    }
}

/* A job's state that the answer shows; NULL. */
static const char *state_of(const struct timeline *timeline, const struct journal_entry *entry)
{
    size_t count;
    const struct timeline_touch *touches = timeline_touches(timeline, entry->job, &count);
    for (size_t i = 0; *entry->job && i < count; i++)
        if (touches[i].entry == entry && touches[i].shown >= 0)
            return job_status_name((enum job_status)touches[i].shown);
    return NULL;
}

static uint64_t findings_of(const struct timeline *timeline, const struct journal_entry *entry)
{
    return entry->findings & ~atomic_load(&timeline->workspace->lint_ignored);
}

/* ", lint: misspelled_path" */
static void put_findings(struct buf *out, uint64_t findings)
{
    const char *separator = ", lint: ";
    for (int i = 0; i < REQUEST_FINDINGS; i++) {
        if (!(findings & finding_bit((enum finding)i)))
            continue;
        buf_printf(out, "%s%s", separator, finding_names[i]);
        separator = ", ";
    }
}

static void put_request(struct timeline_tell *tell, const struct journal_entry *entry,
                        int64_t retry_of)
{
    struct outcome_index *outcomes = control_of(tell->timeline->request)->outcomes;
    struct buf *out = &tell->json;
    int outcome = entry->outcome;
    timeline_put_time(out, "sent_at", entry->sent_at);
    timeline_put_number(out, "request", entry->number);
    put_foreign(out, "x_request_id", entry->id);
    put_foreign(out, "method", entry->method);
    put_foreign(out, "path", entry->path);
    timeline_put_text(out, "operation", entry->operation_id);
    timeline_put_text(out, "outcome",
                      outcome < 0 ? NULL : outcome_index_name(outcomes, (size_t)outcome));
    timeline_put_number(out, "status", entry->status);
    timeline_put_text(out, "end", journal_end_names[entry->end]);
    put_duration(out, entry->duration);
    timeline_put_text(out, "key", entry->key);
    timeline_put_text(out, "job", entry->job);
    timeline_put_text(out, "state", state_of(tell->timeline, entry));
    timeline_put_text(out, "rule", entry->rule);
    buf_puts(out, ",\"findings\":");
    request_view_put_findings(out, findings_of(tell->timeline, entry));
    if (retry_of)
        timeline_put_number(out, "retry_of", retry_of);
}

/* Whether an entry with that number is there, and its client may have sent it anew for want of an
 * answer. */
static bool is_unanswered(const struct timeline *timeline, int64_t number)
{
    for (size_t i = timeline->entry_count; i-- > 0;)
        if (timeline->entries[i]->number == number)
            return timeline->entries[i]->end != JOURNAL_ANSWERED;
    return false;
}

void timeline_tell_request(struct timeline_tell *tell, size_t index)
{
    const struct timeline *timeline = tell->timeline;
    const struct journal_entry *entry = timeline->entries[index];
    struct buf *words = &tell->words;
    int64_t retry_of = request_view_retry_of(timeline->entries, index);
    if (!timeline->window.is_text)
        put_request(tell, entry, retry_of);
    timeline_put_turn(words, entry);
    put_request_line(words, entry);
    put_end(words, entry);
    if (retry_of && is_unanswered(timeline, retry_of))
        buf_printf(words, ", [%lld] again (by its runtime?)", (long long)retry_of);
    put_findings(words, findings_of(timeline, entry));
    if (entry->end == JOURNAL_LEFT)
        return;
    buf_puts(words, "  ");
    timeline_put_span(words, entry->duration > 0 ? entry->duration : 0);
}

/* -- faults ------------------------------------------------------------------------------------ */

void timeline_tell_fault(struct timeline_tell *tell, const struct journal_entry *entry)
{
    static const char *const words[JOURNAL_ENDS] = {
        [JOURNAL_TRUNCATED] = "the answer was cut off, and the connection closed",
        [JOURNAL_DRIPPED] = "the answer came slowly, in drops",
        [JOURNAL_DROPPED] = "the connection was reset, without an answer",
        [JOURNAL_HUNG] = "the connection was held without an answer",
        [JOURNAL_GARBAGE] = "what was sent back is no HTTP",
    };
    struct buf *out = &tell->json;
    timeline_put_time(out, "sent_at", entry->sent_at);
    timeline_put_text(out, "fault", journal_end_names[entry->end]);
    timeline_put_number(out, "request", entry->number);
    timeline_put_text(out, "job", entry->job);
    timeline_put_text(out, "rule", entry->rule);
    timeline_put_turn(&tell->words, entry);
    buf_puts(&tell->words, words[entry->end]);
}

/* -- control writes ---------------------------------------------------------------------------- */

static void put_caller(struct buf *out, const struct journal_entry *entry)
{
    static const struct {
        const char *name, *words;
    } callers[] = {{"control_token", "the control token"}, {"loopback", "loopback"}};
    if (!entry->caller)
        return;
    buf_puts(out, "  by ");
    for (size_t i = 0; i < sizeof callers / sizeof *callers; i++) {
        if (strcmp(callers[i].name, entry->caller) == 0) {
            buf_puts(out, callers[i].words);
            return;
        }
    }
    if (*entry->key)
        buf_printf(out, "key …%s", entry->key);
    else
        buf_puts(out, "anybody");
}

/* The clock goes by itself, but for these. */
static bool moves_clock(const struct journal_entry *entry)
{
    static const char *const operations[] = {"advanceClock", "setClock"};
    for (size_t i = 0; i < sizeof operations / sizeof *operations; i++)
        if (entry->operation_id && strcmp(entry->operation_id, operations[i]) == 0)
            return entry->clock > entry->at;
    return false;
}

void timeline_tell_control(struct timeline_tell *tell, const struct journal_entry *entry)
{
    struct buf *out = &tell->json, *words = &tell->words;
    timeline_put_time(out, "sent_at", entry->sent_at);
    put_foreign(out, "x_request_id", entry->id);
    put_foreign(out, "method", entry->method);
    put_foreign(out, "path", entry->path);
    timeline_put_text(out, "operation", entry->operation_id);
    timeline_put_number(out, "status", entry->status);
    put_duration(out, entry->duration);
    timeline_put_text(out, "caller", entry->caller);
    timeline_put_text(out, "key", entry->key);
    timeline_put_text(out, "job", entry->job);
    timeline_put_time(out, "clock", entry->clock);
    put_request_line(words, entry);
    put_end(words, entry);
    if (moves_clock(entry)) {
        buf_puts(words, ", the clock went on ");
        timeline_put_span(words, entry->clock - entry->at);
    }
    put_caller(words, entry);
}
