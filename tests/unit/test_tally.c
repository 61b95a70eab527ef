/* What is remembered of requests: counts, jobs, request_ids, retries, addresses; over resets, in
 * threads and beyond the bounds. */
#include "engine/tally.h"
#include "support.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { THREADS = 4, EACH = 200000, JOBS = 3 };

static const char create_job[] = "createScenarioJob";
static const char create_session[] = "createScenarioStudioSession";
static const char get_job[] = "getScenarioJob";

static struct tally *tally;

static void set_up(void)
{
    tally = tally_create();
    ck_assert_ptr_nonnull(tally);
}

static void tear_down(void)
{
    tally_destroy(tally);
}

/* The default is a creation that was answered with a new job. */
static struct tally_note creation(uint64_t body)
{
    return (struct tally_note){.kind = TALLY_CREATE,
                               .outcome = 3,
                               .operation = create_job,
                               .status = 201,
                               .sent_at = 1000,
                               .ended_at = 1001,
                               .key = "3f9a",
                               .job = "",
                               .is_new = true,
                               .body = body};
}

static struct tally_note poll(const char *job, int64_t at)
{
    return (struct tally_note){.kind = TALLY_POLL,
                               .outcome = 7,
                               .operation = get_job,
                               .status = 200,
                               .sent_at = at,
                               .ended_at = at + 1,
                               .key = "3f9a",
                               .job = job};
}

static bool has(uint64_t findings, enum finding finding)
{
    return findings & finding_bit(finding);
}

static struct tally_counts counts_of(struct tally *of)
{
    struct tally_counts counts;
    tally_counts(of, &counts);
    return counts;
}

/* -- jobs as they are told one by one ---------------------------------------------------------- */

struct job_search {
    const char *job;
    struct tally_job found;
    size_t count;
};

static void look_at_job(const struct tally_job *job, void *arg)
{
    struct job_search *search = arg;
    search->count++;
    if (search->job && strcmp(job->job, search->job) == 0)
        search->found = *job;
}

static struct tally_job job_of(struct tally *of, const char *job)
{
    struct job_search search = {.job = job};
    tally_each_job(of, look_at_job, &search);
    return search.found;
}

static void look_at_id(const struct tally_request_id *id, void *arg)
{
    *(struct tally_request_id *)arg = *id;
}

/* The last one. */
static struct tally_request_id id_of(struct tally *of)
{
    struct tally_request_id id = {0};
    tally_each_request_id(of, look_at_id, &id);
    return id;
}

static void look_at_email(const struct tally_email *email, void *arg)
{
    *(struct tally_email *)arg = *email;
}

/* -- counts ------------------------------------------------------------------------------------ */

START_TEST(outcomes_and_what_is_none_are_counted)
{
    struct tally_note odd = {.outcome = -1, .status = 418, .job = "", .key = ""};
    struct tally_note last = {.outcome = TALLY_OUTCOMES_MAX - 1, .job = "", .key = ""};
    struct tally_note new = creation(1);
    tally_note(tally, &new);
    tally_note(tally, &odd);
    tally_note(tally, &odd);
    odd.operation = get_job;
    tally_note(tally, &odd);
    tally_note(tally, &last);
    struct tally_counts counts = counts_of(tally);
    ck_assert_int_eq(counts.requests, 5);
    ck_assert_int_eq(counts.outcomes[3], 1);
    ck_assert_int_eq(counts.outcomes[TALLY_OUTCOMES_MAX - 1], 1);
    ck_assert_uint_eq(counts.unlisted_count, 2);
    ck_assert_ptr_null(counts.unlisted[0].operation);
    ck_assert_int_eq(counts.unlisted[0].count, 2);
    ck_assert_int_eq(counts.unlisted[1].status, 418);
    ck_assert_ptr_eq(counts.unlisted[1].operation, get_job);
}
END_TEST

START_TEST(what_is_none_has_a_bound_and_is_counted_still)
{
    struct tally_note odd = {.outcome = -1, .job = "", .key = ""};
    for (odd.status = 1; odd.status <= TALLY_UNLISTED_MAX + 5; odd.status++)
        tally_note(tally, &odd);
    struct tally_counts counts = counts_of(tally);
    ck_assert_uint_eq(counts.unlisted_count, TALLY_UNLISTED_MAX);
    ck_assert_int_eq(counts.unlisted_others, 5);
    ck_assert_int_eq(counts.requests, TALLY_UNLISTED_MAX + 5);
}
END_TEST

