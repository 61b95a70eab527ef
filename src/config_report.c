#include "config_report.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sysexits.h>

#include "base/cleanup.h"
#include "base/option.h"
#include "base/url.h"
#include "base/utf8.h"
#include "config_value.h"

#define TOKEN_VARIABLE "UNDERSTUDY_CONTROL_TOKEN"

/* -- values ------------------------------------------------------------------------------------ */

static int set_text(const char *text, char **ret_copy, struct err *err)
{
    char *copy = strdup(text);
    if (!copy)
        return err_set(err, ERR_NO_MEMORY, "out of memory");
    free(*ret_copy);
    *ret_copy = copy;
    return 0;
}

/* A workspace's own key tells of that workspace (C7). */
static int parse_token(const char *text, void *target, struct err *err)
{
    struct report_config *config = target;
    bool is_key = strncmp(text, CONFIG_KEY_PREFIX, strlen(CONFIG_KEY_PREFIX)) == 0;
    int status = is_key ? config_parse_api_key(text, NULL, err)
                        : config_parse_control_token(text, NULL, err);
    if (is_key && status == 0 && strlen(text) != CONFIG_KEY_LENGTH)
        return err_set(err, ERR_INVALID, "a key has %d characters", CONFIG_KEY_LENGTH);
    return status < 0 || !config ? status : set_text(text, &config->control_token, err);
}

static int parse_run(const char *text, void *target, struct err *err)
{
    struct report_config *config = target;
    size_t len = strlen(text);
    if (!len || len > REPORT_RUN_MAX || utf8_span(text, len) != len)
        return err_set(err, ERR_INVALID, "a run's label has 1 to %d bytes of UTF-8",
                       REPORT_RUN_MAX);
    return config ? set_text(text, &config->run, err) : 0;
}

static int parse_output(const char *text, void *target, struct err *err)
{
    struct report_config *config = target;
    if (!*text)
        return err_set(err, ERR_INVALID, "must be a file's name");
    return config ? set_text(text, &config->output, err) : 0;
}

static int parse_fail_on(const char *text, void *target, struct err *err)
{
    struct report_config *config = target;
    return report_fail_on_add(config ? &config->fail_on : NULL, text, err);
}

/* -- the table --------------------------------------------------------------------------------- */

static const struct option_spec specs[] = {
    {.name = "control-token",
     .group = "Where reports come from",
     .argument = "TOKEN",
     .type = OPTION_PARSED,
     .secret = true,
     .parse = parse_token,
     .help = "Send this to the servers as Authorization: Bearer: their control token, or a "
             "workspace's key. Also the environment variable " TOKEN_VARIABLE "."},
    {.name = "run",
     .argument = "RUN",
     .type = OPTION_PARSED,
     .parse = parse_run,
     .help = "Ask the servers for the workspaces with this label alone."},

    {.name = "format",
     .group = "What is written",
     .argument = "text|json|md|junit",
     .type = OPTION_CHOICE,
     .choices = report_format_names,
     .offset = offsetof(struct report_config, format),
     .fallback_help = "what --output ends in (.txt, .json, .md, .xml), else text",
     .help = "A text for a terminal, a document to be merged again, Markdown for a CI summary, or "
             "JUnit's XML with a test case an outcome."},
    {.name = "output",
     .argument = "FILE",
     .type = OPTION_PARSED,
     .parse = parse_output,
     .fallback_help = "standard output",
     .help = "Write it here, whole or not at all."},

    {.name = "fail-on",
     .group = "What fails",
     .argument = "WHAT[,WHAT]...",
     .type = OPTION_PARSED,
     .repeatable = true,
     .parse = parse_fail_on,
     .help = "error, warning or info: any finding of that severity or worse; uncovered: any "
             "outcome that was not exercised; uncovered=OUTCOME: one of that name, or of a name "
             "that begins so before a colon, as createScenarioJob:429 or createScenarioJob."},

    {.name = "help",
     .letter = 'h',
     .group = "Other",
     .type = OPTION_ACTION,
     .help = "Print this, then exit."},
};

static const struct option_table table = {
    .program = "understudy report",
    .prefix = "UNDERSTUDY",
    .secret_prefix = CONFIG_KEY_PREFIX,
    .usage = "understudy report URL|FILE... [OPTION]...\n"
             "\n"
             "Merges the reports of servers (http://localhost:3000, with /w/WORKSPACE of that\n"
             "workspace alone) and of files that --report or --format json wrote, and says\n"
             "what the client under test did, and whether that will do.",
    .epilogue = "Redirects and proxies are not used.\n"
                "\n"
                "Exit codes: 0 fine, 1 failed (no request at all always does), 64 usage, 65 no\n"
                "report, 66 no such file, 69 a server cannot be reached, 73 and 74 the output\n"
                "cannot be written, 77 a server refuses.\n",
    .specs = specs,
    .count = sizeof specs / sizeof *specs,
};

