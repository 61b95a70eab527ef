/* createScenarioStudioSession. */
#include "base/json.h"
#include "engine/jobs.h"
#include "engine/magic.h"
#include "http/respond.h"
#include "studio/check.h"
#include "studio/internal.h"

struct session_body {
    struct field_text user_email, prompt, request_id;
};

#define TO(member_) .offset = offsetof(struct session_body, member_)

const struct field session_fields[] = {
    {"user_email", FIELD_STRING, .required = true, .what = "a valid email address",
     .check = check_email, TO(user_email)},
    {"prompt", FIELD_STRING, .required = true, .what = "a string", TO(prompt)},
    {"request_id", FIELD_STRING, .what = "a non-empty string", .check = check_not_empty,
     TO(request_id)},
};
const size_t session_field_count = sizeof session_fields / sizeof *session_fields;

struct creation {
    struct session_create operation;
    struct session_body body;
    char base[URL_BASE_SIZE];
};

void session_put_json(struct buf *out, const char *id, const char *base, bool is_new)
{
    struct buf url = BUF_INIT;
    buf_printf(out, "{\"id\":\"%s\",\"url\":", id);
    buf_printf(&url, "%s/chat/%s", base, id);
    json_put_string(out, url.data ? url.data : "", url.len);
    buf_puts(out, is_new ? ",\"is_new\":true}" : ",\"is_new\":false}");
    out->failed |= buf_failed(&url);
    buf_finish(&url);
}

static void answer_session(struct request *request, const struct session *session, bool is_new)
{
    struct buf body = BUF_INIT;
    session_put_json(&body, session->id, session->base, is_new);
    respond(request, 200, content_type_json, &body);
}

static void answer_creation(struct request *request)
{
    struct creation *creation = request_state(request);
    const struct session_create *result = &creation->operation;
    if (studio_failed(request, &result->operation))
        return;
    switch (result->outcome) {
    case CREATE_NEW:
    case CREATE_KNOWN:
        answer_session(request, &result->session, result->outcome == CREATE_NEW);
        break;
    case CREATE_NO_MEMBER:
    case CREATE_NO_SOURCE: /* sessions have no source */
        studio_error(request, STUDIO_NO_MEMBER, creation->body.user_email.data);
        break;
    }
}

/* What a tag says is looked at when the chat is opened, which makes the job. */
static bool is_member(struct request *request, const char *email)
{
    struct registry *registry = engine_registry(studio_of(request)->engine);
    const struct workspace *workspace = auth_workspace(request);
    struct plan plan;
    plan_init(&plan);
    return atomic_load(&workspace->magic) ? magic_is_member(registry, workspace, email, &plan)
                                          : registry_is_member(registry, workspace, email);
}

void session_create_handler(struct request *request)
{
    struct creation *creation = request_new_state(request, sizeof *creation, NULL);
    if (!creation) {
        router_fail(request, ERR_NO_MEMORY, NULL);
        return;
    }
    struct session_body *body = &creation->body;
    if (!studio_read_body(request, session_fields, session_field_count, body) ||
        !studio_base(request, creation->base))
        return;
    struct session_create *create = &creation->operation;
    create->input = (struct session_input){.user_email = body->user_email.data,
                                           .prompt = body->prompt.data,
                                           .request_id = body->request_id.data};
    create->base = creation->base;
    create->is_member = is_member(request, body->user_email.data);
    studio_operate(request, &create->operation, session_create_run, answer_creation);
}
