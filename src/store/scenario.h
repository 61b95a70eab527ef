/* The Studio API's scenarios: what completed jobs made. */
#ifndef UNDERSTUDY_STORE_SCENARIO_H
#define UNDERSTUDY_STORE_SCENARIO_H

#include "store/job.h"

struct scenario {
    char id[ID_HEX_SIZE];
    char slug[SCENARIO_SLUG_SIZE];
    char name[SCENARIO_NAME_SIZE];
    char source[ID_HEX_SIZE]; /* the id of the scenario that was remixed; else "" */
    char job[ID_HEX_SIZE];    /* the id of the job that made it; else "" */
    int64_t created_at;
};

/* Writes a scenario. ERR_EXISTS: its id or slug is taken. Writer. */
int scenario_insert(struct db *db, int64_t workspace, const struct scenario *scenario);

/* Whether a slug is taken. */
int scenario_slug_exists(struct db *db, int64_t workspace, const char *slug, bool *ret_exists);

/* Read a scenario by slug or by id. ERR_NOT_FOUND. */
int scenario_by_slug(struct db *db, int64_t workspace, const char *slug,
                     struct scenario *ret_scenario);
int scenario_by_id(struct db *db, int64_t workspace, const char *id, struct scenario *ret_scenario);

#endif
