#include "engine/settings_callback.h"

#include "base/duration.h"
#include "base/json.h"
#include "base/url.h"
#include "engine/signature.h"
#include "store/job.h"

#include <stdio.h>
#include <string.h>

enum {
    TIMEOUT_MAX_MS = 10 * 60 * 1000, /* that a place among those under way is kept taken */
    PATH_SIZE = 64,
};

const char *const callback_on_names[] = {"completed", "failed", "cancelled", NULL};
const unsigned callback_on_bits[] = {1U << JOB_COMPLETED, 1U << JOB_FAILED, 1U << JOB_CANCELLED};

bool settings_check_timeout(const json_t *value)
{
    int64_t ms = 0;
    return duration_parse(json_string_value(value), &ms, NULL) == 0 && ms > 0 &&
           ms <= TIMEOUT_MAX_MS;
}

bool settings_check_retries(const json_t *value)
{
    if (json_is_string(value))
        return strcmp(json_string_value(value), "standard") == 0;
    return json_is_array(value) && json_array_size(value) <= CALLBACK_RETRIES_MAX;
}

/* Their texts are looked at later, when it is known whether they may be left out. */
bool settings_check_secrets(const json_t *value)
{
    return json_is_array(value) && json_array_size(value) >= 1 &&
           json_array_size(value) <= SIGNATURE_SECRETS_MAX;
}

/* Keeps the JSON of a setting; false: it is too long. */
static int keep(const json_t *value, char *text, size_t size, bool *ret_fits)
{
    struct buf out = BUF_INIT;
    json_put_value(&out, value);
    int status = buf_failed(&out) ? ERR_NO_MEMORY : 0;
    *ret_fits = out.len < size;
    if (status == 0 && *ret_fits)
        memcpy(text, out.data, out.len + 1);
    buf_finish(&out);
    return status;
}

/* -- retries ----------------------------------------------------------------------------------- */

static int refuse_retry(struct complaint *complaint, const char *prefix, size_t index,
                        const json_t *value, const struct err *err)
{
    complain(complaint, "invalid_field",
             "%scallback_retries[%zu] must be a duration with its unit, as \"90s\"", prefix, index);
    if (json_is_string(value)) {
        complain_quote(&complaint->hint, json_string_value(value));
        buf_printf(&complaint->hint, " %s", err->text);
    }
    return ERR_INVALID;
}

/* Each with its largest unit, so that the whole has a bound. */
static int take_retries(const json_t *retries, const char *prefix, struct settings_change *change,
                        struct complaint *complaint)
{
    char *text = change->row.callback.retries;
    size_t len = 0;
    if (json_is_string(retries)) {
        snprintf(text, CALLBACK_RETRIES_SIZE, "\"standard\"");
        return 0;
    }
    for (size_t i = 0; i < json_array_size(retries); i++) {
        const json_t *value = json_array_get(retries, i);
        char wait[DURATION_TEXT_SIZE];
        struct err err;
        int64_t ms;
        if (!json_is_string(value) || duration_parse(json_string_value(value), &ms, &err) < 0)
            return refuse_retry(complaint, prefix, i, value, &err);
        duration_format(ms, wait);
        len += (size_t)snprintf(text + len, CALLBACK_RETRIES_SIZE - len, "%s\"%s\"", i ? "," : "[",
                                wait);
    }
    snprintf(text + len, CALLBACK_RETRIES_SIZE - len, len ? "]" : "");
    return 0;
}

/* -- the map ----------------------------------------------------------------------------------- */

static int refuse_map(struct complaint *complaint, const char *prefix, const char *what,
                      const char *key)
{
    complain(complaint, "invalid_field", "%scallback_map must have %s: not that of ", prefix, what);
    complain_quote(&complaint->detail, key);
    return ERR_INVALID;
}

static int check_place(const char *prefix, const char *key, const json_t *place,
                       struct complaint *complaint)
{
    const char *url = json_string_value(place);
    bool is_all = strcmp(key, "*") == 0;
    if (!is_all && !url_is_base(key)) {
        complain(complaint, "invalid_field",
                 "%scallback_map must have names that are \"*\" or the beginning of an http or "
                 "https URL, without user info, query and fragment: not ",
                 prefix);
        complain_quote(&complaint->detail, key);
        return ERR_INVALID;
    }
    if (is_all && (!url || !url_is_callable(url)))
        return refuse_map(complaint, prefix, "http or https URLs without user info as values", key);
    if (!is_all && (!url || !url_is_base(url)))
        return refuse_map(complaint, prefix,
                          "http or https URLs without user info, query and fragment as values",
                          key);
    return 0;
}

