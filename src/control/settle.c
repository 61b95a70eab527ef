/* waitUntilSettled: until the clients have done what they do and nothing moves any more. */
#include "control/cursor.h"
#include "control/internal.h"
#include "control/list.h"
#include "control/wait.h"
#include "http/respond.h"
#include "store/delivery.h"
#include "store/job_list.h"

#include <string.h>

struct settle_body {
    struct field_text until, since;
    struct field_whole min_requests, wait;
};

static bool check_until(const json_t *value)
{
    return strcmp(json_string_value(value), "settled") == 0;
}

static bool check_since(const json_t *value)
{
    struct cursor cursor;
    return cursor_parse(json_string_value(value), &cursor);
}

#define TO(member_) .offset = offsetof(struct settle_body, member_)

const struct field settle_fields[] = {
    {"until", FIELD_STRING, .required = true, .what = "\"settled\"", .check = check_until,
     TO(until)},
    {"since", FIELD_STRING, .what = "a cursor that this server gave", .check = check_since,
     TO(since)},
    {"min_requests", FIELD_WHOLE, .what = "a whole number of at least 1", .check = check_count,
     TO(min_requests)},
    {"wait", FIELD_DURATION, .what = "a duration with its unit, at most \"5m\"",
     .check = check_wait, TO(wait)},
};
const size_t settle_field_count = sizeof settle_fields / sizeof *settle_fields;

struct settle {
    struct control_wait wait;
    struct cursor since;
    int64_t min_requests;
};

/* What keeps a workspace from being settled. */
struct unrest {
    int64_t requests; /* that came since the cursor */
    int in_flight;    /* of them, and of those before, not answered yet */
    int64_t jobs;     /* that time will move */
    int64_t held;     /* that it will not: held ones, and those that reading moves */
    bool deliveries;  /* callbacks that go on by themselves */
    struct cursor now;
};

/*
 * In this order: a request that was answered has committed what it did before, and is seen by a
 * read that begins after.
 */
static int look_around(struct workspace *workspace, const struct settle *settle, struct db *db,
                       struct unrest *ret)
{
    ret->now = cursor_now(workspace);
    ret->requests = ret->now.requests - settle->since.requests;
    ret->in_flight = events_unanswered(workspace);
    int status = cursor_complete(workspace, db, &ret->now);
    if (status == 0)
        status = job_count_waiting(db, workspace->row.pk, &ret->jobs, &ret->held);
    if (status == 0)
        status = delivery_any_unsettled(db, workspace->row.pk, &ret->deliveries);
    return status;
}

static bool is_settled(const struct settle *settle, const struct unrest *unrest)
{
    return unrest->requests >= settle->min_requests && !unrest->in_flight && !unrest->jobs &&
           !unrest->deliveries;
}

static enum wait_look look(struct request *request, struct control_wait *self)
{
    const struct settle *settle = (struct settle *)self;
    struct unrest unrest;
    struct buf body = BUF_INIT;
    char cursor[CURSOR_SIZE];
    struct db *db = control_reader(request);
    if (!db)
        return LOOK_ANSWERED;
    int status = look_around(mock_workspace(request), settle, db, &unrest);
    if (status < 0) {
        router_fail(request, status, "cannot count the jobs");
        return LOOK_ANSWERED;
    }
    if (!is_settled(settle, &unrest))
        return LOOK_NOT_YET;
    cursor_format(&unrest.now, cursor);
    buf_printf(&body, "{\"settled\":true,\"requests\":%lld,\"held_jobs\":%lld,\"cursor\":\"%s\"}",
               (long long)unrest.requests, (long long)unrest.held, cursor);
    respond(request, 200, content_type_json, &body);
    return LOOK_ANSWERED;
}

static void put_count(struct buf *out, int64_t count, const char *one, const char *many)
{
    buf_printf(out, "%lld %s", (long long)count, count == 1 ? one : many);
}

/* "2 jobs and 1 delivery are unfinished, 1 attempt is under way, the clock is …" */
static void put_unfinished(struct request *request, struct db *db, int64_t jobs, struct buf *out)
{
    int64_t pk = mock_workspace(request)->row.pk, deliveries = 0, sending = 0;
    if (delivery_count_unsettled(db, pk, &deliveries) < 0 ||
        delivery_count_sending(db, pk, &sending) < 0) {
        buf_puts(out, "the deliveries cannot be read");
        return;
    }
    if (jobs)
        put_count(out, jobs, "job", "jobs");
    if (jobs && deliveries)
        buf_puts(out, " and ");
    if (deliveries)
        put_count(out, deliveries, "delivery", "deliveries");
    buf_puts(out, jobs + deliveries == 1 ? " is unfinished, " : " are unfinished, ");
    if (sending) {
        put_count(out, sending, "attempt is", "attempts are");
        buf_puts(out, " under way, ");
    }
    wait_tell_clock(request, out);
}

static void tell(struct request *request, struct control_wait *self, struct buf *detail,
                 struct buf *hint)
{
    const struct settle *settle = (struct settle *)self;
    struct db *db = store_reader(engine_store(control_of(request)->engine), NULL);
    struct unrest unrest;
    const char *separator = "";
    (void)hint;
    if (!db || look_around(mock_workspace(request), settle, db, &unrest) < 0) {
        buf_puts(detail, "The jobs cannot be read");
        return;
    }
    if (settle->min_requests) {
        buf_printf(detail, "%lld of %lld requests came", (long long)unrest.requests,
                   (long long)settle->min_requests);
        separator = "; ";
    }
    if (unrest.in_flight) {
        buf_puts(detail, separator);
        put_count(detail, unrest.in_flight, "request is", "requests are");
        buf_puts(detail, " not answered yet");
        separator = "; ";
    }
    if (unrest.jobs || unrest.deliveries) {
        buf_puts(detail, separator);
        put_unfinished(request, db, unrest.jobs, detail);
    }
    if (!detail->len) /* it came about since the last look */
        buf_puts(detail, "It was not so in time");
}

void settle_handler(struct request *request)
{
    struct settle_body body = {.until = {0}};
    struct settle *settle = control_wait_state(request, sizeof *settle);
    if (!settle || !control_read_body(request, settle_fields, settle_field_count, &body))
        return;
    if (body.since.data)
        cursor_parse(body.since.data, &settle->since);
    if (settle->since.requests > cursor_now(mock_workspace(request)).requests) {
        list_refuse_since(request, true);
        return;
    }
    settle->min_requests = body.min_requests.given ? body.min_requests.value : 0;
    settle->wait.kinds = EVENT_JOB | EVENT_REQUEST | EVENT_DELIVERY;
    settle->wait.ms = body.wait.value;
    settle->wait.look = look;
    settle->wait.tell = tell;
    control_wait(request);
}
