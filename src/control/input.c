#include "control/input.h"

#include "base/err.h"
#include "base/json.h"

#include <string.h>

static void add_text(json_t *object, const char *name, const char *text)
{
    if (text)
        json_object_set_new(object, name, json_string(text));
}

static int take_job(const struct job_input *input, void *arg)
{
    json_t *body = json_object();
    add_text(body, "user_email", input->user_email);
    add_text(body, "prompt", input->prompt);
    add_text(body, "context", input->context);
    add_text(body, "scenario_slug", input->scenario_slug);
    add_text(body, "request_id", input->request_id);
    add_text(body, "callback_url", input->callback_url);
    if (input->callback_headers)
        json_object_set_new(body, "callback_headers", json_read_text(input->callback_headers, 0));
    *(json_t **)arg = body;
    return body ? 0 : ERR_NO_MEMORY;
}

static int take_session(const struct session_input *input, void *arg)
{
    struct job_input asked = {
        .user_email = input->user_email, .prompt = input->prompt, .request_id = input->request_id};
    return take_job(&asked, arg);
}

int input_of_job(struct db *db, int64_t workspace, const char *id, struct job *ret_job,
                 json_t **ret_input)
{
    int status = job_by_id(db, workspace, id, ret_job);
    return status < 0 ? status : job_input(db, ret_job->seq, take_job, ret_input);
}

int input_of_session(struct db *db, int64_t workspace, const char *id, struct session *ret_session,
                     json_t **ret_input)
{
    int status = session_by_id(db, workspace, id, ret_session);
    return status < 0 ? status : session_input(db, workspace, id, take_session, ret_input);
}

void input_fill(struct rule_request *rules, const json_t *body)
{
    if (!json_is_object(body))
        return;
    rules->body = body;
    rules->email = json_string_value(json_object_get(body, "user_email"));
    rules->prompt = json_string_value(json_object_get(body, "prompt"));
    rules->request_id = json_string_value(json_object_get(body, "request_id"));
    rules->scenario_slug = json_string_value(json_object_get(body, "scenario_slug"));
}
