/*
 * Wiring: options → sockets → store → engine → server → wait for a signal → stop, in the opposite
 * order. Sockets come first, so that a taken port is known before the store is touched.
 */
#include "base/address.h"
#include "base/blot.h"
#include "base/log.h"
#include "config.h"
#include "control/control.h"
#include "control/intercept.h"
#include "control/recorder.h"
#include "engine/engine.h"
#include "healthcheck.h"
#include "http/server.h"
#include "listen.h"
#include "report_command.h"
#include "report_files.h"
#include "scenarios/scenarios.h"
#include "store/store.h"
#include "studio/studio.h"
#include "version.h"

#include <assert.h>
#include <curl/curl.h>
#include <errno.h>
#include <jansson.h>
#include <nettle/version.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sysexits.h>
#include <unistd.h>
#include <unistring/version.h>

enum {
    /* Descriptors beside connections: the program's and the writer's; and a thread's, for its event
       loop and its reader of the store. Attempts at callbacks have one each, and where there are
       too few, this part of all. */
    OTHER_DESCRIPTORS = 32,
    THREAD_DESCRIPTORS = 6,
    ATTEMPTS_SHARE = 16,
    /* While stopping: new connections are still served for a moment, so that a load balancer that
       sees /readyz fail has time to look away; then what runs may take this long to finish. */
    LINGER_MS = 100,
    PATIENCE_MS = 7000,
    /* Where the store has failed there is nothing to wait for but the answers that say so. */
    FAILED_PATIENCE_MS = 300,
};

extern char **environ;

static int exit_code(int error)
{
    switch (error) {
    case ERR_CORRUPT:
    case ERR_FOREIGN:
    case ERR_NEWER:
        return EX_DATAERR;
    case ERR_IN_USE:
    case ERR_NOT_FOUND: /* no such address on this machine */
        return EX_UNAVAILABLE;
    case ERR_CREATE:
        return EX_CANTCREAT;
    case ERR_IO:
    case ERR_FULL:
        return EX_IOERR;
    case ERR_HELD:
    case ERR_BUSY:
        return EX_TEMPFAIL;
    case ERR_PERMISSION:
        return EX_NOPERM;
    case ERR_INVALID:
        return EX_CONFIG;
    case ERR_NO_MEMORY:
        return EX_OSERR;
    default:
        return EX_SOFTWARE;
    }
}

static int complain(int error, const struct err *err)
{
    fprintf(stderr, "understudy: %s\n", err->text);
    return exit_code(error);
}

static const char *curl_library(void)
{
    static char text[40];
    snprintf(text, sizeof text, "libcurl %s", curl_version_info(CURLVERSION_NOW)->version);
    return text;
}

static const char *unistring_library(void)
{
    static char text[40];
    snprintf(text, sizeof text, "libunistring %d.%d", _libunistring_version >> 16,
             _libunistring_version >> 8 & 0xff);
    return text;
}

static const char *nettle_library(void)
{
    static char text[40];
    snprintf(text, sizeof text, "nettle %d.%d", nettle_version_major(), nettle_version_minor());
    return text;
}

/*
 * Raises the limit of open files as far as it is needed and allowed. Where that is not far enough,
 * fewer callbacks are sent at once, then fewer threads and connections are used than were asked
 * for, and that is said.
 */
