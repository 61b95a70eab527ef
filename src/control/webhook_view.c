#include "control/webhook_view.h"

#include "base/duration.h"
#include "base/json.h"
#include "control/header_view.h"
#include "control/internal.h"
#include "control/payload.h"
#include "engine/delivery.h"
#include "http/respond.h"
#include "store/attempt.h"

#include <stdlib.h>
#include <string.h>

/* -- parts -------------------------------------------------------------------------------------
 */

static void put_text(struct buf *out, const char *name, const char *text)
{
    buf_printf(out, ",\"%s\":", name);
    json_put_text(out, text);
}

static void put_time(struct buf *out, const char *name, int64_t at)
{
    buf_printf(out, ",\"%s\":", name);
    if (at < 0)
        buf_puts(out, "null");
    else
        control_put_time(out, at);
}

/* What the list and the whole have in common, without brackets. */
static void put_members(struct buf *out, const struct delivery *delivery, const char *url)
{
    buf_printf(out, "\"id\":\"%s\",\"job\":\"%s\",\"status\":\"%s\"", delivery->id,
               delivery->job_id, delivery_status_names[delivery->status]);
    put_text(out, "url", url);
    put_text(out, "message_id", delivery->message);
    put_text(out, "rule", *delivery->rule ? delivery->rule : NULL);
    put_time(out, "created_at", delivery->created_at);
    put_time(out, "due_at", delivery->due_at);
    put_time(out, "ended_at", delivery->ended_at);
    buf_printf(out, ",\"attempt_count\":%lld,\"under_way\":%s", (long long)delivery->attempts,
               delivery->sending ? "true" : "false");
}

static void put_status(struct buf *out, int64_t status)
{
    buf_puts(out, "\"status\":");
    if (status)
        buf_int(out, status);
    else
        buf_puts(out, "null");
}

void webhook_put_item(struct buf *out, const struct delivery_item *item)
{
    buf_putc(out, '{');
    put_members(out, &item->delivery, item->callback_url);
    buf_puts(out, ",\"last\":");
    if (item->attempted) {
        buf_putc(out, '{');
        put_status(out, item->last_status);
        put_text(out, "error", item->last_error);
        buf_puts(out, "}}");
    } else {
        buf_puts(out, "null}");
    }
}

/* -- an attempt: what was sent ----------------------------------------------------------------- */

struct view {
    struct buf *out;
    const char *separator;
    const json_t *given; /* callback_headers; NULL: none */
    bool reveal;
};

/* A header's value, which may be a secret, or how long it is. */
static void put_given(const struct view *view, struct buf *out, const json_t *value)
{
    size_t len = json_string_length(value);
    if (view->reveal)
        json_put_string(out, json_string_value(value), len);
    else
        buf_printf(out, "\"(%zu byte%s)\"", len, len == 1 ? "" : "s");
}

/* Those of the job as they were given, then those of ours that were sent beside them. */
static void put_sent_headers(const struct view *view, const char *ours)
{
    struct buf *out = view->out;
    json_t *own = json_read_text(ours, 0), *given = (json_t *)view->given, *value;
    const char *name, *separator = "";
    buf_putc(out, '{');
    json_object_foreach(given, name, value)
    {
        buf_puts(out, separator);
        json_put_text(out, name);
        buf_putc(out, ':');
        put_given(view, out, value);
        separator = ",";
    }
    json_object_foreach(own, name, value)
    {
        buf_puts(out, separator);
        json_put_text(out, name);
        buf_putc(out, ':');
        json_put_value(out, value);
        separator = ",";
    }
    buf_putc(out, '}');
    json_decref(own);
}

static void put_request(const struct view *view, const struct attempt_row *row)
{
    buf_puts(view->out, ",\"request\":{\"method\":\"POST\",\"headers\":");
    put_sent_headers(view, row->headers);
    buf_putc(view->out, ',');
    payload_put(view->out, row->body, row->body_len, false);
    buf_putc(view->out, '}');
}

