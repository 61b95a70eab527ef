/* What makes a report fail: no request at all, and what --fail-on names. */
#include "report/internal.h"

#include "base/cleanup.h"
#include "base/complaint.h"
#include "base/nearest.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum { SHOWN_MAX = 200, WORD_MAX = 16 };

#define UNCOVERED "uncovered"

/* -- what is asked for ------------------------------------------------------------------------- */

void report_fail_on_finish(struct report_fail_on *fail_on)
{
    for (size_t i = 0; i < fail_on->pattern_count; i++)
        free(fail_on->patterns[i]);
    free(fail_on->patterns);
    *fail_on = REPORT_FAIL_ON_NOTHING;
}

static int add_pattern(struct report_fail_on *fail_on, const char *text, size_t len,
                       struct err *err)
{
    char **all = reallocarray(fail_on->patterns, fail_on->pattern_count + 1, sizeof *all);
    if (all)
        fail_on->patterns = all;
    char *copy = all ? strndup(text, len) : NULL;
    if (!copy)
        return err_set(err, ERR_NO_MEMORY, "out of memory");
    all[fail_on->pattern_count++] = copy;
    return 0;
}

static int refuse_word(const char *word, struct err *err)
{
    static const char *const words[] = {"error", "warning", "info", UNCOVERED, NULL};
    cleanup(buf_finish) struct buf text = BUF_INIT;
    if (!*word)
        return err_set(err, ERR_INVALID, "has an empty word: separate words by one comma");
    complain_quote(&text, word);
    buf_puts(&text, " is nothing that can fail: ");
    if (nearest_name(word, words))
        complain_names(&text, word, words);
    else
        buf_puts(&text, "error, warning, info, uncovered or uncovered=OUTCOME");
    return buf_failed(&text) ? err_set(err, ERR_NO_MEMORY, "out of memory")
                             : err_set(err, ERR_INVALID, "%s", text.data);
}

static int add_word(struct report_fail_on *fail_on, const char *text, size_t len, struct err *err)
{
    char word[WORD_MAX * 4] = "";
    size_t lead = strlen(UNCOVERED);
    memcpy(word, text, len < sizeof word ? len : sizeof word - 1);
    for (int i = REPORT_ERROR; severity_names[i]; i++)
        if (strcmp(word, severity_names[i]) == 0) {
            if (fail_on && (fail_on->severity == REPORT_NONE || (int)fail_on->severity < i))
                fail_on->severity = (enum report_severity)i;
            return 0;
        }
    if (strcmp(word, UNCOVERED) == 0) {
        if (fail_on)
            fail_on->uncovered = true;
        return 0;
    }
    if (len > lead + 1 && strncmp(text, UNCOVERED "=", lead + 1) == 0)
        return fail_on ? add_pattern(fail_on, text + lead + 1, len - lead - 1, err) : 0;
    if (strcmp(word, UNCOVERED "=") == 0)
        return err_set(err, ERR_INVALID, "names no outcome after \"" UNCOVERED "=\"");
    return refuse_word(word, err);
}

int report_fail_on_add(struct report_fail_on *fail_on, const char *text, struct err *err)
{
    for (;; text++) {
        size_t len = strcspn(text, ",");
        int status = add_word(fail_on, text, len, err);
        text += len;
        if (status < 0 || !*text)
            return status;
    }
}

/* -- whether it is there ----------------------------------------------------------------------- */

/* Whether an outcome has this name, or one that begins so before a ":". */
static bool is_named(const struct outcome_line *outcome, const char *pattern)
{
    size_t len = strlen(pattern);
    return strncmp(outcome->id, pattern, len) == 0 &&
           (!outcome->id[len] || outcome->id[len] == ':');
}

bool fails_outcome(const struct report_fail_on *fail_on, const struct outcome_line *outcome)
{
    if (!fail_on || outcome->count)
        return false;
    bool fails = fail_on->uncovered;
    for (size_t i = 0; i < fail_on->pattern_count && !fails; i++)
        fails = is_named(outcome, fail_on->patterns[i]);
    return fails;
}

