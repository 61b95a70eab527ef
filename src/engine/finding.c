#include "engine/finding.h"

#include <stddef.h>

#define REQUEST_NAMES                                                                              \
    [FINDING_UNKNOWN_FIELD] = "unknown_field", [FINDING_MISSPELLED_FIELD] = "misspelled_field",    \
    [FINDING_CONTENT_TYPE_MISSING] = "content_type_missing",                                       \
    [FINDING_CONTENT_TYPE_WRONG] = "content_type_wrong", [FINDING_BODY_ON_GET] = "body_on_get",    \
    [FINDING_KEY_IN_QUERY] = "key_in_query", [FINDING_MISSPELLED_PATH] = "misspelled_path",        \
    [FINDING_REQUEST_ID_REUSED] = "request_id_reused",                                             \
    [FINDING_RETRY_WITHOUT_REQUEST_ID] = "retry_without_request_id",                               \
    [FINDING_POLLED_FAST] = "polled_fast", [FINDING_POLLED_AFTER_END] = "polled_after_end",        \
    [FINDING_RETRY_AFTER_IGNORED] = "retry_after_ignored"

const char *const finding_names[] = {
    REQUEST_NAMES,
    [FINDING_JOB_ABANDONED] = "job_abandoned",
    [FINDING_MAGIC_EMAIL_ONLY] = "magic_email_only",
    [FINDING_CALLBACK_BLOCKED] = "callback_blocked",
    [FINDINGS] = NULL,
};
const char *const finding_request_names[] = {REQUEST_NAMES, [REQUEST_FINDINGS] = NULL};
