/*
 * S22: the states of a job. The whole table, states by events, held against sentences of the
 * contract instead of another table.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "engine/job_state.h"
#include "support.h"

/* "queued → processing → completed or failed; queued or processing → cancelled." */
static const char *expected(const char *from, enum job_event event)
{
    bool queued = strcmp(from, "queued") == 0, processing = strcmp(from, "processing") == 0;
    if (queued && event == JOB_START)
        return "processing";
    if (processing && event == JOB_COMPLETE)
        return "completed";
    if (processing && event == JOB_FAIL)
        return "failed";
    if ((queued || processing) && event == JOB_CANCEL)
        return "cancelled";
    return NULL;
}

static const char *const names[] = {"queued", "processing", "completed", "failed", "cancelled"};

START_TEST(names_are_the_documents)
{
    ck_assert_uint_eq(COUNT(names), JOB_STATUSES);
    for (int i = 0; i < JOB_STATUSES; i++)
        ck_assert_str_eq(job_status_name((enum job_status)i), names[i]);
}
END_TEST

START_TEST(moves)
{
    enum job_status from = (enum job_status)(_i / JOB_EVENTS), untouched = (enum job_status)77;
    enum job_event event = (enum job_event)(_i % JOB_EVENTS);
    enum job_status to = untouched;
    const char *wanted = expected(job_status_name(from), event);
    ck_assert_int_eq(job_state_next(from, event, &to), wanted != NULL);
    if (wanted)
        ck_assert_str_eq(job_status_name(to), wanted);
    else
        ck_assert_int_eq(to, untouched);
}
END_TEST

/* "A terminal state never changes." */
START_TEST(ends)
{
    enum job_status status = (enum job_status)_i;
    bool may_move = false;
    for (int event = 0; event < JOB_EVENTS; event++)
        may_move |= expected(job_status_name(status), (enum job_event)event) != NULL;
    ck_assert_int_eq(job_state_is_end(status), !may_move);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("job_state");
    TCase *states = tcase_create("S22");
    tcase_add_test(states, names_are_the_documents);
    tcase_add_loop_test(states, moves, 0, (int)JOB_STATUSES * (int)JOB_EVENTS);
    tcase_add_loop_test(states, ends, 0, JOB_STATUSES);
    suite_add_tcase(suite, states);
    return support_run(suite);
}
