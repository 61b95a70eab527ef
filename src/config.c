#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/address.h"
#include "base/cleanup.h"
#include "base/duration.h"
#include "base/nearest.h"
#include "base/option.h"
#include "config_value.h"
#include "engine/reach.h"

/* In the order of enum config_durability, enum config_control, enum log_level and enum log_format.
 */
static const char *const durabilities[] = {"power", "process", NULL};
static const char *const journals[] = {"off", "on", NULL}; /* a truth value */
static const char *const controls[] = {"local", "open", NULL};
static const char *const log_levels[] = {"error", "warn", "info", "debug", NULL};
static const char *const log_formats[] = {"text", "json", NULL};

/* Bounds that keep a slip of the fingers from taking the machine down. */
#define MAX_BODY_MAX        (INT64_C(64) << 20) /* a body is held in memory, whole */
#define JOURNAL_MEMORY_MAX  (INT64_C(64) << 30)
#define MAX_CONNECTIONS_MAX 1000000
#define MAX_PROCESSING_MAX  1000000
#define THREADS_MAX         1024

#define PLACE(field_)       .offset = offsetof(struct config, field_)

static const struct option_spec specs[] = {
    {.name = "listen",
     .group = "Network",
     .argument = "ADDR:PORT",
     .type = OPTION_PARSED,
     .repeatable = true,
     .parse = config_parse_listen,
     .fallback = "127.0.0.1:3000 [::1]:3000",
     .fallback_help = "127.0.0.1:3000 and, where it exists, [::1]:3000",
     .help = "Listen here: an IPv4 address, an IPv6 address in brackets, or localhost; "
             "port 0 picks a free one."},
    {.name = "public-url",
     .argument = "URL",
     .type = OPTION_PARSED,
     .parse = config_parse_public_url,
     .fallback_help = "the Host of the request that made the object, else the listening address",
     .help = "Base of the url fields in answers."},
    {.name = "max-body",
     .argument = "SIZE",
     .type = OPTION_SIZE,
     PLACE(max_body),
     .min = 1,
     .max = MAX_BODY_MAX,
     .fallback = "1MiB",
     .help = "Longest request body, up to 64MiB."},
    {.name = "max-connections",
     .argument = "N",
     .type = OPTION_NUMBER,
     PLACE(max_connections),
     .min = 1,
     .max = MAX_CONNECTIONS_MAX,
     .fallback = "16384",
     .fallback_help = "16384, or what the limit of open files allows",
     .help = "Connections held at once."},
    {.name = "threads",
     .argument = "N",
     .type = OPTION_NUMBER,
     PLACE(threads),
     .min = 1,
     .max = THREADS_MAX,
     .fallback_help = "one per core",
     .help = "Threads that answer requests."},

    {.name = "db",
     .group = "Storage",
     .argument = "FILE",
     .type = OPTION_PARSED,
     .parse = config_parse_db,
     .fallback = "understudy.db",
     .help = "Keep everything in this file; :memory: keeps it in a private directory under TMPDIR "
             "that is gone at exit."},
    {.name = "durability",
     .argument = "power|process",
     .type = OPTION_CHOICE,
     PLACE(durability),
     .choices = durabilities,
     .fallback = "power",
     .help = "What an answered write survives: a power cut, or (faster) only the end of the "
             "process."},

    {.name = "api-key",
     .group = "Workspaces",
     .argument = "KEY[=WORKSPACE]",
     .type = OPTION_PARSED,
     .repeatable = true,
     .secret = true,
     .parse = config_parse_api_key,
     .help = "Accept this key for a workspace (id or slug; made where absent), or for the default "
             "one."},
    {.name = "member",
     .argument = "EMAIL[=WORKSPACE]",
     .type = OPTION_PARSED,
     .repeatable = true,
     .parse = config_parse_member,
     .help = "A member of a workspace, or of the default one."},
    {.name = "no-defaults",
     .type = OPTION_FLAG,
     PLACE(no_defaults),
     .fallback = "false",
     .help = "Start the default workspace without the documented key and member."},
    {.name = "open-keys",
     .type = OPTION_FLAG,
     PLACE(open_keys),
     .fallback = "false",
     .help = "Make a workspace for any well-formed key on its first use, in which every address is "
             "a member."},
    {.name = "strict-projects",
     .type = OPTION_FLAG,
     PLACE(strict_projects),
     .fallback = "false",
     .help = "Answer 404 for projects that belong to no workspace, rather than take any id."},

    {.name = "control-token",
     .group = "Control plane",
     .argument = "TOKEN",
     .type = OPTION_PARSED,
     .secret = true,
     .parse = config_parse_control_token,
     .help = "Whoever sends this as Authorization: Bearer may use all of /_mock, from anywhere."},
    {.name = "control",
     .argument = "local|open",
     .type = OPTION_CHOICE,
     PLACE(control),
     .choices = controls,
     .fallback = "local",
     .help = "Who may use all of /_mock without the token: callers on this machine, while the "
             "server listens on loopback addresses alone, or anybody."},
    {.name = "state",
     .argument = "FILE",
     .type = OPTION_PARSED,
     .repeatable = true,
     .parse = config_parse_state,
     .help =
         "A workspace to begin with, as GET /_mock/state writes it down, under the slug that it "
         "names, else acme-corp. One that is there already is left as it is."},
    {.name = "allowed-host",
     .argument = "NAME",
     .type = OPTION_PARSED,
     .repeatable = true,
     .parse = config_parse_allowed_host,
     .help = "A name of this server's own that /_mock is called by, beside IP addresses, "
             "localhost, *.localhost, *.internal, *.test and names without a dot."},

    {.name = "queue-time",
     .group = "Jobs",
     .argument = "DURATION",
     .type = OPTION_DURATION,
     PLACE(queue_time_ms),
     .max = DURATION_MAX_MS,
     .fallback = "500ms",
     .help = "How long a job stays queued."},
    {.name = "processing-time",
     .argument = "DURATION",
     .type = OPTION_DURATION,
     PLACE(processing_time_ms),
     .max = DURATION_MAX_MS,
     .fallback = "2s",
     .help = "How long a job is processed."},
    {.name = "max-processing",
     .argument = "N",
     .type = OPTION_NUMBER,
     PLACE(max_processing),
     .max = MAX_PROCESSING_MAX,
     .fallback = "0",
     .fallback_help = "0, no limit",
     .help = "Jobs of a workspace processed at once; the rest stay queued, first in first out."},

    {.name = "no-magic",
     .type = OPTION_FLAG,
     PLACE(no_magic),
     .fallback = "false",
     .help = "Take addresses and texts as they are: tags as in jane+fail@acme.com and #mock lines "
             "in prompts mean nothing, unless a workspace's settings say otherwise."},

    {.name = "callback-policy",
     .group = "Callbacks",
     .argument = "local|private|public|any",
     .type = OPTION_CHOICE,
     PLACE(callback_policy),
     .choices = reach_policies,
     .fallback_help = "local while every --listen is a loopback address, else private",
     .help = "Where callbacks may go: to this machine and private addresses (local), to private "
             "or public ones alone, or to any of these. Never to link-local and metadata "
             "addresses, nor to this server itself."},
    {.name = "callback-allow",
     .argument = "CIDR|HOST",
     .type = OPTION_PARSED,
     .repeatable = true,
     .parse = config_parse_callback_allow,
     .help = "Callbacks may also go to this network, address or host of a URL, whatever the "
             "policy."},
    {.name = "callback-ca",
     .argument = "FILE",
     .type = OPTION_PARSED,
     .parse = config_parse_callback_ca,
     .help = "Certificates in PEM that https callbacks trust beside the system's."},

    {.name = "journal",
     .group = "Journal",
     .argument = "on|off",
     .type = OPTION_CHOICE,
     PLACE(journal),
     .choices = journals,
     .fallback = "on",
     .help = "Whether requests are written down, in memory: see GET /_mock/requests."},
    {.name = "journal-memory",
     .argument = "SIZE",
     .type = OPTION_SIZE,
     PLACE(journal_memory),
     .min = INT64_C(1024) * 1024,
     .max = JOURNAL_MEMORY_MAX,
     .fallback = "256MiB",
     .help = "What all of them together may take, from 1MiB; the oldest go first."},
    {.name = "report",
     .argument = "FILE",
     .type = OPTION_PARSED,
     .repeatable = true,
     .parse = config_parse_report,
     .help = "Write what clients have done, as GET /_mock/report tells it, to this file when the "
             "server stops: .json, .md, or .xml (JUnit)."},

    {.name = "log-level",
     .group = "Log",
     .argument = "LEVEL",
     .type = OPTION_CHOICE,
     PLACE(log_level),
     .choices = log_levels,
     .fallback = "info",
     .help = "error, warn, info or debug (which adds a line for each request)."},
    {.name = "log-format",
     .argument = "text|json",
     .type = OPTION_CHOICE,
     PLACE(log_format),
     .choices = log_formats,
     .fallback = "text",
     .help = "One line an event, on stderr."},

    {.name = "config",
     .group = "Other",
     .argument = "FILE",
     .type = OPTION_PARSED,
     .not_in_file = true,
     .parse = config_parse_path,
     .help = "Read options from this file."},
    {.name = "check-config",
     .type = OPTION_ACTION,
     .help = "Print the options that count and where each comes from, then exit."},
    {.name = "version",
     .letter = 'V',
     .type = OPTION_ACTION,
     .help = "Print the versions of understudy and its libraries, then exit."},
    {.name = "help", .letter = 'h', .type = OPTION_ACTION, .help = "Print this, then exit."},
};