/* -- sources ----------------------------------------------------------------------------------- */

bool report_source_is_url(const char *source)
{
    return strncasecmp(source, "http://", 7) == 0 || strncasecmp(source, "https://", 8) == 0;
}

/* Names the argument, unless there may be a secret in it. */
static void refuse_source(struct option_set *set, const char *source, const char *words)
{
    cleanup(buf_finish) struct buf line = BUF_INIT;
    if (strpbrk(source, "@?#"))
        buf_puts(&line, "a URL");
    else
        option_quote(&table, &line, source);
    buf_printf(&line, " %s", words);
    if (buf_failed(&line))
        set->no_memory = true;
    else
        option_usage_mistake(set, "%s", line.data);
}

static void check_source(struct option_set *set, const char *source)
{
    if (!*source)
        option_usage_mistake(set, "an argument is empty: give a server's URL or a report's file");
    else if (report_source_is_url(source) && !url_is_base(source))
        refuse_source(set, source,
                      "must be http(s)://HOST[:PORT][/w/WORKSPACE], without user info, query and "
                      "fragment");
    else if (!report_source_is_url(source) && strstr(source, "://"))
        refuse_source(set, source, "is neither a file nor a URL of http or https");
}

static void check_sources(struct option_set *set)
{
    bool any_url = false;
    if (!set->operand_count)
        option_usage_mistake(set, "give the URL of a server, or the file of a report");
    for (size_t i = 0; i < set->operand_count; i++) {
        const char *source = set->operands[i];
        size_t first = 0;
        while (strcmp(set->operands[first], source) != 0)
            first++;
        if (first < i)
            refuse_source(set, source, "is given twice: it would count twice");
        else
            check_source(set, source);
        any_url = any_url || report_source_is_url(source);
    }
    if (set->operand_count && !any_url && option_text(set, "run"))
        option_usage_mistake(set, "--run is what servers are asked for: a file is as it is");
}

/* -- all together ------------------------------------------------------------------------------ */

/* Of the environment, the token alone is read: the rest is the server's. */
static void read_environment(struct option_set *set, char *const envp[])
{
    size_t len = strlen(TOKEN_VARIABLE "=");
    for (; *envp; envp++)
        if (strncmp(*envp, TOKEN_VARIABLE "=", len) == 0) {
            char *const token[] = {*envp, NULL};
            if ((*envp)[len]) /* set to nothing, it is not set */
                option_read_environment(set, token);
            return;
        }
}

static enum config_verdict load(struct option_set *set, char *const envp[],
                                struct report_config *config, struct config_report *report)
{
    if (option_asked(set, "help")) {
        option_print_help(&table, &report->out);
        return CONFIG_EXIT;
    }
    read_environment(set, envp);
    check_sources(set);
    option_apply(set, config);
    if (option_set_ok(set))
        return CONFIG_RUN;
    if (set->mistakes.len)
        buf_append(&report->errors, set->mistakes.data, set->mistakes.len);
    if (set->no_memory)
        buf_printf(&report->errors, "%s: out of memory\n", table.program);
    report->exit_code = set->no_memory ? EX_OSERR : EX_USAGE;
    return CONFIG_EXIT;
}

enum config_verdict report_config_load(int argc, char **argv, char *const envp[],
                                       struct report_config *ret_config,
                                       struct config_report *ret_report)
{
    cleanup(option_set_finish) struct option_set set;
    cleanup(report_config_finish) struct report_config config = {.format = -1,
                                                                 .fail_on = REPORT_FAIL_ON_NOTHING};

    *ret_report = (struct config_report){.exit_code = EX_OK};
    option_set_init(&set, &table);
    option_read_command(&set, argc, argv);
    enum config_verdict verdict = load(&set, envp, &config, ret_report);
    if (buf_failed(&ret_report->out) || buf_failed(&ret_report->errors)) {
        ret_report->exit_code = EX_OSERR;
        return CONFIG_EXIT;
    }
    if (verdict == CONFIG_RUN) {
        config.sources = set.operands;
        config.source_count = set.operand_count;
        set.operands = NULL; /* handed over */
        if (config.format < 0 && config.output)
            config.format = report_format_of_file(config.output);
        if (config.format < 0)
            config.format = REPORT_TEXT;
        *ret_config = config;
        config = (struct report_config){.fail_on = REPORT_FAIL_ON_NOTHING};
    }
    return verdict;
}

void report_config_finish(struct report_config *config)
{
    if (config->control_token)
        explicit_bzero(config->control_token, strlen(config->control_token));
    free(config->sources);
    free(config->control_token);
    free(config->run);
    free(config->output);
    report_fail_on_finish(&config->fail_on);
    *config = (struct report_config){.fail_on = REPORT_FAIL_ON_NOTHING};
}
