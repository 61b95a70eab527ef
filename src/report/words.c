/* What the forms for people share, and the choice between all forms. */
#include "report/internal.h"

#include "base/escape.h"

#include <string.h>

enum { PIECE_SIZE = 16 /* escape_text()'s least, for one character */ };

void put_plain(struct buf *out, const char *text, size_t most)
{
    size_t len = strlen(text), used;
    for (size_t i = 0, count = 0; i < len; i += used, count++) {
        char piece[PIECE_SIZE];
        used = escape_utf8_length(text + i, len - i);
        used = used ? used : 1;
        if (count == most) {
            buf_puts(out, "…");
            return;
        }
        buf_append(out, piece, escape_text(ESCAPE_PLAIN, text + i, used, piece, sizeof piece));
    }
}

void put_counted(struct buf *out, int64_t count, const char *one, const char *many)
{
    buf_int(out, count);
    buf_printf(out, " %s", count == 1 ? one : many);
}

void put_coverage(struct buf *out, const struct report *report)
{
    size_t exercised = report_exercised(report), of = report->outcomes.count;
    buf_printf(out, "%zu of %zu outcomes exercised", exercised, of);
    if (of)
        buf_printf(out, " (%zu %%)", exercised * 100 / of);
}

bool is_sent_again(const struct request_id_line *item)
{
    return item->other_bodies || (item->sent > 1 && item->sent > item->made);
}

const char *outcome_short(const struct outcome_line *outcome)
{
    size_t len = strlen(outcome->operation);
    bool has_lead = strncmp(outcome->id, outcome->operation, len) == 0 && outcome->id[len] == ':';
    return outcome->id + (has_lead ? len + 1 : 0);
}

size_t outcome_group(const struct lines *outcomes, size_t from)
{
    const struct outcome_line *all = outcomes->at;
    size_t end = from;
    while (end < outcomes->count && strcmp(all[end].operation, all[from].operation) == 0)
        end++;
    return end;
}

void report_write(const struct report *report, enum report_format format,
                  const struct report_fail_on *fail_on, struct buf *out)
{
    switch (format) {
    case REPORT_TEXT:
        report_text(report, out);
        return;
    case REPORT_JSON:
        report_json(report, out);
        return;
    case REPORT_MARKDOWN:
        report_markdown(report, out);
        return;
    case REPORT_JUNIT:
        report_junit(report, fail_on, out);
        return;
    }
}