START_TEST(findings_are_counted_unless_they_are_ignored)
{
    uint64_t both = finding_bit(FINDING_UNKNOWN_FIELD) | finding_bit(FINDING_CALLBACK_BLOCKED);
    ck_assert(tally_find(tally, both) == both);
    tally_ignore(tally, finding_bit(FINDING_CALLBACK_BLOCKED));
    ck_assert(tally_find(tally, both) == finding_bit(FINDING_UNKNOWN_FIELD));
    tally_callback_blocked(tally, "job");
    struct tally_counts counts = counts_of(tally);
    ck_assert_int_eq(counts.findings[FINDING_UNKNOWN_FIELD], 2);
    ck_assert_int_eq(counts.findings[FINDING_CALLBACK_BLOCKED], 1);
}
END_TEST

/* -- jobs -------------------------------------------------------------------------------------- */

START_TEST(polls_of_a_job_are_counted)
{
    struct tally_note first = poll("abc", 5000), second = poll("abc", 5250),
                      third = poll("abc", 9000), gone = poll("other", 9000);
    ck_assert(tally_note(tally, &first) == 0);
    ck_assert(tally_note(tally, &second) == finding_bit(FINDING_POLLED_FAST));
    third.shows_end = true;
    ck_assert(tally_note(tally, &third) == 0);
    third.sent_at = 20000;
    ck_assert(tally_note(tally, &third) == finding_bit(FINDING_POLLED_AFTER_END));
    gone.status = 404;
    tally_note(tally, &gone);
    gone.status = 200;
    gone.end = JOURNAL_TRUNCATED;
    tally_note(tally, &gone);
    struct tally_job job = job_of(tally, "abc");
    ck_assert_int_eq(job.polls, 4);
    ck_assert_int_eq(job.after_end, 1);
    ck_assert_int_eq(job.shortest, 250);
    ck_assert_int_eq(job.first_at, 5000);
    ck_assert_int_eq(job.last_at, 20000);
    ck_assert(job.end_seen && !job.made && job.now);
    struct tally_counts counts = counts_of(tally);
    ck_assert_int_eq(counts.polling.jobs, 1);
    ck_assert_int_eq(counts.polling.polls, 4);
    ck_assert_int_eq(counts.polling.after_end, 1);
}
END_TEST

START_TEST(a_job_is_abandoned_until_its_end_is_learned)
{
    struct tally_note new = creation(1), read = poll("read", 1), cancel = poll("cancelled", 1);
    const char *const jobs[] = {"left", "read", "cancelled", "called", "dropped", "abcdef012345"};
    for (size_t i = 0; i < sizeof jobs / sizeof *jobs; i++) {
        new.job = jobs[i];
        new.end = strcmp(jobs[i], "dropped") == 0 ? JOURNAL_DROPPED : JOURNAL_ANSWERED;
        tally_note(tally, &new);
        tally_job_ended(tally, jobs[i]);
    }
    tally_note(tally, &read);
    struct tally_job job = job_of(tally, "read");
    ck_assert(tally_job_is_abandoned(&job));
    read.shows_end = cancel.shows_end = true;
    tally_note(tally, &read);
    cancel.kind = TALLY_CANCEL;
    tally_note(tally, &cancel);
    tally_called_back(tally, "called");
    ck_assert_int_eq(counts_of(tally).findings[FINDING_JOB_ABANDONED], 0);
    tally_reset(tally);
    ck_assert_int_eq(counts_of(tally).findings[FINDING_JOB_ABANDONED], 2);
    job = job_of(tally, "left");
    ck_assert(!job.now && job.made && !tally_job_is_abandoned(&job));
    tally_reset(tally);
    ck_assert_int_eq(counts_of(tally).findings[FINDING_JOB_ABANDONED], 2);
}
END_TEST

START_TEST(a_job_under_way_is_not_abandoned)
{
    struct tally_note new = creation(1);
    new.job = "abc";
    tally_note(tally, &new);
    tally_job_ended(tally, "somebody's");
    tally_reset(tally);
    ck_assert_int_eq(counts_of(tally).findings[FINDING_JOB_ABANDONED], 0);
    tally_job_ended(tally, "abc"); /* before its making is told */
    tally_note(tally, &new);
    struct tally_job job = job_of(tally, "abc");
    ck_assert(tally_job_is_abandoned(&job));
}
END_TEST

