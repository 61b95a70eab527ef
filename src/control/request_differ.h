/*
 * What keeps a request of the journal from being such as a filter asks for: each field that
 * differs, with what was expected and what was seen instead, for programs and for people.
 *
 *     struct differ differ = {.match = "match.", .own = ""};
 *     request_differ(&filter, &asked, &differ);
 *     … differ.count, or with differ.items and differ.lines set, what differs
 *
 * HTTP threads.
 */
#ifndef UNDERSTUDY_CONTROL_REQUEST_DIFFER_H
#define UNDERSTUDY_CONTROL_REQUEST_DIFFER_H

#include "control/request_filter.h"

#include <stdarg.h>

struct differ {
    /* In front of the names of what a rule's match has, and of `status` and `end`. */
    const char *match, *own;
    bool at_a_glance;  /* only what is known without a look into bodies and the store */
    struct buf *items; /* {path, expected, seen, what} each, after `shown` others; or NULL */
    struct buf *lines; /* the same in words; or NULL */

    size_t count;      /* out, added to: of fields that differ */
    size_t unsure;     /* of those of which it cannot be told, for want of what is not kept */
    unsigned distance; /* of the fields that differ, together: 0 to 100 each */
    size_t shown;      /* of items */

    struct buf path; /* request_differ.c's */
};

/* Adds what differs. 0, or an error of the store. */
int request_differ(const struct request_filter *filter, struct journal_request *asked,
                   struct differ *io_differ);

/* One more thing that differs beyond the fields, in words of the caller's: it is near. */
void request_differ_add(struct differ *io_differ, const char *path, const char *expected,
                        const char *seen);

/* Whether the request fits, where all that it said may not be known. */
enum request_fit { FIT_NO, FIT_YES, FIT_UNSURE };
int request_filter_judge(const struct request_filter *filter, struct journal_request *asked,
                         enum request_fit *ret_fit);

#endif
