/* The journal: order over several threads, bounds, what is evicted and from whom, and being
 * cleared.
 */
#include "engine/journal.h"
#include "support.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MIB = 1024 * 1024, THREADS = 4, EACH = 5000 };

/* An entry with a body of so many bytes. */
static void add(struct journal *journal, int64_t request, size_t bytes)
{
    char *body = calloc(1, bytes + 1);
    struct journal_entry entry = {.request = request,
                                  .method = "GET",
                                  .target = "/x",
                                  .path = "/x",
                                  .id = "one",
                                  .body = {body, bytes, bytes}};
    memset(body, 'b', bytes);
    struct journal_entry *whole = journal_entry_create(&entry);
    ck_assert_ptr_nonnull(whole);
    journal_add(journal, whole);
    free(body);
}

static size_t count_of(struct journal *journal)
{
    struct journal_entry **entries;
    size_t count;
    ck_assert(journal_read(journal, 0, INT64_MAX, &entries, &count));
    journal_release_all(entries, count);
    return count;
}

/* -- entries ----------------------------------------------------------------------------------- */

START_TEST(an_entry_has_copies_of_its_own)
{
    char target[] = "/a?b", headers[] = "Host\0x\0Accept\0*/*";
    struct journal_entry from = {.method = "POST",
                                 .target = target,
                                 .status = 201,
                                 .headers = {headers, sizeof headers, sizeof headers}};
    struct journal_entry *entry = journal_entry_create(&from);
    memset(target, '-', sizeof target - 1);
    memset(headers, '-', sizeof headers - 1);
    ck_assert_str_eq(entry->method, "POST");
    ck_assert_str_eq(entry->target, "/a?b");
    ck_assert_ptr_null(entry->path);
    ck_assert_ptr_null(entry->body.data);
    ck_assert_str_eq(journal_header(&entry->headers, "ACCEPT"), "*/*");
    ck_assert_ptr_null(journal_header(&entry->headers, "Cookie"));
    journal_entry_release(entry);
}
END_TEST

START_TEST(bodies_are_cut)
{
    static char body[JOURNAL_BODY_MAX + 1];
    struct journal_entry from = {.body = {body, sizeof body, sizeof body},
                                 .answer = {body, JOURNAL_BODY_MAX, JOURNAL_BODY_MAX}};
    struct journal_entry *entry = journal_entry_create(&from);
    ck_assert_uint_eq(entry->body.len, JOURNAL_BODY_MAX);
    ck_assert_uint_eq(entry->body.whole, JOURNAL_BODY_MAX + 1);
    ck_assert_uint_eq(entry->answer.len, entry->answer.whole);
    journal_entry_release(entry);
}
END_TEST

/* -- one journal ------------------------------------------------------------------------------- */

START_TEST(reads_what_is_asked_for)
{
    struct journals *journals = journals_create(MIB, 3);
    struct journal *journal = journal_create(journals);
    struct journal_entry **entries;
    size_t count;
    for (int i = 1; i <= 40; i++)
        add(journal, i, 10);
    ck_assert_int_eq(journal_newest(journal), 40);
    ck_assert(journal_read(journal, 10, 30, &entries, &count));
    ck_assert_uint_eq(count, 20);
    for (size_t i = 0; i < count; i++)
        ck_assert_int_eq(entries[i]->number, (int64_t)i + 11);
    journal_release_all(entries, count);
    struct journal_entry *one = journal_find(journal, 7);
    ck_assert_int_eq(one->request, 7);
    journal_entry_release(one);
    ck_assert_ptr_null(journal_find(journal, 41));
    ck_assert_ptr_null(journal_find(journal, 0));
    journal_destroy(journal);
    ck_assert_uint_eq(journals_bytes(journals), 0);
    journals_destroy(journals);
}
END_TEST

START_TEST(the_oldest_go_beyond_so_many)
{
    struct journals *journals = journals_create(1024 * (size_t)MIB, 2);
    struct journal *journal = journal_create(journals);
    for (int i = 1; i <= JOURNAL_ENTRIES_MAX + 25; i++)
        add(journal, i, 1);
    struct journal_loss loss = journal_evicted(journal);
    ck_assert_uint_eq(count_of(journal), JOURNAL_ENTRIES_MAX);
    ck_assert_int_eq(loss.count, 25);
    ck_assert_int_eq(loss.newest, 25);
    ck_assert_ptr_null(journal_find(journal, 25));
    struct journal_entry *oldest = journal_find(journal, 26);
    ck_assert_ptr_nonnull(oldest);
    journal_entry_release(oldest);
    journal_destroy(journal);
    journals_destroy(journals);
}
END_TEST

