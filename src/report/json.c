/* A report as the document that it is read from (report.h). */
#include "report/internal.h"

#include "base/duration.h"
#include "base/json.h"

static void put_count(struct buf *out, const char *lead, int64_t count)
{
    buf_puts(out, lead);
    buf_int(out, count);
}

static void put_member(struct buf *out, const char *lead, const char *text)
{
    buf_puts(out, lead);
    json_put_text(out, text);
}

static void put_texts(struct buf *out, char *const *texts, size_t count)
{
    for (size_t i = 0; i < count; i++)
        put_member(out, i ? "," : "", texts[i]);
}

/* Items stand on lines of their own: files are looked at, and compared. */
static void put_start(struct buf *out, size_t index)
{
    buf_puts(out, index ? ",\n" : "\n");
}

static void put_head(struct buf *out, const struct report *report)
{
    char at[TIME_TEXT_SIZE];
    time_format_millis(report->generated_at, at);
    put_member(out, "{\"understudy\":", report->version);
    put_count(out, ",\"version\":", REPORT_VERSION);
    put_member(out, ",\"generated_at\":", at);
    buf_puts(out, ",\n\"runs\":[");
    put_texts(out, report->runs.at, report->runs.count);
    put_count(out, "],\"workspaces\":", report->workspaces);
    put_count(out, ",\n\"requests\":{\"total\":", report->total);
    put_count(out, ",\"unattributed\":", report->unattributed);
    put_count(out, "},\n\"covered\":{\"exercised\":", (int64_t)report_exercised(report));
    put_count(out, ",\"of\":", (int64_t)report->outcomes.count);
}

static void put_outcomes(struct buf *out, const struct report *report)
{
    size_t index = 0;
    buf_puts(out, "},\n\"outcomes\":[");
    for (each_line(outcome_line, outcome, &report->outcomes)) {
        put_start(out, index++);
        put_member(out, "{\"id\":", outcome->id);
        put_member(out, ",\"operation\":", outcome->operation);
        put_count(out, ",\"status\":", outcome->status);
        buf_puts(out, ",\"basis\":[");
        for (const char *letter = outcome->basis; *letter; letter++)
            buf_printf(out, letter == outcome->basis ? "\"%c\"" : ",\"%c\"", *letter);
        put_member(out, "],\"summary\":", outcome->summary);
        put_count(out, ",\"count\":", outcome->count);
        buf_putc(out, '}');
    }
}

static void put_unlisted(struct buf *out, const struct report *report)
{
    size_t index = 0;
    buf_puts(out, "],\n\"unlisted\":[");
    for (each_line(unlisted_line, unlisted, &report->unlisted)) {
        put_start(out, index++);
        put_member(out, "{\"operation\":", unlisted->operation);
        if (unlisted->status < 0)
            buf_puts(out, ",\"status\":null");
        else
            put_count(out, ",\"status\":", unlisted->status);
        put_count(out, ",\"count\":", unlisted->count);
        buf_putc(out, '}');
    }
}

static void put_findings(struct buf *out, const struct report *report)
{
    size_t index = 0;
    buf_puts(out, "],\n\"findings\":[");
    for (each_line(finding_line, finding, &report->findings)) {
        put_start(out, index++);
        put_member(out, "{\"id\":", finding->id);
        put_member(out, ",\"severity\":", severity_names[finding->severity]);
        put_member(out, ",\"what\":", finding->what);
        put_member(out, ",\"why\":", finding->why);
        put_count(out, ",\"count\":", finding->count);
        buf_puts(out, ",\"examples\":[");
        put_texts(out, finding->examples, finding->example_count);
        buf_puts(out, "]}");
    }
}

static void put_request_ids(struct buf *out, const struct report *report)
{
    size_t index = 0;
    put_count(out, "],\n\"request_ids\":{\"total\":", report->ids);
    put_count(out, ",\"repeated\":", report->repeated);
    put_count(out, ",\"reused\":", report->reused);
    buf_puts(out, ",\"items\":[");
    for (each_line(request_id_line, item, &report->request_ids)) {
        put_start(out, index++);
        put_member(out, "{\"operation\":", item->operation);
        put_member(out, ",\"request_id\":", item->request_id);
        put_count(out, ",\"sent\":", item->sent);
        put_count(out, ",\"made\":", item->made);
        put_count(out, ",\"known\":", item->known);
        put_count(out, ",\"failed\":", item->failed);
        put_count(out, ",\"other_bodies\":", item->other_bodies);
        buf_putc(out, '}');
    }
    put_count(out, "],\"left_out\":", report->ids_left_out);
}

static void put_polling(struct buf *out, const struct report *report)
{
    size_t index = 0;
    put_count(out, "},\n\"polling\":{\"jobs\":", report->jobs);
    put_count(out, ",\"polls\":", report->polls);
    put_count(out, ",\"after_end\":", report->after_end);
    buf_puts(out, ",\"items\":[");
    for (each_line(job_line, job, &report->polling)) {
        char shortest[DURATION_TEXT_SIZE] = "";
        if (job->shortest >= 0)
            duration_format(job->shortest, shortest);
        put_start(out, index++);
        put_member(out, "{\"job\":", job->job);
        put_count(out, ",\"polls\":", job->polls);
        put_count(out, ",\"after_end\":", job->after_end);
        put_member(out, ",\"shortest\":", *shortest ? shortest : NULL);
        buf_puts(out, job->ended ? ",\"ended\":true}" : ",\"ended\":false}");
    }
    put_count(out, "],\"left_out\":", report->jobs_left_out);
}

void report_json(const struct report *report, struct buf *out)
{
    put_head(out, report);
    put_outcomes(out, report);
    put_unlisted(out, report);
    put_findings(out, report);
    put_request_ids(out, report);
    put_polling(out, report);
    buf_puts(out, "}}\n");
}
