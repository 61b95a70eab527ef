/* getState, replaceState, resetWorkspace. */
#include "engine/state.h"

#include "base/json.h"
#include "base/time.h"
#include "control/internal.h"
#include "control/wait.h"
#include "engine/advance.h"
#include "engine/rules.h"
#include "http/respond.h"

#include <string.h>

/* Longer than any request takes that no rule holds up. */
enum { BARRIER_MS = 30000 };

/* What a request about a state has in hand; the document lives as long as it. */
struct replacing {
    struct state_replace replace;
    struct state_document document;
    struct engine *engine;
    struct workspace *taken; /* whose clock this has taken; NULL: none */

    /* Of a reset. */
    bool asks;      /* for the clock, that somebody else has */
    json_t *origin; /* what it puts back */
    unsigned turn;  /* that is over: its requests are answered first */
    bool is_last;   /* of those that began before this reset */
    struct waiter waiter;
};

/* What has stood still meanwhile goes on. */
static void give_back(struct replacing *replacing)
{
    if (replacing->taken)
        clock_give_back(replacing->engine, replacing->taken);
    replacing->taken = NULL;
}

static void ask_no_more(struct replacing *replacing)
{
    if (replacing->asks)
        clock_ask_no_more(replacing->waiter.workspace);
    replacing->asks = false;
}

static void finish_replacing(void *state)
{
    struct replacing *replacing = state;
    ask_no_more(replacing);
    give_back(replacing);
    rule_set_release(replacing->replace.rules);
    state_document_finish(&replacing->document);
    json_decref(replacing->origin);
}

static struct replacing *new_replacing(struct request *request)
{
    struct replacing *replacing = request_new_state(request, sizeof *replacing, finish_replacing);
    if (!replacing)
        router_fail(request, ERR_NO_MEMORY, NULL);
    return replacing;
}

static void answer_document(struct request *request, bool reveal)
{
    struct buf body = BUF_INIT;
    struct db *db = control_reader(request);
    if (!db)
        return;
    struct rule_set *rules = workspace_rules(mock_workspace(request));
    int status = state_write(db, mock_workspace(request)->row.pk, rules, reveal, &body);
    rule_set_release(rules);
    if (status == 0) {
        respond(request, 200, content_type_json, &body);
        return;
    }
    buf_finish(&body);
    if (status == ERR_NOT_FOUND)
        control_problem(request, 404, "workspace_not_found", "The workspace has just been deleted",
                        NULL);
    else
        router_fail(request, status, "cannot read a state");
}

struct get_params {
    struct field_whole reveal; /* the place of its word */
};

static const char *const no_or_yes[] = {"false", "true", NULL};

const struct param state_get_params[] = {
    {"reveal", PARAM_WORD, "true or false", .words = no_or_yes,
     .offset = offsetof(struct get_params, reveal)},
};
const size_t state_get_param_count = sizeof state_get_params / sizeof *state_get_params;

void state_get_handler(struct request *request)
{
    struct get_params params = {.reveal = {0}};
    if (params_read(request, &params))
        answer_document(request, params.reveal.value == 1);
}

void control_tell_state(struct request *request, const struct state_fault *fault)
{
    struct buf detail = BUF_INIT;
    if (*fault->path && !fault->names_path)
        buf_printf(&detail, "%s ", fault->path);
    buf_puts(&detail, fault->problem);
    if (buf_failed(&detail))
        router_fail(request, ERR_NO_MEMORY, NULL);
    else if (fault->is_taken)
        control_problem(request, 409, "api_key_taken", detail.data,
                        "Nothing was changed. Without keys, those that are there stay");
    else
        control_problem(request, 422, "invalid_state", detail.data,
                        "Nothing was changed. GET /_mock/state shows what a state looks like");
    buf_finish(&detail);
}