START_TEST(the_oldest_go_beyond_so_many_bytes)
{
    struct journals *journals = journals_create(1024 * (size_t)MIB, 2);
    struct journal *journal = journal_create(journals);
    for (int i = 1; i <= 1100; i++)
        add(journal, i, JOURNAL_BODY_MAX);
    ck_assert_uint_le(journals_bytes(journals), JOURNAL_BYTES_MAX);
    ck_assert_uint_gt(journals_bytes(journals), JOURNAL_BYTES_MAX - 3 * JOURNAL_BODY_MAX);
    ck_assert_int_eq(journal_evicted(journal).newest, journal_evicted(journal).count);
    ck_assert_int_gt(journal_evicted(journal).count, 70);
    journal_destroy(journal);
    journals_destroy(journals);
}
END_TEST

START_TEST(an_entry_that_is_read_outlives_its_eviction)
{
    struct journals *journals = journals_create(MIB, 1);
    struct journal *journal = journal_create(journals);
    add(journal, 1, 1000);
    struct journal_entry *entry = journal_find(journal, 1);
    for (int i = 0; i < 40; i++)
        add(journal, 2, JOURNAL_BODY_MAX);
    ck_assert_ptr_null(journal_find(journal, 1));
    ck_assert_int_eq(entry->body.data[999], 'b');
    journal_entry_release(entry);
    journal_destroy(journal);
    journals_destroy(journals);
}
END_TEST

START_TEST(what_writes_through_the_control_plane_is_no_loss)
{
    struct journals *journals = journals_create(MIB, 1);
    struct journal *journal = journal_create(journals);
    journal_add(journal, journal_entry_create(&(struct journal_entry){.is_control = true}));
    for (int i = 0; i < 20; i++)
        add(journal, i, JOURNAL_BODY_MAX);
    ck_assert_int_eq(journal_evicted(journal).count, (int64_t)20 - (int64_t)count_of(journal));
    journal_destroy(journal);
    journals_destroy(journals);
}
END_TEST

START_TEST(what_is_cleared_was_never_there)
{
    struct journals *journals = journals_create(MIB, 2);
    struct journal *journal = journal_create(journals);
    for (int i = 1; i <= 30; i++)
        add(journal, i, JOURNAL_BODY_MAX);
    ck_assert_int_gt(journal_evicted(journal).count, 0);
    journal_add(journal, journal_entry_create(&(struct journal_entry){.is_control = true}));
    size_t there = count_of(journal);
    ck_assert_uint_eq(journal_clear(journal), there - 1);
    ck_assert_uint_eq(count_of(journal), 0);
    ck_assert_uint_eq(journals_bytes(journals), 0);
    ck_assert_int_eq(journal_evicted(journal).count, 0);
    ck_assert_int_eq(journal_evicted(journal).newest, 0);
    ck_assert_uint_eq(journal_clear(journal), 0);
    add(journal, 1, 1); /* numbers go on: a cursor stays one */
    ck_assert_int_eq(journal_newest(journal), 32);
    ck_assert_uint_eq(count_of(journal), 1);
    journal_destroy(journal);
    journals_destroy(journals);
}
END_TEST

/* -- several ----------------------------------------------------------------------------------- */

START_TEST(room_is_made_in_the_largest)
{
    struct journals *journals = journals_create(8 * (size_t)MIB, 2);
    struct journal *small = journal_create(journals), *large = journal_create(journals);
    for (int i = 0; i < 8; i++)
        add(small, i, JOURNAL_BODY_MAX);
    for (int i = 0; i < 1000; i++)
        add(large, i, JOURNAL_BODY_MAX);
    ck_assert_uint_le(journals_bytes(journals), 8 * (size_t)MIB);
    ck_assert_uint_eq(count_of(small), 8);
    ck_assert_int_eq(journal_evicted(small).count, 0);
    ck_assert_int_gt(journal_evicted(large).count, 800);
    journal_destroy(large);
    journal_destroy(small);
    ck_assert_uint_eq(journals_bytes(journals), 0);
    journals_destroy(journals);
}
END_TEST

/* -- threads ----------------------------------------------------------------------------------- */

static void *add_many(void *journal)
{
    for (int i = 1; i <= EACH; i++)
        add(journal, i, (size_t)i % 100);
    return NULL;
}