static const struct option_table table = {
    .program = "understudy",
    .prefix = "UNDERSTUDY",
    .secret_prefix = CONFIG_KEY_PREFIX,
    .usage = "understudy [OPTION]...\n"
             "       understudy healthcheck [URL]\n"
             "       understudy report URL|FILE... [OPTION]...\n"
             "\n"
             "A self-hosted stand-in for the Scenario Studio API and the Scenarios API.\n"
             "healthcheck asks a running server whether it is alive, and exits with 0 or 1.\n"
             "report merges what servers saw of a client under test: understudy report --help.",
    .epilogue = "Each option is also an environment variable, UNDERSTUDY_QUEUE_TIME=1s for\n"
                "--queue-time 1s, and a line \"queue-time = 1s\" of the --config file, where #\n"
                "starts a comment. A flag counts before the environment, the environment before\n"
                "the file. There, values of a repeatable option are separated by white space,\n"
                "and options without a value take true or false.\n"
                "\n"
                "DURATION is a whole number with its unit: 250ms, 90s, 5m, 76h. SIZE is in bytes,\n"
                "or with its unit: 64KiB, 1MiB.\n"
                "\n"
                "Exit codes: 0 stopped, 64 usage, 65 the file is no store of this version,\n"
                "69 address in use, 70 an error of the program's own, 71 out of memory,\n"
                "73 the store or a report cannot be created, 74 the store's medium failed, or a\n"
                "report was not written, 75 the store is held, 77 no permission,\n"
                "78 configuration.\n",
    .specs = specs,
    .count = sizeof specs / sizeof *specs,
};

