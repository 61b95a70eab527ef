#include "engine/delivery.h"

#include "base/time.h"
#include "engine/callback.h"
#include "engine/delivery_keep.h"
#include "engine/draw.h"
#include "engine/feed.h"
#include "engine/tally.h"

#include <string.h>

/* A receiver may ask for an hour of patience, not for more than a test wants to have. */
enum { RETRY_AFTER_MAX = 60 * 60 * 1000 };

/* The share by which waits of a schedule that varies do so, either way. */
#define RETRY_VARIES 0.1

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

int delivery_begin(struct db *db, struct delivery *delivery, bool by_hand)
{
    delivery->sending = db_next_number(db);
    delivery->by_hand = by_hand;
    return delivery_update(db, delivery);
}

/* -- the end of an attempt --------------------------------------------------------------------- */

static void finish(struct delivery *delivery, enum delivery_status status, int64_t now)
{
    delivery->status = status;
    delivery->due_at = -1;
    delivery->ended_at = now;
}

void delivery_go_on(struct delivery *delivery, enum attempt_outcome outcome, int64_t wait,
                    int64_t retry_after, int64_t now)
{
    static const enum delivery_status ends[ATTEMPT_OUTCOMES] = {
        [ATTEMPT_DELIVERED] = DELIVERY_DELIVERED,
        [ATTEMPT_FAILED] = DELIVERY_EXHAUSTED,
        [ATTEMPT_GONE] = DELIVERY_GONE,
        [ATTEMPT_BLOCKED] = DELIVERY_BLOCKED,
    };
    bool by_hand = delivery->by_hand;
    delivery->attempts++;
    delivery->tries += !by_hand;
    delivery->sending = 0;
    delivery->by_hand = false;
    if (by_hand && (outcome != ATTEMPT_DELIVERED || delivery->status == DELIVERY_DELIVERED))
        return; /* as if it had not been */
    if (outcome != ATTEMPT_FAILED || wait < 0) {
        finish(delivery, ends[outcome], now);
        return;
    }
    if (retry_after > RETRY_AFTER_MAX)
        retry_after = RETRY_AFTER_MAX;
    delivery->status = DELIVERY_RETRYING;
    delivery->due_at = time_add(now, wait > retry_after ? wait : retry_after);
}

/* How long its schedule waits after the try that has just failed; -1: it has no other. */
static int64_t next_wait(const struct workspace *workspace, const struct delivery *delivery)
{
    int64_t tries = delivery->tries + 1, wait;
    bool varies;
    if (delivery->by_hand || !callback_retry(&workspace->row.settings, tries, &wait, &varies))
        return -1;
    if (varies)
        wait +=
            (int64_t)(RETRY_VARIES * draw_share_for(workspace, delivery->id, tries) * (double)wait);
    return wait;
}

/* When it began, on the workspace's clock: when it was due, or else as long ago as it took. */
static int64_t begun_at(const struct delivery_end *self, struct db *db,
                        const struct delivery *delivery, int64_t now)
{
    struct clock_row clock = workspace_clock_in(db, self->operation.workspace);
    if (!delivery->by_hand && delivery->due_at >= 0)
        return delivery->due_at;
    int64_t at = clock_show(&clock, time_steady_ms() - self->attempt.duration);
    return at < now && at >= delivery->created_at ? at : now;
}

static int write_down(struct delivery_end *self, struct db *db, struct delivery *delivery)
{
    struct workspace *workspace = self->operation.workspace;
    struct attempt_row *attempt = &self->attempt;
    int64_t now = workspace_now_in(db, workspace);
    attempt->by_hand = delivery->by_hand;
    attempt->at = begun_at(self, db, delivery, now);
    int64_t wait = attempt->outcome == ATTEMPT_FAILED ? next_wait(workspace, delivery) : -1;
    delivery_go_on(delivery, attempt->outcome, wait, self->retry_after, now);
    attempt->number = delivery->attempts;
    self->status = delivery->status;
    memcpy(self->job, delivery->job_id, sizeof self->job);
    int64_t bytes = attempt_size(attempt);
    delivery->bytes += bytes;
    if (delivery->due_at >= 0)
        self->operation.due_at = delivery->due_at;
    feed_note_attempt(workspace, delivery, attempt);
    int status = attempt_insert(db, delivery->seq, attempt);
    if (status == 0)
        status = delivery_keep_attempts(db, delivery);
    if (status == 0)
        status = delivery_update(db, delivery);
    return status < 0 ? status : delivery_keep(db, workspace, delivery, bytes);
}

static int end_run(struct write *write, struct db *db)
{
    struct delivery_end *self = (struct delivery_end *)write;
    struct delivery delivery;
    *self->job = '\0'; /* of a run that was rolled back */
    int status = delivery_by_seq(db, self->delivery, &delivery);
    if (status == ERR_NOT_FOUND || (status == 0 && delivery.sending != self->sending))
        return 0;
    if (status == 0 && self->fill)
        status = self->fill(self, db, &delivery);
    if (status != 0)
        return status < 0 ? status : 0;
    self->operation.posts |= EVENT_DELIVERY;
    return write_down(self, db, &delivery);
}

/* What is remembered of the job (engine/tally.h). */
static int end_apply(struct operation *operation)
{
    const struct delivery_end *self = (const struct delivery_end *)operation;
    struct tally *tally = operation->workspace->tally;
    if (tally && *self->job && self->attempt.outcome == ATTEMPT_DELIVERED)
        tally_called_back(tally, self->job);
    else if (tally && *self->job && self->attempt.outcome == ATTEMPT_BLOCKED)
        tally_callback_blocked(tally, self->job);
    return 0;
}

void delivery_end_init(struct delivery_end *end, struct engine *engine, struct workspace *workspace)
{
    memset(end, 0, sizeof *end);
    operation_init(&end->operation, engine, workspace, end_run);
    end->operation.apply = end_apply;
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
    if (self->release) { /* due, so that it is made again where this one is cut off */
        delivery->status = DELIVERY_PENDING;
        delivery->due_at = workspace_now_in(db, workspace);
    }
    return delivery_begin(db, delivery, !self->release);
}

void delivery_again_init(struct delivery_again *again, struct engine *engine,
                         struct workspace *workspace)
{
    memset(again, 0, sizeof *again);
    operation_init(&again->operation, engine, workspace, again_run);
}
