/*
 * Jobs, as a model: the bytes of an input are read as what is done to the whole server: jobs made,
 * cancelled, steered, read, the clock moved, settings changed, a state put back, and the server
 * killed. After each, every job is looked at: states move only as S22 allows and an end never
 * changes, created ≤ started ≤ completed ≤ now, the transitions that are told are those that were,
 * and an end owes one callback. At the end all is settled: each such callback is in the inbox, once
 * unless the server was killed meanwhile.
 */
#include "fuzz.h"
#include "program.h"
#include "wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { JOBS_MAX = 24, STEPS_MAX = 32, CRASHES_MAX = 2, TARGET_SIZE = 160 };

#define JOBS "/rest/v1/scenario-studio/jobs"

struct known {
    char id[16];
    bool has_callback;
    char status[16];
    char *end;    /* the whole, once it has ended */
    bool is_past; /* it ended before a state was put back, which empties inboxes */
};

static struct program *program;
static struct wire wire;
static struct known known[JOBS_MAX];
static size_t count;
static unsigned crashes;

static void open_wire(void)
{
    wire = (struct wire){.fd = program_connect(program)};
}

/* -- looking ----------------------------------------------------------------------------------- */

static const char *const statuses[] = {"queued", "processing", "completed", "failed", "cancelled"};

static int rank(const char *status)
{
    for (size_t i = 0; i < COUNT(statuses); i++)
        if (strcmp(statuses[i], status) == 0)
            return i < 2 ? (int)i : 2;
    fuzz_fail(__FILE__, __LINE__, "no state is called %s", status);
}

static const char *text_of(const json_t *object, const char *member)
{
    return json_string_value(json_object_get(object, member));
}

enum { SECONDS_LEN = sizeof "2030-01-01T00:00:00" - 1 }; /* some have milliseconds, some not */

static void check_order(const char *id, const char *first, const char *second)
{
    FUZZ_CHECK(!first || !second || strncmp(first, second, SECONDS_LEN) <= 0, "%s: %s is after %s",
               id, first, second);
}

static void check_times(const json_t *job, const char *now)
{
    const char *id = text_of(job, "id"), *status = text_of(job, "status");
    const char *created = text_of(job, "created_at"), *started = text_of(job, "started_at");
    const char *completed = text_of(job, "completed_at");
    bool ended = rank(status) == 2;
    check_order(id, created, started);
    check_order(id, started ? started : created, completed);
    FUZZ_CHECK((completed != NULL) == ended, "%s is %s, and its end is %s", id, status, completed);
    FUZZ_CHECK(started || strcmp(status, "queued") == 0 || strcmp(status, "cancelled") == 0,
               "%s is %s, and never began", id, status);
    FUZZ_CHECK(json_is_null(json_object_get(job, "scenario")) == (strcmp(status, "completed") != 0),
               "%s is %s, and its scenario is not", id, status);
    FUZZ_CHECK(json_is_null(json_object_get(job, "error")) == (strcmp(status, "failed") != 0),
               "%s is %s, and its error is not", id, status);
    FUZZ_CHECK(json_is_number(json_object_get(job, "duration_seconds")) == (completed && started),
               "%s lasted a while", id);
    check_order(id, completed, now);
}

/* From the first to the present state, each from the one before, in order of time. */
static void check_transitions(const json_t *job)
{
    const char *id = text_of(job, "id"), *at = NULL;
    const json_t *list = json_object_get(job, "transitions"), *each;
    int before = -1;
    size_t index;
    json_array_foreach(list, index, each)
    {
        int now = rank(text_of(each, "to"));
        check_order(id, at, text_of(each, "at"));
        FUZZ_CHECK(now > before && (index || !now), "%s goes from %d to %d", id, before, now);
        FUZZ_CHECK(now < 2 || before == 1 || strcmp(text_of(each, "to"), "cancelled") == 0,
                   "%s is %s without having begun", id, text_of(each, "to"));
        before = now;
        at = text_of(each, "at");
    }
    const json_t *last = json_array_get(list, json_array_size(list) - 1);
    FUZZ_CHECK(strcmp(text_of(last, "to"), text_of(job, "status")) == 0, "%s: %s is not the last",
               id, text_of(job, "status"));
}

