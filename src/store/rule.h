/* Rules as they are kept: who reads them, and what they say, is the engine's. */
#ifndef UNDERSTUDY_STORE_RULE_H
#define UNDERSTUDY_STORE_RULE_H

#include "store/plan.h"

#include <stdint.h>

/* What of a rule changes as it acts. */
struct rule_uses {
    int64_t left; /* how often it may still act; -1: any number of times */
    int64_t skip; /* how many matches it still lets pass */
    int64_t hits; /* how often it acted */
};

struct rule_row {
    int64_t seq; /* grows; never given twice */
    char id[RULE_ID_SIZE];
    const char *label;    /* NULL: none. Borrowed, as the next */
    const char *document; /* JSON */
    struct rule_uses uses;
    int64_t created_at;
};

/* Writes a rule; sets row->seq. ERR_EXISTS: its id is taken. Writer. */
int rule_insert(struct db *db, int64_t workspace, struct rule_row *row);

/* Visits a workspace's rules, oldest first; a negative result of the visitor ends it and is
 * returned. */
int rule_each(struct db *db, int64_t workspace, int (*visit)(const struct rule_row *row, void *arg),
              void *arg);

/* How many there are. */
int rule_count(struct db *db, int64_t workspace, int64_t *ret_count);

/* Read and write what changes. ERR_NOT_FOUND: the rule is not there any more. */
int rule_read_uses(struct db *db, int64_t seq, struct rule_uses *ret_uses);
int rule_set_uses(struct db *db, int64_t seq, const struct rule_uses *uses); /* writer */

/* Delete one, ERR_NOT_FOUND; or all of a label. Writer. */
int rule_delete(struct db *db, int64_t workspace, const char *id);
int rule_delete_labelled(struct db *db, int64_t workspace, const char *label, int64_t *ret_count);

#endif
