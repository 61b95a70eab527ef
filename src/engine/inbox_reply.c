/* What inboxes answer: from the JSON that was given to the row that is kept, and back. */
#include "engine/inbox.h"

#include "base/duration.h"
#include "base/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATH_SIZE = 24 }; /* "[99]." */

struct reply_body {
    struct field_whole status, times, delay;
    const json_t *headers, *body;
};

static bool check_times(const json_t *value)
{
    double times = json_number_value(value);
    return times >= 1 && times <= INBOX_REPLY_TIMES_MAX;
}

static bool check_delay(const json_t *value)
{
    int64_t ms = 0;
    return duration_parse(json_string_value(value), &ms, NULL) == 0 && ms <= INBOX_DELAY_MAX_MS;
}

#define TO(member_) .offset = offsetof(struct reply_body, member_)

const struct field inbox_reply_fields[] = {
    {"status", FIELD_WHOLE, .required = true, .what = REPLY_STATUS, .check = reply_check_status,
     TO(status)},
    {"times", FIELD_WHOLE, .what = "a whole number from 1 to 1000000000", .check = check_times,
     TO(times)},
    {"delay", FIELD_DURATION, .what = "a duration with its unit, at most \"5m\"",
     .check = check_delay, TO(delay)},
    {"headers", FIELD_OBJECT, .what = REPLY_HEADERS, .check = reply_check_headers, TO(headers)},
    {"body", FIELD_ANY, .nullable = true, .what = "any JSON value", TO(body)},
};
const size_t inbox_reply_field_count = sizeof inbox_reply_fields / sizeof *inbox_reply_fields;

/* -- reading ----------------------------------------------------------------------------------- */

/* The part of a reply that its row has no columns for. */
static char *document_of(const json_t *reply, size_t *io_bytes)
{
    static const char *const kept[] = {"delay", "headers", "body"};
    struct buf text = BUF_INIT;
    size_t len = 0;
    buf_putc(&text, '{');
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) {
        const json_t *value = json_object_get(reply, kept[i]);
        if (!value)
            continue;
        buf_printf(&text, "%s\"%s\":", text.len > 1 ? "," : "", kept[i]);
        json_put_value(&text, value);
    }
    buf_putc(&text, '}');
    char *document = buf_take(&text, &len);
    *io_bytes += len;
    return document;
}

static int read_one(const json_t *value, const char *path, bool is_last,
                    struct complaint *complaint, struct inbox_reply_row *row, size_t *io_bytes)
{
    struct reply_body body = {.body = NULL};
    if (!json_is_object(value))
        return complain(complaint, "invalid_field", "%.*s must be an object", (int)strlen(path) - 1,
                        path);
    int status =
        complain_read(complaint, path, value, inbox_reply_fields, inbox_reply_field_count, &body);
    if (status < 0)
        return status;
    if (body.body && !reply_may_have_body((int)body.status.value))
        return complain(complaint, "invalid_field", "%sbody cannot go with a status that has none",
                        path);
    row->status = body.status.value;
    row->left = body.times.given ? body.times.value : is_last ? -1 : 1;
    row->document = document_of(value, io_bytes);
    return row->document ? 0 : ERR_NO_MEMORY;
}

int inbox_replies_read(const json_t *array, struct complaint *complaint,
                       struct inbox_replies *replies)
{
    size_t count = json_array_size(array), bytes = 0;
    char path[PATH_SIZE];
    replies->count = 0;
    if (!json_is_array(array) || count > INBOX_REPLIES_MAX)
        return complain(complaint, "invalid_body",
                        "The body must be an array of at most %d replies, as JSON objects",
                        INBOX_REPLIES_MAX);
    for (size_t i = 0; i < count; i++) {
        snprintf(path, sizeof path, "[%zu].", i);
        int status = read_one(json_array_get(array, i), path, i + 1 == count, complaint,
                              &replies->rows[i], &bytes);
        if (status < 0)
            return status;
        replies->count++;
    }
    if (bytes > INBOX_REPLIES_BYTES_MAX)
        return complain(complaint, "invalid_body", "The replies have more than 64 KiB");
    return 0;
}

void inbox_replies_finish(struct inbox_replies *replies)
{
    for (size_t i = 0; i < replies->count; i++)
        free((char *)replies->rows[i].document);
    replies->count = 0;
}

/* -- showing ----------------------------------------------------------------------------------- */

void inbox_reply_put_json(struct buf *out, const struct inbox_reply_row *row)
{
    buf_printf(out, "{\"status\":%lld", (long long)row->status);
    if (row->left >= 0)
        buf_printf(out, ",\"times\":%lld", (long long)row->left);
    if (row->document[1] != '}')
        buf_putc(out, ',');
    buf_puts(out, row->document + 1);
}
