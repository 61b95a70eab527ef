/*
 * A workspace as one JSON document: what it has stored, pending timers, clock, seed, rules and
 * settings included. What was written can be put back, here or elsewhere; a reset puts back what
 * the workspace was made with.
 *
 * A document is checked whole before anything is written. What it leaves out is as in a new
 * workspace; only keys and members that it does not name stay as they are.
 */
#ifndef UNDERSTUDY_ENGINE_STATE_H
#define UNDERSTUDY_ENGINE_STATE_H

#include "base/buf.h"
#include "base/fields.h"
#include "engine/engine.h"
#include "store/job.h"

#include <jansson.h>

enum { STATE_PATH_SIZE = 128, STATE_PROBLEM_SIZE = 512, STATE_VERSION = 1 };

/* What is wrong with a document, and where: "jobs[3].status", "must be one of …". */
struct rule_set;

struct state_fault {
    char path[STATE_PATH_SIZE];
    char problem[STATE_PROBLEM_SIZE]; /* to be read after the path, unless it names it itself */
    bool names_path;
    bool is_taken; /* nothing is wrong with it but that it is a key of another workspace's */
};

/*
 * Writes the document of the workspace with that pk, as of one moment; a thread's own connection.
 * Secrets (the values of callback headers) are null unless `reveal`. `rules`, the workspace's, have
 * counted what the store does not; NULL: none has. ERR_NOT_FOUND.
 */
int state_write(struct db *db, int64_t pk, const struct rule_set *rules, bool reveal,
                struct buf *out);

/* Remembers a workspace as it is now, but for who may use it, as what a reset puts back. Inside the
 * writer's transaction. */
int state_remember(struct db *db, int64_t pk);

/* What a document says of the workspace itself. Strings borrow from the document. */
struct state_head {
    const char *slug, *name, *project_id; /* NULL: not said */
    int active;                           /* 0, 1; -1: not said */
    int64_t ttl;                          /* 0: none; -1: not said */
    struct clock_row clock;
    bool has_clock; /* else it is real time */
    char seed[SEED_SIZE];
    int64_t draws, room_since;
    struct settings_row settings;
    const json_t *keys, *members; /* NULL: not said */
};

/* The members of a document, in the order in which they are written. */
extern const struct field state_document_fields[];
extern const size_t state_document_field_count;

/*
 * Reads the head of a document and checks all of it. `now`: real ms, for a clock whose document
 * does not say when it showed what. Pure; any thread.
 */
bool state_check(const json_t *document, int64_t now, struct state_head *ret_head,
                 struct state_fault *ret_fault);

/* Whether a document says all secrets, as one must that goes into a workspace without jobs. */
bool state_check_secrets(const json_t *document, struct state_fault *ret_fault);

/* A key of a document that was checked, as a row; all but workspace. */
void state_key(const json_t *key, int64_t now, struct key_row *ret_row);

/* A document that was checked, with what its keys and members are as rows. */
struct state_document {
    const json_t *json; /* borrowed */
    struct state_head head;
    struct key_row *keys;
    struct member_row *members;
    size_t key_count, member_count;
    bool keeps_settings, keeps_rules; /* those that are there stay; false at first */
};

/* ERR_INVALID: see the fault; ERR_NO_MEMORY. Any thread. */
int state_document_init(struct state_document *document, const json_t *json, int64_t now,
                        struct state_fault *ret_fault);
void state_document_finish(struct state_document *document);

/*
 * Makes the store say of a workspace what the document says; *io_row becomes its row, *io_event
 * the number of its newest job where that is higher. ERR_INVALID: a value twice, a key that is
 * another workspace's, a job or a secret that is not there; see the fault. Writer.
 */
int state_put(struct db *db, struct workspace_row *io_row, struct state_document *document,
              int64_t *io_event, struct state_fault *ret_fault);

/* After the commit: its keys and members, in memory, besides those that are there. The writer's
 * thread. */
int state_take_access(struct registry *registry, const struct state_document *document);

/* PUT of a state, and reset. With status ERR_INVALID nothing was written, because of `fault`. */
struct state_replace {
    struct operation operation;
    struct state_document *document; /* borrowed */
    bool restarts_clock;             /* it shows now what it showed when the document was written */
    bool clears_journal;
    struct state_fault fault;
    struct workspace_row row; /* out: as it is now */
    int64_t event;            /* the number of its newest job */
    struct rule_set *rules;   /* that it has then */
};

void state_replace_init(struct state_replace *replace, struct engine *engine,
                        struct workspace *workspace, struct state_document *document);

#endif
