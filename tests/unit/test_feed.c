/*
 * What listeners are told (engine/feed.h): in order, whole whatever pieces they take it in, never
 * what was rolled back; and what becomes of those who are too slow.
 */
#include <check.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/admin.h"
#include "engine/delivery.h"
#include "engine/engine.h"
#include "engine/feed.h"
#include "support.h"

static struct store *store;
static struct engine *engine;
static struct workspace *workspace;
static struct feed *feed;

static void begin(void)
{
    struct err err = {""};
    struct engine_options options = {.settings = {.queue_time = 3600000}};
    store = support_new_store();
    ck_assert_msg(engine_start(store, &options, &engine, &err) == 0, "%s", err.text);
    workspace = registry_default(engine_registry(engine));
    feed = feeds_of(engine_feeds(engine), workspace);
    ck_assert_ptr_nonnull(feed);
    ck_assert_ptr_eq(feeds_of(engine_feeds(engine), workspace), feed);
}

static void end(void)
{
    workspace_release(workspace);
    engine_stop(engine);
    store_close(store);
}

static void tell(long number)
{
    struct buf data = BUF_INIT;
    buf_printf(&data, "{\"n\":%ld}", number);
    feed_tell(workspace, "x", &data);
}

/* -- one who listens --------------------------------------------------------------------------- */

struct ear {
    struct feed_listener listener;
    atomic_int wakes;
};

static void wake(void *arg)
{
    atomic_fetch_add(&((struct ear *)arg)->wakes, 1);
}

static int64_t overhear(struct ear *ear, int64_t after)
{
    *ear = (struct ear){.listener = {.wake = wake, .arg = ear}};
    return feed_listen(feed, &ear->listener, after);
}

/* Reads all there is, at most `max` bytes at a time; how it ended. */
static enum feed_read hear(struct ear *ear, size_t max, struct buf *out)
{
    char piece[4096];
    size_t len;
    enum feed_read read;
    ck_assert_uint_le(max, sizeof piece);
    while ((read = feed_read(&ear->listener, piece, max, &len)) == FEED_SOME) {
        ck_assert_uint_gt(len, 0);
        ck_assert_uint_le(len, max);
        buf_append(out, piece, len);
    }
    return read;
}

/* The same of a text, to be freed. */
static char *heard(struct ear *ear)
{
    struct buf out = BUF_INIT;
    size_t len;
    ck_assert_int_eq(hear(ear, 4096, &out), FEED_NOTHING);
    return buf_take(&out, &len);
}

static long count_of(const char *text, const char *part)
{
    long count = 0;
    for (const char *at = text; (at = strstr(at, part)); at++)
        count++;
    return count;
}

START_TEST(whole_in_whatever_pieces)
{
    static const size_t sizes[] = {1, 2, 7, 50, 51, 1000, 4096};
    enum { EVENTS = 40 };
    struct ear ears[COUNT(sizes)];
    struct buf all[COUNT(sizes)];
    for (size_t i = 0; i < COUNT(sizes); i++)
        ck_assert_int_eq(overhear(&ears[i], FEED_NOW), 0);
    int64_t before = ears[0].listener.read;
    for (long n = 0; n < EVENTS; n++)
        tell(n);
    for (size_t i = 0; i < COUNT(sizes); i++) {
        all[i] = BUF_INIT;
        ck_assert_int_eq(hear(&ears[i], sizes[i], &all[i]), FEED_NOTHING);
        ck_assert_str_eq(all[i].data, all[0].data);
        feed_leave(&ears[i].listener);
    }
    char first[80];
    snprintf(first, sizeof first, "id: %lld\nevent: x\ndata: {\"n\":0}\n\n", (long long)before + 1);
    ck_assert_int_eq(strncmp(all[0].data, first, strlen(first)), 0);
    ck_assert_int_eq(count_of(all[0].data, "\n\n"), EVENTS);
    for (size_t i = 0; i < COUNT(sizes); i++)
        buf_finish(&all[i]);
}
END_TEST

START_TEST(behind_and_lost)
{
    struct ear slow, late;
    struct buf out = BUF_INIT;
    overhear(&slow, FEED_NOW);
    int64_t begun = slow.listener.read;
    for (long n = 0; n < FEED_KEPT; n++)
        tell(n);
    ck_assert_int_eq(overhear(&late, begun), 0);
    feed_leave(&late.listener);
    tell(FEED_KEPT);
    ck_assert_int_eq(hear(&slow, 4096, &out), FEED_BEHIND);
    ck_assert_uint_eq(out.len, 0);
    feed_leave(&slow.listener);

    ck_assert_int_eq(overhear(&late, begun), 1);
    ck_assert_int_eq(hear(&late, 4096, &out), FEED_NOTHING);
    ck_assert_int_eq(count_of(out.data, "event: x"), FEED_KEPT);
    ck_assert_ptr_nonnull(strstr(out.data, "{\"n\":1}"));
    ck_assert_ptr_null(strstr(out.data, "{\"n\":0}"));
    feed_leave(&late.listener);
    int64_t foreign[] = {0, 1, begun - 1, begun + FEED_KEPT + 2, INT64_MAX};
    for (size_t i = 0; i < COUNT(foreign); i++) {
        ck_assert_int_eq(overhear(&late, foreign[i]), FEED_FOREIGN);
        ck_assert_int_eq(late.listener.read, begun + 1);
        feed_leave(&late.listener);
    }
    buf_finish(&out);
}
END_TEST

