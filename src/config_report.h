/*
 * What `understudy report` is told: its own options, read by the same table of options as the
 * server's (config.h). Nothing here prints or exits. Exit codes: 0 for --help, 64 for every
 * mistake, 71 out of memory.
 */
#ifndef UNDERSTUDY_CONFIG_REPORT_H
#define UNDERSTUDY_CONFIG_REPORT_H

#include "config.h"
#include "report/report.h"

struct report_config {
    char **sources; /* URLs and files, each in argv; at least one, none twice */
    size_t source_count;
    char *control_token; /* or a workspace's key, or NULL */
    char *run;           /* or NULL: all */
    int format;          /* enum report_format */
    char *output;        /* a file, or NULL for standard output */
    struct report_fail_on fail_on;
};

enum { REPORT_RUN_MAX = 200 }; /* bytes of a label, as POST /_mock/workspaces takes it */

/* Whether a source is a server's URL; else it is a file's name. */
bool report_source_is_url(const char *source);

/*
 * Reads argv, whose first is "report", and the environment. CONFIG_RUN: `ret_config` is filled, for
 * report_config_finish(), and borrows from argv; CONFIG_EXIT: it is untouched, print the report and
 * end. `ret_report` is filled in both cases, for config_report_finish().
 */
enum config_verdict report_config_load(int argc, char **argv, char *const envp[],
                                       struct report_config *ret_config,
                                       struct config_report *ret_report);

/* Frees what it owns and leaves zeros; the token is wiped. */
void report_config_finish(struct report_config *config);

#endif
