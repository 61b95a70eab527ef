/*
 * The pages that answers point to: openChat and showScenario. Both gather what they show while the
 * store's rows are under the cursor, and hand it to page.c, which knows HTML and nothing else.
 */
#include "engine/jobs.h"
#include "engine/jump.h"
#include "http/respond.h"
#include "store/scenario.h"
#include "studio/internal.h"
#include "studio/page.h"

#include <stdio.h>

const struct page_header page_headers[PAGE_HEADERS] = {
    {"Content-Security-Policy", page_security_policy},
    {"X-Content-Type-Options", "nosniff"},
    {"Referrer-Policy", "no-referrer"},
    {"Cache-Control", "no-store"},
    {"Cross-Origin-Resource-Policy", "same-origin"},
    {"Cross-Origin-Opener-Policy", "same-origin"},
};

static void answer_page(struct request *request, int status, struct buf *html)
{
    for (size_t i = 0; i < PAGE_HEADERS; i++)
        respond_header(request, page_headers[i].name, page_headers[i].value);
    respond(request, status, content_type_html, html);
}

void chat_put_absent(struct buf *html)
{
    page_problem(html, 404, "Session not found",
                 "There is no session at this address. Create one with POST "
                 "/rest/v1/scenario-studio and open the url of its answer.");
}

void scenario_put_absent(struct buf *html)
{
    page_problem(html, 404, "Scenario not found",
                 "There is no scenario at this address. A job that has completed names its "
                 "scenario's url.");
}

static void answer_absent(struct request *request, void (*put)(struct buf *html))
{
    struct buf html = BUF_INIT;
    put(&html);
    answer_page(request, 404, &html);
}

static void chat_put_gone(struct buf *html)
{
    page_problem(html, 404, "Session not found", "Its workspace has just been deleted.");
}

/* The workspace's name as it is now, in the request's memory. */
static const char *workspace_name(struct request *request)
{
    struct workspace_row *row = request_alloc(request, sizeof *row);
    if (!row)
        return "";
    registry_read_row(engine_registry(studio_of(request)->engine), auth_workspace(request), row);
    return row->name;
}

/* "" for the default workspace without a prefix, else "/w/<slug>" (H7). */
static void base_path(struct request *request, char ret_path[WORKSPACE_SLUG_SIZE + 4])
{
    const char *prefix = request_workspace_prefix(request);
    snprintf(ret_path, WORKSPACE_SLUG_SIZE + 4, prefix ? "/w/%s" : "", prefix);
}

static struct page_job page_job_of(const struct job *job)
{
    bool failed = job->status == JOB_FAILED;
    return (struct page_job){.id = job->id,
                             .status = job_status_name(job->status),
                             .created_at_ms = job->created_at,
                             .started_at_ms = job->started_at,
                             .completed_at_ms = job->completed_at,
                             .error_code = failed ? job->error_code : NULL,
                             .error_message = failed ? job->error_message : NULL};
}

/* Answers when a page could not be gathered. What it shows is read piece by piece: of a workspace
   that is emptied meanwhile, the one piece is there, and the next is not. */
static void answer_failure(struct request *request, int status, struct buf *html,
                           void (*put_absent)(struct buf *html))
{
    buf_finish(html);
    if (status == ERR_NOT_FOUND)
        answer_absent(request, put_absent);
    else
        router_fail(request, status, "cannot read what a page shows");
}

/* -- openChat -----------------------------------------------------------------------------------
 */

struct chat {
    struct request *request;
    struct session session;
    struct job job; /* where session.job names one */
    struct buf html;
};

static int render_chat(const struct session_input *input, void *arg)
{
    struct chat *chat = arg;
    char path[WORKSPACE_SLUG_SIZE + 4];
    bool started = *chat->session.job, completed = started && *chat->job.scenario_id;
    struct page_job job = page_job_of(&chat->job);

    base_path(chat->request, path);
    page_chat(&chat->html,
              &(struct page_chat){.base_path = path,
                                  .workspace_name = workspace_name(chat->request),
                                  .id = chat->session.id,
                                  .prompt = input->prompt,
                                  .user_email = input->user_email,
                                  .created_at_ms = chat->session.created_at,
                                  .job = started ? &job : NULL,
                                  .scenario_slug = completed ? chat->job.scenario_slug : NULL,
                                  .scenario_name = completed ? chat->job.scenario_name : NULL});
    return 0;
}

/* A page that is sent once the clock has jumped (engine/jump.h). */
struct jumping {
    struct jump jump;
    struct buf html;
};

static void finish_jumping(void *state)
{
    buf_finish(&((struct jumping *)state)->html);
}

static void wake(void *request)
{
    request_resume(request);
}

static void answer_jumping(struct request *request)
{
    struct jumping *jumping = request_state(request);
    const struct operation *operation = &jumping->jump.operation;
    if (operation->status < 0 && operation->status != ERR_GONE)
        router_fail(request, operation->status, NULL);
    else
        answer_page(request, 200, &jumping->html);
}

