/*
 * The rules of workspaces: kept in the store, and in memory for the requests that look at them; and
 * what a rule does to a request, by one of these ways at least exactly as often as it says: each
 * use is counted in the writer's transaction, with what it is for.
 */
#ifndef UNDERSTUDY_ENGINE_RULES_H
#define UNDERSTUDY_ENGINE_RULES_H

#include "engine/engine.h"
#include "engine/rule_set.h"

/* -- the rules of a workspace ------------------------------------------------------------------ */

/* Its rules, with a reference of the caller's; NULL: it has none. Any thread. */
struct rule_set *workspace_rules(struct workspace *workspace);

/* How new its newest rule is; 0: it has none. Any thread. */
int64_t workspace_newest_rule(struct workspace *workspace);

/* POST: all or none. */
struct rules_add {
    struct operation operation;
    struct rule **rules; /* without ids, the caller's; they get id, seq and time */
    size_t count;
    bool too_many; /* out: there would be more than RULES_MAX */
};

void rules_add_init(struct rules_add *add, struct engine *engine, struct workspace *workspace);

/* DELETE of one, or of all of a label. */
struct rules_delete {
    struct operation operation;
    const char *id, *label; /* one of them */
    int64_t count;          /* out */
};

void rules_delete_init(struct rules_delete *deletion, struct engine *engine,
                       struct workspace *workspace);

/* The same within the transaction that makes a workspace, and then in memory. */
int rules_insert(struct db *db, const struct workspace *workspace, struct rule **rules,
                 size_t count);
int rules_publish(struct workspace *workspace, struct rule **rules, size_t count);

/* Reads them at the start. ERR_CORRUPT where one is no rule. */
int rules_load(struct db *db, struct workspace *workspace);

/*
 * Where all rules of a workspace are put back: reads them as the transaction leaves them (NULL:
 * none is left), and then, on the writer's thread after the commit, has that be its set, whose
 * reference it takes over. Rules that are there already, with as many hits, keep these.
 */
int rules_read_all(struct db *db, int64_t pk, struct rule_set **ret_set);
void rules_replace(struct workspace *workspace, struct rule_set *set);

/* -- a request among them ---------------------------------------------------------------------- */

/*
 * What a request to one of the APIs has to do with its workspace and the rules there. The API
 * zeroes it, begins it when the request is there whole, and lets rule_subject_finish() end it when
 * that is over. One thread at a time.
 */
struct rule_subject {
    struct workspace *workspace;
    int64_t request;        /* the workspace's n-th */
    unsigned turn;          /* see workspace_enter() */
    bool unanswered;        /* it counts as such */
    bool untold;            /* likewise */
    int64_t begun_at;       /* of the workspace's clock */
    int64_t resets;         /* events_resets() then */
    char made[ID_HEX_SIZE]; /* the job that it made, or found by its request_id; "" */
    struct rule_set *rules;
    struct rule_list found[RULE_KINDS];
    struct rule *answer;  /* that acts; its action counts as long as the subject does */
    struct rule *job;     /* likewise on the job that is being made */
    struct rule *webhook; /* likewise on that job's callback */
    bool settled;         /* the hits are noted */
    struct held held;     /* where real time holds the request up */
};

/* The request begins: it is counted, unanswered and untold. */
void rule_subject_begin(struct rule_subject *subject, struct workspace *workspace);

/* It counts as answered before it is over: it never will be. */
void rule_subject_give_up(struct rule_subject *subject);

/* What became of it is in the journal, or will not be. Nothing, where that was said. */
void rule_subject_tell(struct rule_subject *subject);

/* Finds what matches: 0, or as rule_set_match(). Nothing, at the price of a look, where the
 * workspace has no rules. */
int rule_subject_match(struct rule_subject *subject, struct rule_request *request);

/* Whether rule_claim is to be sent to know which answer or fault acts; otherwise `answer` is it. */
bool rule_subject_must_claim(struct rule_subject *subject);

struct rule_claim {
    struct operation operation;
    struct rule_subject *subject;
};

/* Uses up what acts: sets subject->answer. */
void rule_claim_init(struct rule_claim *claim, struct engine *engine, struct rule_subject *subject);

/*
 * Within the transaction that makes a job: what a rule says of it, and another one of its callback,
 * where it has one. NULL is fine: nothing. Then, after the commit: the job's id, "" where none was
 * made.
 */
int rule_subject_claim_job(struct db *db, struct rule_subject *subject, bool has_callback,
                           struct plan_row *planned);
void rule_subject_commit_job(struct rule_subject *subject, const char *job);

/* The claim of a run that was rolled back, or comes to nothing. */
void rule_subject_forget_job(struct rule_subject *subject);

/* Notes the hits of all that acted or watched, once; `job` as above. */
void rule_subject_settle(struct rule_subject *subject, const char *job);

void rule_subject_finish(struct rule_subject *subject);

#endif
