/*
 * Which of the outcomes that GET /_mock/outcomes lists an answer was: by its operation, its status
 * and, where several have these in common, by what its body says. It is told apart by the samples
 * that the outcomes write themselves, so that no list of codes is kept here. Any thread, once made.
 */
#ifndef UNDERSTUDY_CONTROL_OUTCOME_OF_H
#define UNDERSTUDY_CONTROL_OUTCOME_OF_H

#include "engine/tally.h"
#include "http/outcome.h"

struct outcome_index;

/* What is known of an operation of the APIs'. */
struct outcome_operation {
    const char *id; /* its route's, static */
    int rule;       /* rule_operation() */
    enum tally_kind kind;
};

/* Of all outcomes of these APIs, each with each of its operations; NULL: out of memory. */
struct outcome_index *outcome_index_create(const struct api *const *apis, size_t count);
void outcome_index_destroy(struct outcome_index *index); /* NULL is fine */

/* They are numbered from 0, in the order of GET /_mock/outcomes. */
size_t outcome_index_count(const struct outcome_index *index);

/* "createScenarioJob:400:user_not_found", as GET /_mock/outcomes has it; and its parts. */
const char *outcome_index_name(const struct outcome_index *index, size_t number);
const char *outcome_index_operation(const struct outcome_index *index, size_t number);
const struct outcome *outcome_index_outcome(const struct outcome_index *index, size_t number);

/* Whether it is a job that has ended, as far as the outcome says how the job is. */
bool outcome_index_ends(const struct outcome_index *index, size_t number);

/* By a route's text itself, not one that is like it, so that it is found by its address. NULL: it
 * is none of theirs, or NULL. */
const struct outcome_operation *outcome_operation(const struct outcome_index *index,
                                                  const char *id);

/*
 * The number of an answer's; -1: it is none of its operation's, or it cannot be said, as of an
 * answer to HEAD. `operation` NULL is no operation's. Cheap: nothing is parsed or allocated.
 */
int outcome_of(const struct outcome_index *index, const struct outcome_operation *operation,
               int status, const char *body, size_t len);

/* Whether an answer is a job that has ended. */
bool outcome_shows_end(const char *body, size_t len);

#endif