static int take_map(const json_t *map, const char *prefix, struct settings_change *change,
                    struct complaint *complaint)
{
    json_t *members = (json_t *)map; /* its iterators want it writable; they do not write */
    bool fits;
    for (void *at = json_object_iter(members); at; at = json_object_iter_next(members, at)) {
        int status =
            check_place(prefix, json_object_iter_key(at), json_object_iter_value(at), complaint);
        if (status < 0)
            return status;
    }
    if (!json_object_size(map)) {
        *change->row.callback.map = '\0';
        return 0;
    }
    int status = keep(map, change->row.callback.map, CALLBACK_MAP_SIZE, &fits);
    if (status == 0 && !fits)
        return complain(complaint, "invalid_field",
                        "%scallback_map must have at most %d bytes as JSON", prefix,
                        CALLBACK_MAP_SIZE - 1);
    return status;
}

/* -- which ends -------------------------------------------------------------------------------- */

static int take_on(const json_t *on, const char *prefix, struct settings_change *change,
                   struct complaint *complaint)
{
    change->row.callback.on = 0;
    for (size_t i = 0; i < json_array_size(on); i++) {
        const char *text = json_string_value(json_array_get(on, i));
        size_t named = 0;
        while (callback_on_names[named] && strcmp(callback_on_names[named], text ? text : "") != 0)
            named++;
        if (!callback_on_names[named]) {
            char path[PATH_SIZE];
            snprintf(path, sizeof path, "%scallback_on[%zu]", prefix, i);
            return complain_unknown(complaint, path, text ? text : "",
                                    "completed, failed or cancelled", callback_on_names);
        }
        change->row.callback.on |= callback_on_bits[named];
    }
    return 0;
}

/* -- secrets ----------------------------------------------------------------------------------- */

/* Nothing of a secret is repeated, in answers and logs. */
static int take_secrets(const json_t *secrets, const char *prefix, struct settings_change *change,
                        struct complaint *complaint)
{
    bool fits;
    *change->row.callback.secrets = '\0';
    if (json_is_null(secrets))
        return 0;
    for (size_t i = 0; i < json_array_size(secrets); i++) {
        const json_t *secret = json_array_get(secrets, i);
        if (json_is_null(secret) && change->may_keep_secrets)
            continue;
        if (!json_is_string(secret) || !signature_secret_is_right(json_string_value(secret)))
            return complain(complaint, "invalid_field",
                            "%swebhook_secrets[%zu] must be \"" SIGNATURE_SECRET_PREFIX
                            "\" and the base64 of %d to %d bytes",
                            prefix, i, SIGNATURE_KEY_MIN, SIGNATURE_KEY_MAX);
    }
    return keep(secrets, change->row.callback.secrets, WEBHOOK_SECRETS_SIZE, &fits);
}

int settings_keep_secrets(struct settings_row *settings, const struct settings_row *before,
                          size_t *ret_index)
{
    bool fits;
    json_t *secrets = json_read_text(settings->callback.secrets, 0);
    json_t *known = json_read_text(before->callback.secrets, 0);
    int status = 0;
    for (size_t i = 0; status == 0 && i < json_array_size(secrets); i++) {
        json_t *kept = json_array_get(known, i);
        if (!json_is_null(json_array_get(secrets, i)))
            continue;
        *ret_index = i;
        status = kept ? json_array_set(secrets, i, kept) : ERR_NOT_FOUND;
    }
    if (status == 0 && secrets)
        status = keep(secrets, settings->callback.secrets, WEBHOOK_SECRETS_SIZE, &fits);
    json_decref(known);
    json_decref(secrets);
    return status;
}

/* -- the whole --------------------------------------------------------------------------------- */

static void take_times(const struct settings_callback *body, struct settings_row *settings)
{
    if (body->timeout.given) {
        settings->callback.timeout = body->timeout.value;
        settings->given |= GIVEN_CALLBACK_TIMEOUT;
    }
    if (body->connect_timeout.given) {
        settings->callback.connect_timeout = body->connect_timeout.value;
        settings->given |= GIVEN_CALLBACK_CONNECT_TIMEOUT;
    }
    if (body->on)
        settings->given |= GIVEN_CALLBACK_ON;
}

int settings_take_callback(const struct settings_callback *body, const char *prefix,
                           struct settings_change *change, struct complaint *complaint)
{
    int status = 0;
    take_times(body, &change->row);
    change->sets_retries = body->retries;
    change->sets_map = body->map;
    change->sets_secrets = body->secrets;
    if (body->retries)
        status = take_retries(body->retries, prefix, change, complaint);
    if (status == 0 && body->map)
        status = take_map(body->map, prefix, change, complaint);
    if (status == 0 && body->on)
        status = take_on(body->on, prefix, change, complaint);
    if (status == 0 && body->secrets)
        status = take_secrets(body->secrets, prefix, change, complaint);
    return status;
}