static bool take_document(struct request *request, struct replacing *replacing, const json_t *json)
{
    struct state_fault fault;
    int status = state_document_init(&replacing->document, json, time_steady_ms(), &fault);
    if (status == ERR_INVALID)
        control_tell_state(request, &fault);
    else if (status < 0)
        router_fail(request, status, NULL);
    return status == 0;
}

/* Only one moves a clock: an advance, a change of the clock, or a state that is put back. */
static bool take_clock(struct request *request, struct replacing *replacing)
{
    struct workspace *workspace = mock_workspace(request);
    if (!clock_take(workspace)) {
        clock_answer_busy(request);
        return false;
    }
    replacing->engine = control_of(request)->engine;
    replacing->taken = workspace;
    return true;
}

/* Whether the replacement was made; else the request has been answered. */
static bool was_replaced(struct request *request)
{
    struct replacing *replacing = request_state(request);
    give_back(replacing);
    if (replacing->replace.operation.status == ERR_INVALID) {
        control_tell_state(request, &replacing->replace.fault);
        return false;
    }
    return !control_failed(request, &replacing->replace.operation);
}

static void answer_put(struct request *request)
{
    answer_document(request, false);
}

static void put_over(struct request *request)
{
    if (was_replaced(request))
        control_forget_attempts(request, mock_workspace(request), answer_put);
}

void state_put_handler(struct request *request)
{
    const json_t *body;
    struct replacing *replacing = new_replacing(request);
    if (!replacing || !control_read_body_object(request, &body))
        return;
    if (!body) {
        control_problem(request, 422, "invalid_body", "A state must be a JSON object",
                        "GET /_mock/state shows what a state looks like");
        return;
    }
    if (!take_document(request, replacing, body) || !take_clock(request, replacing))
        return;
    state_replace_init(&replacing->replace, control_of(request)->engine, mock_workspace(request),
                       &replacing->document);
    control_operate(request, &replacing->replace.operation, put_over);
}

/* -- resetWorkspace ---------------------------------------------------------------------------- */

struct reset_body {
    const json_t *keep;
};

static bool check_keep(const json_t *value)
{
    for (size_t i = 0; i < json_array_size(value); i++) {
        const char *kept = json_string_value(json_array_get(value, i));
        if (!kept || (strcmp(kept, "rules") != 0 && strcmp(kept, "settings") != 0))
            return false;
    }
    return true;
}

const struct field reset_fields[] = {
    {"keep", FIELD_ARRAY, .what = "a list of what stays: \"rules\", \"settings\"",
     .check = check_keep, .offset = offsetof(struct reset_body, keep)},
};
const size_t reset_field_count = sizeof reset_fields / sizeof *reset_fields;

static bool keeps(const struct reset_body *body, const char *what)
{
    for (size_t i = 0; i < json_array_size(body->keep); i++)
        if (strcmp(json_string_value(json_array_get(body->keep, i)), what) == 0)
            return true;
    return false;
}

static int parse_origin(const char *document, size_t len, void *arg)
{
    json_t **ret_json = arg;
    *ret_json = json_read(document, len, 0, NULL);
    return *ret_json ? 0 : ERR_NO_MEMORY;
}

/* What the workspace was made with; one that the server's start made is made with nothing. */
static bool read_origin(struct request *request, struct replacing *replacing)
{
    struct db *db = control_reader(request);
    if (!db)
        return false;
    int status = workspace_read_origin(db, mock_workspace(request)->row.pk, parse_origin,
                                       &replacing->origin);
    if (status == ERR_NOT_FOUND)
        status = (replacing->origin = json_object()) ? 0 : ERR_NO_MEMORY;
    if (status < 0)
        router_fail(request, status, "cannot read what a workspace was made with");
    return status == 0;
}

static void answer_reset(struct request *request)
{
    workspace_answer(request, 200, mock_workspace(request)->row.pk, NULL);
}

static void reset_over(struct request *request)
{
    if (was_replaced(request))
        control_forget_attempts(request, mock_workspace(request), answer_reset);
}

