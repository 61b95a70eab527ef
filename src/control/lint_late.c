#include "control/lint_late.h"

#include "base/blot.h"
#include "base/email.h"
#include "base/json.h"
#include "control/journal_match.h"
#include "engine/job_state.h"
#include "engine/magic.h"
#include "engine/tally.h"
#include "store/delivery_list.h"
#include "store/job.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

/* What the journal has of it. */
struct seen {
    const char *operation; /* static; of the first */
    int64_t first_at, last_at;
    int64_t requests[LINT_REQUESTS_MAX];
    size_t count;
};

struct late_job {
    char job[ID_HEX_SIZE]; /* first: what the tree compares */
    bool abandoned, blocked;
    int64_t made_at;
    char *url; /* that was blocked; NULL: not known */
    struct seen seen;
    struct late_job *next; /* in the order in which they came */
};

struct late_email {
    char *email, *magic_email; /* folded: without its tags, and as it came */
    int64_t count, first_at, last_at;
    struct seen seen;
    struct late_email *next;
};

struct lint_late {
    uint64_t wanted;
    void *tree; /* of jobs */
    struct late_job *jobs, **jobs_end;
    struct late_email *emails, **emails_end;
    size_t emails_open; /* of which not all requests that are named are known */
    int status;
};

static bool wants(const struct lint_late *late, enum finding finding)
{
    return late->wanted & finding_bit(finding);
}

/* -- what is there ----------------------------------------------------------------------------- */

static int compare_jobs(const void *a, const void *b)
{
    return strcmp(a, b);
}

static struct late_job *find_job(const struct lint_late *late, const char *job)
{
    struct late_job **place = tfind(job, &late->tree, compare_jobs);
    return place ? *place : NULL;
}

static void take_job(const struct tally_job *job, void *arg)
{
    struct lint_late *late = arg;
    bool abandoned = tally_job_is_abandoned(job) && wants(late, FINDING_JOB_ABANDONED);
    bool blocked = job->now && job->callback_blocked && wants(late, FINDING_CALLBACK_BLOCKED);
    if (!abandoned && !blocked)
        return;
    struct late_job *taken = calloc(1, sizeof *taken);
    if (!taken) {
        late->status = ERR_NO_MEMORY;
        return;
    }
    memcpy(taken->job, job->job, sizeof taken->job);
    taken->abandoned = abandoned;
    taken->blocked = blocked;
    taken->made_at = job->made_at;
    *late->jobs_end = taken;
    late->jobs_end = &taken->next;
    if (!tsearch(taken, &late->tree, compare_jobs))
        late->status = ERR_NO_MEMORY;
}

static void take_email(const struct tally_email *email, void *arg)
{
    struct lint_late *late = arg;
    if (!tally_email_is_magic_only(email))
        return;
    struct late_email *taken = calloc(1, sizeof *taken);
    if (!taken) {
        late->status = ERR_NO_MEMORY;
        return;
    }
    *taken = (struct late_email){.email = strdup(email->email),
                                 .magic_email = strdup(email->magic_email),
                                 .count = email->magic,
                                 .first_at = email->first_at,
                                 .last_at = email->last_at};
    *late->emails_end = taken;
    late->emails_end = &taken->next;
    late->emails_open++;
    if (!taken->email || !taken->magic_email)
        late->status = ERR_NO_MEMORY;
}

/* A job that is still under way can be read to its end yet. */
static int leave_out_unfinished(struct lint_late *late, struct db *db, int64_t workspace)
{
    for (struct late_job *at = late->jobs; at; at = at->next) {
        struct job job;
        int status = at->abandoned ? job_by_id(db, workspace, at->job, &job) : ERR_NOT_FOUND;
        if (status < 0 && status != ERR_NOT_FOUND)
            return status;
        at->abandoned = status == 0 && job_state_is_end(job.status);
    }
    return 0;
}

static int take_url(const struct delivery_item *item, void *arg)
{
    const struct lint_late *late = arg;
    struct late_job *job = find_job(late, item->delivery.job_id);
    if (!job || !job->blocked || job->url)
        return 0;
    job->url = strdup(item->callback_url);
    if (!job->url)
        return ERR_NO_MEMORY;
    blot_keys(job->url, strlen(job->url), true);
    return 0;
}

static int take_urls(struct lint_late *late, struct db *db, int64_t workspace)
{
    struct delivery_filter filter = {.until = INT64_MAX, .status = DELIVERY_BLOCKED};
    bool any = false;
    for (const struct late_job *job = late->jobs; job; job = job->next)
        any |= job->blocked;
    return any ? delivery_each(db, workspace, &filter, take_url, late) : 0;
}

