/* Items of a timeline: transitions of jobs, deliveries and attempts. */
#include "base/duration.h"
#include "base/json.h"
#include "base/time.h"
#include "control/internal.h"
#include "control/timeline.h"
#include "engine/delivery.h"
#include "engine/job_state.h"

#include <string.h>

enum { URL_MAX_SHOWN = 50, MESSAGE_MAX = 60 }; /* characters */

/* "job 429153dffd2e ", where there are several. */
static void put_whose(struct timeline_tell *tell, const char *job)
{
    if (!tell->timeline->job)
        buf_printf(&tell->words, "job %s ", job);
}

/* -- transitions ------------------------------------------------------------------------------- */

/* Why a job failed when its time was over. */
static void put_failure(struct timeline_tell *tell, const struct job *job,
                        const struct plan_row *planned)
{
    struct buf *words = &tell->words;
    bool is_said = planned->plan.end == PLAN_FAILED || *planned->plan.error_code ||
                   *planned->plan.error_message;
    if (!(job->marks & JOB_HAS_PLAN) || !is_said) {
        buf_puts(words, "nothing could be made of its prompt");
    } else if (*planned->rule) {
        buf_puts(words, "rule ");
        timeline_put_rule(words, tell->timeline, planned->rule);
    } else {
        buf_puts(words, "its address or prompt says so");
    }
}

void timeline_put_why(struct timeline_tell *tell, const struct job *job,
                      const struct timeline_step *step, const struct plan_row *planned)
{
    static const struct {
        const char *cause, *words;
    } causes[] = {{"timer", "its time was over"},
                  {"poll", "so many GETs had seen it"},
                  {"control", "moved by the control plane"},
                  {"rule", "moved by a rule"},
                  {"request", "by a DELETE"},
                  {"state", "put there by a state document"}};
    struct buf *words = &tell->words;
    const char *cause = step->cause ? step->cause : "";
    bool failed_by_itself = step->to == JOB_FAILED && strcmp(cause, "timer") == 0;
    if (!*cause || (!step->from && strcmp(cause, "request") == 0))
        return;
    buf_puts(words, " (");
    if (failed_by_itself)
        put_failure(tell, job, planned);
    for (size_t i = 0; !failed_by_itself && i < sizeof causes / sizeof *causes; i++)
        if (strcmp(causes[i].cause, cause) == 0)
            buf_puts(words, causes[i].words);
    buf_putc(words, ')');
}

/* What came of it. */
static void put_end(struct timeline_tell *tell, const struct job *job,
                    const struct timeline_step *step)
{
    struct buf *words = &tell->words;
    if (step->to == JOB_FAILED) {
        buf_printf(words, ": %s", job->error_code);
    } else if (step->to == JOB_COMPLETED) {
        buf_puts(words, ": \"");
        timeline_put_plain(words, job->scenario_name, MESSAGE_MAX);
        buf_putc(words, '"');
    }
}

static void put_step(struct timeline_tell *tell, const struct job *job,
                     const struct timeline_step *step, const struct plan_row *planned)
{
    struct buf *out = &tell->json;
    timeline_put_text(out, "job", job->id);
    timeline_put_text(out, "from", step->from);
    timeline_put_text(out, "to", job_status_name(step->to));
    timeline_put_text(out, "cause", step->cause);
    timeline_put_number(out, "request",
                        step->entry && !step->entry->is_control ? step->entry->number : 0);
    timeline_put_text(out, "rule", planned->rule);
    timeline_put_text(out, "scenario", step->to == JOB_COMPLETED ? job->scenario_slug : NULL);
    timeline_put_text(out, "error", step->to == JOB_FAILED ? job->error_code : NULL);
}

void timeline_tell_step(struct timeline_tell *tell, const struct job *job,
                        const struct timeline_step *steps, size_t index,
                        const struct plan_row *planned)
{
    const struct timeline_step *step = &steps[index];
    struct buf *words = &tell->words;
    put_step(tell, job, step, planned);
    timeline_put_turn(words, step->entry);
    put_whose(tell, job->id);
    if (!step->from) {
        buf_puts(words, "made, queued");
    } else {
        buf_printf(words, "%s → %s after ", step->from, job_status_name(step->to));
        timeline_put_span(words, step->at - steps[index - 1].at);
    }
    put_end(tell, job, step);
    timeline_put_why(tell, job, step, planned);
}

