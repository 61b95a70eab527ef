/* A report's document, from what is counted. */
#include "control/report.h"

#include "base/blot.h"
#include "base/duration.h"
#include "base/json.h"
#include "base/time.h"
#include "base/utf8.h"
#include "control/lint.h"
#include "control/outcome_of.h"
#include "control/outcomes.h"
#include "engine/runs.h"

#include <stdlib.h>
#include <string.h>

enum { POLLED_FAST_MS = 1000 };

/* A request_id, with a text of its own: the tally's goes with it. */
struct shown_id {
    struct tally_request_id counts;
    char text[TALLY_ID_SHOWN + 1];
};

struct view {
    struct control *control;
    struct report_subject subject;
    struct tally *sum;
    int64_t workspaces, total, unattributed;
    struct tally_counts counts;
    struct tally_job *jobs; /* what is worth a look first */
    struct shown_id *ids;   /* likewise */
    size_t job_count, id_count;
    bool failed; /* out of memory */
    struct buf *out;
};

/* -- gathering --------------------------------------------------------------------------------- */

/* Doubles the room where all of it is taken. */
static void *grow(struct view *view, void *array, size_t count, size_t size)
{
    enum { FIRST = 16 };
    if (count && (count < FIRST || (count & (count - 1))))
        return array;
    void *more = reallocarray(array, count ? count * 2 : FIRST, size);
    if (more)
        return more;
    view->failed = true;
    return array;
}

static void take_job(const struct tally_job *job, void *arg)
{
    struct view *view = arg;
    bool was_asked_of = job->made || job->polls; /* else it has only ended, or been called back */
    if (view->failed || !was_asked_of)
        return;
    view->jobs = grow(view, view->jobs, view->job_count, sizeof *view->jobs);
    if (!view->failed)
        view->jobs[view->job_count++] = *job;
}

static void take_id(const struct tally_request_id *id, void *arg)
{
    struct view *view = arg;
    if (view->failed)
        return;
    view->ids = grow(view, view->ids, view->id_count, sizeof *view->ids);
    if (view->failed)
        return;
    struct shown_id *shown = &view->ids[view->id_count++];
    size_t len = utf8_span(id->request_id, strnlen(id->request_id, TALLY_ID_SHOWN));
    shown->counts = *id;
    memcpy(shown->text, id->request_id, len); /* a long one may be cut within a character */
    shown->text[len] = '\0';
    blot_keys(shown->text, len, true); /* reports are kept, and shown to many */
}

static int compare_counts(int64_t a, int64_t b)
{
    return (a < b) - (a > b); /* the greater first */
}

/* The most polled first. */
static int compare_jobs(const void *a, const void *b)
{
    const struct tally_job *one = a, *other = b;
    int order = compare_counts(one->polls, other->polls);
    return order ? order : strcmp(one->job, other->job);
}

/* Those with another body first, then those that were repeated. */
static int compare_ids(const void *a, const void *b)
{
    const struct shown_id *one = a, *other = b;
    int order = compare_counts(one->counts.other_bodies, other->counts.other_bodies);
    if (!order)
        order = compare_counts(one->counts.repeated, other->counts.repeated);
    if (!order)
        order = compare_counts(one->counts.sent, other->counts.sent);
    return order ? order : strcmp(one->text, other->text);
}

/* Adds up the tallies that it is about. */
static int add_up(struct view *view)
{
    const struct report_subject *subject = &view->subject;
    struct engine *engine = view->control->engine;
    struct tally *nobodys = engine_nobodys_tally(engine);
    struct tally_counts *counts = &view->counts;
    int status = 0;
    if (subject->workspace)
        tally_merge(view->sum, subject->workspace->tally);
    else
        status = runs_read(engine_runs(engine), subject->run, view->sum, &view->workspaces);
    if (status < 0)
        return status;
    tally_counts(view->sum, counts);
    view->total = counts->requests;
    if (subject->workspace)
        view->workspaces = counts->requests > 0;
    if (subject->workspace || subject->run) {
        struct tally_counts others;
        tally_counts(nobodys, &others);
        view->unattributed = others.requests;
    } else { /* of what is no workspace's, too: a key that is refused is an outcome */
        tally_merge(view->sum, nobodys);
        tally_counts(view->sum, counts);
        view->unattributed = counts->requests - view->total;
    }
    return 0;
}

static int gather(struct view *view)
{
    view->sum = tally_create();
    int status = view->sum ? add_up(view) : ERR_NO_MEMORY;
    if (status < 0)
        return status;
    tally_each_job(view->sum, take_job, view);
    tally_each_request_id(view->sum, take_id, view);
    if (view->failed)
        return ERR_NO_MEMORY;
    if (view->job_count)
        qsort(view->jobs, view->job_count, sizeof *view->jobs, compare_jobs);
    if (view->id_count)
        qsort(view->ids, view->id_count, sizeof *view->ids, compare_ids);
    return 0;
}

