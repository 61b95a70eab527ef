/* The heap of times, against a plain array that is searched. */
#include "support.h"

#include "base/heap.h"

#include <stdlib.h>

enum { ENTRIES = 300, STEPS = 20000 };

START_TEST(empty)
{
    struct heap heap = HEAP_INIT;
    struct heap_entry entry = {0};
    ck_assert_ptr_null(heap_first(&heap));
    ck_assert(!heap_remove(&heap, &entry));
    ck_assert_int_eq(heap_put(&heap, &entry, 7), 0);
    ck_assert_ptr_eq(heap_first(&heap), &entry);
    ck_assert(heap_remove(&heap, &entry));
    ck_assert(!heap_remove(&heap, &entry));
    ck_assert_ptr_null(heap_first(&heap));
    heap_finish(&heap);
}
END_TEST

START_TEST(owner_of_an_entry)
{
    struct thing {
        int before;
        struct heap_entry entry;
    } thing = {0};
    ck_assert_ptr_eq(HEAP_OWNER(&thing.entry, struct thing, entry), &thing);
}
END_TEST

static void check(const struct heap *heap, const struct heap_entry *entries, const int64_t *at)
{
    int64_t least = INT64_MAX;
    size_t count = 0;
    for (size_t i = 0; i < ENTRIES; i++) {
        ck_assert_int_eq(entries[i].place != 0, at[i] >= 0);
        if (at[i] < 0)
            continue;
        count++;
        ck_assert_int_eq(entries[i].at, at[i]);
        ck_assert_ptr_eq(heap->entries[entries[i].place - 1], &entries[i]);
        if (at[i] < least)
            least = at[i];
    }
    ck_assert_uint_eq(heap->count, count);
    ck_assert(count ? heap_first(heap)->at == least : !heap_first(heap));
}

/* Put, moved both ways and taken out at random; then drained, in order. */
START_TEST(like_a_searched_array)
{
    static struct heap_entry entries[ENTRIES];
    static int64_t at[ENTRIES]; /* -1: not in */
    struct heap heap = HEAP_INIT;
    srand(1 + (unsigned)_i);
    for (size_t i = 0; i < ENTRIES; i++)
        at[i] = -1;
    for (int step = 0; step < STEPS; step++) {
        size_t i = (size_t)(rand() % ENTRIES);
        if (rand() % 3) {
            at[i] = rand() % 100; /* many alike */
            ck_assert_int_eq(heap_put(&heap, &entries[i], at[i]), 0);
        } else {
            ck_assert(heap_remove(&heap, &entries[i]) == (at[i] >= 0));
            at[i] = -1;
        }
        if (step % 100 == 0)
            check(&heap, entries, at);
    }
    check(&heap, entries, at);
    int64_t last = 0;
    for (struct heap_entry *first; (first = heap_first(&heap)); heap_remove(&heap, first)) {
        ck_assert_int_ge(first->at, last);
        last = first->at;
    }
    heap_finish(&heap);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("heap");
    TCase *heap = tcase_create("heap");
    tcase_add_test(heap, empty);
    tcase_add_test(heap, owner_of_an_entry);
    tcase_add_loop_test(heap, like_a_searched_array, 0, 4);
    suite_add_tcase(suite, heap);
    return support_run(suite);
}
