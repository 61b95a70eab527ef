/*
 * Outcomes: every answer that an operation may give, under a name of its own, so that a rule can
 * ask for it. An API lists its own and writes them by what its handlers answer with. HTTP threads.
 */
#ifndef UNDERSTUDY_HTTP_OUTCOME_H
#define UNDERSTUDY_HTTP_OUTCOME_H

#include "base/buf.h"
#include "http/fault.h"
#include "http/router.h"

#include <stdint.h>

enum { OUTCOME_HEADERS_MAX = 8, /* of a page */ OUTCOME_HEADER_SIZE = 64 };

/* An answer, written but not sent. */
struct outcome_reply {
    int status;
    const char *content_type; /* NULL: none, and no body */
    struct buf body;
    struct fault_header headers[OUTCOME_HEADERS_MAX];      /* names are static */
    char values[OUTCOME_HEADERS_MAX][OUTCOME_HEADER_SIZE]; /* where the headers' are not */
    size_t header_count;
};

/* What is to be written: `request` NULL asks for the sample, else the answer follows the request
 * where its text has values of it. */
struct outcome_call {
    const struct api *api;
    const struct outcome *outcome;
    const char *operation;
    struct request *request;
    int64_t retry_after; /* seconds; -1: as usual */
};

struct outcome {
    const char *const *operations; /* those that may answer so; NULL ends them */
    const char *name;              /* the status, then what sets it apart: "400:user_not_found" */
    int status;
    const char *basis; /* letters: D documented, P published elsewhere, O observed, A assumed */
    const char *rule;  /* of the contract: "S8" */
    const char *about; /* one line */
    /* Writes the answer into `reply`, which is zeroed but for the status. Want of memory is
     * remembered by its body. */
    void (*write)(const struct outcome_call *call, struct outcome_reply *reply);
    int which;        /* the writer's own: which of its answers this is */
    const void *what; /* likewise */
};

/*
 * The outcome of an operation, by its name with or without the operation before it: "429",
 * "createScenarioJob:400:user_not_found". The first part of a name stands for the first outcome of
 * the list that it fits: "503" for "503:storage_full". NULL: this operation has none such.
 */
const struct outcome *outcome_find(const struct api *api, const char *operation, const char *name);

/* Whether the operation may answer so. */
bool outcome_is_of(const struct outcome *outcome, const char *operation);

/* Writes an answer; outcome_reply_finish() frees it, also where its memory ran out. */
void outcome_write(const struct outcome_call *call, struct outcome_reply *ret_reply);
void outcome_reply_finish(struct outcome_reply *reply);

/* What is refused before the handler's turn, and faults of ours: `which` of outcomes that
 * outcome_refusal() knows; or an ERR_ code. */
enum outcome_refusal {
    OUTCOME_BAD_ESCAPE = 1,
    OUTCOME_TWO_FRAMINGS,
    OUTCOME_METHOD,
    OUTCOME_TOO_LARGE,
};

/* The refusal that the outcome is, for the API's own shape; its headers go to `reply`. */
void outcome_refusal(const struct outcome_call *call, struct outcome_reply *reply,
                     struct refusal *ret_refusal);

/* The rows that all operations have in common: those with parameters in their path, all, those with
 * a body, all. */
/* clang-format off */
#define OUTCOMES_OF_PARAMS(operations_, write_)                                                    \
    {operations_, "400:malformed_path", 400, "A", "H4", "The path has a % that is no escape",      \
     write_, OUTCOME_BAD_ESCAPE, NULL}
#define OUTCOMES_OF_HEADS(operations_, write_)                                                     \
    {operations_, "400:malformed_request", 400, "A", "H5", "The request is framed in two ways",    \
     write_, OUTCOME_TWO_FRAMINGS, NULL},                                                          \
    {operations_, "405", 405, "A", "H3", "The path has no such method", write_, OUTCOME_METHOD, NULL}
#define OUTCOMES_OF_BODIES(operations_, write_)                                                    \
    {operations_, "413", 413, "A", "H3", "The body is too large", write_, OUTCOME_TOO_LARGE, NULL}
#define OUTCOMES_OF_FAULTS(operations_, write_)                                                    \
    {operations_, "500", 500, "A", "H6", "A fault of the server's own", write_, ERR_INTERNAL, NULL}, \
    {operations_, "503:storage_busy", 503, "A", "H6", "Another process holds the store", write_,   \
     ERR_BUSY, NULL},                                                                              \
    {operations_, "503:storage_full", 503, "A", "H6", "The store's disk is full", write_,          \
     ERR_FULL, NULL},                                                                              \
    {operations_, "503:storage_unavailable", 503, "A", "H6",                                       \
     "The store cannot be read or written", write_, ERR_IO, NULL},                                 \
    {operations_, "503:overloaded", 503, "A", "H6", "Too many writes are waiting", write_,         \
     ERR_OVERLOADED, NULL}
/* clang-format on */

/* Adds Retry-After, and writes its seconds too: those that were asked for, or else `usual`. */
enum { OUTCOME_SECONDS_SIZE = 24 };
void outcome_retry_after(const struct outcome_call *call, struct outcome_reply *reply,
                         int64_t usual, char ret_seconds[OUTCOME_SECONDS_SIZE]);

/* The member `name` of the request's body where it is a text that is not empty, else `sample`, as
 * it is without a request. */
const char *outcome_text(const struct outcome_call *call, const char *name, const char *sample);

/* Adds a header to it: `value` is static, or is copied. */
void outcome_header(struct outcome_reply *reply, const char *name, const char *value);
void outcome_header_copy(struct outcome_reply *reply, const char *name, const char *value);

#endif
