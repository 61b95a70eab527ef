/*
 * A report for the summary page of a CI job, in GitHub's Markdown, which GitLab and the others read
 * as well. What clients and files named may hold anything: in a table's cell nothing of it may end
 * the cell, begin markup or hide what stands there.
 */
#include "report/internal.h"

#include "base/cleanup.h"
#include "base/duration.h"

#include <string.h>

enum {
    LABEL_MAX = 80,  /* characters of what a client named */
    WORDS_MAX = 400, /* of a sentence */
    SHOWN_MAX = 20,  /* rows of request_ids and of jobs; the JSON has more */
};

/* A text as such: every character that means something has a backslash. */
static void put_words(struct buf *out, const char *text, size_t most)
{
    cleanup(buf_finish) struct buf plain = BUF_INIT;
    put_plain(&plain, text, most);
    out->failed |= buf_failed(&plain);
    for (size_t i = 0; i < plain.len; i++) {
        if (strchr("\\`*_{}[]<>#|~&$@!", plain.data[i]))
            buf_putc(out, '\\');
        buf_putc(out, plain.data[i]);
    }
}

/* A name: code, where nothing in it could end the code. */
static void put_name(struct buf *out, const char *text)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                ":.,_/+=@%() -";
    size_t len = strspn(text, plain);
    if (!len || text[len] || len > LABEL_MAX || text[0] == ' ' || text[len - 1] == ' ')
        put_words(out, text, LABEL_MAX);
    else
        buf_printf(out, "`%s`", text);
}

static void put_cell(struct buf *out, int64_t count)
{
    buf_puts(out, " | ");
    buf_int(out, count);
}

static void put_headline(struct buf *out, const struct report *report)
{
    char at[TIME_TEXT_SIZE];
    char *const *runs = report->runs.at;
    const char *emptiness = report_emptiness(report);
    time_format_seconds(report->generated_at, at);
    buf_puts(out, "# Understudy: what the client did\n\n**");
    put_coverage(out, report);
    buf_puts(out, "** by ");
    put_counted(out, report->total, "request", "requests");
    buf_puts(out, " to ");
    put_counted(out, report->workspaces, "workspace", "workspaces");
    buf_puts(out, ".\n");
    if (emptiness)
        buf_printf(out, "\n**It failed: %s.**\n", emptiness);
    else if (report->unattributed)
        buf_printf(out, "\n%lld more came with an unknown key, or with none.\n",
                   (long long)report->unattributed);
    buf_printf(out, "\n%s, understudy ", at);
    put_words(out, report->version, LABEL_MAX);
    for (size_t i = 0; i < report->runs.count && i < SHOWN_MAX; i++) {
        buf_puts(out, i ? ", " : report->runs.count == 1 ? ", run " : ", runs ");
        put_name(out, runs[i]);
    }
    buf_puts(out, report->runs.count > SHOWN_MAX ? ", …\n" : "\n");
}

static void put_findings(struct buf *out, const struct report *report)
{
    buf_puts(out, "\n## Findings\n\n");
    if (!report->findings.count) {
        buf_puts(out, "None.\n");
        return;
    }
    buf_puts(out, "| severity | finding | count | what, and why it matters | examples |\n"
                  "|---|---|--:|---|---|\n");
    for (each_line(finding_line, finding, &report->findings)) {
        buf_printf(out, "| %s | ", severity_names[finding->severity]);
        put_name(out, finding->id);
        put_cell(out, finding->count);
        buf_puts(out, " | ");
        put_words(out, finding->what, WORDS_MAX);
        buf_puts(out, *finding->what && *finding->why ? "<br>" : "");
        put_words(out, finding->why, WORDS_MAX);
        buf_puts(out, " | ");
        for (size_t i = 0; i < finding->example_count; i++) {
            buf_puts(out, i ? "<br>" : "");
            put_words(out, finding->examples[i], WORDS_MAX);
        }
        buf_puts(out, " |\n");
    }
}

/* One operation's row: its outcomes from `from` to before `end`. */
static void put_operation(struct buf *out, const struct outcome_line *from,
                          const struct outcome_line *end)
{
    size_t exercised = 0;
    int64_t requests = 0;
    const char *separator = "";
    for (const struct outcome_line *outcome = from; outcome < end; outcome++) {
        exercised += outcome->count > 0;
        requests = count_add(requests, outcome->count);
    }
    buf_puts(out, "| ");
    put_name(out, from->operation);
    put_cell(out, requests);
    buf_printf(out, " | %zu of %zu | ", exercised, (size_t)(end - from));
    for (const struct outcome_line *outcome = from; outcome < end; outcome++)
        if (!outcome->count) {
            buf_puts(out, separator);
            put_name(out, outcome_short(outcome));
            separator = ", ";
        }
    buf_puts(out, " |\n");
}

