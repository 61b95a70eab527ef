/*
 * The writer: group commit, one message's failure, the queue's bound, many senders, the end. Every
 * test that needs a batch makes it: a first message waits on the writer's thread until the others
 * are queued.
 */
#include <check.h>
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "store/db_internal.h"
#include "store/project_scenario.h"
#include "support.h"

enum { EVENTS_MAX = 40000, BATCH_BOUND = 256, QUEUE_BOUND = 8192 };

/* What the writer's thread did, in order: +n ran message n, -n told it was done, 0 a commit. */
static int events[EVENTS_MAX];
static size_t event_count;

static void note(int event)
{
    ck_assert_uint_lt(event_count, EVENTS_MAX);
    events[event_count++] = event;
}

/* A message that writes a member named by its number. */
struct message {
    struct write write;
    struct store *store;
    int number, fails, runs, dones, status;
    bool seen; /* by a reader, when it was told */
};

static struct message messages[QUEUE_BOUND + 2];
static struct store *store;
static int64_t workspace;

static int insert_member(struct db *db, int number)
{
    struct member_row row = {.workspace = workspace, .created_at = 1};
    snprintf(row.email, sizeof row.email, "%d@a.example", number);
    return member_insert(db, &row);
}

static int64_t count_members(void)
{
    struct db *db = store_reader(store, NULL);
    ck_assert_ptr_nonnull(db);
    return support_integer(db, "SELECT count(*) FROM member");
}

static bool has_member(int number)
{
    struct db *db = store_reader(store, NULL);
    return support_integer(db, /* by the index, or 8,192 of these take minutes under valgrind */
                           "SELECT count(*) FROM member WHERE workspace = %lld AND "
                           "email = '%d@a.example'",
                           (long long)workspace, number) == 1;
}

static int message_run(struct write *write, struct db *db)
{
    struct message *self = (struct message *)write;
    note(self->number);
    self->runs++;
    int status = insert_member(db, self->number);
    return status < 0 ? status : self->fails;
}

static void message_done(struct write *write, int status)
{
    struct message *self = (struct message *)write;
    note(-self->number);
    self->status = status;
    self->dones++;
    self->seen = has_member(self->number);
}

static struct message *message(int number)
{
    struct message *self = &messages[number];
    *self = (struct message){.write = {.run = message_run, .done = message_done}, .number = number};
    return self;
}

/* -- holding the writer ------------------------------------------------------------------------ */

static sem_t running, go, let_go;

static void await(sem_t *semaphore)
{
    while (sem_wait(semaphore) < 0)
        ck_assert_int_eq(errno, EINTR);
}

static int note_commit(void *arg)
{
    (void)arg;
    note(0);
    return 0;
}

static int hold_run(struct write *write, struct db *db)
{
    (void)write;
    sqlite3_commit_hook(db->connection, note_commit, NULL);
    sem_post(&running);
    await(&go);
    return 0;
}

static void hold_done(struct write *write, int status)
{
    (void)write;
    ck_assert_int_eq(status, 0);
    sem_post(&let_go);
}

static struct write hold = {.run = hold_run, .done = hold_done};

/* From here on the writer stands still, in a batch of its own, until `go`. */
static void hold_writer(void)
{
    ck_assert_int_eq(store_submit(store, &hold), 0);
    await(&running);
}

/* Lets the writer go on, and waits until all that was queued before this is done. */
static int flush_run(struct db *db, void *arg)
{
    (void)db;
    (void)arg;
    return 0;
}

static void release_writer(void)
{
    sem_post(&go);
    await(&let_go);
}

/* Behind a lock that was waited for in vain, what is queued fails with it. */
static void flush(void)
{
    int status = support_write(store, flush_run, NULL);
    ck_assert(status == 0 || status == ERR_BUSY);
}

static int make_workspace(struct db *db, void *arg)
{
    (void)arg;
    workspace = support_workspace(db, "one");
    return 0;
}

static void begin(void)
{
    event_count = 0;
    sem_init(&running, 0, 0);
    sem_init(&go, 0, 0);
    sem_init(&let_go, 0, 0);
    store = support_new_store();
    ck_assert_int_eq(support_write(store, make_workspace, NULL), 0);
}

static void end(void)
{
    store_close(store);
    sem_destroy(&running);
    sem_destroy(&go);
    sem_destroy(&let_go);
}

