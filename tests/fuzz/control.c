/*
 * Control bodies: every POST, PUT and PATCH of /_mock, on the whole server without a sender. An
 * input is a byte that picks the operation, one that picks what its path names, and the body.
 *
 * Before each, the workspace is put back to one state. What is refused has changed nothing (C2),
 * says why as C4 has it, and is never a fault of ours; what is done leaves a state that can be put
 * back, and then is the same. What waits ends at a reset (C9).
 */
#include "control/internal.h"
#include "fuzz.h"
#include "program.h"
#include "wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    RENEW = 2000,      /* inputs, after which the store is made afresh */
    PATIENCE_MS = 200, /* an answer that takes longer waits for something */
};

#define MOCK  "/w/acme-corp/_mock"
#define STATE MOCK "/state?reveal=true"

static const struct program_options options = {.controlled = true};
static struct program *program;
static struct wire wire, other; /* one that asks, one that ends waits */
static char *state;             /* that each input begins with */
static char job[2][ID_HEX_SIZE], webhook[ID_HEX_SIZE], rule[RULE_ID_SIZE];

/* -- what there is ----------------------------------------------------------------------------- */

static char *get_state(void)
{
    struct wire_answer answer;
    wire_ask(&wire, "GET", STATE, NULL, &answer);
    FUZZ_CHECK(answer.status == 200, "no state: %d %.*s", answer.status, (int)answer.len,
               answer.body);
    return strndup(answer.body, answer.len);
}

static void put_state(const char *document)
{
    struct wire_answer answer;
    wire_ask(&wire, "PUT", MOCK "/state", document, &answer);
    FUZZ_CHECK(answer.status == 200, "a state cannot be put back: %.*s\n%s", (int)answer.len,
               answer.body, document);
}

/* Asks for an object, and copies a member of it. */
static void make(const char *target, const char *body, const char *member, char *copy, size_t size)
{
    int status;
    json_t *made = wire_ask_json(&wire, "POST", target, body, &status);
    const json_t *list = json_object_get(made, "items");
    const json_t *text = json_object_get(list ? json_array_get(list, 0) : made, member);
    FUZZ_CHECK(!copy || json_is_string(text), "%s: %d without %s", target, status, member);
    if (copy)
        snprintf(copy, size, "%s", json_string_value(text));
    json_decref(made);
}

#define JOBS   "/rest/v1/scenario-studio/jobs"
#define MEMBER "{\"user_email\":\"" PROGRAM_MEMBER "\",\"prompt\":\"A refund\""

static void begin(void)
{
    struct wire_answer answer;
    program = program_start(&options);
    wire = (struct wire){.fd = program_connect(program)};
    other = (struct wire){.fd = program_connect(program)};
    put_state("{\"version\":1,\"seed\":\"s\",\"clock\":{\"mode\":\"manual\","
              "\"now\":\"2030-01-01T00:00:00.000Z\"}}");
    make(JOBS, MEMBER ",\"callback_url\":\"http://inbox.test/x\"}", "id", job[0], sizeof job[0]);
    char target[80];
    snprintf(target, sizeof target, MOCK "/jobs/%s/transition", job[0]);
    make(target, "{\"to\":\"completed\"}", "id", NULL, 0);
    make(JOBS, MEMBER ",\"callback_headers\":{\"X-Key\":\"k\"},\"request_id\":\"r\"}", "id", job[1],
         sizeof job[1]);
    make("/rest/v1/scenario-studio", MEMBER "}", "id", NULL, 0);
    make("/api/projects/default/scenarios", "{\"name\":\"n\"}", "id", NULL, 0);
    make(MOCK "/rules", "{\"match\":{\"prompt\":\"x\"},\"times\":3}", "id", rule, sizeof rule);
    wire_ask(&wire, "GET", MOCK "/webhooks", NULL, &answer);
    json_t *list = json_loadb(answer.body, answer.len, 0, NULL);
    const json_t *first = json_array_get(json_object_get(list, "items"), 0);
    snprintf(webhook, sizeof webhook, "%s", json_string_value(json_object_get(first, "id")));
    json_decref(list);
    state = get_state();
}

static void end(void)
{
    wire_finish(&wire);
    wire_finish(&other);
    program_stop(program);
    free(state);
    program = NULL;
}

/* -- what is asked ----------------------------------------------------------------------------- */

static bool writes(const struct route *route)
{
    return strcmp(route->method, "GET") != 0 && strcmp(route->method, "DELETE") != 0;
}

static const struct route *pick_route(unsigned number)
{
    size_t count = 0;
    for (size_t i = 0; i < mock_route_count; i++)
        count += writes(&mock_routes[i]);
    number %= (unsigned)count;
    for (size_t i = 0;; i++)
        if (writes(&mock_routes[i]) && number-- == 0)
            return &mock_routes[i];
}

/* What stands in the place of {name}: most often something that is there. */
static const char *pick_param(const char *name, unsigned pick)
{
    if (pick % 8 == 7)
        return "nobody";
    if (strcmp(name, "{workspace}") == 0)
        return pick % 2 ? "acme-corp" : "another";
    if (strcmp(name, "{job}") == 0)
        return job[pick % 2];
    if (strcmp(name, "{webhook}") == 0)
        return webhook;
    if (strcmp(name, "{rule}") == 0)
        return rule;
    if (strcmp(name, "{key}") == 0)
        return PROGRAM_KEY;
    return "x";
}