static void put_back(struct request *request)
{
    struct replacing *replacing = request_state(request);
    state_replace_init(&replacing->replace, replacing->engine, replacing->taken,
                       &replacing->document);
    replacing->replace.restarts_clock = true;
    replacing->replace.clears_journal = true;
    control_operate(request, &replacing->replace.operation, reset_over);
}

static void wake(void *request)
{
    request_resume(request);
}

/* A barrier: what began before the reset is answered before it (and what it did is then gone); what
 * a rule holds up, at once. */
static void await_requests(struct request *request)
{
    struct replacing *replacing = request_state(request);
    struct waiter *waiter = &replacing->waiter;
    int64_t seen = events_seen(waiter->workspace, waiter->kinds);
    events_hurry(waiter->workspace);
    int left = events_unanswered_of(waiter->workspace, replacing->turn);
    if (!left && !replacing->is_last) { /* what a reset that gave up has left is answered now */
        replacing->is_last = events_turn(waiter->workspace, &replacing->turn);
        left = events_unanswered_of(waiter->workspace, replacing->turn);
    }
    if (!left && replacing->is_last) {
        put_back(request);
    } else if (waiter->end == WAIT_DELETED || waiter->end == WAIT_STOPPED) {
        control_refuse_end(request, waiter->end);
    } else if (waiter->end != WAIT_HAPPENED) {
        control_problem(request, 409, "wait_expired",
                        "Requests that began before the reset are still not answered",
                        "Nothing was reset. A client may leave its answer unread: end it, or reset "
                        "again when they are over");
    } else {
        waiter->seen = seen;
        request_suspend(request, await_requests);
        waiter_begin(waiter);
    }
}

/* Whether it is to be waited on: not when it is over, and the request answered. */
static bool goes_on(struct request *request, const struct waiter *waiter)
{
    if (waiter->end == WAIT_DELETED || waiter->end == WAIT_STOPPED)
        control_refuse_end(request, waiter->end);
    else if (waiter->end == WAIT_PASSED)
        clock_answer_busy(request);
    else
        return true;
    return false;
}

/* An advance, or another reset, is let finish: a test that tidies up is not told to try again. But
 * an advance that waits for a receiver ends. */
static void await_clock(struct request *request)
{
    struct replacing *replacing = request_state(request);
    struct waiter *waiter = &replacing->waiter;
    waiter->kinds = EVENT_CLOCK;
    waiter->seen = events_seen(waiter->workspace, waiter->kinds);
    waiter->resets = events_resets(waiter->workspace);
    if (!goes_on(request, waiter))
        return;
    if (!clock_take(waiter->workspace)) {
        if (!replacing->asks)
            clock_ask_back(waiter->workspace);
        replacing->asks = true;
        request_suspend(request, await_clock);
        waiter_begin(waiter);
        return;
    }
    ask_no_more(replacing);
    replacing->taken = waiter->workspace;
    replacing->is_last = events_turn(replacing->taken, &replacing->turn);
    waiter->kinds = EVENT_REQUEST;
    waiter->end = WAIT_HAPPENED;
    await_requests(request);
}

void reset_handler(struct request *request)
{
    struct reset_body body = {.keep = NULL};
    struct replacing *replacing = new_replacing(request);
    if (!replacing || !control_read_body(request, reset_fields, reset_field_count, &body) ||
        !read_origin(request, replacing) || !take_document(request, replacing, replacing->origin))
        return;
    replacing->engine = control_of(request)->engine;
    replacing->document.keeps_settings = keeps(&body, "settings");
    replacing->document.keeps_rules = keeps(&body, "rules");
    replacing->waiter = (struct waiter){.engine = replacing->engine,
                                        .workspace = mock_workspace(request),
                                        .until = time_steady_ms() + BARRIER_MS,
                                        .wake = wake,
                                        .arg = request,
                                        .end = WAIT_HAPPENED};
    await_clock(request);
}
