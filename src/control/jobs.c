/* listJobs and getJob: finding the job that a client made, and waiting for it. */
#include "control/internal.h"
#include "control/job_view.h"
#include "control/list.h"
#include "control/wait.h"
#include "engine/job_state.h"
#include "http/respond.h"
#include "store/job_list.h"

#include "base/email.h"
#include "base/glob.h"
#include "base/time.h"

#include <string.h>

/* -- listJobs: what is asked ------------------------------------------------------------------- */

/* The order of enum job_status. */
static const char *const statuses[] = {"queued", "processing", "completed",
                                       "failed", "cancelled",  NULL};

struct list_query_params {
    struct field_whole status;
    const char *user_email, *request_id, *prompt, *scenario_slug, *session;
    struct list_params list;
};

#define TO(member_) .offset = offsetof(struct list_query_params, member_)

const struct param job_list_params[] = {
    {"status", PARAM_WORD, "a job's status", .words = statuses, TO(status)},
    {"user_email", PARAM_TEXT, "an e-mail address, in which * stands for any characters",
     TO(user_email)},
    {"request_id", PARAM_TEXT, "a text that is not empty", TO(request_id)},
    {"prompt", PARAM_TEXT, "a text that is not empty", TO(prompt)},
    {"scenario_slug", PARAM_TEXT, "a text that is not empty", TO(scenario_slug)},
    {"session", PARAM_TEXT, "a text that is not empty", TO(session)},
    LIST_SINCE_PARAM(struct list_query_params, list),
    LIST_LIMIT_PARAM(struct list_query_params, list),
    LIST_MIN_PARAM(struct list_query_params, list),
    LIST_WAIT_PARAM(struct list_query_params, list),
};
const size_t job_list_param_count = sizeof job_list_params / sizeof *job_list_params;

struct job_list {
    struct control_wait wait;
    struct list_query query;
    struct job_filter filter; /* after: the last event that was counted */
    char *email;              /* a folded pattern, or NULL */
    int64_t found;
};

/* -- listJobs: looking ------------------------------------------------------------------------- */

struct listing {
    const struct job_list *list;
    struct db *db;
    struct buf body;
    int64_t count, max;
    int64_t last; /* event */
};

static bool fits(const struct job_list *list, const struct job_input *input)
{
    char folded[EMAIL_MAX + 1];
    if (!list->email)
        return true;
    email_fold(input->user_email, folded);
    return glob_fits(list->email, folded);
}

static int count_job(const struct job *job, const struct job_input *input, void *arg)
{
    struct listing *listing = arg;
    (void)job;
    listing->count += fits(listing->list, input);
    return listing->count >= listing->max;
}

static int put_job(const struct job *job, const struct job_input *input, void *arg)
{
    struct listing *listing = arg;
    if (!fits(listing->list, input))
        return 0;
    if (listing->count)
        buf_putc(&listing->body, ',');
    int status = job_view_put(&listing->body, listing->db, job, input);
    listing->last = job->event;
    listing->count++;
    if (status == 0)
        status = listing->count >= listing->max || listing->body.len >= LIST_BYTES_MAX;
    return status;
}

/* The jobs from the list's beginning on. */
static void answer_list(struct request *request, struct job_list *list, struct db *db,
                        struct cursor now)
{
    struct listing listing = {.list = list, .db = db, .max = list->query.limit};
    struct job_filter filter = list->filter;
    filter.after = list->query.since.jobs;
    filter.until = now.jobs;
    buf_puts(&listing.body, "{\"items\":[");
    int status = cursor_complete(mock_workspace(request), db, &now);
    if (status == 0)
        status = job_each(db, mock_workspace(request)->row.pk, &filter, put_job, &listing);
    if (status < 0) {
        buf_finish(&listing.body);
        router_fail(request, status, "cannot read the jobs");
        return;
    }
    if (status > 0) /* there may be more */
        now.jobs = listing.last;
    list_answer(request, &listing.body, &now);
}

