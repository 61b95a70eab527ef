/*
 * How deliveries go on after their attempts, on the workspace's clock: C10, S25. The test is the
 * receiver.
 */
#include <check.h>
#include <stdio.h>

#include "base/time.h"
#include "engine/draw.h"
#include "receiving.h"
#include "support.h"

enum { NOW = 100 * MINUTE, DUE = 7 * MINUTE };

/* -- how one goes on --------------------------------------------------------------------------- */

static const struct {
    enum delivery_status before;
    bool by_hand;
    enum attempt_outcome outcome;
    int64_t wait, retry_after;
    enum delivery_status after;
    int64_t due; /* -1: it has ended, or ended before */
} steps[] = {
    {DELIVERY_PENDING, false, ATTEMPT_DELIVERED, 5, -1, DELIVERY_DELIVERED, -1},
    {DELIVERY_PENDING, false, ATTEMPT_FAILED, -1, -1, DELIVERY_EXHAUSTED, -1},
    {DELIVERY_PENDING, false, ATTEMPT_FAILED, -1, 5000, DELIVERY_EXHAUSTED, -1},
    {DELIVERY_PENDING, false, ATTEMPT_GONE, 5, -1, DELIVERY_GONE, -1},
    {DELIVERY_PENDING, false, ATTEMPT_BLOCKED, 5, -1, DELIVERY_BLOCKED, -1},
    {DELIVERY_PENDING, false, ATTEMPT_FAILED, 5, -1, DELIVERY_RETRYING, NOW + 5},
    {DELIVERY_PENDING, false, ATTEMPT_FAILED, 0, -1, DELIVERY_RETRYING, NOW},
    {DELIVERY_RETRYING, false, ATTEMPT_FAILED, 5, 4, DELIVERY_RETRYING, NOW + 5},
    {DELIVERY_RETRYING, false, ATTEMPT_FAILED, 5, 7000, DELIVERY_RETRYING, NOW + 7000},
    {DELIVERY_RETRYING, false, ATTEMPT_FAILED, 5, HOUR, DELIVERY_RETRYING, NOW + HOUR},
    {DELIVERY_RETRYING, false, ATTEMPT_FAILED, 5, HOUR + 1, DELIVERY_RETRYING, NOW + HOUR},
    {DELIVERY_RETRYING, false, ATTEMPT_FAILED, 2 * HOUR, INT64_MAX, DELIVERY_RETRYING,
     NOW + 2 * HOUR},
    {DELIVERY_RETRYING, false, ATTEMPT_FAILED, INT64_MAX, -1, DELIVERY_RETRYING, TIME_MAX},
    {DELIVERY_RETRYING, false, ATTEMPT_DELIVERED, -1, 5000, DELIVERY_DELIVERED, -1},
    {DELIVERY_RETRYING, false, ATTEMPT_FAILED, -1, -1, DELIVERY_EXHAUSTED, -1},
    {DELIVERY_PENDING, true, ATTEMPT_DELIVERED, -1, -1, DELIVERY_DELIVERED, -1},
    {DELIVERY_RETRYING, true, ATTEMPT_DELIVERED, -1, -1, DELIVERY_DELIVERED, -1},
    {DELIVERY_EXHAUSTED, true, ATTEMPT_DELIVERED, -1, -1, DELIVERY_DELIVERED, -1},
    {DELIVERY_DROPPED, true, ATTEMPT_DELIVERED, -1, -1, DELIVERY_DELIVERED, -1},
    {DELIVERY_PENDING, true, ATTEMPT_FAILED, -1, 5000, DELIVERY_PENDING, DUE},
    {DELIVERY_RETRYING, true, ATTEMPT_FAILED, 5, 5000, DELIVERY_RETRYING, DUE},
    {DELIVERY_RETRYING, true, ATTEMPT_GONE, -1, -1, DELIVERY_RETRYING, DUE},
    {DELIVERY_RETRYING, true, ATTEMPT_BLOCKED, -1, -1, DELIVERY_RETRYING, DUE},
    {DELIVERY_EXHAUSTED, true, ATTEMPT_FAILED, 5, -1, DELIVERY_EXHAUSTED, -1},
    {DELIVERY_DELIVERED, true, ATTEMPT_FAILED, 5, -1, DELIVERY_DELIVERED, -1},
    {DELIVERY_BLOCKED, true, ATTEMPT_BLOCKED, 5, -1, DELIVERY_BLOCKED, -1},
};