START_TEST(a_job_of_the_same_id_begins_anew_after_a_reset)
{
    struct tally_note new = creation(1), last = poll("abc", 5000);
    new.job = "abc";
    new.at = 77;
    last.shows_end = true;
    tally_note(tally, &new);
    tally_note(tally, &last);
    tally_reset(tally);
    new.at = 88;
    tally_note(tally, &new);
    last.sent_at = 5001;
    ck_assert(tally_note(tally, &last) == 0);
    struct tally_job job = job_of(tally, "abc");
    ck_assert_int_eq(job.polls, 2);
    ck_assert_int_eq(job.shortest, -1);
    ck_assert_int_eq(job.made_at, 88);
    ck_assert_int_eq(counts_of(tally).polling.jobs, 2);
    ck_assert_int_eq(counts_of(tally).findings[FINDING_JOB_ABANDONED], 0);
}
END_TEST

START_TEST(jobs_beyond_the_bound_are_left_out)
{
    enum { MORE = 100 };
    char id[ID_HEX_SIZE];
    for (int i = 0; i < TALLY_JOBS_MAX + MORE; i++) {
        snprintf(id, sizeof id, "%012x", (unsigned)i * 2654435761U);
        struct tally_note read = poll(id, 1);
        tally_note(tally, &read);
        if (i == 3)
            tally_note(tally, &read);
    }
    struct job_search all = {0};
    tally_each_job(tally, look_at_job, &all);
    struct tally_counts counts = counts_of(tally);
    ck_assert_uint_eq(all.count, TALLY_JOBS_MAX);
    ck_assert_int_eq(counts.polling.jobs, TALLY_JOBS_MAX + MORE);
    ck_assert_int_eq(counts.polling.left_out, MORE);
    ck_assert_int_eq(counts.polling.polls, TALLY_JOBS_MAX + MORE + 1);
    snprintf(id, sizeof id, "%012x", 3 * 2654435761U);
    ck_assert_int_eq(job_of(tally, id).polls, 2); /* what was polled more stays */
}
END_TEST

/* -- request_ids ------------------------------------------------------------------------------- */

START_TEST(a_request_id_with_another_body_is_reused)
{
    struct tally_note new = creation(1);
    new.request_id = "one";
    ck_assert(tally_note(tally, &new) == 0);
    new.status = 200;
    new.is_new = false;
    ck_assert(tally_note(tally, &new) == 0);
    new.body = 2;
    ck_assert(tally_note(tally, &new) == finding_bit(FINDING_REQUEST_ID_REUSED));
    new.operation = create_session; /* which has request_ids of its own */
    ck_assert(tally_note(tally, &new) == 0);
    new.operation = create_job;
    new.end = JOURNAL_LEFT;
    new.status = 0;
    new.body = 1;
    tally_note(tally, &new);
    struct tally_counts counts = counts_of(tally);
    ck_assert_int_eq(counts.ids.total, 2);
    ck_assert_int_eq(counts.ids.repeated, 1);
    ck_assert_int_eq(counts.ids.reused, 1);
    tally_reset(tally);
    new.body = 3;
    ck_assert(tally_note(tally, &new) == 0);
    ck_assert_int_eq(counts_of(tally).ids.total, 3);
}
END_TEST

START_TEST(how_a_request_id_was_used_is_told)
{
    struct tally_note new = creation(1);
    char text[TALLY_ID_SHOWN + 20];
    memset(text, 'x', sizeof text);
    text[sizeof text - 1] = '\0';
    new.request_id = text;
    tally_note(tally, &new);
    new.is_new = false;
    tally_note(tally, &new);
    new.status = 503;
    tally_note(tally, &new);
    new.body = 2;
    tally_note(tally, &new);
    struct tally_request_id id = id_of(tally);
    ck_assert_uint_eq(strlen(id.request_id), TALLY_ID_SHOWN);
    ck_assert_str_eq(id.operation, create_job);
    ck_assert_int_eq(id.sent, 4);
    ck_assert_int_eq(id.repeated, 3);
    ck_assert_int_eq(id.made, 1);
    ck_assert_int_eq(id.known, 1);
    ck_assert_int_eq(id.failed, 2);
    ck_assert_int_eq(id.other_bodies, 1);
    text[sizeof text - 2] = 'y'; /* which is not kept, and is another one all the same */
    tally_note(tally, &new);
    ck_assert_int_eq(id_of(tally).sent, 1);
}
END_TEST

