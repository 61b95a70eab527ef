/* From a document to a report: each part by a table of its members, each mistake by its place. */
#include "report/internal.h"

#include "base/duration.h"
#include "base/fields.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STATUS_MAX = 999, ITEM_SIZE = 48 /* of "request_ids.items[9999]", amply */ };

/* -- what a value may be ----------------------------------------------------------------------- */

static bool is_count(const json_t *value)
{
    return json_number_value(value) >= 0;
}

static bool is_status(const json_t *value)
{
    return json_number_value(value) >= 0 && json_number_value(value) <= STATUS_MAX;
}

static bool is_time(const json_t *value)
{
    return time_parse(json_string_value(value), &(int64_t){0}, NULL) == 0;
}

static bool is_basis(const json_t *value)
{
    size_t index;
    json_t *letter;
    json_array_foreach(value, index, letter)
    {
        const char *text = json_string_value(letter);
        if (!text || text[0] < 'A' || text[0] > 'Z' || text[1])
            return false;
    }
    return json_array_size(value) < BASIS_SIZE;
}

static bool is_texts(const json_t *value)
{
    size_t index;
    json_t *text;
    json_array_foreach(value, index, text)
    {
        if (!json_is_string(text))
            return false;
    }
    return json_array_size(value) <= REPORT_LISTED_MAX;
}

static bool is_list(const json_t *value)
{
    return json_array_size(value) <= REPORT_LISTED_MAX;
}

static int severity_of(const json_t *value)
{
    const char *text = json_string_value(value);
    for (int i = 0; severity_names[i]; i++)
        if (text && strcmp(text, severity_names[i]) == 0)
            return i;
    return -1;
}

static bool is_severity(const json_t *value)
{
    return severity_of(value) >= 0;
}

/* -- tables ------------------------------------------------------------------------------------ */

#define A_COUNT "a whole number, 0 or more"
#define A_TEXT  "a text"
#define A_LIST  "an array of at most 10,000"

#define ROW(name_, type_, required_, what_, check_, struct_, member_)                              \
    {                                                                                              \
        .name = (name_), .type = (type_), .required = (required_), .what = (what_),                \
        .check = (check_), .offset = offsetof(struct struct_, member_)                             \
    }
#define COUNT(name_, struct_, member_)                                                             \
    ROW(name_, FIELD_WHOLE, true, A_COUNT, is_count, struct_, member_)
#define TEXT(name_, struct_, member_) ROW(name_, FIELD_STRING, true, A_TEXT, NULL, struct_, member_)
#define OPTIONAL_TEXT(name_, struct_, member_)                                                     \
    ROW(name_, FIELD_STRING, false, A_TEXT, NULL, struct_, member_)
#define LIST(name_, struct_, member_)                                                              \
    ROW(name_, FIELD_ARRAY, true, A_LIST, is_list, struct_, member_)
#define OBJECT(name_, struct_, member_)                                                            \
    ROW(name_, FIELD_OBJECT, true, "an object", NULL, struct_, member_)
#define ROWS(table_) (table_), sizeof(table_) / sizeof *(table_)

struct head {
    struct field_text understudy;
    struct field_whole version;
};
static const struct field head_fields[] = {
    TEXT("understudy", head, understudy),
    COUNT("version", head, version),
};

struct top {
    struct field_text generated_at;
    struct field_whole workspaces;
    const json_t *runs, *requests, *outcomes, *unlisted, *findings, *request_ids, *polling;
};
static const struct field top_fields[] = {
    ROW("generated_at", FIELD_STRING, true, "a time as 2026-01-02T03:04:05Z", is_time, top,
        generated_at),
    ROW("runs", FIELD_ARRAY, true, "an array of at most 10,000 texts", is_texts, top, runs),
    COUNT("workspaces", top, workspaces),
    OBJECT("requests", top, requests),
    LIST("outcomes", top, outcomes),
    LIST("unlisted", top, unlisted),
    LIST("findings", top, findings),
    OBJECT("request_ids", top, request_ids),
    OBJECT("polling", top, polling),
};

struct requests {
    struct field_whole total, unattributed;
};
static const struct field requests_fields[] = {
    COUNT("total", requests, total),
    COUNT("unattributed", requests, unattributed),
};

