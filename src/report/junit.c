/*
 * A report as JUnit's XML, which every CI reads: a suite of one test case an outcome, and, where
 * something else fails, a suite of that. The counts are known before anything is written, so it
 * goes in two rounds over the same tests.
 */
#include "report/internal.h"

#include "base/escape.h"

#include <string.h>

struct suite {
    size_t tests, failures, skipped;
};

/* Whether XML 1.0 may have it, even as a reference: no control characters, no U+FFFE and U+FFFF. */
static bool is_allowed(const char *text, size_t len)
{
    unsigned char first = (unsigned char)*text;
    if (!len || (first < 0x20 && first != '\t' && first != '\n' && first != '\r'))
        return false;
    return !(len == 3 && first == 0xef && (unsigned char)text[1] == 0xbf &&
             (unsigned char)text[2] >= 0xbe);
}

/* What ends an attribute, and white space that a parser would make blanks of. */
static const char *reference_of(char c)
{
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\t':
        return "&#9;";
    case '\n':
        return "&#10;";
    case '\r':
        return "&#13;";
    default:
        return NULL;
    }
}

/* Appends a text as it may stand in an attribute or an element. */
static void put_xml(struct buf *out, const char *text)
{
    size_t len = strlen(text), used;
    for (size_t i = 0; i < len; i += used) {
        size_t char_len = escape_utf8_length(text + i, len - i);
        const char *reference = reference_of(text[i]);
        used = char_len ? char_len : 1;
        if (reference)
            buf_puts(out, reference);
        else if (is_allowed(text + i, char_len))
            buf_append(out, text + i, used);
        else
            buf_puts(out, "\xef\xbf\xbd"); /* U+FFFD */
    }
}

static void put_attribute(struct buf *out, const char *name, const char *value)
{
    buf_printf(out, " %s=\"", name);
    put_xml(out, value);
    buf_putc(out, '"');
}

static void put_case(struct buf *out, const char *class_name, const char *name)
{
    buf_puts(out, "    <testcase");
    put_attribute(out, "classname", class_name);
    put_attribute(out, "name", name);
    buf_puts(out, " time=\"0\"");
}

static void put_counts(struct buf *out, const struct suite *suite)
{
    buf_printf(out, " tests=\"%zu\" failures=\"%zu\" errors=\"0\" skipped=\"%zu\" time=\"0\"",
               suite->tests, suite->failures, suite->skipped);
}

static void start_suite(struct buf *out, const char *name, const struct suite *suite,
                        const struct report *report)
{
    char at[TIME_TEXT_SIZE];
    time_format_seconds(report->generated_at, at);
    at[strcspn(at, "Z")] = '\0'; /* the schema has it without */
    buf_puts(out, "  <testsuite");
    put_attribute(out, "name", name);
    put_counts(out, suite);
    put_attribute(out, "timestamp", at);
    buf_puts(out, ">\n");
}

static struct suite count_outcomes(const struct report *report,
                                   const struct report_fail_on *fail_on)
{
    struct suite suite = {.tests = report->outcomes.count};
    for (each_line(outcome_line, outcome, &report->outcomes)) {
        bool fails = fails_outcome(fail_on, outcome);
        suite.failures += fails;
        suite.skipped += !fails && !outcome->count;
    }
    return suite;
}

/* The other failures: each is a test case. */
static struct suite count_others(const struct report *report, const struct report_fail_on *fail_on)
{
    struct suite suite = {.tests = fail_on && report_emptiness(report)};
    for (each_line(finding_line, finding, &report->findings))
        suite.tests += fails_finding(fail_on, finding);
    suite.failures = suite.tests;
    return suite;
}

static void put_outcome(struct buf *out, const struct outcome_line *outcome, bool fails)
{
    put_case(out, outcome->operation, outcome->id);
    if (outcome->count)
        buf_puts(out, "/>\n");
    else if (!fails)
        buf_puts(out, ">\n      <skipped message=\"not exercised\"/>\n    </testcase>\n");
    else {
        buf_puts(out, ">\n      <failure message=\"not exercised\" type=\"uncovered\">");
        put_xml(out, outcome->summary);
        buf_puts(out, "</failure>\n    </testcase>\n");
    }
}

static void put_finding(struct buf *out, const struct finding_line *finding)
{
    put_case(out, severity_names[finding->severity], finding->id);
    buf_puts(out, ">\n      <failure");
    put_attribute(out, "message", *finding->what ? finding->what : finding->id);
    put_attribute(out, "type", severity_names[finding->severity]);
    buf_putc(out, '>');
    put_counted(out, finding->count, "time", "times");
    buf_puts(out, *finding->why ? ". " : "");
    put_xml(out, finding->why);
    for (size_t i = 0; i < finding->example_count; i++) {
        buf_putc(out, '\n');
        put_xml(out, finding->examples[i]);
    }
    buf_puts(out, "</failure>\n    </testcase>\n");
}

static void put_others(struct buf *out, const struct report *report,
                       const struct report_fail_on *fail_on, const struct suite *suite)
{
    const char *emptiness = fail_on ? report_emptiness(report) : NULL;
    start_suite(out, "findings", suite, report);
    if (emptiness) {
        put_case(out, "requests", "any request");
        buf_puts(out, ">\n      <failure");
        put_attribute(out, "message", emptiness);
        buf_puts(out, " type=\"requests\"/>\n    </testcase>\n");
    }
    for (each_line(finding_line, finding, &report->findings))
        if (fails_finding(fail_on, finding))
            put_finding(out, finding);
    buf_puts(out, "  </testsuite>\n");
}

void report_junit(const struct report *report, const struct report_fail_on *fail_on,
                  struct buf *out)
{
    struct suite outcomes = count_outcomes(report, fail_on);
    struct suite others = count_others(report, fail_on);
    struct suite all = {.tests = outcomes.tests + others.tests,
                        .failures = outcomes.failures + others.failures,
                        .skipped = outcomes.skipped};
    buf_puts(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"understudy\"");
    put_counts(out, &all);
    buf_puts(out, ">\n");
    start_suite(out, "outcomes", &outcomes, report);
    for (each_line(outcome_line, outcome, &report->outcomes))
        put_outcome(out, outcome, fails_outcome(fail_on, outcome));
    buf_puts(out, "  </testsuite>\n");
    if (others.tests)
        put_others(out, report, fail_on, &others);
    buf_puts(out, "</testsuites>\n");
}
