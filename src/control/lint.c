#include "control/lint.h"

#include <stddef.h>

const char *const lint_severity_names[] = {"error", "warning", "info", NULL};

const struct lint_kind lint_kinds[] = {
    [FINDING_UNKNOWN_FIELD] =
        {LINT_WARNING, "A field that the operation does not know",
         "Unknown fields are ignored without a word (S11, E8): what it was to say never arrives"},
    [FINDING_MISSPELLED_FIELD] =
        {LINT_ERROR, "A field whose name is nearly one that the operation knows",
         "It is ignored like any unknown field (S11, E8): the request succeeds without what was "
         "meant, as a job whose callback never comes"},
    [FINDING_CONTENT_TYPE_MISSING] =
        {LINT_WARNING, "A body without a Content-Type",
         "The documents send every body as application/json. That one without a type is taken as "
         "JSON (S4, E11) stands nowhere in them; many servers leave such a body unread, and then "
         "its fields are missing"},
    [FINDING_CONTENT_TYPE_WRONG] =
        {LINT_ERROR, "A body whose Content-Type is not application/json",
         "The Scenarios API answers 415 (E11). That the Studio API does not look at the type (S4) "
         "is assumed; a server that does leaves the body unread, or refuses it"},
    [FINDING_BODY_ON_GET] =
        {LINT_WARNING, "A body on GET, HEAD or DELETE",
         "It is read and ignored (H2), so what it says has no effect; some proxies refuse such a "
         "request or drop the body"},
    [FINDING_KEY_IN_QUERY] =
        {LINT_ERROR, "An API key in the query string",
         "Keys are taken from the Authorization header only (S1), and query strings end in access "
         "logs, in proxies and in histories: whoever reads these has the key"},
    [FINDING_MISSPELLED_PATH] =
        {LINT_ERROR, "A path that is nearly one of the APIs'",
         "It is another path, and the answer is 404 (H3, H4), which a client easily takes for "
         "\"there is no such job\""},
    [FINDING_REQUEST_ID_REUSED] =
        {LINT_ERROR, "A request_id again, with another body",
         "A known request_id gives what was made first, with 200 and is_new false (S12): the new "
         "body is dropped without a word, and nothing new is made"},
    [FINDING_RETRY_WITHOUT_REQUEST_ID] =
        {LINT_ERROR, "A creation sent again after a failure, without a request_id",
         "After a 429, a 5xx or a broken connection nobody knows whether the first was carried "
         "out. Only a request_id keeps the second from making another one (S12)"},
    [FINDING_POLLED_FAST] =
        {LINT_INFO, "A job polled again within a second",
         "A job takes minutes, says its document; so many polls only use up the rate limit (S26)",
         .real_clock_only = true},
    [FINDING_POLLED_AFTER_END] =
        {LINT_INFO, "A job polled after a poll showed its end",
         "A job that has ended never changes again (S22): further polls only use up the rate "
         "limit (S26)",
         .real_clock_only = true},
    [FINDING_RETRY_AFTER_IGNORED] =
        {LINT_INFO, "A request before the time that Retry-After had asked for",
         "Until then the answer is most likely the same (S26, H6), and a service in trouble gets "
         "more of it",
         .real_clock_only = true},
    [FINDING_JOB_ABANDONED] =
        {LINT_WARNING, "A job whose end nobody has learned",
         "No poll has shown its end and no callback was answered with 2xx: whether it completed "
         "or failed has not reached the client"},
    [FINDING_MAGIC_EMAIL_ONLY] =
        {LINT_WARNING, "A user_email that was only ever sent with a magic tag",
         "Tags such as +fail mean something here only. At the real service it is another "
         "address, which is no member's: 400 user_not_found (S8)"},
    [FINDING_CALLBACK_BLOCKED] =
        {LINT_WARNING, "A callback to an address that the server may not send to",
         "Nothing was sent, so its receiver was not tried; and from outside, where the real "
         "service is, private addresses cannot be reached at all"},
};