struct outcome {
    struct field_text id, operation, summary;
    struct field_whole status, count;
    const json_t *basis;
};
static const struct field outcome_fields[] = {
    TEXT("id", outcome, id),
    TEXT("operation", outcome, operation),
    ROW("status", FIELD_WHOLE, true, "a status of HTTP", is_status, outcome, status),
    ROW("basis", FIELD_ARRAY, false, "an array of letters", is_basis, outcome, basis),
    OPTIONAL_TEXT("summary", outcome, summary),
    COUNT("count", outcome, count),
};

struct unlisted {
    struct field_text operation;
    struct field_whole status, count;
};
static const struct field unlisted_fields[] = {
    OPTIONAL_TEXT("operation", unlisted, operation),
    ROW("status", FIELD_WHOLE, false, "a status of HTTP or null", is_status, unlisted, status),
    COUNT("count", unlisted, count),
};

struct finding {
    struct field_text id, severity, what, why;
    struct field_whole count;
    const json_t *examples;
};
static const struct field finding_fields[] = {
    TEXT("id", finding, id),
    ROW("severity", FIELD_STRING, true, "error, warning or info", is_severity, finding, severity),
    OPTIONAL_TEXT("what", finding, what),
    OPTIONAL_TEXT("why", finding, why),
    COUNT("count", finding, count),
    ROW("examples", FIELD_ARRAY, false, "an array of texts", is_texts, finding, examples),
};

struct request_ids {
    struct field_whole total, repeated, reused, left_out;
    const json_t *items;
};
static const struct field request_ids_fields[] = {
    COUNT("total", request_ids, total),   COUNT("repeated", request_ids, repeated),
    COUNT("reused", request_ids, reused), COUNT("left_out", request_ids, left_out),
    LIST("items", request_ids, items),
};

struct request_id {
    struct field_text operation, request_id;
    struct field_whole sent, made, known, failed, other_bodies;
};
static const struct field request_id_fields[] = {
    TEXT("operation", request_id, operation),
    TEXT("request_id", request_id, request_id),
    COUNT("sent", request_id, sent),
    COUNT("made", request_id, made),
    COUNT("known", request_id, known),
    COUNT("failed", request_id, failed),
    COUNT("other_bodies", request_id, other_bodies),
};

struct polling {
    struct field_whole jobs, polls, after_end, left_out;
    const json_t *items;
};
static const struct field polling_fields[] = {
    COUNT("jobs", polling, jobs),           COUNT("polls", polling, polls),
    COUNT("after_end", polling, after_end), COUNT("left_out", polling, left_out),
    LIST("items", polling, items),
};

struct polled {
    struct field_text job;
    struct field_whole polls, after_end, shortest;
    struct field_bool ended;
};
static const struct field polled_fields[] = {
    TEXT("job", polled, job),
    COUNT("polls", polled, polls),
    COUNT("after_end", polled, after_end),
    ROW("shortest", FIELD_DURATION, false, "a duration as \"12ms\", or null", NULL, polled,
        shortest),
    ROW("ended", FIELD_BOOL, true, "true or false", NULL, polled, ended),
};

/* -- reading ----------------------------------------------------------------------------------- */

/* Notes the place of what is wrong: `inner` within `place`, both of which may be empty. */
static void note_place(struct reading *reading, const char *place, const char *inner)
{
    snprintf(reading->place, sizeof reading->place, "%s%s%s", place, *place && *inner ? "." : "",
             inner);
}

static int read_members(struct reading *reading, const char *place, const json_t *object,
                        const struct field *table, size_t count, void *dest)
{
    const struct field *field = NULL;
    if (!json_is_object(object)) {
        note_place(reading, place, "");
        return err_set(reading->err, ERR_INVALID, "%s must be an object", reading->place);
    }
    enum field_fault fault = fields_read(table, count, object, dest, &field);
    if (fault == FIELD_FINE)
        return 0;
    note_place(reading, place, field->name);
    return fault == FIELD_MISSING
               ? err_set(reading->err, ERR_INVALID, "%s is missing", reading->place)
               : err_set(reading->err, ERR_INVALID, "%s must be %s", reading->place, field->what);
}

/* A copy of what was given; `otherwise` where it was not. NULL: memory ran out, or both are. */
static char *copy_text(const struct field_text *text, const char *otherwise)
{
    const char *given = text->data ? text->data : otherwise;
    return given ? strdup(given) : NULL;
}

static int no_memory(struct reading *reading)
{
    return err_set(reading->err, ERR_NO_MEMORY, "out of memory");
}

