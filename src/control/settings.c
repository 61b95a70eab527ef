/* getSettings, updateSettings, and the settings of a workspace that is made. */
#include "base/duration.h"
#include "base/json.h"
#include "base/url.h"
#include "control/internal.h"
#include "http/respond.h"

#include <stdio.h>
#include <string.h>

enum { MAX_PROCESSING_MAX = 1000000 };

struct settings_body {
    struct field_whole queue_time, processing_time;
    struct field_real jitter;
    struct field_whole max_processing;
    const json_t *rate_limit;
    struct field_bool magic, any_key;
    struct field_text public_url;
};

struct rate_body {
    struct field_whole per_minute, per_day, creations_per_minute;
};

/* What the vendor publishes. */
static const struct rate_limit vendor_limit = {60, 1000, 10};

static bool check_share(const json_t *value)
{
    double share = json_number_value(value);
    return share >= 0 && share <= 1;
}

static bool check_max_processing(const json_t *value)
{
    double number = json_number_value(value);
    return number >= 0 && number <= MAX_PROCESSING_MAX;
}

static bool check_limit(const json_t *value)
{
    double number = json_number_value(value);
    return number >= 1 && number <= RATE_LIMIT_MAX;
}

static bool check_rate_limit(const json_t *value)
{
    return json_is_object(value) ||
           (json_is_string(value) && strcmp(json_string_value(value), "vendor") == 0);
}

static bool check_public_url(const json_t *value)
{
    return json_string_length(value) < PUBLIC_URL_SIZE && url_is_base(json_string_value(value));
}

#define A_DURATION  "a duration with its unit, as \"90s\""
#define TO(member_) .offset = offsetof(struct settings_body, member_)

const struct field settings_fields[] = {
    {"queue_time", FIELD_DURATION, .what = A_DURATION, TO(queue_time)},
    {"processing_time", FIELD_DURATION, .what = A_DURATION, TO(processing_time)},
    {"jitter", FIELD_REAL, .what = "a number from 0 to 1", .check = check_share, TO(jitter)},
    {"max_processing", FIELD_WHOLE, .what = "a whole number from 0, no limit, to 1000000",
     .check = check_max_processing, TO(max_processing)},
    {"rate_limit", FIELD_ANY, .nullable = true,
     .what = "null, \"vendor\", or an object with per_minute, per_day, creations_per_minute",
     .check = check_rate_limit, TO(rate_limit)},
    {"magic", FIELD_BOOL, .what = "true or false", TO(magic)},
    {"any_key", FIELD_BOOL, .what = "true or false", TO(any_key)},
    {"public_url", FIELD_STRING, .nullable = true,
     .what = "null or an absolute http or https URL without user info, query and fragment, of at "
             "most 383 characters",
     .check = check_public_url, TO(public_url)},
};
const size_t settings_field_count = sizeof settings_fields / sizeof *settings_fields;

#define A_LIMIT          "a whole number from 1 to 100000"
#define RATE_TO(member_) .check = check_limit, .offset = offsetof(struct rate_body, member_)

static const struct field rate_fields[] = {
    {"per_minute", FIELD_WHOLE, .what = A_LIMIT, RATE_TO(per_minute)},
    {"per_day", FIELD_WHOLE, .what = A_LIMIT, RATE_TO(per_day)},
    {"creations_per_minute", FIELD_WHOLE, .what = A_LIMIT, RATE_TO(creations_per_minute)},
};
enum { RATE_FIELDS = sizeof rate_fields / sizeof *rate_fields };

/* -- reading ----------------------------------------------------------------------------------- */

static bool read_rate(struct request *request, const char *prefix, const json_t *value,
                      struct rate_limit *limit)
{
    struct rate_body body = {.per_minute = {0}};
    char within[40];
    *limit = (struct rate_limit){0};
    if (json_is_string(value))
        *limit = vendor_limit;
    if (!json_is_object(value))
        return true;
    snprintf(within, sizeof within, "%srate_limit.", prefix);
    if (!control_read_object(request, within, value, rate_fields, RATE_FIELDS, &body))
        return false;
    *limit = (struct rate_limit){body.per_minute.value, body.per_day.value,
                                 body.creations_per_minute.value};
    return true;
}

static void take_given(const struct settings_body *body, struct settings_row *settings)
{
    if (body->queue_time.given) {
        settings->queue_time = body->queue_time.value;
        settings->given |= GIVEN_QUEUE_TIME;
    }
    if (body->processing_time.given) {
        settings->processing_time = body->processing_time.value;
        settings->given |= GIVEN_PROCESSING_TIME;
    }
    if (body->max_processing.given) {
        settings->max_processing = body->max_processing.value;
        settings->given |= GIVEN_MAX_PROCESSING;
    }
    if (body->magic.given) {
        settings->magic = body->magic.value;
        settings->given |= GIVEN_MAGIC;
    }
}

