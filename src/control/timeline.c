/* getTimeline and getJobTimeline. */
#include "control/timeline.h"

#include "base/time.h"

#include "control/internal.h"
#include "control/job_view.h"

/* -- what is asked ----------------------------------------------------------------------------- */

static const char *const formats[] = {"json", "text", NULL};

struct timeline_query {
    struct field_whole format;
    struct list_params list;
};

const struct param timeline_params[] = {
    {"format", PARAM_WORD, "json or text", .words = formats,
     .offset = offsetof(struct timeline_query, format)},
    LIST_SINCE_PARAM(struct timeline_query, list),
    LIST_LIMIT_PARAM(struct timeline_query, list),
};
const size_t timeline_param_count = sizeof timeline_params / sizeof *timeline_params;

/* Behind the place where a timeline has ended: nothing before that is wanted where its limit cut
 * it, and else nothing but what is new. */
static void begin_behind(struct timeline *timeline)
{
    const struct cursor *since = &timeline->since;
    struct timeline_key place = {.at = since->at, .sent = since->sent, .number = since->place};
    timeline_set_step(&place, since->step);
    if (since->told)
        timeline->seen = place;
    else if (since->at || since->sent || since->place || since->step) {
        timeline->window.has_after = true;
        timeline->window.after = place;
    }
}

static bool read_query(struct timeline *timeline)
{
    struct timeline_query params = {.list = {0}};
    struct list_query query;
    if (!params_read(timeline->request, &params) ||
        !list_read(timeline->request, &params.list, &query))
        return false;
    if (query.since.jobs > timeline->now.jobs || query.since.journal > timeline->now.journal) {
        list_refuse_since(timeline->request, false);
        return false;
    }
    timeline->since = query.since;
    timeline->window.limit = (size_t)query.limit;
    timeline->window.is_text = params.format.value == 1;
    begin_behind(timeline);
    return true;
}

/* -- the answer -------------------------------------------------------------------------------- */

static void answer(struct timeline *timeline)
{
    int status = timeline_read_journal(timeline);
    if (status == 0)
        status = timeline_gather(timeline);
    if (status == 0)
        timeline_answer(timeline, timeline_end(&timeline->window));
    else
        router_fail(timeline->request, status, "cannot read a timeline");
    timeline_finish_journal(timeline);
    timeline_finish(&timeline->window);
    rule_set_release(timeline->rules);
}

/* False: the request was answered. */
static bool begin(struct request *request, struct timeline *timeline)
{
    struct workspace *workspace = mock_workspace(request);
    *timeline = (struct timeline){.request = request,
                                  .workspace = workspace,
                                  .begun_at = time_steady_ms(),
                                  .now = cursor_now(workspace)};
    if (!read_query(timeline))
        return false;
    timeline->db = control_reader(request);
    if (!timeline->db)
        return false;
    int status = cursor_complete(workspace, timeline->db, &timeline->now);
    if (status == 0)
        status = attempt_last(timeline->db, &timeline->now.attempts);
    if (status < 0)
        router_fail(request, status, "cannot read a timeline");
    return status == 0;
}

void timeline_handler(struct request *request)
{
    struct timeline timeline;
    if (begin(request, &timeline))
        answer(&timeline);
}

static int answer_of_job(const struct job_input *input, void *arg)
{
    struct timeline *timeline = arg;
    timeline->input = input;
    answer(timeline);
    return 0;
}

void job_timeline_handler(struct request *request)
{
    struct timeline timeline;
    struct job job;
    if (!begin(request, &timeline))
        return;
    int64_t pk = timeline.workspace->row.pk;
    int status = job_by_id(timeline.db, pk, request_param(request, 0), &job);
    timeline.job = &job;
    if (status == 0)
        status = job_input(timeline.db, job.seq, answer_of_job, &timeline);
    if (status == ERR_NOT_FOUND)
        job_view_refuse(request);
    else if (status < 0)
        router_fail(request, status, "cannot read a job");
}
