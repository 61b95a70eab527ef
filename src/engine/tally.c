/*
 * What all requests pay for is a counter of their thread's own and, where it is a poll, the record
 * of its job: a look into a table that is only ever added to, and some atomic additions. The lock
 * is for what is rare: creations, new jobs, answers that are no outcome for the first time.
 *
 * A reset does not clear anything that counts ever. It begins an epoch, and what bears the number
 * of another one begins anew when it is next seen.
 */
#include "engine/tally_internal.h"

#include <stdlib.h>
#include <string.h>

struct tally *tally_create(void)
{
    struct tally *tally = aligned_alloc(_Alignof(struct tally), sizeof *tally);
    if (tally) {
        memset(tally, 0, sizeof *tally);
        atomic_init(&tally->epoch, 1);
        pthread_mutex_init(&tally->lock, NULL);
    }
    return tally;
}

void tally_destroy(struct tally *tally)
{
    if (!tally)
        return;
    for (size_t i = 0; i < TALLY_PARTS; i++) {
        struct tally_part *part = atomic_load(&tally->parts[i]);
        for (size_t j = 0; part && j < TALLY_PAGES; j++)
            free(atomic_load(&part->pages[j]));
        free(part);
    }
    tally_jobs_finish(tally);
    tally_ids_finish(&tally->ids);
    if (tally->creations)
        tally_creations_forget(tally->creations);
    free(tally->creations);
    free(tally->holds);
    pthread_mutex_destroy(&tally->lock);
    free(tally);
}

size_t tally_choose(size_t count, size_t *io_hand, int64_t (*worth)(void *arg, size_t index),
                    void *arg)
{
    enum { LOOKS = 16 };
    size_t found = *io_hand % count;
    int64_t least = INT64_MAX;
    for (size_t i = 0; i < LOOKS && i < count; i++) {
        size_t index = (*io_hand + i) % count;
        int64_t own = worth(arg, index);
        if (own < least) {
            least = own;
            found = index;
        }
    }
    *io_hand = (*io_hand + 1) % count;
    return found;
}

/* -- counters of threads ----------------------------------------------------------------------- */

/* The same for each call of a thread. */
static unsigned my_part(void)
{
    static atomic_uint threads;
    static _Thread_local unsigned mine;
    if (!mine)
        mine = atomic_fetch_add(&threads, 1) + 1;
    return mine % TALLY_PARTS;
}

/* Makes what is missing of a counter's page; NULL: out of memory. */
static struct tally_page *make_page(struct tally *tally, unsigned mine, size_t number)
{
    struct tally_page *page = NULL;
    pthread_mutex_lock(&tally->lock);
    struct tally_part *part = atomic_load(&tally->parts[mine]);
    if (!part) {
        part = aligned_alloc(_Alignof(struct tally_part), sizeof *part);
        if (part)
            memset(part, 0, sizeof *part);
        atomic_store_explicit(&tally->parts[mine], part, memory_order_release);
    }
    if (part)
        page = atomic_load(&part->pages[number]);
    if (part && !page) {
        page = aligned_alloc(_Alignof(struct tally_page), sizeof *page);
        if (page)
            memset(page, 0, sizeof *page);
        atomic_store_explicit(&part->pages[number], page, memory_order_release);
    }
    pthread_mutex_unlock(&tally->lock);
    return page;
}

/* Without the lock. */
static void count(struct tally *tally, size_t number, int64_t many)
{
    unsigned mine = my_part();
    size_t own = number / TALLY_PAGE;
    struct tally_part *part = atomic_load_explicit(&tally->parts[mine], memory_order_acquire);
    struct tally_page *page =
        part ? atomic_load_explicit(&part->pages[own], memory_order_acquire) : NULL;
    if (!page)
        page = make_page(tally, mine, own);
    atomic_fetch_add_explicit(page ? &page->counters[number % TALLY_PAGE] : &tally->unlisted_others,
                              many, memory_order_relaxed);
}

static void count_findings(struct tally *tally, enum finding finding, int64_t many)
{
    if (many)
        count(tally, TALLY_OUTCOMES_MAX + (size_t)finding, many);
}

/* All that threads have counted. */
static int64_t sum(struct tally *tally, size_t number)
{
    int64_t all = 0;
    for (size_t i = 0; i < TALLY_PARTS; i++) {
        struct tally_part *part = atomic_load_explicit(&tally->parts[i], memory_order_acquire);
        struct tally_page *page =
            part ? atomic_load_explicit(&part->pages[number / TALLY_PAGE], memory_order_acquire)
                 : NULL;
        if (page)
            all += atomic_load_explicit(&page->counters[number % TALLY_PAGE], memory_order_relaxed);
    }
    return all;
}

/* -- answers that are no outcome --------------------------------------------------------------- */

/* Among the first `many`; NULL. An operation has one text, so its address tells. */
static struct tally_unlisted_row *find_row(struct tally *tally, const char *operation, int status,
                                           size_t many)
{
    for (size_t i = 0; i < many; i++) {
        struct tally_unlisted_row *row = &tally->unlisted[i];
        if (row->operation == operation && row->status == status)
            return row;
    }
    return NULL;
}