static void put_target(struct buf *out, const struct route *route, unsigned pick)
{
    const char *at = route->pattern + strlen("/_mock");
    buf_puts(out, MOCK);
    for (size_t len; *at; at += len) {
        char name[32];
        bool is_param = *at == '{';
        len = is_param ? strcspn(at, "}") + 1 : strcspn(at, "{");
        snprintf(name, sizeof name, "%.*s", (int)len, at);
        if (is_param)
            buf_puts(out, pick_param(name, pick));
        else
            buf_append(out, at, len);
    }
}

/* -- what comes of it -------------------------------------------------------------------------- */

static void check_problem(const struct wire_answer *answer)
{
    static const char *const members[] = {"type", "title", "detail"};
    FUZZ_CHECK(strcmp(answer->type, "application/problem+json") == 0, "%d as %s", answer->status,
               answer->type);
    json_t *problem = json_loadb(answer->body, answer->len, 0, NULL);
    FUZZ_CHECK(problem, "a problem that is no JSON: %.*s", (int)answer->len, answer->body);
    for (size_t i = 0; i < COUNT(members); i++)
        FUZZ_CHECK(json_string_length(json_object_get(problem, members[i])), "a problem without %s",
                   members[i]);
    FUZZ_CHECK(json_integer_value(json_object_get(problem, "status")) == answer->status,
               "a problem of another status");
    json_decref(problem);
}

/* All but when it was looked at. */
static json_t *read_state(const char *text)
{
    json_t *document = json_loads(text, 0, NULL);
    FUZZ_CHECK(document, "a state that is no JSON: %s", text);
    json_object_del(json_object_get(document, "clock"), "at");
    return document;
}

static void check_same(const char *before, const char *after, const char *why)
{
    json_t *first = read_state(before), *second = read_state(after);
    FUZZ_CHECK(json_equal(first, second), "%s:\n%s\n%s", why, before, after);
    json_decref(first);
    json_decref(second);
}

/* A clock that goes shows another time each time. */
static bool stands(const char *document)
{
    return strstr(document, "\"mode\":\"manual\"") || strstr(document, "\"mode\":\"auto\"");
}

static void check_state(int status)
{
    char *after = get_state();
    if (status >= 400) {
        check_same(state, after, "what was refused has changed something");
    } else if (stands(after)) {
        put_state(after);
        char *again = get_state();
        check_same(after, again, "putting a state back has changed it");
        free(again);
    }
    free(after);
}

/* Sends it; false where it waited, and a reset ended that. */
static bool ask(const char *method, const char *target, const char *body, size_t len,
                struct wire_answer *ret_answer)
{
    struct buf request = BUF_INIT;
    struct wire_answer reset;
    bool waited = false;
    buf_printf(&request, "%s %s HTTP/1.1\r\nHost: localhost\r\nContent-Length: %zu\r\n\r\n", method,
               target, len);
    buf_append(&request, body, len);
    wire_clear(&wire);
    wire_send(&wire, request.data, request.len);
    buf_finish(&request);
    while (!wire_answer(&wire, false, ret_answer)) {
        FUZZ_CHECK(!wire.ended, "%s %s: cut off", method, target);
        if (wire_read(&wire, waited ? 10000 : PATIENCE_MS))
            continue;
        FUZZ_CHECK(!waited, "%s %s: still no answer after a reset", method, target);
        wire_ask(&other, "POST", MOCK "/reset", "{}", &reset);
        waited = true;
    }
    return !waited;
}

/* Workspaces that were made are more than the next input counts on. */
static void remove_others(void)
{
    json_t *list = wire_ask_json(&wire, "GET", "/_mock/workspaces", NULL, NULL);
    const json_t *items = json_object_get(list, "items");
    for (size_t i = 0; i < json_array_size(items); i++) {
        char target[200];
        struct wire_answer answer;
        const char *id = json_string_value(json_object_get(json_array_get(items, i), "id"));
        snprintf(target, sizeof target, "/_mock/workspaces/%s", id);
        if (strcmp(id, "default") != 0)
            wire_ask(&wire, "DELETE", target, NULL, &answer);
    }
    json_decref(list);
}

static void clean_up(const struct route *route)
{
    struct wire_answer answer;
    if (strstr(route->pattern, "/workspaces"))
        remove_others();
    if (strstr(route->pattern, "/inbox"))
        wire_ask(&wire, "POST", MOCK "/reset", "{}", &answer);
    put_state(state);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static unsigned long inputs;
    struct fuzz_input input = {bytes, len};
    struct buf target = BUF_INIT;
    struct wire_answer answer;
    size_t body_len;
    if (program && ++inputs % RENEW == 0)
        end();
    if (!program)
        begin();
    const struct route *route = pick_route(fuzz_byte(&input));
    put_target(&target, route, fuzz_byte(&input));
    char *body = fuzz_rest(&input, &body_len);
    bool at_once = ask(route->method, target.data, body, body_len, &answer);
    bool is_post = strcmp(route->operation_id, "postToInbox") == 0; /* its replies are anything */
    FUZZ_CHECK(answer.status < 500 || is_post, "%s %s: %d %.*s", route->method, target.data,
               answer.status, (int)answer.len, answer.body);
    if (answer.status >= 400 && !is_post)
        check_problem(&answer);
    if (at_once && !is_post)
        check_state(answer.status);
    clean_up(route);
    buf_finish(&target);
    free(body);
    return 0;
}
