/*
 * Requests look at a set that never changes. To let go of the old one safely, a reference is taken
 * under a lock of the workspace's; whether there is a set at all is seen without it, so that a
 * workspace without rules pays one atomic load.
 *
 * What a candidate has left is read from the store, inside the transaction: memory may be behind
 * it by the other requests of the same commit.
 */
#include "engine/rules.h"

#include "base/json.h"
#include "engine/draw.h"
#include "engine/feed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* -- a workspace's set ------------------------------------------------------------------------- */

struct rule_set *workspace_rules(struct workspace *workspace)
{
    struct rule_set *set = NULL;
    if (!atomic_load(&workspace->rules))
        return NULL;
    pthread_mutex_lock(&workspace->rules_lock);
    set = atomic_load(&workspace->rules);
    if (set)
        rule_set_hold(set);
    pthread_mutex_unlock(&workspace->rules_lock);
    return set;
}

int64_t workspace_newest_rule(struct workspace *workspace)
{
    struct rule_set *set = workspace_rules(workspace);
    int64_t newest = set && set->count ? set->rules[set->count - 1]->seq : 0;
    rule_set_release(set);
    return newest;
}

static void replace(struct workspace *workspace, struct rule_set *set)
{
    pthread_mutex_lock(&workspace->rules_lock);
    struct rule_set *before = atomic_exchange(&workspace->rules, set);
    pthread_mutex_unlock(&workspace->rules_lock);
    rule_set_release(before);
}

/* Replaces the set by one of these rules. The writer's thread, or before there is one. */
static int publish(struct workspace *workspace, struct rule *const *rules, size_t count)
{
    struct rule_set *set = count ? rule_set_create(rules, count) : NULL;
    if (count && !set)
        return ERR_NO_MEMORY;
    replace(workspace, set);
    return 0;
}

int rules_publish(struct workspace *workspace, struct rule **rules, size_t count)
{
    const struct rule_set *old = atomic_load(&workspace->rules); /* only this thread replaces it */
    size_t before = old ? old->count : 0;
    struct rule **all = malloc((before + count + 1) * sizeof *all);
    if (!all)
        return ERR_NO_MEMORY;
    if (before)
        memcpy(all, old->rules, before * sizeof *all);
    if (count)
        memcpy(all + before, rules, count * sizeof *all);
    int status = publish(workspace, all, before + count);
    free(all);
    return status;
}

/* -- adding ------------------------------------------------------------------------------------ */

static int insert(struct db *db, const struct workspace *workspace, struct rule *rule, int64_t now)
{
    struct buf text = BUF_INIT;
    struct rule_row row = {
        .label = rule->label, .uses = {.left = rule->times, .skip = rule->skip}, .created_at = now};
    json_put_value(&text, rule->document);
    row.document = text.data;
    int status = buf_failed(&text) ? ERR_NO_MEMORY : 0;
    while (status == 0 && (status = draw_hex(db, workspace, row.id)) == 0 &&
           (status = rule_insert(db, workspace->row.pk, &row)) == ERR_EXISTS)
        status = 0; /* the id is taken */
    buf_finish(&text);
    rule->seq = row.seq;
    rule->created_at = now;
    memcpy(rule->id, row.id, sizeof rule->id);
    return status;
}

int rules_insert(struct db *db, const struct workspace *workspace, struct rule **rules,
                 size_t count)
{
    int64_t now = workspace_now_in(db, workspace);
    int status = 0;
    for (size_t i = 0; status == 0 && i < count; i++)
        status = insert(db, workspace, rules[i], now);
    return status;
}

static int add_run(struct write *write, struct db *db)
{
    struct rules_add *self = (struct rules_add *)write;
    struct workspace *workspace = self->operation.workspace;
    int64_t before = 0;
    int status = rule_count(db, workspace->row.pk, &before);
    self->too_many = before + (int64_t)self->count > RULES_MAX;
    if (status < 0 || self->too_many)
        return status;
    self->operation.posts = EVENT_RULE;
    return rules_insert(db, workspace, self->rules, self->count);
}

static int add_apply(struct operation *operation)
{
    struct rules_add *self = (struct rules_add *)operation;
    return self->too_many ? 0 : rules_publish(operation->workspace, self->rules, self->count);
}

void rules_add_init(struct rules_add *add, struct engine *engine, struct workspace *workspace)
{
    *add = (struct rules_add){.rules = add->rules, .count = add->count};
    operation_init(&add->operation, engine, workspace, add_run);
    add->operation.apply = add_apply;
}

/* -- deleting ---------------------------------------------------------------------------------- */

static int delete_run(struct write *write, struct db *db)
{
    struct rules_delete *self = (struct rules_delete *)write;
    int64_t workspace = self->operation.workspace->row.pk;
    self->operation.posts = EVENT_RULE;
    if (self->label)
        return rule_delete_labelled(db, workspace, self->label, &self->count);
    int status = rule_delete(db, workspace, self->id);
    self->count = status == 0;
    return status == ERR_NOT_FOUND ? 0 : status;
}