static void fit_descriptors(const struct config *config, size_t listeners,
                            struct server_options *options, size_t *ret_attempts)
{
    struct rlimit limit;
    rlim_t others = OTHER_DESCRIPTORS + (rlim_t)(options->threads * listeners) * THREAD_DESCRIPTORS;
    rlim_t attempts = SENDER_IN_ALL;
    rlim_t wanted = (rlim_t)config->max_connections + others;
    *ret_attempts = SENDER_IN_ALL;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return;
    if (limit.rlim_cur < wanted + attempts) {
        limit.rlim_cur = limit.rlim_max < wanted + attempts ? limit.rlim_max : wanted + attempts;
        setrlimit(RLIMIT_NOFILE, &limit);
        getrlimit(RLIMIT_NOFILE, &limit);
    }
    if (limit.rlim_cur >= wanted + attempts)
        return;
    if (attempts > limit.rlim_cur / ATTEMPTS_SHARE)
        attempts = limit.rlim_cur / ATTEMPTS_SHARE + 1;
    *ret_attempts = (size_t)attempts;
    others += attempts;
    wanted += attempts;
    if (limit.rlim_cur >= wanted)
        return;
    if (others > limit.rlim_cur / 2) { /* at least half is for connections */
        rlim_t kept = OTHER_DESCRIPTORS + attempts;
        rlim_t room = limit.rlim_cur / 2 > kept ? limit.rlim_cur / 2 - kept : 0;
        options->threads = (unsigned)(room / listeners / THREAD_DESCRIPTORS);
        if (!options->threads)
            options->threads = 1;
        others = limit.rlim_cur / 2;
    }
    options->max_connections = (unsigned)(limit.rlim_cur - others);
    log_event(LOG_WARN, "the limit of open files is too low for what was asked for",
              LOG_INT("limit", limit.rlim_cur), LOG_INT("connections", options->max_connections),
              LOG_INT("threads", options->threads));
}

/* -- what runs -----------------------------------------------------------------------------------
 */

struct program {
    const struct config *config;
    struct listener *listeners;
    size_t listener_count;
    struct store *store;
    struct engine *engine;
    struct control control;
    struct studio studio;
    struct scenarios scenarios;
    const struct api *apis[5];
    struct server_options limits;       /* threads and connections; the rest is start_server()'s */
    size_t attempts;                    /* at callbacks, at once */
    struct sockaddr_storage *addresses; /* of the listeners */
    struct reach *reach;
    struct trust trust;
    struct server *server;
};

static int start_engine(struct program *program, struct err *err)
{
    const struct config *config = program->config;
    struct engine_grant *grants =
        calloc(config->api_key_count + config->member_count + 1, sizeof *grants);
    struct engine_state *states = calloc(config->state_count + 1, sizeof *states);
    if (!grants || !states) {
        free(grants);
        free(states);
        return err_set(err, ERR_NO_MEMORY, "out of memory");
    }
    struct engine_options options = {
        .settings = {.queue_time = config->queue_time_ms,
                     .processing_time = config->processing_time_ms,
                     .max_processing = config->max_processing,
                     .magic = !config->no_magic},
        .journal_memory = config->journal ? (size_t)config->journal_memory : 0,
        .journal_threads = (unsigned)config->threads,
        .no_defaults = config->no_defaults,
        .states = states,
        .state_count = config->state_count,
        .keys = grants,
        .members = grants + config->api_key_count,
        .key_count = config->api_key_count,
        .member_count = config->member_count,
        .sender = {.reach = program->reach,
                   .trust = &program->trust,
                   .version = UNDERSTUDY_VERSION,
                   .in_all = program->attempts},
    };
    for (size_t i = 0; i < config->api_key_count; i++)
        grants[i] = (struct engine_grant){config->api_keys[i].key, config->api_keys[i].workspace};
    for (size_t i = 0; i < config->member_count; i++)
        grants[config->api_key_count + i] =
            (struct engine_grant){config->members[i].email, config->members[i].workspace};
    for (size_t i = 0; i < config->state_count; i++)
        states[i] = (struct engine_state){config->states[i].path, config->states[i].document};
    int status = engine_start(program->store, &options, &program->engine, err);
    free(states);
    free(grants);
    return status;
}

/* Whether nobody but this machine can reach it, as far as it was told (C7). */
static bool is_private(const struct program *program)
{
    const char *url = program->config->public_url;
    for (size_t i = 0; i < program->listener_count; i++)
        if (!address_url_is_loopback(program->listeners[i].url))
            return false;
    return !url || address_url_is_loopback(url);
}

