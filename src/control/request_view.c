#include "control/request_view.h"

#include "base/duration.h"
#include "base/json.h"
#include "base/json_peek.h"
#include "control/header_view.h"
#include "control/internal.h"
#include "control/journal_match.h"
#include "control/payload.h"
#include "engine/finding.h"

#include <string.h>

enum { RETRY_WITHIN_MS = 100 };

/* -- parts ------------------------------------------------------------------------------------- */

static void put_foreign(struct buf *out, const char *name, const char *text)
{
    buf_printf(out, "\"%s\":", name);
    if (text)
        json_put_foreign(out, text, strlen(text));
    else
        buf_puts(out, "null");
    buf_putc(out, ',');
}

static void put_text(struct buf *out, const char *name, const char *text)
{
    buf_printf(out, "\"%s\":", name);
    json_put_text(out, text && *text ? text : NULL);
    buf_putc(out, ',');
}

/* -- headers and bodies ------------------------------------------------------------------------ */

static void put_headers(struct buf *out, const struct journal_text *headers)
{
    json_t *view = header_view_create();
    const char *name, *value;
    bool whole = view != NULL;
    for (size_t at = 0; whole && journal_next_header(headers, &at, &name, &value);)
        whole = header_view_add(view, name, value, strlen(value));
    buf_puts(out, "\"headers\":");
    header_view_put(out, view);
    buf_putc(out, ',');
    out->failed |= !whole;
    json_decref(view);
}

/* Without a comma at its end. */
static void put_body(struct buf *out, const struct journal_text *body)
{
    if (body->data && body->whole)
        payload_put(out, body->data, body->len, body->len < body->whole);
    else
        buf_puts(out, "\"body\":null,\"body_base64\":null");
    buf_printf(out, ",\"body_bytes\":%zu", body->whole);
}

/* -- what it was about ------------------------------------------------------------------------- */

/* The scenario: of the Scenarios API by its id, of the Studio API's page by its slug. */
static void put_scenario(struct buf *out, const struct journal_entry *entry)
{
    static const struct {
        const char *operation;
        size_t part; /* of the path */
    } places[] = {
        {"showScenario", 1}, {"getScenario", 4}, {"updateScenario", 4}, {"deleteScenario", 4}};
    struct journal_request asked;
    struct json_peek peek = json_peek_begin(entry->answer.data, entry->answer.len);
    struct json_part name, value;
    const char *operation = entry->operation_id ? entry->operation_id : "";
    const char *scenario = NULL;
    buf_puts(out, "\"scenario\":");
    if (strcmp(operation, "createScenario") == 0 && entry->status == 201 &&
        json_peek_next(&peek, &name, &value) && json_part_is(name, "id")) {
        buf_append(out, value.text, value.len);
        buf_putc(out, ',');
        return;
    }
    bool knows = journal_request_init(&asked, entry, NULL, 0) == 0;
    for (size_t i = 0; knows && i < sizeof places / sizeof *places; i++)
        if (strcmp(places[i].operation, operation) == 0)
            scenario = journal_request_part(&asked, places[i].part);
    json_put_text(out, scenario);
    buf_putc(out, ',');
    journal_request_finish(&asked);
}

/* The slug of its prefix, where it has one. */
static void put_prefix(struct buf *out, const struct journal_entry *entry)
{
    if (strncmp(entry->target, "/w/", 3) != 0 || !entry->path ||
        strncmp(entry->path, "/w/", 3) == 0)
        return;
    buf_puts(out, "\"prefix\":");
    json_put_foreign(out, entry->target, 3 + strcspn(entry->target + 3, "/?"));
    buf_putc(out, ',');
}

static void put_at(struct buf *out, const struct journal_entry *entry)
{
    buf_puts(out, "\"at\":");
    if (entry->at >= 0)
        control_put_time(out, entry->at);
    else
        buf_puts(out, "null");
    buf_putc(out, ',');
}

static void put_times(struct buf *out, const struct journal_entry *entry)
{
    char duration[DURATION_TEXT_SIZE];
    put_at(out, entry);
    buf_puts(out, "\"sent_at\":");
    control_put_time(out, entry->sent_at);
    duration_format(entry->duration > 0 ? entry->duration : 0, duration);
    buf_printf(out, ",\"duration\":\"%s\",\"connection\":%lld,", duration,
               (long long)entry->connection);
}