int lint_late_create(const struct workspace *workspace, struct db *db, uint64_t wanted,
                     struct lint_late **ret_late)
{
    int64_t pk = workspace->row.pk;
    struct lint_late *late = calloc(1, sizeof *late);
    if (!late)
        return ERR_NO_MEMORY;
    late->wanted = wanted;
    late->jobs_end = &late->jobs;
    late->emails_end = &late->emails;
    if (wants(late, FINDING_JOB_ABANDONED) || wants(late, FINDING_CALLBACK_BLOCKED))
        tally_each_job(workspace->tally, take_job, late);
    if (wants(late, FINDING_MAGIC_EMAIL_ONLY))
        tally_each_email(workspace->tally, take_email, late);
    int status = late->status;
    if (status == 0)
        status = leave_out_unfinished(late, db, pk);
    if (status == 0)
        status = take_urls(late, db, pk);
    if (status < 0)
        lint_late_destroy(late);
    else
        *ret_late = late;
    return status;
}

static void keep(void *job)
{
    (void)job; /* the list frees it */
}

void lint_late_destroy(struct lint_late *late)
{
    if (!late)
        return;
    tdestroy(late->tree, keep);
    for (struct late_job *job = late->jobs, *next; job; job = next) {
        next = job->next;
        free(job->url);
        free(job);
    }
    for (struct late_email *email = late->emails, *next; email; email = next) {
        next = email->next;
        free(email->email);
        free(email->magic_email);
        free(email);
    }
    free(late);
}

/* -- the journal ------------------------------------------------------------------------------- */

static void note(struct seen *seen, const struct journal_entry *entry)
{
    if (!seen->count) {
        seen->operation = entry->operation_id;
        seen->first_at = entry->at;
    }
    seen->last_at = entry->at;
    if (seen->count < LINT_REQUESTS_MAX)
        seen->requests[seen->count++] = entry->number;
}

static bool creates(const struct journal_entry *entry)
{
    const char *operation = entry->operation_id;
    return operation && (strcmp(operation, "createScenarioJob") == 0 ||
                         strcmp(operation, "createScenarioStudioSession") == 0);
}

/* The address as the tally has it; false: there is none. */
static bool read_email(const struct journal_entry *entry, char ret_email[EMAIL_SIZE])
{
    json_t *body = journal_body_json(entry);
    const char *email = json_string_value(json_object_get(body, "user_email"));
    struct plan plan;
    plan_init(&plan);
    if (email) {
        email_fold(email, ret_email);
        while (magic_take_tag(ret_email, &plan))
            ;
    }
    json_decref(body);
    return email;
}

void lint_late_see(struct lint_late *late, const struct journal_entry *entry)
{
    char email[EMAIL_SIZE];
    struct late_job *job = *entry->job ? find_job(late, entry->job) : NULL;
    if (job)
        note(&job->seen, entry);
    if (!late->emails_open || !creates(entry) || !read_email(entry, email))
        return;
    for (struct late_email *at = late->emails; at; at = at->next) {
        if (at->seen.count == LINT_REQUESTS_MAX || strcmp(at->email, email) != 0)
            continue;
        note(&at->seen, entry);
        late->emails_open -= at->seen.count == LINT_REQUESTS_MAX;
    }
}

/* -- telling ----------------------------------------------------------------------------------- */

static int add(const struct seen *seen, const struct lint_group *found, const char *name,
               const char *value, struct lint_groups *groups)
{
    struct lint_group group = *found;
    struct buf where = BUF_INIT;
    group.operation = seen->operation;
    if (seen->count) {
        group.first_at = group.first_at < 0 ? seen->first_at : group.first_at;
        group.last_at = group.last_at < 0 ? seen->last_at : group.last_at;
    }
    memcpy(group.requests, seen->requests, sizeof group.requests);
    group.request_count = seen->count;
    if (value) {
        buf_printf(&where, ",\"%s\":", name);
        json_put_foreign(&where, value, strlen(value));
    }
    group.where = where.data ? where.data : "";
    int status = buf_failed(&where) ? ERR_NO_MEMORY : lint_groups_add(groups, &group);
    buf_finish(&where);
    return status;
}

static int add_job(const struct late_job *job, struct lint_groups *groups)
{
    struct lint_group found = {.count = 1, .first_at = job->made_at, .last_at = job->made_at};
    int status = 0;
    found.finding = FINDING_JOB_ABANDONED;
    if (job->abandoned)
        status = add(&job->seen, &found, "job", job->job, groups);
    found.finding = FINDING_CALLBACK_BLOCKED;
    struct seen made = job->seen; /* those that follow are not about the callback */
    made.count = made.count ? 1 : 0;
    if (job->blocked && status == 0)
        status = add(&made, &found, "url", job->url, groups);
    return status;
}

static int add_email(const struct late_email *email, struct lint_groups *groups)
{
    struct lint_group found = {.finding = FINDING_MAGIC_EMAIL_ONLY,
                               .count = email->count,
                               .first_at = email->first_at,
                               .last_at = email->last_at};
    return add(&email->seen, &found, "email", email->magic_email, groups);
}

int lint_late_add(const struct lint_late *late, bool all, struct lint_groups *groups)
{
    int status = 0;
    for (const struct late_job *job = late->jobs; job && status == 0; job = job->next)
        if (all || job->seen.count)
            status = add_job(job, groups);
    for (const struct late_email *at = late->emails; at && status == 0; at = at->next)
        if (all || at->seen.count)
            status = add_email(at, groups);
    return status;
}