static int start_server(struct program *program, struct err *err)
{
    const struct config *config = program->config;
    struct control_options control = {
        .policy = {.token = config->control_token,
                   .open = config->control == CONFIG_CONTROL_OPEN,
                   .private_listeners = is_private(program),
                   .public_url = config->public_url,
                   .allowed_hosts = (const char *const *)config->allowed_hosts,
                   .allowed_host_count = config->allowed_host_count},
        .version = UNDERSTUDY_VERSION,
        .options_json = config->options_json,
        .apis = program->apis, /* the studio's, the scenarios' and the pages' */
        .api_count = 3,
    };
    studio_init(&program->studio, program->engine, config->public_url, config->open_keys);
    scenarios_init(&program->scenarios, program->engine, config->strict_projects);
    program->studio.intercept = intercept_hook(program->engine);
    program->scenarios.intercept = intercept_hook(program->engine);
    program->apis[0] = &program->studio.api;
    program->apis[1] = &program->scenarios.api;
    program->apis[2] = &program->studio.pages;
    program->apis[3] = &program->control.mock;
    program->apis[4] = &program->control.api;
    if (control_init(&program->control, program->engine, &control) < 0)
        return err_set(err, ERR_NO_MEMORY, "out of memory");
    struct server_options options = program->limits;
    options.max_body = (size_t)config->max_body;
    options.deadlines = engine_deadlines(program->engine);
    options.recorder = recorder_of(&program->control);
    options.apis = program->apis;
    options.api_count = 5;
    return server_start(&options, program->listeners, program->listener_count, &program->server,
                        err);
}

/* Where callbacks may go, and whom they trust. */
static int start_reach(struct program *program, struct err *err)
{
    const struct config *config = program->config;
    program->addresses = calloc(program->listener_count, sizeof *program->addresses);
    if (!program->addresses)
        return err_set(err, ERR_NO_MEMORY, "out of memory");
    for (size_t i = 0; i < program->listener_count; i++)
        listener_address(&program->listeners[i], &program->addresses[i]);
    struct reach_options options = {
        .policy = (enum reach_policy)config->callback_policy,
        .allowed = (const char *const *)config->callback_allows,
        .allowed_count = config->callback_allow_count,
        .listeners = program->addresses,
        .listener_count = program->listener_count,
        .own_names = (const char *const *)config->allowed_hosts,
        .own_name_count = config->allowed_host_count,
        .public_url = config->public_url,
    };
    int status = trust_open(config->callback_ca, &program->trust, err);
    return status < 0 ? status : reach_create(&options, &program->reach, err);
}

/* The writer's thread: wakes main() as a signal does, which then looks why. */
static void end_by_failure(void *arg)
{
    (void)arg;
    kill(getpid(), SIGTERM);
}

static int start(struct program *program, struct err *err)
{
    const struct config *config = program->config;
    enum durability durability =
        config->durability == CONFIG_DURABILITY_POWER ? DURABILITY_POWER : DURABILITY_PROCESS;
    int status = listen_open(config, &program->listeners, &program->listener_count, err);
    assert(status < 0 || program->listener_count > 0); /* an address, or the fallback's */
    if (status == 0)
        status = report_files_check(config, err);
    if (status == 0)
        status = store_open(config->db, durability, &program->store, err);
    program->limits = (struct server_options){
        .threads = (unsigned)config->threads,
        .max_connections = (unsigned)config->max_connections,
    };
    if (status == 0)
        store_on_failure(program->store, end_by_failure, NULL);
    if (status == 0)
        fit_descriptors(config, program->listener_count, &program->limits, &program->attempts);
    if (status == 0)
        status = start_reach(program, err);
    if (status == 0)
        status = start_engine(program, err);
    if (status == 0)
        status = start_server(program, err);
    return status;
}

