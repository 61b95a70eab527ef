/*
 * Each answer of both APIs is looked at, so an operation is found by the address of its name, its
 * answers by their numbers, and of an answer no more is read than tells it from the others: of a
 * job, up to its state.
 */
#include "control/outcome_of.h"

#include "base/json_peek.h"
#include "engine/job_state.h"
#include "engine/rule.h"

#include <stdlib.h>
#include <string.h>

enum {
    NAME_SIZE = 96,
    /* So much of two messages must be the same where nothing else tells what they are about; their
       rest may be a value of the request. */
    SAME_MIN = 8,
    PLACES = 64, /* more than twice the operations there are */
};

/* What answers of one status differ in. */
struct features {
    bool is_list, is_empty;
    struct json_part is_new, state;       /* of a job */
    struct json_part type, code, message; /* of an error */
};

struct row {
    const struct outcome *outcome;
    const char *operation;
    char name[NAME_SIZE];
    char *sample; /* its body, which the features point into */
    struct features features;
    int next; /* the number of its operation's next row of the same status; -1 */
};

enum { STATUSES = 32 }; /* more than any operation answers with */

/* What an operation may answer with one status. */
struct answers {
    int status, first; /* of the rows that are strung together */
    bool several;
    bool are_jobs;            /* each of them, and then: */
    int states[JOB_STATUSES]; /* the row of each state; -1: none, or several */
};

struct place {
    struct outcome_operation operation; /* whose id NULL is none */
    size_t count;
    struct answers answers[STATUSES];
};

struct outcome_index {
    struct place places[PLACES];   /* by the addresses of their names */
    bool ends[TALLY_OUTCOMES_MAX]; /* by numbers: whether it is a job that has ended */
    size_t count;
    struct row rows[];
};

/* -- features ---------------------------------------------------------------------------------- */

static void take_error(struct json_part value, struct features *features)
{
    struct json_peek peek = json_peek_begin(value.text, value.len);
    struct json_part name, part;
    features->message = json_part_text(value);
    while (json_peek_next(&peek, &name, &part)) {
        if (json_part_is(name, "type"))
            features->type = json_part_text(part);
        else if (json_part_is(name, "code"))
            features->code = json_part_text(part);
        else if (json_part_is(name, "message"))
            features->message = json_part_text(part);
    }
}

static bool is_list(const char *body, size_t len, bool *ret_empty)
{
    if (!len || *body != '[')
        return false;
    size_t at = 1;
    while (at < len && strchr(" \t\r\n", body[at]))
        at++;
    *ret_empty = at < len && body[at] == ']';
    return true;
}

static struct features features_of(const char *body, size_t len)
{
    struct features features = {.is_list = is_list(body, len, &features.is_empty)};
    struct json_peek peek = json_peek_begin(body, len);
    struct json_part name, value;
    while (json_peek_next(&peek, &name, &value)) {
        if (json_part_is(name, "is_new"))
            features.is_new = value;
        else if (json_part_is(name, "status"))
            features.state = json_part_text(value); /* a problem's is a number */
        else if (json_part_is(name, "error"))
            take_error(value, &features);
        else if (json_part_is(name, "type"))
            features.type = json_part_text(value);
        else if (json_part_is(name, "detail"))
            features.message = json_part_text(value);
    }
    return features;
}

static bool same(struct json_part a, struct json_part b)
{
    if (!a.text || !b.text)
        return !a.text && !b.text;
    return a.len == b.len && memcmp(a.text, b.text, a.len) == 0;
}

static int same_beginning(struct json_part a, struct json_part b)
{
    size_t len = 0;
    while (len < a.len && len < b.len && a.text[len] == b.text[len])
        len++;
    return (int)len;
}

/* -1: none of a job. */
static int read_state(struct json_part state)
{
    for (int status = 0; state.len && status < JOB_STATUSES; status++) {
        const char *name = job_status_name((enum job_status)status);
        if (*name == *state.text && json_part_is(state, name))
            return status;
    }
    return -1;
}

static bool is_end(struct json_part state)
{
    int status = read_state(state);
    return status >= 0 && job_state_is_end((enum job_status)status);
}