void config_print_markdown(struct buf *out)
{
    option_print_markdown(&table, out);
}

void config_report_finish(struct config_report *report)
{
    buf_finish(&report->out);
    buf_finish(&report->errors);
}

void config_finish(struct config *config)
{
    for (size_t i = 0; i < config->api_key_count; i++) {
        explicit_bzero(config->api_keys[i].key, sizeof config->api_keys[i].key);
        free(config->api_keys[i].workspace);
    }
    for (size_t i = 0; i < config->member_count; i++) {
        free(config->members[i].email);
        free(config->members[i].workspace);
    }
    free(config->api_keys);
    free(config->members);
    free(config->listens);
    free(config->db);
    for (size_t i = 0; i < config->state_count; i++) {
        free(config->states[i].path);
        json_decref(config->states[i].document);
    }
    free(config->states);
    for (size_t i = 0; i < config->allowed_host_count; i++)
        free(config->allowed_hosts[i]);
    free(config->allowed_hosts);
    for (size_t i = 0; i < config->callback_allow_count; i++)
        free(config->callback_allows[i]);
    free(config->callback_allows);
    free(config->callback_ca);
    for (size_t i = 0; i < config->report_file_count; i++)
        free(config->report_files[i].path);
    free(config->report_files);
    if (config->control_token)
        explicit_bzero(config->control_token, strlen(config->control_token));
    free(config->control_token);
    free(config->options_json);
    free(config->public_url);
    free(config->healthcheck_url);
    *config = (struct config){0};
}

static void set_default_threads(struct option_set *set)
{
    char text[24];
    long cores = sysconf(_SC_NPROCESSORS_ONLN);

    snprintf(text, sizeof text, "%ld", cores < 1 ? 1 : cores > THREADS_MAX ? THREADS_MAX : cores);
    option_set_default(set, "threads", text);
}

/* Callbacks may go to this machine as long as it is the only one that can ask for them. */
static void set_default_policy(struct option_set *set)
{
    enum option_source source = option_source(set, "listen");
    bool is_local = true;
    for (size_t i = 0; i < set->count; i++) {
        const struct option_value *value = &set->values[i];
        if (value->source == source && strcmp(value->spec->name, "listen") == 0)
            is_local &= address_url_is_loopback(value->text);
    }
    option_set_default(set, "callback-policy",
                       reach_policies[is_local ? REACH_LOCAL : REACH_PRIVATE]);
}

