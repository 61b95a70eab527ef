#include "control/job_view.h"

#include "base/json.h"
#include "control/internal.h"
#include "engine/job_json.h"
#include "engine/job_state.h"
#include "http/respond.h"

/* -- parts --------------------------------------------------------------------------------------
 */

static void put_text(struct buf *out, const char *name, const char *text)
{
    buf_printf(out, ",\"%s\":", name);
    json_put_text(out, text);
}

/* The names of callback_headers alone: their values are secrets. */
static void put_header_names(struct buf *out, const char *headers)
{
    json_t *object = headers ? json_read_text(headers, 0) : NULL;
    const char *name, *separator = "";
    json_t *value;
    buf_puts(out, ",\"callback_headers\":");
    if (!object) {
        buf_puts(out, "null");
        return;
    }
    buf_putc(out, '[');
    json_object_foreach(object, name, value)
    {
        buf_puts(out, separator);
        json_put_text(out, name);
        separator = ",";
    }
    buf_putc(out, ']');
    json_decref(object);
}

static void put_count(struct buf *out, const char *name, int count)
{
    if (count < 0)
        buf_printf(out, "\"%s\":null,", name);
    else
        buf_printf(out, "\"%s\":%d,", name, count);
}

/* What of the plan is still to come, or came about; null where there is none. */
static void put_plan(struct buf *out, const struct job *job, const struct plan_row *row)
{
    bool polled = row && (row->plan.polls_queued >= 0 || row->plan.polls_processing >= 0);
    buf_printf(out, ",\"held\":%s,\"polls\":", job->marks & JOB_IS_HELD ? "true" : "false");
    if (polled) {
        buf_putc(out, '{');
        put_count(out, "queued", row->plan.polls_queued);
        put_count(out, "processing", row->plan.polls_processing);
        buf_printf(out, "\"seen\":%lld}", (long long)row->polls);
    } else {
        buf_puts(out, "null");
    }
    put_text(out, "rule", row && *row->rule ? row->rule : NULL);
}

static void put_transition(struct buf *out, enum job_status to, int64_t at, enum job_cause cause)
{
    static const char *const causes[] = {
        [JOB_CAUSE_NONE] = NULL,   [JOB_CAUSE_TIMER] = "timer", [JOB_CAUSE_REQUEST] = "request",
        [JOB_CAUSE_POLL] = "poll", [JOB_CAUSE_RULE] = "rule",   [JOB_CAUSE_CONTROL] = "control",
    };
    buf_printf(out, "{\"to\":\"%s\",\"at\":", job_status_name(to));
    control_put_time(out, at);
    put_text(out, "cause", causes[cause]);
    buf_putc(out, '}');
}

static void put_transitions(struct buf *out, const struct job *job)
{
    buf_puts(out, ",\"transitions\":[");
    put_transition(out, JOB_QUEUED, job->created_at, JOB_CAUSE_REQUEST);
    if (job->started_at >= 0) {
        buf_putc(out, ',');
        put_transition(out, JOB_PROCESSING, job->started_at, job->start_cause);
    }
    if (job_state_is_end(job->status)) {
        buf_putc(out, ',');
        put_transition(out, job->status, job->completed_at, job->end_cause);
    }
    buf_putc(out, ']');
}

/* -- the whole ----------------------------------------------------------------------------------
 */

int job_view_put(struct buf *out, struct db *db, const struct job *job,
                 const struct job_input *input)
{
    struct plan_row row;
    bool planned = job->marks & JOB_HAS_PLAN;
    int status = planned ? plan_read(db, job->seq, &row) : 0;
    if (status < 0)
        return status;
    buf_putc(out, '{');
    job_put_members(out, job);
    put_text(out, "user_email", input->user_email);
    put_text(out, "prompt", input->prompt);
    put_text(out, "context", input->context);
    put_text(out, "scenario_slug", input->scenario_slug);
    put_text(out, "request_id", input->request_id);
    put_text(out, "session", input->session);
    put_text(out, "callback_url", input->callback_url);
    put_header_names(out, input->callback_headers);
    buf_puts(out, ",\"due_at\":");
    if (job->due_at < 0)
        buf_puts(out, "null");
    else
        control_put_time(out, job->due_at);
    put_plan(out, job, planned ? &row : NULL);
    put_transitions(out, job);
    buf_putc(out, '}');
    return 0;
}

struct view {
    struct buf *out;
    struct db *db;
    const struct job *job;
};

static int put_with_input(const struct job_input *input, void *arg)
{
    const struct view *view = arg;
    return job_view_put(view->out, view->db, view->job, input);
}

void job_view_answer(struct request *request, const struct job *job)
{
    struct buf body = BUF_INIT;
    struct db *db = control_reader(request);
    if (!db)
        return;
    struct view view = {&body, db, job};
    int status = job_input(db, job->seq, put_with_input, &view);
    if (status == 0) {
        respond(request, 200, content_type_json, &body);
        return;
    }
    buf_finish(&body);
    if (status == ERR_NOT_FOUND) /* its workspace was deleted meanwhile */
        job_view_refuse(request);
    else
        router_fail(request, status, "cannot read a job");
}

void job_view_refuse(struct request *request)
{
    control_problem(request, 404, "job_not_found", "The workspace has no job of this id",
                    "GET /_mock/jobs lists them");
}