/* How well an answer fits a sample; -1: not at all. */
static int likeness(const struct features *sample, const struct features *answer)
{
    if (sample->is_list != answer->is_list || sample->is_empty != answer->is_empty ||
        !same(sample->is_new, answer->is_new) || !same(sample->state, answer->state) ||
        !same(sample->type, answer->type) || !same(sample->code, answer->code))
        return -1;
    int beginning = same_beginning(sample->message, answer->message);
    bool told =
        sample->code.text || !sample->message.text || same(sample->message, answer->message);
    return told || beginning >= SAME_MIN ? beginning : -1;
}

/* -- the index --------------------------------------------------------------------------------- */

/* One row more; false: out of memory. */
static bool add_row(struct outcome_index *index, const struct api *api,
                    const struct outcome *outcome, const char *operation)
{
    struct row *row = &index->rows[index->count];
    struct outcome_reply reply;
    size_t len = strlen(operation), name = strlen(outcome->name), sample_len;
    if (len + name + 2 > sizeof row->name)
        return true;
    outcome_write(
        &(struct outcome_call){
            .api = api, .outcome = outcome, .operation = operation, .retry_after = -1},
        &reply);
    *row = (struct row){.outcome = outcome, .operation = operation};
    memcpy(row->name, operation, len);
    row->name[len] = ':';
    memcpy(row->name + len + 1, outcome->name, name + 1);
    row->sample = buf_take(&reply.body, &sample_len);
    outcome_reply_finish(&reply);
    index->count++;
    if (row->sample)
        row->features = features_of(row->sample, sample_len);
    if (index->count <= TALLY_OUTCOMES_MAX)
        index->ends[index->count - 1] = is_end(row->features.state);
    return row->sample != NULL;
}

/* Where the operation stands, or would. */
static struct place *place_of(const struct outcome_index *index, const char *id)
{
    size_t at = ((uintptr_t)id >> 2) * 31;
    for (at %= PLACES; index->places[at].operation.id && index->places[at].operation.id != id;)
        at = (at + 1) % PLACES;
    return (struct place *)&index->places[at];
}

/* NULL: there is no room. */
static struct answers *answers_of(struct place *place, int status)
{
    for (size_t i = 0; i < place->count; i++)
        if (place->answers[i].status == status)
            return &place->answers[i];
    if (place->count == STATUSES)
        return NULL;
    place->answers[place->count] = (struct answers){.status = status, .first = -1};
    return &place->answers[place->count++];
}

/* Looks whether the state of a job tells which of them it is. */
static void sort_by_state(const struct outcome_index *index, struct answers *answers)
{
    bool taken[JOB_STATUSES] = {false};
    for (int i = 0; i < JOB_STATUSES; i++)
        answers->states[i] = -1;
    answers->are_jobs = answers->several =
        answers->first >= 0 && index->rows[answers->first].next >= 0;
    for (int i = answers->first; i >= 0; i = index->rows[i].next) {
        int state = read_state(index->rows[i].features.state);
        answers->are_jobs = answers->are_jobs && state >= 0;
        if (state < 0)
            continue;
        answers->states[state] = taken[state] ? -1 : i;
        taken[state] = true;
    }
}

/* Strings the rows from number `from` on together, each status by itself. */
static void link_rows(struct outcome_index *index, struct place *place, size_t from)
{
    for (size_t i = index->count; i-- > from;) {
        struct row *row = &index->rows[i];
        struct answers *answers = answers_of(place, row->outcome->status);
        row->next = answers ? answers->first : -1;
        if (answers)
            answers->first = (int)i;
    }
    for (size_t i = 0; i < place->count; i++)
        sort_by_state(index, &place->answers[i]);
}

static enum tally_kind kind_of(const char *id)
{
    static const struct {
        const char *id;
        enum tally_kind kind;
    } kinds[] = {
        {"createScenarioStudioSession", TALLY_CREATE},
        {"createScenarioJob", TALLY_CREATE},
        {"getScenarioJob", TALLY_POLL},
        {"cancelScenarioJob", TALLY_CANCEL},
    };
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(kinds[i].id, id) == 0)
            return kinds[i].kind;
    return TALLY_OTHER;
}

/* An operation with its rows, put behind those that are there; false: out of memory. */
static bool add(struct outcome_index *index, const struct api *api, const char *id)
{
    struct place *place = place_of(index, id);
    size_t from = index->count;
    *place = (struct place){.operation = {.id = id, .rule = rule_operation(id), kind_of(id)}};
    for (size_t i = 0; i < api->outcome_count; i++)
        if (outcome_is_of(&api->outcomes[i], id) && !add_row(index, api, &api->outcomes[i], id))
            return false;
    link_rows(index, place, from);
    return true;
}

