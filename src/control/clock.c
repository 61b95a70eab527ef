/* getClock, setClock, and the clock of a workspace that is made. */
#include "base/json.h"
#include "base/time.h"
#include "control/internal.h"
#include "engine/advance.h"
#include "http/respond.h"

#include <stdio.h>
#include <string.h>

enum { DUE_SHOWN = 100 };

/* A clock that is slower could as well stand; one that is faster skips, by a millisecond of real
 * time, more than the longest thing that is timed here takes. */

struct clock_body {
    struct field_text mode, now;
    struct field_real scale;
};

static bool check_scale(const json_t *value)
{
    double scale = json_number_value(value);
    return scale >= CLOCK_SCALE_MIN && scale <= CLOCK_SCALE_MAX;
}

static bool check_time(const json_t *value)
{
    int64_t ms;
    return time_parse(json_string_value(value), &ms, NULL) == 0;
}

#define TO(member_) .offset = offsetof(struct clock_body, member_)

const struct field clock_fields[] = {
    {"mode", FIELD_STRING, .required = true, .what = "real, scaled, manual or auto", TO(mode)},
    {"scale", FIELD_REAL,
     .what = "a number from 0.001 to 1000000: how many times faster than real time", TO(scale),
     .check = check_scale},
    {"now", FIELD_STRING, .what = "a time from 1970 to 9999, as 2030-01-01T00:00:00Z",
     .check = check_time, TO(now)},
};
const size_t clock_field_count = sizeof clock_fields / sizeof *clock_fields;

/* -- reading ----------------------------------------------------------------------------------- */

static void tell_scale(struct request *request, const char *prefix, const char *name,
                       const char *what, const char *hint)
{
    char detail[120];
    snprintf(detail, sizeof detail, "%sscale %s", prefix, what);
    control_problem(request, 422, name, detail, hint);
}

/* Whether mode and scale fit each other; false: answered. */
static bool take(struct request *request, const char *prefix, const char *mode,
                 const struct field_real *scale, struct clock_wish *wish)
{
    if (!clock_mode_parse(mode, &wish->mode)) {
        const char *names[CLOCK_MODES + 1] = {NULL};
        for (size_t i = 0; i < CLOCK_MODES; i++)
            names[i] = clock_mode_name((enum clock_mode)i);
        control_wrong_name(request, prefix, "mode", mode, names);
        return false;
    }
    bool scaled = wish->mode == CLOCK_SCALED;
    wish->scale = scale->given ? scale->value : 1;
    if (scaled && !scale->given)
        tell_scale(request, prefix, "missing_field", "is required with the mode scaled",
                   "{\"mode\": \"scaled\", \"scale\": 60} makes each second a minute");
    else if (!scaled && scale->given)
        tell_scale(request, prefix, "invalid_field", "needs the mode scaled",
                   "Leave it out, or set mode to scaled");
    return scaled == scale->given;
}

bool clock_read(struct request *request, const char *prefix, const json_t *value,
                struct clock_wish *wish)
{
    struct clock_body body = {.mode = {0}};
    wish->now = -1;
    if (json_is_string(value))
        return take(request, prefix, json_string_value(value), &body.scale, wish);
    if (!control_read_object(request, prefix, value, clock_fields, clock_field_count, &body))
        return false;
    if (body.now.data)
        time_parse(body.now.data, &wish->now, NULL);
    return take(request, prefix, body.mode.data, &body.scale, wish);
}

/* -- getClock ---------------------------------------------------------------------------------- */

void clock_put_members(struct buf *out, const struct clock_row *clock, int64_t now)
{
    buf_printf(out, "\"mode\":\"%s\",\"scale\":", clock_mode_name(clock->mode));
    if (clock->mode == CLOCK_SCALED)
        json_put_real(out, clock->scale);
    else
        buf_puts(out, "null");
    buf_puts(out, ",\"now\":");
    control_put_time(out, now);
}

void clock_put_transition(struct buf *out, int64_t at, const char *job, const char *from,
                          enum job_status to)
{
    buf_puts(out, "{\"at\":");
    control_put_time(out, at);
    buf_printf(out, ",\"job\":\"%s\"", job);
    if (from)
        buf_printf(out, ",\"from\":\"%s\"", from);
    buf_printf(out, ",\"to\":\"%s\"}", job_status_name(to));
}

