/* Items of a timeline: what rules have done. */
#include "control/timeline.h"
#include "engine/rule.h"

#include <string.h>

enum { LABEL_MAX = 40, MESSAGE_MAX = 60 }; /* characters */

static const struct rule *find_rule(const struct timeline *timeline, const char *id)
{
    return timeline->rules ? rule_set_find(timeline->rules, id) : NULL;
}

static void put_rule_name(struct buf *out, const char *id, const char *label)
{
    buf_puts(out, id);
    if (!label)
        return;
    buf_puts(out, " \"");
    timeline_put_plain(out, label, LABEL_MAX);
    buf_putc(out, '"');
}

void timeline_put_rule(struct buf *out, const struct timeline *timeline, const char *id)
{
    const struct rule *rule = find_rule(timeline, id);
    put_rule_name(out, id, rule ? rule->label : NULL);
}

/* One of several things that a plan says. */
static void put_also(struct buf *out, const char **io_separator)
{
    buf_puts(out, *io_separator);
    *io_separator = ", ";
}

static void put_time_in(struct buf *out, const char *state, int64_t time, int polls,
                        const char **io_separator)
{
    if (time >= 0) {
        put_also(out, io_separator);
        buf_printf(out, "is %s for ", state);
        timeline_put_span(out, time);
    }
    if (polls >= 0) {
        put_also(out, io_separator);
        buf_printf(out, "shows %s to %d GET%s", state, polls, polls == 1 ? "" : "s");
    }
}

static void put_plan(struct buf *out, const struct plan *plan)
{
    const char *separator = "its job ";
    put_time_in(out, "queued", plan->queued, plan->polls_queued, &separator);
    put_time_in(out, "processing", plan->processing, plan->polls_processing, &separator);
    if (plan->hold_at >= 0) {
        put_also(out, &separator);
        buf_printf(out, "is held while %s", job_status_name((enum job_status)plan->hold_at));
    }
    if (plan->end == PLAN_COMPLETED) {
        put_also(out, &separator);
        buf_puts(out, "completes");
    } else if (plan->end == PLAN_FAILED || *plan->error_code || *plan->error_message) {
        put_also(out, &separator);
        buf_printf(out, "fails%s%s", *plan->error_code ? " with " : "", plan->error_code);
    }
    if (*plan->scenario_slug || *plan->scenario_name) {
        put_also(out, &separator);
        buf_puts(out, "makes \"");
        timeline_put_plain(out, *plan->scenario_name ? plan->scenario_name : plan->scenario_slug,
                           LABEL_MAX);
        buf_putc(out, '"');
    }
}

static void put_answer_deed(struct buf *out, const struct action *action)
{
    switch (action->kind) {
    case ACTION_ANSWER:
        buf_printf(out, "answers %d in its place", action->status);
        break;
    case ACTION_OUTCOME:
        buf_puts(out, "answers ");
        timeline_put_plain(out, action->outcome, MESSAGE_MAX);
        break;
    case ACTION_DELAY:
        buf_puts(out, "has it wait for ");
        timeline_put_span(out, action->amount);
        break;
    case ACTION_TRANSITION:
        buf_printf(out, "has its job be %s", job_status_name((enum job_status)action->to));
        break;
    case ACTION_DROP:
        buf_puts(out, "drops the connection");
        break;
    case ACTION_TRUNCATE:
        buf_printf(out, "cuts the answer at %lld bytes", (long long)action->amount);
        break;
    case ACTION_DRIP:
        buf_printf(out, "answers with %lld bytes a second", (long long)action->amount);
        break;
    case ACTION_HANG:
        buf_puts(out, "holds the connection for ");
        timeline_put_span(out, action->amount);
        break;
    default:
        buf_puts(out, "answers with garbage");
    }
    buf_puts(out, action->after_commit ? ", once it is done" : "");
}

static void put_deed(struct buf *out, const struct rule *rule)
{
    const struct action *action = &rule->action;
    if (action->kind == ACTION_NONE) {
        buf_puts(out, "saw it");
    } else if (action->kind == ACTION_JOB) {
        put_plan(out, &action->plan);
    } else if (action->kind == ACTION_WEBHOOK) {
        buf_puts(out, "its callback: ");
        timeline_put_plain(out, action->webhook_text, MESSAGE_MAX);
    } else {
        put_answer_deed(out, action);
    }
}

void timeline_tell_rule(struct timeline_tell *tell, const char *id, const struct rule *rule,
                        const struct journal_entry *entry, const char *job)
{
    struct buf *out = &tell->json, *words = &tell->words;
    timeline_put_text(out, "rule", id);
    timeline_put_text(out, "label", rule ? rule->label : NULL);
    timeline_put_number(out, "request", entry ? entry->number : 0);
    timeline_put_text(out, "job", job);
    timeline_put_turn(words, entry);
    put_rule_name(words, id, rule ? rule->label : NULL);
    buf_puts(words, ": ");
    if (rule)
        put_deed(words, rule);
    else
        buf_puts(words, "acted; it is not there any more");
}
