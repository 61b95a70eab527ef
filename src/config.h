/*
 * What the server is told at its start: the product's options (the table is in config.c), read from
 * the command line, the environment and a file into one struct of plain values.
 *
 * Nothing here prints or exits, so that all of it can be tested; main() prints the report and ends
 * with its exit code. Exit codes are those of sysexits.h:
 *
 *     0   --help, --version, --check-config without a mistake
 *     64  the command line cannot be understood: an unknown option, one without its value or given
 *         twice, an argument that is none
 *     78  a value is wrong, wherever it stands; an unknown name in the environment or the file; a
 *         file that cannot be read
 *     71  out of memory
 *
 * Where both are wrong it is 64. --help and --version win over every mistake.
 */
#ifndef UNDERSTUDY_CONFIG_H
#define UNDERSTUDY_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "base/buf.h"
#include "base/log.h"

enum config_command { CONFIG_SERVE, CONFIG_HEALTHCHECK };
enum config_durability { CONFIG_DURABILITY_POWER, CONFIG_DURABILITY_PROCESS };

enum {
    CONFIG_HOST_SIZE = 46,     /* INET6_ADDRSTRLEN */
    CONFIG_KEY_LENGTH = 50,    /* "exec_live_" and 40 letters and digits (S1) */
    CONFIG_WORKSPACE_MAX = 63, /* a slug is a DNS label */
    CONFIG_URL_MAX = 2048,
};

struct config_listen {
    char host[CONFIG_HOST_SIZE]; /* an IP address in its usual form, no brackets; "localhost" */
    char given[CONFIG_HOST_SIZE + 10]; /* as written, with the port */
    uint16_t port;                     /* 0 picks a free one */
};

struct config_api_key {
    char key[CONFIG_KEY_LENGTH + 1];
    char *workspace; /* id or slug, or NULL for the default workspace */
};

struct config_member {
    char *email;
    char *workspace; /* as above */
};

enum config_control { CONFIG_CONTROL_LOCAL, CONFIG_CONTROL_OPEN };

struct config {
    int command;           /* enum config_command */
    char *healthcheck_url; /* NULL: the caller finds out where the server listens */

    struct config_listen *listens; /* at least one; no address and port twice but for port 0 */
    size_t listen_count;
    bool listen_is_default; /* then [::1] is there only "where it exists" */

    char *db; /* a path, or ":memory:" */
    int durability;

    struct config_api_key *api_keys; /* no key twice */
    size_t api_key_count;
    struct config_member *members; /* none twice in a workspace, ASCII case aside */
    size_t member_count;
    bool no_defaults;
    bool open_keys;

    int64_t queue_time_ms;
    int64_t processing_time_ms;
    int64_t max_processing; /* 0: no limit */
    bool no_magic;

    char *public_url; /* absolute http(s) URL without a slash at its end, or NULL */
    bool strict_projects;

    char *control_token; /* or NULL */
    int control;         /* enum config_control */
    /* State documents to begin with, read and checked already. */
    struct config_state {
        char *path;
        json_t *document;
    } * states;
    size_t state_count;

    char **allowed_hosts;
    size_t allowed_host_count;

    int callback_policy;    /* enum reach_policy; see engine/reach.h */
    char **callback_allows; /* networks, addresses and hosts, checked already */
    size_t callback_allow_count;
    char *callback_ca; /* a file of certificates, or NULL */

    char *options_json; /* what counts, as a JSON object; secrets by their last four characters */

    int64_t max_body;       /* bytes */
    int journal;            /* whether requests are written down */
    int64_t journal_memory; /* bytes of all that is */
    /* Where reports are written at the end; none twice, and none without a journal. */
    struct config_report_file {
        char *path;
        int format; /* enum report_format */
    } * report_files;
    size_t report_file_count;
    int64_t max_connections;
    int64_t threads; /* at least 1 */

    int log_level; /* enum log_level */
    int log_format;
};

/* What --version says; the strings are the caller's and static. */
struct config_about {
    const char *version;
    const char *const *libraries; /* "SQLite 3.40.1", …; NULL ends it */
};

struct config_report {
    struct buf out;    /* for stdout */
    struct buf errors; /* for stderr: mistakes, and notes that stop nobody; may be empty */
    int exit_code;     /* when there is nothing to run */
};

enum config_verdict { CONFIG_RUN, CONFIG_EXIT };

/*
 * Reads argv, envp and the file that they may name. CONFIG_RUN: `ret_config` is filled, for
 * config_finish; CONFIG_EXIT: it is untouched, print the report and end. `ret_report` is filled in
 * both cases, for config_report_finish. Before any thread starts.
 */
enum config_verdict config_load(int argc, char **argv, char *const envp[],
                                const struct config_about *about, struct config *ret_config,
                                struct config_report *ret_report);

/* Free what these own and leave zeros; zeros are fine. Keys are wiped. */
void config_finish(struct config *config);
void config_report_finish(struct config_report *report);

/* The documentation's table of all options, in Markdown. */
void config_print_markdown(struct buf *out);

#endif