/* False: the store has failed, or a report could not be written. */
static bool stop(struct program *program)
{
    bool failed = program->store && store_health(program->store) == ERR_IO;
    bool written = true;
    if (program->server) {
        server_drain(program->server, failed ? ERR_IO : ERR_STOPPING);
        engine_end_waits(program->engine);
        poll(NULL, 0, LINGER_MS);
        store_hurry(program->store);
        /* All that was answered is counted. */
        server_stop(program->server, failed ? FAILED_PATIENCE_MS : PATIENCE_MS);
        written = report_files_write(program->config, &program->control);
    }
    control_finish(&program->control);
    engine_stop(program->engine);
    reach_destroy(program->reach);
    trust_close(&program->trust);
    free(program->addresses);
    store_close(program->store);
    if (program->listeners)
        listen_close(program->listeners, program->listener_count);
    return written && !failed;
}

static void announce(const struct program *program)
{
    for (size_t i = 1; i < program->listener_count; i++)
        log_event(LOG_INFO, "also listening", LOG_STR("url", program->listeners[i].url));
    log_event(LOG_INFO, "store", LOG_STR("file", store_path(program->store)));
    printf("understudy %s ready on %s\n", UNDERSTUDY_VERSION, program->listeners[0].url);
    (void)fflush(stdout);
}

/* Signals are taken by sigwait() alone: every thread inherits the mask. */
static void block_signals(sigset_t *ret_ends)
{
    (void)signal(SIGPIPE, SIG_IGN);
    sigemptyset(ret_ends);
    sigaddset(ret_ends, SIGTERM);
    sigaddset(ret_ends, SIGINT);
    sigaddset(ret_ends, SIGHUP);
    pthread_sigmask(SIG_BLOCK, ret_ends, NULL);
}

static void log_end(const struct program *program, int signal_number)
{
    if (store_health(program->store) == ERR_IO)
        log_event(LOG_ERROR, "the store's medium has failed: the server ends",
                  LOG_STR("file", store_path(program->store)));
    else
        log_event(LOG_INFO, "stopping", LOG_STR("signal", sigdescr_np(signal_number)));
}

static int serve(const struct config *config)
{
    /* Not on the stack: what AddressSanitizer puts in its place is not aligned as this is to be. */
    static struct program program = {.trust = {.fd = -1}};
    struct err err = {"out of memory"};
    sigset_t ends;
    int signal_number;

    program.config = config;
    log_setup((enum log_level)config->log_level, (enum log_format)config->log_format);
    blot_set_token(config->control_token);
    block_signals(&ends);
    curl_global_init(CURL_GLOBAL_DEFAULT); /* before any thread */
    int status = start(&program, &err);
    int code = EX_OK;
    if (status < 0) {
        code = complain(status, &err);
    } else {
        announce(&program);
        sigwait(&ends, &signal_number);
        log_end(&program, signal_number);
    }
    if (!stop(&program) && code == EX_OK)
        code = EX_IOERR;
    return code;
}

static void print(int fd, const struct buf *text)
{
    for (size_t at = 0; at < text->len;) {
        ssize_t written = write(fd, text->data + at, text->len - at);
        if (written < 0 && errno != EINTR)
            return;
        at += written > 0 ? (size_t)written : 0;
    }
}

int main(int argc, char **argv)
{
    static char jansson[40];
    snprintf(jansson, sizeof jansson, "jansson %s", jansson_version_str());
    const char *libraries[] = {server_library(),    store_library(),  jansson, curl_library(),
                               unistring_library(), nettle_library(), NULL};
    if (argc > 1 && strcmp(argv[1], "report") == 0)
        return report_command(argc - 1, argv + 1, environ);
    const struct config_about about = {.version = UNDERSTUDY_VERSION, .libraries = libraries};
    struct config config;
    struct config_report report;

    enum config_verdict verdict = config_load(argc, argv, environ, &about, &config, &report);
    print(STDOUT_FILENO, &report.out);
    print(STDERR_FILENO, &report.errors);
    int code = report.exit_code;
    config_report_finish(&report);
    if (verdict == CONFIG_EXIT)
        return code;
    code = config.command == CONFIG_HEALTHCHECK ? healthcheck(&config) : serve(&config);
    config_finish(&config);
    return code;
}
