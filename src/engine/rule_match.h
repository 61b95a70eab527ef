/* Whether a request is such as a rule asks for. */
#ifndef UNDERSTUDY_ENGINE_RULE_MATCH_H
#define UNDERSTUDY_ENGINE_RULE_MATCH_H

#include "base/email.h"
#include "engine/rule.h"

#include <stdint.h>

/*
 * A request as rules see it; NULL: it has no such thing. What the body says, or the input of the
 * job that the request is about, is filled in by `fill` when a rule first asks for it.
 */
struct rule_request {
    int operation; /* rule_operation() */
    const char *project, *job;
    const char *(*header)(struct rule_request *self, const char *name);
    /* Whether its operation may answer so: an outcome acts where it fits. NULL: it may. */
    bool (*has_outcome)(struct rule_request *self, const char *name);
    /* Whether it is about a job whose state allows the transition, once `fill` was called. NULL: it
       is. */
    bool (*may_move)(struct rule_request *self, int to);
    /* 0, or an error, which ends the matching. */
    int (*fill)(struct rule_request *self);
    bool filled;
    const char *email, *prompt, *request_id, *scenario_slug;
    const json_t *body;

    char folded[EMAIL_MAX + 1]; /* rule_match.c's: the email; and hashes, 0 for NULL */
    size_t folded_len;
    uint32_t email_hash, request_id_hash;
};

/* Of a text, never 0. */
uint32_t rule_hash(const char *text);

/* Calls `fill`, once. */
int rule_request_fill(struct rule_request *request);

/* Whether it matches: 1, 0, or the error of `fill`. Any thread. */
int rule_matches(const struct rule *rule, struct rule_request *request);

/* Whether `value` has all of `part`: of objects a part of their members, of all else the same, of
 * arrays element by element. */
bool rule_has_part(const json_t *value, const json_t *part);

#endif
