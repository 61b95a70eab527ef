/*
 * Attempts at inboxes of this server's own. There is no transfer: the writer puts the message there
 * in the transaction that writes down what came of it. Where the inbox takes its time to answer,
 * that comes later, in a second one.
 */
#include "engine/attempt.h"

#include "base/json.h"
#include "base/time.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* -- the message ------------------------------------------------------------------------------- */

static void put_header(struct buf *out, const char *name, size_t name_len, const char *value)
{
    buf_puts(out, out->len > 1 ? "," : "");
    json_put_string(out, name, name_len);
    buf_putc(out, ':');
    json_put_text(out, value);
}

/* As libcurl has it: without the port that is the scheme's own. */
static void put_host(struct buf *out, const struct url_place *place)
{
    bool is_usual = strcmp(place->port, strcmp(place->scheme, "https") == 0 ? "443" : "80") == 0;
    bool is_ipv6 = strchr(place->host, ':') != NULL;
    struct buf host = BUF_INIT;
    buf_printf(&host, "%s%s%s", is_ipv6 ? "[" : "", place->host, is_ipv6 ? "]" : "");
    if (!is_usual)
        buf_printf(&host, ":%s", place->port);
    if (buf_failed(&host))
        out->failed = true;
    else
        put_header(out, "Host", 4, host.data);
    buf_finish(&host);
}

/* A line as libcurl takes it: "Name: value", "Name;" for an empty value, "Name:" for none at all.
 */
static void put_line(struct buf *out, const char *line)
{
    size_t len = strcspn(line, ":;");
    if (line[len] == ':' && !line[len + 1])
        return;
    const char *value = line + len + (line[len] != '\0');
    put_header(out, line, len, value + strspn(value, " "));
}

/* All that would have gone out, in its order. */
static int write_head(const struct attempt *attempt, struct buf *out)
{
    char length[24];
    buf_putc(out, '{');
    put_host(out, &attempt->place);
    for (const struct curl_slist *line = attempt->headers; line; line = line->next)
        put_line(out, line->data);
    snprintf(length, sizeof length, "%zu", attempt->body_len);
    put_header(out, "Content-Length", 14, length);
    buf_putc(out, '}');
    return buf_failed(out) ? ERR_NO_MEMORY : 0;
}

/* -- what came of it --------------------------------------------------------------------------- */

/* The reply, as if it had been received. */
static void take_answer(struct attempt *attempt)
{
    const struct inbox_reply *reply = &attempt->reply;
    struct answer *answer = &attempt->answer;
    answer_finish(answer); /* of a run that was rolled back */
    *answer = (struct answer){.retry_after = -1};
    buf_putc(&answer->headers, '[');
    for (size_t i = 0; i < reply->headers.count; i++) {
        const struct action_header *header = &reply->headers.items[i];
        buf_puts(&answer->headers, i ? ",[" : "[");
        json_put_text(&answer->headers, header->name);
        buf_putc(&answer->headers, ',');
        json_put_text(&answer->headers, header->value);
        buf_putc(&answer->headers, ']');
        if (strcasecmp(header->name, "Retry-After") == 0)
            answer->retry_after = answer_retry_after(header->value, time_wall_ms());
    }
    buf_putc(&answer->headers, ']');
    answer->body_bytes = reply->body.len;
    buf_append(&answer->body, reply->body.data ? reply->body.data : "",
               reply->body.len < ANSWER_KEPT ? reply->body.len : ANSWER_KEPT);
}

static int conclude(struct attempt *attempt)
{
    if (attempt->reply.delay >= attempt->timeout) {
        attempt_explain_silence(attempt, &attempt->error);
        attempt->answer.retry_after = -1;
        attempt_fill_row(attempt, ATTEMPT_FAILED, 0);
        return 0;
    }
    take_answer(attempt);
    long status = attempt->reply.status;
    attempt_fill_row(attempt, attempt_judge(attempt, status), status);
    return buf_failed(&attempt->answer.headers) || buf_failed(&attempt->answer.body) ? ERR_NO_MEMORY
                                                                                     : 0;
}

void attempt_conclude_later(struct attempt *attempt)
{
    attempt->answers_later = false;
    attempt->end.fill = NULL;
    conclude(attempt);
}

/* The writer's thread. */
static int put_message(struct delivery_end *end, struct db *db, const struct delivery *delivery)
{
    struct attempt *attempt = (struct attempt *)end;
    struct inbox_message message = {.method = "POST",
                                    .url = attempt->url.data,
                                    .headers = attempt->head.data,
                                    .body = attempt->body.data,
                                    .body_len = attempt->body_len,
                                    .webhook = delivery->id,
                                    .job = delivery->job_id};
    int status = inbox_put_in(db, attempt->workspace, attempt->inbox, &message, &attempt->reply);
    attempt->answers_later = status == 0 && attempt->reply.delay > 0;
    if (status < 0)
        return status;
    end->operation.posts |= EVENT_INBOX;
    return attempt->answers_later ? 1 : conclude(attempt);
}

int attempt_set_up_inbox(struct attempt *attempt)
{
    attempt->end.fill = put_message;
    return write_head(attempt, &attempt->head);
}