START_TEST(a_body_that_was_refused_may_be_mended)
{
    struct tally_note new = creation(1);
    new.request_id = "one";
    new.status = 400;
    tally_note(tally, &new);
    new.status = 201;
    new.body = 2;
    ck_assert(tally_note(tally, &new) == 0);
    ck_assert_int_eq(id_of(tally).other_bodies, 0);
    new.body = 1;
    new.status = 400;
    ck_assert(tally_note(tally, &new) == finding_bit(FINDING_REQUEST_ID_REUSED));
}
END_TEST

START_TEST(request_ids_beyond_the_bound_are_left_out)
{
    enum { MORE = 100 };
    char text[16];
    for (int i = 0; i < TALLY_IDS_MAX + MORE; i++) {
        struct tally_note new = creation(1);
        snprintf(text, sizeof text, "id-%d", i);
        new.request_id = text;
        tally_note(tally, &new);
        if (i == 3)
            tally_note(tally, &new);
    }
    struct tally_counts counts = counts_of(tally);
    ck_assert_int_eq(counts.ids.total, TALLY_IDS_MAX + MORE);
    ck_assert_int_eq(counts.ids.left_out, MORE);
    struct tally_note again = creation(2);
    again.request_id = "id-3"; /* it was sent twice, so it stays, and a third time is told */
    ck_assert(has(tally_note(tally, &again), FINDING_REQUEST_ID_REUSED));
}
END_TEST

/* -- retries ----------------------------------------------------------------------------------- */

static const struct {
    int status;
    enum journal_end end;
    bool fails;
} failures[] = {
    {201, JOURNAL_ANSWERED, false}, {400, JOURNAL_ANSWERED, false}, {429, JOURNAL_ANSWERED, true},
    {503, JOURNAL_ANSWERED, true},  {0, JOURNAL_DROPPED, true},     {0, JOURNAL_HUNG, true},
    {0, JOURNAL_LEFT, true},        {201, JOURNAL_TRUNCATED, true}, {201, JOURNAL_DRIPPED, false},
};

START_TEST(the_same_again_after_a_failure_is_a_retry)
{
    struct tally_note first = creation(1), second = creation(1), other = creation(2);
    first.status = failures[_i].status;
    first.end = failures[_i].end;
    other.sent_at = second.sent_at = 2000;
    tally_note(tally, &first);
    ck_assert(tally_note(tally, &other) == 0);
    ck_assert(has(tally_note(tally, &second), FINDING_RETRY_WITHOUT_REQUEST_ID) ==
              failures[_i].fails);
    second.sent_at = 3000;
    ck_assert(tally_note(tally, &second) == 0); /* which is on purpose */
}
END_TEST

START_TEST(a_retry_may_be_over_before_its_request)
{
    struct tally_note first = creation(1), second = creation(1);
    first.status = 0;
    first.end = JOURNAL_LEFT;
    first.ended_at = 9000;
    second.sent_at = 2000;
    ck_assert(tally_note(tally, &second) == 0);
    ck_assert(has(tally_note(tally, &first), FINDING_RETRY_WITHOUT_REQUEST_ID));
}
END_TEST

START_TEST(what_was_under_way_at_the_failure_is_no_retry)
{
    struct tally_note first = creation(1), second = creation(1);
    first.status = 429;
    first.ended_at = 3000;
    second.sent_at = 2000;
    tally_note(tally, &first);
    ck_assert(tally_note(tally, &second) == 0);
}
END_TEST

START_TEST(a_retry_with_a_request_id_is_fine)
{
    struct tally_note first = creation(1);
    first.status = 503;
    first.request_id = "one";
    tally_note(tally, &first);
    first.sent_at = 2000;
    ck_assert(tally_note(tally, &first) == 0);
}
END_TEST

START_TEST(who_comes_before_retry_after_is_early)
{
    struct tally_note limited = poll("abc", 1000), again = poll("abc", 5500),
                      other = poll("abc", 5600);
    limited.status = 429;
    limited.retry_after = 5000; /* until 6001 */
    tally_note(tally, &limited);
    ck_assert(has(tally_note(tally, &again), FINDING_RETRY_AFTER_IGNORED));
    other.key = "0000";
    ck_assert(!has(tally_note(tally, &other), FINDING_RETRY_AFTER_IGNORED));
    again.sent_at = 1000; /* it was under way */
    ck_assert(!has(tally_note(tally, &again), FINDING_RETRY_AFTER_IGNORED));
    again.sent_at = 6001;
    ck_assert(!has(tally_note(tally, &again), FINDING_RETRY_AFTER_IGNORED));
    again.sent_at = 5900;
    tally_reset(tally);
    ck_assert(!has(tally_note(tally, &again), FINDING_RETRY_AFTER_IGNORED));
}
END_TEST

