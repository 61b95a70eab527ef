/* For those that read a rule's `do`: where in the rule they are, to complain about it. */
#ifndef UNDERSTUDY_ENGINE_RULE_PLACE_H
#define UNDERSTUDY_ENGINE_RULE_PLACE_H

#include "engine/rule.h"

enum { RULE_PATH_SIZE = 160 }; /* a prefix of the rule's own and the longest name in it */

/* Where a complaint goes, and what the members there are named after: "do.job." */
struct rule_place {
    struct complaint *complaint;
    const char *path;
};

/* Writes the path of a member, and what follows it. */
void rule_path(const struct rule_place *place, const char *name, const char *after,
               char ret_path[RULE_PATH_SIZE]);

/* complain_read() of an object that is a member there. */
int rule_read_within(const struct rule_place *place, const char *name, const json_t *object,
                     const struct field *table, size_t count, void *dest);

/* Which of `names` a text is; -1, complained about, where it is none. */
int rule_choose(const struct rule_place *place, const char *field, const char *text,
                const char *what, const char *const *names);

/* Complains about a member; ERR_INVALID. */
int rule_refuse(const struct rule_place *place, const char *field, const char *why);

/* Read what becomes of a job, and what it ends with where an end of its kind is possible. */
int rule_take_job(const struct rule_place *above, const json_t *object, struct plan *plan);
int rule_take_outcome(const struct rule_place *place, const json_t *error, const json_t *scenario,
                      bool may_fail, bool may_complete, struct plan *plan);

#endif
