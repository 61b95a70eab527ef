#include "engine/answer.h"

#include "base/json.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

void answer_finish(struct answer *answer)
{
    buf_finish(&answer->head);
    buf_finish(&answer->body);
    buf_finish(&answer->headers);
}

static bool begins(const char *line, size_t len, const char *text)
{
    return len >= strlen(text) && memcmp(line, text, strlen(text)) == 0;
}

size_t answer_take_head(char *line, size_t size, size_t count, void *arg)
{
    struct answer *answer = arg;
    size_t len = size * count;
    answer->head_bytes += len;
    answer->head_too_long = answer->head_bytes > ANSWER_MAX;
    if (answer->head_too_long)
        return 0;
    if (answer->has_head) /* a trailer */
        return len;
    if (begins(line, len, "HTTP/")) {
        const char *status = memchr(line, ' ', len);
        answer->head.len = 0;
        answer->is_interim = status && len > (size_t)(status + 1 - line) && status[1] == '1';
    }
    buf_append(&answer->head, line, len);
    answer->has_head = !answer->is_interim && (*line == '\r' || *line == '\n');
    return len;
}

size_t answer_take_body(char *bytes, size_t size, size_t count, void *arg)
{
    struct answer *answer = arg;
    size_t len = size * count;
    answer->body_too_long = len > ANSWER_MAX - answer->body_bytes;
    if (answer->body_too_long)
        len = ANSWER_MAX - answer->body_bytes;
    size_t room = ANSWER_KEPT - answer->body.len;
    answer->body_bytes += len;
    buf_append(&answer->body, bytes, len < room ? len : room);
    return answer->body_too_long ? 0 : len;
}

int64_t answer_retry_after(const char *value, int64_t now)
{
    enum { DIGITS_MAX = 12 }; /* seconds far beyond any time that is waited */
    size_t digits = strspn(value, "0123456789");
    if (digits && !value[digits])
        return (digits > DIGITS_MAX ? INT64_C(1000000000000) : strtoll(value, NULL, 10)) * 1000;
    time_t at = curl_getdate(value, NULL);
    if (at < 0)
        return -1;
    return (int64_t)at * 1000 > now ? (int64_t)at * 1000 - now : 0;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

/* One line of a head, which is not changed but for a NUL after the value. */
static void read_line(struct answer *answer, char *line, size_t len, int64_t now)
{
    char *colon = memchr(line, ':', len);
    if (!colon || is_blank(*line)) /* folded lines are no part of HTTP any more */
        return;
    char *value = colon + 1, *end = line + len;
    while (value < end && is_blank(*value))
        value++;
    while (end > value && is_blank(end[-1]))
        end--;
    struct buf *out = &answer->headers;
    buf_puts(out, out->len > 1 ? ",[" : "[");
    json_put_foreign(out, line, (size_t)(colon - line));
    buf_putc(out, ',');
    json_put_foreign(out, value, (size_t)(end - value));
    buf_putc(out, ']');
    *end = '\0';
    if (colon - line == (ptrdiff_t)strlen("Retry-After") &&
        strncasecmp(line, "Retry-After", strlen("Retry-After")) == 0)
        answer->retry_after = answer_retry_after(value, now);
}

void answer_read_head(struct answer *answer, int64_t now)
{
    struct buf *head = &answer->head;
    answer->retry_after = -1;
    if (!head->len)
        return;
    buf_putc(&answer->headers, '[');
    char *end, *stop = head->data + head->len;
    for (char *line = head->data; (end = memchr(line, '\n', (size_t)(stop - line))); line = end + 1)
        if (line != head->data) /* the status line */
            read_line(answer, line, (size_t)(end - line), now);
    buf_putc(&answer->headers, ']');
}