static void check_job(struct known *was, const json_t *job, const char *now)
{
    const char *status = text_of(job, "status");
    FUZZ_CHECK(strcmp(text_of(job, "id"), was->id) == 0, "%s is in the place of %s",
               text_of(job, "id"), was->id);
    FUZZ_CHECK(rank(status) > rank(was->status) || strcmp(status, was->status) == 0,
               "%s went from %s to %s", was->id, was->status, status);
    check_times(job, now);
    check_transitions(job);
    if (rank(status) == 2) {
        char *whole = json_dumps(job, JSON_COMPACT);
        FUZZ_CHECK(!was->end || strcmp(was->end, whole) == 0, "an end has changed:\n%s\n%s",
                   was->end, whole);
        free(was->end);
        was->end = whole;
    }
    snprintf(was->status, sizeof was->status, "%s", status);
}

/* One for each end that has a callback, and none else. */
static void check_owed(const json_t *webhooks)
{
    for (size_t i = 0; i < count; i++) {
        size_t index, owed = 0, right = known[i].has_callback && known[i].end;
        const json_t *each;
        json_array_foreach(webhooks, index, each) owed +=
            strcmp(text_of(each, "job"), known[i].id) == 0;
        FUZZ_CHECK(owed == right, "%s, which is %s, owes %zu", known[i].id, known[i].status, owed);
    }
}

static json_t *get(const char *target)
{
    int status;
    json_t *answer = wire_ask_json(&wire, "GET", target, NULL, &status);
    FUZZ_CHECK(status == 200, "%s: %d", target, status);
    return answer;
}

static void look(void)
{
    json_t *jobs = get("/_mock/jobs?limit=1000"), *webhooks = get("/_mock/webhooks?limit=1000");
    json_t *clock = get("/_mock/clock");
    const json_t *items = json_object_get(jobs, "items");
    FUZZ_CHECK(json_array_size(items) == count, "%zu jobs of %zu", json_array_size(items), count);
    for (size_t i = 0; i < count; i++)
        check_job(&known[i], json_array_get(items, i), text_of(clock, "now"));
    check_owed(json_object_get(webhooks, "items"));
    json_decref(jobs);
    json_decref(webhooks);
    json_decref(clock);
}

/* -- doing ------------------------------------------------------------------------------------- */

static int ask(const char *method, const char *target, const char *body)
{
    int status;
    json_decref(wire_ask_json(&wire, method, target, body, &status));
    return status;
}

static const char *pick(struct fuzz_input *input)
{
    unsigned number = fuzz_byte(input);
    return count ? known[number % count].id : "000000000000";
}

static void create(struct fuzz_input *input)
{
    static const char *const tags[] = {"", "", "+fail", "+hold", "+slow-1h", "+policy"};
    static const char *const lines[] = {"",
                                        "",
                                        "",
                                        "\\n#mock polls_queued=2 polls_processing=2",
                                        "\\n#mock queued=0s processing=0s",
                                        "\\n#mock hold=queued"};
    char body[600];
    int status;
    unsigned flags = fuzz_byte(input);
    if (count == JOBS_MAX)
        return;
    snprintf(
        body, sizeof body,
        "{\"user_email\":\"jane%s@acme.com\",\"prompt\":\"A refund%s\",\"request_id\":\"r%u\"%s}",
        tags[flags % COUNT(tags)], lines[flags / 8 % COUNT(lines)], fuzz_byte(input) % 16,
        flags & 128 ? "" : ",\"callback_url\":\"http://inbox.test/hook\"");
    json_t *job = wire_ask_json(&wire, "POST", JOBS, body, &status);
    bool is_new = json_is_true(json_object_get(job, "is_new"));
    FUZZ_CHECK((status == 201) == is_new, "%s: %d", body, status);
    if (is_new) {
        struct known *made = &known[count++];
        *made = (struct known){.has_callback = !(flags & 128), .status = "queued"};
        snprintf(made->id, sizeof made->id, "%s", text_of(job, "id"));
    }
    json_decref(job);
}

static void move_clock(struct fuzz_input *input)
{
    char body[80];
    unsigned kind = fuzz_byte(input);
    if (kind % 4 == 0)
        snprintf(body, sizeof body, "{\"events\":%u}", 1 + kind / 4);
    else
        snprintf(body, sizeof body, "{\"by\":\"%u%s\"}", fuzz_byte(input),
                 kind % 4 == 1 ? "ms" : "s");
    FUZZ_CHECK(ask("POST", "/_mock/clock/advance", body) == 200, "the clock stays: %s", body);
}

