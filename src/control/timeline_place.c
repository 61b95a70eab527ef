/*
 * Where the transitions of jobs belong among requests. The store has when they were and why, but
 * not which request it was, and on a clock that stands much is at one instant: so the journal's
 * entries about a job are looked through for the one that brought it about, and for those whose
 * answers show that it was yet to come.
 */
#include "base/json_peek.h"
#include "control/timeline.h"
#include "engine/job_state.h"

#include <stdlib.h>
#include <string.h>

/* -- the journal's entries --------------------------------------------------------------------- */

struct timeline_key timeline_entry_key(const struct journal_entry *entry)
{
    return (struct timeline_key){
        .at = entry->at, .sent = entry->sent_at, .number = entry->number, .rank = RANK_REQUEST};
}

static bool is_to(const struct journal_entry *entry, const char *operation)
{
    return entry->operation_id && strcmp(entry->operation_id, operation) == 0;
}

/* The state in the job that an answer is; -1. */
static int shown_state(const struct journal_entry *entry)
{
    struct json_peek peek = json_peek_begin(entry->answer.data, entry->answer.len);
    struct json_part name, value;
    if (entry->is_control || entry->status < 200 || entry->status > 299 || !entry->answer.data)
        return -1;
    while (json_peek_next(&peek, &name, &value)) {
        if (!json_part_is(name, "status"))
            continue;
        for (int state = 0; state < JOB_STATUSES; state++)
            if (json_part_is(json_part_text(value), job_status_name((enum job_status)state)))
                return state;
        break;
    }
    return -1;
}