/* Half of an event is finished although it is not kept any more. */
START_TEST(behind_within_an_event)
{
    struct ear ear;
    struct buf out = BUF_INIT;
    char piece[10];
    size_t len;
    overhear(&ear, FEED_NOW);
    tell(7);
    ck_assert_int_eq(feed_read(&ear.listener, piece, sizeof piece, &len), FEED_SOME);
    buf_append(&out, piece, len);
    for (long n = 0; n < 2 * FEED_KEPT; n++)
        tell(n);
    ck_assert_int_eq(hear(&ear, 10, &out), FEED_BEHIND);
    ck_assert_ptr_nonnull(strstr(out.data, "data: {\"n\":7}\n\n"));
    ck_assert_int_eq(count_of(out.data, "event: x"), 1);
    feed_leave(&ear.listener);
    buf_finish(&out);
}
END_TEST

START_TEST(bytes_have_a_bound)
{
    enum { LARGE = 100000 };
    struct ear ear;
    struct buf out = BUF_INIT;
    overhear(&ear, FEED_NOW);
    int64_t begun = ear.listener.read;
    feed_leave(&ear.listener);
    for (int i = 0; i < 20; i++) {
        struct buf data = BUF_INIT;
        buf_puts(&data, "\"");
        for (int j = 0; j < LARGE; j++)
            buf_putc(&data, 'x');
        buf_puts(&data, "\"");
        feed_tell(workspace, "x", &data);
    }
    ck_assert_int_eq(overhear(&ear, begun), 10); /* of the twenty, ten fit in */
    ck_assert_int_eq(hear(&ear, 4096, &out), FEED_NOTHING);
    ck_assert_uint_le(out.len, FEED_BYTES_MAX);
    feed_leave(&ear.listener);
    buf_finish(&out);
}
END_TEST

/* -- waking ------------------------------------------------------------------------------------ */

START_TEST(woken_but_not_each_time)
{
    enum { EVENTS = 500 };
    struct ear ear, other;
    overhear(&ear, FEED_NOW);
    overhear(&other, FEED_NOW);
    ck_assert_int_eq(feeds_listeners(engine_feeds(engine)), 2);
    feed_leave(&other.listener);
    feed_leave(&other.listener); /* does no harm */
    ck_assert_int_eq(feeds_listeners(engine_feeds(engine)), 1);
    for (long n = 0; n < EVENTS; n++)
        tell(n);
    while (!atomic_load(&ear.wakes))
        sched_yield();
    free(heard(&ear));
    ck_assert_int_lt(atomic_load(&ear.wakes), EVENTS / 2);
    ck_assert_int_eq(atomic_load(&other.wakes), 0);
    int before = atomic_load(&ear.wakes);
    tell(EVENTS);
    while (atomic_load(&ear.wakes) == before)
        sched_yield();
    feed_leave(&ear.listener);
}
END_TEST

enum { TELLERS = 4, EACH = 200 };

static void *tell_many(void *arg)
{
    for (long n = 0; n < EACH; n++)
        tell((long)(intptr_t)arg * EACH + n);
    return NULL;
}

START_TEST(by_several_threads)
{
    pthread_t tellers[TELLERS];
    struct ear ear;
    struct buf out = BUF_INIT;
    overhear(&ear, FEED_NOW);
    int64_t before = ear.listener.read;
    for (intptr_t i = 0; i < TELLERS; i++)
        pthread_create(&tellers[i], NULL, tell_many, (void *)i);
    while (ear.listener.read < before + TELLERS * EACH)
        hear(&ear, 4096, &out);
    for (int i = 0; i < TELLERS; i++)
        pthread_join(tellers[i], NULL);
    ck_assert_int_eq(hear(&ear, 4096, &out), FEED_NOTHING);
    char line[40];
    for (long n = 0; n < TELLERS * EACH; n++) {
        snprintf(line, sizeof line, "data: {\"n\":%ld}\n", n);
        ck_assert_int_eq(count_of(out.data, line), 1);
        snprintf(line, sizeof line, "id: %lld\n", (long long)before + 1 + n);
        ck_assert_int_eq(count_of(out.data, line), 1);
    }
    feed_leave(&ear.listener);
    buf_finish(&out);
}
END_TEST

/* -- what is committed ------------------------------------------------------------------------- */

struct noting {
    struct operation operation;
    const char *name;
    int runs, status;
    atomic_bool *gate; /* it waits until that is open */
    atomic_bool begun, woken;
};

static int note(struct write *write, struct db *db)
{
    struct noting *self = (struct noting *)write;
    struct buf data = BUF_INIT;
    (void)db;
    self->runs++;
    atomic_store(&self->begun, true);
    while (self->gate && !atomic_load(self->gate))
        sched_yield();
    buf_printf(&data, "\"%s\"", self->name);
    feed_note(workspace, "noted", &data);
    return self->status;
}

