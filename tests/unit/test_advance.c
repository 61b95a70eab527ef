/*
 * Advances that wait for the attempts at callbacks that they begin, and jumps that do not pass one
 * (C1, C9, C10). The test is the receiver.
 */
#include <check.h>

#include "base/time.h"
#include "engine/admin.h"
#include "engine/jobs.h"
#include "engine/jump.h"
#include "receiving.h"
#include "support.h"

/* It stands at an attempt's instant, having begun all that is due then, until it has ended. */
START_TEST(no_instant_is_passed)
{
    enum { TOGETHER = 20 };
    struct delivery attempts[TOGETHER];
    set_mode(CLOCK_MANUAL, BASE);
    set_retries("[\"10s\"]");
    for (int i = 0; i < TOGETHER; i++)
        create(20 * SECOND);
    struct job later = create(35 * SECOND);
    prepare(ADVANCE_BY, HOUR);
    start();
    for (int i = 0; i < TOGETHER; i++)
        attempts[i] = take(); /* all, before one has ended */
    let_wait();
    ck_assert_int_eq(workspace_now(workspace), BASE + 20 * SECOND);
    for (int i = 0; i < TOGETHER; i++) {
        ck_assert_int_eq(status_of(&later), JOB_PROCESSING);
        ck_assert(!has_begun());
        answer(&attempts[i], i % 2 ? ATTEMPT_FAILED : ATTEMPT_DELIVERED, -1);
    }
    for (int i = 1; i < TOGETHER; i += 2) {
        struct delivery second = take();
        ck_assert_int_eq(second.seq, attempts[i].seq); /* in the order in which they were made */
        ck_assert_int_eq(second.due_at, BASE + 30 * SECOND);
        attempts[i] = second;
    }
    let_wait();
    ck_assert_int_eq(workspace_now(workspace), BASE + 30 * SECOND);
    for (int i = 1; i < TOGETHER; i += 2)
        answer(&attempts[i], ATTEMPT_DELIVERED, -1);
    struct delivery last = take();
    ck_assert_str_eq(last.job_id, later.id);
    ck_assert_int_eq(last.due_at, BASE + 35 * SECOND);
    answer(&last, ATTEMPT_DELIVERED, -1);
    ck_assert_int_eq(finish(), ADVANCE_DONE);
    ck_assert_int_eq(advance.now, BASE + HOUR);
    ck_assert_uint_eq(advance.fired_count, TOGETHER + TOGETHER + TOGETHER / 2 + 2);
    ck_assert(!advance.has_next);
}
END_TEST

/* What a request brings about while it waits is due at that instant, and not later. */
START_TEST(what_comes_meanwhile)
{
    set_mode(CLOCK_MANUAL, BASE);
    create(20 * SECOND);
    struct job other = create(HOUR);
    prepare(ADVANCE_BY, MINUTE);
    start();
    struct delivery first = take();
    let_wait();
    struct job_cancel cancel = {.id = other.id};
    operation_init(&cancel.operation, engine, workspace, job_cancel_run);
    ck_assert_int_eq(operate(&cancel.operation), 0);
    struct delivery second = take(); /* though the first has not ended */
    ck_assert_str_eq(second.job_id, other.id);
    ck_assert_int_eq(second.due_at, BASE + 20 * SECOND);
    answer(&first, ATTEMPT_DELIVERED, -1);
    let_wait();
    ck_assert_int_eq(workspace_now(workspace), BASE + 20 * SECOND);
    answer(&second, ATTEMPT_DELIVERED, -1);
    ck_assert_int_eq(finish(), ADVANCE_DONE);
}
END_TEST

/* Also what began before it. */
START_TEST(what_was_under_way)
{
    set_mode(CLOCK_MANUAL, BASE);
    set_retries("[\"1m\"]");
    create(0);
    struct delivery delivery = take();
    prepare(ADVANCE_BY, MINUTE);
    start();
    let_wait();
    ck_assert_int_eq(workspace_now(workspace), BASE);
    answer(&delivery, ATTEMPT_FAILED, -1);
    delivery = take();
    let_wait();
    ck_assert_int_eq(workspace_now(workspace), BASE + MINUTE);
    answer(&delivery, ATTEMPT_FAILED, -1);
    ck_assert_int_eq(finish(), ADVANCE_DONE);
}
END_TEST

/* Where it stops at an event, the attempts of that instant are waited for, too. */
START_TEST(where_it_stops)
{
    set_mode(CLOCK_MANUAL, BASE);
    struct job job = create(20 * SECOND);
    create(20 * SECOND);
    if (_i == 0) {
        prepare(ADVANCE_COUNT, 1);
    } else {
        prepare(ADVANCE_JOB, 0);
        advance.job = job.id;
        advance.goal = ADVANCE_TERMINAL;
    }
    start();
    struct delivery first = take(), second = take();
    answer(&second, ATTEMPT_DELIVERED, -1);
    let_wait();
    answer(&first, ATTEMPT_DELIVERED, -1);
    ck_assert_int_eq(finish(), ADVANCE_DONE);
    ck_assert_uint_eq(advance.fired_count, 4);
    ck_assert_int_eq(advance.now, BASE + 20 * SECOND);
}
END_TEST

