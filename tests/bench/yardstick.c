/*
 * The least a JSON server on libmicrohttpd can do: what the benchmark measures understudy against.
 *
 * GET answers 251 bytes, fresh for each request. POST collects the body, parses it, and packs and
 * prints an answer. It routes nothing, checks nothing and stores nothing; what understudy does
 * beyond this is what the ratio shows. Same library, same threading, same kind of bodies: two
 * figures taken on one machine in one run can be compared where two absolute figures cannot.
 */
#define _POSIX_C_SOURCE 200809L

#include <arpa/inet.h>
#include <jansson.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The benchmark's own bodies are about 300 bytes; anything longer is cut off. */
#define BODY_MAX 4096

static const char job_text[] =
    "{\"id\":\"0f1e2d3c4b5a\",\"status\":\"completed\","
    "\"scenario\":{\"id\":\"5a4b3c2d1e0f\",\"slug\":\"pitch\",\"name\":\"Pitch\"},\"error\":null,"
    "\"created_at\":\"2024-03-01T10:00:00Z\",\"started_at\":\"2024-03-01T10:00:05Z\","
    "\"completed_at\":\"2024-03-01T10:02:30Z\",\"duration_seconds\":145}";
_Static_assert(sizeof(job_text) - 1 == 251, "the yardstick's answer has 251 bytes");

struct request {
    size_t length;
    char body[BODY_MAX];
};

/* Queues text, which libmicrohttpd frees, as the answer. */
static enum MHD_Result respond(struct MHD_Connection *connection, unsigned status, char *text,
                               size_t length)
{
    struct MHD_Response *response =
        text ? MHD_create_response_from_buffer(length, text, MHD_RESPMEM_MUST_FREE) : NULL;
    enum MHD_Result result;

    if (!response)
        return MHD_NO;
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE,
                            "application/json; charset=utf-8");
    result = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result respond_get(struct MHD_Connection *connection)
{
    char *text = malloc(sizeof(job_text));

    if (text)
        memcpy(text, job_text, sizeof(job_text));
    return respond(connection, MHD_HTTP_OK, text, sizeof(job_text) - 1);
}

static enum MHD_Result respond_post(struct MHD_Connection *connection,
                                    const struct request *request)
{
    json_t *body = json_loadb(request->body, request->length, 0, NULL);
    const char *prompt = json_string_value(json_object_get(body, "prompt"));
    json_t *job;
    char *text;

    job = json_pack("{s:s, s:s, s:n, s:n, s:s, s:n, s:n, s:n, s:b}", "id", "0f1e2d3c4b5a", "status",
                    "queued", "scenario", "error", "created_at", "2024-03-01T10:00:00Z",
                    "started_at", "completed_at", "duration_seconds", "is_new", prompt != NULL);
    text = json_dumps(job, JSON_COMPACT);
    json_decref(job);
    json_decref(body);
    return respond(connection, prompt ? MHD_HTTP_CREATED : MHD_HTTP_BAD_REQUEST, text,
                   text ? strlen(text) : 0);
}

static enum MHD_Result handle(void *unused, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *data,
                              size_t *data_size, void **context)
{
    struct request *request = *context;

    (void)unused;
    (void)url;
    (void)version;
    /* Answering in the first call would cost keep-alive. */
    if (!request) {
        *context = request = malloc(sizeof(*request));
        if (!request)
            return MHD_NO;
        request->length = 0;
        return MHD_YES;
    }
    if (*data_size > 0) {
        size_t room = BODY_MAX - request->length;
        size_t taken = *data_size < room ? *data_size : room;

        memcpy(request->body + request->length, data, taken);
        request->length += taken;
        *data_size = 0;
        return MHD_YES;
    }
    return strcmp(method, MHD_HTTP_METHOD_POST) == 0 ? respond_post(connection, request)
                                                     : respond_get(connection);
}

static void finish(void *unused, struct MHD_Connection *connection, void **context,
                   enum MHD_RequestTerminationCode code)
{
    (void)unused;
    (void)connection;
    (void)code;
    free(*context);
    *context = NULL;
}

int main(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    const union MHD_DaemonInfo *info;
    struct MHD_Daemon *daemon;
    sigset_t signals;
    int signal_number;

    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigprocmask(SIG_BLOCK, &signals, NULL);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    daemon =
        MHD_start_daemon(MHD_USE_EPOLL | MHD_USE_INTERNAL_POLLING_THREAD, 0, NULL, NULL, handle,
                         NULL, MHD_OPTION_THREAD_POOL_SIZE, 2U, MHD_OPTION_NOTIFY_COMPLETED, finish,
                         NULL, MHD_OPTION_SOCK_ADDR, (struct sockaddr *)&address, MHD_OPTION_END);
    info = daemon ? MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT) : NULL;
    if (!info) {
        fputs("yardstick: cannot start\n", stderr);
        return EXIT_FAILURE;
    }
    printf("yardstick ready on http://127.0.0.1:%u\n", (unsigned)info->port);
    fflush(stdout);
    sigwait(&signals, &signal_number);
    MHD_stop_daemon(daemon);
    return EXIT_SUCCESS;
}
