/* Inside the engine: what it is made of. */
#ifndef UNDERSTUDY_ENGINE_INTERNAL_H
#define UNDERSTUDY_ENGINE_INTERNAL_H

#include "engine/engine.h"
#include "engine/janitor.h"
#include "engine/journal.h"
#include "engine/runs.h"
#include "engine/worker.h"

struct engine {
    struct store *store;
    struct registry *registry;
    struct deadlines *deadlines;
    struct feeds *feeds;
    struct journals *journals;
    struct journal
        *nobodys; /* of requests that belong to no workspace; NULL: nothing is journaled */
    struct runs *runs;
    struct tally *nobodys_tally; /* of these requests; NULL likewise */
    struct worker *worker;
    struct janitor *janitor;
    struct sender *sender; /* NULL: none was asked for */
    atomic_bool stopping;  /* what takes several operations ends at the next */
};

/* Makes in the store what the options ask for and is missing (bootstrap.c). Before the registry is
 * read. */
int engine_bootstrap(struct store *store, const struct engine_options *options, struct err *err);

#endif