/* What may happen to a job by hand: cancelled, read, transition, released. */
static void handle(struct fuzz_input *input)
{
    char target[TARGET_SIZE], body[80];
    unsigned kind = fuzz_byte(input);
    const char *id = pick(input);
    snprintf(target, sizeof target, JOBS "/%s", id);
    if (kind % 4 < 2) {
        ask(kind % 4 ? "GET" : "DELETE", target, NULL);
        return;
    }
    snprintf(target, sizeof target, "/_mock/jobs/%s/%s", id,
             kind % 4 == 2 ? "transition" : "release");
    snprintf(body, sizeof body, "{\"to\":\"%s\"}", statuses[1 + kind / 4 % 4]);
    ask("POST", target, kind % 4 == 2 ? body : NULL);
}

static void set(struct fuzz_input *input)
{
    char body[160];
    unsigned limit = fuzz_byte(input) % 4, queue = fuzz_byte(input), processing = fuzz_byte(input);
    snprintf(body, sizeof body,
             "{\"max_processing\":%u,\"queue_time\":\"%us\",\"processing_time\":\"%us\","
             "\"jitter\":0.%u}",
             limit, queue % 32, processing % 32, processing / 32);
    FUZZ_CHECK(ask("PATCH", "/_mock/settings", body) == 200, "settings: %s", body);
}

static void put_back(void)
{
    struct wire_answer answer;
    wire_ask(&wire, "GET", "/_mock/state?reveal=true", NULL, &answer);
    char *state = strndup(answer.body, answer.len);
    FUZZ_CHECK(ask("PUT", "/_mock/state", state) == 200, "a state cannot be put back: %s", state);
    for (size_t i = 0; i < count; i++)
        known[i].is_past = known[i].end != NULL;
    free(state);
}

static void crash(void)
{
    if (crashes == CRASHES_MAX)
        return;
    crashes++;
    wire_finish(&wire);
    program = program_crash(program);
    open_wire();
}

static void step(struct fuzz_input *input)
{
    switch (fuzz_byte(input) % 8) {
    case 0:
    case 1:
        create(input);
        break;
    case 2:
    case 3:
        move_clock(input);
        break;
    case 4:
    case 5:
        handle(input);
        break;
    case 6:
        set(input);
        break;
    case 7:
        if (fuzz_byte(input) % 2)
            crash();
        else
            put_back();
        break;
    }
}

/* -- all of it --------------------------------------------------------------------------------- */

static void begin(void)
{
    static const struct program_options options = {.controlled = true, .sends = true};
    if (!program) {
        program = program_start(&options);
        open_wire();
    }
    count = crashes = 0;
    ask("POST", "/_mock/reset", "{}");
    FUZZ_CHECK(
        ask("PUT", "/_mock/clock", "{\"mode\":\"manual\",\"now\":\"2030-01-01T00:00:00Z\"}") == 200,
        "the clock does not stand");
}

/* Whatever is held goes on; then nothing is left to do, and every callback has come. */
static void settle(void)
{
    char target[TARGET_SIZE];
    for (size_t i = 0; i < count; i++) {
        snprintf(target, sizeof target, "/_mock/jobs/%.12s/transition", known[i].id);
        ask("POST", target, "{\"to\":\"cancelled\"}");
    }
    FUZZ_CHECK(ask("POST", "/_mock/clock/advance", "{\"until\":\"settled\"}") == 200,
               "nothing settles");
    look();
    json_t *inbox = get("/_mock/inbox/hook?limit=1000");
    const json_t *items = json_object_get(inbox, "items"), *each;
    for (size_t i = 0; i < count; i++) {
        size_t index, got = 0;
        json_array_foreach(items, index, each) got +=
            strcmp(text_of(each, "job"), known[i].id) == 0;
        size_t least = known[i].has_callback && !known[i].is_past;
        FUZZ_CHECK(got >= least, "%s has not called", known[i].id);
        FUZZ_CHECK(got <= known[i].has_callback || crashes, "%s has called %zu times", known[i].id,
                   got);
    }
    json_decref(inbox);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct fuzz_input input = {bytes, len};
    begin();
    for (int i = 0; i < STEPS_MAX && input.left; i++) {
        step(&input);
        look();
    }
    settle();
    while (count)
        free(known[--count].end);
    return 0;
}