void clock_put_attempt(struct buf *out, int64_t at, const char *delivery, const char *job,
                       int64_t attempt)
{
    buf_puts(out, "{\"at\":");
    control_put_time(out, at);
    buf_printf(out, ",\"webhook\":\"%s\",\"job\":\"%s\",\"attempt\":%lld}", delivery, job,
               (long long)attempt);
}

void clock_put_timer(struct buf *out, const struct timer *timer)
{
    if (*timer->delivery)
        clock_put_attempt(out, timer->at, timer->delivery, timer->job, timer->attempt);
    else
        clock_put_transition(out, timer->at, timer->job, NULL, timer->to);
}

static void put_due(struct buf *out, const struct timer *timers, size_t count)
{
    buf_puts(out, ",\"due\":[");
    for (size_t i = 0; i < count; i++) {
        buf_puts(out, i ? "," : "");
        clock_put_timer(out, &timers[i]);
    }
    buf_putc(out, ']');
}

/* The settings that decide when jobs start, as they count. */
static struct settings settings_of(struct registry *registry, const struct workspace_row *row)
{
    struct settings settings = *registry_defaults(registry);
    if (row->settings.given & GIVEN_MAX_PROCESSING)
        settings.max_processing = row->settings.max_processing;
    settings.room_since = row->settings.room_since;
    return settings;
}

static void answer_clock(struct request *request)
{
    struct registry *registry = engine_registry(control_of(request)->engine);
    struct timer timers[DUE_SHOWN];
    struct workspace_row row;
    struct buf body = BUF_INIT;
    size_t count = 0;
    struct db *db = control_reader(request);
    if (!db)
        return;
    registry_read_row(registry, mock_workspace(request), &row);
    struct settings settings = settings_of(registry, &row);
    int status = timers_list(db, row.pk, &settings, DUE_SHOWN, timers, &count);
    if (status < 0) {
        router_fail(request, status, "cannot read what is due");
        return;
    }
    struct clock_row clock = workspace_clock(mock_workspace(request));
    buf_putc(&body, '{');
    clock_put_members(&body, &clock, clock_show(&clock, time_steady_ms()));
    put_due(&body, timers, count);
    buf_putc(&body, '}');
    respond(request, 200, content_type_json, &body);
}

void clock_get_handler(struct request *request)
{
    answer_clock(request);
}

/* -- setClock ---------------------------------------------------------------------------------- */

void clock_answer_busy(struct request *request)
{
    control_problem(request, 409, "clock_busy", "The clock is being moved by another request",
                    "Wait for its answer, or let the tests that move it have workspaces of their "
                    "own: POST /_mock/workspaces");
}

static void answer_put(struct request *request)
{
    const struct advance *advance = request_state(request);
    char detail[120], now[TIME_TEXT_SIZE];
    if (control_failed(request, &advance->operation))
        return;
    if (advance->outcome != ADVANCE_BACKWARD) {
        answer_clock(request);
        return;
    }
    time_format_millis(advance->now, now);
    snprintf(detail, sizeof detail, "now is before the clock's now, %s: it does not go back", now);
    control_problem(request, 409, "clock_backward", detail,
                    "Leave now out to go on from where it is");
}

/* No body is as {}: then mode is missing. */
static bool read_put(struct request *request, struct clock_wish *wish)
{
    const json_t *value;
    struct clock_body body = {.mode = {0}};
    if (!control_read_value(request, &value))
        return false;
    if (!value)
        return control_read_body(request, clock_fields, clock_field_count, &body);
    if (json_is_string(value) || json_is_object(value))
        return clock_read(request, "", value, wish);
    control_problem(request, 422, "invalid_body",
                    "The body must be a JSON object, or a mode's name as a JSON string", NULL);
    return false;
}

/* What falls due until a later `now` fires on the way, as in an advance. */
void clock_put_handler(struct request *request)
{
    struct workspace *workspace = mock_workspace(request);
    struct clock_wish wish = {.now = -1};
    if (!read_put(request, &wish))
        return;
    struct advance *advance = control_state(request, sizeof *advance);
    if (!advance)
        return;
    advance_init(advance, control_of(request)->engine, workspace);
    advance->until = wish.now < 0 ? ADVANCE_BY : ADVANCE_TO;
    advance->amount = wish.now < 0 ? 0 : wish.now;
    advance->changes_mode = true;
    advance->mode = wish.mode;
    advance->scale = wish.scale;
    if (!clock_take(workspace)) {
        clock_answer_busy(request);
        return;
    }
    request_suspend(request, answer_put);
    advance_begin(advance, control_wake, request);
}