/* -- deliveries -------------------------------------------------------------------------------- */

static void put_when(struct buf *words, const char *what, int64_t at)
{
    char text[TIME_TEXT_SIZE];
    time_format_millis(at, text);
    buf_printf(words, "%s at %.12s", what, text + 11);
}

/* How it stands now. */
static void put_standing(struct timeline_tell *tell, const struct delivery *delivery)
{
    struct buf *words = &tell->words;
    buf_printf(words, ": %s", delivery_status_names[delivery->status]);
    if (delivery->sending)
        buf_puts(words, ", an attempt is under way");
    else if (delivery->status == DELIVERY_HELD)
        buf_printf(words, ", until POST /_mock/webhooks/%s/release", delivery->id);
    else if (delivery->due_at >= 0)
        put_when(words, ", due", delivery->due_at);
    if (*delivery->rule) {
        buf_puts(words, " (rule ");
        timeline_put_rule(words, tell->timeline, delivery->rule);
        buf_putc(words, ')');
    }
}

void timeline_tell_delivery(struct timeline_tell *tell, const struct delivery_item *item)
{
    const struct delivery *delivery = &item->delivery;
    struct buf *out = &tell->json, *words = &tell->words;
    timeline_put_text(out, "delivery", delivery->id);
    timeline_put_text(out, "job", delivery->job_id);
    timeline_put_text(out, "status", delivery_status_names[delivery->status]);
    timeline_put_text(out, "url", item->callback_url);
    timeline_put_text(out, "rule", delivery->rule);
    timeline_put_time(out, "due_at", delivery->due_at);
    timeline_put_time(out, "ended_at", delivery->ended_at);
    put_whose(tell, delivery->job_id);
    buf_puts(words, "callback to ");
    timeline_put_plain(words, item->callback_url, URL_MAX_SHOWN);
    put_standing(tell, delivery);
}

/* -- attempts ---------------------------------------------------------------------------------- */

static const char *const outcomes[ATTEMPT_OUTCOMES] = {
    [ATTEMPT_DELIVERED] = "delivered",
    [ATTEMPT_FAILED] = "failed",
    [ATTEMPT_GONE] = "gone",
    [ATTEMPT_BLOCKED] = "blocked",
};

static void put_attempt(struct buf *out, const struct delivery *delivery,
                        const struct attempt_row *attempt)
{
    char duration[DURATION_TEXT_SIZE];
    duration_format(attempt->duration, duration);
    timeline_put_time(out, "sent_at", attempt->sent_at);
    timeline_put_text(out, "delivery", delivery->id);
    timeline_put_text(out, "job", delivery->job_id);
    timeline_put_number(out, "attempt", attempt->number);
    timeline_put_text(out, "outcome", outcomes[attempt->outcome]);
    timeline_put_number(out, "status", attempt->status);
    timeline_put_text(out, "error", attempt->error);
    timeline_put_text(out, "url", attempt->url);
    timeline_put_text(out, "duration", duration);
    buf_printf(out, ",\"by_hand\":%s", attempt->by_hand ? "true" : "false");
}

void timeline_tell_attempt(struct timeline_tell *tell, const struct delivery *delivery,
                           const struct attempt_row *attempt)
{
    struct buf *words = &tell->words;
    put_attempt(&tell->json, delivery, attempt);
    put_whose(tell, delivery->job_id);
    buf_printf(words, "attempt %lld%s → ", (long long)attempt->number,
               attempt->by_hand ? " by hand" : "");
    if (attempt->status)
        buf_printf(words, "%lld ", (long long)attempt->status);
    buf_puts(words, outcomes[attempt->outcome]);
    if (attempt->error) {
        buf_puts(words, ": ");
        timeline_put_plain(words, attempt->error, (size_t)2 * MESSAGE_MAX);
    }
    buf_puts(words, "  ");
    timeline_put_span(words, attempt->duration);
}
