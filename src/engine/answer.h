/* What comes back from a receiver, as far as it is read, and kept. One thread's. */
#ifndef UNDERSTUDY_ENGINE_ANSWER_H
#define UNDERSTUDY_ENGINE_ANSWER_H

#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    ANSWER_MAX = 64 * 1024,  /* bytes of heads, and of the body, that are read */
    ANSWER_KEPT = 16 * 1024, /* bytes of the body that are kept */
};

/* All zeroes: nothing has come yet. */
struct answer {
    size_t head_bytes, body_bytes; /* that were read */
    struct buf head;               /* of the last response; those before are 1xx */
    bool is_interim;               /* that one is, too: the answer is to come */
    bool has_head;                 /* the answer's is there whole */
    struct buf body;               /* its beginning */
    bool head_too_long, body_too_long;
    struct buf headers; /* answer_read_head(): a JSON list of [name, value]; empty: there is none */
    int64_t retry_after; /* likewise; ms, -1: not said */
};

void answer_finish(struct answer *answer);

/* libcurl's callbacks, whose `arg` is the answer: a line of a head, or of trailers; of a body. */
size_t answer_take_head(char *line, size_t size, size_t count, void *arg);
size_t answer_take_body(char *bytes, size_t size, size_t count, void *arg);

/* Reads the head that has come, at real time `now`. */
void answer_read_head(struct answer *answer, int64_t now);

/* ms from the value of a Retry-After, seconds or a date, at real time `now`; -1: it is neither. */
int64_t answer_retry_after(const char *value, int64_t now);

#endif
