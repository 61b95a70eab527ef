#include "engine/delivery.h"

#include "base/time.h"
#include "engine/draw.h"
#include "engine/feed.h"

#include <string.h>

const char *const delivery_status_names[DELIVERY_STATUSES + 1] = {
    [DELIVERY_PENDING] = "pending",     [DELIVERY_HELD] = "held",
    [DELIVERY_RETRYING] = "retrying",   [DELIVERY_DELIVERED] = "delivered",
    [DELIVERY_EXHAUSTED] = "exhausted", [DELIVERY_GONE] = "gone",
    [DELIVERY_BLOCKED] = "blocked",     [DELIVERY_DROPPED] = "dropped",
};

bool delivery_has_ended(enum delivery_status status)
{
    return status != DELIVERY_PENDING && status != DELIVERY_HELD && status != DELIVERY_RETRYING;
}

/* -- in a transaction -------------------------------------------------------------------------- */

/* Writes a delivery under an id that is free. */
static int insert(struct db *db, const struct workspace *workspace, struct delivery *delivery,
                  const char *body)
{
    int status;
    do {
        status = draw_hex(db, workspace, delivery->id);
        memcpy(delivery->message, delivery->id, sizeof delivery->message);
        if (status == 0)
            status = delivery_insert(db, workspace->row.pk, delivery, body);
    } while (status == ERR_EXISTS);
    return status;
}

int delivery_owe(struct db *db, struct workspace *workspace, const struct job *job, int64_t at,
                 int64_t *io_due)
{
    struct delivery delivery = {.job = job->seq,
                                .status = DELIVERY_PENDING,
                                .created_at = at,
                                .due_at = at,
                                .ended_at = -1,
                                .cut = -1};
    int status = insert(db, workspace, &delivery, NULL);
    if (status == 0 && at < *io_due)
        *io_due = at;
    return status;
}

int delivery_begin(struct db *db, struct delivery *delivery, bool by_hand)
{
    delivery->sending = db_next_number(db);
    delivery->by_hand = by_hand;
    return delivery_update(db, delivery);
}

/* -- the end of an attempt --------------------------------------------------------------------- */

/* How a delivery goes on after an attempt of its schedule, or one by hand. */
static void go_on(struct delivery *delivery, const struct delivery_end *end, int64_t now)
{
    static const enum delivery_status ends[ATTEMPT_OUTCOMES] = {
        [ATTEMPT_DELIVERED] = DELIVERY_DELIVERED,
        [ATTEMPT_FAILED] = DELIVERY_EXHAUSTED,
        [ATTEMPT_GONE] = DELIVERY_GONE,
        [ATTEMPT_BLOCKED] = DELIVERY_BLOCKED,
    };
    delivery->status = ends[end->attempt.outcome];
    delivery->due_at = -1;
    delivery->ended_at = now;
}

static int write_down(struct delivery_end *self, struct db *db, struct delivery *delivery)
{
    struct workspace *workspace = self->operation.workspace;
    int64_t now = workspace_now_in(db, workspace);
    self->attempt.number = ++delivery->attempts;
    self->attempt.by_hand = delivery->by_hand;
    self->attempt.at = now;
    go_on(delivery, self, now);
    delivery->sending = 0;
    delivery->by_hand = false;
    delivery->bytes += attempt_size(&self->attempt);
    if (delivery->due_at >= 0)
        self->operation.due_at = delivery->due_at;
    feed_note_attempt(workspace, delivery, &self->attempt);
    int status = attempt_insert(db, delivery->seq, &self->attempt);
    return status < 0 ? status : delivery_update(db, delivery);
}

static int end_run(struct write *write, struct db *db)
{
    struct delivery_end *self = (struct delivery_end *)write;
    struct delivery delivery;
    int status = delivery_by_seq(db, self->delivery, &delivery);
    if (status == ERR_NOT_FOUND || (status == 0 && delivery.sending != self->sending))
        return 0;
    self->operation.posts = EVENT_DELIVERY;
    return status < 0 ? status : write_down(self, db, &delivery);
}

void delivery_end_init(struct delivery_end *end, struct engine *engine, struct workspace *workspace)
{
    memset(end, 0, sizeof *end);
    operation_init(&end->operation, engine, workspace, end_run);
    end->retry_after = -1;
}

/* -- another attempt --------------------------------------------------------------------------- */

static int again_run(struct write *write, struct db *db)
{
    struct delivery_again *self = (struct delivery_again *)write;
    struct workspace *workspace = self->operation.workspace;
    struct delivery *delivery = &self->delivery;
    int status = delivery_by_id(db, workspace->row.pk, self->id, delivery);
    self->outcome = AGAIN_NO_DELIVERY;
    if (status < 0)
        return status == ERR_NOT_FOUND ? 0 : status;
    self->outcome = AGAIN_NOT_HELD;
    if (self->release && delivery->status != DELIVERY_HELD)
        return 0;
    self->outcome = AGAIN_UNDER_WAY;
    if (delivery->sending)
        return 0;
    self->outcome = AGAIN_DONE;
    self->operation.posts = EVENT_DELIVERY;
    if (self->release)
        delivery->status = DELIVERY_PENDING;
    return delivery_begin(db, delivery, !self->release);
}

void delivery_again_init(struct delivery_again *again, struct engine *engine,
                         struct workspace *workspace)
{
    memset(again, 0, sizeof *again);
    operation_init(&again->operation, engine, workspace, again_run);
}
