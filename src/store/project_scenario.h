/* The Scenarios API's scenarios. */
#ifndef UNDERSTUDY_STORE_PROJECT_SCENARIO_H
#define UNDERSTUDY_STORE_PROJECT_SCENARIO_H

#include "store/db.h"

#include <stdint.h>

/*
 * One scenario. Strings are borrowed, NULL where there is none; `messages`, `evaluators` and
 * `persona_ids` are compact JSON arrays. What a read gives lasts until its visitor returns.
 */
struct project_scenario {
    const char *id, *name, *instructions, *messages;
    int64_t max_messages; /* -1: none */
    const char *success_criteria, *failure_criteria, *failure_criteria_mode;
    const char *evaluators, *persona_ids;
    int64_t created_at, updated_at;
};

/* A negative result ends the visits and is what the read returns. */
typedef int project_scenario_visitor(const struct project_scenario *scenario, void *arg);

/* Every scenario of a project, oldest first (E1). */
int project_scenario_each(struct db *db, int64_t workspace, const char *project,
                          project_scenario_visitor *visit, void *arg);

/* One by id. ERR_NOT_FOUND. */
int project_scenario_by_id(struct db *db, int64_t workspace, const char *project, const char *id,
                           project_scenario_visitor *visit, void *arg);

/* Writes a new one. ERR_EXISTS: its name is taken in this project, byte for byte (E2). Writer. */
int project_scenario_insert(struct db *db, int64_t workspace, const char *project,
                            const struct project_scenario *scenario);

/*
 * Writes what is not NULL (and max_messages, where it is not -1) over one that is there; updated_at
 * never goes back (E4). ERR_NOT_FOUND before ERR_EXISTS. Writer.
 */
int project_scenario_update(struct db *db, int64_t workspace, const char *project, const char *id,
                            const struct project_scenario *changes);

/* ERR_NOT_FOUND where there was none. Writer. */
int project_scenario_delete(struct db *db, int64_t workspace, const char *project, const char *id);

#endif
