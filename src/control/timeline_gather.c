/* Where the items of a timeline come from. What is not shown is not put into words. */
#include "base/json_peek.h"
#include "control/journal_match.h"
#include "control/timeline.h"
#include "engine/delivery.h"
#include "engine/job_state.h"
#include "engine/rules.h"

#include <stdlib.h>
#include <string.h>

/* -- what `since` has seen --------------------------------------------------------------------- */

/* The later of two places. */
static void reach(struct timeline *timeline, const struct timeline_key *key)
{
    if (timeline_compare(key, &timeline->seen) > 0)
        timeline->seen = *key;
}

static int reach_job(const struct job *job, const struct job_input *input, void *arg)
{
    struct timeline_step steps[TIMELINE_STEPS_MAX];
    (void)input;
    timeline_steps(arg, job, steps);
    reach(arg, &steps[0].key);
    return 0;
}

static int reach_delivery(const struct delivery_item *item, void *arg)
{
    struct timeline_key key = {.at = item->delivery.created_at, .rank = RANK_DELIVERY};
    reach(arg, &key);
    return 0;
}

/*
 * A cursor counts requests, jobs and deliveries. Of transitions and attempts that are of older jobs
 * and deliveries it is not known whether they came before: those are shown that lie behind the last
 * of what it has seen. That of a timeline tells its last item, and when that was.
 */
static int find_seen(struct timeline *timeline)
{
    const struct cursor *since = &timeline->since;
    int64_t pk = timeline->workspace->row.pk;
    struct job_filter jobs = {.after = since->jobs - 1, .until = since->jobs, .status = -1};
    struct delivery_filter deliveries = {
        .after = since->webhooks - 1, .until = since->webhooks, .status = -1};
    int status = 0;
    timeline->has_since = since->jobs || since->webhooks || since->journal || since->told;
    if (since->told)
        return 0;
    for (size_t i = 0; i < timeline->entry_count; i++) {
        struct timeline_key key = timeline_entry_key(timeline->entries[i]);
        if (timeline->entries[i]->number <= since->journal)
            reach(timeline, &key);
    }
    if (since->jobs)
        status = job_each(timeline->db, pk, &jobs, reach_job, timeline);
    if (status == 0 && since->webhooks)
        status = delivery_each(timeline->db, pk, &deliveries, reach_delivery, timeline);
    return status;
}

static bool is_behind(const struct timeline *timeline, const struct timeline_key *key)
{
    return !timeline->has_since || timeline_compare(key, &timeline->seen) > 0;
}

/* -- requests and control writes --------------------------------------------------------------- */

static bool is_new_entry(const struct timeline *timeline, const struct journal_entry *entry)
{
    return entry->number > timeline->since.journal;
}

static void add_entry(struct timeline *timeline, size_t index)
{
    const struct journal_entry *entry = timeline->entries[index];
    struct timeline_key key = timeline_entry_key(entry);
    struct timeline_tell tell = {.timeline = timeline};
    if (!is_new_entry(timeline, entry) || !timeline_wants(&timeline->window, &key))
        return;
    if (entry->is_control)
        timeline_tell_control(&tell, entry);
    else
        timeline_tell_request(&tell, index);
    timeline_add(&timeline->window, &key, entry->is_control ? "control" : "request", &tell.json,
                 &tell.words);
}

static void add_fault(struct timeline *timeline, const struct journal_entry *entry)
{
    struct timeline_key key = timeline_entry_key(entry);
    struct timeline_tell tell = {.timeline = timeline};
    key.rank = RANK_FAULT;
    if (entry->is_control || entry->end == JOURNAL_ANSWERED || entry->end == JOURNAL_LEFT ||
        !is_new_entry(timeline, entry) || !timeline_wants(&timeline->window, &key))
        return;
    timeline_tell_fault(&tell, entry);
    timeline_add(&timeline->window, &key, "fault", &tell.json, &tell.words);
}

/* -- which of them are about a job ------------------------------------------------------------- */

static bool is_to(const struct journal_entry *entry, const char *operation)
{
    return entry->operation_id && strcmp(entry->operation_id, operation) == 0;
}

/* A try to make the job that came to nothing: the same request_id. */
static bool is_same_try(const struct timeline *timeline, const struct journal_entry *entry)
{
    const char *wanted = timeline->input->request_id;
    if (!wanted || *entry->job || !is_to(entry, "createScenarioJob"))
        return false;
    json_t *body = journal_body_json(entry);
    const char *given = json_string_value(json_object_get(body, "request_id"));
    bool is = given && strcmp(given, wanted) == 0;
    json_decref(body);
    return is;
}