/* NULL: there is no room. */
static struct tally_unlisted_row *make_row(struct tally *tally, const char *operation, int status)
{
    pthread_mutex_lock(&tally->lock);
    size_t many = atomic_load(&tally->unlisted_count);
    struct tally_unlisted_row *row = find_row(tally, operation, status, many);
    if (!row && many < TALLY_UNLISTED_MAX) {
        row = &tally->unlisted[many];
        row->operation = operation;
        row->status = status;
        atomic_store_explicit(&tally->unlisted_count, many + 1, memory_order_release);
    }
    pthread_mutex_unlock(&tally->lock);
    return row;
}

static void count_unlisted(struct tally *tally, const char *operation, int status, int64_t many)
{
    size_t rows = atomic_load_explicit(&tally->unlisted_count, memory_order_acquire);
    struct tally_unlisted_row *row = find_row(tally, operation, status, rows);
    if (!row)
        row = make_row(tally, operation, status);
    atomic_fetch_add_explicit(row ? &row->count : &tally->unlisted_others, many,
                              memory_order_relaxed);
}

/* -- counting ---------------------------------------------------------------------------------- */

/* A request before the time that an answer to its like had asked for, which most never come near.
 */
static uint64_t note_hold(struct tally *tally, const struct tally_note *note)
{
    bool asks = note->retry_after > 0 && tally_arrived(note);
    uint64_t found = 0;
    if (!asks && note->sent_at >= atomic_load_explicit(&tally->held_until, memory_order_relaxed))
        return 0;
    pthread_mutex_lock(&tally->lock);
    found = tally_holds_note(tally, note, asks);
    pthread_mutex_unlock(&tally->lock);
    return found;
}

static uint64_t note_creation(struct tally *tally, const struct tally_note *note)
{
    pthread_mutex_lock(&tally->lock);
    uint64_t found = note->request_id ? tally_ids_note(tally, note) : 0;
    found |= tally_creations_note(tally, note);
    pthread_mutex_unlock(&tally->lock);
    return found;
}

/* What the answer says of its job. */
static void note_answer(struct tally *tally, const struct tally_note *note)
{
    bool made = note->kind == TALLY_CREATE && note->status < 300;
    unsigned flags = (made ? TALLY_JOB_MADE | TALLY_JOB_COUNTED : 0) |
                     (note->shows_end ? TALLY_JOB_END_SEEN : 0);
    if (flags && *note->job && tally_arrived(note))
        tally_jobs_mark(tally, note->job, flags, made ? note->at : -1);
}

uint64_t tally_note(struct tally *tally, const struct tally_note *note)
{
    uint64_t found = 0;
    if (note->outcome >= 0 && note->outcome < TALLY_OUTCOMES_MAX)
        count(tally, (size_t)note->outcome, 1);
    else
        count_unlisted(tally, note->operation, note->status, 1);
    if (note->kind == TALLY_POLL && note->status == 200 && *note->job && tally_arrived(note))
        found |= tally_jobs_poll(tally, note);
    else if (note->kind == TALLY_CREATE || note->kind == TALLY_CANCEL)
        note_answer(tally, note);
    if (note->kind == TALLY_CREATE)
        found |= note_creation(tally, note);
    return found | note_hold(tally, note);
}

uint64_t tally_find(struct tally *tally, uint64_t findings)
{
    if (!findings) /* as of most requests */
        return 0;
    findings &= ~(uint64_t)atomic_load(&tally->ignored);
    for (uint64_t left = findings; left; left &= left - 1)
        count_findings(tally, (enum finding)__builtin_ctzll(left), 1);
    return findings;
}

void tally_ignore(struct tally *tally, uint64_t findings)
{
    atomic_store(&tally->ignored, findings);
}

void tally_job_ended(struct tally *tally, const char *job)
{
    tally_jobs_mark(tally, job, TALLY_JOB_ENDED, -1);
}

void tally_called_back(struct tally *tally, const char *job)
{
    tally_jobs_mark(tally, job, TALLY_JOB_CALLED_BACK, -1);
}

void tally_callback_blocked(struct tally *tally, const char *job)
{
    tally_jobs_mark(tally, job, TALLY_JOB_BLOCKED, -1);
    tally_find(tally, finding_bit(FINDING_CALLBACK_BLOCKED));
}

/* What is found wrong now, under the lock. */
struct ends {
    int64_t abandoned, magic_only;
};

static struct ends read_ends(struct tally *tally)
{
    uint64_t ignored = atomic_load(&tally->ignored);
    struct ends ends = {0};
    if (!(ignored & finding_bit(FINDING_JOB_ABANDONED)))
        ends.abandoned = tally_jobs_abandoned(tally);
    if (!(ignored & finding_bit(FINDING_MAGIC_EMAIL_ONLY)))
        ends.magic_only = tally_emails_magic_only(tally);
    return ends;
}

