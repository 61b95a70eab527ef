/* advanceClock. */
#include "base/duration.h"
#include "base/time.h"
#include "control/internal.h"
#include "control/wait.h"
#include "engine/advance.h"
#include "http/respond.h"

#include <stdio.h>
#include <string.h>

/* A caller waits: half a minute where it does not say how long, and not for ever. */
enum { TIMEOUT_MS = 30 * 1000, TIMEOUT_MAX_MS = 10 * 60 * 1000 };

struct advance_body {
    struct field_whole by, events, timeout;
    struct field_text to, deliveries;
    const json_t *until;
};

struct until_body {
    struct field_text job, status;
};

static bool check_events(const json_t *value)
{
    double number = json_number_value(value);
    return number >= 1 && number <= ADVANCE_EVENTS;
}

static bool check_time(const json_t *value)
{
    int64_t ms;
    return time_parse(json_string_value(value), &ms, NULL) == 0;
}

static bool check_until(const json_t *value)
{
    return json_is_object(value) || json_is_string(value);
}

static bool check_timeout(const json_t *value)
{
    int64_t ms = 0;
    return duration_parse(json_string_value(value), &ms, NULL) == 0 && ms > 0 &&
           ms <= TIMEOUT_MAX_MS;
}

#define TO(member_) .offset = offsetof(struct advance_body, member_)

const struct field advance_fields[] = {
    {"by", FIELD_DURATION, .what = "a duration with its unit, as \"76h\"", TO(by)},
    {"to", FIELD_STRING, .what = "a time from 1970 to 9999, as 2030-01-01T00:00:00Z",
     .check = check_time, TO(to)},
    {"events", FIELD_WHOLE, .what = "a whole number from 1 to 100000", .check = check_events,
     TO(events)},
    {"until", FIELD_ANY,
     .what = "\"settled\", or an object with job and status, as "
             "{\"job\": \"e915db08c62f\", \"status\": \"terminal\"}",
     .check = check_until, TO(until)},
    {"timeout", FIELD_DURATION, .what = "a duration with its unit, above zero, up to \"10m\"",
     .check = check_timeout, TO(timeout)},
    {"deliveries", FIELD_STRING, .what = "wait or detach", TO(deliveries)},
};
const size_t advance_field_count = sizeof advance_fields / sizeof *advance_fields;

#define UNTIL_TO(member_) .offset = offsetof(struct until_body, member_)

static const struct field until_fields[] = {
    {"job", FIELD_STRING, .required = true, .what = "a job's id", UNTIL_TO(job)},
    {"status", FIELD_STRING, .required = true,
     .what = "terminal, processing, completed, failed or cancelled", UNTIL_TO(status)},
};
enum { UNTIL_FIELDS = sizeof until_fields / sizeof *until_fields };

/* -- reading ----------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    enum job_status goal;
} goals[] = {
    {"terminal", ADVANCE_TERMINAL}, {"processing", JOB_PROCESSING}, {"completed", JOB_COMPLETED},
    {"failed", JOB_FAILED},         {"cancelled", JOB_CANCELLED},
};
enum { GOALS = sizeof goals / sizeof *goals };

static const char *goal_name(enum job_status goal)
{
    size_t i = 0;
    while (i < GOALS - 1 && goals[i].goal != goal)
        i++;
    return goals[i].name;
}

static bool read_until(struct request *request, const json_t *value, struct advance *advance)
{
    static const char *const texts[] = {"settled", NULL};
    struct until_body body = {.job = {0}};
    bool is_text = json_is_string(value);
    if (is_text && strcmp(json_string_value(value), *texts) != 0) {
        control_wrong_name(request, "", "until", json_string_value(value), texts);
        return false;
    }
    advance->until = is_text ? ADVANCE_SETTLED : ADVANCE_JOB;
    if (is_text)
        return true;
    if (!control_read_object(request, "until.", value, until_fields, UNTIL_FIELDS, &body))
        return false;
    advance->job = body.job.data;
    for (size_t i = 0; i < GOALS; i++) {
        if (strcmp(goals[i].name, body.status.data) != 0)
            continue;
        advance->goal = goals[i].goal;
        return true;
    }
    const char *names[GOALS + 1] = {NULL};
    for (size_t i = 0; i < GOALS; i++)
        names[i] = goals[i].name;
    control_wrong_name(request, "until.", "status", body.status.data, names);
    return false;
}

/* Whether it waits for attempts at callbacks, as it does where nothing is said. */
static bool read_deliveries(struct request *request, const char *text, struct advance *advance)
{
    static const char *const words[] = {"wait", "detach", NULL};
    if (!text)
        return true;
    advance->detaches = strcmp(text, "detach") == 0;
    if (!advance->detaches && strcmp(text, "wait") != 0) {
        control_wrong_name(request, "", "deliveries", text, words);
        return false;
    }
    return true;
}

