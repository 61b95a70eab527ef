/*
 * regexec() looks for a match from each character on, so that "[a-z]+@" takes a second and more to
 * be missed in a word of 10,000 letters. "^.*([a-z]+@)" says the same and is looked for once, in
 * time that grows with the text alone. What it then costs depends on how many states the automaton
 * has, hence the bound on what an expression may grow to when its repetitions are written out, and
 * none of the back references that make it more than an automaton.
 *
 * The automaton is built as texts need it and kept with the compiled expression, so that it grows
 * with the texts. It is compiled anew before that becomes much.
 */
#include "base/pattern.h"

#include <locale.h>
#include <pthread.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    FED_MAX = 32 * 1024, /* bytes of text that one compilation is used for */
    DEPTH_MAX = 64,      /* of groups */
};

struct pattern {
    pthread_mutex_t lock;
    regex_t compiled;
    size_t fed;
    char expression[PATTERN_MAX + 8]; /* with ^.*( ) around it */
};

/* -- characters -------------------------------------------------------------------------------- */

static locale_t utf8;

static void make_locale(void)
{
    utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
}

/* The thread's locale while it compiles or matches; where the system has no such locale, a dot is
 * a byte. */
static locale_t enter_locale(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, make_locale);
    return utf8 ? uselocale(utf8) : (locale_t)0;
}

static void leave_locale(locale_t before)
{
    if (before)
        uselocale(before);
}

/* -- bounds ------------------------------------------------------------------------------------ */

/* Skips a bracket expression that begins at `at`; its end, or that of the text. */
static const char *skip_bracket(const char *at)
{
    at++;
    at += *at == '^';
    at += *at == ']';
    while (*at && *at != ']') {
        const char *end = NULL;
        if (*at == '[' && at[1] && strchr(".:=", at[1])) {
            const char close[] = {at[1], ']', '\0'};
            end = strstr(at + 2, close);
        }
        at = end ? end + 2 : at + 1;
    }
    return *at ? at + 1 : at;
}

/* How often a quantifier at *io_at writes its operand, and skips it; 0: there is none. */
static long read_quantifier(const char **io_at)
{
    const char *at = *io_at;
    long low = 0, high = 1;
    char *end = NULL;
    if (*at == '*' || *at == '?' || *at == '+') {
        *io_at = at + 1;
        return *at == '+' ? 2 : 1;
    }
    if (*at != '{')
        return 0;
    low = high = strtol(at + 1, &end, 10);
    if (*end == ',') {
        const char *bound = end + 1;
        high = strtol(bound, &end, 10);
        high = end == bound ? low + 1 : high;
    }
    *io_at = *end == '}' ? end + 1 : at + 1;
    if (low < 0 || high < 0 || low > PATTERN_NODES_MAX || high > PATTERN_NODES_MAX)
        return PATTERN_NODES_MAX + 1;
    return high > low ? (high ? high : 1) : (low ? low : 1);
}

/*
 * How many characters an expression is with its repetitions written out; more than
 * PATTERN_NODES_MAX where it is too many or too deep, -1 where it has a back reference. What is no
 * expression, regcomp() will say.
 */
static long count_nodes(const char *at)
{
    long sums[DEPTH_MAX] = {0};
    size_t depth = 0;
    while (*at) {
        long last = 1;
        if (*at == '(' && depth + 1 < DEPTH_MAX) {
            sums[++depth] = 1; /* the group itself */
            at++;
            continue;
        }
        if (*at == '(')
            return PATTERN_NODES_MAX + 1;
        if (*at == '\\' && at[1] >= '1' && at[1] <= '9')
            return -1;
        if (*at == ')' && depth)
            last = sums[depth--];
        at = *at == '[' ? skip_bracket(at) : at + (*at == '\\' && at[1] ? 2 : 1);
        for (long times; (times = read_quantifier(&at)) != 0;)
            if ((last *= times) > PATTERN_NODES_MAX)
                return last;
        if ((sums[depth] += last) > PATTERN_NODES_MAX)
            return sums[depth];
    }
    return sums[0];
}

static int check_bounds(const char *expression, struct err *err)
{
    if (strlen(expression) > PATTERN_MAX)
        return err_set(err, ERR_INVALID, "it has more than %d bytes", (int)PATTERN_MAX);
    long nodes = count_nodes(expression);
    if (nodes < 0)
        return err_set(err, ERR_INVALID, "back references (\\1 to \\9) are not taken");
    if (nodes > PATTERN_NODES_MAX)
        return err_set(err, ERR_INVALID,
                       "with its repetitions written out it has more than %d characters",
                       (int)PATTERN_NODES_MAX);
    return 0;
}

/* -- the pattern ------------------------------------------------------------------------------- */

static int compile(regex_t *compiled, const char *expression, struct err *err)
{
    char reason[120];
    locale_t before = enter_locale();
    int result = regcomp(compiled, expression, REG_EXTENDED | REG_NOSUB);
    leave_locale(before);
    if (result == 0)
        return 0;
    regerror(result, compiled, reason, sizeof reason);
    return err_set(err, result == REG_ESPACE ? ERR_NO_MEMORY : ERR_INVALID, "%s", reason);
}

int pattern_create(const char *expression, struct pattern **ret_pattern, struct err *err)
{
    regex_t alone;
    int status = check_bounds(expression, err);
    if (status == 0) /* by itself: "a)(b" would be right within others */
        status = compile(&alone, expression, err);
    if (status < 0)
        return status;
    regfree(&alone);
    struct pattern *pattern = calloc(1, sizeof *pattern);
    if (!pattern)
        return err_set(err, ERR_NO_MEMORY, "out of memory");
    snprintf(pattern->expression, sizeof pattern->expression, "^.*(%s)", expression);
    status = compile(&pattern->compiled, pattern->expression, err);
    if (status < 0) {
        free(pattern);
        return status;
    }
    pthread_mutex_init(&pattern->lock, NULL);
    *ret_pattern = pattern;
    return 0;
}

void pattern_destroy(struct pattern *pattern)
{
    if (!pattern)
        return;
    regfree(&pattern->compiled);
    pthread_mutex_destroy(&pattern->lock);
    free(pattern);
}

/* With the lock held: compiles it anew where it has grown; where that fails, it grows on. */
static void renew(struct pattern *pattern, size_t len)
{
    regex_t fresh;
    struct err err;
    if (pattern->fed && pattern->fed + len > FED_MAX &&
        compile(&fresh, pattern->expression, &err) == 0) {
        regfree(&pattern->compiled);
        pattern->compiled = fresh;
        pattern->fed = 0;
    }
    pattern->fed += len;
}

bool pattern_fits(struct pattern *pattern, const char *text)
{
    pthread_mutex_lock(&pattern->lock);
    renew(pattern, strlen(text));
    locale_t before = enter_locale();
    bool fits = regexec(&pattern->compiled, text, 0, NULL, 0) == 0;
    leave_locale(before);
    pthread_mutex_unlock(&pattern->lock);
    return fits;
}
