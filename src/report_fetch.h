/* Asks a server for its report, over http or https, for `understudy report`. */
#ifndef UNDERSTUDY_REPORT_FETCH_H
#define UNDERSTUDY_REPORT_FETCH_H

#include "base/buf.h"
#include "base/err.h"

struct report_answer {
    long status;
    struct buf body;
};

/*
 * GETs the report of the server at `base` (url_is_base()), of `run` alone unless that is NULL, with
 * `token` unless that is NULL. Redirects are not followed, for the token would go elsewhere; no
 * proxy is used; https trusts the system's authorities. Bounded in size (REPORT_MAX_MIB) and time.
 *
 * 0: there is an answer of some status, whose body the caller finishes. Else its text reads on
 * after the URL: ERR_IN_USE where the server cannot be reached, or ends half-way; ERR_INVALID: the
 * answer is too long; ERR_NO_MEMORY. After curl_global_init().
 */
int report_fetch(const char *base, const char *run, const char *token,
                 struct report_answer *ret_answer, struct err *err);

#endif