/* The session that the job is of: its making, and its page. */
static bool is_session(const struct timeline *timeline, const struct journal_entry *entry)
{
    const char *session = timeline->input->session;
    struct json_peek peek = json_peek_begin(entry->answer.data, entry->answer.len);
    struct json_part name, value;
    if (!session)
        return false;
    if (is_to(entry, "openChat"))
        return entry->path && strncmp(entry->path, "/chat/", 6) == 0 &&
               strcmp(entry->path + 6, session) == 0;
    return is_to(entry, "createScenarioStudioSession") && json_peek_next(&peek, &name, &value) &&
           json_part_is(name, "id") && json_part_is(json_part_text(value), session);
}

/* What is done to a workspace as a whole may be why something became of a job meanwhile. */
static bool is_about_all(const struct journal_entry *entry)
{
    static const char *const operations[] = {"advanceClock", "setClock",       "updateSettings",
                                             "createRule",   "deleteRule",     "deleteRules",
                                             "replaceState", "resetWorkspace", "waitUntilSettled"};
    for (size_t i = 0; i < sizeof operations / sizeof *operations; i++)
        if (is_to(entry, operations[i]))
            return true;
    return false;
}

static bool is_about_job(const struct timeline *timeline, const struct journal_entry *entry)
{
    return strcmp(entry->job, timeline->job->id) == 0 || is_same_try(timeline, entry) ||
           is_session(timeline, entry);
}

/* The requests about a job, and so how long there was something about it. */
static void choose_requests(struct timeline *timeline)
{
    for (size_t i = 0; i < timeline->entry_count; i++) {
        const struct journal_entry *entry = timeline->entries[i];
        if (entry->is_control || !is_about_job(timeline, entry))
            continue;
        timeline->chosen[i] = true;
        if (timeline->first_at > entry->at)
            timeline->first_at = entry->at;
        if (timeline->last_at < entry->at)
            timeline->last_at = entry->at;
    }
}

/* And the control writes: about it, or, meanwhile, about all. */
static void choose_controls(struct timeline *timeline)
{
    for (size_t i = 0; i < timeline->entry_count; i++) {
        const struct journal_entry *entry = timeline->entries[i];
        bool is_about_it = strcmp(entry->job, timeline->job->id) == 0;
        bool is_meanwhile = entry->clock >= timeline->first_at && entry->at <= timeline->last_at;
        if (entry->is_control && (is_about_it || (is_meanwhile && is_about_all(entry))))
            timeline->chosen[i] = true;
    }
}

static void add_entries(struct timeline *timeline)
{
    if (timeline->job) {
        choose_requests(timeline);
        choose_controls(timeline);
    }
    for (size_t i = 0; i < timeline->entry_count; i++) {
        const struct journal_entry *entry = timeline->entries[i];
        timeline->chosen[i] = timeline->chosen[i] || !timeline->job;
        if (!timeline->chosen[i])
            continue;
        timeline->request_count += !entry->is_control;
        add_entry(timeline, i);
        add_fault(timeline, entry);
    }
}

/* The place of an entry by its number, which is there. */
static size_t place_of(const struct timeline *timeline, int64_t number)
{
    size_t low = 0, high = timeline->entry_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (timeline->entries[middle]->number < number)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* -- rules ------------------------------------------------------------------------------------- */

static const struct journal_entry *entry_of_turn(const struct timeline *timeline, int64_t request)
{
    size_t low = 0, high = timeline->turns;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (timeline->by_turn[middle]->request < request)
            low = middle + 1;
        else
            high = middle;
    }
    bool found = low < timeline->turns && timeline->by_turn[low]->request == request;
    return found ? timeline->by_turn[low] : NULL;
}

static void add_rule(struct timeline *timeline, const char *id, const struct rule *rule, int64_t at,
                     int64_t serial, const struct journal_entry *entry, const char *job)
{
    struct timeline_key key = {.at = at, .rank = RANK_RULE, .serial = serial};
    struct timeline_tell tell = {.timeline = timeline};
    if (entry) {
        key = timeline_entry_key(entry);
        key.rank = RANK_RULE;
        key.serial = rule ? rule->seq : 0;
    }
    if (entry ? !is_new_entry(timeline, entry) : !is_behind(timeline, &key))
        return;
    if (!timeline_wants(&timeline->window, &key))
        return;
    timeline_tell_rule(&tell, id, rule, entry, job);
    timeline_add(&timeline->window, &key, "rule", &tell.json, &tell.words);
}

