/* A rule's `do`: what becomes of a job. */
#include "engine/rule_place.h"

#include "engine/generator.h"
#include "engine/plan.h"

#include <stdio.h>
#include <string.h>

enum { POLLS_MAX = 1000000 };

/* -- tables ------------------------------------------------------------------------------------ */

struct job_body {
    struct field_whole queued, processing;
    struct field_text end, hold_at;
    const json_t *error, *scenario, *polls;
};

struct error_body {
    struct field_text code, message;
};

struct scenario_body {
    struct field_text name, slug;
};

struct polls_body {
    struct field_whole queued, processing;
};

static bool check_polls(const json_t *value)
{
    return json_number_value(value) >= 0 && json_number_value(value) <= POLLS_MAX;
}

static bool check_code(const json_t *value)
{
    size_t len = json_string_length(value);
    return len > 0 && len < ERROR_CODE_SIZE;
}

static bool check_message(const json_t *value)
{
    size_t len = json_string_length(value);
    return len > 0 && len < ERROR_MESSAGE_SIZE;
}

static bool check_name(const json_t *value)
{
    size_t len = json_string_length(value);
    return len > 0 && len < SCENARIO_NAME_SIZE;
}

static bool check_slug(const json_t *value)
{
    const char *text = json_string_value(value);
    size_t len = json_string_length(value);
    return len > 0 && len < GENERATOR_SLUG_SIZE &&
           strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-") == len && *text != '-' &&
           text[len - 1] != '-';
}

#define A_DURATION           "a duration with its unit, as \"90s\""
#define POLLS                "a whole number of reads, from 0 to 1000000"
#define ERROR                "an object with code or message or both"
#define SCENARIO             "an object with name or slug or both"
#define TO(struct_, member_) .offset = offsetof(struct struct_, member_)

static const struct field job_fields[] = {
    {"queued", FIELD_DURATION, .what = A_DURATION, TO(job_body, queued)},
    {"processing", FIELD_DURATION, .what = A_DURATION, TO(job_body, processing)},
    {"end", FIELD_STRING, .what = "completed or failed", TO(job_body, end)},
    {"error", FIELD_OBJECT, .what = ERROR, TO(job_body, error)},
    {"scenario", FIELD_OBJECT, .what = SCENARIO, TO(job_body, scenario)},
    {"polls", FIELD_OBJECT, .what = "an object with queued or processing or both",
     TO(job_body, polls)},
    {"hold_at", FIELD_STRING, .what = "queued or processing", TO(job_body, hold_at)},
};
enum { JOB_FIELDS = sizeof job_fields / sizeof *job_fields };

static const struct field error_fields[] = {
    {"code", FIELD_STRING, .what = "a text of 1 to 63 bytes", .check = check_code,
     TO(error_body, code)},
    {"message", FIELD_STRING, .what = "a text of 1 to 511 bytes", .check = check_message,
     TO(error_body, message)},
};

static const struct field scenario_fields[] = {
    {"name", FIELD_STRING, .what = "a text of 1 to 199 bytes", .check = check_name,
     TO(scenario_body, name)},
    {"slug", FIELD_STRING,
     .what = "1 to 119 lower-case letters, digits and -, neither first nor last a -",
     .check = check_slug, TO(scenario_body, slug)},
};

static const struct field polls_fields[] = {
    {"queued", FIELD_WHOLE, .what = POLLS, .check = check_polls, TO(polls_body, queued)},
    {"processing", FIELD_WHOLE, .what = POLLS, .check = check_polls, TO(polls_body, processing)},
};

#define LENGTH(table_) (sizeof(table_) / sizeof *(table_))

/* -- complaining ------------------------------------------------------------------------------- */

void rule_path(const struct rule_place *place, const char *name, const char *after,
               char ret_path[RULE_PATH_SIZE])
{
    int len = snprintf(ret_path, RULE_PATH_SIZE, "%s%s%s", place->path, name, after);
    if (len >= RULE_PATH_SIZE) /* names are short: never */
        *ret_path = '\0';
}

int rule_read_within(const struct rule_place *place, const char *name, const json_t *object,
                     const struct field *table, size_t count, void *dest)
{
    char path[RULE_PATH_SIZE];
    rule_path(place, name, ".", path);
    return complain_read(place->complaint, path, object, table, count, dest);
}

int rule_choose(const struct rule_place *place, const char *field, const char *text,
                const char *what, const char *const *names)
{
    char path[RULE_PATH_SIZE];
    for (int i = 0; names[i]; i++)
        if (strcmp(names[i], text) == 0)
            return i;
    rule_path(place, field, "", path);
    complain_unknown(place->complaint, path, text, what, names);
    return -1;
}

