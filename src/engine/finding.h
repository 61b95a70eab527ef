/* What may be found wrong with how a client uses the APIs: numbers and names. How bad each is and
 * why it matters is control/lint.h's. Any thread. */
#ifndef UNDERSTUDY_ENGINE_FINDING_H
#define UNDERSTUDY_ENGINE_FINDING_H

#include <stdint.h>

/* Each is a bit of a set of them. Stores have them by number: new ones come last, and none goes. */
enum finding {
    /* a single request shows them: control/lint_look.h */
    FINDING_UNKNOWN_FIELD,
    FINDING_MISSPELLED_FIELD,
    FINDING_CONTENT_TYPE_MISSING,
    FINDING_CONTENT_TYPE_WRONG,
    FINDING_BODY_ON_GET,
    FINDING_KEY_IN_QUERY,
    FINDING_MISSPELLED_PATH,

    /* a request shows them beside others: engine/tally.h */
    FINDING_REQUEST_ID_REUSED,
    FINDING_RETRY_WITHOUT_REQUEST_ID,
    FINDING_POLLED_FAST,
    FINDING_POLLED_AFTER_END,
    FINDING_RETRY_AFTER_IGNORED,

    /* only what comes later, or never comes, shows them */
    FINDING_JOB_ABANDONED,
    FINDING_MAGIC_EMAIL_ONLY,
    FINDING_CALLBACK_BLOCKED,
};
enum { FINDINGS = FINDING_CALLBACK_BLOCKED + 1 };

/* Their ids, as the control plane has them; a NULL ends them. */
extern const char *const finding_names[FINDINGS + 1];

/* Those of them that are found in a request; a NULL ends them. Their places are their numbers. */
enum { REQUEST_FINDINGS = FINDING_RETRY_AFTER_IGNORED + 1 };
extern const char *const finding_request_names[REQUEST_FINDINGS + 1];

static inline uint64_t finding_bit(enum finding finding)
{
    return UINT64_C(1) << finding;
}

#endif