static void count_ends(struct tally *tally, const struct ends *ends)
{
    count_findings(tally, FINDING_JOB_ABANDONED, ends->abandoned);
    count_findings(tally, FINDING_MAGIC_EMAIL_ONLY, ends->magic_only);
}

void tally_reset(struct tally *tally)
{
    pthread_mutex_lock(&tally->lock);
    struct ends ends = read_ends(tally);
    atomic_fetch_add(&tally->epoch, 1);
    if (tally->creations)
        tally_creations_forget(tally->creations);
    if (tally->holds)
        memset(tally->holds, 0, sizeof *tally->holds);
    atomic_store(&tally->held_until, 0);
    pthread_mutex_unlock(&tally->lock);
    count_ends(tally, &ends);
}

/* -- reading ----------------------------------------------------------------------------------- */

/* But for those of jobs and request_ids. */
static void read_counters(struct tally *tally, struct tally_counts *counts)
{
    memset(counts, 0, sizeof *counts);
    counts->unlisted_others = atomic_load(&tally->unlisted_others);
    counts->requests = counts->unlisted_others;
    for (size_t i = 0; i < TALLY_OUTCOMES_MAX; i++)
        counts->requests += counts->outcomes[i] = sum(tally, i);
    for (size_t i = 0; i < FINDINGS; i++)
        counts->findings[i] = sum(tally, TALLY_OUTCOMES_MAX + i);
    counts->unlisted_count = atomic_load_explicit(&tally->unlisted_count, memory_order_acquire);
    for (size_t i = 0; i < counts->unlisted_count; i++) {
        const struct tally_unlisted_row *row = &tally->unlisted[i];
        counts->unlisted[i] =
            (struct tally_unlisted){row->operation, row->status, atomic_load(&row->count)};
        counts->requests += counts->unlisted[i].count;
    }
}

void tally_counts(struct tally *tally, struct tally_counts *ret_counts)
{
    read_counters(tally, ret_counts);
    pthread_mutex_lock(&tally->lock);
    const struct tally_ids *ids = &tally->ids;
    ret_counts->ids.total = ids->total;
    ret_counts->ids.repeated = ids->repeated;
    ret_counts->ids.reused = ids->reused;
    ret_counts->ids.left_out = ids->left_out;
    tally_jobs_count(tally, ret_counts);
    pthread_mutex_unlock(&tally->lock);
}

bool tally_job_is_abandoned(const struct tally_job *job)
{
    return job->now && job->made && job->ended && !job->end_seen && !job->called_back;
}

bool tally_email_is_magic_only(const struct tally_email *email)
{
    return email->magic && !email->plain;
}

void tally_each_job(struct tally *tally, void (*visit)(const struct tally_job *job, void *arg),
                    void *arg)
{
    struct tally_job job;
    pthread_mutex_lock(&tally->lock);
    for (size_t i = 0; i < tally->jobs.count; i++) {
        tally_jobs_read(tally, i, &job);
        visit(&job, arg);
    }
    pthread_mutex_unlock(&tally->lock);
}

void tally_each_request_id(struct tally *tally,
                           void (*visit)(const struct tally_request_id *id, void *arg), void *arg)
{
    pthread_mutex_lock(&tally->lock);
    for (size_t i = 0; i < tally->ids.count; i++)
        visit(&tally->ids.records[i]->counts, arg);
    pthread_mutex_unlock(&tally->lock);
}

void tally_each_email(struct tally *tally,
                      void (*visit)(const struct tally_email *email, void *arg), void *arg)
{
    pthread_mutex_lock(&tally->lock);
    const struct tally_creations *creations = tally->creations;
    for (size_t i = 0; creations && i < creations->email_count; i++)
        visit(&creations->emails[i].counts, arg);
    pthread_mutex_unlock(&tally->lock);
}

/* -- merging ----------------------------------------------------------------------------------- */

static void merge_counters(struct tally *to, struct tally *from)
{
    struct tally_counts *counts = malloc(sizeof *counts);
    if (!counts)
        return;
    read_counters(from, counts);
    for (size_t i = 0; i < TALLY_OUTCOMES_MAX; i++)
        if (counts->outcomes[i])
            count(to, i, counts->outcomes[i]);
    for (size_t i = 0; i < FINDINGS; i++)
        count_findings(to, (enum finding)i, counts->findings[i]);
    for (size_t i = 0; i < counts->unlisted_count; i++)
        count_unlisted(to, counts->unlisted[i].operation, counts->unlisted[i].status,
                       counts->unlisted[i].count);
    atomic_fetch_add(&to->unlisted_others, counts->unlisted_others);
    free(counts);
}

void tally_merge(struct tally *to, struct tally *from)
{
    merge_counters(to, from);
    pthread_mutex_lock(&from->lock);
    struct ends ends = read_ends(from);
    pthread_mutex_lock(&to->lock);
    tally_jobs_merge(to, from);
    tally_ids_merge(to, from);
    pthread_mutex_unlock(&to->lock);
    pthread_mutex_unlock(&from->lock);
    count_ends(to, &ends);
}
