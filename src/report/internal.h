/* A report as the files of this room have it; for nobody else to include. */
#ifndef UNDERSTUDY_REPORT_INTERNAL_H
#define UNDERSTUDY_REPORT_INTERNAL_H

#include "report/report.h"

#include "base/time.h"

#include <stdint.h>

enum {
    BASIS_SIZE = 8, /* letters, and the NUL */
};

/* All texts of these are UTF-8 and owned; counts are 0 or more. */
struct outcome_line {
    char *id, *operation, *summary;
    int64_t status; /* 0: no answer */
    char basis[BASIS_SIZE];
    int64_t count;
};

struct unlisted_line {
    char *operation; /* or NULL */
    int64_t status;  /* or -1 */
    int64_t count;
};

struct finding_line {
    char *id, *what, *why;
    enum report_severity severity;
    int64_t count;
    char *examples[REPORT_EXAMPLES_MAX];
    size_t example_count;
};

struct request_id_line {
    char *operation, *request_id;
    int64_t sent, made, known, failed, other_bodies;
};

struct job_line {
    char *job;
    int64_t polls, after_end;
    int64_t shortest; /* ms; -1: fewer than two polls */
    bool ended;
};

/* A growing array of one of the above, or of texts. */
struct lines {
    void *at;
    size_t count;
};

struct report {
    char *version; /* of the server that wrote it, or of the newest of them */
    int64_t generated_at;
    int64_t workspaces;
    int64_t total, unattributed;
    struct lines runs;     /* char * */
    struct lines outcomes; /* struct outcome_line; no id twice */
    struct lines unlisted; /* struct unlisted_line; none twice */
    struct lines findings; /* struct finding_line; no id twice, the severe ones first */
    int64_t ids, repeated, reused, ids_left_out;
    struct lines request_ids; /* struct request_id_line, what is wrong first */
    int64_t jobs, polls, after_end, jobs_left_out;
    struct lines polling; /* struct job_line, the most polled first */
};

/* What is wrong with a document and where, until its text can tell in which line. */
enum { PLACE_SIZE = 96 };
struct reading {
    char place[PLACE_SIZE]; /* "outcomes[3].count"; empty: the document itself */
    struct err *err;        /* may be NULL */
};

/* report_read(), which also notes the place. */
int report_read_at(struct reading *reading, const json_t *document, struct report **ret_report);

extern const char *const severity_names[]; /* in the order of enum report_severity; NULL ends it */

/* A place for one more line of `size` bytes, zeroed; NULL: memory ran out. */
void *lines_add(struct lines *lines, size_t size);

/*
 * The lines as an array of one type, and its end: `for (each_line(finding_line, line, &lines))`.
 */
#define LINES(type_, lines_) ((struct type_ *)(lines_)->at)
#define each_line(type_, line_, lines_)                                                            \
    struct type_ *line_ = LINES(type_, lines_);                                                    \
    (line_) && (line_) < LINES(type_, lines_) + (lines_)->count;                                   \
    (line_)++

/* Saturating. Both are 0 or more. */
int64_t count_add(int64_t a, int64_t b);

/* Brings all lists into the order above and cuts those that are cut. */
void report_order(struct report *report);

/* How many outcomes were exercised. */
size_t report_exercised(const struct report *report);

/* Whether this is what `fail_on` names. */
bool fails_outcome(const struct report_fail_on *fail_on, const struct outcome_line *outcome);
bool fails_finding(const struct report_fail_on *fail_on, const struct finding_line *finding);

/* Why it fails for want of requests; NULL: there were some. */
const char *report_emptiness(const struct report *report);

/* Appends at most `most` characters of a text, on one line and safe for a terminal. */
void put_plain(struct buf *out, const char *text, size_t most);

/* "1 request", "2 requests". */
void put_counted(struct buf *out, int64_t count, const char *one, const char *many);

/* Whether it was sent more often than it made something: where several workspaces had it once each,
 * nothing was sent again. */
bool is_sent_again(const struct request_id_line *item);

/* An outcome's name without its operation. */
const char *outcome_short(const struct outcome_line *outcome);

/* The end of the outcomes of one operation that begin at `from`. */
size_t outcome_group(const struct lines *outcomes, size_t from);

/* "3 of 140 outcomes exercised (2 %)". */
void put_coverage(struct buf *out, const struct report *report);

#endif
