#include "program.h"

#include "control/control.h"
#include "control/intercept.h"
#include "control/recorder.h"
#include "engine/engine.h"
#include "engine/journal.h"
#include "fuzz.h"
#include "http/internal.h"
#include "scenarios/scenarios.h"
#include "store/store.h"
#include "studio/studio.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BODY_MAX = 64 * 1024, PATIENCE_MS = 5000, PATH_SIZE = 320 };

struct program {
    struct program_options options;
    char path[PATH_SIZE];
    struct store *store;
    struct engine *engine;
    struct reach *reach;
    struct control control;
    struct studio studio;
    struct scenarios scenarios;
    const struct api *apis[5];
    struct server *server;
};

/* -- files ------------------------------------------------------------------------------------- */

static void new_path(char path[PATH_SIZE])
{
    char directory[PATH_SIZE - sizeof "/store.db"];
    snprintf(directory, sizeof directory, "%s/XXXXXX", fuzz_directory());
    FUZZ_CHECK(mkdtemp(directory), "cannot make a directory");
    snprintf(path, PATH_SIZE, "%s/store.db", directory);
}

static void remove_store(const char *path)
{
    static const char *const ends[] = {"", "-wal", "-shm", "-journal", ".lock"};
    char name[PATH_SIZE + 16];
    for (size_t i = 0; i < COUNT(ends); i++) {
        snprintf(name, sizeof name, "%s%s", path, ends[i]);
        unlink(name);
    }
    snprintf(name, sizeof name, "%s", path);
    *strrchr(name, '/') = '\0';
    rmdir(name);
}

static void copy_file(const char *from, const char *to)
{
    char bytes[65536];
    ssize_t got = 0;
    int in = open(from, O_RDONLY | O_CLOEXEC);
    if (in < 0)
        return; /* there is no log, perhaps */
    int out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    while ((got = read(in, bytes, sizeof bytes)) > 0)
        FUZZ_CHECK(write(out, bytes, (size_t)got) == got, "cannot write %s", to);
    FUZZ_CHECK(got == 0, "cannot read %s", from);
    close(in);
    close(out);
}

/* On the writer's thread, so that nothing is half written, and no checkpoint under way. */
struct copying {
    struct write write;
    const char *from, *to;
};

static int copy_store(struct write *self, struct db *db)
{
    static const char *const ends[] = {"", "-wal"};
    const struct copying *copying = (struct copying *)self;
    (void)db;
    for (size_t i = 0; i < COUNT(ends); i++) {
        char from[PATH_SIZE + 8], to[PATH_SIZE + 8];
        snprintf(from, sizeof from, "%s%s", copying->from, ends[i]);
        snprintf(to, sizeof to, "%s%s", copying->to, ends[i]);
        copy_file(from, to);
    }
    return 0;
}

/* -- start and stop ---------------------------------------------------------------------------- */

static void start_engine(struct program *program)
{
    static const struct reach_options nowhere = {.policy = REACH_PUBLIC};
    struct err err = {""};
    struct engine_options options = {
        .settings = {.queue_time = 10000,
                     .processing_time = 20000,
                     .max_processing = program->options.max_processing,
                     .magic = true},
        .journal_memory = JOURNAL_BYTES_MAX,
        .journal_threads = 1,
        .sender = {.version = "0"},
    };
    FUZZ_CHECK(reach_create(&nowhere, &program->reach, &err) == 0, "%s", err.text);
    if (program->options.sends)
        options.sender.reach = program->reach;
    FUZZ_CHECK(engine_start(program->store, &options, &program->engine, &err) == 0, "%s", err.text);
}

static void init_apis(struct program *program)
{
    struct control_options options = {.policy = {.open = true},
                                      .version = "0",
                                      .options_json = "{}",
                                      .apis = program->apis,
                                      .api_count = 3};
    studio_init(&program->studio, program->engine, NULL, false);
    scenarios_init(&program->scenarios, program->engine, false);
    if (program->options.controlled) {
        program->studio.intercept = intercept_hook(program->engine);
        program->scenarios.intercept = intercept_hook(program->engine);
    }
    program->apis[0] = &program->studio.api;
    program->apis[1] = &program->scenarios.api;
    program->apis[2] = &program->studio.pages;
    program->apis[3] = &program->control.api;
    program->apis[4] = &program->control.mock;
    FUZZ_CHECK(control_init(&program->control, program->engine, &options) == 0, "no memory");
}

static void start_server(struct program *program)
{
    struct err err = {""};
    struct listener listener;
    struct server_options options = {.threads = 1,
                                     .max_connections = 64,
                                     .max_body = BODY_MAX,
                                     .deadlines = engine_deadlines(program->engine),
                                     .apis = program->apis,
                                     .api_count = program->options.controlled ? 5 : 4};
    init_apis(program);
    options.recorder = recorder_of(&program->control);
    FUZZ_CHECK(listener_open("127.0.0.1", 0, &listener, &err) == 0, "%s", err.text);
    FUZZ_CHECK(server_start(&options, &listener, 1, &program->server, &err) == 0, "%s", err.text);
}

static struct program *start_at(const struct program_options *options, const char *path)
{
    struct err err = {""};
    struct program *program = calloc(1, sizeof *program);
    FUZZ_CHECK(program, "no memory");
    signal(SIGPIPE, SIG_IGN);
    program->options = *options;
    snprintf(program->path, sizeof program->path, "%s", path);
    FUZZ_CHECK(store_open(path, DURABILITY_PROCESS, &program->store, &err) == 0, "%s", err.text);
    start_engine(program);
    start_server(program);
    return program;
}

struct program *program_start(const struct program_options *options)
{
    char path[PATH_SIZE];
    curl_global_init(CURL_GLOBAL_DEFAULT);
    new_path(path);
    return start_at(options, path);
}

static void stop(struct program *program)
{
    server_drain(program->server, ERR_STOPPING);
    engine_end_waits(program->engine);
    server_stop(program->server, PATIENCE_MS);
    control_finish(&program->control);
    engine_stop(program->engine);
    reach_destroy(program->reach);
    store_close(program->store);
}

void program_stop(struct program *program)
{
    stop(program);
    remove_store(program->path);
    free(program);
}

void program_save(struct program *program, const char *path)
{
    stop(program);
    copy_file(program->path, path);
    remove_store(program->path);
    free(program);
}

struct program *program_crash(struct program *program)
{
    char path[PATH_SIZE];
    new_path(path);
    struct copying copying = {{.run = copy_store}, program->path, path};
    FUZZ_CHECK(store_write(program->store, &copying.write) == 0, "the store was not copied");
    struct program *next = start_at(&program->options, path);
    program_stop(program);
    return next;
}

int program_connect(struct program *program)
{
    int pair[2];
    struct sockaddr_in peer = {.sin_family = AF_INET, .sin_port = htons(40000)};
    peer.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    FUZZ_CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0, "no socket pair");
    fcntl(pair[1], F_SETFL, O_NONBLOCK);
    FUZZ_CHECK(MHD_add_connection(program->server->daemons[0], pair[1], (struct sockaddr *)&peer,
                                  sizeof peer) == MHD_YES,
               "the connection was not taken");
    return pair[0];
}