static enum wait_look look_at_list(struct request *request, struct control_wait *self)
{
    struct job_list *list = (struct job_list *)self;
    struct workspace *workspace = mock_workspace(request);
    struct cursor now = cursor_now(workspace); /* before the store is read */
    struct db *db = control_reader(request);
    if (!db)
        return LOOK_ANSWERED;
    struct listing listing = {.list = list, .db = db, .max = list->query.min - list->found};
    list->filter.until = now.jobs;
    int status =
        listing.max > 0 ? job_each(db, workspace->row.pk, &list->filter, count_job, &listing) : 0;
    if (status < 0) {
        router_fail(request, status, "cannot read the jobs");
        return LOOK_ANSWERED;
    }
    if (listing.count < listing.max) {
        /* What a job was asked with never changes, so that those that were counted need not be
           looked at again; its status does. */
        if (list->filter.status < 0) {
            list->filter.after = now.jobs;
            list->found += listing.count;
        } else {
            list->found = 0;
        }
        return LOOK_NOT_YET;
    }
    answer_list(request, list, db, now);
    return LOOK_ANSWERED;
}

static int count_any(const struct job *job, const struct job_input *input, void *arg)
{
    struct listing *listing = arg;
    listing->max++;
    listing->count +=
        (listing->list->filter.status < 0 || listing->list->filter.status == (int)job->status) &&
        fits(listing->list, input);
    return 0;
}

static void tell_list(struct request *request, struct control_wait *self, struct buf *detail,
                      struct buf *hint)
{
    struct job_list *list = (struct job_list *)self;
    struct workspace *workspace = mock_workspace(request);
    struct db *db = store_reader(engine_store(control_of(request)->engine), NULL);
    struct listing fit = {.list = list, .db = db, .max = INT64_MAX};
    struct listing all = {.list = list, .db = db};
    struct job_filter any = {
        .after = list->query.since.jobs, .until = cursor_now(workspace).jobs, .status = -1};
    struct job_filter filter = list->filter;
    filter.after = any.after;
    filter.until = any.until;
    if (!db || job_each(db, workspace->row.pk, &filter, count_job, &fit) < 0 ||
        job_each(db, workspace->row.pk, &any, count_any, &all) < 0) {
        buf_puts(detail, "The jobs cannot be read");
        return;
    }
    buf_printf(detail,
               "%lld of the %lld jobs that were asked for are there; %lld others do not fit",
               (long long)fit.count, (long long)list->query.min, (long long)(all.max - fit.count));
    if (filter.status >= 0) {
        buf_puts(detail, "; ");
        wait_tell_clock(request, detail);
    } else {
        buf_puts(hint, "Jobs come by POST /rest/v1/scenario-studio/jobs and by opening a session's "
                       "page, with a key of this workspace");
    }
}

/* -- listJobs: the handler --------------------------------------------------------------------- */

static bool read_list(struct request *request, struct job_list *list)
{
    struct list_query_params params = {.list = {0}};
    if (!params_read(request, &params) || !list_read(request, &params.list, &list->query))
        return false;
    if (list->query.since.jobs > cursor_now(mock_workspace(request)).jobs) {
        list_refuse_since(request, false);
        return false;
    }
    list->filter =
        (struct job_filter){.after = list->query.since.jobs,
                            .status = params.status.given ? (int)params.status.value : -1,
                            .request_id = params.request_id,
                            .scenario_slug = params.scenario_slug,
                            .session = params.session,
                            .prompt = params.prompt};
    if (params.user_email) {
        list->email = request_alloc(request, EMAIL_MAX + 1);
        if (!list->email) {
            router_fail(request, ERR_NO_MEMORY, NULL);
            return false;
        }
        email_fold(params.user_email, list->email);
    }
    return true;
}

void mock_job_list_handler(struct request *request)
{
    struct job_list *list = control_wait_state(request, sizeof *list);
    if (!list || !read_list(request, list))
        return;
    list->wait.kinds = EVENT_JOB;
    list->wait.ms = list->query.wait;
    list->wait.look = look_at_list;
    list->wait.tell = tell_list;
    control_wait(request);
}

/* -- getJob ------------------------------------------------------------------------------------ */

/* What a job may have reached; the order of `goals`. */
enum goal { GOAL_PROCESSING, GOAL_COMPLETED, GOAL_FAILED, GOAL_CANCELLED, GOAL_TERMINAL };

static const char *const goals[] = {"processing", "completed", "failed",
                                    "cancelled",  "terminal",  NULL};

struct get_params {
    struct field_whole until, wait;
};

