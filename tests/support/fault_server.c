/*
 * A server whose answers go wrong as each request's query asks, so that src/http/fault.c can be
 * tested over real connections without the product around it. It starts, says that it is ready and
 * stops as the product does, and ignores its options.
 *
 *     GET|POST /answer   "0123456789…", `len` bytes of it
 *         kind=drop|hang|truncate|drip|garbage  amount=N  delay=MS
 *         replace=STATUS    another answer, "replaced", instead
 *         before            without the handler
 *         wait=MS           before the handler; the answer is 503 where the server stops meanwhile
 *     GET /empty         204, with the same parameters
 *     GET /handled       how often a handler of the above ran
 *     GET /open          how many requests are not over, this one included
 *     POST /told         what request_operation() and request_header() say, and the body
 */
#include "base/deadlines.h"
#include "base/time.h"
#include "http/fault.h"
#include "http/problem.h"
#include "http/respond.h"
#include "http/server.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

enum { LINGER_MS = 100, PATIENCE_MS = 7000, BODY_MAX = 1 << 20 };

/* -- who runs the deadlines -------------------------------------------------------------------- */

struct runner {
    struct deadlines *deadlines;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t cond;
    bool sooner, stopping;
};

static void wake(void *arg)
{
    struct runner *runner = arg;
    pthread_mutex_lock(&runner->lock);
    runner->sooner = true;
    pthread_cond_signal(&runner->cond);
    pthread_mutex_unlock(&runner->lock);
}

static void sleep_until(struct runner *runner, int64_t at)
{
    int64_t left = at == TIME_NEVER ? 10000 : at - time_steady_ms();
    struct timespec until;
    if (left <= 0)
        return;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += left / 1000;
    until.tv_nsec += left % 1000 * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    pthread_cond_timedwait(&runner->cond, &runner->lock, &until);
}

static void *run(void *arg)
{
    struct runner *runner = arg;
    pthread_mutex_lock(&runner->lock);
    while (!runner->stopping) {
        runner->sooner = false;
        pthread_mutex_unlock(&runner->lock);
        int64_t next = deadlines_run(runner->deadlines, time_steady_ms());
        pthread_mutex_lock(&runner->lock);
        if (!runner->sooner && !runner->stopping)
            sleep_until(runner, next);
    }
    pthread_mutex_unlock(&runner->lock);
    return NULL;
}

static void runner_start(struct runner *runner)
{
    pthread_mutex_init(&runner->lock, NULL);
    pthread_cond_init(&runner->cond, NULL);
    runner->deadlines = deadlines_create();
    deadlines_on_sooner(runner->deadlines, wake, runner);
    pthread_create(&runner->thread, NULL, run, runner);
}

static void runner_stop(struct runner *runner)
{
    deadlines_on_sooner(runner->deadlines, NULL, NULL);
    pthread_mutex_lock(&runner->lock);
    runner->stopping = true;
    pthread_cond_signal(&runner->cond);
    pthread_mutex_unlock(&runner->lock);
    pthread_join(runner->thread, NULL);
    deadlines_destroy(runner->deadlines);
}

/* -- parameters -------------------------------------------------------------------------------- */

static const char *param(struct request *request, const char *name)
{
    const struct query_param *params;
    size_t count;
    struct err err;
    if (request_query(request, &params, &count, &err) < 0)
        abort();
    for (size_t i = 0; i < count; i++)
        if (strcmp(params[i].name, name) == 0)
            return params[i].value;
    return NULL;
}

static int64_t number(struct request *request, const char *name)
{
    const char *text = param(request, name);
    return text ? strtoll(text, NULL, 10) : 0;
}

static enum fault_kind kind(struct request *request)
{
    static const char *const names[] = {
        [FAULT_NONE] = "none", [FAULT_DROP] = "drop",         [FAULT_HANG] = "hang",
        [FAULT_DRIP] = "drip", [FAULT_TRUNCATE] = "truncate", [FAULT_GARBAGE] = "garbage"};
    const char *name = param(request, "kind");
    for (size_t i = 0; name && i < sizeof names / sizeof *names; i++)
        if (strcmp(name, names[i]) == 0)
            return (enum fault_kind)i;
    return FAULT_NONE;
}

/* -- the API ----------------------------------------------------------------------------------- */

static atomic_long handled, in_flight;

