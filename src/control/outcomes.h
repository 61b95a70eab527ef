/* The outcomes of all APIs, as rules name them (see http/outcome.h). HTTP threads, and main at its
 * start. */
#ifndef UNDERSTUDY_CONTROL_OUTCOMES_H
#define UNDERSTUDY_CONTROL_OUTCOMES_H

#include "base/buf.h"
#include "control/control.h"
#include "http/outcome.h"

/*
 * Whether a rule may ask for this outcome: some operation has it, and if the rule matches one
 * operation only (`operation`, else NULL), that one. Where not, `detail` gets a sentence that says
 * so and `hint` what is likely meant, or all that there is (C2); the caller frees both.
 *
 * Whether it fits a request's operation is outcome_find()'s to say, when the request is there:
 * outcome_find(request_api(request), request_operation(request), name).
 */
bool outcome_check(const struct control *control, const char *operation, const char *name,
                   struct buf *detail, struct buf *hint);

/* Appends its basis as a JSON array of letters. */
void outcome_put_basis(struct buf *out, const struct outcome *outcome);

#endif
