/*
 * What a single request shows about its client (control/lint.h): looked for when it is over, so
 * that a request which is as it should be pays next to nothing. HTTP threads.
 */
#ifndef UNDERSTUDY_CONTROL_LINT_LOOK_H
#define UNDERSTUDY_CONTROL_LINT_LOOK_H

#include "http/router.h"

/* As a set of findings. `apis` are those that it may have meant. */
uint64_t lint_look(struct request *request, const struct api *const *apis, size_t count);

/* The fields of an operation's body; NULL: it takes none, or it is none of theirs. */
const struct route_fields *lint_fields(const struct api *const *apis, size_t count,
                                       const char *operation);

/* Visits the first 100 members of a body that its operation does not know: `meant` is the field
 * that the name is a likely misspelling of, where the body does not have that one too; NULL: none
 * is. */
typedef void lint_member_visitor(void *arg, const char *name, const char *meant);
void lint_each_unknown(const struct route_fields *fields, const json_t *body,
                       lint_member_visitor *visit, void *arg);

/* Whether a content type is JSON's, with whatever parameters (E11). */
bool lint_is_json(const char *content_type);

#endif