static void answer(struct request *request)
{
    struct buf body = BUF_INIT;
    int64_t len = number(request, "len");
    atomic_fetch_add(&handled, 1);
    for (int64_t i = 0; i < len && i < BODY_MAX; i++)
        buf_putc(&body, (char)('0' + i % 10));
    respond_header(request, "X-Handled", "yes");
    respond(request, 200, content_type_text, &body);
}

static void answer_empty(struct request *request)
{
    atomic_fetch_add(&handled, 1);
    respond_empty(request);
}

static void answer_count(struct request *request, long count)
{
    struct buf body = BUF_INIT;
    buf_int(&body, count);
    respond(request, 200, content_type_text, &body);
}

static void count_handled(struct request *request)
{
    answer_count(request, atomic_load(&handled));
}

static void count_open(struct request *request)
{
    answer_count(request, atomic_load(&in_flight));
}

static void tell(struct request *request)
{
    struct buf body = BUF_INIT;
    const char *header = request_header(request, "x-TEST");
    const json_t *first = NULL, *second = NULL;
    struct err err;
    buf_printf(&body, "%s|%s", request_operation(request), header ? header : "(none)");
    if (request_json(request, &first, &err) == 0 && request_json(request, &second, &err) == 0)
        buf_printf(&body, "|%s", first == second ? json_string_value(first) : "(parsed twice)");
    respond(request, 200, content_type_text, &body);
}

/* The fault that the query describes. */
static void go_on(struct request *request)
{
    static const char replaced[] = "replaced";
    static const struct fault_header headers[] = {{"Retry-After", "7"}, {"X-Replaced", "yes"}};
    struct fault_answer instead = {.status = (int)number(request, "replace"),
                                   .content_type = content_type_json,
                                   .body = replaced,
                                   .len = sizeof replaced - 1,
                                   .headers = headers,
                                   .header_count = 2};
    struct fault fault = {.delay = number(request, "delay"),
                          .kind = kind(request),
                          .amount = number(request, "amount"),
                          .answer = instead.status ? &instead : NULL};
    if (param(request, "before"))
        respond_fault(request, &fault);
    else if (request_set_fault(request, &fault) < 0)
        router_fail(request, ERR_INVALID, "no such fault");
    else
        request_handle(request);
}

static void end_of_wait(struct request *request)
{
    if (request_server_stops(request))
        router_fail(request, ERR_STOPPING, NULL);
    else
        go_on(request);
}

static void enter(struct request *request)
{
    request_set_user(request, &in_flight);
    atomic_fetch_add(&in_flight, 1);
    if (strcmp(request_operation(request), "answer") != 0 &&
        strcmp(request_operation(request), "empty") != 0) {
        request_handle(request);
    } else if (param(request, "wait")) {
        request_wait(request, number(request, "wait"), end_of_wait);
    } else {
        go_on(request);
    }
}

static void leave(struct request *request)
{
    if (request_user(request))
        atomic_fetch_sub(&in_flight, 1);
}

static const struct route routes[] = {
    {"GET", "/answer", "answer", answer, false},
    {"POST", "/answer", "answer", answer, true},
    {"GET", "/empty", "empty", answer_empty, false},
    {"GET", "/handled", "handled", count_handled, false},
    {"GET", "/open", "open", count_open, false},
    {"POST", "/told", "told", tell, true},
};

static const struct api api = {.name = "faults",
                               .routes = routes,
                               .route_count = sizeof routes / sizeof *routes,
                               .enter = enter,
                               .leave = leave,
                               .refuse = problem_refuse};

int main(void)
{
    static struct runner runner;
    const struct api *apis[] = {&api};
    struct rlimit files;
    struct listener listener;
    struct server *server;
    struct err err;
    sigset_t ends;
    int number_of_signal;

    signal(SIGPIPE, SIG_IGN);
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigprocmask(SIG_BLOCK, &ends, NULL);
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    runner_start(&runner);
    struct server_options options = {.threads = 2,
                                     .max_connections = 6000,
                                     .max_body = BODY_MAX,
                                     .deadlines = runner.deadlines,
                                     .apis = apis,
                                     .api_count = 1};
    if (listener_open("127.0.0.1", 0, &listener, &err) < 0 ||
        server_start(&options, &listener, 1, &server, &err) < 0) {
        fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    printf("understudy 0 ready on %s\n", listener.url);
    fflush(stdout);
    sigwait(&ends, &number_of_signal);
    server_drain(server, ERR_STOPPING);
    struct timespec linger = {.tv_nsec = LINGER_MS * 1000000L};
    nanosleep(&linger, NULL);
    server_stop(server, PATIENCE_MS);
    runner_stop(&runner);
    return 0;
}
