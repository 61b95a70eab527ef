/* A timeline as a whole: as JSON, and as the page that a test prints when it has failed. */
#include "base/json.h"
#include "base/time.h"
#include "control/internal.h"
#include "control/timeline.h"
#include "engine/job_state.h"
#include "engine/rules.h"
#include "http/respond.h"

#include <string.h>

enum { TEXT_MAX_SHOWN = 60 }; /* characters of a prompt and the like */

/* -- what it is about -------------------------------------------------------------------------- */

/* "2024-03-01 10:00:00.000" */
static void put_instant(struct buf *out, int64_t at)
{
    char text[TIME_TEXT_SIZE];
    time_format_millis(at, text);
    buf_printf(out, "%.10s %.12s", text, text + 11);
}

/* What an unfinished job waits for. */
static void put_waiting(struct timeline *timeline, const struct job *job, struct buf *out)
{
    int64_t now = workspace_now(timeline->workspace);
    if (job->marks & JOB_IS_HELD) {
        buf_printf(out, ", held until POST /_mock/jobs/%s/release", job->id);
    } else if (job->marks & JOB_IS_POLLED) {
        buf_puts(out, ", moved by GETs of it alone");
    } else if (job->due_at > now) {
        buf_puts(out, ", due in ");
        timeline_put_span(out, job->due_at - now);
    } else if (job->status == JOB_QUEUED) {
        buf_puts(out, ", waits for a place (max_processing)");
    }
}

static void put_ended(struct timeline_tell *tell, const struct job *job,
                      const struct timeline_step *last, const struct plan_row *planned)
{
    struct buf *out = &tell->words;
    buf_puts(out, " after ");
    timeline_put_span(out, job->completed_at - job->created_at);
    if (job->status == JOB_COMPLETED) {
        buf_puts(out, ": \"");
        timeline_put_plain(out, job->scenario_name, TEXT_MAX_SHOWN);
        buf_putc(out, '"');
        return;
    }
    if (job->status == JOB_FAILED) {
        buf_printf(out, ": %s, \"", job->error_code);
        timeline_put_plain(out, job->error_message, TEXT_MAX_SHOWN);
        buf_putc(out, '"');
    }
    timeline_put_why(tell, job, last, planned);
}

/* Its id, its state, and why it is so. */
static void put_job(struct timeline *timeline, struct timeline_tell *tell)
{
    static const char *const states[JOB_STATUSES] = {
        [JOB_QUEUED] = "is ", [JOB_PROCESSING] = "is ", [JOB_COMPLETED] = "",
        [JOB_FAILED] = "",    [JOB_CANCELLED] = "was ",
    };
    const struct job *job = timeline->job;
    struct timeline_step steps[TIMELINE_STEPS_MAX];
    struct plan_row planned = {.polls = 0};
    size_t count = timeline_steps(timeline, job, steps);
    if (job->marks & JOB_HAS_PLAN && plan_read(timeline->db, job->seq, &planned) < 0)
        planned = (struct plan_row){.polls = 0}; /* its end is told without what was planned */
    buf_printf(&tell->words, "Job %s %s%s", job->id, states[job->status],
               job_status_name(job->status));
    if (job_state_is_end(job->status))
        put_ended(tell, job, &steps[count - 1], &planned);
    else
        put_waiting(timeline, job, &tell->words);
}

static void put_count(struct buf *out, int64_t count, const char *what)
{
    buf_printf(out, "%lld %s%s", (long long)count, what, count == 1 ? "" : "s");
}

static void put_workspace(const struct timeline *timeline, struct buf *out)
{
    const char *separator = " (";
    int64_t jobs = 0;
    for (int i = 0; i < JOB_STATUSES; i++)
        jobs += timeline->job_counts[i];
    buf_printf(out, "Workspace %s: ", timeline->workspace->row.slug);
    put_count(out, timeline->request_count, "request");
    buf_puts(out, ", ");
    put_count(out, jobs, "job");
    for (int i = 0; i < JOB_STATUSES; i++) {
        if (!timeline->job_counts[i])
            continue;
        buf_printf(out, "%s%lld %s", separator, (long long)timeline->job_counts[i],
                   job_status_name((enum job_status)i));
        separator = ", ";
    }
    buf_puts(out, jobs ? ")" : "");
}

