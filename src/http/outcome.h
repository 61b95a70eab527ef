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

enum { OUTCOME_HEADERS_MAX = 6, /* of a page */ OUTCOME_HEADER_SIZE = 64 };

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
    const void *what; /* the writer's own: which of its answers this is */
};

/*
 * The outcome of an operation, by its name with or without the operation before it: "429",
 * "createScenarioJob:400:user_not_found". The first part of a name stands for the first outcome of
 * the list that it fits: "503" for "503:storage_full". NULL: this operation has none such.
 */
const struct outcome *outcome_find(const struct api *api, const char *operation, const char *name);

/* Writes an answer; outcome_reply_finish() frees it, also where its memory ran out. */
void outcome_write(const struct outcome_call *call, struct outcome_reply *ret_reply);
void outcome_reply_finish(struct outcome_reply *reply);

/* Adds a header to it: `value` is static, or is copied. */
void outcome_header(struct outcome_reply *reply, const char *name, const char *value);
void outcome_header_copy(struct outcome_reply *reply, const char *name, const char *value);

#endif
