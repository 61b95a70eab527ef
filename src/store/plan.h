/* What is to become of a job, where something other than the settings says so. */
#ifndef UNDERSTUDY_STORE_PLAN_H
#define UNDERSTUDY_STORE_PLAN_H

#include "base/id.h"
#include "store/db.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    ERROR_CODE_SIZE = 64,
    ERROR_MESSAGE_SIZE = 512,
    SCENARIO_NAME_SIZE = 200, /* bytes of UTF-8 and a NUL */
    SCENARIO_SLUG_SIZE = 140, /* a slug, a number to make it unique, and a NUL */
    RULE_ID_SIZE = ID_HEX_SIZE,
};

enum plan_end { PLAN_END_UNSAID, PLAN_COMPLETED, PLAN_FAILED };

/* What a rule, a #mock line or a tag may say of a job, each part or not (engine/plan.h). */
struct plan {
    int64_t queued, processing; /* ms in each state; -1: not said */
    enum plan_end end;
    char error_code[ERROR_CODE_SIZE], error_message[ERROR_MESSAGE_SIZE]; /* "": not said */
    char scenario_name[SCENARIO_NAME_SIZE]; /* of the scenario that it makes; "": not said */
    char scenario_slug[SCENARIO_SLUG_SIZE];
    int polls_queued, polls_processing; /* reads that show the state; -1: not said */
    int hold_at;                        /* JOB_QUEUED or JOB_PROCESSING; -1: not said */
};

/* A plan as it is kept with a job; its times are in the job itself. */
struct plan_row {
    struct plan plan;
    int64_t polls;           /* how often the job was read in its present state */
    char rule[RULE_ID_SIZE]; /* the rule that made it; else "" */
    /* What a rule has its callback do, as JSON; borrowed, for plan_insert() alone. */
    const char *webhook;             /* NULL: nothing */
    char webhook_rule[RULE_ID_SIZE]; /* which rule; "" */
};

/* Write the plan of the job with that seq, change how often it was read, and end its hold. Writer.
 */
int plan_insert(struct db *db, int64_t job, const struct plan_row *row);
int plan_set_polls(struct db *db, int64_t job, int64_t polls);
int plan_release(struct db *db, int64_t job);

/* ERR_NOT_FOUND: the job has none. */
int plan_read(struct db *db, int64_t job, struct plan_row *ret_row);

/* Lets `visit` see what the job's callback is to do, and the rule that says so (NULL: not known),
 * which last until it returns; *ret_any is whether there was anything. */
int plan_webhook(struct db *db, int64_t job,
                 int (*visit)(const char *webhook, const char *rule, void *arg), void *arg,
                 bool *ret_any);

#endif
