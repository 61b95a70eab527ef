/*
 * Which requests of the journal somebody asks for: those that are such as a rule's `match` says,
 * with this status, and that ended so. It comes as query parameters (GET /_mock/requests), or as
 * JSON (POST /_mock/verify). HTTP threads.
 */
#ifndef UNDERSTUDY_CONTROL_REQUEST_FILTER_H
#define UNDERSTUDY_CONTROL_REQUEST_FILTER_H

#include "base/complaint.h"
#include "control/journal_match.h"
#include "control/params.h"

struct request_filter {
    struct rule *match;                /* NULL: any */
    int lowest_status, highest_status; /* 0: any */
    int end;                           /* -1: any */
};

#define REQUEST_FILTER_INIT ((struct request_filter){.end = -1})
void request_filter_finish(struct request_filter *filter);

/* As the query gives it. */
struct request_filter_params {
    struct field_whole operation, end;
    const char *email, *prompt, *request_id, *scenario_slug, *project, *job, *header, *body;
    const char *status;
};

/* The rows of a table of parameters whose destination `type_` has a struct request_filter_params
 * `member_`; each with a comma behind it. */
#define REQUEST_FILTER_PARAM(type_, member_, name_, kind_, what_, words_)                          \
    {                                                                                              \
#name_, (kind_), (what_),                                                                  \
            .words = (words_),                                                                     \
            .offset = offsetof(type_, member_) + offsetof(struct request_filter_params, name_)     \
    }
#define REQUEST_FILTER_TEXT(type_, member_, name_, what_)                                          \
    REQUEST_FILTER_PARAM(type_, member_, name_, PARAM_TEXT, what_, NULL)
#define REQUEST_FILTER_ID(type_, member_, name_)                                                   \
    REQUEST_FILTER_TEXT(type_, member_, name_, "a text that is not empty")
#define REQUEST_FILTER_PARAMS(type_, member_)                                                      \
    REQUEST_FILTER_PARAM(type_, member_, operation, PARAM_WORD, "an operationId of either API",    \
                         rule_operations),                                                         \
        REQUEST_FILTER_TEXT(type_, member_, email,                                                 \
                            "an e-mail address, in which * stands for any characters"),            \
        REQUEST_FILTER_TEXT(type_, member_, prompt,                                                \
                            "a text that is not empty, or {\"regex\": …}"),                        \
        REQUEST_FILTER_ID(type_, member_, request_id),                                             \
        REQUEST_FILTER_ID(type_, member_, scenario_slug),                                          \
        REQUEST_FILTER_ID(type_, member_, project), REQUEST_FILTER_ID(type_, member_, job),        \
        REQUEST_FILTER_TEXT(type_, member_, header,                                                \
                            "Name, Name:value, or a JSON object of these"),                        \
        REQUEST_FILTER_TEXT(type_, member_, body,                                                  \
                            "a JSON object, of which the request's body must have all"),           \
        REQUEST_FILTER_TEXT(type_, member_, status, REQUEST_STATUS_WHAT),                          \
        REQUEST_FILTER_PARAM(type_, member_, end, PARAM_WORD, "how a request ends",                \
                             journal_end_names)

#define REQUEST_STATUS_WHAT "a status such as 404, or a class of them such as 4xx"

/* Reads what the query gave into *ret, which request_filter_finish() lets go of. False: the request
 * was answered (C2). */
bool request_filter_read(struct request *request, const struct request_filter_params *params,
                         struct request_filter *ret);

/* "404", or "4xx". */
bool request_filter_read_status(const char *text, struct request_filter *filter);

/* Whether a request fits: 1, 0, or an error. What it says is read where the filter asks for it. */
int request_filter_fits_asked(const struct request_filter *filter, struct journal_request *asked);

/* The same of an entry that nobody else asks about. */
int request_filter_fits(const struct request_filter *filter, const struct journal_entry *entry,
                        struct db *db, int64_t workspace);

#endif
