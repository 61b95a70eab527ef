#include "studio/page.h"

#include <string.h>

#include "base/cleanup.h"
#include "studio/page_html.h"

/* What a page says about each state; `name` is the state's name in the API and its style class. */
struct page_status {
    const char *name;
    const char *label;
    const char *words; /* the answer in the conversation */
    bool ended;
};

static const struct page_status page_statuses[] = {
    {"queued", "Queued", "Your request is waiting for its turn.", false},
    {"processing", "Processing", "Your scenario is being made.", false},
    {"completed", "Completed", "Your scenario is ready.", true},
    {"failed", "Failed", "No scenario could be made from this prompt.", true},
    {"cancelled", "Cancelled", "The job was cancelled before it made a scenario.", true},
};

/* Before there is a job. */
static const struct page_status page_unstarted = {"queued", "Not started",
                                                  "The work on your request has not begun.", false};

static const struct page_status *page_status_of(const struct page_job *job)
{
    if (!job)
        return &page_unstarted;
    for (size_t i = 0; i < sizeof page_statuses / sizeof *page_statuses; i++)
        if (strcmp(job->status, page_statuses[i].name) == 0)
            return &page_statuses[i];
    return &page_statuses[0];
}

static bool page_status_is(const struct page_status *status, const char *name)
{
    return strcmp(status->name, name) == 0;
}

static void page_badge(struct buf *out, const struct page_status *status)
{
    buf_printf(out, "<span class=\"badge %s\">%s</span>", status->name, status->label);
}

/*
 * One step of the way. `state` is its class: "done", "now", "next" or "skip", or for the last step
 * the end that was reached. A step without a time (-1) says why by `note`.
 */
static void page_step(struct buf *out, const char *state, bool current, const char *label,
                      int64_t at_ms, const char *note)
{
    buf_printf(out, "<li class=\"%s\"%s><span class=\"step\">%s</span> ", state,
               current ? " aria-current=\"step\"" : "", label);
    if (at_ms >= 0)
        page_html_time(out, at_ms);
    else
        buf_printf(out, "<span class=\"note\">%s</span>", note);
    buf_puts(out, "</li>\n");
}

static const char *page_middle_state(const struct page_status *status, const struct page_job *job)
{
    if (page_status_is(status, "processing"))
        return "now";
    if (!status->ended)
        return "next";
    return job->started_at_ms >= 0 ? "done" : "skip";
}

/* The job's way, queued → processing → end, as a list that the style sheet draws as a line. */
static void page_steps(struct buf *out, const struct page_job *job)
{
    const struct page_status *status = page_status_of(job);
    bool queued = job && page_status_is(status, "queued");

    buf_puts(out, "<ol class=\"steps\" aria-label=\"Progress\">\n");
    page_step(out,
              queued ? "now"
              : job  ? "done"
                     : "next",
              queued, "Queued", job ? job->created_at_ms : -1, "not yet");
    page_step(out, page_middle_state(status, job), page_status_is(status, "processing"),
              "Processing", job ? job->started_at_ms : -1,
              status->ended ? "never began" : "not yet");
    page_step(out, status->ended ? status->name : "next", status->ended,
              status->ended ? status->label : "Completed",
              status->ended ? job->completed_at_ms : -1, "not yet");
    buf_puts(out, "</ol>\n");
}

static void page_error(struct buf *out, const struct page_job *job)
{
    if (!job || !(job->error_message || job->error_code))
        return;
    buf_puts(out, "<div class=\"error\">\n");
    page_html_block(out, job->error_message);
    if (job->error_code) {
        buf_puts(out, "<p><code>");
        page_html_inline(out, job->error_code);
        buf_puts(out, "</code></p>\n");
    }
    buf_puts(out, "</div>\n");
}

/* Rows of a description list. A value's own markup stands between term and end. */
static void page_term(struct buf *out, const char *term)
{
    buf_printf(out, "<div><dt>%s</dt><dd>", term);
}

static void page_term_end(struct buf *out)
{
    buf_puts(out, "</dd></div>\n");
}

static void page_row_text(struct buf *out, const char *term, const char *value)
{
    page_term(out, term);
    page_html_inline(out, value);
    page_term_end(out);
}

static void page_row_code(struct buf *out, const char *term, const char *value)
{
    page_term(out, term);
    buf_puts(out, "<code>");
    page_html_inline(out, value);
    buf_puts(out, "</code>");
    page_term_end(out);
}

static void page_row_time(struct buf *out, const char *term, int64_t ms)
{
    page_term(out, term);
    page_html_time(out, ms);
    page_term_end(out);
}

static void page_scenario_link(struct buf *out, const char *base_path, const char *slug,
                               const char *name)
{
    buf_puts(out, "<a");
    page_html_href(out, base_path, "/scenarios/", slug);
    buf_putc(out, '>');
    page_html_inline(out, name ? name : slug);
    buf_puts(out, "</a>");
}

static void page_chat_request(struct buf *out, const struct page_chat *view)
{
    buf_puts(out, "<article class=\"message user\" aria-label=\"Your request\">\n"
                  "<header><p class=\"who\">");
    page_html_inline(out, view->user_email);
    buf_puts(out, "</p> ");
    page_html_time(out, view->created_at_ms);
    buf_puts(out, "</header>\n");
    page_html_block(out, view->prompt);
    buf_puts(out, "</article>\n");
}