static void put_request_line(struct buf *out, const struct journal_entry *entry)
{
    const char *query = strchr(entry->target, '?');
    put_foreign(out, "method", entry->method);
    put_prefix(out, entry);
    put_foreign(out, "path", entry->path);
    put_foreign(out, "query", query ? query + 1 : NULL);
    put_foreign(out, "target", entry->target);
}

static void put_outcome(struct buf *out, const struct request_view *view)
{
    const struct journal_entry *entry = view->entry;
    int outcome = entry->outcome;
    put_text(out, "operation", entry->operation_id);
    put_text(out, "outcome",
             outcome < 0 ? NULL : outcome_index_name(view->outcomes, (size_t)outcome));
    if (entry->status)
        buf_printf(out, "\"status\":%d,", entry->status);
    else
        buf_puts(out, "\"status\":null,");
    put_text(out, "end", journal_end_names[entry->end]);
}

void request_view_put_findings(struct buf *out, uint64_t findings)
{
    const char *separator = "";
    buf_putc(out, '[');
    for (int i = 0; i < FINDINGS; i++) {
        if (!(findings & finding_bit((enum finding)i)))
            continue;
        buf_printf(out, "%s\"%s\"", separator, finding_names[i]);
        separator = ",";
    }
    buf_putc(out, ']');
}

static void put_answer(struct buf *out, const struct journal_entry *entry)
{
    buf_puts(out, ",\"answer\":");
    if (!entry->status) {
        buf_puts(out, "null");
        return;
    }
    buf_putc(out, '{');
    put_headers(out, &entry->answer_headers);
    put_body(out, &entry->answer);
    buf_putc(out, '}');
}

void request_view_put(struct buf *out, const struct request_view *view)
{
    const struct journal_entry *entry = view->entry;
    buf_printf(out, "{\"id\":%lld,", (long long)entry->number);
    put_foreign(out, "x_request_id", entry->id);
    put_request_line(out, entry);
    put_outcome(out, view);
    put_times(out, entry);
    put_text(out, "key", entry->key);
    put_text(out, "job", entry->job);
    put_scenario(out, entry);
    put_text(out, "rule", entry->rule);
    if (view->retry_of)
        buf_printf(out, "\"runtime_retry\":{\"of\":%lld},", (long long)view->retry_of);
    buf_puts(out, "\"findings\":");
    request_view_put_findings(out, entry->findings & ~view->ignored);
    buf_putc(out, ',');
    put_headers(out, &entry->headers);
    put_body(out, &entry->body);
    put_answer(out, entry);
    buf_putc(out, '}');
}

void request_view_put_short(struct buf *out, const struct request_view *view)
{
    const struct journal_entry *entry = view->entry;
    buf_printf(out, "{\"id\":%lld,", (long long)entry->number);
    put_foreign(out, "x_request_id", entry->id);
    put_foreign(out, "method", entry->method);
    put_foreign(out, "path", entry->path);
    put_outcome(out, view);
    put_at(out, entry);
    put_text(out, "job", entry->job);
    buf_puts(out, "\"rule\":");
    json_put_text(out, *entry->rule ? entry->rule : NULL);
    buf_putc(out, '}');
}

/* -- the same again ---------------------------------------------------------------------------- */

static bool is_same_text(const struct journal_text *a, const struct journal_text *b)
{
    return a->len == b->len && a->whole == b->whole &&
           (!a->len || memcmp(a->data, b->data, a->len) == 0);
}

static bool is_same(const struct journal_entry *a, const struct journal_entry *b)
{
    return a->connection != b->connection && is_same_text(&a->headers, &b->headers) &&
           is_same_text(&a->body, &b->body) && strcmp(a->method, b->method) == 0 &&
           strcmp(a->target, b->target) == 0;
}

int64_t request_view_retry_of(struct journal_entry *const *entries, size_t index)
{
    const struct journal_entry *entry = entries[index];
    for (size_t i = index; i-- > 0;) {
        const struct journal_entry *before = entries[i];
        /* Numbers are in the order of the ends, but for a few that end at the same time. */
        int64_t between = entry->sent_at - (before->sent_at + before->duration);
        if (between > INT64_C(2) * RETRY_WITHIN_MS)
            break;
        if (between <= RETRY_WITHIN_MS && before->sent_at <= entry->sent_at &&
            !before->is_control && is_same(entry, before))
            return before->number;
    }
    return 0;
}