/* -- addresses --------------------------------------------------------------------------------- */

START_TEST(an_address_that_only_came_with_tags_is_told)
{
    struct tally_note new = creation(1), plain = creation(2);
    struct tally_email email;
    new.email = plain.email = "jane@acme.com";
    new.magic_email = "jane+fail@acme.com";
    new.at = 10;
    tally_note(tally, &new);
    new.at = 20;
    tally_note(tally, &new);
    plain.status = 400; /* which says nothing of whether it is a member */
    tally_note(tally, &plain);
    tally_each_email(tally, look_at_email, &email);
    ck_assert(tally_email_is_magic_only(&email));
    ck_assert_str_eq(email.magic_email, "jane+fail@acme.com");
    ck_assert_int_eq(email.first_at, 10);
    ck_assert_int_eq(email.last_at, 20);
    tally_reset(tally);
    ck_assert_int_eq(counts_of(tally).findings[FINDING_MAGIC_EMAIL_ONLY], 1);
    plain.status = 201;
    tally_note(tally, &new);
    tally_note(tally, &plain);
    tally_reset(tally);
    ck_assert_int_eq(counts_of(tally).findings[FINDING_MAGIC_EMAIL_ONLY], 1);
}
END_TEST

/* -- merging ----------------------------------------------------------------------------------- */

START_TEST(what_is_merged_counts_as_ended)
{
    struct tally *run = tally_create();
    struct tally_note new = creation(1), odd = {.outcome = -1, .job = "", .key = ""};
    struct tally_note read = poll("abc", 5000), again = poll("abc", 5100);
    new.job = "abc";
    new.request_id = "one";
    new.email = "jane@acme.com";
    new.magic_email = "jane+fail@acme.com";
    tally_job_ended(tally, "abc");
    tally_note(tally, &new);
    tally_note(tally, &odd);
    tally_note(tally, &read);
    tally_find(tally, tally_note(tally, &again));
    for (int i = 1; i <= 2; i++) { /* as two workspaces would */
        tally_merge(run, tally);
        struct tally_counts counts = counts_of(run);
        ck_assert_int_eq(counts.requests, i * 4);
        ck_assert_int_eq(counts.outcomes[7], i * 2);
        ck_assert_int_eq(counts.unlisted[0].count, i);
        ck_assert_int_eq(counts.findings[FINDING_JOB_ABANDONED], i);
        ck_assert_int_eq(counts.findings[FINDING_MAGIC_EMAIL_ONLY], i);
        ck_assert_int_eq(counts.findings[FINDING_POLLED_FAST], i);
        ck_assert_int_eq(counts.ids.total, i);
        ck_assert_int_eq(counts.polling.jobs, i);
        ck_assert_int_eq(counts.polling.polls, i * 2);
        ck_assert_int_eq(job_of(run, "abc").polls, i * 2);
        ck_assert_int_eq(job_of(run, "abc").shortest, 100);
        ck_assert(!job_of(run, "abc").now);
        ck_assert_int_eq(id_of(run).sent, i);
        ck_assert_str_eq(id_of(run).request_id, "one");
    }
    tally_reset(run);
    ck_assert_int_eq(counts_of(run).findings[FINDING_JOB_ABANDONED], 2);
    ck_assert_int_eq(counts_of(tally).findings[FINDING_JOB_ABANDONED], 0);
    tally_destroy(run);
}
END_TEST

START_TEST(what_is_ignored_is_not_merged)
{
    struct tally *run = tally_create();
    struct tally_note new = creation(1);
    new.job = "abc";
    tally_note(tally, &new);
    tally_job_ended(tally, "abc");
    tally_ignore(tally, finding_bit(FINDING_JOB_ABANDONED));
    tally_merge(run, tally);
    ck_assert_int_eq(counts_of(run).findings[FINDING_JOB_ABANDONED], 0);
    tally_destroy(run);
}
END_TEST

/* -- threads ----------------------------------------------------------------------------------- */

static pthread_barrier_t start;

