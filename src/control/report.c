/* getReport. */
#include "control/report.h"

#include "base/nearest.h"
#include "control/internal.h"
#include "engine/runs.h"
#include "http/respond.h"

#include <stdlib.h>
#include <string.h>

static const char *const formats[] = {"json", "md", "junit", NULL};

static const struct {
    enum report_format format;
    const char *content_type;
} kinds[] = {
    {REPORT_JSON, content_type_json},
    {REPORT_MARKDOWN, content_type_markdown},
    {REPORT_JUNIT, content_type_xml},
};

struct report_query {
    struct field_whole format;
    const char *run;
};

#define TO(member_) .offset = offsetof(struct report_query, member_)

const struct param report_get_params[] = {
    {"run", PARAM_TEXT, "the label of a run", TO(run)},
    {"format", PARAM_WORD, "json, md or junit", .words = formats, TO(format)},
};
const size_t report_get_param_count = sizeof report_get_params / sizeof *report_get_params;

/* -- runs that are not there ------------------------------------------------------------------- */

enum { LABELS_TOLD = 20 };

struct labels {
    char **list; /* NULL ends it */
    size_t count;
    bool failed;
};

static void take_label(const char *label, void *arg)
{
    struct labels *labels = arg;
    if (labels->failed)
        return;
    char **more = reallocarray(labels->list, labels->count + 2, sizeof *more);
    if (more)
        labels->list = more;
    char *copy = more ? strdup(label) : NULL;
    labels->failed = !copy;
    if (copy) {
        labels->list[labels->count++] = copy;
        labels->list[labels->count] = NULL;
    }
}

static void free_labels(struct labels *labels)
{
    for (size_t i = 0; i < labels->count; i++)
        free(labels->list[i]);
    free(labels->list);
}

/* The nearest one, or the newest ones. */
static void hint_labels(struct buf *hint, const char *given, const struct labels *labels)
{
    const char *near =
        labels->count ? nearest_name(given, (const char *const *)labels->list) : NULL;
    size_t told = labels->count < LABELS_TOLD ? labels->count : LABELS_TOLD;
    if (near) {
        buf_puts(hint, "did you mean ");
        complain_quote(hint, near);
        buf_putc(hint, '?');
    } else if (!told) {
        buf_puts(hint, "No workspace was made with a run since the server started: "
                       "POST /_mock/workspaces takes it");
    }
    for (size_t i = 0; !near && i < told; i++) {
        buf_puts(hint, i ? ", " : told < labels->count ? "the newest are " : "known here: ");
        complain_quote(hint, labels->list[labels->count - 1 - i]);
    }
}

static void tell_unknown(struct request *request, const char *run)
{
    struct runs *runs = engine_runs(control_of(request)->engine);
    struct labels labels = {.list = NULL};
    struct buf detail = BUF_INIT, hint = BUF_INIT;
    int64_t forgotten = runs_each_label(runs, SIZE_MAX, take_label, &labels);
    buf_puts(&detail, "There is no run ");
    complain_quote(&detail, run);
    hint_labels(&hint, run, &labels);
    if (forgotten)
        buf_printf(&hint, "; %lld older ones are forgotten", (long long)forgotten);
    if (labels.failed || buf_failed(&detail) || buf_failed(&hint))
        router_fail(request, ERR_NO_MEMORY, NULL);
    else
        control_problem(request, 404, "run_not_found", detail.data, hint.data);
    free_labels(&labels);
    buf_finish(&detail);
    buf_finish(&hint);
}

/* Of a workspace that is of another one: whose key it is may not know which others there are. */
static void tell_other(struct request *request, const struct workspace *workspace, const char *run)
{
    const char *own = workspace->row.run;
    struct buf detail = BUF_INIT, hint = BUF_INIT;
    buf_puts(&detail, "The workspace is not of the run ");
    complain_quote(&detail, run);
    buf_puts(&hint, *own ? "It is of " : "It is of none");
    if (*own)
        complain_quote(&hint, own);
    if (buf_failed(&detail) || buf_failed(&hint))
        router_fail(request, ERR_NO_MEMORY, NULL);
    else
        control_problem(request, 404, "run_not_found", detail.data, hint.data);
    buf_finish(&detail);
    buf_finish(&hint);
}

/* -- getReport --------------------------------------------------------------------------------- */

static int write(struct control *control, const struct report_subject *subject,
                 enum report_format format, struct buf *out)
{
    struct report *report = NULL;
    if (format == REPORT_JSON)
        return report_view_put(control, subject, out);
    int status = report_view_read(control, subject, &report);
    if (status == 0)
        report_write(report, format, NULL, out);
    report_destroy(report);
    return status == 0 && buf_failed(out) ? ERR_NO_MEMORY : status;
}

void report_handler(struct request *request)
{
    struct control *control = control_of(request);
    struct report_query query = {.run = NULL};
    struct buf body = BUF_INIT;
    if (!params_read(request, &query))
        return;
    struct report_subject subject = {.workspace = mock_workspace(request), .run = query.run};
    if (!engine_nobodys_tally(control->engine)) {
        control_problem(request, 409, "journal_off", "Requests are not written down",
                        "The server was started with --journal off");
        return;
    }
    if (subject.workspace && query.run && strcmp(subject.workspace->row.run, query.run) != 0) {
        tell_other(request, subject.workspace, query.run);
        return;
    }
    int status = write(control, &subject, kinds[query.format.value].format, &body);
    if (status == 0) {
        respond(request, 200, kinds[query.format.value].content_type, &body);
        return;
    }
    buf_finish(&body);
    if (status == ERR_NOT_FOUND)
        tell_unknown(request, query.run);
    else
        router_fail(request, status, "cannot write the report");
}
