/*
 * A damaged store: patches to a valid file, whose bytes an input gives: a place, a length, and what
 * is there instead; or where the file ends. Such a store opens, or is refused with a reason that
 * has an exit code of its own, and its bytes are as they were. What opens, serves or refuses, but
 * never ends the program.
 */
#include "engine/engine.h"
#include "engine/state.h"
#include "fuzz.h"
#include "program.h"
#include "store/store.h"
#include "wire.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char path[300];
static uint8_t *image;
static size_t image_len;

static uint8_t *read_whole(const char *name, size_t *ret_len)
{
    struct stat about;
    int fd = open(name, O_RDONLY | O_CLOEXEC);
    FUZZ_CHECK(fd >= 0 && fstat(fd, &about) == 0, "cannot read %s", name);
    uint8_t *bytes = malloc((size_t)about.st_size + 1);
    FUZZ_CHECK(read(fd, bytes, (size_t)about.st_size) == about.st_size, "cannot read %s", name);
    close(fd);
    *ret_len = (size_t)about.st_size;
    return bytes;
}

static void write_whole(const uint8_t *bytes, size_t len)
{
    static const char *const others[] = {"-wal", "-shm", "-journal", ".lock"};
    char name[320];
    for (size_t i = 0; i < COUNT(others); i++) {
        snprintf(name, sizeof name, "%s%s", path, others[i]);
        unlink(name);
    }
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    FUZZ_CHECK(fd >= 0 && write(fd, bytes, len) == (ssize_t)len, "cannot write %s", path);
    close(fd);
}

/* -- a store with a little of all -------------------------------------------------------------- */

static void fill(struct program *program)
{
    static const struct {
        const char *method, *target, *body;
    } calls[] = {
        {"PUT", "/_mock/clock", "{\"mode\":\"manual\",\"now\":\"2024-03-01T10:00:00Z\"}"},
        {"POST", "/rest/v1/scenario-studio/jobs",
         "{\"user_email\":\"" PROGRAM_MEMBER "\",\"prompt\":\"A refund\",\"request_id\":\"r\","
         "\"callback_url\":\"http://inbox.test/hook\",\"callback_headers\":{\"X-Key\":\"k\"}}"},
        {"POST", "/rest/v1/scenario-studio",
         "{\"user_email\":\"" PROGRAM_MEMBER "\",\"prompt\":\"B\"}"},
        {"POST", "/_mock/rules",
         "{\"match\":{\"prompt\":\"x\"},\"job\":{\"fail\":true},\"times\":2}"},
        {"POST", "/api/projects/default/scenarios", "{\"name\":\"n\",\"messages\":[]}"},
        {"PUT", "/_mock/inbox/hook/replies", "[{\"status\":500,\"times\":1}]"},
        {"POST", "/_mock/clock/advance", "{\"by\":\"1h\"}"},
        {"POST", "/rest/v1/scenario-studio/jobs",
         "{\"user_email\":\"" PROGRAM_MEMBER "\",\"prompt\":\"Another\"}"},
    };
    struct wire wire = {.fd = program_connect(program)};
    struct wire_answer answer;
    for (size_t i = 0; i < COUNT(calls); i++)
        wire_ask(&wire, calls[i].method, calls[i].target, calls[i].body, &answer);
    wire_finish(&wire);
}

static void make_image(void)
{
    static const struct program_options options = {.controlled = true, .sends = true};
    char copy[300];
    struct program *program = program_start(&options);
    fill(program);
    snprintf(copy, sizeof copy, "%s/copy.db", fuzz_directory());
    snprintf(path, sizeof path, "%s", copy);
    program_save(program, copy);
    image = read_whole(copy, &image_len);
}

/* -- what becomes of it ------------------------------------------------------------------------ */

static uint8_t *damage(struct fuzz_input *input, size_t *ret_len)
{
    uint8_t *bytes = malloc(image_len);
    *ret_len = image_len;
    memcpy(bytes, image, image_len);
    while (input->left) {
        size_t place = fuzz_number(input, 3) % image_len, len = fuzz_byte(input);
        if (!len)
            *ret_len = place;
        for (size_t i = place; len && i < image_len; i++, len--)
            bytes[i] = (uint8_t)fuzz_byte(input);
    }
    return bytes;
}

static void try_state(struct store *store, struct engine *engine)
{
    struct err err;
    struct buf out = BUF_INIT;
    struct db *db = store_reader(store, &err);
    struct workspace *workspace = registry_default(engine_registry(engine));
    if (db && workspace)
        state_write(db, workspace->row.pk, NULL, true, &out);
    workspace_release(workspace);
    buf_finish(&out);
}

static void try_engine(struct store *store)
{
    struct engine *engine = NULL;
    struct err err = {""};
    struct engine_options options = {.settings = {.queue_time = 10000, .processing_time = 20000}};
    int status = engine_start(store, &options, &engine, &err);
    FUZZ_CHECK(status == 0 || *err.text, "status %d without a reason", status);
    if (status == 0)
        try_state(store, engine);
    engine_stop(engine);
}

static void check_refused(int status, const struct err *err, const uint8_t *bytes, size_t len)
{
    static const int known[] = {ERR_CORRUPT, ERR_FOREIGN, ERR_NEWER, ERR_IO};
    size_t now_len, i = 0;
    while (i < COUNT(known) && known[i] != status)
        i++;
    FUZZ_CHECK(i < COUNT(known), "refused with %d: %s", status, err->text);
    FUZZ_CHECK(*err->text, "refused without a reason");
    uint8_t *now = read_whole(path, &now_len);
    FUZZ_CHECK(now_len == len && memcmp(now, bytes, len) == 0, "refused (%s), and changed",
               err->text);
    free(now);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct fuzz_input input = {bytes, len};
    struct store *store = NULL;
    struct err err = {""};
    size_t damaged_len;
    if (!image)
        make_image();
    uint8_t *damaged = damage(&input, &damaged_len);
    write_whole(damaged, damaged_len);
    int status = store_open(path, DURABILITY_PROCESS, &store, &err);
    if (status < 0)
        check_refused(status, &err, damaged, damaged_len);
    else
        try_engine(store);
    if (status == 0)
        store_close(store);
    free(damaged);
    return 0;
}
