/*
 * What is drawn for a workspace: ids (S21, E6) and the variation of job times. With a seed, from
 * that: the same calls in the same order draw the same. Inside the writer's transaction, which
 * counts the draws.
 */
#ifndef UNDERSTUDY_ENGINE_DRAW_H
#define UNDERSTUDY_ENGINE_DRAW_H

#include "base/id.h"
#include "store/workspace.h"

struct workspace;

int draw_hex(struct db *db, const struct workspace *workspace, char ret_id[ID_HEX_SIZE]);
int draw_uuid(struct db *db, const struct workspace *workspace, char ret_id[ID_UUID_SIZE]);

/* A number from -1 to 1. */
int draw_share(struct db *db, const struct workspace *workspace, double *ret_share);

/*
 * The same for the n-th time of something that has an id, which counts no draw: with a seed always
 * the same, whatever else is drawn before. For what happens when the world outside has it.
 */
double draw_share_for(const struct workspace *workspace, const char *id, int64_t number);

#endif