/* Exactly one of them says how far. */
static bool check_event_count(struct request *request, const struct advance_body *body)
{
    int given =
        body->by.given + (body->to.data != NULL) + body->events.given + (body->until != NULL);
    if (given == 0)
        control_problem(request, 422, "missing_field",
                        "One of by, to, events and until is required",
                        "{\"by\": \"5m\"}, {\"to\": \"2030-01-01T00:00:00Z\"}, {\"events\": 1} or "
                        "{\"until\": \"settled\"}");
    else if (given > 1)
        control_problem(request, 422, "invalid_field",
                        "by, to, events and until exclude each other", "Give one of them");
    return given == 1;
}

static bool read_advance(struct request *request, struct advance *advance)
{
    struct advance_body body = {.by = {0}};
    if (!control_read_body(request, advance_fields, advance_field_count, &body) ||
        !read_deliveries(request, body.deliveries.data, advance) ||
        !check_event_count(request, &body))
        return false;
    advance->timeout = body.timeout.given ? body.timeout.value : TIMEOUT_MS;
    if (body.until)
        return read_until(request, body.until, advance);
    advance->until = body.by.given ? ADVANCE_BY : body.to.data ? ADVANCE_TO : ADVANCE_COUNT;
    advance->amount = body.by.given ? body.by.value : body.events.value;
    if (body.to.data)
        time_parse(body.to.data, &advance->amount, NULL);
    return true;
}

/* -- answering --------------------------------------------------------------------------------- */

static void put_event(struct buf *out, const struct advance_event *event)
{
    if (*event->delivery)
        clock_put_attempt(out, event->at, event->delivery, event->job, event->attempt);
    else
        clock_put_transition(out, event->at, event->job, job_status_name(event->from), event->to);
}

static void put_fired(struct buf *out, const struct advance *advance)
{
    size_t shown = advance->fired_count < ADVANCE_SHOWN ? advance->fired_count : ADVANCE_SHOWN;
    buf_puts(out, ",\"fired\":[");
    for (size_t i = 0; i < shown; i++) {
        buf_puts(out, i ? "," : "");
        put_event(out, &advance->fired[i]);
    }
    buf_printf(out, "],\"fired_count\":%zu", advance->fired_count);
}

static void answer_done(struct request *request, const struct advance *advance)
{
    struct buf body = BUF_INIT;
    buf_puts(&body, "{\"now\":");
    control_put_time(&body, advance->now);
    put_fired(&body, advance);
    buf_puts(&body, ",\"next\":");
    if (advance->has_next)
        clock_put_timer(&body, &advance->next);
    else
        buf_puts(&body, "null");
    buf_printf(&body, ",\"stopped\":%s}",
               advance->outcome == ADVANCE_TIMEOUT ? "\"timeout\""
               : advance->outcome == ADVANCE_LIMIT ? "\"limit\""
                                                   : "null");
    respond(request, 200, content_type_json, &body);
}

static void answer_backward(struct request *request, const struct advance *advance)
{
    char detail[120], now[TIME_TEXT_SIZE];
    time_format_millis(advance->now, now);
    snprintf(detail, sizeof detail, "to is before the clock's now, %s: it does not go back", now);
    control_problem(request, 409, "clock_backward", detail, "Give a later time, or by");
}

