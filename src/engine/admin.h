/*
 * What the control plane changes about workspaces, as operations (engine/engine.h). Their `run`
 * fills in the outcome, whose refusals have written nothing; memory follows the commit. Inputs are
 * borrowed until the sender is woken.
 */
#ifndef UNDERSTUDY_ENGINE_ADMIN_H
#define UNDERSTUDY_ENGINE_ADMIN_H

#include "engine/engine.h"
#include "engine/settings.h"
#include "engine/state.h"
#include "store/scenario.h"

enum { API_KEY_SIZE = 51 }; /* "exec_live_", 40 of [A-Za-z0-9] (S1), and a NUL */

/* Whether a text is an API key by its form, and a new one from the cryptographic source. */
bool api_key_looks_right(const char *text);
void api_key_draw(char ret_key[API_KEY_SIZE]);

/* Fills in what follows from a key: its hash, and its last four characters. */
void api_key_describe(const char *key, struct key_row *row);

/* POST /workspaces. */
enum make_outcome {
    MAKE_DONE,
    MAKE_SLUG_TAKEN,
    MAKE_KEY_TAKEN,
    MAKE_PROJECT_TAKEN,
    MAKE_STATE_REFUSED, /* see `fault` */
};

struct workspace_make {
    struct operation operation;
    struct workspace_row row;         /* all but pk; a conflicting id is drawn anew */
    struct key_row key;               /* all but workspace */
    const struct member_row *members; /* all but workspace */
    size_t member_count;
    struct rule **rules; /* the sender's; see struct rules_add */
    size_t rule_count;
    struct state_document *state; /* what it begins with; NULL: nothing */
    enum make_outcome outcome;
    struct state_fault fault;
    struct rule_set *rule_set; /* that it has then; the sender's where it was not made */
    int64_t event;             /* the number of its newest job */
    bool knows_key;            /* its key is one of the state's */
};

void workspace_make_init(struct workspace_make *make, struct engine *engine);

/* PATCH of a workspace and of its settings: what is not given stays. */
struct workspace_change {
    struct operation operation;
    const char *name; /* NULL: stays */
    int active;       /* 0, 1; -1: stays */
    int64_t ttl;      /* 0: none; -1: stays */
    struct settings_change settings;
    struct workspace_row row; /* out: as it is now */
    bool made_room;           /* out: jobs that waited may start: send a timers_run */
};

void workspace_change_init(struct workspace_change *change, struct engine *engine,
                           struct workspace *workspace);

/* Fires what is due now; `more`: not all of it, send another. */
struct timers_run {
    struct operation operation;
    bool more;
};

void timers_run_init(struct timers_run *timers, struct engine *engine, struct workspace *workspace);

/* DELETE of a workspace: at once invisible, and its timers stopped; its rows go step by step. */
struct workspace_delete {
    struct operation operation;
    bool if_unused; /* only where its ttl has passed */
    bool kept;      /* out: it was used meanwhile */
    int64_t requests, unused_rules, unfinished_jobs, failed_deliveries;
};

void workspace_delete_init(struct workspace_delete *deletion, struct engine *engine,
                           struct workspace *workspace);

/* POST, PATCH and DELETE of a key. */
struct key_change {
    struct operation operation;
    enum { KEY_ADD, KEY_SET_ACTIVE, KEY_REMOVE } kind;
    struct key_row row; /* KEY_ADD: all but workspace; else hash, id and, to be set, active */
    bool taken, absent; /* out */
};

void key_change_init(struct key_change *change, struct engine *engine, struct workspace *workspace);

/* POST and DELETE of a member. */
struct member_change {
    struct operation operation;
    bool removes;
    struct member_row row; /* all but workspace */
    bool known, absent;    /* out */
};

void member_change_init(struct member_change *change, struct engine *engine,
                        struct workspace *workspace);

/* POST /scenarios: a source for remixes. */
struct source_make {
    struct operation operation;
    const char *id, *slug;     /* NULL: made here */
    struct scenario scenario;  /* its name; out: the whole */
    bool id_taken, slug_taken; /* out */
};

void source_make_init(struct source_make *make, struct engine *engine, struct workspace *workspace);

#endif