START_TEST(who_detaches_goes_on)
{
    set_mode(CLOCK_MANUAL, BASE);
    create(20 * SECOND);
    prepare(ADVANCE_BY, MINUTE);
    if (_i == 0) {
        advance.detaches = true;
    } else {
        advance.changes_mode = true; /* as every change of the clock does */
        advance.mode = CLOCK_MANUAL;
    }
    start();
    ck_assert_int_eq(finish(), ADVANCE_DONE);
    ck_assert_int_eq(advance.now, BASE + MINUTE);
    ck_assert_uint_eq(advance.fired_count, 2);
    struct delivery delivery = take();
    ck_assert_int_eq(answer(&delivery, ATTEMPT_DELIVERED, -1).ended_at, BASE + MINUTE);
}
END_TEST

/* While it waits a clock that runs goes on, and so does what falls due by that. */
START_TEST(a_clock_that_runs)
{
    create(20 * SECOND);
    struct job other = create(20 * SECOND + 200);
    prepare(ADVANCE_BY, 20 * SECOND);
    start();
    struct delivery delivery = take(), second = take(); /* the other's, 200 ms later */
    ck_assert_int_eq(status_of(&other), JOB_COMPLETED);
    let_wait();
    answer(&second, ATTEMPT_DELIVERED, -1);
    answer(&delivery, ATTEMPT_DELIVERED, -1);
    ck_assert_int_eq(finish(), ADVANCE_DONE);
}
END_TEST

START_TEST(its_time_runs_out)
{
    set_mode(CLOCK_MANUAL, BASE);
    create(20 * SECOND);
    prepare(ADVANCE_BY, HOUR);
    advance.timeout = 100;
    start();
    struct delivery delivery = take();
    ck_assert_int_eq(finish(), ADVANCE_TIMEOUT);
    ck_assert_int_eq(advance.now, BASE + 20 * SECOND);
    answer(&delivery, ATTEMPT_DELIVERED, -1);
}
END_TEST

/* What ends it while it waits: a reset that asks for the clock, before or meanwhile; the
 * workspace's deletion; the server's stop. */
START_TEST(ended_while_it_waits)
{
    struct workspace_delete deletion;
    struct wait deleted = WAIT;
    set_mode(CLOCK_MANUAL, BASE);
    create(20 * SECOND);
    prepare(ADVANCE_BY, HOUR);
    if (_i == 0)
        clock_ask_back(workspace);
    start();
    if (_i > 0)
        let_wait();
    if (_i == 1)
        clock_ask_back(workspace);
    workspace_delete_init(&deletion, engine, workspace);
    if (_i == 2)
        operation_submit(&deletion.operation, wake, &deleted);
    if (_i == 3)
        engine_end_waits(engine);
    finish();
    if (_i < 2)
        ck_assert_int_eq(advance.outcome, ADVANCE_RESET);
    if (_i == 2)
        await(&deleted);
    ck_assert_int_eq(advance.operation.status, _i < 2 ? 0 : _i == 2 ? ERR_GONE : ERR_STOPPING);
    ck_assert_int_eq(workspace_now(workspace), BASE + 20 * SECOND);
}
END_TEST

/* Its own waiting is use enough for the workspace's ttl. */
START_TEST(an_advance_is_use)
{
    set_mode(CLOCK_MANUAL, BASE);
    create(0);
    struct delivery delivery = take();
    prepare(ADVANCE_BY, HOUR);
    start();
    let_wait();
    atomic_store(&workspace->used_at, 0);
    ck_assert_int_gt(workspace_used_at(workspace), 0);
    answer(&delivery, ATTEMPT_DELIVERED, -1);
    finish();
    ck_assert_int_gt(workspace_used_at(workspace), 0);
}
END_TEST

/* -- an auto clock ----------------------------------------------------------------------------- */

static bool jump(const struct job *job)
{
    struct wait wait = WAIT;
    struct jump self;
    jump_begin(&self, engine, workspace, job, wake, &wait);
    await(&wait);
    ck_assert_int_eq(self.operation.status, 0);
    return self.moved;
}

/* A wait does not jump past an attempt; who polls does, as a receiver may from within. */
START_TEST(jumps_and_attempts)
{
    set_mode(CLOCK_AUTO, BASE);
    set_retries("[\"10s\"]");
    struct job job = create(-1);
    create(0);
    struct delivery delivery = take();
    ck_assert(!jump(NULL));
    ck_assert_int_eq(workspace_now(workspace), BASE);
    answer(&delivery, ATTEMPT_FAILED, -1);
    ck_assert(jump(NULL)); /* to the other's start and the retry, both due then */
    ck_assert_int_eq(workspace_now(workspace), BASE + 10 * SECOND);
    delivery = take();
    ck_assert(!jump(NULL));
    job.status = status_of(&job);
    ck_assert(jump(&job));
    ck_assert_int_eq(status_of(&job), JOB_COMPLETED);
    delivery = answer(&delivery, ATTEMPT_DELIVERED, -1);
    ck_assert_int_eq(delivery.status, DELIVERY_DELIVERED);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("advance");
    TCase *running = tcase_create("C1, C9, C10");
    tcase_set_timeout(running, 60);
    tcase_add_checked_fixture(running, receiving_begin, receiving_end);
    tcase_add_test(running, no_instant_is_passed);
    tcase_add_test(running, what_comes_meanwhile);
    tcase_add_test(running, what_was_under_way);
    tcase_add_loop_test(running, where_it_stops, 0, 2);
    tcase_add_loop_test(running, who_detaches_goes_on, 0, 2);
    tcase_add_test(running, a_clock_that_runs);
    tcase_add_test(running, its_time_runs_out);
    tcase_add_loop_test(running, ended_while_it_waits, 0, 4);
    tcase_add_test(running, an_advance_is_use);
    tcase_add_test(running, jumps_and_attempts);
    suite_add_tcase(suite, running);
    return support_run(suite);
}