/* -- group commit ------------------------------------------------------------------------------ */

/* What waited is run in order and committed at once; then each is told, in the same order, and by
 * then readers see all of it. */
START_TEST(what_waits_is_one_commit)
{
    enum { MESSAGES = 100 };
    hold_writer();
    for (int i = 1; i <= MESSAGES; i++)
        ck_assert_int_eq(store_submit(store, &message(i)->write), 0);
    ck_assert_int_eq(count_members(), 0);
    release_writer();
    flush();

    size_t at = 0;
    ck_assert_int_eq(events[at++], 0); /* the holder's */
    for (int i = 1; i <= MESSAGES; i++)
        ck_assert_int_eq(events[at++], i);
    ck_assert_int_eq(events[at++], 0);
    for (int i = 1; i <= MESSAGES; i++) {
        ck_assert_int_eq(events[at++], -i);
        ck_assert_int_eq(messages[i].status, 0);
        ck_assert_int_eq(messages[i].dones, 1);
        ck_assert(messages[i].seen);
    }
    ck_assert_int_eq(count_members(), MESSAGES);
}
END_TEST

/* More than one batch's worth: still in order, in as few commits as the bound allows. */
START_TEST(long_queue_is_cut_into_batches)
{
    enum { MESSAGES = 2 * BATCH_BOUND + 50 };
    int ran = 0, told = 0, commits = 0;
    hold_writer();
    for (int i = 1; i <= MESSAGES; i++)
        ck_assert_int_eq(store_submit(store, &message(i)->write), 0);
    release_writer();
    flush();
    for (size_t i = 0; i < event_count; i++) {
        if (events[i] > 0)
            ck_assert_int_eq(events[i], ++ran);
        else if (events[i] < 0)
            ck_assert_int_eq(-events[i], ++told);
        else
            commits++;
        ck_assert_int_le(told, ran);
        ck_assert_int_le(ran - told, BATCH_BOUND);
    }
    ck_assert_int_eq(ran, MESSAGES);
    ck_assert_int_eq(told, MESSAGES);
    ck_assert_int_ge(commits, 1 + 3); /* the holder's; the last may be shared with the flush */
    ck_assert_int_le(commits, 1 + 3 + 1);
}
END_TEST

/* -- failures ---------------------------------------------------------------------------------- */

static const struct {
    int fails;
    const char *what;
} failures[] = {{ERR_INVALID, "an error"}, {ERR_INTERNAL, "a fault"}, {0, "a taken address"}};

START_TEST(failure_undoes_only_itself)
{
    enum { MESSAGES = 20, CULPRIT = 7, OTHER = 20 };
    hold_writer();
    for (int i = 1; i <= MESSAGES; i++) {
        struct message *self = message(i);
        if (i == CULPRIT || i == OTHER)
            self->fails = failures[_i].fails;
        ck_assert_int_eq(store_submit(store, &self->write), 0);
    }
    if (!failures[_i].fails) /* a number twice: the later one finds the address taken */
        messages[CULPRIT].number = messages[OTHER].number = 1;
    release_writer();
    flush();

    int told = 0;
    for (size_t i = 0; i < event_count; i++)
        told += events[i] < 0;
    ck_assert_int_eq(told, MESSAGES);
    for (int i = 1; i <= MESSAGES; i++) {
        bool failed = i == CULPRIT || i == OTHER;
        int wanted = !failed ? 0 : failures[_i].fails ? failures[_i].fails : ERR_EXISTS;
        ck_assert_int_eq(messages[i].status, wanted);
        ck_assert_int_eq(messages[i].dones, 1);
        ck_assert(has_member(i) == !failed);
        if (i > 1)
            ck_assert_int_eq(messages[i].seen, !failed || !failures[_i].fails);
    }
    ck_assert_int_eq(count_members(), MESSAGES - 2);
    /* And in the order of the queue. */
    for (size_t i = 0, last = 0; i < event_count && failures[_i].fails; i++)
        if (events[i] < 0) {
            ck_assert_uint_eq((size_t)-events[i], last + 1);
            last++;
        }
}
END_TEST