static void page_chat_answer(struct buf *out, const struct page_chat *view)
{
    const struct page_status *status = page_status_of(view->job);

    buf_puts(out, "<article class=\"message studio\" aria-label=\"The answer\">\n"
                  "<header><p class=\"who\">Understudy</p> ");
    page_badge(out, status);
    buf_printf(out, "</header>\n<p role=\"status\">%s</p>\n", status->words);
    page_steps(out, view->job);
    page_error(out, view->job);
    if (view->scenario_slug) {
        buf_puts(out, "<p class=\"result\">Open the scenario: ");
        page_scenario_link(out, view->base_path, view->scenario_slug, view->scenario_name);
        buf_puts(out, "</p>\n");
    }
    if (!status->ended)
        buf_puts(out, "<p class=\"note\">This page reloads itself every two seconds until the job"
                      " has ended.</p>\n");
    buf_puts(out, "</article>\n");
}

void page_chat(struct buf *out, const struct page_chat *view)
{
    const struct page_status *status = page_status_of(view->job);
    cleanup(buf_finish) struct buf title = BUF_INIT;

    buf_printf(&title, "%s: session %s", status->label, view->id);
    page_html_open(out, &(struct page_frame){.title = title.data,
                                             .workspace = view->workspace_name,
                                             .refresh = !status->ended});
    buf_puts(out, "<h1>Scenario Studio session</h1>\n"
                  "<div class=\"chat\">\n");
    page_chat_request(out, view);
    page_chat_answer(out, view);
    buf_puts(out, "</div>\n"
                  "<dl class=\"facts\">\n");
    page_row_code(out, "Session", view->id);
    if (view->job)
        page_row_code(out, "Job", view->job->id);
    buf_puts(out, "</dl>\n");
    page_html_close(out);
    out->failed |= buf_failed(&title);
}

static void page_scenario_source(struct buf *out, const struct page_scenario *view)
{
    const char *name = view->source_name ? view->source_name : view->source_slug;

    if (!view->source_slug)
        return;
    buf_puts(out, "<p class=\"remix\">A remix of ");
    if (view->source_exists) {
        page_scenario_link(out, view->base_path, view->source_slug, name);
    } else {
        page_html_inline(out, name);
        buf_puts(out, ", which is no longer here");
    }
    buf_puts(out, ".</p>\n");
}

static void page_scenario_texts(struct buf *out, const struct page_scenario *view)
{
    if (view->prompt) {
        buf_puts(out, "<section class=\"card\">\n<h2>Prompt</h2>\n");
        page_html_block(out, view->prompt);
        buf_puts(out, "</section>\n");
    }
    if (!view->context)
        return;
    buf_puts(out, "<section class=\"card\">\n<h2>Context</h2>\n");
    page_html_block(out, view->context);
    buf_puts(out, "</section>\n");
}

static void page_scenario_facts(struct buf *out, const struct page_scenario *view)
{
    buf_puts(out, "<section class=\"card\">\n<h2>Scenario</h2>\n<dl>\n");
    page_row_code(out, "Id", view->id);
    page_row_code(out, "Slug", view->slug);
    if (view->owner_email)
        page_row_text(out, "Owner", view->owner_email);
    page_row_time(out, "Created", view->created_at_ms);
    buf_puts(out, "</dl>\n</section>\n");
}

static void page_scenario_job(struct buf *out, const struct page_scenario *view)
{
    const struct page_job *job = view->job;

    if (!job)
        return;
    buf_puts(out, "<section class=\"card\">\n<h2>Made by job <code>");
    page_html_inline(out, job->id);
    buf_puts(out, "</code></h2>\n");
    page_steps(out, job);
    buf_puts(out, "<dl>\n");
    if (job->started_at_ms >= 0 && job->completed_at_ms >= 0) {
        page_term(out, "Duration");
        page_html_duration(out, job->completed_at_ms - job->started_at_ms);
        page_term_end(out);
    }
    if (view->session_id) {
        page_term(out, "Session");
        buf_puts(out, "<a");
        page_html_href(out, view->base_path, "/chat/", view->session_id);
        buf_puts(out, "><code>");
        page_html_inline(out, view->session_id);
        buf_puts(out, "</code></a>");
        page_term_end(out);
    }
    buf_puts(out, "</dl>\n</section>\n");
}

void page_scenario(struct buf *out, const struct page_scenario *view)
{
    page_html_open(out,
                   &(struct page_frame){.title = view->name, .workspace = view->workspace_name});
    buf_puts(out, "<p class=\"kind\">Scenario</p>\n<h1>");
    page_html_inline(out, view->name);
    buf_puts(out, "</h1>\n");
    page_scenario_source(out, view);
    page_scenario_texts(out, view);
    page_scenario_facts(out, view);
    page_scenario_job(out, view);
    page_html_close(out);
}

void page_problem(struct buf *out, int status, const char *title, const char *detail)
{
    page_html_open(out, &(struct page_frame){.title = title});
    buf_printf(out, "<p class=\"kind\">Error %d</p>\n<h1>", status);
    page_html_inline(out, title);
    buf_puts(out, "</h1>\n");
    page_html_block(out, detail);
    page_html_close(out);
}
