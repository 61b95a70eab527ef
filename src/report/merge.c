/* How two reports become one. */
#include "report/internal.h"

#include <stdlib.h>
#include <string.h>

/*
 * Documents list the same things in the same order, mostly. So the search for each begins where
 * the last one was found, and two lists of thousands are not compared each with each.
 */
static size_t find_id(const struct lines *lines, size_t size, const char *id, size_t from)
{
    for (size_t i = 0; i < lines->count; i++) {
        size_t at = (from + i) % lines->count;
        const char *const *line = (const void *)((const char *)lines->at + at * size);
        if (strcmp(*line, id) == 0) /* it is the first member */
            return at;
    }
    return lines->count;
}

static int merge_runs(struct lines *into, const struct lines *from)
{
    char **runs = from->at;
    size_t at = 0;
    for (size_t i = 0; i < from->count && into->count < REPORT_LISTED_MAX; i++) {
        at = find_id(into, sizeof *runs, runs[i], at);
        if (at < into->count)
            continue;
        char *copy = strdup(runs[i]), **line = copy ? lines_add(into, sizeof *line) : NULL;
        if (!line) {
            free(copy);
            return ERR_NO_MEMORY;
        }
        *line = copy;
    }
    return 0;
}

/* Moves the last of so many to `at`, and those from there on by one. */
static void move_last(struct outcome_line *all, size_t count, size_t at)
{
    struct outcome_line last = all[count - 1];
    memmove(all + at + 1, all + at, (count - 1 - at) * sizeof *all);
    all[at] = last;
}

/* An outcome that one document alone knows comes after the last one of its operation. */
static int add_outcome(struct lines *into, const struct outcome_line *from)
{
    struct outcome_line *line = lines_add(into, sizeof *line);
    if (!line)
        return ERR_NO_MEMORY;
    *line = *from;
    line->id = strdup(from->id);
    line->operation = strdup(from->operation);
    line->summary = strdup(from->summary);
    if (!line->id || !line->operation || !line->summary)
        return ERR_NO_MEMORY;
    struct outcome_line *all = into->at;
    size_t at = into->count - 1;
    while (at > 0 && strcmp(all[at - 1].operation, from->operation) != 0)
        at--;
    if (at > 0)
        move_last(all, into->count, at);
    return 0;
}

static int merge_outcomes(struct lines *into, const struct lines *from)
{
    size_t at = 0;
    for (each_line(outcome_line, outcome, from)) {
        at = find_id(into, sizeof *outcome, outcome->id, at);
        if (at < into->count) {
            struct outcome_line *known = LINES(outcome_line, into) + at;
            known->count = count_add(known->count, outcome->count);
        } else if (add_outcome(into, outcome) < 0) {
            return ERR_NO_MEMORY;
        }
    }
    return 0;
}