static int order(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

static int by_job(const void *a, const void *b)
{
    const struct journal_entry *left = ((const struct timeline_touch *)a)->entry,
                               *right = ((const struct timeline_touch *)b)->entry;
    int result = strcmp(left->job, right->job);
    result = result ? result : order(left->sent_at, right->sent_at);
    return result ? result : order(left->number, right->number);
}

static int by_turn(const void *a, const void *b)
{
    const struct journal_entry *const *left = a, *const *right = b;
    return order((*left)->request, (*right)->request);
}

/* The entries that are about jobs, and those of requests in the order of their beginnings. */
static bool sort_entries(struct timeline *timeline)
{
    size_t room = timeline->entry_count + 1;
    timeline->chosen = calloc(room, sizeof *timeline->chosen);
    timeline->ruled = calloc(room, sizeof *timeline->ruled);
    timeline->by_turn = calloc(room, sizeof *timeline->by_turn);
    timeline->touches = calloc(room, sizeof *timeline->touches);
    if (!timeline->chosen || !timeline->ruled || !timeline->by_turn || !timeline->touches)
        return false;
    for (size_t i = 0; i < timeline->entry_count; i++) {
        const struct journal_entry *entry = timeline->entries[i];
        if (entry->request)
            timeline->by_turn[timeline->turns++] = entry;
        if (*entry->job)
            timeline->touches[timeline->touch_count++] =
                (struct timeline_touch){entry, shown_state(entry)};
    }
    qsort(timeline->by_turn, timeline->turns, sizeof *timeline->by_turn, by_turn);
    qsort(timeline->touches, timeline->touch_count, sizeof *timeline->touches, by_job);
    return true;
}

int timeline_read_journal(struct timeline *timeline)
{
    struct journal *journal = timeline->workspace->journal;
    if (journal && !journal_read(journal, 0, timeline->now.journal, &timeline->entries,
                                 &timeline->entry_count))
        return ERR_NO_MEMORY;
    if (journal)
        timeline->lost = journal_evicted(journal);
    return sort_entries(timeline) ? 0 : ERR_NO_MEMORY;
}

void timeline_finish_journal(struct timeline *timeline)
{
    journal_release_all(timeline->entries, timeline->entry_count);
    free(timeline->chosen);
    free(timeline->ruled);
    free(timeline->by_turn);
    free(timeline->touches);
}

const struct timeline_touch *timeline_touches(const struct timeline *timeline, const char *job,
                                              size_t *ret_count)
{
    size_t low = 0, high = timeline->touch_count, end;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(timeline->touches[middle].entry->job, job) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    for (end = low; end < timeline->touch_count; end++)
        if (strcmp(timeline->touches[end].entry->job, job) != 0)
            break;
    *ret_count = end - low;
    return timeline->touches + low;
}

/* -- what brought a transition about ----------------------------------------------------------- */

struct history {
    const struct timeline *timeline;
    const struct job *job;
    const struct timeline_touch *touches;
    size_t count;
    const struct journal_entry *maker; /* NULL: not known */
};

/* The request that made the job: there is an answer of 201, unless it was never sent. */
static const struct journal_entry *find_maker(const struct history *history)
{
    const struct journal_entry *found = NULL;
    for (size_t i = 0; i < history->count; i++) {
        const struct journal_entry *entry = history->touches[i].entry;
        bool may =
            (is_to(entry, "createScenarioJob") && entry->status != 200) || is_to(entry, "openChat");
        if (!may || entry->at > history->job->created_at)
            continue;
        if (entry->status == 201)
            return entry;
        found = found ? found : entry;
    }
    return found;
}

/* How far a job has come in a state. */
static int progress(int state)
{
    return state == JOB_QUEUED ? 0 : state == JOB_PROCESSING ? 1 : 2;
}

/* What a transition's cause tells of the request to look for. */
static bool may_have_caused(const struct history *history, const struct timeline_step *step,
                            enum job_cause cause, const struct timeline_touch *touch)
{
    const struct journal_entry *entry = touch->entry;
    bool shows_it = touch->shown >= 0 && progress(touch->shown) >= progress((int)step->to);
    if (entry->at > step->at)
        return false;
    switch (cause) {
    case JOB_CAUSE_REQUEST:
        return is_to(entry, "cancelScenarioJob") && (shows_it || entry->end != JOURNAL_ANSWERED);
    case JOB_CAUSE_POLL:
        return is_to(entry, "getScenarioJob") && shows_it;
    case JOB_CAUSE_RULE: /* a callback that comes before the answer: its job ends as it is made */
        return *entry->rule &&
               (shows_it || (entry == history->maker && step->at == history->job->created_at));
    case JOB_CAUSE_CONTROL:
        return is_to(entry, "transitionJob") && entry->status == 200 && entry->clock >= step->at;
    default:
        return false;
    }
}

static const struct journal_entry *find_cause(const struct history *history,
                                              const struct timeline_step *step,
                                              enum job_cause cause)
{
    if (!step->from)
        return history->maker;
    for (size_t i = 0; i < history->count; i++)
        if (may_have_caused(history, step, cause, &history->touches[i]))
            return history->touches[i].entry;
    if (cause == JOB_CAUSE_RULE && step->at == history->job->created_at)
        return history->maker;
    return NULL;
}

/* Moves a key behind an entry. */
static void put_behind(struct timeline_key *key, const struct journal_entry *entry)
{
    struct timeline_key other = timeline_entry_key(entry);
    if (key->sent > other.sent || (key->sent == other.sent && key->number > other.number))
        return;
    key->sent = other.sent;
    key->number = other.number;
}

/* Whether the entry shows that the transition, at the same instant, was yet to come: by the state
 * that was answered, or as the release of a held job. */
static bool comes_before(const struct timeline_step *step, const struct timeline_touch *touch,
                         bool is_last)
{
    if (touch->entry->at != step->at)
        return false;
    if (is_to(touch->entry, "releaseJob"))
        return is_last && touch->entry->status == 200;
    return touch->shown >= 0 && progress(touch->shown) < progress((int)step->to);
}

static void place(const struct history *history, struct timeline_step *steps, size_t index,
                  enum job_cause cause, bool is_last)
{
    struct timeline_step *step = &steps[index];
    const struct timeline_step *before = index ? step - 1 : NULL;
    step->key = (struct timeline_key){
        .at = step->at, .rank = RANK_TIMED, .serial = history->job->event * 4 + (int64_t)index};
    if (before && before->at == step->at) {
        step->key.sent = before->key.sent;
        step->key.number = before->key.number;
    }
    step->entry = find_cause(history, step, cause);
    if (step->entry) {
        put_behind(&step->key, step->entry);
        if (step->key.number == step->entry->number)
            step->key.rank = RANK_CAUSED;
        return;
    }
    for (size_t i = 0; index && i < history->count; i++)
        if (comes_before(step, &history->touches[i], is_last))
            put_behind(&step->key, history->touches[i].entry);
}

/* -- the steps --------------------------------------------------------------------------------- */

/* Why the job was made, as far as that is known. */
static const char *why_made(const struct history *history)
{
    const struct workspace_past *past = &history->timeline->workspace->past;
    if (history->maker || history->job->event > atomic_load(&past->jobs))
        return "request";
    return atomic_load(&past->stored) ? NULL : "state";
}

static const char *const causes[] = {
    [JOB_CAUSE_NONE] = NULL,   [JOB_CAUSE_TIMER] = "timer", [JOB_CAUSE_REQUEST] = "request",
    [JOB_CAUSE_POLL] = "poll", [JOB_CAUSE_RULE] = "rule",   [JOB_CAUSE_CONTROL] = "control",
};

size_t timeline_steps(const struct timeline *timeline, const struct job *job,
                      struct timeline_step ret_steps[TIMELINE_STEPS_MAX])
{
    struct history history = {.timeline = timeline, .job = job};
    bool ended = job_state_is_end(job->status), started = job->started_at >= 0;
    size_t count = 0;
    history.touches = timeline_touches(timeline, job->id, &history.count);
    history.maker = find_maker(&history);
    ret_steps[count++] = (struct timeline_step){
        .to = JOB_QUEUED, .at = job->created_at, .cause = why_made(&history)};
    place(&history, ret_steps, 0, JOB_CAUSE_REQUEST, false);
    if (started) {
        ret_steps[count] = (struct timeline_step){.from = job_status_name(JOB_QUEUED),
                                                  .to = JOB_PROCESSING,
                                                  .at = job->started_at,
                                                  .cause = causes[job->start_cause]};
        /* Where both are at one instant, what is released was processing (a tag's way). */
        place(&history, ret_steps, count, job->start_cause,
              !ended || job->completed_at != job->started_at);
        count++;
    }
    if (ended) {
        ret_steps[count] =
            (struct timeline_step){.from = job_status_name(started ? JOB_PROCESSING : JOB_QUEUED),
                                   .to = job->status,
                                   .at = job->completed_at,
                                   .cause = causes[job->end_cause]};
        place(&history, ret_steps, count, job->end_cause, true);
        count++;
    }
    return count;
}

/* -- deliveries -------------------------------------------------------------------------------- */

bool timeline_is_about(const struct journal_entry *entry, const char *delivery)
{
    static const char root[] = "/_mock/webhooks/";
    size_t len = strlen(delivery);
    return entry->is_control && entry->path && strncmp(entry->path, root, sizeof root - 1) == 0 &&
           strncmp(entry->path + sizeof root - 1, delivery, len) == 0 &&
           entry->path[sizeof root - 1 + len] == '/';
}