static bool is_deleted(const struct rules_delete *self, const struct rule *rule)
{
    if (self->label)
        return rule->label && strcmp(rule->label, self->label) == 0;
    return strcmp(rule->id, self->id) == 0;
}

static int delete_apply(struct operation *operation)
{
    struct rules_delete *self = (struct rules_delete *)operation;
    const struct rule_set *old = atomic_load(&operation->workspace->rules);
    size_t count = 0;
    if (!old || !self->count)
        return 0;
    struct rule **left = malloc(old->count * sizeof *left);
    if (!left)
        return ERR_NO_MEMORY;
    for (size_t i = 0; i < old->count; i++)
        if (!is_deleted(self, old->rules[i]))
            left[count++] = old->rules[i];
    int status = publish(operation->workspace, left, count);
    free(left);
    return status;
}

void rules_delete_init(struct rules_delete *deletion, struct engine *engine,
                       struct workspace *workspace)
{
    *deletion = (struct rules_delete){.id = deletion->id, .label = deletion->label};
    operation_init(&deletion->operation, engine, workspace, delete_run);
    deletion->operation.apply = delete_apply;
}

/* -- the start --------------------------------------------------------------------------------- */

struct loading {
    struct rule **rules;
    size_t count, capacity;
};

static int load_rule(const struct rule_row *row, void *arg)
{
    struct loading *loading = arg;
    if (loading->count == loading->capacity) {
        size_t capacity = loading->capacity ? loading->capacity * 2 : 16;
        struct rule **rules = realloc(loading->rules, capacity * sizeof *rules);
        if (!rules)
            return ERR_NO_MEMORY;
        loading->rules = rules;
        loading->capacity = capacity;
    }
    int status = rule_load(row, &loading->rules[loading->count]);
    loading->count += status == 0;
    return status;
}

int rules_read_all(struct db *db, int64_t pk, struct rule_set **ret_set)
{
    struct loading loading = {.rules = NULL};
    struct rule_set *set = NULL;
    int status = rule_each(db, pk, load_rule, &loading);
    if (status == 0 && loading.count && !(set = rule_set_create(loading.rules, loading.count)))
        status = ERR_NO_MEMORY;
    for (size_t i = 0; i < loading.count; i++)
        rule_release(loading.rules[i]);
    free(loading.rules);
    if (status == 0)
        *ret_set = set;
    return status;
}

void rules_replace(struct workspace *workspace, struct rule_set *set)
{
    const struct rule_set *before = atomic_load(&workspace->rules);
    for (size_t i = 0; before && set && i < set->count; i++) {
        struct rule *rule = set->rules[i], *known = rule_set_find(before, rule->id);
        if (known && atomic_load(&known->hit_count) == atomic_load(&rule->hit_count))
            rule_take_hits(rule, known);
    }
    replace(workspace, set);
}

int rules_load(struct db *db, struct workspace *workspace)
{
    struct rule_set *set;
    int status = rules_read_all(db, workspace->row.pk, &set);
    if (status == 0)
        replace(workspace, set);
    return status;
}

/* -- uses -------------------------------------------------------------------------------------- */

/* Whether a candidate acts, counted in the store: 1, 0, or an error. */
static int use(struct db *db, struct rule_candidate *candidate)
{
    struct rule_uses *uses = &candidate->uses;
    candidate->changed = false;
    if (rule_is_free(candidate->rule))
        return 1;
    int status = rule_read_uses(db, candidate->rule->seq, uses);
    if (status == ERR_NOT_FOUND || (status == 0 && uses->left == 0))
        return 0; /* deleted, or used up, by those before us */
    if (status < 0)
        return status;
    bool acts = uses->skip == 0;
    uses->skip -= !acts;
    uses->left -= acts && uses->left > 0;
    uses->hits += acts;
    candidate->changed = true;
    status = rule_set_uses(db, candidate->rule->seq, uses);
    return status < 0 ? status : acts;
}

/* The first that acts; those before it let this one pass. */
static int claim(struct db *db, struct rule_list *list, struct rule **ret_rule)
{
    int status = 0;
    *ret_rule = NULL;
    for (size_t i = 0; i < list->count; i++) /* of a run that was rolled back */
        list->items[i].changed = false;
    for (size_t i = 0; status == 0 && i < list->count; i++)
        if ((status = use(db, &list->items[i])) > 0)
            *ret_rule = list->items[i].rule;
    return status < 0 ? status : 0;
}

/* After the commit. */
static void take_over(const struct rule_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->items[i].changed)
            rule_set(list->items[i].rule, &list->items[i].uses);
}