const struct param job_get_params[] = {
    {"until", PARAM_WORD, "what the job is to have reached", .words = goals,
     .offset = offsetof(struct get_params, until)},
    WAIT_PARAM(struct get_params, wait),
};
const size_t job_get_param_count = sizeof job_get_params / sizeof *job_get_params;

struct job_watch {
    struct control_wait wait;
    bool has_goal;
    enum goal goal;
};

/* Whether the job has reached it, on its way or as its end. */
static bool has_reached(const struct job *job, enum goal goal)
{
    switch (goal) {
    case GOAL_PROCESSING:
        return job->started_at >= 0;
    case GOAL_COMPLETED:
        return job->status == JOB_COMPLETED;
    case GOAL_FAILED:
        return job->status == JOB_FAILED;
    case GOAL_CANCELLED:
        return job->status == JOB_CANCELLED;
    default:
        return job_state_is_end(job->status);
    }
}

static enum wait_look look_at_job(struct request *request, struct control_wait *self)
{
    const struct job_watch *watch = (struct job_watch *)self;
    struct job job;
    struct db *db = control_reader(request);
    if (!db)
        return LOOK_ANSWERED;
    int status = job_by_id(db, mock_workspace(request)->row.pk, request_param(request, 0), &job);
    if (status == ERR_NOT_FOUND && control_wait_is_open(self))
        return LOOK_NOT_YET;
    if (status == ERR_NOT_FOUND)
        job_view_refuse(request);
    else if (status < 0)
        router_fail(request, status, "cannot read a job");
    else if (!watch->has_goal || has_reached(&job, watch->goal))
        job_view_answer(request, &job);
    else
        return job_state_is_end(job.status) ? LOOK_NEVER : LOOK_NOT_YET;
    return LOOK_ANSWERED;
}

static void tell_end(struct buf *out, const struct job *job, enum goal goal)
{
    char at[TIME_TEXT_SIZE];
    time_format_millis(job->completed_at, at);
    buf_printf(out, "The job is %s since %s", job_status_name(job->status), at);
    if (job->status == JOB_FAILED)
        buf_printf(out, " (%s: %s)", job->error_code, job->error_message);
    buf_printf(out, " and cannot become %s any more", goals[goal]);
}

static void tell_job(struct request *request, struct control_wait *self, struct buf *detail,
                     struct buf *hint)
{
    const struct job_watch *watch = (struct job_watch *)self;
    struct workspace *workspace = mock_workspace(request);
    struct db *db = store_reader(engine_store(control_of(request)->engine), NULL);
    struct job job;
    if (!db || job_by_id(db, workspace->row.pk, request_param(request, 0), &job) < 0) {
        buf_puts(detail, "The job cannot be read");
        return;
    }
    if (job_state_is_end(job.status)) {
        tell_end(detail, &job, watch->goal);
        return;
    }
    buf_printf(detail, "The job is %s", job_status_name(job.status));
    if (job.marks & JOB_IS_HELD) {
        buf_printf(detail, " and held there: POST /_mock/jobs/%s/release", job.id);
    } else if (job.marks & JOB_IS_POLLED) {
        buf_printf(detail, " and moved by reads: GET /rest/v1/scenario-studio/jobs/%s", job.id);
    } else {
        if (job.status == JOB_QUEUED && job.due_at <= workspace_now(workspace))
            buf_puts(detail, " and waits for a place (max_processing)");
        buf_puts(detail, "; ");
        wait_tell_clock(request, detail);
    }
    buf_puts(hint, "POST /_mock/jobs/{job}/transition moves it at once");
}

void mock_job_get_handler(struct request *request)
{
    struct get_params params = {.until = {0}};
    struct job_watch *watch = control_wait_state(request, sizeof *watch);
    if (!watch || !params_read(request, &params))
        return;
    if (params.wait.given && !params.until.given) {
        control_problem(request, 422, "missing_parameter", "wait needs until",
                        "Say what is waited for: until=terminal");
        return;
    }
    watch->has_goal = params.until.given;
    watch->goal = (enum goal)params.until.value;
    watch->wait.kinds = EVENT_JOB;
    watch->wait.ms = params.wait.value;
    watch->wait.look = look_at_job;
    watch->wait.tell = tell_job;
    control_wait(request);
}