static void put_headline(struct timeline *timeline, struct buf *out)
{
    struct timeline_tell tell = {.timeline = timeline};
    if (timeline->job) {
        put_job(timeline, &tell);
        buf_append(out, tell.words.data, tell.words.len);
        out->failed |= buf_failed(&tell.words);
        buf_finish(&tell.words);
    } else {
        put_workspace(timeline, out);
    }
}

/* -- what is missing --------------------------------------------------------------------------- */

enum { MISSING_MAX = 4 };

struct missing {
    struct buf notes[MISSING_MAX];
    size_t count;
};

/* In words; what went before the job's own beginning is not missing from it. */
static void find_missing(const struct timeline *timeline, struct missing *ret_missing)
{
    const struct workspace_past *past = &timeline->workspace->past;
    int64_t started_at = atomic_load(&past->started_at), forgotten = atomic_load(&past->forgotten);
    int64_t since = timeline->since.journal;
    bool is_older = !timeline->job || timeline->job->event <= atomic_load(&past->jobs);
    bool is_whole = timeline->job && timeline->has_maker;
    struct missing missing = {.count = 0};
    if (!timeline->workspace->journal) {
        buf_puts(&missing.notes[missing.count++],
                 "Requests are not written down: the server was started with --journal off");
    } else if (started_at && !since && is_older) {
        struct buf *note = &missing.notes[missing.count++];
        buf_puts(note, "Requests before the server's start, ");
        put_instant(note, started_at);
        buf_puts(note, " UTC in real time, are not known");
    }
    if (forgotten > since && !is_whole)
        buf_printf(&missing.notes[missing.count++],
                   "Requests up to [%lld] were deleted (DELETE /_mock/requests)",
                   (long long)forgotten);
    if (timeline->lost.newest > since && !is_whole)
        buf_printf(&missing.notes[missing.count++],
                   "%lld requests, up to [%lld], are gone for want of room",
                   (long long)timeline->lost.count, (long long)timeline->lost.newest);
    *ret_missing = missing;
}

static void finish_missing(struct missing *missing)
{
    for (size_t i = 0; i < missing->count; i++)
        buf_finish(&missing->notes[i]);
}

/* -- JSON -------------------------------------------------------------------------------------- */

static void put_text(struct buf *out, const struct buf *text)
{
    json_put_string(out, text->data ? text->data : "", text->len);
    out->failed |= text->failed;
}

static void put_item(struct buf *out, const struct timeline_item *item)
{
    buf_puts(out, "{\"at\":");
    control_put_time(out, item->key.at);
    buf_printf(out, ",\"kind\":\"%s\"", item->kind);
    buf_puts(out, item->json);
    buf_puts(out, ",\"text\":");
    json_put_text(out, item->words);
    buf_putc(out, '}');
}

/* The cursor behind as many items: of all that there are, unless there is more. */
static struct cursor cursor_behind(const struct timeline *timeline, size_t shown, bool more)
{
    struct cursor cursor = more ? timeline->since : timeline->now;
    struct timeline_key key = timeline->seen;
    if (shown)
        key = timeline->window.items[shown - 1].key;
    cursor.at = key.at;
    cursor.sent = key.sent;
    cursor.place = key.number;
    cursor.step = timeline_step_number(&key);
    cursor.told = more ? 0 : timeline->begun_at;
    cursor.attempts = more ? 0 : timeline->now.attempts;
    return cursor;
}

static void put_missing(struct buf *out, const struct missing *missing)
{
    buf_puts(out, "\"missing\":[");
    for (size_t i = 0; i < missing->count; i++) {
        buf_puts(out, i ? "," : "");
        put_text(out, &missing->notes[i]);
    }
    buf_puts(out, "],");
}

static void answer_json(struct timeline *timeline, const struct missing *missing, bool more)
{
    const struct timeline_window *window = &timeline->window;
    struct buf body = BUF_INIT, headline = BUF_INIT;
    size_t shown = 0;
    put_headline(timeline, &headline);
    buf_puts(&body, "{\"headline\":");
    put_text(&body, &headline);
    buf_finish(&headline);
    buf_printf(&body, ",\"complete\":%s,", missing->count ? "false" : "true");
    put_missing(&body, missing);
    buf_printf(&body, "\"unanswered\":%d,\"items\":[", events_untold(timeline->workspace));
    while (shown < window->count && body.len < LIST_BYTES_MAX) {
        buf_puts(&body, shown ? "," : "");
        put_item(&body, &window->items[shown++]);
    }
    more = more || shown < window->count;
    struct cursor cursor = cursor_behind(timeline, shown, more);
    list_answer(timeline->request, &body, &cursor);
}