static void finish(struct view *view)
{
    tally_destroy(view->sum);
    free(view->jobs);
    free(view->ids);
}

/* -- writing ----------------------------------------------------------------------------------- */

static void put_separator(struct buf *out)
{
    if (out->len && out->data[out->len - 1] != '[')
        buf_putc(out, ',');
}

static void put_label(const char *label, void *out)
{
    put_separator(out);
    json_put_text(out, label);
}

static void put_head(struct view *view)
{
    const struct workspace *workspace = view->subject.workspace;
    const char *label = workspace ? workspace->row.run : view->subject.run;
    struct buf *out = view->out;
    char now[TIME_TEXT_SIZE];
    time_format_millis(time_steady_ms(), now);
    buf_puts(out, "{\"understudy\":");
    json_put_text(out, view->control->options.version);
    buf_printf(out, ",\"version\":%d,\"generated_at\":\"%s\",\"runs\":[", REPORT_VERSION, now);
    if (!label)
        runs_each_label(engine_runs(view->control->engine), REPORT_LISTED_MAX, put_label, out);
    else if (*label)
        put_label(label, out);
    buf_printf(out, "],\"workspaces\":%lld,\"requests\":{\"total\":%lld,\"unattributed\":%lld}",
               (long long)view->workspaces, (long long)view->total, (long long)view->unattributed);
}

static void put_outcome(struct view *view, size_t number)
{
    const struct outcome_index *index = view->control->outcomes;
    const struct outcome *outcome = outcome_index_outcome(index, number);
    struct buf *out = view->out;
    put_separator(out);
    buf_printf(out, "{\"id\":\"%s\",\"operation\":\"%s\",\"status\":%d,\"basis\":",
               outcome_index_name(index, number), outcome_index_operation(index, number),
               outcome->status);
    outcome_put_basis(out, outcome);
    buf_puts(out, ",\"summary\":");
    json_put_text(out, outcome->about);
    buf_printf(out, ",\"count\":%lld}", (long long)view->counts.outcomes[number]);
}

static void put_outcomes(struct view *view)
{
    size_t count = outcome_index_count(view->control->outcomes), exercised = 0;
    for (size_t i = 0; i < count; i++)
        exercised += view->counts.outcomes[i] > 0;
    buf_printf(view->out, ",\"covered\":{\"exercised\":%zu,\"of\":%zu},\"outcomes\":[", exercised,
               count);
    for (size_t i = 0; i < count; i++)
        put_outcome(view, i);
    buf_putc(view->out, ']');
}

static void put_unlisted_row(struct buf *out, const char *operation, int status, int64_t count)
{
    if (!count)
        return;
    put_separator(out);
    buf_puts(out, "{\"operation\":");
    json_put_text(out, operation);
    buf_puts(out, ",\"status\":");
    if (status)
        buf_int(out, status);
    else
        buf_puts(out, "null");
    buf_printf(out, ",\"count\":%lld}", (long long)count);
}

/* Those there was no row for are among those of no operation that got no answer. */
static void put_unlisted(struct view *view)
{
    const struct tally_counts *counts = &view->counts;
    int64_t others = counts->unlisted_others;
    buf_puts(view->out, ",\"unlisted\":[");
    for (size_t i = 0; i < counts->unlisted_count; i++) {
        const struct tally_unlisted *row = &counts->unlisted[i];
        if (!row->operation && !row->status)
            others += row->count;
        else
            put_unlisted_row(view->out, row->operation, row->status, row->count);
    }
    put_unlisted_row(view->out, NULL, 0, others);
    buf_putc(view->out, ']');
}

/* -- findings ---------------------------------------------------------------------------------- */

static void put_example(struct buf *out, const char *what, const char *name)
{
    struct buf text = BUF_INIT;
    buf_printf(&text, "%s %s", what, name);
    put_separator(out);
    json_put_text(out, text.data);
    out->failed |= buf_failed(&text);
    buf_finish(&text);
}

static bool shows(const struct tally_job *job, enum finding finding)
{
    return finding == FINDING_POLLED_AFTER_END
               ? job->after_end > 0
               : job->shortest >= 0 && job->shortest < POLLED_FAST_MS;
}

/* What is told one by one further below, in short. */
static void put_examples(struct view *view, enum finding finding)
{
    int left = REPORT_EXAMPLES_MAX;
    for (size_t i = 0; finding == FINDING_REQUEST_ID_REUSED && i < view->id_count && left; i++) {
        if (!view->ids[i].counts.other_bodies)
            break;
        put_example(view->out, view->ids[i].counts.operation, view->ids[i].text);
        left--;
    }
    if (finding != FINDING_POLLED_FAST && finding != FINDING_POLLED_AFTER_END)
        return;
    for (size_t i = 0; i < view->job_count && left; i++) {
        if (!shows(&view->jobs[i], finding))
            continue;
        put_example(view->out, "job", view->jobs[i].job);
        left--;
    }
}