/* A failed medium or a held lock is everybody's, and is not tried for each. */
START_TEST(failed_medium_fails_the_batch_once)
{
    static const int everybodys[] = {ERR_IO, ERR_BUSY, ERR_CORRUPT};
    hold_writer();
    for (int i = 1; i <= 5; i++) {
        struct message *self = message(i);
        self->fails = i == 3 ? everybodys[_i] : 0;
        ck_assert_int_eq(store_submit(store, &self->write), 0);
    }
    release_writer();
    int status = support_write(store, flush_run, NULL);
    ck_assert(status == 0 || status == everybodys[_i]); /* it may have come into the batch */
    flush();
    for (int i = 1; i <= 5; i++) {
        ck_assert_int_eq(messages[i].status, everybodys[_i]);
        ck_assert_int_eq(messages[i].dones, 1);
        ck_assert_int_eq(messages[i].runs, i <= 3);
    }
    ck_assert_int_eq(count_members(), 0);
    ck_assert_int_eq(store_write(store, &message(6)->write), 0); /* and it goes on */
    ck_assert(has_member(6));
}
END_TEST

/* store_write(): the status comes back, and `done` is not called. */
START_TEST(waiting_for_a_write)
{
    ck_assert_int_eq(store_write(store, &message(1)->write), 0);
    ck_assert(has_member(1));
    struct message *self = message(2);
    self->fails = ERR_NOT_FOUND;
    ck_assert_int_eq(store_write(store, &self->write), ERR_NOT_FOUND);
    ck_assert(!has_member(2));
    ck_assert_int_eq(messages[1].dones + messages[2].dones, 0);
}
END_TEST

/* -- the queue's bound ------------------------------------------------------------------------- */

START_TEST(full_queue_refuses)
{
    hold_writer();
    for (int i = 1; i <= QUEUE_BOUND; i++)
        ck_assert_int_eq(store_submit(store, &message(i)->write), 0);
    ck_assert_int_eq(store_submit(store, &message(QUEUE_BOUND + 1)->write), ERR_OVERLOADED);
    ck_assert_int_eq(store_write(store, &message(QUEUE_BOUND + 1)->write), ERR_OVERLOADED);
    release_writer();
    while (store_submit(store, &message(QUEUE_BOUND + 1)->write) == ERR_OVERLOADED)
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL); /* until the first batch is out */
    flush();
    ck_assert_int_eq(count_members(), QUEUE_BOUND + 1);
    for (int i = 1; i <= QUEUE_BOUND + 1; i++)
        ck_assert_int_eq(messages[i].dones, 1);
}
END_TEST

/* -- many threads ------------------------------------------------------------------------------ */

enum { SENDERS = 8, EACH = 100 };

/* Writes, and reads its own write back on its own connection. */
static void *send_many(void *arg)
{
    int first = 1 + *(int *)arg * EACH;
    for (int i = first; i < first + EACH; i++) {
        if (store_write(store, &message(i)->write) < 0 || !has_member(i))
            return arg;
    }
    return NULL;
}

START_TEST(senders_read_their_own_writes)
{
    pthread_t threads[SENDERS];
    int numbers[SENDERS];
    void *failed;
    for (int i = 0; i < SENDERS; i++) {
        numbers[i] = i;
        ck_assert_int_eq(pthread_create(&threads[i], NULL, send_many, &numbers[i]), 0);
    }
    for (int i = 0; i < SENDERS; i++) {
        pthread_join(threads[i], &failed);
        ck_assert_ptr_null(failed);
    }
    ck_assert_int_eq(count_members(), SENDERS * EACH);
    for (int i = 1; i <= SENDERS * EACH; i++)
        ck_assert_int_ge(messages[i].runs, 1);
}
END_TEST

/* -- who watches for numbers ------------------------------------------------------------------- */

enum { WATCHED = 30000 }; /* what is noted for a number, added to it */

static int committed_arg;

static void committed(void *arg, int64_t number)
{
    ck_assert_ptr_eq(arg, &committed_arg);
    note(WATCHED + (int)number);
}

static int draw_run(struct write *write, struct db *db)
{
    struct message *self = (struct message *)write;
    note(WATCHED + (int)db_next_number(db));
    return self->fails;
}

/* The watcher is called once for a batch, with the last number, after all senders were told what
 * they are to publish; and not at all for a batch that draws none. */