static int claim_run(struct write *write, struct db *db)
{
    struct rule_subject *subject = ((struct rule_claim *)write)->subject;
    return claim(db, &subject->found[RULE_ANSWER], &subject->answer);
}

static int claim_apply(struct operation *operation)
{
    take_over(&((struct rule_claim *)operation)->subject->found[RULE_ANSWER]);
    return 0;
}

void rule_claim_init(struct rule_claim *claim, struct engine *engine, struct rule_subject *subject)
{
    claim->subject = subject;
    operation_init(&claim->operation, engine, subject->workspace, claim_run);
    claim->operation.apply = claim_apply;
}

/* -- a request --------------------------------------------------------------------------------- */

void rule_subject_begin(struct rule_subject *subject, struct workspace *workspace)
{
    subject->workspace = workspace;
    subject->request = workspace_enter(workspace, &subject->turn);
    subject->unanswered = subject->untold = true;
    subject->begun_at = workspace_now(workspace);
    subject->resets = events_resets(workspace);
}

void rule_subject_give_up(struct rule_subject *subject)
{
    if (subject->unanswered)
        workspace_leave(subject->workspace, subject->turn);
    subject->unanswered = false;
}

void rule_subject_tell(struct rule_subject *subject)
{
    if (subject->untold)
        events_tell_request(subject->workspace);
    subject->untold = false;
}

int rule_subject_match(struct rule_subject *subject, struct rule_request *request)
{
    subject->rules = workspace_rules(subject->workspace);
    return subject->rules ? rule_set_match(subject->rules, request, subject->found) : 0;
}

bool rule_subject_must_claim(struct rule_subject *subject)
{
    const struct rule_list *answers = &subject->found[RULE_ANSWER];
    if (answers->count == 0)
        return false;
    if (!rule_is_free(answers->items[0].rule))
        return true;
    subject->answer = answers->items[0].rule;
    return false;
}

int rule_subject_claim_job(struct db *db, struct rule_subject *subject, bool has_callback,
                           struct plan_row *planned)
{
    if (!subject)
        return 0;
    int status = claim(db, &subject->found[RULE_JOB], &subject->job);
    if (status == 0 && has_callback)
        status = claim(db, &subject->found[RULE_WEBHOOK], &subject->webhook);
    if (status == 0 && subject->job) {
        planned->plan = subject->job->action.plan;
        memcpy(planned->rule, subject->job->id, sizeof planned->rule);
    }
    if (status == 0 && subject->webhook) {
        planned->webhook = subject->webhook->action.webhook_text;
        memcpy(planned->webhook_rule, subject->webhook->id, sizeof planned->webhook_rule);
    }
    return status;
}

static void forget(struct rule_list *list, struct rule **rule)
{
    *rule = NULL;
    for (size_t i = 0; i < list->count; i++)
        list->items[i].changed = false;
}

void rule_subject_forget_job(struct rule_subject *subject)
{
    if (!subject)
        return;
    forget(&subject->found[RULE_JOB], &subject->job);
    forget(&subject->found[RULE_WEBHOOK], &subject->webhook);
}

void rule_subject_commit_job(struct rule_subject *subject, const char *job)
{
    if (!subject)
        return;
    take_over(&subject->found[RULE_JOB]);
    take_over(&subject->found[RULE_WEBHOOK]);
    snprintf(subject->made, sizeof subject->made, "%s", job);
    rule_subject_settle(subject, job);
}

static void note(struct workspace *workspace, struct rule *rule, const struct rule_hit *hit)
{
    rule_note(rule, hit);
    feed_tell_hit(workspace, rule, hit);
}

void rule_subject_settle(struct rule_subject *subject, const char *job)
{
    struct rule_hit hit = {.request = subject->request};
    const struct rule_list *watches = &subject->found[RULE_WATCH];
    if (subject->settled || !subject->rules)
        return;
    subject->settled = true;
    hit.at = workspace_now(subject->workspace);
    snprintf(hit.job, sizeof hit.job, "%s", job);
    for (size_t i = 0; i < watches->count; i++)
        note(subject->workspace, watches->items[i].rule, &hit);
    if (subject->answer)
        note(subject->workspace, subject->answer, &hit);
    if (subject->job)
        note(subject->workspace, subject->job, &hit);
    if (subject->webhook)
        note(subject->workspace, subject->webhook, &hit);
    if (watches->count || subject->answer || subject->job || subject->webhook)
        events_post(subject->workspace, EVENT_RULE);
}

void rule_subject_finish(struct rule_subject *subject)
{
    if (subject->rules) {
        rule_subject_settle(subject, "");
        events_let_go(subject->workspace, &subject->held);
        for (size_t i = 0; i < RULE_KINDS; i++)
            free(subject->found[i].items);
        rule_set_release(subject->rules);
        subject->rules = NULL;
    }
    rule_subject_tell(subject);
    rule_subject_give_up(subject);
}
