/* What a report is made of. */
#include "report/internal.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

const char *const severity_names[] = {"error", "warning", "info", NULL};

const char *const report_format_names[] = {"text", "json", "md", "junit", NULL};

int report_format_of_file(const char *path)
{
    static const char *const ends[] = {".txt", ".json", ".md", ".xml"};
    size_t len = strlen(path);
    for (int i = 0; i < 4; i++) {
        size_t end = strlen(ends[i]);
        if (len > end && strcasecmp(path + len - end, ends[i]) == 0)
            return i;
    }
    return -1;
}

/* -- lines ------------------------------------------------------------------------------------- */

void *lines_add(struct lines *lines, size_t size)
{
    /* Room doubles: there is none left whenever the count is a power of two. */
    if ((lines->count & (lines->count - 1)) == 0) {
        void *more = reallocarray(lines->at, lines->count ? lines->count * 2 : 1, size);
        if (!more)
            return NULL;
        lines->at = more;
    }
    void *line = (char *)lines->at + lines->count++ * size;
    return memset(line, 0, size);
}

int64_t count_add(int64_t a, int64_t b)
{
    return a > INT64_MAX - b ? INT64_MAX : a + b;
}

static void free_finding(struct finding_line *finding)
{
    free(finding->id);
    free(finding->what);
    free(finding->why);
    for (size_t i = 0; i < finding->example_count; i++)
        free(finding->examples[i]);
}

struct report *report_destroy(struct report *report)
{
    if (!report)
        return NULL;
    char **runs = report->runs.at;
    for (size_t i = 0; i < report->runs.count; i++)
        free(runs[i]);
    for (each_line(outcome_line, outcome, &report->outcomes)) {
        free(outcome->id);
        free(outcome->operation);
        free(outcome->summary);
    }
    for (each_line(unlisted_line, unlisted, &report->unlisted))
        free(unlisted->operation);
    for (each_line(finding_line, finding, &report->findings))
        free_finding(finding);
    for (each_line(request_id_line, item, &report->request_ids)) {
        free(item->operation);
        free(item->request_id);
    }
    for (each_line(job_line, job, &report->polling))
        free(job->job);
    free(report->runs.at);
    free(report->outcomes.at);
    free(report->unlisted.at);
    free(report->findings.at);
    free(report->request_ids.at);
    free(report->polling.at);
    free(report->version);
    free(report);
    return NULL;
}

size_t report_exercised(const struct report *report)
{
    size_t exercised = 0;
    for (each_line(outcome_line, outcome, &report->outcomes))
        exercised += outcome->count > 0;
    return exercised;
}