static int read_outcome(struct reading *reading, const char *place, const json_t *item,
                        struct report *report)
{
    struct outcome read = {.basis = NULL};
    int status = read_members(reading, place, item, ROWS(outcome_fields), &read);
    struct outcome_line *line =
        status < 0 ? NULL : lines_add(&report->outcomes, sizeof(struct outcome_line));
    if (!line)
        return status < 0 ? status : no_memory(reading);
    line->id = copy_text(&read.id, NULL);
    line->operation = copy_text(&read.operation, NULL);
    line->summary = copy_text(&read.summary, "");
    line->status = read.status.value;
    line->count = read.count.value;
    for (size_t i = 0; i < json_array_size(read.basis); i++)
        line->basis[i] = *json_string_value(json_array_get(read.basis, i));
    return line->id && line->operation && line->summary ? 0 : no_memory(reading);
}

static int read_unlisted(struct reading *reading, const char *place, const json_t *item,
                         struct report *report)
{
    struct unlisted read = {.count.given = false};
    int status = read_members(reading, place, item, ROWS(unlisted_fields), &read);
    struct unlisted_line *line =
        status < 0 ? NULL : lines_add(&report->unlisted, sizeof(struct unlisted_line));
    if (!line)
        return status < 0 ? status : no_memory(reading);
    line->operation = copy_text(&read.operation, NULL);
    line->status = read.status.given ? read.status.value : -1;
    line->count = read.count.value;
    return line->operation || !read.operation.data ? 0 : no_memory(reading);
}

static int read_finding(struct reading *reading, const char *place, const json_t *item,
                        struct report *report)
{
    struct finding read = {.examples = NULL};
    int status = read_members(reading, place, item, ROWS(finding_fields), &read);
    struct finding_line *line =
        status < 0 ? NULL : lines_add(&report->findings, sizeof(struct finding_line));
    if (!line)
        return status < 0 ? status : no_memory(reading);
    line->id = copy_text(&read.id, NULL);
    line->what = copy_text(&read.what, "");
    line->why = copy_text(&read.why, "");
    line->severity = (enum report_severity)severity_of(json_object_get(item, "severity"));
    line->count = read.count.value;
    for (size_t i = 0; i < REPORT_EXAMPLES_MAX && i < json_array_size(read.examples); i++) {
        line->examples[i] = strdup(json_string_value(json_array_get(read.examples, i)));
        if (!line->examples[i])
            return no_memory(reading);
        line->example_count++;
    }
    return line->id && line->what && line->why ? 0 : no_memory(reading);
}

static int read_request_id(struct reading *reading, const char *place, const json_t *item,
                           struct report *report)
{
    struct request_id read = {.sent.given = false};
    int status = read_members(reading, place, item, ROWS(request_id_fields), &read);
    struct request_id_line *line =
        status < 0 ? NULL : lines_add(&report->request_ids, sizeof(struct request_id_line));
    if (!line)
        return status < 0 ? status : no_memory(reading);
    *line = (struct request_id_line){.operation = copy_text(&read.operation, NULL),
                                     .request_id = copy_text(&read.request_id, NULL),
                                     .sent = read.sent.value,
                                     .made = read.made.value,
                                     .known = read.known.value,
                                     .failed = read.failed.value,
                                     .other_bodies = read.other_bodies.value};
    return line->operation && line->request_id ? 0 : no_memory(reading);
}

static int read_polled(struct reading *reading, const char *place, const json_t *item,
                       struct report *report)
{
    struct polled read = {.ended.given = false};
    int status = read_members(reading, place, item, ROWS(polled_fields), &read);
    struct job_line *line =
        status < 0 ? NULL : lines_add(&report->polling, sizeof(struct job_line));
    if (!line)
        return status < 0 ? status : no_memory(reading);
    *line = (struct job_line){.job = copy_text(&read.job, NULL),
                              .polls = read.polls.value,
                              .after_end = read.after_end.value,
                              .shortest = read.shortest.given ? read.shortest.value : -1,
                              .ended = read.ended.value};
    return line->job ? 0 : no_memory(reading);
}

static int read_list(struct reading *reading, const char *place, const json_t *list,
                     int (*read)(struct reading *reading, const char *place, const json_t *item,
                                 struct report *report),
                     struct report *report)
{
    size_t index;
    json_t *item;
    json_array_foreach(list, index, item)
    {
        char at[ITEM_SIZE];
        snprintf(at, sizeof at, "%s[%zu]", place, index);
        int status = read(reading, at, item, report);
        if (status < 0)
            return status;
    }
    return 0;
}

