/* HAR 1.2, http://www.softwareishard.com/blog/har-12-spec/: what it has no name for begins with _.
 */
#include "control/request_view.h"

#include "base/json.h"
#include "control/internal.h"
#include "control/payload.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* -- parts ------------------------------------------------------------------------------------- */

static void put_pair(struct buf *out, const char **io_separator, const char *name, size_t name_len,
                     const char *value, size_t value_len)
{
    buf_printf(out, "%s{\"name\":", *io_separator);
    json_put_foreign(out, name, name_len);
    buf_puts(out, ",\"value\":");
    json_put_foreign(out, value, value_len);
    buf_putc(out, '}');
    *io_separator = ",";
}

static void put_headers(struct buf *out, const struct journal_text *headers)
{
    const char *name, *value, *separator = "";
    buf_puts(out, "\"cookies\":[],\"headers\":[");
    for (size_t at = 0; journal_next_header(headers, &at, &name, &value);)
        put_pair(out, &separator, name, strlen(name), value, strlen(value));
    buf_puts(out, "],");
}

/* As they were sent, not decoded. */
static void put_query(struct buf *out, const char *target)
{
    const char *at = strchr(target, '?'), *separator = "";
    buf_puts(out, "\"queryString\":[");
    while (at && *at) {
        at++; /* what is before each pair */
        size_t len = strcspn(at, "&"), name = strcspn(at, "=&");
        size_t value = name < len ? name + 1 : len;
        if (len)
            put_pair(out, &separator, at, name, at + value, len - value);
        at += len;
    }
    buf_puts(out, "],");
}

/* An absolute URL; what may not stand in one is escaped. */
static void put_url(struct buf *out, const struct journal_entry *entry)
{
    static const char rest[] = "-._~:/?[]@!$&'()*+,;=%";
    const char *host = journal_header(&entry->headers, "Host");
    buf_puts(out, "\"url\":\"http://");
    for (const char *at = host && *host ? host : "localhost"; *at; at++)
        if (isalnum((unsigned char)*at) || strchr("-._:[]", *at))
            buf_putc(out, *at);
    if (*entry->target != '/')
        buf_putc(out, '/');
    for (const char *at = entry->target; *at; at++) {
        bool escape =
            *at == '%' && (!isxdigit((unsigned char)at[1]) || !isxdigit((unsigned char)at[2]));
        if (!escape && (isalnum((unsigned char)*at) || strchr(rest, *at)))
            buf_putc(out, *at);
        else
            buf_printf(out, "%%%02X", (unsigned)(unsigned char)*at);
    }
    buf_puts(out, "\",");
}

static const char *type_of(const struct journal_text *headers, const char *otherwise)
{
    const char *type = journal_header(headers, "Content-Type");
    return type ? type : otherwise;
}

static void put_type(struct buf *out, const char *type)
{
    buf_puts(out, "\"mimeType\":");
    json_put_foreign(out, type, strlen(type));
}

/* -- request and response ---------------------------------------------------------------------- */

static void put_request(struct buf *out, const struct journal_entry *entry)
{
    buf_puts(out, "\"request\":{\"method\":");
    json_put_foreign(out, entry->method, strlen(entry->method));
    buf_puts(out, ",\"httpVersion\":\"HTTP/1.1\",");
    put_url(out, entry);
    put_headers(out, &entry->headers);
    put_query(out, entry->target);
    if (entry->body.data && entry->body.whole) {
        buf_puts(out, "\"postData\":{");
        put_type(out, type_of(&entry->headers, "application/octet-stream"));
        buf_puts(out, ",\"params\":[],\"text\":");
        size_t len = entry->body.len;
        payload_is_text(entry->body.data, &len, len < entry->body.whole);
        json_put_foreign(out, entry->body.data, len);
        buf_puts(out, "},");
    }
    buf_printf(out, "\"headersSize\":-1,\"bodySize\":%zu}", entry->body.whole);
}

static void put_content(struct buf *out, const struct journal_entry *entry)
{
    const struct journal_text *body = &entry->answer;
    buf_printf(out, "\"content\":{\"size\":%zu,", body->whole);
    put_type(out, type_of(&entry->answer_headers, "x-unknown"));
    if (body->data && body->whole) {
        size_t len = body->len;
        buf_puts(out, ",\"text\":");
        if (payload_is_text(body->data, &len, len < body->whole)) {
            json_put_string(out, body->data, len);
        } else {
            payload_put_base64(out, body->data, len);
            buf_puts(out, ",\"encoding\":\"base64\"");
        }
    }
    buf_puts(out, "},");
}

static const char *status_text(int status)
{
    static const struct {
        int status;
        const char *text;
    } texts[] = {{200, "OK"},
                 {201, "Created"},
                 {204, "No Content"},
                 {400, "Bad Request"},
                 {401, "Unauthorized"},
                 {403, "Forbidden"},
                 {404, "Not Found"},
                 {405, "Method Not Allowed"},
                 {409, "Conflict"},
                 {413, "Content Too Large"},
                 {415, "Unsupported Media Type"},
                 {429, "Too Many Requests"},
                 {500, "Internal Server Error"},
                 {503, "Service Unavailable"}};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (texts[i].status == status)
            return texts[i].text;
    return "";
}

/* Where there was none, with status 0, as browsers have it. */
static void put_response(struct buf *out, const struct journal_entry *entry)
{
    buf_printf(out, ",\"response\":{\"status\":%d,\"statusText\":\"%s\",", entry->status,
               status_text(entry->status));
    buf_puts(out, "\"httpVersion\":\"HTTP/1.1\",");
    put_headers(out, &entry->answer_headers);
    put_content(out, entry);
    buf_printf(out, "\"redirectURL\":\"\",\"headersSize\":-1,\"bodySize\":%zu}",
               entry->answer.whole);
}

/* -- the whole --------------------------------------------------------------------------------- */

static void put_own(struct buf *out, const char *name, const char *text)
{
    buf_printf(out, ",\"_%s\":", name);
    json_put_text(out, text && *text ? text : NULL);
}

void request_view_put_har(struct buf *out, const struct request_view *view)
{
    const struct journal_entry *entry = view->entry;
    int outcome = entry->outcome;
    long long time = entry->duration > 0 ? (long long)entry->duration : 0;
    buf_puts(out, "{\"startedDateTime\":");
    control_put_time(out, entry->sent_at);
    buf_printf(out, ",\"time\":%lld,", time);
    put_request(out, entry);
    put_response(out, entry);
    buf_printf(out,
               ",\"cache\":{},\"timings\":{\"send\":0,\"wait\":%lld,\"receive\":0},"
               "\"connection\":\"%lld\",\"_id\":%lld",
               time, (long long)entry->connection, (long long)entry->number);
    put_own(out, "end", journal_end_names[entry->end]);
    put_own(out, "operation", entry->operation_id);
    put_own(out, "outcome",
            outcome < 0 ? NULL : outcome_index_name(view->outcomes, (size_t)outcome));
    put_own(out, "job", entry->job);
    put_own(out, "rule", entry->rule);
    buf_puts(out, ",\"_findings\":");
    request_view_put_findings(out, entry->findings & ~view->ignored);
    buf_putc(out, '}');
}

void request_view_begin_har(struct buf *out, const char *version)
{
    buf_printf(out,
               "{\"log\":{\"version\":\"1.2\",\"creator\":{\"name\":\"understudy\","
               "\"version\":\"%s\"},\"entries\":[",
               version);
}

void request_view_end_har(struct buf *out, const char *cursor)
{
    buf_printf(out, "],\"_cursor\":\"%s\"}}", cursor);
}