static void noted(void *arg)
{
    atomic_store(&((struct noting *)arg)->woken, true);
}

static void submit(struct noting *noting)
{
    operation_init(&noting->operation, engine, workspace, note);
    operation_submit(&noting->operation, noted, noting);
}

/* One of a batch fails: all is rolled back, and each of the others runs once more by itself. */
START_TEST(rolled_back)
{
    atomic_bool gate = false;
    struct ear ear;
    struct noting first = {.name = "first", .gate = &gate}, good = {.name = "good"},
                  bad = {.name = "bad", .status = ERR_INTERNAL}, after = {.name = "after"};
    overhear(&ear, FEED_NOW);
    submit(&first);
    while (!atomic_load(&first.begun))
        sched_yield();
    submit(&good);
    submit(&bad);
    submit(&after);
    char *text = heard(&ear);
    ck_assert_str_eq(text, ""); /* nothing is committed */
    free(text);
    atomic_store(&gate, true);
    while (!atomic_load(&after.woken))
        sched_yield();
    ck_assert_int_eq(good.runs, 2);
    ck_assert_int_eq(bad.operation.status, ERR_INTERNAL);
    text = heard(&ear);
    ck_assert_int_eq(count_of(text, "event: noted"), 3);
    ck_assert(strstr(text, "\"first\"") < strstr(text, "\"good\""));
    ck_assert(strstr(text, "\"good\"") < strstr(text, "\"after\""));
    ck_assert_ptr_null(strstr(text, "\"bad\""));
    feed_leave(&ear.listener);
    free(text);
}
END_TEST

static int note_attempt(struct write *write, struct db *db)
{
    struct delivery delivery = {
        .id = "0123456789ab", .job_id = "ba9876543210", .status = DELIVERY_RETRYING};
    struct attempt_row attempt = {.number = 2,
                                  .outcome = ATTEMPT_FAILED,
                                  .at = 1709287200000,
                                  .sent_at = 1709287201000,
                                  .duration = 90,
                                  .error = "it \"failed\""};
    (void)write;
    (void)db;
    feed_note_attempt(workspace, &delivery, &attempt);
    return 0;
}

START_TEST(an_attempt)
{
    struct ear ear;
    struct noting noting = {.name = ""};
    overhear(&ear, FEED_NOW);
    operation_init(&noting.operation, engine, workspace, note_attempt);
    operation_submit(&noting.operation, noted, &noting);
    while (!atomic_load(&noting.woken))
        sched_yield();
    char *text = heard(&ear);
    ck_assert_str_eq(strchr(text, '\n') + 1,
                     "event: attempt\n"
                     "data: {\"delivery\":\"0123456789ab\",\"job\":\"ba9876543210\",\"attempt\":2,"
                     "\"outcome\":\"failed\",\"status\":null,\"error\":\"it \\\"failed\\\"\","
                     "\"at\":\"2024-03-01T10:00:00.000Z\",\"sent_at\":\"2024-03-01T10:00:01.000Z\","
                     "\"duration\":\"90ms\",\"delivery_status\":\"retrying\"}\n\n");
    feed_leave(&ear.listener);
    free(text);
}
END_TEST

/* -- the end ----------------------------------------------------------------------------------- */

START_TEST(deleted)
{
    struct ear ear, late;
    struct buf out = BUF_INIT, again = BUF_INIT;
    overhear(&ear, FEED_NOW);
    feed_tell_deleted(workspace);
    tell(1); /* comes too late */
    feed_tell_deleted(workspace);
    ck_assert_int_eq(hear(&ear, 4096, &out), FEED_ENDED);
    ck_assert_int_eq(count_of(out.data, "event: "), 1);
    ck_assert_int_eq(count_of(out.data, "event: deleted"), 1);
    overhear(&late, FEED_NOW);
    ck_assert_int_eq(hear(&late, 4096, &again), FEED_ENDED);
    ck_assert_str_eq(again.data, out.data);
    feed_leave(&ear.listener);
    feed_leave(&late.listener);
    buf_finish(&out);
    buf_finish(&again);
}
END_TEST

/* Listeners are about to be woken when all ends: nothing is left behind. */
START_TEST(stopped_with_news)
{
    struct ear ear;
    overhear(&ear, FEED_NOW);
    for (long n = 0; n < 100; n++)
        tell(n);
    feed_leave(&ear.listener);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("feed");
    TCase *tcase = tcase_create("feed");
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, whole_in_whatever_pieces);
    tcase_add_test(tcase, behind_and_lost);
    tcase_add_test(tcase, behind_within_an_event);
    tcase_add_test(tcase, bytes_have_a_bound);
    tcase_add_test(tcase, woken_but_not_each_time);
    tcase_add_test(tcase, by_several_threads);
    tcase_add_test(tcase, rolled_back);
    tcase_add_test(tcase, an_attempt);
    tcase_add_test(tcase, deleted);
    tcase_add_test(tcase, stopped_with_news);
    suite_add_tcase(suite, tcase);
    return support_run(suite);
}
