/* #mock lines: finding them, and reading their words by a table (engine/magic.h). */
#include "engine/magic_lines.h"

#include "base/duration.h"
#include "base/nearest.h"
#include "engine/generator.h"
#include "engine/magic.h"

#include <stdio.h>
#include <string.h>

static const char mark[] = "#mock";
static const char white[] = " \t\v\f"; /* what parts the words of a line */
static const char alphanumeric[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

enum {
    WORD_SIZE = 160,     /* the longest that is right, slug= and 119 characters, and a NUL */
    SHOWN_MAX = 40,      /* bytes of a word that is wrong, so that the reason follows soon */
    POLLS_MAX = 1000000, /* nobody asks more often, and it is far from the end of an int */
};

/* -- finding ----------------------------------------------------------------------------------- */

struct line {
    const char *at, *words, *end; /* its mark, what follows that, and its end */
};

static bool is_joined(char before)
{
    return strchr(alphanumeric, before) || strchr("_/#", before);
}

/* The first line at or after `at`, which is somewhere in `text`, whose NUL is at `end`. The length
 * is known throughout, so that a text of many marks is gone through once, whatever is in it. */
static bool next_line(const char *text, const char *end, const char *at, struct line *ret_line)
{
    for (; (at = memchr(at, *mark, (size_t)(end - at))); at++) {
        const char *words = at + sizeof mark - 1;
        if (words > end || memcmp(at, mark, sizeof mark - 1) != 0 ||
            (at > text && is_joined(at[-1])))
            continue;
        if (words == end || strchr(white, *words) || strchr("\r\n", *words)) {
            *ret_line = (struct line){at, words, words};
            while (ret_line->end < end && *ret_line->end != '\r' && *ret_line->end != '\n')
                ret_line->end++;
            return true;
        }
    }
    return false;
}

bool magic_has_line(const char *text)
{
    return next_line(text, text + strlen(text), text, &(struct line){0});
}

void magic_drop_lines(const char *text, struct buf *out)
{
    struct line line;
    const char *at = text, *end = text + strlen(text);
    while (next_line(text, end, at, &line)) {
        buf_append(out, at, (size_t)(line.at - at));
        at = line.end;
    }
    buf_append(out, at, (size_t)(end - at));
}

/* -- words ------------------------------------------------------------------------------------- */

/* One of a few values, by its place among them. */
static int take_choice(const char *value, const char *const *choices, int *ret_place,
                       struct err *err)
{
    for (int i = 0; choices[i]; i++)
        if (strcmp(value, choices[i]) == 0) {
            *ret_place = i;
            return 0;
        }
    const char *near = nearest_name(value, choices);
    return err_set(err, ERR_INVALID,
                   near ? "must be %s or %s: did you mean \"%s\"?" : "must be %s or %s", choices[0],
                   choices[1], near);
}

static int take_end(const char *value, struct plan *plan, struct err *err)
{
    static const char *const ends[] = {"completed", "failed", NULL};
    int place = 0;
    int status = take_choice(value, ends, &place, err);
    if (status < 0)
        return status;
    plan->end = place == 0 ? PLAN_COMPLETED : PLAN_FAILED;
    if (plan->end == PLAN_COMPLETED)
        *plan->error_code = '\0';
    return 0;
}

static int take_error(const char *value, struct plan *plan, struct err *err)
{
    size_t len = strlen(value), letters = 0;
    while (value[letters] &&
           (strchr(alphanumeric, value[letters]) || strchr("_.-", value[letters])))
        letters++;
    if (!len || len >= sizeof plan->error_code || letters < len)
        return err_set(err, ERR_INVALID, "must be a code of 1 to %zu letters, digits, _, - and .",
                       sizeof plan->error_code - 1);
    memcpy(plan->error_code, value, len + 1);
    plan->end = PLAN_FAILED;
    return 0;
}

static int take_queued(const char *value, struct plan *plan, struct err *err)
{
    return duration_parse(value, &plan->queued, err);
}

static int take_processing(const char *value, struct plan *plan, struct err *err)
{
    return duration_parse(value, &plan->processing, err);
}

static int take_polls(const char *value, int *polls, struct err *err)
{
    int64_t number;
    if (number_parse(value, &number, NULL) < 0 || number > POLLS_MAX)
        return err_set(err, ERR_INVALID, "must be a whole number from 0 to %d", POLLS_MAX);
    *polls = (int)number;
    return 0;
}

static int take_polls_queued(const char *value, struct plan *plan, struct err *err)
{
    return take_polls(value, &plan->polls_queued, err);
}

static int take_polls_processing(const char *value, struct plan *plan, struct err *err)
{
    return take_polls(value, &plan->polls_processing, err);
}

static int take_hold(const char *value, struct plan *plan, struct err *err)
{
    static const char *const states[] = {"queued", "processing", NULL};
    int place = 0;
    int status = take_choice(value, states, &place, err);
    if (status == 0)
        plan->hold_at = place == 0 ? JOB_QUEUED : JOB_PROCESSING;
    return status;
}

static int take_slug(const char *value, struct plan *plan, struct err *err)
{
    size_t len = strlen(value);
    if (!len || len >= GENERATOR_SLUG_SIZE || *value == '-' || value[len - 1] == '-' ||
        strspn(value, "abcdefghijklmnopqrstuvwxyz0123456789-") < len)
        return err_set(err, ERR_INVALID,
                       "must be 1 to %d lower-case letters, digits and -, neither first nor last "
                       "a -",
                       GENERATOR_SLUG_SIZE - 1);
    memcpy(plan->scenario_slug, value, len + 1);
    return 0;
}

static const char *const names[] = {"end",        "error",        "queued",
                                    "processing", "polls_queued", "polls_processing",
                                    "hold",       "slug",         NULL};
static const char usage[] = "end=completed|failed, error=CODE, queued=1s, processing=40s, "
                            "polls_queued=2, polls_processing=3, hold=queued|processing, "
                            "slug=SLUG";

/* In the order of `names`. */
static int (*const takers[])(const char *value, struct plan *plan, struct err *err) = {
    take_end,  take_error, take_queued, take_processing, take_polls_queued, take_polls_processing,
    take_hold, take_slug,
};

/* Cuts a word that is shown at a character's end. */
static void cut(char word[WORD_SIZE])
{
    size_t len = SHOWN_MAX;
    if (strlen(word) <= SHOWN_MAX)
        return;
    while (len && ((unsigned char)word[len] & 0xc0) == 0x80) /* within a character */
        len--;
    snprintf(word + len, WORD_SIZE - len, "…");
}

static int refuse_unknown(char word[WORD_SIZE], const char *name, struct err *err)
{
    const char *near = nearest_name(name, names);
    cut(word);
    if (near)
        return err_set(err, ERR_INVALID,
                       "has the unknown #mock word \"%s\": did you mean \"%s\"? Known are %s", word,
                       near, usage);
    return err_set(err, ERR_INVALID, "has the unknown #mock word \"%s\". Known are %s", word,
                   usage);
}

/* Reads one word, which is longer than `word` where that is full. */
static int read_word(char word[WORD_SIZE], struct plan *plan, struct err *err)
{
    char name[WORD_SIZE];
    struct err reason;
    size_t len = strcspn(word, "=");
    snprintf(name, sizeof name, "%.*s", (int)len, word);
    for (size_t i = 0; names[i]; i++) {
        if (strcmp(name, names[i]) != 0)
            continue;
        int status = takers[i](word[len] ? word + len + 1 : "", plan, &reason);
        if (status == 0)
            return 0;
        cut(word);
        return err_set(err, status, "has the #mock word \"%s\", whose value %s", word, reason.text);
    }
    return refuse_unknown(word, name, err);
}

static int read_line(const struct line *line, struct plan *plan, struct err *err)
{
    char word[WORD_SIZE];
    for (const char *at = line->words;;) {
        while (at < line->end && strchr(white, *at))
            at++;
        const char *end = at;
        while (end < line->end && !strchr(white, *end))
            end++;
        if (end == at)
            return 0;
        snprintf(word, sizeof word, "%.*s", (int)(end - at < WORD_SIZE ? end - at : WORD_SIZE), at);
        int status = read_word(word, plan, err);
        if (status < 0)
            return status;
        at = end;
    }
}

int magic_read_lines(const char *text, struct plan *plan, struct err *err)
{
    struct plan said = *plan;
    struct line line;
    const char *end = text + strlen(text);
    for (const char *at = text; next_line(text, end, at, &line); at = line.end) {
        int status = read_line(&line, &said, err);
        if (status < 0)
            return status;
    }
    *plan = said;
    return 0;
}
