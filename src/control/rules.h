/* Rules, for those that write them. HTTP threads. */
#ifndef UNDERSTUDY_CONTROL_RULES_H
#define UNDERSTUDY_CONTROL_RULES_H

#include "engine/rules.h"
#include "http/request.h"

/* Rules that were read of a request; zeroed, none. */
struct rules_read {
    struct rule **rules;
    size_t count;
};

/*
 * Reads one rule or an array of them, whose members are named after `name` ("rules[2].match", or
 * without one "[2].match"). False: the request was answered (C2). rules_read_finish() frees what
 * was read.
 */
bool rules_read(struct request *request, const char *name, const json_t *value,
                struct rules_read *rules);
void rules_read_finish(struct rules_read *rules);

#endif