START_TEST(a_delivery_goes_on)
{
    bool had_ended = delivery_has_ended(steps[_i].before);
    struct delivery delivery = {.status = steps[_i].before,
                                .by_hand = steps[_i].by_hand,
                                .sending = 9,
                                .attempts = 3,
                                .tries = 2,
                                .due_at = had_ended ? -1 : DUE,
                                .ended_at = had_ended ? DUE : -1};
    delivery_go_on(&delivery, steps[_i].outcome, steps[_i].wait, steps[_i].retry_after, NOW);
    ck_assert_int_eq(delivery.status, steps[_i].after);
    ck_assert_int_eq(delivery.due_at, steps[_i].due);
    ck_assert_int_eq(delivery.sending, 0);
    ck_assert(!delivery.by_hand);
    ck_assert_int_eq(delivery.attempts, 4);
    ck_assert_int_eq(delivery.tries, steps[_i].by_hand ? 2 : 3);
    bool ends = delivery_has_ended(delivery.status);
    bool changes = delivery.status != steps[_i].before;
    ck_assert_int_eq(delivery.ended_at, !ends ? -1 : changes ? NOW : DUE);
}
END_TEST

/* With a seed the same for the same, and spread over all of what may be; nothing is counted. */
START_TEST(shares_of_a_thing)
{
    struct workspace one = {.row.seed = "\"one\""}, two = {.row.seed = "\"two\""}, none = {0};
    double low = 0, high = 0;
    for (int64_t i = 1; i <= 1000; i++) {
        double share = draw_share_for(&one, "0123456789ab", i);
        ck_assert(share >= -1 && share <= 1);
        ck_assert(share == draw_share_for(&one, "0123456789ab", i));
        ck_assert(share != draw_share_for(&one, "0123456789ac", i));
        ck_assert(share != draw_share_for(&two, "0123456789ab", i));
        ck_assert(share != draw_share_for(&none, "0123456789ab", i));
        low = share < low ? share : low;
        high = share > high ? share : high;
    }
    ck_assert(low < -0.98 && high > 0.98);
}
END_TEST

/* -- retries ----------------------------------------------------------------------------------- */

/* What a schedule waits after each try, until it is exhausted; it is on the way then. */
static size_t play(int64_t *waits, size_t size)
{
    size_t count = 0;
    create(1000);
    prepare(ADVANCE_SETTLED, 0);
    start();
    for (;;) {
        struct delivery delivery = take();
        let_wait();
        int64_t now = workspace_now(workspace);
        ck_assert_int_eq(delivery.due_at, now); /* not earlier, not later */
        delivery = answer(&delivery, ATTEMPT_FAILED, -1);
        if (delivery.status == DELIVERY_EXHAUSTED)
            break;
        ck_assert_int_eq(delivery.status, DELIVERY_RETRYING);
        ck_assert_uint_lt(count, size);
        waits[count++] = delivery.due_at - now;
    }
    ck_assert_int_eq(finish(), ADVANCE_DONE);
    return count;
}

START_TEST(no_schedule)
{
    int64_t waits[1];
    set_mode(CLOCK_MANUAL, BASE);
    ck_assert_uint_eq(play(waits, 1), 0);
    set_retries("[]");
    ck_assert_uint_eq(play(waits, 1), 0);
}
END_TEST

