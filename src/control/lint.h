/* The findings about the client under test, in words: one row each, in the order of enum finding
 * (their ids: finding_names). Any thread. */
#ifndef UNDERSTUDY_CONTROL_LINT_H
#define UNDERSTUDY_CONTROL_LINT_H

#include "engine/finding.h"

#include <stdbool.h>

/* The worst first. */
enum lint_severity { LINT_ERROR, LINT_WARNING, LINT_INFO };
enum { LINT_SEVERITIES = LINT_INFO + 1 };
extern const char *const lint_severity_names[LINT_SEVERITIES + 1]; /* a NULL ends them */

struct lint_kind {
    enum lint_severity severity;
    const char *what;     /* a title */
    const char *why;      /* why it matters at the real service */
    bool real_clock_only; /* it is about real time, which only a real clock makes sense of */
};

extern const struct lint_kind lint_kinds[FINDINGS];

#endif
