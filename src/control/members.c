/* listMembers, createMember, deleteMember. */
#include "base/json.h"
#include "base/time.h"
#include "control/internal.h"
#include "control/list.h"
#include "http/respond.h"

#include <string.h>

struct member_body {
    struct field_text email;
};

const struct field member_fields[] = {
    {"email", FIELD_STRING, .required = true,
     .what = "an e-mail address, in which * stands for any characters", .check = check_member,
     .offset = offsetof(struct member_body, email)},
};
const size_t member_field_count = sizeof member_fields / sizeof *member_fields;

static int put_member(const struct member_row *row, void *arg)
{
    struct buf *body = arg;
    if (body->len && body->data[body->len - 1] == '}')
        buf_putc(body, ',');
    buf_puts(body, "{\"email\":");
    json_put_text(body, row->email);
    buf_puts(body, ",\"created_at\":");
    control_put_time(body, row->created_at);
    buf_putc(body, '}');
    return 0;
}

void member_list_handler(struct request *request)
{
    struct buf body = BUF_INIT;
    struct cursor now = cursor_now(mock_workspace(request));
    struct db *db = control_reader(request);
    if (!db)
        return;
    buf_puts(&body, "{\"items\":[");
    int status = member_each_of(db, mock_workspace(request)->row.pk, put_member, &body);
    if (status == 0)
        status = cursor_complete(mock_workspace(request), db, &now);
    if (status == 0) {
        list_answer(request, &body, &now);
        return;
    }
    buf_finish(&body);
    router_fail(request, status, "cannot read the members");
}

static void answer(struct request *request)
{
    const struct member_change *change = request_state(request);
    struct buf body = BUF_INIT;
    if (control_failed(request, &change->operation))
        return;
    if (change->absent) {
        control_problem(request, 404, "member_not_found",
                        "The workspace has no such member, letter by letter",
                        "GET /_mock/members lists them");
    } else if (change->known) {
        control_problem(request, 409, "member_exists", "This is a member already", NULL);
    } else if (change->removes) {
        respond_empty(request);
    } else {
        put_member(&change->row, &body);
        respond(request, 201, content_type_json, &body);
    }
}

static struct member_change *new_change(struct request *request)
{
    struct member_change *change = control_state(request, sizeof *change);
    if (change)
        member_change_init(change, control_of(request)->engine, mock_workspace(request));
    return change;
}

void member_create_handler(struct request *request)
{
    struct member_body body = {{0}};
    struct member_change *change = new_change(request);
    if (!change || !control_read_body(request, member_fields, member_field_count, &body))
        return;
    email_fold(body.email.data, change->row.email);
    change->row.created_at = time_steady_ms();
    control_operate(request, &change->operation, answer);
}

void member_delete_handler(struct request *request)
{
    struct member_change *change = new_change(request);
    if (!change)
        return;
    email_fold(request_param(request, 0), change->row.email);
    change->removes = true;
    control_operate(request, &change->operation, answer);
}
