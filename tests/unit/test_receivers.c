/* Queues of receivers: in turn, each with so many at once. */
#include "support.h"

#include "base/err.h"
#include "engine/receivers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { AT_ONCE = 3 };

static struct receivers receivers;

static void put(const char *name, int64_t delivery)
{
    ck_assert_int_eq(receivers_put(&receivers, name, &(struct waiting){.delivery = delivery}), 0);
}

/* Takes the next, which is to be that one; NULL: there is none. */
static struct receiver *take(const char *name, int64_t delivery)
{
    struct receiver *receiver;
    ck_assert(receivers_can_take(&receivers));
    struct waiting *waiting = receivers_take(&receivers, &receiver);
    ck_assert_ptr_nonnull(waiting);
    ck_assert_str_eq(receiver_name(receiver), name);
    ck_assert_int_eq(waiting->delivery, delivery);
    waiting_free(waiting);
    return receiver;
}

static void expect_none(void)
{
    struct receiver *receiver;
    ck_assert(!receivers_can_take(&receivers));
    ck_assert_ptr_null(receivers_take(&receivers, &receiver));
}

static void setup(void)
{
    receivers_init(&receivers, AT_ONCE);
}

static void teardown(void)
{
    receivers_finish(&receivers);
}

START_TEST(in_turn)
{
    for (int64_t i = 0; i < 5; i++)
        put("a:1", i);
    put("b:1", 10);
    put("b:1", 11);
    put("c:1", 20);
    struct receiver *a = take("a:1", 0);
    take("b:1", 10);
    take("c:1", 20);
    take("a:1", 1);
    take("b:1", 11);
    take("a:1", 2);
    expect_none(); /* the first has as many under way as it may */
    receivers_done(&receivers, a);
    take("a:1", 3);
    expect_none();
    receivers_done(&receivers, a);
    take("a:1", 4);
    expect_none();
}
END_TEST

START_TEST(a_full_one_is_in_nobodys_way)
{
    struct receiver *slow = NULL;
    for (int64_t i = 0; i < 100; i++)
        put("slow:1", i);
    for (int64_t i = 0; i < AT_ONCE; i++)
        slow = take("slow:1", i);
    expect_none();
    for (int64_t i = 0; i < 50; i++) {
        put("quick:1", i);
        receivers_done(&receivers, take("quick:1", i));
    }
    expect_none();
    receivers_done(&receivers, slow);
    take("slow:1", AT_ONCE);
}
END_TEST

START_TEST(put_back_is_first_again)
{
    struct receiver *receiver;
    put("a:1", 1);
    put("a:1", 2);
    struct waiting *waiting = receivers_take(&receivers, &receiver);
    receivers_put_back(&receivers, receiver, waiting);
    take("a:1", 1);
    receiver = take("a:1", 2);
    expect_none();
    put("a:1", 3); /* behind one that is put back as the last */
    waiting = receivers_take(&receivers, &receiver);
    receivers_put_back(&receivers, receiver, waiting);
    put("a:1", 4);
    take("a:1", 3);
    receivers_done(&receivers, receiver);
    take("a:1", 4);
}
END_TEST

/* Whatever is done: each comes once, in the order of its receiver, and never too many at once. */
START_TEST(like_lists)
{
    enum { NAMES = 7, STEPS = 20000 };
    int64_t next_in[NAMES] = {0}, next_out[NAMES] = {0};
    size_t under_way[NAMES] = {0};
    struct receiver *of[NAMES] = {NULL};
    srand(1 + (unsigned)_i);
    for (int step = 0; step < STEPS; step++) {
        char name[8];
        int which = rand() % NAMES;
        snprintf(name, sizeof name, "%d:1", which);
        if (rand() % 3 == 0) {
            put(name, next_in[which]++);
        } else if (rand() % 2 && under_way[which]) {
            under_way[which]--;
            receivers_done(&receivers, of[which]);
        } else if (receivers_can_take(&receivers)) {
            struct receiver *receiver;
            struct waiting *waiting = receivers_take(&receivers, &receiver);
            int got = atoi(receiver_name(receiver));
            if (rand() % 5 == 0) {
                receivers_put_back(&receivers, receiver, waiting);
                continue;
            }
            ck_assert_int_eq(waiting->delivery, next_out[got]++);
            ck_assert_uint_le(++under_way[got], AT_ONCE);
            of[got] = receiver;
            waiting_free(waiting);
        }
    }
    for (int i = 0; i < NAMES; i++)
        if (!receivers_can_take(&receivers) && under_way[i] < AT_ONCE)
            ck_assert_int_eq(next_in[i], next_out[i]); /* nobody is forgotten */
}
END_TEST

START_TEST(small)
{
    ck_assert_uint_le(sizeof(struct waiting), 48); /* 64 with what malloc() adds */
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("receivers");
    TCase *tests = tcase_create("all");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, in_turn);
    tcase_add_test(tests, a_full_one_is_in_nobodys_way);
    tcase_add_test(tests, put_back_is_first_again);
    tcase_add_loop_test(tests, like_lists, 0, 5);
    tcase_add_test(tests, small);
    suite_add_tcase(suite, tests);
    return support_run(suite);
}