/* An argument that is neither an option nor the healthcheck's: likely a word without its dashes. */
static void unexpected_argument(struct option_set *set, const char *text)
{
    static const char *const words[] = {"healthcheck", "understudy report", "--help",
                                        "--version",   "--check-config",    NULL};
    static const char *const bare[] = {"healthcheck", "report",       "help",
                                       "version",     "check-config", NULL};
    cleanup(buf_finish) struct buf line = BUF_INIT;
    const char *near = nearest_name(text, bare);

    buf_puts(&line, "unexpected argument ");
    option_quote(&table, &line, text);
    for (size_t i = 0; near && words[i]; i++)
        if (bare[i] == near)
            buf_printf(&line, ": did you mean \"%s\"?", words[i]);
    if (buf_failed(&line))
        set->no_memory = true;
    else
        option_usage_mistake(set, "%s", line.data);
}

static void read_operands(struct option_set *set, struct config *config)
{
    size_t next = 0;
    struct err err = {""};

    if (set->operand_count && !strcmp(set->operands[0], "healthcheck")) {
        config->command = CONFIG_HEALTHCHECK;
        next = 1;
        if (set->operand_count > 1) {
            next = 2;
            int error = config_parse_healthcheck_url(set->operands[1], config, &err);
            if (error == ERR_NO_MEMORY)
                set->no_memory = true;
            else if (error)
                option_configuration_mistake(set, "healthcheck: the URL %s", err.text);
        }
    }
    for (; next < set->operand_count; next++)
        unexpected_argument(set, set->operands[next]);
}

static void read_everything(struct option_set *set, char *const envp[], struct config *config)
{
    option_read_environment(set, envp);
    const char *file = option_text(set, "config");
    if (file && *file)
        option_read_file(set, file);
    set_default_policy(set);
    read_operands(set, config);
    option_apply(set, config);
    if (config->report_file_count && !config->journal)
        option_configuration_mistake(set, "--report needs --journal on: without it nothing is "
                                          "counted");
    config->listen_is_default = option_source(set, "listen") == OPTION_DEFAULT;
}

static void report_mistakes(const struct option_set *set, struct config_report *report)
{
    unsigned all = set->usage_mistakes + set->configuration_mistakes;

    if (set->mistakes.len)
        buf_append(&report->errors, set->mistakes.data, set->mistakes.len);
    if (all > OPTION_MISTAKES_MAX)
        buf_printf(&report->errors, "%s: and %u more mistakes\n", table.program,
                   all - OPTION_MISTAKES_MAX);
    if (set->no_memory)
        buf_printf(&report->errors, "%s: out of memory\n", table.program);
    report->exit_code = set->no_memory ? EX_OSERR : set->usage_mistakes ? EX_USAGE : EX_CONFIG;
}

static void print_version(const struct config_about *about, struct buf *out)
{
    buf_printf(out, "%s %s\n", table.program, about->version);
    for (const char *const *library = about->libraries; *library; library++)
        buf_printf(out, "%s\n", *library);
}

static enum config_verdict load(struct option_set *set, char *const envp[],
                                const struct config_about *about, struct config *config,
                                struct config_report *report)
{
    if (option_asked(set, "help")) {
        option_print_help(&table, &report->out);
        return CONFIG_EXIT;
    }
    if (option_asked(set, "version")) {
        print_version(about, &report->out);
        return CONFIG_EXIT;
    }
    read_everything(set, envp, config);
    if (set->notes.len)
        buf_append(&report->errors, set->notes.data, set->notes.len);
    if (!option_set_ok(set)) {
        report_mistakes(set, report);
        return CONFIG_EXIT;
    }
    if (option_asked(set, "check-config")) {
        option_print_effective(set, &report->out);
        return CONFIG_EXIT;
    }
    struct buf json = BUF_INIT;
    option_print_json(set, &json);
    config->options_json = buf_take(&json, &(size_t){0});
    if (!config->options_json)
        report->exit_code = EX_OSERR;
    return config->options_json ? CONFIG_RUN : CONFIG_EXIT;
}

enum config_verdict config_load(int argc, char **argv, char *const envp[],
                                const struct config_about *about, struct config *ret_config,
                                struct config_report *ret_report)
{
    cleanup(option_set_finish) struct option_set set;
    cleanup(config_finish) struct config config = {0};

    *ret_report = (struct config_report){.exit_code = EX_OK};
    option_set_init(&set, &table);
    set_default_threads(&set);
    option_read_command(&set, argc, argv);
    enum config_verdict verdict = load(&set, envp, about, &config, ret_report);
    if (buf_failed(&ret_report->out) || buf_failed(&ret_report->errors)) {
        ret_report->exit_code = EX_OSERR;
        return CONFIG_EXIT;
    }
    if (verdict == CONFIG_RUN) {
        *ret_config = config;
        config = (struct config){0}; /* handed over */
    }
    return verdict;
}