/* A hit that was noted before the last reset is not of what is there now. */
static void add_hit(struct timeline *timeline, const struct rule *rule, const struct rule_hit *hit)
{
    const struct journal_entry *entry = entry_of_turn(timeline, hit->request);
    size_t place = entry ? place_of(timeline, entry->number) : 0;
    bool is_of_job = timeline->job && strcmp(hit->job, timeline->job->id) == 0;
    if (hit->request <= atomic_load(&timeline->workspace->past.requests))
        return;
    if (entry && strcmp(entry->rule, rule->id) == 0)
        timeline->ruled[place] = true;
    if (!timeline->job || is_of_job || (entry && timeline->chosen[place]))
        add_rule(timeline, rule->id, rule, hit->at, hit->request, entry, hit->job);
}

static int add_hits(struct timeline *timeline)
{
    const struct rule_set *rules = timeline->rules;
    for (size_t i = 0; rules && i < rules->count; i++) {
        struct rule_hit *hits;
        size_t kept;
        int64_t count;
        if (!atomic_load(&rules->rules[i]->hit_count))
            continue;
        if (rule_read_hits(rules->rules[i], &hits, &kept, &count) < 0)
            return ERR_NO_MEMORY;
        for (size_t j = 0; j < kept; j++)
            add_hit(timeline, rules->rules[i], &hits[j]);
        free(hits);
    }
    return 0;
}

/* What only the entries tell: of rules that are gone, or have had too many hits since. */
static void add_lost_hits(struct timeline *timeline)
{
    for (size_t i = 0; i < timeline->entry_count; i++) {
        const struct journal_entry *entry = timeline->entries[i];
        if (!*entry->rule || timeline->ruled[i] || !timeline->chosen[i])
            continue;
        const struct rule *rule =
            timeline->rules ? rule_set_find(timeline->rules, entry->rule) : NULL;
        add_rule(timeline, entry->rule, rule, entry->at, 0, entry, entry->job);
    }
}

/* Whether one of the hits of the rule that said what becomes of the job is known. */
static int knows_hit(const struct rule *rule, const char *job, bool *ret_known)
{
    struct rule_hit *hits = NULL;
    size_t kept = 0;
    int64_t count;
    *ret_known = false;
    if (!rule)
        return 0;
    int status = rule_read_hits(rule_hold((struct rule *)rule), &hits, &kept, &count);
    for (size_t i = 0; status == 0 && i < kept && !*ret_known; i++)
        *ret_known = strcmp(hits[i].job, job) == 0;
    free(hits);
    rule_release((struct rule *)rule);
    return status;
}

/* A rule that only the store knows to have acted on a job, since the server was started anew. */
static int add_kept_rule(struct timeline *timeline, const struct job *job,
                         const struct timeline_step *made, const struct plan_row *planned)
{
    const struct rule *rule =
        timeline->rules ? rule_set_find(timeline->rules, planned->rule) : NULL;
    bool known = false;
    int status = 0;
    if (!*planned->rule || made->entry)
        return 0;
    status = knows_hit(rule, job->id, &known);
    if (status == 0 && !known)
        add_rule(timeline, planned->rule, rule, job->created_at, job->event, NULL, job->id);
    return status;
}

/* -- jobs -------------------------------------------------------------------------------------- */

struct visit {
    struct timeline *timeline;
    bool is_new;                /* the job, or the delivery, came after `since` */
    struct timeline_key parent; /* of the transition that owes the deliveries; of the delivery */
    const struct delivery *delivery;
};

static int add_attempt(const struct attempt_row *attempt, void *arg)
{
    struct visit *visit = arg;
    struct timeline *timeline = visit->timeline;
    const struct delivery *delivery = visit->delivery;
    const struct cursor *since = &timeline->since;
    int64_t ended_at = attempt->sent_at + attempt->duration; /* where a seq is given anew */
    struct timeline_key key = {.at = attempt->at,
                               .sent = attempt->sent_at,
                               .number = INT64_MAX, /* it comes after who asked for it */
                               .rank = RANK_ATTEMPT,
                               .serial = delivery->seq * 1024 + attempt->number};
    struct timeline_tell tell = {.timeline = timeline};
    if (key.at == visit->parent.at && key.sent < visit->parent.sent)
        key.sent = visit->parent.sent;
    if (timeline->last_at < key.at)
        timeline->last_at = key.at;
    bool is_later = attempt->seq > since->attempts || ended_at > since->told;
    bool is_new = visit->is_new || (since->told ? is_later : is_behind(timeline, &key));
    if (!is_new || !timeline_wants(&timeline->window, &key))
        return 0;
    timeline_tell_attempt(&tell, delivery, attempt);
    timeline_add(&timeline->window, &key, "attempt", &tell.json, &tell.words);
    return 0;
}