/* -- text -------------------------------------------------------------------------------------- */

static void put_asked(const struct timeline *timeline, struct buf *out)
{
    const struct job_input *input = timeline->input;
    buf_puts(out, "  asked by ");
    timeline_put_plain(out, input->user_email, TEXT_MAX_SHOWN);
    if (input->request_id) {
        buf_puts(out, ", request_id \"");
        timeline_put_plain(out, input->request_id, TEXT_MAX_SHOWN);
        buf_putc(out, '"');
    }
    if (input->session)
        buf_printf(out, ", in session %s", input->session);
    buf_puts(out, ": \"");
    timeline_put_plain(out, input->prompt, TEXT_MAX_SHOWN);
    buf_puts(out, "\"\n");
}

static void put_head(struct timeline *timeline, const struct missing *missing, struct buf *out)
{
    struct clock_row clock = workspace_clock(timeline->workspace);
    int unanswered = events_untold(timeline->workspace);
    put_headline(timeline, out);
    buf_putc(out, '\n');
    if (timeline->job)
        put_asked(timeline, out);
    buf_puts(out, "  ");
    if (timeline->job)
        buf_printf(out, "workspace %s, ", timeline->workspace->row.slug);
    buf_printf(out, "clock %s, now at ", clock_mode_name(clock.mode));
    put_instant(out, workspace_now(timeline->workspace));
    buf_puts(out, " UTC\n");
    if (unanswered) {
        buf_puts(out, "  ");
        put_count(out, unanswered, "request");
        buf_printf(out, " %s not answered yet, so not shown\n", unanswered == 1 ? "is" : "are");
    }
    for (size_t i = 0; i < missing->count; i++)
        buf_printf(out, "  %s\n", missing->notes[i].data ? missing->notes[i].data : "");
    buf_puts(out, "  by the workspace's clock; at one instant cause before effect, then as sent;"
                  " [n]: /_mock/requests/n\n");
}

/* A day and a time are written once, where they change: what is of one instant is seen at a glance.
 */
static void put_line(struct buf *out, const struct timeline_item *item, char io_at[TIME_TEXT_SIZE])
{
    char at[TIME_TEXT_SIZE];
    time_format_millis(item->key.at, at);
    if (strncmp(at, io_at, 10) != 0)
        buf_printf(out, "\n%.10s\n", at);
    buf_printf(out, "%12.12s  %-10s  %s\n", strcmp(at, io_at) != 0 ? at + 11 : "", item->kind,
               item->words);
    memcpy(io_at, at, sizeof at);
}

static void put_no_lines(const struct timeline *timeline, struct buf *out)
{
    const struct journal *nobodys = engine_nobodys_journal(control_of(timeline->request)->engine);
    buf_puts(out, "\nNothing has happened.\n");
    if (nobodys && journal_newest(nobodys) > 0)
        buf_puts(out, "Some requests belong to no workspace, for want of its key, for one: "
                      "GET /_mock/requests?workspace=_none\n");
}

static void answer_text(struct timeline *timeline, const struct missing *missing, bool more)
{
    const struct timeline_window *window = &timeline->window;
    struct buf body = BUF_INIT;
    char at[TIME_TEXT_SIZE] = "", cursor[CURSOR_SIZE];
    size_t shown = 0;
    put_head(timeline, missing, &body);
    while (shown < window->count && body.len < LIST_BYTES_MAX)
        put_line(&body, &window->items[shown++], at);
    if (!shown)
        put_no_lines(timeline, &body);
    if (more || shown < window->count) {
        struct cursor behind = cursor_behind(timeline, shown, true);
        cursor_format(&behind, cursor);
        buf_printf(&body, "\nThere is more: since=%s\n", cursor);
    }
    respond(timeline->request, 200, content_type_text, &body);
}

void timeline_answer(struct timeline *timeline, bool more)
{
    struct missing missing;
    find_missing(timeline, &missing);
    if (timeline->window.is_text)
        answer_text(timeline, &missing, more);
    else
        answer_json(timeline, &missing, more);
    finish_missing(&missing);
}