/* -- an attempt: what came back ---------------------------------------------------------------- */

static void put_answer_headers(struct buf *out, const char *headers)
{
    json_t *list = headers ? json_read_text(headers, JSON_ALLOW_NUL) : NULL,
           *view = header_view_create();
    for (size_t i = 0; view && i < json_array_size(list); i++) {
        const json_t *field = json_array_get(list, i), *value = json_array_get(field, 1);
        out->failed |= !header_view_add(view, json_string_value(json_array_get(field, 0)),
                                        json_string_value(value), json_string_length(value));
    }
    header_view_put(out, view);
    json_decref(view);
    json_decref(list);
}

static void put_response(struct buf *out, const struct attempt_row *row)
{
    buf_puts(out, ",\"response\":");
    if (!row->status) {
        buf_puts(out, "null");
        return;
    }
    buf_putc(out, '{');
    put_status(out, row->status);
    buf_puts(out, ",\"headers\":");
    put_answer_headers(out, row->answer_headers);
    buf_putc(out, ',');
    payload_put(out, row->answer, row->answer_len, row->answer_bytes > (int64_t)row->answer_len);
    buf_printf(out, ",\"bytes\":%lld}", (long long)row->answer_bytes);
}

/* -- the whole ---------------------------------------------------------------------------------
 */

static int put_attempt(const struct attempt_row *row, void *arg)
{
    static const char *const outcomes[ATTEMPT_OUTCOMES] = {
        [ATTEMPT_DELIVERED] = "delivered",
        [ATTEMPT_FAILED] = "failed",
        [ATTEMPT_GONE] = "gone",
        [ATTEMPT_BLOCKED] = "blocked",
    };
    struct view *view = arg;
    struct buf *out = view->out;
    char duration[DURATION_TEXT_SIZE];
    duration_format(row->duration, duration);
    buf_printf(out, "%s{\"number\":%lld,\"outcome\":\"%s\",\"by_hand\":%s", view->separator,
               (long long)row->number, outcomes[row->outcome], row->by_hand ? "true" : "false");
    put_time(out, "at", row->at);
    put_time(out, "sent_at", row->sent_at);
    put_text(out, "duration", duration);
    put_text(out, "url", row->url);
    put_text(out, "address", row->address);
    put_request(view, row);
    put_response(out, row);
    put_text(out, "error", row->error);
    buf_putc(out, '}');
    view->separator = ",";
    return 0;
}

struct whole {
    struct buf *out;
    struct db *db;
    const struct delivery *delivery;
    bool reveal;
};

static int put_whole(const struct delivery_input *input, void *arg)
{
    const struct whole *whole = arg;
    struct buf *out = whole->out;
    json_t *given = input->callback_headers ? json_read_text(input->callback_headers, 0) : NULL;
    struct view view = {.out = out, .separator = "", .given = given, .reveal = whole->reveal};
    buf_putc(out, '{');
    put_members(out, whole->delivery, input->callback_url);
    buf_puts(out, ",\"attempts\":[");
    int status = attempt_each(whole->db, whole->delivery->seq, put_attempt, &view);
    buf_puts(out, "]}");
    json_decref(given);
    return status;
}

void webhook_answer(struct request *request, const struct delivery *delivery, bool reveal)
{
    struct buf body = BUF_INIT;
    struct db *db = control_reader(request);
    if (!db)
        return;
    struct whole whole = {&body, db, delivery, reveal};
    int status = delivery_input(db, delivery->seq, put_whole, &whole);
    if (status == 0) {
        respond(request, 200, content_type_json, &body);
        return;
    }
    buf_finish(&body);
    if (status == ERR_NOT_FOUND) /* it went meanwhile */
        webhook_refuse(request);
    else
        router_fail(request, status, "cannot read a delivery");
}

void webhook_refuse(struct request *request)
{
    control_problem(request, 404, "webhook_not_found", "The workspace has no delivery of this id",
                    "GET /_mock/webhooks lists them; the oldest ended ones are forgotten");
}
