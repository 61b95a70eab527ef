/* getHealth: the process answers. getReadiness: it takes work. */
#include "control/internal.h"
#include "http/respond.h"

static void answer(struct request *request, int status, const char *word)
{
    struct buf body = BUF_INIT;
    buf_printf(&body, "{\"status\":\"%s\"}", word);
    respond(request, status, content_type_json, &body);
}

void health_handler(struct request *request)
{
    answer(request, 200, "ok");
}

void readiness_handler(struct request *request)
{
    bool stopping = request_server_stops(request);
    answer(request, stopping ? 503 : 200, stopping ? "stopping" : "ready");
}