/* What keeps the job from where it was to come to (C5). */
static const char *obstacle(const struct advance *advance, const char **ret_hint)
{
    bool queued = advance->seen.status == JOB_QUEUED,
         now = advance->seen.marks & (JOB_IS_HELD | JOB_IS_POLLED);
    *ret_hint = NULL;
    switch (advance->outcome) {
    case ADVANCE_JOB_HELD:
        *ret_hint = "POST /_mock/jobs/{id}/release lets it go on";
        return !now ? "it will be held in processing"
                    : "it is held there, and time does not move it";
    case ADVANCE_JOB_POLLED:
        *ret_hint = "GET it as often as its plan says";
        return !now ? "reads will move it from processing on" : "reads move it, not time";
    case ADVANCE_STUCK:
        *ret_hint = "Release, move or cancel a job that is held, or raise max_processing: PATCH "
                    "/_mock/settings";
        return queued ? "max_processing leaves it no place, and nothing is due that would free one"
                      : "nothing is due";
    default:
        return "that does not change any more";
    }
}

static void answer_job(struct request *request, const struct advance *advance)
{
    const char *hint;
    struct buf detail = BUF_INIT;
    const char *why = obstacle(advance, &hint);
    buf_printf(&detail, "Job %s is %s and will not become %s: %s", advance->seen.id,
               job_status_name(advance->seen.status), goal_name(advance->goal), why);
    if (buf_failed(&detail))
        router_fail(request, ERR_NO_MEMORY, NULL);
    else
        control_problem(request, 409, "wait_impossible", detail.data, hint);
    buf_finish(&detail);
}

static void answer_no_job(struct request *request, const struct advance *advance)
{
    struct buf detail = BUF_INIT;
    buf_puts(&detail, "There is no job ");
    complain_quote(&detail, advance->job);
    if (buf_failed(&detail))
        router_fail(request, ERR_NO_MEMORY, NULL);
    else
        control_problem(request, 404, "job_not_found", detail.data,
                        "It may belong to another workspace");
    buf_finish(&detail);
}

static void answer(struct request *request)
{
    const struct advance *advance = request_state(request);
    if (control_failed(request, &advance->operation))
        return;
    switch (advance->outcome) {
    case ADVANCE_DONE:
    case ADVANCE_TIMEOUT:
    case ADVANCE_LIMIT:
        answer_done(request, advance);
        break;
    case ADVANCE_BACKWARD:
        answer_backward(request, advance);
        break;
    case ADVANCE_TOO_FAR:
        control_problem(request, 422, "invalid_field", "by leads beyond the year 9999", NULL);
        break;
    case ADVANCE_NO_JOB:
        answer_no_job(request, advance);
        break;
    case ADVANCE_JOB_HELD:
    case ADVANCE_JOB_POLLED:
    case ADVANCE_JOB_ENDED:
        answer_job(request, advance);
        break;
    case ADVANCE_RESET:
        control_refuse_end(request, WAIT_RESET);
        break;
    case ADVANCE_STUCK:
        if (advance->until == ADVANCE_JOB)
            answer_job(request, advance);
        else
            control_problem(request, 409, "wait_impossible",
                            "Jobs wait for a place under max_processing, and nothing is due that "
                            "would free one: all places are taken by jobs that time does not move",
                            "Release, move or cancel one of them, or raise max_processing: PATCH "
                            "/_mock/settings");
        break;
    }
}

void clock_advance_handler(struct request *request)
{
    struct workspace *workspace = mock_workspace(request);
    struct advance *advance = control_state(request, sizeof *advance);
    if (!advance)
        return;
    advance_init(advance, control_of(request)->engine, workspace);
    if (!read_advance(request, advance))
        return;
    if (!clock_take(workspace)) {
        clock_answer_busy(request);
        return;
    }
    request_suspend(request, answer);
    advance_begin(advance, control_wake, request);
}
