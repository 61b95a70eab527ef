/*
 * A rule: what a test says is to happen to requests that look like this, or to the jobs that they
 * make; or, where it says nothing, which of them it wants to see.
 *
 * A rule is made once from its JSON and never changes, but for what is counted; it is shared by
 * reference. Any thread, unless it is said otherwise.
 */
#ifndef UNDERSTUDY_ENGINE_RULE_H
#define UNDERSTUDY_ENGINE_RULE_H

#include "base/complaint.h"
#include "base/pattern.h"
#include "engine/action.h"
#include "store/rule.h"

#include <jansson.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

enum {
    RULES_MAX = 10000,          /* of a workspace: a request looks at each of them */
    RULE_BYTES_MAX = 64 * 1024, /* of one, as JSON */
    RULE_LABEL_MAX = 200,       /* bytes */
    RULE_HITS_KEPT = 1000,      /* the last ones; all are counted */
    RULE_TIMES_MAX = 1000000000,
};

/* For each of the kinds but the first, one rule acts on a request. */
enum rule_kind { RULE_WATCH, RULE_JOB, RULE_WEBHOOK, RULE_ANSWER };
enum { RULE_KINDS = RULE_ANSWER + 1 };

struct rule_header {
    const char *name, *value; /* NULL: any value */
};

/* What a request must be like; NULL, or operation -1: does not matter. */
struct rule_match {
    int operation;         /* of rule_operations */
    const char *email;     /* in lower case */
    const char *email_end; /* what follows its last *; NULL: it has none */
    size_t email_end_len;
    const char *prompt; /* a part of it */
    struct pattern *prompt_pattern;
    const char *request_id, *scenario_slug, *project, *job;
    struct rule_header *headers;
    size_t header_count;
    const json_t *body; /* an object: what the body has, among others */
};

/* One request that a rule acted on, or that it was to see. */
struct rule_hit {
    int64_t request;       /* the workspace's n-th */
    char job[ID_HEX_SIZE]; /* that it made, or was about; "" */
    int64_t at;            /* of the workspace's clock */
};

struct rule {
    atomic_int references;
    int64_t seq; /* how old it is among the rules; set with the id, before it is shared */
    char id[RULE_ID_SIZE];
    int64_t created_at;
    json_t *document; /* as it was given; what is borrowed below belongs to it */
    const char *label;
    enum rule_kind kind;
    struct rule_match match;
    struct action action;
    int64_t times; /* -1: not said, so it is an override */
    int64_t skip;

    atomic_llong left, skip_left; /* as struct rule_uses, as of the last commit */
    atomic_llong hit_count;
    pthread_mutex_t lock;
    struct rule_hit *hits; /* a ring of the last ones, under the lock */
    size_t hits_kept, hits_capacity, hits_oldest;

    struct rule_owned *owned; /* memory of what was made from the document */
};

/* The operationIds that `match.operation` may name; NULL ends them. */
extern const char *const rule_operations[];

/* The number of an operation; -1 where rules do not know it. */
int rule_operation(const char *name);

/* The fields of a rule, and of its match. */
extern const struct field rule_fields[];
extern const size_t rule_field_count;
enum { RULE_MATCH_FIELDS = 9 };
extern const struct field rule_match_fields[RULE_MATCH_FIELDS];

/*
 * Makes a rule of its JSON, of which it keeps a reference; it has no id yet. Members are named
 * after `prefix` ("[2]."). ERR_INVALID with a complaint (C2), ERR_NO_MEMORY. What outcome it names,
 * the caller checks.
 */
int rule_parse(const json_t *value, const char *prefix, struct complaint *complaint,
               struct rule **ret_rule);

/* The same of a `match` alone, an object, whose members are named after `prefix` ("match."): a rule
 * that is never added to any, for rule_matches(). */
int rule_parse_match(const json_t *match, const char *prefix, struct complaint *complaint,
                     struct rule **ret_rule);

/* The same of a row of the store. */
int rule_load(const struct rule_row *row, struct rule **ret_rule);

/* Another reference; and one less, where NULL is fine. */
struct rule *rule_hold(struct rule *rule);
void rule_release(struct rule *rule);

/* Whether it needs no count to be kept when it acts: an override that has let pass what it was to.
 */
bool rule_is_free(const struct rule *rule);

/* Whether it never acts, or sees, again. */
bool rule_is_spent(const struct rule *rule);

/* A watching rule matched: whether it is to see it, by times and skip. */
bool rule_sees(struct rule *rule);

/* Takes over what the store says, after the commit. */
void rule_set(struct rule *rule, const struct rule_uses *uses);

/* Notes a hit: those of a watch and of an override are counted here too. */
void rule_note(struct rule *rule, const struct rule_hit *hit);

/* The hits of a rule that takes this one's place move to it. */
void rule_take_hits(struct rule *rule, struct rule *before);

/* Copies the hits that are kept, oldest first, into *ret_hits, to be freed by free(). The number of
 * all hits comes with them. ERR_NO_MEMORY. */
int rule_read_hits(struct rule *rule, struct rule_hit **ret_hits, size_t *ret_kept,
                   int64_t *ret_count);

/* -- for rule_parse.c and rule_do.c ------------------------------------------------------------ */

/* Memory of the rule's, zeroed; NULL: none. */
void *rule_alloc(struct rule *rule, size_t size);

/* Reads `do`; `path` is "do." after the rule's prefix. */
int rule_parse_do(struct rule *rule, const json_t *object, const char *path,
                  struct complaint *complaint);

#endif