static int read_runs(struct reading *reading, const json_t *runs, struct report *report)
{
    size_t index;
    json_t *run;
    json_array_foreach(runs, index, run)
    {
        char **line = lines_add(&report->runs, sizeof *line);
        if (line)
            *line = strdup(json_string_value(run));
        if (!line || !*line)
            return no_memory(reading);
    }
    return 0;
}

static int read_request_ids(struct reading *reading, const json_t *object, struct report *report)
{
    struct request_ids read = {.items = NULL};
    int status = read_members(reading, "request_ids", object, ROWS(request_ids_fields), &read);
    if (status < 0)
        return status;
    report->ids = read.total.value;
    report->repeated = read.repeated.value;
    report->reused = read.reused.value;
    report->ids_left_out = read.left_out.value;
    return read_list(reading, "request_ids.items", read.items, read_request_id, report);
}

static int read_polling(struct reading *reading, const json_t *object, struct report *report)
{
    struct polling read = {.items = NULL};
    int status = read_members(reading, "polling", object, ROWS(polling_fields), &read);
    if (status < 0)
        return status;
    report->jobs = read.jobs.value;
    report->polls = read.polls.value;
    report->after_end = read.after_end.value;
    report->jobs_left_out = read.left_out.value;
    return read_list(reading, "polling.items", read.items, read_polled, report);
}

/* Whether it is a report at all, and one that this program can read. */
static int read_head(struct reading *reading, const json_t *document, struct report *report)
{
    struct head head = {.version.given = false};
    if (!json_is_object(document) || !json_object_get(document, "understudy") ||
        !json_object_get(document, "version"))
        return err_set(reading->err, ERR_INVALID,
                       "is no report: it must be an object with \"understudy\" and \"version\"");
    int status = read_members(reading, "", document, ROWS(head_fields), &head);
    if (status < 0)
        return status;
    if (head.version.value != REPORT_VERSION) {
        note_place(reading, "", "version");
        return err_set(reading->err, ERR_INVALID,
                       "is a report of version %lld; this program reads version %d",
                       (long long)head.version.value, REPORT_VERSION);
    }
    report->version = copy_text(&head.understudy, NULL);
    return report->version ? 0 : no_memory(reading);
}

static int read_body(struct reading *reading, const json_t *document, struct report *report)
{
    struct top top = {.runs = NULL};
    struct requests requests = {.total.given = false};
    int status = read_members(reading, "", document, ROWS(top_fields), &top);
    if (status == 0)
        status = read_members(reading, "requests", top.requests, ROWS(requests_fields), &requests);
    if (status < 0)
        return status;
    time_parse(top.generated_at.data, &report->generated_at, NULL);
    report->workspaces = top.workspaces.value;
    report->total = requests.total.value;
    report->unattributed = requests.unattributed.value;
    status = read_runs(reading, top.runs, report);
    if (status == 0)
        status = read_list(reading, "outcomes", top.outcomes, read_outcome, report);
    if (status == 0)
        status = read_list(reading, "unlisted", top.unlisted, read_unlisted, report);
    if (status == 0)
        status = read_list(reading, "findings", top.findings, read_finding, report);
    if (status == 0)
        status = read_request_ids(reading, top.request_ids, report);
    return status < 0 ? status : read_polling(reading, top.polling, report);
}

/* Into `read`, then into `report`: what a document has twice becomes one, as if two documents had
 * it. */
static int read_all(struct reading *reading, const json_t *document, struct report *read,
                    struct report *report)
{
    int status = read_head(reading, document, read);
    if (status == 0)
        status = read_body(reading, document, read);
    if (status == 0 && report_merge(report, read) < 0)
        status = no_memory(reading);
    return status;
}

int report_read_at(struct reading *reading, const json_t *document, struct report **ret_report)
{
    struct report *read = calloc(1, sizeof *read), *report = calloc(1, sizeof *report);
    int status = read && report ? read_all(reading, document, read, report) : no_memory(reading);
    if (status == 0) {
        *ret_report = report;
        report = NULL;
    }
    report_destroy(read);
    report_destroy(report);
    return status;
}

int report_read(const json_t *document, struct report **ret_report, struct err *err)
{
    struct reading reading = {.err = err};
    return report_read_at(&reading, document, ret_report);
}
