#include "engine/job_json.h"

#include "base/json.h"
#include "base/time.h"

#include <string.h>

static void put_time(struct buf *out, const char *name, int64_t ms)
{
    char text[TIME_TEXT_SIZE];
    buf_puts(out, name);
    if (ms < 0) {
        buf_puts(out, "null");
        return;
    }
    time_format_seconds(ms, text);
    buf_putc(out, '"');
    buf_puts(out, text);
    buf_putc(out, '"');
}

static void put_scenario(struct buf *out, const struct job *job)
{
    buf_puts(out, ",\"scenario\":");
    if (!*job->scenario_id) {
        buf_puts(out, "null");
        return;
    }
    buf_puts(out, "{\"id\":");
    json_put_text(out, job->scenario_id);
    buf_puts(out, ",\"slug\":");
    json_put_text(out, job->scenario_slug);
    buf_puts(out, ",\"name\":");
    json_put_text(out, job->scenario_name);
    buf_puts(out, ",\"url\":\"");
    buf_puts(out, job->base); /* bases and slugs have no character that JSON escapes */
    buf_puts(out, "/scenarios/");
    buf_puts(out, job->scenario_slug);
    buf_puts(out, "\"}");
}

static void put_error(struct buf *out, const struct job *job)
{
    buf_puts(out, ",\"error\":");
    if (job->status != JOB_FAILED) {
        buf_puts(out, "null");
        return;
    }
    buf_puts(out, "{\"code\":");
    json_put_text(out, job->error_code);
    buf_puts(out, ",\"message\":");
    json_put_text(out, job->error_message);
    buf_putc(out, '}');
}

/* Seconds from milliseconds, without needless decimals: 145, 0.25. */
static void put_duration(struct buf *out, const struct job *job)
{
    buf_puts(out, ",\"duration_seconds\":");
    if (job->started_at < 0 || job->completed_at < 0)
        buf_puts(out, "null");
    else
        json_put_real(out, (double)(job->completed_at - job->started_at) / 1000);
}

void job_put_members(struct buf *out, const struct job *job)
{
    buf_puts(out, "\"id\":\"");
    buf_puts(out, job->id);
    buf_puts(out, "\",\"status\":\"");
    buf_puts(out, job_status_name(job->status));
    buf_putc(out, '"');
    put_scenario(out, job);
    put_error(out, job);
    put_time(out, ",\"created_at\":", job->created_at);
    put_time(out, ",\"started_at\":", job->started_at);
    put_time(out, ",\"completed_at\":", job->completed_at);
    put_duration(out, job);
}

void job_put_json(struct buf *out, const struct job *job, enum job_newness newness)
{
    buf_putc(out, '{');
    job_put_members(out, job);
    if (newness != JOB_PLAIN)
        buf_puts(out, newness == JOB_IS_NEW ? ",\"is_new\":true" : ",\"is_new\":false");
    buf_putc(out, '}');
}
