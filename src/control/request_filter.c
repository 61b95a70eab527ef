#include "control/request_filter.h"

#include "base/json.h"
#include "control/internal.h"

#include <stdlib.h>
#include <string.h>

void request_filter_finish(struct request_filter *filter)
{
    rule_release(filter->match);
    filter->match = NULL;
}

/* -- reading a query --------------------------------------------------------------------------- */

static void tell_wrong(struct request *request, const char *detail)
{
    control_problem(request, 422, "invalid_parameter", detail, NULL);
}

bool request_filter_read_status(const char *text, struct request_filter *filter)
{
    bool is_digit = text[0] >= '1' && text[0] <= '5';
    if (is_digit && strcmp(text + 1, "xx") == 0) {
        filter->lowest_status = (text[0] - '0') * 100;
        filter->highest_status = filter->lowest_status + 99;
        return true;
    }
    if (is_digit && strlen(text) == 3 && strspn(text, "0123456789") == 3) {
        filter->lowest_status = filter->highest_status = (int)strtol(text, NULL, 10);
        return true;
    }
    return false;
}

static json_t *read_object(const char *text)
{
    json_t *value = NULL;
    if (json_parse_body(text, strlen(text), &value, NULL) == 0 && json_is_object(value))
        return value;
    json_decref(value);
    return NULL;
}

/* "Name", "Name:value" or {"Name": "value", "Other": null}. */
static json_t *read_header(const char *text)
{
    const char *colon = strchr(text, ':');
    if (*text == '{')
        return read_object(text);
    if (!colon)
        return json_pack("{sn}", text);
    const char *value = colon + 1 + strspn(colon + 1, " ");
    char *name = strndup(text, (size_t)(colon - text));
    json_t *header = name ? json_pack("{ss}", name, value) : NULL;
    free(name);
    return header;
}

static void set_text(json_t *match, const char *name, const char *text)
{
    if (text)
        json_object_set_new(match, name, json_string(text));
}

/* The parameters as a rule's `match` has them; NULL: the request was answered. */
static json_t *read_match(struct request *request, const struct request_filter_params *params)
{
    json_t *match = json_object();
    json_t *prompt = params->prompt && *params->prompt == '{' ? read_object(params->prompt) : NULL;
    json_t *header = params->header ? read_header(params->header) : NULL;
    json_t *body = params->body ? read_object(params->body) : NULL;
    const char *wrong = params->header && !header
                            ? "header must be Name, Name:value, or a JSON object of these"
                        : params->body && !body ? "body must be a JSON object"
                                                : NULL;
    if (params->operation.given)
        set_text(match, "operation", rule_operations[params->operation.value]);
    set_text(match, "email", params->email);
    set_text(match, "request_id", params->request_id);
    set_text(match, "scenario_slug", params->scenario_slug);
    set_text(match, "project", params->project);
    set_text(match, "job", params->job);
    set_text(match, "prompt", prompt ? NULL : params->prompt);
    if (prompt)
        json_object_set_new(match, "prompt", prompt);
    if (header)
        json_object_set_new(match, "header", header);
    if (body)
        json_object_set_new(match, "body", body);
    if (!wrong)
        return match;
    json_decref(match);
    tell_wrong(request, wrong);
    return NULL;
}

static bool read_rule(struct request *request, const struct request_filter_params *params,
                      struct request_filter *filter)
{
    struct complaint complaint = COMPLAINT_INIT;
    json_t *match = read_match(request, params);
    if (!match)
        return false;
    int status = 0;
    if (json_object_size(match))
        status = rule_parse_match(match, "", &complaint, &filter->match);
    json_decref(match);
    if (status == ERR_INVALID) {
        complaint.name = "invalid_parameter";
        control_complain(request, &complaint);
    } else if (status < 0) {
        complaint_finish(&complaint);
        router_fail(request, status, NULL);
    }
    return status == 0;
}

bool request_filter_read(struct request *request, const struct request_filter_params *params,
                         struct request_filter *ret)
{
    *ret = REQUEST_FILTER_INIT;
    if (params->status && !request_filter_read_status(params->status, ret)) {
        tell_wrong(request, "status must be " REQUEST_STATUS_WHAT);
        return false;
    }
    if (params->end.given)
        ret->end = (int)params->end.value;
    return read_rule(request, params, ret);
}

/* -- looking ----------------------------------------------------------------------------------- */

/* Whether it ended as is asked for. */
static bool fits_end(const struct request_filter *filter, const struct journal_entry *entry)
{
    return (filter->end < 0 || (int)entry->end == filter->end) &&
           (!filter->lowest_status ||
            (entry->status >= filter->lowest_status && entry->status <= filter->highest_status));
}

static bool fits_line(const struct request_filter *filter, const struct journal_entry *entry)
{
    return !entry->is_control && fits_end(filter, entry);
}

int request_filter_fits_asked(const struct request_filter *filter, struct journal_request *asked)
{
    if (!fits_line(filter, asked->entry))
        return 0;
    return filter->match ? rule_matches(filter->match, &asked->rules) : 1;
}

int request_filter_fits(const struct request_filter *filter, const struct journal_entry *entry,
                        struct db *db, int64_t workspace)
{
    struct journal_request asked;
    if (!fits_line(filter, entry) || !filter->match)
        return fits_line(filter, entry);
    int status = journal_request_init(&asked, entry, db, workspace);
    if (status == 0)
        status = request_filter_fits_asked(filter, &asked);
    journal_request_finish(&asked);
    return status;
}
