#include "engine/settings_callback.h"

#include "base/url.h"
#include "engine/finding.h"

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
    struct settings_callback callback;
    const json_t *lint;
};

struct rate_body {
    struct field_whole per_minute, per_day, creations_per_minute;
};

struct lint_body {
    const json_t *ignore;
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
#define A_TIMEOUT   "a duration with its unit, from 1ms to 10m, as \"15s\""
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
    {"callback_timeout", FIELD_DURATION, .what = A_TIMEOUT, .check = settings_check_timeout,
     TO(callback.timeout)},
    {"callback_connect_timeout", FIELD_DURATION, .what = A_TIMEOUT, .check = settings_check_timeout,
     TO(callback.connect_timeout)},
    {"callback_retries", FIELD_ANY,
     .what = "a list of at most 20 durations, as [\"5s\", \"5m\"], or \"standard\"",
     .check = settings_check_retries, TO(callback.retries)},
    {"callback_map", FIELD_OBJECT,
     .what = "an object of beginnings of URLs, or \"*\", and the URLs that take their place",
     TO(callback.map)},
    {"callback_on", FIELD_ARRAY, .what = "a list of completed, failed and cancelled, or of some",
     TO(callback.on)},
    {"webhook_secrets", FIELD_ANY, .nullable = true,
     .what = "null, or a list of one or two secrets: \"whsec_\" and the base64 of 24 to 64 bytes",
     .check = settings_check_secrets, TO(callback.secrets)},
    {"lint", FIELD_OBJECT, .what = "an object with ignore, a list of findings", TO(lint)},
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

static const struct field lint_fields[] = {
    {"ignore", FIELD_ARRAY, .what = "a list of findings, as [\"polled_fast\"]",
     .offset = offsetof(struct lint_body, ignore)},
};
enum { LINT_FIELDS = sizeof lint_fields / sizeof *lint_fields };

/* -- reading ----------------------------------------------------------------------------------- */

static int take_rate(const json_t *value, const char *prefix, struct rate_limit *limit,
                     struct complaint *complaint)
{
    struct rate_body body = {.per_minute = {0}};
    char within[40];
    *limit = (struct rate_limit){0};
    if (json_is_string(value))
        *limit = vendor_limit;
    if (!json_is_object(value))
        return 0;
    snprintf(within, sizeof within, "%srate_limit.", prefix);
    int status = complain_read(complaint, within, value, rate_fields, RATE_FIELDS, &body);
    if (status < 0)
        return status;
    *limit = (struct rate_limit){body.per_minute.value, body.per_day.value,
                                 body.creations_per_minute.value};
    return 0;
}

static int take_ignored(const json_t *names, const char *within, uint64_t *ret_ignored,
                        struct complaint *complaint)
{
    uint64_t ignored = 0;
    for (size_t i = 0; i < json_array_size(names); i++) {
        const char *name = json_string_value(json_array_get(names, i));
        int named = 0;
        while (finding_names[named] && strcmp(finding_names[named], name ? name : "") != 0)
            named++;
        if (!finding_names[named]) {
            char path[64];
            snprintf(path, sizeof path, "%signore[%zu]", within, i);
            return complain_unknown(complaint, path, name ? name : "", "the id of a finding",
                                    finding_names);
        }
        ignored |= finding_bit((enum finding)named);
    }
    *ret_ignored = ignored;
    return 0;
}

static int take_lint(const json_t *value, const char *prefix, struct settings_change *change,
                     struct complaint *complaint)
{
    struct lint_body body = {.ignore = NULL};
    char within[32];
    snprintf(within, sizeof within, "%slint.", prefix);
    int status = complain_read(complaint, within, value, lint_fields, LINT_FIELDS, &body);
    change->sets_lint = status == 0 && body.ignore;
    if (status == 0)
        status = take_ignored(body.ignore, within, &change->row.lint_ignored, complaint);
    return status;
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

int settings_take(const json_t *object, const char *prefix, struct settings_change *change,
                  struct complaint *complaint)
{
    struct settings_body body = {.queue_time = {0}};
    struct settings_row *settings = &change->row;
    int status =
        complain_read(complaint, prefix, object, settings_fields, settings_field_count, &body);
    if (status < 0)
        return status;
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
    status = body.rate_limit ? take_rate(body.rate_limit, prefix, &settings->rate, complaint) : 0;
    if (status == 0 && body.lint)
        status = take_lint(body.lint, prefix, change, complaint);
    return status < 0 ? status : settings_take_callback(&body.callback, prefix, change, complaint);
}

static void change_callback(const struct settings_change *change, struct callback_row *callback)
{
    const struct callback_row *wanted = &change->row.callback;
    if (change->row.given & GIVEN_CALLBACK_TIMEOUT)
        callback->timeout = wanted->timeout;
    if (change->row.given & GIVEN_CALLBACK_CONNECT_TIMEOUT)
        callback->connect_timeout = wanted->connect_timeout;
    if (change->row.given & GIVEN_CALLBACK_ON)
        callback->on = wanted->on;
    if (change->sets_retries)
        memcpy(callback->retries, wanted->retries, sizeof callback->retries);
    if (change->sets_map)
        memcpy(callback->map, wanted->map, sizeof callback->map);
    if (change->sets_secrets)
        memcpy(callback->secrets, wanted->secrets, sizeof callback->secrets);
}

void settings_change(const struct settings_change *change, struct settings_row *settings)
{
    const struct settings_row *wanted = &change->row;
    if (wanted->given & GIVEN_QUEUE_TIME)
        settings->queue_time = wanted->queue_time;
    if (wanted->given & GIVEN_PROCESSING_TIME)
        settings->processing_time = wanted->processing_time;
    if (wanted->given & GIVEN_MAX_PROCESSING)
        settings->max_processing = wanted->max_processing;
    if (wanted->given & GIVEN_MAGIC)
        settings->magic = wanted->magic;
    settings->given |= wanted->given;
    if (change->sets_jitter)
        settings->jitter = wanted->jitter;
    if (change->sets_rate)
        settings->rate = wanted->rate;
    if (change->sets_any_key)
        settings->any_key = wanted->any_key;
    if (change->sets_public_url)
        memcpy(settings->public_url, wanted->public_url, sizeof settings->public_url);
    if (change->sets_lint)
        settings->lint_ignored = wanted->lint_ignored;
    change_callback(change, &settings->callback);
}