bool settings_read(struct request *request, const char *prefix, const json_t *object,
                   struct workspace_change *change)
{
    struct settings_body body = {.queue_time = {0}};
    struct settings_row *settings = &change->settings;
    bool good = object ? control_read_object(request, prefix, object, settings_fields,
                                             settings_field_count, &body)
                       : control_read_body(request, settings_fields, settings_field_count, &body);
    if (!good)
        return false;
    take_given(&body, settings);
    change->sets_jitter = body.jitter.given;
    settings->jitter = body.jitter.value;
    change->sets_any_key = body.any_key.given;
    settings->any_key = body.any_key.value;
    change->sets_rate = body.rate_limit != NULL;
    change->sets_public_url = body.public_url.data || body.public_url.is_null;
    if (body.public_url.data) {
        snprintf(settings->public_url, sizeof settings->public_url, "%s", body.public_url.data);
        size_t len = strlen(settings->public_url);
        while (len && settings->public_url[len - 1] == '/')
            settings->public_url[--len] = '\0';
    }
    return !body.rate_limit || read_rate(request, prefix, body.rate_limit, &settings->rate);
}

/* -- changing ---------------------------------------------------------------------------------- */

/* What follows a change: the jobs that it made room for start before it is answered (C1). */
struct filling {
    struct timers_run timers;
    request_handler *then;
    struct workspace_change *change;
};

static void fill(struct request *request)
{
    struct filling *filling = request_state(request);
    if (filling->timers.operation.status == 0 && filling->timers.more) {
        timers_run_init(&filling->timers, control_of(request)->engine, mock_workspace(request));
        control_operate(request, &filling->timers.operation, fill);
        return;
    }
    filling->then(request);
}

static void changed(struct request *request)
{
    struct filling *filling = request_state(request);
    const struct workspace_change *change = filling->change;
    if (control_failed(request, &change->operation))
        return;
    filling->timers.more = change->made_room;
    fill(request);
}

void settings_operate(struct request *request, struct workspace_change *change,
                      request_handler *then)
{
    struct filling *filling = control_state(request, sizeof *filling);
    if (!filling)
        return;
    *filling = (struct filling){.then = then, .change = change};
    control_operate(request, &change->operation, changed);
}

/* -- answering --------------------------------------------------------------------------------- */

static void put_duration(struct buf *out, const char *name, int64_t ms)
{
    char text[DURATION_TEXT_SIZE];
    duration_format(ms, text);
    buf_printf(out, "\"%s\":\"%s\",", name, text);
}

static void put_limit(struct buf *out, const char *separator, const char *name, int64_t limit)
{
    if (limit)
        buf_printf(out, "%s\"%s\":%lld", separator, name, (long long)limit);
}

static void put_rate(struct buf *out, const struct rate_limit *limit)
{
    bool minute = limit->per_minute != 0, day = limit->per_day != 0;
    buf_puts(out, "\"rate_limit\":");
    if (!minute && !day && !limit->creations_per_minute) {
        buf_puts(out, "null,");
        return;
    }
    buf_putc(out, '{');
    put_limit(out, "", "per_minute", limit->per_minute);
    put_limit(out, minute ? "," : "", "per_day", limit->per_day);
    put_limit(out, minute || day ? "," : "", "creations_per_minute", limit->creations_per_minute);
    buf_puts(out, "},");
}

void settings_put_json(struct request *request, struct buf *out, const struct settings_row *own)
{
    const struct control *control = control_of(request);
    const struct settings *server = registry_defaults(engine_registry(control->engine));
    const char *url = *own->public_url ? own->public_url : control->options.policy.public_url;
    unsigned given = own->given;

    buf_putc(out, '{');
    put_duration(out, "queue_time",
                 given & GIVEN_QUEUE_TIME ? own->queue_time : server->queue_time);
    put_duration(out, "processing_time",
                 given & GIVEN_PROCESSING_TIME ? own->processing_time : server->processing_time);
    buf_puts(out, "\"jitter\":");
    json_put_real(out, own->jitter);
    buf_printf(
        out, ",\"max_processing\":%lld,",
        (long long)(given & GIVEN_MAX_PROCESSING ? own->max_processing : server->max_processing));
    put_rate(out, &own->rate);
    bool magic = given & GIVEN_MAGIC ? own->magic : server->magic;
    buf_printf(out, "\"magic\":%s,\"any_key\":%s,\"public_url\":", magic ? "true" : "false",
               own->any_key ? "true" : "false");
    json_put_text(out, url);
    buf_putc(out, '}');
}

static void answer(struct request *request)
{
    struct workspace_row row;
    struct buf body = BUF_INIT;
    registry_read_row(engine_registry(control_of(request)->engine), mock_workspace(request), &row);
    settings_put_json(request, &body, &row.settings);
    respond(request, 200, content_type_json, &body);
}

void settings_get_handler(struct request *request)
{
    answer(request);
}

void settings_patch_handler(struct request *request)
{
    struct workspace_change *change = request_alloc(request, sizeof *change);
    if (!change) {
        router_fail(request, ERR_NO_MEMORY, NULL);
        return;
    }
    workspace_change_init(change, control_of(request)->engine, mock_workspace(request));
    if (settings_read(request, "", NULL, change))
        settings_operate(request, change, answer);
}