static void put_operations(struct buf *out, const struct report *report)
{
    const struct outcome_line *all = report->outcomes.at;
    size_t end;
    buf_puts(out, "\n## Outcomes\n\n| operation | requests | exercised | not exercised |\n"
                  "|---|--:|--:|---|\n");
    for (size_t from = 0; from < report->outcomes.count; from = end) {
        end = outcome_group(&report->outcomes, from);
        put_operation(out, all + from, all + end);
    }
}

static void put_exercised(struct buf *out, const struct report *report)
{
    if (!report_exercised(report))
        return;
    buf_printf(out,
               "\n<details><summary>The %zu that were exercised</summary>\n\n"
               "| outcome | count | summary |\n|---|--:|---|\n",
               report_exercised(report));
    for (each_line(outcome_line, outcome, &report->outcomes))
        if (outcome->count) {
            buf_puts(out, "| ");
            put_name(out, outcome->id);
            put_cell(out, outcome->count);
            buf_puts(out, " | ");
            put_words(out, outcome->summary, WORDS_MAX);
            buf_puts(out, " |\n");
        }
    buf_puts(out, "\n</details>\n");
}

static void put_unlisted(struct buf *out, const struct report *report)
{
    if (!report->unlisted.count)
        return;
    buf_puts(out, "\nAnswers that are no outcome of the list:\n\n| operation | status | count |\n"
                  "|---|--:|--:|\n");
    for (each_line(unlisted_line, unlisted, &report->unlisted)) {
        buf_puts(out, "| ");
        if (unlisted->operation)
            put_name(out, unlisted->operation);
        else
            buf_puts(out, "none");
        if (unlisted->status < 0)
            buf_puts(out, " | no answer");
        else
            put_cell(out, unlisted->status);
        put_cell(out, unlisted->count);
        buf_puts(out, " |\n");
    }
}

static void put_more(struct buf *out, int64_t count)
{
    if (count)
        buf_printf(out, "\nAnd %lld more.\n", (long long)count);
}

static void put_request_id(struct buf *out, const struct request_id_line *item)
{
    buf_puts(out, "| ");
    put_name(out, item->request_id);
    buf_puts(out, " | ");
    put_name(out, item->operation);
    put_cell(out, item->sent);
    put_cell(out, item->made);
    put_cell(out, item->known);
    put_cell(out, item->failed);
    put_cell(out, item->other_bodies);
    buf_puts(out, " |\n");
}

static void put_request_ids(struct buf *out, const struct report *report)
{
    int64_t shown = 0;
    buf_puts(out, "\n## Idempotency\n\n");
    put_counted(out, report->ids, "`request_id`", "`request_id`s");
    buf_printf(out, ", %lld sent again, %lld with another body.\n", (long long)report->repeated,
               (long long)report->reused);
    for (each_line(request_id_line, item, &report->request_ids)) {
        if (!is_sent_again(item))
            continue;
        if (!shown++)
            buf_puts(out, "\n| request\\_id | operation | sent | made | known | failed | with "
                          "another body |\n|---|---|--:|--:|--:|--:|--:|\n");
        if (shown <= SHOWN_MAX)
            put_request_id(out, item);
    }
    put_more(out, shown > SHOWN_MAX ? shown - SHOWN_MAX : 0);
}

static void put_job(struct buf *out, const struct job_line *job)
{
    char shortest[DURATION_TEXT_SIZE] = "";
    if (job->shortest >= 0)
        duration_format(job->shortest, shortest);
    buf_puts(out, "| ");
    put_name(out, job->job);
    put_cell(out, job->polls);
    put_cell(out, job->after_end);
    buf_printf(out, " | %s | %s |\n", shortest, job->ended ? "yes" : "no");
}

static void put_polling(struct buf *out, const struct report *report)
{
    int64_t shown = 0;
    buf_puts(out, "\n## Polling\n\n");
    put_counted(out, report->jobs, "job", "jobs");
    buf_puts(out, ", ");
    put_counted(out, report->polls, "poll", "polls");
    buf_printf(out, ", %lld after the end.\n", (long long)report->after_end);
    for (each_line(job_line, job, &report->polling)) {
        if (!shown++)
            buf_puts(out, "\n| job | polls | after its end | shortest interval | read to its end "
                          "|\n|---|--:|--:|--:|---|\n");
        if (shown <= SHOWN_MAX)
            put_job(out, job);
    }
    put_more(out, count_add(shown > SHOWN_MAX ? shown - SHOWN_MAX : 0, report->jobs_left_out));
}

void report_markdown(const struct report *report, struct buf *out)
{
    put_headline(out, report);
    put_findings(out, report);
    put_operations(out, report);
    put_exercised(out, report);
    put_unlisted(out, report);
    put_request_ids(out, report);
    put_polling(out, report);
}
