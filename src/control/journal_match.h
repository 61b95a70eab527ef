/*
 * An entry of the journal as rules see a request (engine/rule_match.h), so that whoever asks what
 * came may ask as a rule's `match` does:
 *
 *     struct rule *rule;          // rule_parse_match(json, "match.", &complaint, &rule)
 *     struct journal_request asked;
 *     journal_request_init(&asked, entry, db, workspace_pk);
 *     int fits = rule_matches(rule, &asked.rules);     // 1, 0, or an error
 *     journal_request_finish(&asked);
 *
 * What differs from how rules see a request that is under way: `job` is also the one that the
 * request has made; and the body is as it is kept, so that callback header values and API keys in
 * it fit nothing, and of one beyond 64 KiB only the members before the cut are there (where it made
 * a job, what the job was made with counts instead, likewise without these values); then it is
 * partial, and so is the input of a job that has gone meanwhile. Asking costs a parse of the body,
 * once, and only where the match looks at it. HTTP threads.
 */
#ifndef UNDERSTUDY_CONTROL_JOURNAL_MATCH_H
#define UNDERSTUDY_CONTROL_JOURNAL_MATCH_H

#include "engine/journal.h"
#include "engine/rule_match.h"
#include "http/router.h"
#include "store/db.h"

struct journal_request {
    struct rule_request rules; /* first */
    const struct journal_entry *entry;
    struct db *db; /* NULL: nothing is read; requests about a job or session have no input then */
    int64_t workspace;
    json_t *input;   /* the body, or what the job or session was made with; once it was asked for */
    bool is_partial; /* of which there may have been more than is known: it was cut, or is gone */
    char job[ID_HEX_SIZE];
    char *text; /* what the path's parts point into */
    struct path path;
};

/* The entry must live until the end. `workspace` is its key in the store. ERR_NO_MEMORY. */
int journal_request_init(struct journal_request *self, const struct journal_entry *entry,
                         struct db *db, int64_t workspace);
void journal_request_finish(struct journal_request *self);

/* What the body says (see above); NULL: it is no JSON object. It belongs to `self`. */
int journal_request_body(struct journal_request *self, const json_t **ret_body);

/* Part number `index` of the path, from 0, decoded; NULL: it has fewer. It belongs to `self`. */
const char *journal_request_part(const struct journal_request *self, size_t index);

/* Parses a kept body, also one that was cut, of which it takes the members that are whole. NULL: it
 * is no JSON object. The caller's. */
json_t *journal_body_json(const struct journal_entry *entry);

#endif
