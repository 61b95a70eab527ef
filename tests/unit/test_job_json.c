/* S18, S19, S20, S23: a job's exact text, in each of its states. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "engine/job_json.h"
#include "support.h"

#define CREATED 1709287200000 /* 2024-03-01T10:00:00Z, as in the documents */

static const struct {
    struct job job;
    enum job_newness newness;
    const char *text;
} cases[] = {
    {{.id = "0123456789ab",
      .status = JOB_QUEUED,
      .created_at = CREATED,
      .started_at = -1,
      .completed_at = -1},
     JOB_IS_NEW,
     "{\"id\":\"0123456789ab\",\"status\":\"queued\",\"scenario\":null,\"error\":null,"
     "\"created_at\":\"2024-03-01T10:00:00Z\",\"started_at\":null,\"completed_at\":null,"
     "\"duration_seconds\":null,\"is_new\":true}"},
    {{.id = "0123456789ab",
      .status = JOB_PROCESSING,
      .created_at = CREATED + 999,
      .started_at = CREATED + 5999,
      .completed_at = -1},
     JOB_IS_KNOWN,
     "{\"id\":\"0123456789ab\",\"status\":\"processing\",\"scenario\":null,\"error\":null,"
     "\"created_at\":\"2024-03-01T10:00:00Z\",\"started_at\":\"2024-03-01T10:00:05Z\","
     "\"completed_at\":null,\"duration_seconds\":null,\"is_new\":false}"},
    {{.id = "0123456789ab",
      .status = JOB_COMPLETED,
      .created_at = CREATED,
      .started_at = CREATED + 5000,
      .completed_at = CREATED + 150000,
      .base = "http://127.0.0.1:3000",
      .scenario_id = "ba9876543210",
      .scenario_slug = "a-b-2",
      .scenario_name = "A \"B\" \xe2\x82\xac"},
     JOB_PLAIN,
     "{\"id\":\"0123456789ab\",\"status\":\"completed\",\"scenario\":{\"id\":\"ba9876543210\","
     "\"slug\":\"a-b-2\",\"name\":\"A \\\"B\\\" \xe2\x82\xac\","
     "\"url\":\"http://127.0.0.1:3000/scenarios/a-b-2\"},\"error\":null,"
     "\"created_at\":\"2024-03-01T10:00:00Z\",\"started_at\":\"2024-03-01T10:00:05Z\","
     "\"completed_at\":\"2024-03-01T10:02:30Z\",\"duration_seconds\":145}"},
    {{.id = "0123456789ab",
      .status = JOB_FAILED,
      .created_at = CREATED,
      .started_at = CREATED,
      .completed_at = CREATED + 250,
      .error_code = "GENERATION_ERROR",
      .error_message = "It said \"no\"\n"},
     JOB_PLAIN,
     "{\"id\":\"0123456789ab\",\"status\":\"failed\",\"scenario\":null,"
     "\"error\":{\"code\":\"GENERATION_ERROR\",\"message\":\"It said \\\"no\\\"\\n\"},"
     "\"created_at\":\"2024-03-01T10:00:00Z\",\"started_at\":\"2024-03-01T10:00:00Z\","
     "\"completed_at\":\"2024-03-01T10:00:00Z\",\"duration_seconds\":0.25}"},
    /* Never started: it ended, and has no duration. */
    {{.id = "0123456789ab",
      .status = JOB_CANCELLED,
      .created_at = CREATED,
      .started_at = -1,
      .completed_at = CREATED + 10000},
     JOB_PLAIN,
     "{\"id\":\"0123456789ab\",\"status\":\"cancelled\",\"scenario\":null,\"error\":null,"
     "\"created_at\":\"2024-03-01T10:00:00Z\",\"started_at\":null,"
     "\"completed_at\":\"2024-03-01T10:00:10Z\",\"duration_seconds\":null}"},
};

START_TEST(exact_text)
{
    cleanup(buf_finish) struct buf out = BUF_INIT;
    job_put_json(&out, &cases[_i].job, cases[_i].newness);
    ck_assert_str_eq(out.data, cases[_i].text);
}
END_TEST

/* From the milliseconds, not from the truncated seconds beside them. */
static const struct {
    int64_t started, completed;
    const char *text;
} durations[] = {
    {0, 0, "0"},
    {0, 1, "0.001"},
    {999, 1000, "0.001"},
    {0, 100, "0.1"},
    {0, 250, "0.25"},
    {1, 1000, "0.999"},
    {0, 1000, "1"},
    {0, 2000, "2"},
    {500, 2001, "1.501"},
    {0, 10000, "10"},
    {5000, 150000, "145"},
    {0, 145010, "145.01"},
    {0, 273600000, "273600"},
    {0, 31536000001, "31536000.001"},
};

START_TEST(duration_forms)
{
    cleanup(buf_finish) struct buf out = BUF_INIT;
    struct job job = {.id = "0123456789ab",
                      .status = JOB_CANCELLED,
                      .started_at = durations[_i].started,
                      .completed_at = durations[_i].completed};
    char wanted[80];
    job_put_json(&out, &job, JOB_PLAIN);
    snprintf(wanted, sizeof wanted, "\"duration_seconds\":%s}", durations[_i].text);
    ck_assert_str_eq(strstr(out.data, "\"duration_seconds\""), wanted);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("job_json");
    TCase *texts = tcase_create("S18, S19, S20");
    tcase_add_loop_test(texts, exact_text, 0, (int)COUNT(cases));
    tcase_add_loop_test(texts, duration_forms, 0, (int)COUNT(durations));
    suite_add_tcase(suite, texts);
    return support_run(suite);
}