START_TEST(a_schedule_of_its_own)
{
    const int64_t expected[] = {SECOND, 0, 250, 90 * MINUTE};
    int64_t waits[COUNT(expected) + 1];
    set_mode(CLOCK_MANUAL, BASE);
    set_retries("[\"1s\",\"0s\",\"250ms\",\"90m\"]");
    ck_assert_uint_eq(play(waits, COUNT(waits)), COUNT(expected));
    for (size_t i = 0; i < COUNT(expected); i++)
        ck_assert_int_eq(waits[i], expected[i]);
}
END_TEST

/* Varied by the seed alone, whatever else is drawn; differently for another delivery. */
START_TEST(the_standard_schedule)
{
    const int64_t expected[] = {5 * SECOND, 5 * MINUTE, 30 * MINUTE, 2 * HOUR,
                                5 * HOUR,   10 * HOUR,  10 * HOUR};
    int64_t waits[2][COUNT(expected) + 1];
    set_mode(CLOCK_MANUAL, BASE);
    set_retries("\"standard\"");
    snprintf(workspace->row.seed, sizeof workspace->row.seed, "\"s\"");
    for (int i = 0; i < 2; i++)
        ck_assert_uint_eq(play(waits[i], COUNT(waits[i])), COUNT(expected));
    for (size_t i = 0; i < COUNT(expected); i++) {
        ck_assert_int_ge(waits[0][i], expected[i] * 9 / 10);
        ck_assert_int_le(waits[0][i], expected[i] * 11 / 10);
        ck_assert_int_ne(waits[0][i], waits[1][i]);
    }
}
END_TEST

START_TEST(a_receiver_that_asks_for_patience)
{
    set_mode(CLOCK_MANUAL, BASE);
    set_retries("[\"10s\",\"10s\",\"2h\",\"10s\"]");
    create(0);
    prepare(ADVANCE_SETTLED, 0);
    start();
    const struct {
        int64_t asked, wait;
    } tries[] = {
        {7 * SECOND, 10 * SECOND}, {90 * SECOND, 90 * SECOND}, {HOUR, 2 * HOUR}, {5 * HOUR, HOUR}};
    for (size_t i = 0; i < COUNT(tries); i++) {
        struct delivery delivery = take();
        int64_t now = delivery.due_at;
        delivery = answer(&delivery, ATTEMPT_FAILED, tries[i].asked);
        ck_assert_int_eq(delivery.due_at - now, tries[i].wait);
        ck_assert_int_eq(delivery.tries, (int64_t)i + 1);
    }
    struct delivery delivery = take();
    ck_assert_int_eq(answer(&delivery, ATTEMPT_DELIVERED, -1).status, DELIVERY_DELIVERED);
    ck_assert_int_eq(finish(), ADVANCE_DONE);
}
END_TEST

/* What a clock that stands is not moved by; and a late result that nobody waits for. */
START_TEST(only_an_advance_brings_it)
{
    set_mode(CLOCK_MANUAL, BASE);
    set_retries("[\"10s\"]");
    create(0);
    struct delivery delivery =
        take(); /* due at once: it began in the transaction of the job's end */
    answer(&delivery, ATTEMPT_FAILED, -1);
    struct delivery none = answer(&delivery, ATTEMPT_DELIVERED, -1); /* it has ended already */
    ck_assert_int_eq(none.status, DELIVERY_RETRYING);
    ck_assert_int_eq(none.attempts, 1);
    prepare(ADVANCE_BY, 9999);
    start();
    ck_assert_int_eq(finish(), ADVANCE_DONE);
    ck_assert(!has_begun());
    ck_assert_str_eq(advance.next.delivery, delivery.id);
    ck_assert_int_eq(advance.next.attempt, 2);
    prepare(ADVANCE_BY, 1);
    start();
    delivery = take();
    ck_assert_int_eq(answer(&delivery, ATTEMPT_DELIVERED, -1).ended_at, BASE + 10 * SECOND);
    ck_assert_int_eq(finish(), ADVANCE_DONE);
    ck_assert_uint_eq(advance.fired_count, 1);
    ck_assert_str_eq(advance.fired[0].delivery, delivery.id);
    ck_assert_int_eq(advance.fired[0].attempt, 2);
}
END_TEST