/* Each sees every number up to the newest that it sees, but for those that were evicted. */
static void *read_many(void *arg)
{
    struct journal *journal = arg;
    int64_t seen = 0;
    while (seen < (int64_t)THREADS * EACH) {
        struct journal_entry **entries;
        size_t count;
        ck_assert(journal_read(journal, 0, INT64_MAX, &entries, &count));
        for (size_t i = 1; i < count; i++)
            ck_assert_int_eq(entries[i]->number, entries[i - 1]->number + 1);
        if (count) {
            ck_assert_int_ge(entries[count - 1]->number, seen);
            seen = entries[count - 1]->number;
        }
        journal_release_all(entries, count);
    }
    return NULL;
}

START_TEST(numbers_have_no_gaps_for_those_who_read)
{
    struct journals *journals = journals_create(1024 * (size_t)MIB, THREADS);
    struct journal *journal = journal_create(journals);
    pthread_t writers[THREADS], reader;
    pthread_create(&reader, NULL, read_many, journal);
    for (int i = 0; i < THREADS; i++)
        pthread_create(&writers[i], NULL, add_many, journal);
    for (int i = 0; i < THREADS; i++)
        pthread_join(writers[i], NULL);
    pthread_join(reader, NULL);
    ck_assert_uint_eq(count_of(journal), JOURNAL_ENTRIES_MAX);
    ck_assert_int_eq(journal_evicted(journal).count, THREADS * EACH - JOURNAL_ENTRIES_MAX);
    ck_assert_int_eq(journal_evicted(journal).newest, THREADS * EACH - JOURNAL_ENTRIES_MAX);
    journal_destroy(journal);
    ck_assert_uint_eq(journals_bytes(journals), 0);
    journals_destroy(journals);
}
END_TEST

START_TEST(it_may_be_cleared_meanwhile)
{
    struct journals *journals = journals_create(4 * (size_t)MIB, THREADS);
    struct journal *journal = journal_create(journals), *other = journal_create(journals);
    pthread_t writers[THREADS];
    for (int i = 0; i < THREADS; i++)
        pthread_create(&writers[i], NULL, add_many, i % 2 ? other : journal);
    for (int i = 0; i < 200; i++)
        journal_clear(journal);
    for (int i = 0; i < THREADS; i++)
        pthread_join(writers[i], NULL);
    journal_clear(journal);
    journal_clear(other);
    ck_assert_uint_eq(journals_bytes(journals), 0);
    journal_destroy(journal);
    journal_destroy(other);
    journals_destroy(journals);
}
END_TEST

static atomic_llong resets;

/* What is of before, as a reset sees it, until none is any more. */
static void *add_while_none_was_reset(void *journal)
{
    while (journal_add_while(
        journal, journal_entry_create(&(struct journal_entry){.method = "GET"}), &resets, 0)) {
    }
    return NULL;
}

START_TEST(what_is_of_before_is_not_there_afterwards)
{
    struct journals *journals = journals_create(4 * (size_t)MIB, THREADS);
    struct journal *journal = journal_create(journals);
    for (int round = 0; round < 200; round++) {
        pthread_t writers[THREADS];
        atomic_store(&resets, 0);
        for (int i = 0; i < THREADS; i++)
            pthread_create(&writers[i], NULL, add_while_none_was_reset, journal);
        while (journal_newest(journal) < round) {
        }
        atomic_store(&resets, 1);
        journal_clear(journal);
        for (int i = 0; i < THREADS; i++)
            pthread_join(writers[i], NULL);
        ck_assert_uint_eq(count_of(journal), 0);
    }
    journal_destroy(journal);
    ck_assert_uint_eq(journals_bytes(journals), 0);
    journals_destroy(journals);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("journal");
    TCase *entries = tcase_create("entries"), *bounds = tcase_create("bounds"),
          *threads = tcase_create("threads");
    tcase_add_test(entries, an_entry_has_copies_of_its_own);
    tcase_add_test(entries, bodies_are_cut);
    tcase_add_test(bounds, reads_what_is_asked_for);
    tcase_add_test(bounds, the_oldest_go_beyond_so_many);
    tcase_add_test(bounds, the_oldest_go_beyond_so_many_bytes);
    tcase_add_test(bounds, an_entry_that_is_read_outlives_its_eviction);
    tcase_add_test(bounds, what_writes_through_the_control_plane_is_no_loss);
    tcase_add_test(bounds, what_is_cleared_was_never_there);
    tcase_add_test(bounds, room_is_made_in_the_largest);
    tcase_add_test(threads, numbers_have_no_gaps_for_those_who_read);
    tcase_add_test(threads, it_may_be_cleared_meanwhile);
    tcase_add_test(threads, what_is_of_before_is_not_there_afterwards);
    suite_add_tcase(suite, entries);
    suite_add_tcase(suite, bounds);
    suite_add_tcase(suite, threads);
    return support_run(suite);
}
