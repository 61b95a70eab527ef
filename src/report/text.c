/* A report for a terminal: what was seen, what was not, what was wrong. */
#include "report/internal.h"

#include "base/duration.h"

#include <string.h>

enum {
    WIDTH = 100,     /* of a line, where that is possible */
    INDENT = 4,      /* of what is wrapped */
    LABEL_MAX = 80,  /* characters of what a client named */
    WORDS_MAX = 400, /* of a sentence */
    SHOWN_MAX = 20,  /* lines of request_ids and of jobs; the JSON has more */
};

static void put_headline(struct buf *out, const struct report *report)
{
    char at[TIME_TEXT_SIZE];
    char *const *runs = report->runs.at;
    time_format_seconds(report->generated_at, at);
    buf_puts(out, "Report of understudy ");
    put_plain(out, report->version, LABEL_MAX);
    buf_printf(out, ", %s", at);
    for (size_t i = 0; i < report->runs.count && i < SHOWN_MAX; i++) {
        buf_puts(out, i ? ", " : report->runs.count == 1 ? ", run " : ", runs ");
        put_plain(out, runs[i], LABEL_MAX);
    }
    buf_puts(out, report->runs.count > SHOWN_MAX ? ", …\n\n" : "\n\n");
    put_counted(out, report->total, "request", "requests");
    buf_puts(out, " to ");
    put_counted(out, report->workspaces, "workspace", "workspaces");
    if (report->unattributed)
        buf_printf(out, "; %lld more with an unknown key or none", (long long)report->unattributed);
    buf_putc(out, '\n');
    put_coverage(out, report);
    buf_putc(out, '\n');
}

static void put_findings(struct buf *out, const struct report *report)
{
    buf_puts(out, report->findings.count ? "\nFindings\n" : "");
    for (each_line(finding_line, finding, &report->findings)) {
        buf_printf(out, "  %-7s  ", severity_names[finding->severity]);
        put_plain(out, finding->id, LABEL_MAX);
        buf_puts(out, ", ");
        put_counted(out, finding->count, "time", "times");
        buf_puts(out, *finding->what ? ": " : "");
        put_plain(out, finding->what, WORDS_MAX);
        buf_putc(out, '\n');
        for (size_t i = 0; i < finding->example_count; i++) {
            buf_printf(out, "%*s", 11, "");
            put_plain(out, finding->examples[i], WORDS_MAX);
            buf_putc(out, '\n');
        }
    }
}

/* The outcomes of one operation, from `from` to before `end`, that were not exercised. */
static void put_unexercised(struct buf *out, const struct outcome_line *from,
                            const struct outcome_line *end)
{
    size_t column = 0, exercised = 0;
    for (const struct outcome_line *outcome = from; outcome < end; outcome++)
        exercised += outcome->count > 0;
    buf_puts(out, "  ");
    put_plain(out, from->operation, LABEL_MAX);
    buf_printf(out, " (%zu of %zu exercised)", exercised, (size_t)(end - from));
    for (const struct outcome_line *outcome = from; outcome < end; outcome++) {
        if (outcome->count)
            continue;
        size_t len = strlen(outcome_short(outcome));
        if (!column || column + len + 2 > WIDTH) {
            buf_printf(out, "%s\n%*s", column ? "," : "", INDENT, "");
            column = INDENT;
        } else {
            buf_puts(out, ", ");
            column += 2;
        }
        put_plain(out, outcome_short(outcome), LABEL_MAX);
        column += len;
    }
    buf_putc(out, '\n');
}

static void put_outcomes(struct buf *out, const struct report *report)
{
    const struct outcome_line *all = report->outcomes.at;
    size_t end;
    if (report_exercised(report) == report->outcomes.count)
        return;
    buf_puts(out, "\nNot exercised\n");
    for (size_t from = 0; from < report->outcomes.count; from = end) {
        bool is_whole = true;
        end = outcome_group(&report->outcomes, from);
        for (size_t i = from; i < end; i++)
            is_whole = is_whole && all[i].count;
        if (!is_whole)
            put_unexercised(out, all + from, all + end);
    }
}

static void put_unlisted(struct buf *out, const struct report *report)
{
    buf_puts(out, report->unlisted.count ? "\nAnswers that are no outcome of the list\n" : "");
    for (each_line(unlisted_line, unlisted, &report->unlisted)) {
        buf_puts(out, "  ");
        put_plain(out, unlisted->operation ? unlisted->operation : "(no operation)", LABEL_MAX);
        if (unlisted->status >= 0)
            buf_printf(out, " %lld, ", (long long)unlisted->status);
        else
            buf_puts(out, " (no answer), ");
        put_counted(out, unlisted->count, "time\n", "times\n");
    }
}

static void put_left_out(struct buf *out, int64_t count)
{
    if (count)
        buf_printf(out, "  and %lld more\n", (long long)count);
}

static void put_request_ids(struct buf *out, const struct report *report)
{
    int64_t more = 0;
    size_t shown = 0;
    if (!report->ids)
        return;
    buf_puts(out, "\nIdempotency: ");
    put_counted(out, report->ids, "request_id", "request_ids");
    buf_printf(out, ", %lld sent again, %lld with another body\n", (long long)report->repeated,
               (long long)report->reused);
    for (each_line(request_id_line, item, &report->request_ids)) {
        if (!is_sent_again(item))
            continue;
        if (++shown > SHOWN_MAX) {
            more++;
            continue;
        }
        buf_puts(out, "  ");
        put_plain(out, item->request_id, LABEL_MAX);
        buf_puts(out, " (");
        put_plain(out, item->operation, LABEL_MAX);
        buf_printf(out, "): sent %lld, made %lld, known %lld, failed %lld", (long long)item->sent,
                   (long long)item->made, (long long)item->known, (long long)item->failed);
        if (item->other_bodies)
            buf_printf(out, ", with another body %lld", (long long)item->other_bodies);
        buf_putc(out, '\n');
    }
    put_left_out(out, more);
}

static void put_job(struct buf *out, const struct job_line *job)
{
    char shortest[DURATION_TEXT_SIZE];
    buf_puts(out, "  ");
    put_plain(out, job->job, LABEL_MAX);
    buf_puts(out, ": ");
    put_counted(out, job->polls, "poll", "polls");
    if (job->after_end)
        buf_printf(out, ", %lld after its end", (long long)job->after_end);
    if (job->shortest >= 0) {
        duration_format(job->shortest, shortest);
        buf_printf(out, ", at least %s apart", shortest);
    }
    buf_puts(out, job->ended ? "\n" : ", never read to its end\n");
}

static void put_polling(struct buf *out, const struct report *report)
{
    size_t shown = 0;
    if (!report->jobs)
        return;
    buf_puts(out, "\nPolling: ");
    put_counted(out, report->jobs, "job", "jobs");
    buf_puts(out, ", ");
    put_counted(out, report->polls, "poll", "polls");
    buf_printf(out, ", %lld after the end\n", (long long)report->after_end);
    for (each_line(job_line, job, &report->polling))
        if (shown++ < SHOWN_MAX)
            put_job(out, job);
    put_left_out(
        out, count_add(shown > SHOWN_MAX ? (int64_t)shown - SHOWN_MAX : 0, report->jobs_left_out));
}

void report_text(const struct report *report, struct buf *out)
{
    put_headline(out, report);
    put_findings(out, report);
    put_outcomes(out, report);
    put_unlisted(out, report);
    put_request_ids(out, report);
    put_polling(out, report);
}