/* Control writes about a delivery are about its job. */
static void choose_asked(struct timeline *timeline, const char *delivery)
{
    for (size_t i = 0; timeline->job && i < timeline->entry_count; i++)
        if (timeline_is_about(timeline->entries[i], delivery))
            timeline->chosen[i] = true;
}

static int add_delivery(const struct delivery_item *item, void *arg)
{
    struct visit *of_job = arg;
    struct timeline *timeline = of_job->timeline;
    const struct delivery *delivery = &item->delivery;
    struct visit visit = {.timeline = timeline, .delivery = delivery, .parent = of_job->parent};
    struct timeline_tell tell = {.timeline = timeline};
    visit.is_new = delivery->seq > timeline->since.webhooks;
    visit.parent.rank = RANK_DELIVERY;
    visit.parent.serial = delivery->seq;
    if (visit.parent.at != delivery->created_at)
        visit.parent =
            (struct timeline_key){delivery->created_at, 0, 0, RANK_DELIVERY, delivery->seq};
    choose_asked(timeline, delivery->id);
    if (!delivery_has_ended(delivery->status))
        timeline->last_at = INT64_MAX;
    if (visit.is_new && timeline_wants(&timeline->window, &visit.parent)) {
        timeline_tell_delivery(&tell, item);
        timeline_add(&timeline->window, &visit.parent, "delivery", &tell.json, &tell.words);
    }
    return delivery->attempts ? attempt_each(timeline->db, delivery->seq, add_attempt, &visit) : 0;
}

static void add_step(struct timeline *timeline, const struct job *job,
                     const struct timeline_step *steps, size_t index,
                     const struct plan_row *planned)
{
    const struct timeline_step *step = &steps[index];
    struct timeline_tell tell = {.timeline = timeline};
    bool is_new = job->event > timeline->since.jobs ||
                  (index && (step->entry ? is_new_entry(timeline, step->entry)
                                         : is_behind(timeline, &step->key)));
    if (!is_new || !timeline_wants(&timeline->window, &step->key))
        return;
    timeline_tell_step(&tell, job, steps, index, planned);
    timeline_add(&timeline->window, &step->key, "transition", &tell.json, &tell.words);
}

/* Whether nothing of a job can be shown, without a look at more of it: most jobs of a long list. */
static bool is_out_of_sight(const struct timeline *timeline, const struct job *job)
{
    const struct timeline_window *window = &timeline->window;
    bool is_over = job_state_is_end(job->status) && !job->has_callback;
    return (window->has_bound && job->created_at > window->bound.at) ||
           (window->has_after && is_over && job->completed_at < window->after.at);
}

static int add_job(const struct job *job, const struct job_input *input, void *arg)
{
    struct timeline *timeline = arg;
    struct timeline_step steps[TIMELINE_STEPS_MAX];
    struct plan_row planned = {.polls = 0};
    int status = 0;
    (void)input;
    timeline->job_counts[job->status]++;
    if (is_out_of_sight(timeline, job))
        return 0;
    if (job->marks & JOB_HAS_PLAN)
        status = plan_read(timeline->db, job->seq, &planned);
    size_t count = timeline_steps(timeline, job, steps);
    timeline->has_maker = steps[0].entry != NULL;
    timeline->last_at = steps[count - 1].to == job->status && job_state_is_end(job->status)
                            ? steps[count - 1].at
                            : INT64_MAX;
    for (size_t i = 0; status == 0 && i < count; i++)
        add_step(timeline, job, steps, i, &planned);
    if (status == 0)
        status = add_kept_rule(timeline, job, &steps[0], &planned);
    struct visit visit = {.timeline = timeline, .parent = steps[count - 1].key};
    if (status == 0 && job->has_callback && job_state_is_end(job->status))
        status = delivery_each(
            timeline->db, timeline->workspace->row.pk,
            &(struct delivery_filter){.until = INT64_MAX, .status = -1, .job = job->id},
            add_delivery, &visit);
    return status;
}

int timeline_gather(struct timeline *timeline)
{
    struct job_filter all = {.until = timeline->now.jobs, .status = -1};
    int status = find_seen(timeline);
    timeline->rules = workspace_rules(timeline->workspace);
    if (status == 0 && timeline->job) {
        timeline->first_at = timeline->job->created_at;
        status = add_job(timeline->job, timeline->input, timeline);
    } else if (status == 0) {
        status = job_each(timeline->db, timeline->workspace->row.pk, &all, add_job, timeline);
    }
    if (status < 0)
        return status;
    add_entries(timeline);
    status = add_hits(timeline);
    if (status == 0)
        add_lost_hits(timeline);
    return status == 0 && timeline->window.failed ? ERR_NO_MEMORY : status;
}
