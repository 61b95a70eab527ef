/* getMetrics: what the server counts and holds, as Prometheus reads it (text format 0.0.4). */
#include "control/internal.h"
#include "control/metrics.h"
#include "engine/delivery.h"
#include "engine/feed.h"
#include "engine/journal.h"
#include "http/record.h"
#include "http/respond.h"
#include "http/server.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#define MICRO 1e-6 /* what is counted in microseconds is told in seconds */

/* -- the format ---------------------------------------------------------------------------------
 */

static void put_head(struct buf *out, const char *name, const char *type, const char *help)
{
    buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void put_one(struct buf *out, const char *name, const char *type, const char *help,
                    double value)
{
    put_head(out, name, type, help);
    buf_printf(out, "%s %.15g\n", name, value);
}

/* `labels` without brackets; "" for none. */
static void put_histogram(struct buf *out, const char *name, const char *labels,
                          const struct histogram_bounds *bounds, const struct histogram *histogram,
                          double unit)
{
    const char *comma = *labels ? "," : "";
    const char *open = *labels ? "{" : "", *close = *labels ? "}" : "";
    int64_t count = 0;
    for (size_t i = 0; i < bounds->count; i++) {
        count += histogram->counts[i];
        buf_printf(out, "%s_bucket{%s%sle=\"%g\"} %lld\n", name, labels, comma,
                   (double)bounds->at[i] * unit, (long long)count);
    }
    count += histogram->counts[bounds->count];
    buf_printf(out, "%s_bucket{%s%sle=\"+Inf\"} %lld\n", name, labels, comma, (long long)count);
    buf_printf(out, "%s_sum%s%s%s %.9g\n", name, open, labels, close,
               (double)histogram->sum * unit);
    buf_printf(out, "%s_count%s%s%s %lld\n", name, open, labels, close, (long long)count);
}

static int64_t count_of(const struct histogram *histogram)
{
    int64_t count = 0;
    for (size_t i = 0; i <= HISTOGRAM_BOUNDS_MAX; i++)
        count += histogram->counts[i];
    return count;
}

/* -- what there is ------------------------------------------------------------------------------
 */

/* Operations are of the tables, statuses of three digits: there is nothing to escape. */
static void name_row(const struct metrics_row *row, char *labels, size_t size)
{
    char status[12] = "none";
    if (row->status)
        snprintf(status, sizeof status, "%d", row->status);
    snprintf(labels, size, "operation=\"%s\",status=\"%s\"", row->operation, status);
}

static bool put_requests(struct buf *out, struct metrics *metrics)
{
    static const char total[] = "understudy_requests_total";
    static const char duration[] = "understudy_request_duration_seconds";
    struct metrics_row *rows;
    size_t count;
    char labels[120];
    if (!metrics_read(metrics, &rows, &count))
        return false;
    put_head(out, total, "counter",
             "Requests by operation and status; none: no operation, no answer.");
    for (size_t i = 0; i < count; i++) {
        name_row(&rows[i], labels, sizeof labels);
        buf_printf(out, "%s{%s} %lld\n", total, labels, (long long)count_of(&rows[i].durations));
    }
    put_head(out, duration, "histogram",
             "Time from a request's head until its answer, or its end without one.");
    for (size_t i = 0; i < count; i++) {
        name_row(&rows[i], labels, sizeof labels);
        put_histogram(out, duration, labels, &metrics_durations, &rows[i].durations, MICRO);
    }
    free(rows);
    return true;
}

static void put_stored(struct buf *out, const struct metrics_stored *stored)
{
    put_head(out, "understudy_jobs", "gauge", "Jobs by status.");
    for (int i = 0; i < JOB_STATUSES; i++)
        buf_printf(out, "understudy_jobs{status=\"%s\"} %lld\n",
                   job_status_name((enum job_status)i), (long long)stored->jobs[i]);
    put_head(out, "understudy_deliveries", "gauge", "Callbacks that are owed or were, by status.");
    for (int i = 0; i < DELIVERY_STATUSES; i++)
        buf_printf(out, "understudy_deliveries{status=\"%s\"} %lld\n", delivery_status_names[i],
                   (long long)stored->deliveries[i]);
}

static void put_writer(struct buf *out, struct store *store)
{
    struct store_stats stats;
    store_read_stats(store, &stats);
    put_one(out, "understudy_writer_queue_length", "gauge", "Writes that wait for the writer.",
            (double)stats.queued);
    put_head(out, "understudy_writer_batch_size", "histogram", "Writes that share a commit.");
    put_histogram(out, "understudy_writer_batch_size", "", &store_batch_sizes, &stats.batch_sizes,
                  1);
    put_head(out, "understudy_writer_commit_duration_seconds", "histogram",
             "Time that a commit takes.");
    put_histogram(out, "understudy_writer_commit_duration_seconds", "", &store_commit_times,
                  &stats.commit_times, MICRO);
}

static void put_journal(struct buf *out, struct journals *journals)
{
    struct journals_totals totals;
    journals_read_totals(journals, &totals);
    put_one(out, "understudy_journal_bytes", "gauge", "Memory of all journals' entries.",
            (double)totals.bytes);
    put_one(out, "understudy_journal_evicted_total", "counter",
            "Entries that went for want of room.", (double)totals.evicted);
}

static void put_connections(struct buf *out, const struct request *request)
{
    int64_t open, accepted;
    request_connections(request, &open, &accepted);
    put_one(out, "understudy_connections", "gauge", "Connections that are open.", (double)open);
    put_one(out, "understudy_connections_accepted_total", "counter", "Connections, ever.",
            (double)accepted);
}

/* Resident pages; 0 where the system does not tell. */
static long resident_pages(void)
{
    char text[64] = "", *rest;
    FILE *file = fopen("/proc/self/statm", "re");
    if (!file)
        return 0;
    bool has_text = fgets(text, sizeof text, file) != NULL;
    (void)fclose(file);
    (void)strtol(text, &rest, 10); /* all of it, resident or not */
    return has_text ? strtol(rest, NULL, 10) : 0;
}

static void put_process(struct buf *out, const struct metrics *metrics)
{
    struct rusage usage;
    long pages = resident_pages();
    if (pages)
        put_one(out, "process_resident_memory_bytes", "gauge", "Resident memory size in bytes.",
                (double)pages * (double)sysconf(_SC_PAGESIZE));
    if (getrusage(RUSAGE_SELF, &usage) == 0)
        put_one(out, "process_cpu_seconds_total", "counter",
                "Total user and system CPU time spent in seconds.",
                (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                    (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * MICRO);
    put_one(out, "process_start_time_seconds", "gauge",
            "Start time of the process since unix epoch in seconds.",
            (double)metrics->begun_at / 1000);
}

void metrics_handler(struct request *request)
{
    struct control *control = control_of(request);
    struct engine *engine = control->engine;
    struct metrics_stored stored;
    struct buf body = BUF_INIT;
    struct db *db = control_reader(request);
    if (!db)
        return;
    int status = metrics_stored(&control->metrics, db, &stored);
    if (status == 0 && !put_requests(&body, &control->metrics))
        status = ERR_NO_MEMORY;
    if (status < 0) {
        buf_finish(&body);
        router_fail(request, status, NULL);
        return;
    }
    put_stored(&body, &stored);
    put_writer(&body, engine_store(engine));
    put_journal(&body, engine_journals(engine));
    put_connections(&body, request);
    put_one(&body, "understudy_event_listeners", "gauge", "Who listen to /_mock/events.",
            (double)feeds_listeners(engine_feeds(engine)));
    put_one(&body, "understudy_workspaces", "gauge", "Workspaces.",
            (double)registry_count(engine_registry(engine)));
    put_process(&body, &control->metrics);
    put_head(&body, "understudy_build_info", "gauge", "1, with what the server is made of.");
    buf_printf(&body, "understudy_build_info{version=\"%s\",http=\"%s\",store=\"%s\"} 1\n",
               control->options.version, server_library(), store_library());
    respond(request, 200, content_type_metrics, &body);
}
