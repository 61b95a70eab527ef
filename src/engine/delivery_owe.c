/* The deliveries that a job's end owes: one, none or several (engine/delivery.h). */
#include "engine/delivery.h"

#include "base/json.h"
#include "base/time.h"
#include "engine/callback.h"
#include "engine/delivery_keep.h"
#include "engine/draw.h"
#include "engine/webhook.h"

#include <stdio.h>
#include <string.h>

struct owing {
    struct db *db;
    struct workspace *workspace;
    struct delivery delivery;
    const char *body; /* NULL: the job's */
    int64_t *io_due;
};

/* Writes the delivery under an id that is free; the first one's is what receivers see of all. */
static int insert(struct owing *owing, bool is_first)
{
    struct delivery *delivery = &owing->delivery;
    int status;
    do {
        status = draw_hex(owing->db, owing->workspace, delivery->id);
        if (is_first)
            memcpy(delivery->message, delivery->id, sizeof delivery->message);
        if (status == 0)
            status = delivery_insert(owing->db, owing->workspace->row.pk, delivery, owing->body);
    } while (status == ERR_EXISTS);
    if (status == 0 && delivery_has_ended(delivery->status)) /* no attempt will look */
        status = delivery_keep(owing->db, owing->workspace, delivery, delivery->bytes);
    if (status == 0 && delivery->due_at >= 0 && delivery->due_at < *owing->io_due)
        *owing->io_due = delivery->due_at;
    return status;
}

/* What is sent in place of the job; to be finished. */
static int put_body(const struct webhook *webhook, struct buf *text)
{
    if (json_is_string(webhook->body))
        buf_append(text, json_string_value(webhook->body), json_string_length(webhook->body));
    else if (webhook->body)
        json_put_value(text, webhook->body);
    return buf_failed(text) ? ERR_NO_MEMORY : 0;
}

static int owe_by(struct owing *owing, const struct webhook *webhook)
{
    struct delivery *delivery = &owing->delivery;
    struct buf body = BUF_INIT;
    int status = put_body(webhook, &body);
    owing->body = body.data;
    delivery->bytes = (int64_t)body.len;
    delivery->due_at = time_add(delivery->created_at, webhook->delay);
    delivery->cut = webhook->truncate;
    if (webhook->hold || webhook->drop)
        delivery->due_at = -1;
    if (webhook->hold)
        delivery->status = DELIVERY_HELD;
    if (webhook->drop) {
        delivery->status = DELIVERY_DROPPED;
        delivery->ended_at = delivery->created_at;
    }
    for (int64_t i = 0; status == 0 && i < webhook->duplicate; i++)
        status = insert(owing, i == 0);
    buf_finish(&body);
    return status;
}

static int owe_by_rule(const char *text, const char *rule, void *arg)
{
    struct owing *owing = arg;
    struct webhook webhook;
    json_t *document = NULL;
    int status = webhook_load(text, &document, &webhook);
    snprintf(owing->delivery.rule, sizeof owing->delivery.rule, "%s", rule ? rule : "");
    if (status == 0)
        status = owe_by(owing, &webhook);
    json_decref(document);
    return status;
}

int delivery_owe(struct db *db, struct workspace *workspace, const struct job *job, int64_t at,
                 int64_t *io_due)
{
    struct owing owing = {.db = db,
                          .workspace = workspace,
                          .delivery = {.job = job->seq,
                                       .status = DELIVERY_PENDING,
                                       .created_at = at,
                                       .due_at = at,
                                       .ended_at = -1,
                                       .cut = -1},
                          .io_due = io_due};
    /* The writer's thread alone changes the row, so it needs no lock to read it. */
    if (!callback_is_on(&workspace->row.settings, job->status))
        return 0;
    bool ruled = false;
    int status =
        job->marks & JOB_HAS_PLAN ? plan_webhook(db, job->seq, owe_by_rule, &owing, &ruled) : 0;
    return status < 0 || ruled ? status : insert(&owing, true);
}
