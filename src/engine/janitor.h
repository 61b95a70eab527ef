/*
 * The janitor: one thread that deletes workspaces whose ttl has passed, and removes, step by step,
 * what deleted workspaces leave in the store.
 */
#ifndef UNDERSTUDY_ENGINE_JANITOR_H
#define UNDERSTUDY_ENGINE_JANITOR_H

#include "engine/engine.h"

struct janitor;

int janitor_start(struct engine *engine, struct janitor **ret_janitor, struct err *err);
void janitor_stop(struct janitor *janitor); /* NULL is fine */

/* There may be something to do earlier than it knows: a ttl, a deletion. Any thread. */
void janitor_wake(struct janitor *janitor);

#endif
