/* A client of HTTP/1.1 for the fuzzers: it sends any bytes, and reads answers strictly. */
#ifndef UNDERSTUDY_TESTS_FUZZ_WIRE_H
#define UNDERSTUDY_TESTS_FUZZ_WIRE_H

#include "base/buf.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* All that came on a connection. */
struct wire {
    int fd;
    struct buf in;
    size_t at; /* what was read as answers */
    bool ended;
};

struct wire_answer {
    int status;
    bool closes; /* Connection: close */
    char type[64];
    const char *body; /* within the wire's bytes, until more is read */
    size_t len;
};

/* Sends; what the server does not take any more is left out. */
void wire_send(struct wire *wire, const void *bytes, size_t len);
void wire_finish(struct wire *wire);

/* Lets go of what was read as answers. */
void wire_clear(struct wire *wire);

/* Waits for more bytes, or the end: false when none came in so many milliseconds. */
bool wire_read(struct wire *wire, int ms);

/*
 * The next answer, where it is there whole: 1; 0: there is none yet. One that breaks a rule of HTTP
 * ends the fuzzer. `is_head`: it has no body whatever its head says.
 */
int wire_answer(struct wire *wire, bool is_head, struct wire_answer *ret_answer);

/* Asks and waits for the answer, on a connection that stays; `body` may be NULL. Silence of ten
 * seconds, or an answer of 5xx, ends the fuzzer. */
void wire_ask(struct wire *wire, const char *method, const char *target, const char *body,
              struct wire_answer *ret_answer);

/* The same, with the answer read as JSON; to be released. */
json_t *wire_ask_json(struct wire *wire, const char *method, const char *target, const char *body,
                      int *ret_status);

#endif
