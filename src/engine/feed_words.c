/* What listeners are told, as JSON (engine/feed.h). */
#include "base/duration.h"
#include "base/json.h"
#include "base/time.h"
#include "engine/delivery.h"
#include "engine/feed.h"
#include "engine/job_state.h"
#include "engine/journal.h"
#include "engine/rule.h"

/* Of a path and the like: an event must stay small. */
enum { TEXT_MAX = 1000 };

/* -- members, each but the first with a comma before it ---------------------------------------- */

static void put_name(struct buf *out, const char *name)
{
    buf_printf(out, out->len ? ",\"%s\":" : "{\"%s\":", name);
}

/* NULL and "" are null. */
static void put_text(struct buf *out, const char *name, const char *text)
{
    put_name(out, name);
    json_put_text(out, text && *text ? text : NULL);
}

static void put_number(struct buf *out, const char *name, int64_t value)
{
    put_name(out, name);
    buf_int(out, value);
}

/* 0 is null. */
static void put_status(struct buf *out, const char *name, int64_t value)
{
    if (value)
        put_number(out, name, value);
    else
        put_text(out, name, NULL);
}

static void put_time(struct buf *out, const char *name, int64_t ms)
{
    char text[TIME_TEXT_SIZE];
    if (ms >= 0)
        time_format_millis(ms, text);
    put_text(out, name, ms >= 0 ? text : NULL);
}

static void put_duration(struct buf *out, const char *name, int64_t ms)
{
    char text[DURATION_TEXT_SIZE];
    duration_format(ms < 0 ? 0 : ms, text);
    put_text(out, name, text);
}

/* As sent; what is no ASCII, percent-encoded. */
static void put_path(struct buf *out, const char *path)
{
    struct buf text = BUF_INIT;
    for (size_t i = 0; path && path[i] && i < TEXT_MAX; i++) {
        if ((unsigned char)path[i] < 0x80)
            buf_putc(&text, path[i]);
        else
            buf_printf(&text, "%%%02X", (unsigned char)path[i]);
    }
    put_text(out, "path", text.data);
    out->failed |= text.failed;
    buf_finish(&text);
}

/* -- jobs ---------------------------------------------------------------------------------------
 */

static void note_job(const struct workspace *workspace, const struct job *job, const char *from,
                     int64_t at, enum job_cause cause, const struct job_change *change)
{
    static const char *const causes[] = {
        [JOB_CAUSE_NONE] = NULL,   [JOB_CAUSE_TIMER] = "timer", [JOB_CAUSE_REQUEST] = "request",
        [JOB_CAUSE_POLL] = "poll", [JOB_CAUSE_RULE] = "rule",   [JOB_CAUSE_CONTROL] = "control",
    };
    struct buf data = BUF_INIT;
    put_text(&data, "job", job->id);
    put_text(&data, "from", from);
    put_text(&data, "to", job_status_name(job->status));
    put_time(&data, "at", at);
    put_text(&data, "cause", causes[cause]);
    put_text(&data, "scenario", change ? change->scenario : NULL);
    put_text(&data, "error", change ? change->error_code : NULL);
    buf_putc(&data, '}');
    feed_note(workspace, "transition", &data);
}

void feed_note_job(const struct workspace *workspace, const struct job *job)
{
    if (workspace_has_feed(workspace))
        note_job(workspace, job, NULL, job->created_at, JOB_CAUSE_REQUEST, NULL);
}

void feed_note_transition(const struct workspace *workspace, const struct job *job,
                          const struct job_change *change)
{
    bool ended = job_state_is_end(job->status);
    if (workspace_has_feed(workspace))
        note_job(workspace, job, job_status_name(change->from),
                 ended ? job->completed_at : job->started_at,
                 ended ? job->end_cause : job->start_cause, change);
}

/* -- deliveries ---------------------------------------------------------------------------------
 */