bool fails_finding(const struct report_fail_on *fail_on, const struct finding_line *finding)
{
    return fail_on && fail_on->severity != REPORT_NONE && finding->count &&
           finding->severity <= fail_on->severity;
}

const char *report_emptiness(const struct report *report)
{
    if (report->total)
        return NULL;
    return report->unattributed ? "no request reached a workspace: all came with an unknown key, "
                                  "or with none"
                                : "no request was seen at all";
}

/* The nearest of all outcomes and of what they begin with; NULL: none is near. To be freed. */
static char *find_near(const struct report *report, const char *pattern)
{
    char *near = NULL;
    size_t least = SIZE_MAX;
    for (each_line(outcome_line, outcome, &report->outcomes))
        for (size_t len = 0; outcome->id[len]; len += outcome->id[len] == ':') {
            len += strcspn(outcome->id + len, ":");
            char *name = strndup(outcome->id, len);
            size_t distance = name ? nearest_distance(pattern, name) : SIZE_MAX;
            if (distance < least && nearest_is_near(pattern, name)) {
                least = distance;
                free(near);
                near = name;
            } else {
                free(name);
            }
        }
    return near;
}

static void free_text(char **text)
{
    free(*text);
}

static int refuse_pattern(const struct report *report, const char *pattern, struct err *err)
{
    cleanup(buf_finish) struct buf text = BUF_INIT;
    cleanup(free_text) char *near = find_near(report, pattern);
    buf_puts(&text, "no report knows an outcome ");
    complain_quote(&text, pattern);
    buf_puts(&text, ": ");
    if (near) {
        buf_puts(&text, "did you mean ");
        complain_quote(&text, near);
        buf_putc(&text, '?');
    } else {
        buf_puts(&text, "GET /_mock/outcomes lists them");
    }
    return buf_failed(&text) ? err_set(err, ERR_NO_MEMORY, "out of memory")
                             : err_set(err, ERR_NOT_FOUND, "%s", text.data);
}

static int check_patterns(const struct report *report, const struct report_fail_on *fail_on,
                          struct err *err)
{
    for (size_t i = 0; i < fail_on->pattern_count; i++) {
        bool found = false;
        for (each_line(outcome_line, outcome, &report->outcomes))
            found = found || is_named(outcome, fail_on->patterns[i]);
        if (!found)
            return refuse_pattern(report, fail_on->patterns[i], err);
    }
    return 0;
}

int report_judge(const struct report *report, const struct report_fail_on *fail_on,
                 struct buf *lines, struct err *err)
{
    int failures = 0, status = check_patterns(report, fail_on, err);
    if (status < 0)
        return status;
    const char *emptiness = report_emptiness(report);
    if (emptiness) {
        buf_printf(lines, "%s\n", emptiness);
        failures++;
    }
    for (each_line(finding_line, finding, &report->findings))
        if (fails_finding(fail_on, finding)) {
            buf_printf(lines, "%s ", severity_names[finding->severity]);
            put_plain(lines, finding->id, SHOWN_MAX);
            buf_puts(lines, ", ");
            put_counted(lines, finding->count, "time", "times");
            buf_puts(lines, *finding->what ? ": " : "");
            put_plain(lines, finding->what, SHOWN_MAX);
            buf_putc(lines, '\n');
            failures++;
        }
    for (each_line(outcome_line, outcome, &report->outcomes))
        if (fails_outcome(fail_on, outcome)) {
            buf_puts(lines, "not exercised: ");
            put_plain(lines, outcome->id, SHOWN_MAX);
            buf_putc(lines, '\n');
            failures++;
        }
    return buf_failed(lines) ? err_set(err, ERR_NO_MEMORY, "out of memory") : failures;
}