static bool is_same_text(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static int merge_one_unlisted(struct lines *into, const struct unlisted_line *from)
{
    for (each_line(unlisted_line, known, into))
        if (known->status == from->status && is_same_text(known->operation, from->operation)) {
            known->count = count_add(known->count, from->count);
            return 0;
        }
    struct unlisted_line *line = lines_add(into, sizeof *line);
    if (!line)
        return ERR_NO_MEMORY;
    *line = *from;
    line->operation = from->operation ? strdup(from->operation) : NULL;
    return line->operation || !from->operation ? 0 : ERR_NO_MEMORY;
}

static int merge_unlisted(struct lines *into, const struct lines *from)
{
    for (each_line(unlisted_line, unlisted, from))
        if (merge_one_unlisted(into, unlisted) < 0)
            return ERR_NO_MEMORY;
    return 0;
}

static int merge_examples(struct finding_line *into, const struct finding_line *from)
{
    for (size_t i = 0; i < from->example_count && into->example_count < REPORT_EXAMPLES_MAX; i++) {
        size_t at = 0;
        while (at < into->example_count && strcmp(into->examples[at], from->examples[i]) != 0)
            at++;
        if (at < into->example_count)
            continue;
        into->examples[at] = strdup(from->examples[i]);
        if (!into->examples[at])
            return ERR_NO_MEMORY;
        into->example_count++;
    }
    return 0;
}

static int merge_findings(struct lines *into, const struct lines *from)
{
    for (each_line(finding_line, finding, from)) {
        size_t at = find_id(into, sizeof *finding, finding->id, 0);
        struct finding_line *line =
            at < into->count ? LINES(finding_line, into) + at : lines_add(into, sizeof *line);
        if (!line)
            return ERR_NO_MEMORY;
        if (!line->id) {
            line->severity = finding->severity;
            line->id = strdup(finding->id);
            line->what = strdup(finding->what);
            line->why = strdup(finding->why);
        }
        line->count = count_add(line->count, finding->count);
        if (!line->id || !line->what || !line->why || merge_examples(line, finding) < 0)
            return ERR_NO_MEMORY;
    }
    return 0;
}

static struct request_id_line *find_request_id(const struct lines *lines, size_t count,
                                               const struct request_id_line *like)
{
    struct request_id_line *all = lines->at;
    for (size_t i = 0; i < count; i++)
        if (strcmp(all[i].request_id, like->request_id) == 0 &&
            strcmp(all[i].operation, like->operation) == 0)
            return &all[i];
    return NULL;
}

/* One that several workspaces had, here or there, is one line, as a server has it by itself. */
static int join_request_ids(struct lines *into, const struct lines *from)
{
    size_t before = into->count;
    for (each_line(request_id_line, item, from)) {
        struct request_id_line *line = find_request_id(into, before, item);
        if (line) {
            line->sent = count_add(line->sent, item->sent);
            line->made = count_add(line->made, item->made);
            line->known = count_add(line->known, item->known);
            line->failed = count_add(line->failed, item->failed);
            line->other_bodies = count_add(line->other_bodies, item->other_bodies);
            continue;
        }
        line = lines_add(into, sizeof *line);
        if (!line)
            return ERR_NO_MEMORY;
        *line = *item;
        line->operation = strdup(item->operation);
        line->request_id = strdup(item->request_id);
        if (!line->operation || !line->request_id)
            return ERR_NO_MEMORY;
    }
    return 0;
}

static void add_job(struct job_line *into, const struct job_line *from)
{
    into->polls = count_add(into->polls, from->polls);
    into->after_end = count_add(into->after_end, from->after_end);
    into->ended |= from->ended;
    if (into->shortest < 0 || (from->shortest >= 0 && from->shortest < into->shortest))
        into->shortest = from->shortest;
}

/* Likewise: a seed gives jobs of the same ids. */
static int join_jobs(struct lines *into, const struct lines *from)
{
    size_t before = into->count;
    for (each_line(job_line, job, from)) {
        size_t at = 0;
        while (at < before && strcmp(LINES(job_line, into)[at].job, job->job) != 0)
            at++;
        if (at < before) {
            add_job(LINES(job_line, into) + at, job);
            continue;
        }
        struct job_line *line = lines_add(into, sizeof *line);
        if (!line)
            return ERR_NO_MEMORY;
        *line = *job;
        line->job = strdup(job->job);
        if (!line->job)
            return ERR_NO_MEMORY;
    }
    return 0;
}

static void add_totals(struct report *into, const struct report *from)
{
    const struct {
        int64_t *into, from;
    } totals[] = {
        {&into->workspaces, from->workspaces},
        {&into->total, from->total},
        {&into->unattributed, from->unattributed},
        {&into->ids, from->ids},
        {&into->repeated, from->repeated},
        {&into->reused, from->reused},
        {&into->ids_left_out, from->ids_left_out},
        {&into->jobs, from->jobs},
        {&into->polls, from->polls},
        {&into->after_end, from->after_end},
        {&into->jobs_left_out, from->jobs_left_out},
    };
    for (size_t i = 0; i < sizeof totals / sizeof *totals; i++)
        *totals[i].into = count_add(*totals[i].into, totals[i].from);
}

int report_merge(struct report *into, const struct report *from)
{
    if (!into->version || from->generated_at > into->generated_at) {
        char *version = strdup(from->version);
        if (!version)
            return ERR_NO_MEMORY;
        free(into->version);
        into->version = version;
        into->generated_at = from->generated_at;
    }
    add_totals(into, from);
    if (merge_runs(&into->runs, &from->runs) < 0 ||
        merge_outcomes(&into->outcomes, &from->outcomes) < 0 ||
        merge_unlisted(&into->unlisted, &from->unlisted) < 0 ||
        merge_findings(&into->findings, &from->findings) < 0 ||
        join_request_ids(&into->request_ids, &from->request_ids) < 0 ||
        join_jobs(&into->polling, &from->polling) < 0)
        return ERR_NO_MEMORY;
    report_order(into);
    return 0;
}
