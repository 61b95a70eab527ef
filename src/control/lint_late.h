/*
 * What is found beside single requests, since the workspace's last reset (engine/tally.h): jobs
 * whose end nobody has learned, addresses that only ever had a magic tag, callbacks that were
 * blocked. HTTP threads.
 *
 *     lint_late_create(); lint_late_see() for each entry of the journal; lint_late_add()
 */
#ifndef UNDERSTUDY_CONTROL_LINT_LATE_H
#define UNDERSTUDY_CONTROL_LINT_LATE_H

#include "control/lint_groups.h"
#include "engine/journal.h"
#include "engine/workspace.h"

struct lint_late;

/* What is there of the `wanted` findings. An error of the store, or ERR_NO_MEMORY. */
int lint_late_create(const struct workspace *workspace, struct db *db, uint64_t wanted,
                     struct lint_late **ret_late);
void lint_late_destroy(struct lint_late *late); /* NULL is fine */

/* Notes an entry where it is about one of them. */
void lint_late_see(struct lint_late *late, const struct journal_entry *entry);

/* Adds them; those that no entry was about only where `all` are asked for. ERR_NO_MEMORY. */
int lint_late_add(const struct lint_late *late, bool all, struct lint_groups *groups);

#endif
