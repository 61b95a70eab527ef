/* getHealth: the process answers. getReadiness: it takes work. */
#include "control/internal.h"
#include "engine/engine.h"
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
    int health = store_health(engine_store(control_of(request)->engine));
    if (request_server_stops(request) || health == ERR_IO) /* which is about to end it */
        answer(request, 503, "stopping");
    else if (health < 0)
        answer(request, 503, "storage_full");
    else
        answer(request, 200, "ready");
}