/* Polls and creations by turns, of jobs that all threads have. */
static void *note_many(void *arg)
{
    static const char *const jobs[JOBS] = {"job-0", "job-1", "job-2"};
    struct tally_note new = creation(1), read = poll("", 1);
    (void)arg;
    pthread_barrier_wait(&start);
    for (int i = 0; i < EACH; i++) {
        read.job = new.job = new.request_id = jobs[i / 10 % JOBS];
        read.sent_at = i + 1;
        if (i % 10 == 0)
            tally_find(tally, tally_note(tally, &new) | finding_bit(FINDING_UNKNOWN_FIELD));
        else
            tally_note(tally, &read);
    }
    return NULL;
}

static void note_in_threads(void (*meanwhile)(void))
{
    pthread_t threads[THREADS];
    pthread_barrier_init(&start, NULL, THREADS);
    for (int i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, note_many, NULL);
    for (int i = 0; meanwhile && i < 100; i++)
        meanwhile();
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    pthread_barrier_destroy(&start);
}

START_TEST(nothing_is_lost_between_threads)
{
    note_in_threads(NULL);
    struct tally_counts counts = counts_of(tally);
    ck_assert_int_eq(counts.requests, THREADS * EACH);
    ck_assert_int_eq(counts.outcomes[3], THREADS * EACH / 10);
    ck_assert_int_eq(counts.findings[FINDING_UNKNOWN_FIELD], THREADS * EACH / 10);
    ck_assert_int_eq(counts.polling.polls, THREADS * EACH / 10 * 9);
    ck_assert_int_eq(counts.polling.jobs, JOBS);
    ck_assert_int_eq(counts.polling.left_out, 0);
    ck_assert_int_eq(counts.ids.total, JOBS);
}
END_TEST

static void reset_and_read(void)
{
    struct tally *run = tally_create();
    tally_reset(tally);
    tally_merge(run, tally);
    ck_assert_int_ge(counts_of(run).requests, 0);
    tally_destroy(run);
}

START_TEST(it_may_be_reset_and_merged_meanwhile)
{
    note_in_threads(reset_and_read);
    struct tally_counts counts = counts_of(tally);
    ck_assert_int_eq(counts.requests, THREADS * EACH);
    ck_assert_int_eq(counts.polling.polls, THREADS * EACH / 10 * 9);
}
END_TEST

static TCase *make_case(Suite *suite, const char *name)
{
    TCase *made = tcase_create(name);
    tcase_add_checked_fixture(made, set_up, tear_down);
    suite_add_tcase(suite, made);
    return made;
}

int main(void)
{
    Suite *suite = suite_create("tally");
    TCase *counts = make_case(suite, "counts"), *jobs = make_case(suite, "jobs"),
          *ids = make_case(suite, "request_ids"), *others = make_case(suite, "creations"),
          *merging = make_case(suite, "merging"), *threads = make_case(suite, "threads");
    tcase_add_test(counts, outcomes_and_what_is_none_are_counted);
    tcase_add_test(counts, what_is_none_has_a_bound_and_is_counted_still);
    tcase_add_test(counts, findings_are_counted_unless_they_are_ignored);
    tcase_add_test(jobs, polls_of_a_job_are_counted);
    tcase_add_test(jobs, a_job_is_abandoned_until_its_end_is_learned);
    tcase_add_test(jobs, a_job_under_way_is_not_abandoned);
    tcase_add_test(jobs, a_job_of_the_same_id_begins_anew_after_a_reset);
    tcase_add_test(jobs, jobs_beyond_the_bound_are_left_out);
    tcase_add_test(ids, a_request_id_with_another_body_is_reused);
    tcase_add_test(ids, how_a_request_id_was_used_is_told);
    tcase_add_test(ids, a_body_that_was_refused_may_be_mended);
    tcase_add_test(ids, request_ids_beyond_the_bound_are_left_out);
    tcase_add_loop_test(others, the_same_again_after_a_failure_is_a_retry, 0,
                        (int)(sizeof failures / sizeof *failures));
    tcase_add_test(others, a_retry_may_be_over_before_its_request);
    tcase_add_test(others, what_was_under_way_at_the_failure_is_no_retry);
    tcase_add_test(others, a_retry_with_a_request_id_is_fine);
    tcase_add_test(others, who_comes_before_retry_after_is_early);
    tcase_add_test(others, an_address_that_only_came_with_tags_is_told);
    tcase_add_test(merging, what_is_merged_counts_as_ended);
    tcase_add_test(merging, what_is_ignored_is_not_merged);
    tcase_add_test(threads, nothing_is_lost_between_threads);
    tcase_add_test(threads, it_may_be_reset_and_merged_meanwhile);
    return support_run(suite);
}