/* -- by hand ----------------------------------------------------------------------------------- */

static struct delivery again(const char *id, bool release, enum delivery_again_outcome outcome)
{
    struct delivery_again self;
    delivery_again_init(&self, engine, workspace);
    self.id = id;
    self.release = release;
    ck_assert_int_eq(operate(&self.operation), 0);
    ck_assert_int_eq(self.outcome, outcome);
    return self.delivery;
}

START_TEST(an_attempt_by_hand_leaves_the_schedule)
{
    set_mode(CLOCK_MANUAL, BASE);
    set_retries("[\"10s\"]");
    create(0);
    struct delivery delivery = take();
    again(delivery.id, false, AGAIN_UNDER_WAY);
    delivery = answer(&delivery, ATTEMPT_FAILED, -1);
    again(delivery.id, false, AGAIN_DONE);
    struct delivery by_hand = take();
    ck_assert(by_hand.by_hand);
    prepare(ADVANCE_BY, 10 * SECOND); /* its turn comes while that is under way */
    start();
    let_wait();
    by_hand = answer(&by_hand, ATTEMPT_FAILED, HOUR);
    ck_assert_int_eq(by_hand.due_at, delivery.due_at);
    ck_assert_int_eq(by_hand.tries, 1);
    delivery = take();
    ck_assert(!delivery.by_hand);
    ck_assert_int_eq(answer(&delivery, ATTEMPT_FAILED, -1).status, DELIVERY_EXHAUSTED);
    ck_assert_int_eq(finish(), ADVANCE_DONE);
    again(delivery.id, false, AGAIN_DONE);
    delivery = take();
    ck_assert_int_eq(answer(&delivery, ATTEMPT_DELIVERED, -1).status, DELIVERY_DELIVERED);
}
END_TEST

static int hold(struct db *db, void *arg)
{
    struct delivery *delivery = arg;
    delivery->status = DELIVERY_HELD;
    delivery->due_at = -1;
    delivery->sending = 0;
    return delivery_update(db, delivery);
}

static int forget(struct db *db, void *arg)
{
    (void)arg;
    return delivery_forget_sending(db);
}

/* A release is a try of the schedule, and made again where the server ended in it. */
START_TEST(a_release_that_is_cut_off)
{
    set_mode(CLOCK_MANUAL, BASE);
    create(0);
    struct delivery delivery = take();
    again(delivery.id, true, AGAIN_NOT_HELD);
    ck_assert_int_eq(support_write(store, hold, &delivery), 0);
    again(delivery.id, true, AGAIN_DONE);
    delivery = take();
    ck_assert_int_eq(support_write(store, forget, NULL), 0);
    prepare(ADVANCE_BY, 1);
    start();
    struct delivery second = take();
    ck_assert_int_eq(second.seq, delivery.seq);
    ck_assert_int_eq(second.due_at, BASE);
    ck_assert_int_eq(answer(&second, ATTEMPT_FAILED, -1).tries, 1);
    ck_assert_int_eq(finish(), ADVANCE_DONE);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("retries");
    TCase *pure = tcase_create("pure");
    tcase_add_loop_test(pure, a_delivery_goes_on, 0, COUNT(steps));
    tcase_add_test(pure, shares_of_a_thing);
    suite_add_tcase(suite, pure);
    TCase *running = tcase_create("C10");
    tcase_set_timeout(running, 60);
    tcase_add_checked_fixture(running, receiving_begin, receiving_end);
    tcase_add_test(running, no_schedule);
    tcase_add_test(running, a_schedule_of_its_own);
    tcase_add_test(running, the_standard_schedule);
    tcase_add_test(running, a_receiver_that_asks_for_patience);
    tcase_add_test(running, only_an_advance_brings_it);
    tcase_add_test(running, an_attempt_by_hand_leaves_the_schedule);
    tcase_add_test(running, a_release_that_is_cut_off);
    suite_add_tcase(suite, running);
    return support_run(suite);
}
