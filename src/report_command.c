/*
 * Each source is read and added before the next one, so that no more than two reports and one
 * document are in memory. All sources are tried, so that all that is wrong is told at once; the
 * first of it decides the exit code.
 */
#include "report_command.h"

#include "base/cleanup.h"
#include "base/escape.h"
#include "base/file.h"
#include "base/json.h"
#include "config_report.h"
#include "report_fetch.h"

#include <curl/curl.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

enum {
    EX_FAILED = 1,     /* the report did */
    SHOWN_SIZE = 4096, /* of a file's name: PATH_MAX */
    WORDS_SIZE = 400,  /* of what a server says */
};

/* A line on standard error, about one source or file. */
static void tell(const char *name, const char *words)
{
    char shown[SHOWN_SIZE];
    escape_text(ESCAPE_PLAIN, name, strlen(name), shown, sizeof shown);
    fprintf(stderr, "understudy report: %s: %s\n", shown, words);
}

static int exit_code(int error)
{
    switch (error) {
    case ERR_INVALID:
        return EX_DATAERR;
    case ERR_IN_USE:
        return EX_UNAVAILABLE;
    case ERR_NOT_FOUND:
        return EX_USAGE;
    case ERR_CREATE:
        return EX_CANTCREAT;
    case ERR_IO:
        return EX_IOERR;
    case ERR_NO_MEMORY:
        return EX_OSERR;
    default:
        return EX_SOFTWARE;
    }
}

/* -- servers ----------------------------------------------------------------------------------- */

/* Appends a member of a problem, where it is a text. */
static void put_member(struct buf *out, const json_t *problem, const char *name)
{
    char shown[WORDS_SIZE];
    const char *text = json_string_value(json_object_get(problem, name));
    if (!text || !*text)
        return;
    escape_text(ESCAPE_PLAIN, text, strlen(text), shown, sizeof shown);
    buf_printf(out, "%s %s", out->len ? ";" : ":", shown);
}

/* Why a server did not give its report, as far as it says (C4). */
static int tell_status(const char *url, const struct report_answer *answer)
{
    cleanup(buf_finish) struct buf words = BUF_INIT;
    cleanup(buf_finish) struct buf detail = BUF_INIT;
    long status = answer->status;
    bool is_refusal = status == 401 || status == 403;
    bool is_redirect = status >= 300 && status < 400;
    json_t *problem =
        answer->body.len ? json_read(answer->body.data, answer->body.len, 0, NULL) : NULL;
    put_member(&detail, problem, "detail");
    put_member(&detail, problem, "hint");
    json_decref(problem);
    buf_printf(&words, "%s %ld%s%s", is_refusal ? "refuses with" : "answers", status,
               detail.len ? detail.data : "",
               is_redirect ? ", a redirect, which is not followed: give the URL that it leads to"
                           : "");
    tell(url, buf_failed(&words) ? "out of memory" : words.data);
    if (is_refusal)
        return EX_NOPERM;
    return is_redirect || status == 429 || status >= 500 ? EX_UNAVAILABLE : EX_DATAERR;
}

/* An exit code; on EX_OK the text is the caller's. */
static int read_server(const struct report_config *config, const char *url, struct buf *ret_text)
{
    struct report_answer answer = {.status = 0};
    struct err err;
    int status = report_fetch(url, config->run, config->control_token, &answer, &err);
    if (status < 0) {
        tell(url, err.text);
        return exit_code(status);
    }
    if (answer.status != 200) {
        int code = tell_status(url, &answer);
        buf_finish(&answer.body);
        return code;
    }
    *ret_text = answer.body;
    return EX_OK;
}

/* -- files ------------------------------------------------------------------------------------- */

static int read_report_file(const char *path, struct buf *ret_text)
{
    struct err err;
    int status = file_read(path, REPORT_MAX_MIB, ret_text, &err);
    if (status == 0)
        return EX_OK;
    bool is_there = ret_text->len > (size_t)REPORT_MAX_MIB << 20;
    tell(path, err.text);
    return status == ERR_NO_MEMORY ? EX_OSERR : is_there ? EX_DATAERR : EX_NOINPUT;
}

/* -- all of them ------------------------------------------------------------------------------- */

/* Adds what one source tells to *io_report, which the first one makes. */
static int add_source(const struct report_config *config, const char *source,
                      struct report **io_report)
{
    cleanup(buf_finish) struct buf text = BUF_INIT;
    struct report *report = NULL;
    struct err err;
    int code = report_source_is_url(source) ? read_server(config, source, &text)
                                            : read_report_file(source, &text);
    if (code != EX_OK)
        return code;
    int status = report_parse(text.data, text.len, &report, &err);
    if (status == 0 && *io_report) {
        status = report_merge(*io_report, report);
        report_destroy(report);
    } else if (status == 0) {
        *io_report = report;
    }
    if (status < 0)
        tell(source, status == ERR_INVALID ? err.text : "out of memory");
    return status < 0 ? exit_code(status) : EX_OK;
}

static int write_output(const struct report_config *config, const struct report *report)
{
    cleanup(buf_finish) struct buf text = BUF_INIT;
    struct err err;
    report_write(report, (enum report_format)config->format, &config->fail_on, &text);
    if (buf_failed(&text)) {
        tell("the report", "out of memory");
        return EX_OSERR;
    }
    if (config->output) {
        int status = file_write(config->output, &text, &err);
        if (status < 0)
            tell(config->output, err.text);
        return status < 0 ? exit_code(status) : EX_OK;
    }
    if (fwrite(text.data, 1, text.len, stdout) == text.len && fflush(stdout) == 0)
        return EX_OK;
    tell("standard output", "cannot be written");
    return EX_IOERR;
}

/* Writes the report, then a line for each failure. */
static int conclude(const struct report_config *config, const struct report *report)
{
    cleanup(buf_finish) struct buf lines = BUF_INIT;
    struct err err;
    int failures = report_judge(report, &config->fail_on, &lines, &err);
    if (failures < 0) {
        tell("--fail-on", err.text);
        return exit_code(failures);
    }
    int code = write_output(config, report);
    for (char *line = lines.data, *end; line && *line; line = end + 1) {
        end = strchr(line, '\n');
        fprintf(stderr, "understudy report: %.*s\n", (int)(end - line), line);
    }
    return code == EX_OK && failures ? EX_FAILED : code;
}

static int run(const struct report_config *config)
{
    struct report *report = NULL;
    int code = EX_OK;
    for (size_t i = 0; i < config->source_count; i++) {
        int one = add_source(config, config->sources[i], &report);
        if (code == EX_OK)
            code = one;
    }
    if (code == EX_OK)
        code = conclude(config, report);
    report_destroy(report);
    return code;
}

int report_command(int argc, char **argv, char *const envp[])
{
    struct report_config config;
    struct config_report said;
    enum config_verdict verdict = report_config_load(argc, argv, envp, &config, &said);
    int code = said.exit_code;
    if (said.out.len)
        (void)fputs(said.out.data, stdout);
    if (said.errors.len)
        (void)fputs(said.errors.data, stderr);
    config_report_finish(&said);
    if (verdict == CONFIG_EXIT)
        return code;
    code = EX_SOFTWARE;
    if (curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK) {
        code = run(&config);
        curl_global_cleanup();
    }
    report_config_finish(&config);
    return code;
}