void feed_note_attempt(const struct workspace *workspace, const struct delivery *delivery,
                       const struct attempt_row *attempt)
{
    static const char *const outcomes[ATTEMPT_OUTCOMES] = {
        [ATTEMPT_DELIVERED] = "delivered",
        [ATTEMPT_FAILED] = "failed",
        [ATTEMPT_GONE] = "gone",
        [ATTEMPT_BLOCKED] = "blocked",
    };
    struct buf data = BUF_INIT;
    if (!workspace_has_feed(workspace))
        return;
    put_text(&data, "delivery", delivery->id);
    put_text(&data, "job", delivery->job_id);
    put_number(&data, "attempt", attempt->number);
    put_text(&data, "outcome", outcomes[attempt->outcome]);
    put_status(&data, "status", attempt->status);
    put_text(&data, "error", attempt->error);
    put_time(&data, "at", attempt->at);
    put_time(&data, "sent_at", attempt->sent_at);
    put_duration(&data, "duration", attempt->duration);
    put_text(&data, "delivery_status", delivery_status_names[delivery->status]);
    buf_putc(&data, '}');
    feed_note(workspace, "attempt", &data);
}

/* -- at once ------------------------------------------------------------------------------------
 */

void feed_tell_clock(struct workspace *workspace)
{
    struct buf data = BUF_INIT;
    if (!workspace_has_feed(workspace))
        return;
    struct clock_row clock = workspace_clock(workspace);
    put_text(&data, "mode", clock_mode_name(clock.mode));
    put_name(&data, "scale");
    if (clock.mode == CLOCK_SCALED)
        json_put_real(&data, clock.scale);
    else
        buf_puts(&data, "null");
    put_time(&data, "now", clock_show(&clock, time_steady_ms()));
    buf_putc(&data, '}');
    feed_tell(workspace, "clock", &data);
}

void feed_tell_hit(struct workspace *workspace, const struct rule *rule, const struct rule_hit *hit)
{
    struct buf data = BUF_INIT;
    if (!workspace_has_feed(workspace))
        return;
    put_text(&data, "rule", rule->id);
    put_text(&data, "label", rule->label);
    put_number(&data, "request", hit->request);
    put_text(&data, "job", hit->job);
    put_time(&data, "at", hit->at);
    buf_putc(&data, '}');
    feed_tell(workspace, "rule", &data);
}

void feed_tell_request(struct workspace *workspace, const struct journal_entry *entry)
{
    struct buf data = BUF_INIT;
    if (!workspace_has_feed(workspace))
        return;
    put_status(&data, "id", entry->number);
    put_text(&data, "request_id", entry->id);
    put_text(&data, "method", entry->method);
    put_path(&data, entry->path);
    put_text(&data, "operation", entry->operation_id);
    put_status(&data, "status", entry->status);
    put_text(&data, "end", journal_end_names[entry->end]);
    put_time(&data, "at", entry->at);
    put_time(&data, "sent_at", entry->sent_at);
    put_duration(&data, "duration", entry->duration);
    put_number(&data, "connection", entry->connection);
    put_text(&data, "key", entry->key);
    put_text(&data, "job", entry->job);
    put_text(&data, "rule", entry->rule);
    buf_putc(&data, '}');
    feed_tell(workspace, "request", &data);
}

static void put_now(struct buf *out, const struct workspace *workspace)
{
    put_time(out, "at", workspace_now(workspace));
    buf_putc(out, '}');
}

void feed_tell_reset(struct workspace *workspace)
{
    struct buf data = BUF_INIT;
    if (!workspace_has_feed(workspace))
        return;
    put_now(&data, workspace);
    feed_tell(workspace, "reset", &data);
}

void feed_tell_deleted(struct workspace *workspace)
{
    struct buf data = BUF_INIT;
    if (!workspace_has_feed(workspace))
        return;
    put_now(&data, workspace);
    feed_end(workspace, "deleted", &data);
}
