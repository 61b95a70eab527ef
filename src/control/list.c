#include "control/list.h"

#include "control/internal.h"
#include "http/respond.h"

void list_refuse_since(struct request *request, bool is_field)
{
    control_problem(request, 422, is_field ? "invalid_field" : "invalid_parameter",
                    "since must be a cursor that this server gave for this workspace",
                    "Take it from a list of the workspace, or from the workspace itself. The count "
                    "of requests begins anew with each start of the server");
}

bool list_read(struct request *request, const struct list_params *params,
               struct list_query *ret_query)
{
    struct list_query query = {.limit = params->limit.given ? params->limit.value : LIST_LIMIT_MAX,
                               .min =
                                   params->min.given ? params->min.value : params->wait.value > 0,
                               .wait = params->wait.value};
    if (params->since && !cursor_parse(params->since, &query.since)) {
        list_refuse_since(request, false);
        return false;
    }
    if (query.min > query.limit && params->limit.given) {
        control_problem(request, 422, "invalid_parameter", "min must be at most limit",
                        "A list that must have more items than it may never comes");
        return false;
    }
    if (query.min > query.limit)
        query.limit = query.min;
    *ret_query = query;
    return true;
}

void list_answer(struct request *request, struct buf *body, const struct cursor *cursor)
{
    char text[CURSOR_SIZE];
    cursor_format(cursor, text);
    buf_printf(body, "],\"cursor\":\"%s\"}", text);
    respond(request, 200, content_type_json, body);
}
