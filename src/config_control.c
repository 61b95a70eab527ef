/* The control plane's values (config_value.h). */
#include <stdlib.h>
#include <string.h>

#include "base/blot.h"
#include "base/file.h"
#include "base/json.h"
#include "base/json_line.h"
#include "base/time.h"
#include "config.h"
#include "config_value.h"
#include "engine/state.h"
#include "report/report.h"

enum { TOKEN_MIN = 8, TOKEN_MAX = BLOT_TOKEN_MAX, NAME_MAX_LENGTH = 253 };

int config_parse_control_token(const char *text, void *target, struct err *err)
{
    struct config *config = target;
    size_t len = strlen(text);
    if (len < TOKEN_MIN || len > TOKEN_MAX)
        return err_set(err, ERR_INVALID, "a token has %d to %d characters", TOKEN_MIN, TOKEN_MAX);
    for (const char *c = text; *c; c++)
        if (*c <= ' ' || *c > '~')
            return err_set(err, ERR_INVALID, "a token has visible ASCII characters only");
    if (strncmp(text, CONFIG_KEY_PREFIX, strlen(CONFIG_KEY_PREFIX)) == 0)
        return err_set(err, ERR_INVALID, "a token may not begin as an API key does");
    if (!config)
        return 0;
    char *copy = strdup(text);
    if (!copy)
        return err_set(err, ERR_NO_MEMORY, "out of memory");
    free(config->control_token);
    config->control_token = copy;
    return 0;
}

int config_parse_allowed_host(const char *text, void *target, struct err *err)
{
    static const char name[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";
    struct config *config = target;
    size_t len = strlen(text);
    if (!len || len > NAME_MAX_LENGTH || strspn(text, name) != len)
        return err_set(err, ERR_INVALID,
                       "must be a host's name alone, as mock.example.com: no scheme, no port");
    if (!config)
        return 0;
    char *copy = strdup(text);
    char **all = reallocarray(config->allowed_hosts, config->allowed_host_count + 1, sizeof *all);
    if (all)
        config->allowed_hosts = all;
    if (!copy || !all) {
        free(copy);
        return err_set(err, ERR_NO_MEMORY, "out of memory");
    }
    all[config->allowed_host_count++] = copy;
    return 0;
}

/* -- reports ----------------------------------------------------------------------------------- */

static int add_report(struct config *config, const char *path, int format, struct err *err)
{
    struct config_report_file *all = config->report_files;
    for (size_t i = 0; i < config->report_file_count; i++)
        if (strcmp(all[i].path, path) == 0)
            return err_set(err, ERR_INVALID, "is given twice: leave one out");
    char *copy = strdup(path);
    all = reallocarray(all, config->report_file_count + 1, sizeof *all);
    if (all)
        config->report_files = all;
    if (!copy || !all) {
        free(copy);
        return err_set(err, ERR_NO_MEMORY, "out of memory");
    }
    all[config->report_file_count++] = (struct config_report_file){copy, format};
    return 0;
}

int config_parse_report(const char *text, void *target, struct err *err)
{
    int format = report_format_of_file(text);
    if (format != REPORT_JSON && format != REPORT_MARKDOWN && format != REPORT_JUNIT)
        return err_set(err, ERR_INVALID,
                       "must end in .json, .md or .xml (JUnit), which says how it is written");
    return target ? add_report(target, text, format, err) : 0;
}

/* -- states ------------------------------------------------------------------------------------ */

enum { STATE_MAX_MIB = 256 }; /* as long as a state may be that is sent */

static int check_state(const char *text, const json_t *document, struct err *err)
{
    struct state_head head;
    struct state_fault fault;
    if (state_check(document, time_steady_ms(), &head, &fault) &&
        state_check_secrets(document, &fault))
        return 0;
    bool tells_path = *fault.path && !fault.names_path;
    return err_set(err, ERR_INVALID, "line %zu: %s%s%s", json_line_of(text, fault.path),
                   tells_path ? fault.path : "", tells_path ? " " : "", fault.problem);
}

static int parse_state(const struct buf *text, json_t **ret_document, struct err *err)
{
    json_error_t where;
    json_t *document = json_read(text->data, text->len, 0, &where);
    if (!document)
        return err_set(err, ERR_INVALID, "line %d: is not valid JSON: %s", where.line, where.text);
    int status = check_state(text->data, document, err);
    if (status == 0)
        *ret_document = document;
    else
        json_decref(document);
    return status;
}

static int add_state(struct config *config, const char *path, json_t *document, struct err *err)
{
    struct config_state *all = reallocarray(config->states, config->state_count + 1, sizeof *all);
    if (!all)
        return err_set(err, ERR_NO_MEMORY, "out of memory");
    config->states = all;
    struct config_state *state = &all[config->state_count];
    state->path = strdup(path);
    if (!state->path)
        return err_set(err, ERR_NO_MEMORY, "out of memory");
    state->document = json_incref(document);
    config->state_count++;
    return 0;
}

int config_parse_state(const char *text, void *target, struct err *err)
{
    struct buf content = BUF_INIT;
    json_t *document = NULL;
    int status = file_read(text, STATE_MAX_MIB, &content, err);
    if (status == 0)
        status = parse_state(&content, &document, err);
    if (status == 0 && target)
        status = add_state(target, text, document, err);
    json_decref(document);
    buf_finish(&content);
    return status;
}