static void put_finding(struct view *view, enum finding finding)
{
    const struct lint_kind *kind = &lint_kinds[finding];
    struct buf *out = view->out;
    put_separator(out);
    buf_printf(out, "{\"id\":\"%s\",\"severity\":\"%s\",\"what\":", finding_names[finding],
               lint_severity_names[kind->severity]);
    json_put_text(out, kind->what);
    buf_puts(out, ",\"why\":");
    json_put_text(out, kind->why);
    buf_printf(out, ",\"count\":%lld,\"examples\":[", (long long)view->counts.findings[finding]);
    put_examples(view, finding);
    buf_puts(out, "]}");
}

static void put_findings(struct view *view)
{
    buf_puts(view->out, ",\"findings\":[");
    for (int severity = 0; severity < LINT_SEVERITIES; severity++)
        for (int i = 0; i < FINDINGS; i++)
            if ((int)lint_kinds[i].severity == severity && view->counts.findings[i])
                put_finding(view, (enum finding)i);
    buf_putc(view->out, ']');
}

/* -- what is told one by one ------------------------------------------------------------------- */

static void put_id(struct buf *out, const struct shown_id *id)
{
    const struct tally_request_id *counts = &id->counts;
    put_separator(out);
    buf_printf(out, "{\"operation\":\"%s\",\"request_id\":", counts->operation);
    json_put_text(out, id->text);
    buf_printf(out,
               ",\"sent\":%lld,\"made\":%lld,\"known\":%lld,\"failed\":%lld,\"other_bodies\":%lld}",
               (long long)counts->sent, (long long)counts->made, (long long)counts->known,
               (long long)counts->failed, (long long)counts->other_bodies);
}

static void put_ids(struct view *view)
{
    const struct tally_counts *counts = &view->counts;
    size_t shown = view->id_count < REPORT_ITEMS_MAX ? view->id_count : REPORT_ITEMS_MAX;
    buf_printf(view->out,
               ",\"request_ids\":{\"total\":%lld,\"repeated\":%lld,\"reused\":%lld,\"items\":[",
               (long long)counts->ids.total, (long long)counts->ids.repeated,
               (long long)counts->ids.reused);
    for (size_t i = 0; i < shown; i++)
        put_id(view->out, &view->ids[i]);
    buf_printf(view->out, "],\"left_out\":%lld}",
               (long long)counts->ids.left_out + (long long)(view->id_count - shown));
}

static void put_job(struct buf *out, const struct tally_job *job)
{
    char shortest[DURATION_TEXT_SIZE + 2] = "null";
    if (job->shortest >= 0) {
        char text[DURATION_TEXT_SIZE];
        duration_format(job->shortest, text);
        snprintf(shortest, sizeof shortest, "\"%s\"", text);
    }
    put_separator(out);
    buf_printf(out,
               "{\"job\":\"%s\",\"polls\":%lld,\"after_end\":%lld,\"shortest\":%s,\"ended\":%s}",
               job->job, (long long)job->polls, (long long)job->after_end, shortest,
               job->end_seen ? "true" : "false");
}

static void put_polling(struct view *view)
{
    const struct tally_counts *counts = &view->counts;
    size_t shown = view->job_count < REPORT_ITEMS_MAX ? view->job_count : REPORT_ITEMS_MAX;
    buf_printf(view->out,
               ",\"polling\":{\"jobs\":%lld,\"polls\":%lld,\"after_end\":%lld,\"items\":[",
               (long long)counts->polling.jobs, (long long)counts->polling.polls,
               (long long)counts->polling.after_end);
    for (size_t i = 0; i < shown; i++)
        put_job(view->out, &view->jobs[i]);
    buf_printf(view->out, "],\"left_out\":%lld}",
               (long long)counts->polling.left_out + (long long)(view->job_count - shown));
}

/* -- the whole --------------------------------------------------------------------------------- */

int report_view_put(struct control *control, const struct report_subject *subject, struct buf *out)
{
    struct view *view = calloc(1, sizeof *view);
    if (!view)
        return ERR_NO_MEMORY;
    *view = (struct view){.control = control, .subject = *subject, .out = out};
    int status = gather(view);
    if (status == 0) {
        put_head(view);
        put_outcomes(view);
        put_unlisted(view);
        put_findings(view);
        put_ids(view);
        put_polling(view);
        buf_putc(out, '}');
    }
    finish(view);
    free(view);
    return status == 0 && buf_failed(out) ? ERR_NO_MEMORY : status;
}

int report_view_read(struct control *control, const struct report_subject *subject,
                     struct report **ret_report)
{
    struct buf document = BUF_INIT;
    struct err err;
    int status = report_view_put(control, subject, &document);
    if (status == 0)
        status = report_parse(document.data, document.len, ret_report, &err);
    buf_finish(&document);
    return status;
}
