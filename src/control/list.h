/*
 * What every list has in common (C9): `{items, cursor}`, oldest first; `since` and `limit` for its
 * parts, `min` and `wait` for those that can be waited for.
 *
 * Without `since` a list starts at its beginning, so what is already there counts toward `min`. The
 * cursor of a list that the limit cut points at the last item that it shows, that of any other at
 * the workspace's present: either way, `since` with it gives what follows, and nothing twice.
 * Whoever wants all asks until a list is empty. HTTP threads.
 */
#ifndef UNDERSTUDY_CONTROL_LIST_H
#define UNDERSTUDY_CONTROL_LIST_H

#include "base/buf.h"
#include "base/fields.h"
#include "control/cursor.h"
#include "control/params.h"

enum {
    /* An answer is built whole in memory, on a thread that others wait for. More than a test makes:
       a list without a limit is hardly ever cut. */
    LIST_LIMIT_MAX = 1000,
    LIST_BYTES_MAX = 4 * 1024 * 1024, /* a list ends early where its items are long */
    WAIT_MAX_MS = 5 * 60 * 1000,      /* C9; how long a client that left can hold a connection */
};

/* What of a query is every list's, as it is given. */
struct list_params {
    const char *since;
    struct field_whole limit, min, wait;
};

/* The rows of a table of parameters whose destination `type_` has a struct list_params `member_`.
 */
#define LIST_SINCE_PARAM(type_, member_)                                                           \
    {                                                                                              \
        "since", PARAM_TEXT, "a cursor that this server gave",                                     \
            .offset = offsetof(type_, member_) + offsetof(struct list_params, since)               \
    }
#define LIST_LIMIT_PARAM(type_, member_)                                                           \
    {                                                                                              \
        "limit", PARAM_WHOLE, "a whole number from 1 to 1000",                                     \
            .min = 1, .max = LIST_LIMIT_MAX,                                                       \
            .offset = offsetof(type_, member_) + offsetof(struct list_params, limit)               \
    }
#define LIST_MIN_PARAM(type_, member_)                                                             \
    {                                                                                              \
        "min", PARAM_WHOLE, "a whole number from 1 to 1000",                                       \
            .min = 1, .max = LIST_LIMIT_MAX,                                                       \
            .offset = offsetof(type_, member_) + offsetof(struct list_params, min)                 \
    }
#define WAIT_PARAM(type_, member_)                                                                 \
    {                                                                                              \
        "wait", PARAM_DURATION, "a duration with its unit, at most \"5m\"",                        \
            .max = WAIT_MAX_MS, .offset = offsetof(type_, member_)                                 \
    }
#define LIST_WAIT_PARAM(type_, member_)                                                            \
    {                                                                                              \
        "wait", PARAM_DURATION, "a duration with its unit, at most \"5m\"",                        \
            .max = WAIT_MAX_MS,                                                                    \
            .offset = offsetof(type_, member_) + offsetof(struct list_params, wait)                \
    }

/* The same, ready for use. */
struct list_query {
    struct cursor since; /* all 0: from the beginning */
    int64_t limit;
    int64_t min;  /* items that it must have, or it is waited; 0: as many as there are */
    int64_t wait; /* ms; 0: nobody waits */
};

/* `wait` alone means `min=1`. False: the request was answered (C2). */
bool list_read(struct request *request, const struct list_params *params,
               struct list_query *ret_query);

/* Answers that `since`, a parameter or else a field, is no cursor of this workspace. */
void list_refuse_since(struct request *request, bool is_field);

/* The end of a list's answer: its cursor, after the items, and the answer. Takes `body` over. */
void list_answer(struct request *request, struct buf *body, const struct cursor *cursor);

#endif