/* The page shows the job as it was; by the time that it comes, an auto clock has jumped. */
static void jump_and_answer(struct request *request, struct chat *chat)
{
    struct jumping *jumping = request_new_state(request, sizeof *jumping, finish_jumping);
    if (!jumping) {
        answer_failure(request, ERR_NO_MEMORY, &chat->html, chat_put_absent);
        return;
    }
    jumping->html = chat->html;
    request_suspend(request, answer_jumping);
    jump_begin(&jumping->jump, studio_of(request)->engine, auth_workspace(request), &chat->job,
               wake, request);
}

static void show_chat(struct request *request, struct db *db, const struct session *session)
{
    struct chat chat = {.request = request, .session = *session};
    int64_t workspace = auth_workspace(request)->row.pk;
    int status = *session->job ? job_by_id(db, workspace, session->job, &chat.job) : 0;
    if (status == 0)
        status = session_input(db, workspace, session->id, render_chat, &chat);
    if (status < 0)
        answer_failure(request, status, &chat.html, chat_put_absent);
    else if (*session->job && !request_is_head(request) &&
             jump_follows(auth_workspace(request), &chat.job))
        jump_and_answer(request, &chat);
    else
        answer_page(request, 200, &chat.html);
}

static void chat_started(struct request *request);

/* `may_start`: whether a session that has no job yet is to get one now. */
static void open_chat(struct request *request, bool may_start)
{
    struct session session;
    const char *id = request_param(request, 0);
    struct db *db = studio_reader(request);
    if (!db)
        return;
    int status = session_by_id(db, auth_workspace(request)->row.pk, id, &session);
    if (status == ERR_NOT_FOUND) {
        answer_absent(request, chat_put_absent);
    } else if (status < 0) {
        router_fail(request, status, "cannot read a session");
    } else if (*session.job || !may_start) {
        show_chat(request, db, &session);
    } else {
        struct session_open *open = request_new_state(request, sizeof *open, NULL);
        if (!open) {
            router_fail(request, ERR_NO_MEMORY, NULL);
            return;
        }
        open->id = id;
        open->subject = auth_subject(request);
        studio_operate(request, &open->operation, session_open_run, chat_started);
    }
}

static void chat_started(struct request *request)
{
    const struct session_open *open = request_state(request);
    if (open->operation.status == ERR_GONE)
        answer_absent(request, chat_put_gone);
    else if (!studio_failed(request, &open->operation))
        open_chat(request, false);
}

void chat_handler(struct request *request)
{
    open_chat(request, !request_is_head(request)); /* HEAD has no side effects (H3) */
}

/* -- showScenario -------------------------------------------------------------------------------
 */

struct showing {
    struct request *request;
    struct scenario scenario, source;
    bool has_source;
    struct job job;
    struct buf html;
};

static int render_scenario(const struct job_input *input, void *arg)
{
    struct showing *showing = arg;
    const struct scenario *scenario = &showing->scenario;
    char path[WORKSPACE_SLUG_SIZE + 4];
    struct page_job job = page_job_of(&showing->job);

    base_path(showing->request, path);
    page_scenario(
        &showing->html,
        &(struct page_scenario){.base_path = path,
                                .workspace_name = workspace_name(showing->request),
                                .id = scenario->id,
                                .slug = scenario->slug,
                                .name = scenario->name,
                                .prompt = input->prompt,
                                .context = input->context,
                                .owner_email = input->user_email,
                                .created_at_ms = scenario->created_at,
                                .source_slug = showing->has_source ? showing->source.slug
                                                                   : input->scenario_slug,
                                .source_name = showing->has_source ? showing->source.name : NULL,
                                .source_exists = showing->has_source,
                                .job = *scenario->job ? &job : NULL,
                                .session_id = input->session});
    return 0;
}

static int gather_scenario(struct db *db, struct showing *showing, const char *slug)
{
    int64_t workspace = auth_workspace(showing->request)->row.pk;
    struct scenario *scenario = &showing->scenario;
    int status = scenario_by_slug(db, workspace, slug, scenario);
    if (status == 0 && *scenario->source) {
        status = scenario_by_id(db, workspace, scenario->source, &showing->source);
        showing->has_source = status == 0;
        if (status == ERR_NOT_FOUND)
            status = 0;
    }
    if (status == 0 && !*scenario->job) /* the control plane made it */
        return render_scenario(&(struct job_input){0}, showing);
    if (status == 0)
        status = job_by_id(db, workspace, scenario->job, &showing->job);
    if (status == 0)
        status = job_input(db, showing->job.seq, render_scenario, showing);
    return status;
}

void scenario_handler(struct request *request)
{
    struct showing showing = {.request = request};
    struct db *db = studio_reader(request);
    if (!db)
        return;
    int status = gather_scenario(db, &showing, request_param(request, 0));
    if (status < 0)
        answer_failure(request, status, &showing.html, scenario_put_absent);
    else
        answer_page(request, 200, &showing.html);
}