int rule_refuse(const struct rule_place *place, const char *field, const char *why)
{
    return complain(place->complaint, "invalid_field", "%s%s %s", place->path, field, why);
}

static int take_error(const struct rule_place *place, const json_t *object, struct plan *plan)
{
    struct error_body body = {.code = {0}};
    int status =
        rule_read_within(place, "error", object, error_fields, LENGTH(error_fields), &body);
    if (status < 0)
        return status;
    if (!body.code.data && !body.message.data)
        return rule_refuse(place, "error", "must be " ERROR);
    if (body.code.data)
        snprintf(plan->error_code, sizeof plan->error_code, "%s", body.code.data);
    if (body.message.data)
        snprintf(plan->error_message, sizeof plan->error_message, "%s", body.message.data);
    return 0;
}

static int take_scenario(const struct rule_place *place, const json_t *object, struct plan *plan)
{
    struct scenario_body body = {.name = {0}};
    int status = rule_read_within(place, "scenario", object, scenario_fields,
                                  LENGTH(scenario_fields), &body);
    if (status < 0)
        return status;
    if (!body.name.data && !body.slug.data)
        return rule_refuse(place, "scenario", "must be " SCENARIO);
    if (body.name.data)
        snprintf(plan->scenario_name, sizeof plan->scenario_name, "%s", body.name.data);
    if (body.slug.data)
        snprintf(plan->scenario_slug, sizeof plan->scenario_slug, "%s", body.slug.data);
    return 0;
}

int rule_take_outcome(const struct rule_place *place, const json_t *error, const json_t *scenario,
                      bool may_fail, bool may_complete, struct plan *plan)
{
    int status = 0;
    if (error && !may_fail)
        return rule_refuse(place, "error", "goes with a job that fails");
    if (scenario && !may_complete)
        return rule_refuse(place, "scenario", "goes with a job that completes");
    if (error && scenario)
        return rule_refuse(place, "scenario", "and error exclude each other");
    if (error)
        status = take_error(place, error, plan);
    if (status == 0 && scenario)
        status = take_scenario(place, scenario, plan);
    return status;
}

/* -- job --------------------------------------------------------------------------------------- */

static int take_polls(const struct rule_place *place, const json_t *object, struct plan *plan)
{
    struct polls_body body = {.queued = {0}};
    int status =
        rule_read_within(place, "polls", object, polls_fields, LENGTH(polls_fields), &body);
    if (status < 0)
        return status;
    if (!body.queued.given && !body.processing.given)
        return rule_refuse(place, "polls", "must be an object with queued or processing or both");
    if (body.queued.given)
        plan->polls_queued = (int)body.queued.value;
    if (body.processing.given)
        plan->polls_processing = (int)body.processing.value;
    return 0;
}

static int take_hold(const struct rule_place *place, const char *state, struct plan *plan)
{
    static const char *const names[] = {"queued", "processing", NULL};
    int chosen = rule_choose(place, "hold_at", state, "queued or processing", names);
    if (chosen < 0)
        return ERR_INVALID;
    plan->hold_at = chosen == 0 ? JOB_QUEUED : JOB_PROCESSING;
    if ((chosen == 0 ? plan->polls_queued : plan->polls_processing) >= 0)
        return rule_refuse(place, "hold_at", "and polls of the same state exclude each other");
    return 0;
}

static int take_end(const struct rule_place *place, const char *end, struct plan *plan)
{
    static const char *const names[] = {"completed", "failed", NULL};
    int chosen = rule_choose(place, "end", end, "completed or failed", names);
    if (chosen < 0)
        return ERR_INVALID;
    plan->end = chosen == 0 ? PLAN_COMPLETED : PLAN_FAILED;
    return 0;
}

int rule_take_job(const struct rule_place *above, const json_t *object, struct plan *plan)
{
    struct job_body body = {.error = NULL};
    char path[RULE_PATH_SIZE];
    rule_path(above, "job", ".", path);
    struct rule_place place = {above->complaint, path};
    int status = complain_read(above->complaint, path, object, job_fields, JOB_FIELDS, &body);
    if (status < 0)
        return status;
    if (body.queued.given)
        plan->queued = body.queued.value;
    if (body.processing.given)
        plan->processing = body.processing.value;
    if (body.end.data)
        status = take_end(&place, body.end.data, plan);
    if (status == 0)
        status = rule_take_outcome(&place, body.error, body.scenario, plan->end != PLAN_COMPLETED,
                                   plan->end != PLAN_FAILED, plan);
    if (status == 0 && body.polls)
        status = take_polls(&place, body.polls, plan);
    if (status == 0 && body.hold_at.data)
        status = take_hold(&place, body.hold_at.data, plan);
    return status;
}
