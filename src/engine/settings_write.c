/* Settings as JSON: those that count, or those that a workspace has of its own (engine/settings.h).
 */
#include "engine/settings_callback.h"

#include "base/duration.h"
#include "base/json.h"
#include "engine/callback.h"
#include "engine/finding.h"
#include "engine/signature.h"

#include <string.h>

static void put_duration(struct buf *out, const char *name, int64_t ms)
{
    char text[DURATION_TEXT_SIZE];
    duration_format(ms, text);
    buf_printf(out, "\"%s\":\"%s\",", name, text);
}

static void put_bool(struct buf *out, const char *name, bool value)
{
    buf_printf(out, "\"%s\":%s,", name, value ? "true" : "false");
}

/* Takes back the comma that follows the last member. */
static void end_list(struct buf *out, char end)
{
    if (out->len && out->data[out->len - 1] == ',')
        out->len--;
    buf_putc(out, end);
}

/* -- jobs -------------------------------------------------------------------------------------- */

static void put_times(struct buf *out, const struct settings_row *own,
                      const struct settings *server)
{
    bool queue = own->given & GIVEN_QUEUE_TIME, processing = own->given & GIVEN_PROCESSING_TIME;
    if (queue || server)
        put_duration(out, "queue_time", queue ? own->queue_time : server->queue_time);
    if (processing || server)
        put_duration(out, "processing_time",
                     processing ? own->processing_time : server->processing_time);
    buf_puts(out, "\"jitter\":");
    json_put_real(out, own->jitter);
    buf_putc(out, ',');
}

static void put_max_processing(struct buf *out, const struct settings_row *own,
                               const struct settings *server)
{
    bool given = own->given & GIVEN_MAX_PROCESSING;
    if (given || server)
        buf_printf(out, "\"max_processing\":%lld,",
                   (long long)(given ? own->max_processing : server->max_processing));
}

static void put_limit(struct buf *out, const char *name, int64_t limit)
{
    if (limit)
        buf_printf(out, "\"%s\":%lld,", name, (long long)limit);
}

static void put_rate(struct buf *out, const struct rate_limit *limit, bool all)
{
    bool limits = limit->per_minute || limit->per_day || limit->creations_per_minute;
    if (limits) {
        buf_puts(out, "\"rate_limit\":{");
        put_limit(out, "per_minute", limit->per_minute);
        put_limit(out, "per_day", limit->per_day);
        put_limit(out, "creations_per_minute", limit->creations_per_minute);
        end_list(out, '}');
        buf_putc(out, ',');
    } else if (all) {
        buf_puts(out, "\"rate_limit\":null,");
    }
}

static void put_steering(struct buf *out, const struct settings_row *own,
                         const struct settings_view *view)
{
    bool magic = own->given & GIVEN_MAGIC;
    const char *url = *own->public_url ? own->public_url : view->public_url;
    if (magic || view->server)
        put_bool(out, "magic", magic ? own->magic : view->server->magic);
    put_bool(out, "any_key", own->any_key);
    if (url || view->server) {
        buf_puts(out, "\"public_url\":");
        json_put_text(out, url);
        buf_putc(out, ',');
    }
}

/* -- callbacks --------------------------------------------------------------------------------- */

/* A setting that is kept as JSON. */
static void put_kept(struct buf *out, const char *name, const char *json, const char *otherwise)
{
    if (*json || otherwise)
        buf_printf(out, "\"%s\":%s,", name, *json ? json : otherwise);
}

static void put_on(struct buf *out, const struct settings_row *own)
{
    buf_puts(out, "\"callback_on\":[");
    for (size_t i = 0; callback_on_names[i]; i++)
        if (!(own->given & GIVEN_CALLBACK_ON) || own->callback.on & callback_on_bits[i])
            buf_printf(out, "\"%s\",", callback_on_names[i]);
    end_list(out, ']');
    buf_putc(out, ',');
}

static void put_callback(struct buf *out, const struct settings_row *own, bool all)
{
    const struct callback_row *callback = &own->callback;
    if (all || own->given & GIVEN_CALLBACK_TIMEOUT)
        put_duration(out, "callback_timeout", callback_timeout(own));
    if (all || own->given & GIVEN_CALLBACK_CONNECT_TIMEOUT)
        put_duration(out, "callback_connect_timeout", callback_connect_timeout(own));
    put_kept(out, "callback_retries", callback->retries, all ? "[]" : NULL);
    put_kept(out, "callback_map", callback->map, all ? "{}" : NULL);
    if (all || own->given & GIVEN_CALLBACK_ON)
        put_on(out, own);
}

/* So much of a secret that its owner tells which one it is. */
static void put_secret(struct buf *out, const char *secret, enum settings_secrets how)
{
    if (how == SECRETS_LEFT_OUT || !secret)
        buf_puts(out, "null,");
    else if (how == SECRETS_SHOWN_WHOLE)
        buf_printf(out, "\"%s\",", secret);
    else
        buf_printf(out, "\"" SIGNATURE_SECRET_PREFIX "…%s\",", secret + strlen(secret) - 4);
}

static void put_secrets(struct buf *out, const char *secrets, const struct settings_view *view)
{
    json_t *list = *secrets ? json_read_text(secrets, 0) : NULL;
    if (list) {
        buf_puts(out, "\"webhook_secrets\":[");
        for (size_t i = 0; i < json_array_size(list); i++)
            put_secret(out, json_string_value(json_array_get(list, i)), view->secrets);
        end_list(out, ']');
        buf_putc(out, ',');
    } else if (view->server) {
        buf_puts(out, "\"webhook_secrets\":null,");
    }
    out->failed |= *secrets && !list;
    json_decref(list);
}

static void put_lint(struct buf *out, uint64_t ignored, bool all)
{
    if (!all && !ignored)
        return;
    buf_puts(out, "\"lint\":{\"ignore\":[");
    for (int i = 0; i < FINDINGS; i++)
        if (ignored & finding_bit((enum finding)i))
            buf_printf(out, "\"%s\",", finding_names[i]);
    end_list(out, ']');
    buf_putc(out, '}');
}

void settings_put(struct buf *out, const struct settings_row *own, const struct settings_view *view)
{
    const struct settings *server = view->server;
    buf_putc(out, '{');
    put_times(out, own, server);
    put_max_processing(out, own, server);
    put_rate(out, &own->rate, server);
    put_steering(out, own, view);
    put_callback(out, own, server);
    put_secrets(out, own->callback.secrets, view);
    put_lint(out, own->lint_ignored, server);
    end_list(out, '}');
}