START_TEST(watcher_comes_after_the_senders)
{
    store_watch(store, committed, &committed_arg);
    hold_writer();
    for (int i = 1; i <= 2; i++) {
        message(i)->write.run = draw_run;
        ck_assert_int_eq(store_submit(store, &messages[i].write), 0);
    }
    release_writer();
    flush();
    ck_assert_int_eq(store_submit(store, &message(3)->write), 0);
    flush();
    store_watch(store, NULL, NULL);

    static const int expected[] = {0, WATCHED + 1, WATCHED + 2, 0, -1, -2, WATCHED + 2, 3, 0, -3};
    ck_assert_uint_ge(event_count, COUNT(expected));
    for (size_t i = 0, at = 0; i < COUNT(expected); at++) {
        ck_assert_uint_lt(at, event_count);
        if (events[at] == 0 && expected[i] != 0)
            continue; /* the commit of a flush */
        ck_assert_int_eq(events[at], expected[i]);
        i++;
    }
}
END_TEST

/* -- the end ----------------------------------------------------------------------------------- */

static int accepted;

/* Keeps the writer until the store is closing, by asking it. */
static int hold_until_stopping(struct write *write, struct db *db)
{
    (void)write;
    (void)db;
    int status;
    sem_post(&running);
    while ((status = store_submit(store, &message(accepted + 1)->write)) == 0) {
        accepted++;
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    ck_assert_int_eq(status, ERR_STOPPING);
    return 0;
}

START_TEST(stop_runs_what_is_queued)
{
    char *path = strdup(store_path(store));
    struct write until_stopping = {.run = hold_until_stopping, .done = hold_done};
    ck_assert_int_eq(store_submit(store, &until_stopping), 0);
    await(&running);
    store_close(store);

    ck_assert_int_eq(store_open(path, DURABILITY_PROCESS, &store, NULL), 0);
    ck_assert_int_eq(count_members(), accepted);
    for (int i = 1; i <= accepted; i++) {
        ck_assert_int_eq(messages[i].status, 0);
        ck_assert_int_eq(messages[i].dones, 1);
    }
    ck_assert_int_eq(messages[accepted + 1].dones, 0);
    free(path);
}
END_TEST

/* -- checkpoints ------------------------------------------------------------------------------- */

static int insert_large(struct db *db, void *arg)
{
    static char text[300000];
    char name[20];
    memset(text, 'x', sizeof text - 1);
    snprintf(name, sizeof name, "%d", *(int *)arg);
    struct project_scenario scenario = {.id = name,
                                        .name = name,
                                        .instructions = text,
                                        .max_messages = -1,
                                        .failure_criteria_mode = "every_turn"};
    return project_scenario_insert(db, workspace, "p", &scenario);
}

static off_t size_of(const char *suffix)
{
    struct stat about;
    char path[600];
    snprintf(path, sizeof path, "%s%s", store_path(store), suffix);
    ck_assert_int_eq(stat(path, &about), 0);
    return about.st_size;
}

/* However much is written without a pause, the log starts anew at some length; and when nothing is
 * left to do it is copied into the file, without being asked (or the test's time runs out). */
START_TEST(log_is_checkpointed_on_the_way)
{
    enum { TIMES = 300 };
    for (int i = 0; i < TIMES; i++) /* 90 MB */
        ck_assert_int_eq(support_write(store, insert_large, &i), 0);
    ck_assert_int_lt(size_of("-wal"), 70000000);
    while (size_of("") < 85000000)
        nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("writer");
    TCase *writer = tcase_create("writer");
    tcase_set_timeout(writer, 60);
    tcase_add_checked_fixture(writer, begin, end);
    tcase_add_test(writer, what_waits_is_one_commit);
    tcase_add_test(writer, long_queue_is_cut_into_batches);
    tcase_add_loop_test(writer, failure_undoes_only_itself, 0, (int)COUNT(failures));
    tcase_add_loop_test(writer, failed_medium_fails_the_batch_once, 0, 3);
    tcase_add_test(writer, waiting_for_a_write);
    tcase_add_test(writer, full_queue_refuses);
    tcase_add_test(writer, senders_read_their_own_writes);
    tcase_add_test(writer, watcher_comes_after_the_senders);
    tcase_add_test(writer, stop_runs_what_is_queued);
    tcase_add_test(writer, log_is_checkpointed_on_the_way);
    suite_add_tcase(suite, writer);
    return support_run(suite);
}
