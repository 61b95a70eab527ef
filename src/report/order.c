/*
 * The order of what a report lists, and its end. What is equal stays as it came: qsort() does not
 * promise that, so it sorts pointers, and their places in memory decide last.
 */
#include "report/internal.h"

#include <stdlib.h>
#include <string.h>

static int by_place(const void *a, const void *b)
{
    return a < b ? -1 : a > b;
}

static int compare_counts(int64_t a, int64_t b)
{
    return a > b ? -1 : a < b; /* the greater first */
}

static int compare_findings(const void *a, const void *b)
{
    const struct finding_line *one = *(const struct finding_line *const *)a;
    const struct finding_line *other = *(const struct finding_line *const *)b;
    if (one->severity != other->severity)
        return one->severity < other->severity ? -1 : 1;
    return by_place(one, other);
}

static int compare_request_ids(const void *a, const void *b)
{
    const struct request_id_line *one = *(const struct request_id_line *const *)a;
    const struct request_id_line *other = *(const struct request_id_line *const *)b;
    int order = compare_counts(one->other_bodies, other->other_bodies);
    if (!order)
        order = compare_counts(one->sent, other->sent);
    return order ? order : by_place(one, other);
}

static int compare_jobs(const void *a, const void *b)
{
    const struct job_line *one = *(const struct job_line *const *)a;
    const struct job_line *other = *(const struct job_line *const *)b;
    int order = compare_counts(one->polls, other->polls);
    return order ? order : by_place(one, other);
}

/* Sorts lines; where memory runs out, they stay as they are, which is only less good to read. */
static void sort_lines(struct lines *lines, size_t size,
                       int (*compare)(const void *a, const void *b))
{
    if (lines->count < 2)
        return;
    const char **order = calloc(lines->count, sizeof *order);
    size_t room = 1;
    while (room < lines->count)
        room *= 2; /* as lines_add() expects it */
    char *sorted = calloc(room, size);
    for (size_t i = 0; order && i < lines->count; i++)
        order[i] = (const char *)lines->at + i * size;
    if (order && sorted) {
        qsort(order, lines->count, sizeof *order, compare);
        for (size_t i = 0; i < lines->count; i++)
            memcpy(sorted + i * size, order[i], size);
        free(lines->at);
        lines->at = sorted;
        sorted = NULL;
    }
    free(order);
    free(sorted);
}

void report_order(struct report *report)
{
    struct lines *ids = &report->request_ids, *jobs = &report->polling;
    sort_lines(&report->findings, sizeof(struct finding_line), compare_findings);
    sort_lines(ids, sizeof(struct request_id_line), compare_request_ids);
    sort_lines(jobs, sizeof(struct job_line), compare_jobs);
    for (; ids->count > REPORT_ITEMS_MAX; ids->count--) {
        struct request_id_line *last = LINES(request_id_line, ids) + ids->count - 1;
        free(last->operation);
        free(last->request_id);
        report->ids_left_out = count_add(report->ids_left_out, 1);
    }
    for (; jobs->count > REPORT_ITEMS_MAX; jobs->count--) {
        free((LINES(job_line, jobs) + jobs->count - 1)->job);
        report->jobs_left_out = count_add(report->jobs_left_out, 1);
    }
}