struct outcome_index *outcome_index_create(const struct api *const *apis, size_t count)
{
    size_t most = 0;
    for (size_t i = 0; i < count; i++)
        most += apis[i]->route_count * apis[i]->outcome_count;
    struct outcome_index *index = calloc(1, sizeof *index + most * sizeof *index->rows);
    for (size_t i = 0; index && i < count; i++) {
        for (size_t j = 0; j < apis[i]->route_count; j++) {
            if (!add(index, apis[i], apis[i]->routes[j].operation_id)) {
                outcome_index_destroy(index);
                return NULL;
            }
        }
    }
    return index;
}

void outcome_index_destroy(struct outcome_index *index)
{
    for (size_t i = 0; index && i < index->count; i++)
        free(index->rows[i].sample);
    free(index);
}

size_t outcome_index_count(const struct outcome_index *index)
{
    return index->count;
}

const char *outcome_index_name(const struct outcome_index *index, size_t number)
{
    return index->rows[number].name;
}

const char *outcome_index_operation(const struct outcome_index *index, size_t number)
{
    return index->rows[number].operation;
}

const struct outcome *outcome_index_outcome(const struct outcome_index *index, size_t number)
{
    return index->rows[number].outcome;
}

bool outcome_index_ends(const struct outcome_index *index, size_t number)
{
    return number < TALLY_OUTCOMES_MAX && index->ends[number];
}

/* -- looking ----------------------------------------------------------------------------------- */

const struct outcome_operation *outcome_operation(const struct outcome_index *index, const char *id)
{
    const struct place *place = id ? place_of(index, id) : NULL;
    return place && place->operation.id ? &place->operation : NULL;
}

/* What stands before the state of a job with an id as ours are, as all jobs are written that come
 * from here; most answers are such. */
static const char *skip_to_state(const char *body, size_t len)
{
    static const char before[] = "{\"id\":\"", after[] = "\",\"status\":\"";
    enum { BEFORE = sizeof before - 1, AFTER = sizeof after - 1 };
    enum { ALL = BEFORE + ID_HEX_SIZE - 1 + AFTER };
    bool fits = len > ALL && memcmp(body, before, BEFORE) == 0 &&
                memcmp(body + ALL - AFTER, after, AFTER) == 0 &&
                !memchr(body + BEFORE, '"', ID_HEX_SIZE - 1);
    return fits ? body + ALL : NULL;
}

static struct json_part state_of(const char *body, size_t len)
{
    const char *state = body ? skip_to_state(body, len) : NULL;
    const char *end = state ? memchr(state, '"', len - (size_t)(state - body)) : NULL;
    if (end)
        return (struct json_part){state, (size_t)(end - state)};
    struct json_peek peek = json_peek_begin(body, body ? len : 0);
    struct json_part name, value;
    while (json_peek_next(&peek, &name, &value))
        if (json_part_is(name, "status"))
            return json_part_text(value);
    return (struct json_part){0};
}

bool outcome_shows_end(const char *body, size_t len)
{
    return is_end(state_of(body, len));
}

static int by_likeness(const struct outcome_index *index, int first, const char *body, size_t len)
{
    struct features answer = features_of(body, body ? len : 0);
    int found = -1, best = -1;
    for (int i = first; i >= 0; i = index->rows[i].next) {
        int like = likeness(&index->rows[i].features, &answer);
        if (like > best) {
            best = like;
            found = i;
        }
    }
    return found;
}

static const struct answers *find_answers(const struct place *place, int status)
{
    for (size_t i = 0; place && status && i < place->count; i++)
        if (place->answers[i].status == status)
            return &place->answers[i];
    return NULL;
}

int outcome_of(const struct outcome_index *index, const struct outcome_operation *operation,
               int status, const char *body, size_t len)
{
    const struct answers *answers = find_answers((const struct place *)operation, status);
    if (!answers || !answers->several)
        return answers ? answers->first : -1;
    int state = answers->are_jobs ? read_state(state_of(body, len)) : -1;
    int found = state < 0 ? -1 : answers->states[state];
    return found < 0 ? by_likeness(index, answers->first, body, len) : found;
}
