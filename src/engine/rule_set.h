/*
 * The rules of a workspace as they are at one moment: never changed, but replaced, so that requests
 * look at them without a lock. Shared by reference; any thread.
 */
#ifndef UNDERSTUDY_ENGINE_RULE_SET_H
#define UNDERSTUDY_ENGINE_RULE_SET_H

#include "engine/rule_match.h"

#include <stddef.h>

/* What of a rule can be looked at without going there: most rules end here. */
struct rule_screen {
    int operation;                        /* -1: any */
    uint32_t email_hash, request_id_hash; /* 0: any, or a pattern */
    struct rule *rule;
};

struct rule_set {
    atomic_int references;
    size_t count;
    struct rule **rules;        /* oldest first */
    struct rule_screen *screen; /* first those with `times`, oldest first, then the others, newest
                                   first */
};

/* Makes a set of rules, oldest first; it takes references of its own. NULL: out of memory. */
struct rule_set *rule_set_create(struct rule *const *rules, size_t count);

struct rule_set *rule_set_hold(struct rule_set *set);
void rule_set_release(struct rule_set *set); /* NULL is fine */

/* The rule of that id; NULL. It belongs to the set. */
struct rule *rule_set_find(const struct rule_set *set, const char *id);

/* How many never acted and never saw anything. */
size_t rule_set_count_unused(const struct rule_set *set);

/* A rule that matched, and what its use makes of it (see engine/rules.h). */
struct rule_candidate {
    struct rule *rule;
    struct rule_uses uses;
    bool changed;
};

struct rule_list {
    struct rule_candidate *items;
    size_t count, capacity;
};

/*
 * Finds what matches, of each kind in the order in which they may act, up to the first that
 * certainly does. The lists, empty before, are freed by free(items). Watching rules are in when
 * they are to see the request. 0, ERR_NO_MEMORY, or the error of request->fill.
 */
int rule_set_match(const struct rule_set *set, struct rule_request *request,
                   struct rule_list lists[RULE_KINDS]);

#endif
