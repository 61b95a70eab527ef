/*
 * Reports: what a client under test made a server do. A server writes one as JSON
 * (GET /_mock/report, --report FILE); shards of a test run each have one, and together they are
 * merged into one more. Here they are read, merged, judged and written for people and for CI.
 *
 * The document, of version 1; what a reader does not know, it leaves alone:
 *
 *     {"understudy": "0.1.0", "version": 1, "generated_at": "2026-01-02T03:04:05.678Z",
 *      "runs": ["ci-42"], "workspaces": 3,
 *      "requests": {"total": 40,           of the workspaces that it tells of
 *                   "unattributed": 2},    beside them: of no workspace
 *      "covered": {"exercised": 7, "of": 140},   left alone when read: it follows from outcomes
 *      "outcomes": [{"id", "operation", "status", "basis": ["P", "A"], "summary", "count"}],
 *      "unlisted": [{"operation": text or null, "status": number or null, "count"}],
 *      "findings": [{"id", "severity": "error", "warning" or "info", "what", "why", "count",
 *                    "examples": [text]}],
 *      "request_ids": {"total", "repeated", "reused", "left_out",
 *                      "items": [{"operation", "request_id", "sent", "made", "known", "failed",
 *                                 "other_bodies"}]},
 *      "polling": {"jobs", "polls", "after_end", "left_out",
 *                  "items": [{"job", "polls", "after_end", "shortest": "12ms" or null,
 *                             "ended": bool}]}}
 *
 * All functions are pure; any thread, each report belonging to one at a time.
 */
#ifndef UNDERSTUDY_REPORT_REPORT_H
#define UNDERSTUDY_REPORT_REPORT_H

#include "base/buf.h"
#include "base/err.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

enum {
    REPORT_VERSION = 1,
    REPORT_ITEMS_MAX = 1000, /* of request_ids and of jobs; what is beyond is counted in left_out */
    REPORT_EXAMPLES_MAX = 3, /* of a finding */
    REPORT_MAX_MIB = 256,    /* of a document as it is read */
    /* Of whatever else a document lists: more than there are of most, and few enough to be looked
       through. Runs beyond it are not named. */
    REPORT_LISTED_MAX = 10000,
};

struct report;

/*
 * Reads a document, from its text (`len` bytes and a NUL) or as it was parsed. On success the
 * caller owns the report, for report_destroy(), which accepts NULL and returns NULL; it borrows
 * nothing from the document. ERR_INVALID with what is wrong in words that read on after the
 * document's name ("line 7: outcomes[3].count must be a whole number, 0 or more"), safe to show;
 * ERR_NO_MEMORY.
 */
int report_parse(const char *text, size_t len, struct report **ret_report, struct err *err);
int report_read(const json_t *document, struct report **ret_report, struct err *err);
struct report *report_destroy(struct report *report);

/*
 * Adds what `from` tells to `io_into`, as if one server had done both: counts are summed, and stay
 * at INT64_MAX where they would pass it; runs and outcomes are united; items are joined, those
 * of one name too, and cut at REPORT_ITEMS_MAX; the version of the server and generated_at are
 * those of the newer one. 0 or ERR_NO_MEMORY, after which `io_into` is good for report_destroy()
 * alone.
 */
int report_merge(struct report *io_into, const struct report *from);

/* -- what makes it fail ------------------------------------------------------------------------ */

enum report_severity { REPORT_ERROR, REPORT_WARNING, REPORT_INFO, REPORT_NONE };

/* What fails beside no request at all; see report_fail_on_add(). */
struct report_fail_on {
    enum report_severity severity; /* findings of this one and of worse; REPORT_NONE: none */
    bool uncovered;                /* any outcome that was not exercised */
    char **patterns;               /* those of these names, or whose names begin so before a ":" */
    size_t pattern_count;
};

#define REPORT_FAIL_ON_NOTHING ((struct report_fail_on){.severity = REPORT_NONE})
void report_fail_on_finish(struct report_fail_on *fail_on);

/*
 * Adds what `text` names: error, warning, info, uncovered or uncovered=PATTERN, several of them
 * separated by commas. `io_fail_on` may be NULL, to check the text alone. ERR_INVALID with a text
 * that reads on after the value; ERR_NO_MEMORY. Which outcomes there are is report_judge()'s to
 * know.
 */
int report_fail_on_add(struct report_fail_on *io_fail_on, const char *text, struct err *err);

/*
 * Appends a line for each failure to `io_lines`, safe to show, and counts them: the return value.
 * ERR_NOT_FOUND: an outcome is named that the report does not know, `err` says which and what is
 * likely meant; ERR_NO_MEMORY.
 */
int report_judge(const struct report *report, const struct report_fail_on *fail_on,
                 struct buf *io_lines, struct err *err);

/* -- writing ----------------------------------------------------------------------------------- */

enum report_format { REPORT_TEXT, REPORT_JSON, REPORT_MARKDOWN, REPORT_JUNIT };

/* The names that formats are asked for by, in the order of enum report_format; NULL ends them. */
extern const char *const report_format_names[];

/* The format that a file's name ends in (.txt, .json, .md, .xml); -1: it ends in none of these. */
int report_format_of_file(const char *path);

/*
 * Append a report. JSON is the document above, which report_parse() reads; Markdown is meant for
 * the summary page of a CI job; the text, for a terminal. JUnit has one test case an outcome:
 * skipped where it was not exercised. With `fail_on`, what it names fails in there, and other
 * failures have test cases of their own; it may be NULL. When memory runs out, buf_failed().
 */
void report_json(const struct report *report, struct buf *out);
void report_text(const struct report *report, struct buf *out);
void report_markdown(const struct report *report, struct buf *out);
void report_junit(const struct report *report, const struct report_fail_on *fail_on,
                  struct buf *out);

/* Any of them. */
void report_write(const struct report *report, enum report_format format,
                  const struct report_fail_on *fail_on, struct buf *out);

#endif
