#include "control/outcome_of.h"

#include "base/json_peek.h"
#include "engine/journal.h"

#include <stdlib.h>
#include <string.h>

enum {
    NAME_SIZE = 96,
    /* So much of two messages must be the same where nothing else tells what they are about; their
       rest may be a value of the request. */
    SAME_MIN = 8,
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
};

struct outcome_index {
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
    return a.len == b.len && (!a.text) == (!b.text) && (!a.len || !memcmp(a.text, b.text, a.len));
}

static int same_beginning(struct json_part a, struct json_part b)
{
    size_t len = 0;
    while (len < a.len && len < b.len && a.text[len] == b.text[len])
        len++;
    return (int)len;
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

/* The rows of one operation, put behind those that are there; false: out of memory. */
static bool add(struct outcome_index *index, const struct api *api, const char *operation)
{
    for (size_t i = 0; i < api->outcome_count; i++) {
        const struct outcome *outcome = &api->outcomes[i];
        struct row *row = &index->rows[index->count];
        struct outcome_reply reply;
        if (!outcome_is_of(outcome, operation))
            continue;
        size_t len = strlen(operation), name = strlen(outcome->name), sample_len;
        if (len + name + 2 > sizeof row->name)
            continue;
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
        if (!row->sample)
            return false;
        row->features = features_of(row->sample, sample_len);
    }
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

/* -- looking ----------------------------------------------------------------------------------- */

/* The row's number among those of this operation and status, of which there are *ret_count; -1. */
static int first_of(const struct outcome_index *index, const char *operation, int status,
                    size_t *ret_count)
{
    int first = -1;
    *ret_count = 0;
    for (size_t i = 0; i < index->count; i++) {
        const struct row *row = &index->rows[i];
        if (row->outcome->status != status || strcmp(row->operation, operation) != 0)
            continue;
        first = first < 0 ? (int)i : first;
        ++*ret_count;
    }
    return first;
}

int outcome_of(const struct outcome_index *index, const char *operation, int status,
               const char *body, size_t len)
{
    size_t count = 0;
    int first = operation && status ? first_of(index, operation, status, &count) : -1;
    if (count < 2)
        return first;
    struct features answer = features_of(body, body ? len : 0);
    int found = -1, best = -1;
    for (size_t i = (size_t)first; i < index->count; i++) {
        const struct row *row = &index->rows[i];
        if (row->outcome->status != status || strcmp(row->operation, operation) != 0)
            continue;
        int like = likeness(&row->features, &answer);
        if (like > best) {
            best = like;
            found = (int)i;
        }
    }
    return found;
}

int outcome_of_entry(const struct outcome_index *index, const struct journal_entry *entry)
{
    return outcome_of(index, entry->operation_id, entry->status, entry->answer.data,
                      entry->answer.len);
}
