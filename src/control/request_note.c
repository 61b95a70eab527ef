#include "control/request_note.h"

#include "base/hash.h"
#include "base/json_peek.h"
#include "control/lint.h"
#include "control/outcome_of.h"
#include "engine/magic.h"
#include "engine/tally.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* -- answers ----------------------------------------------------------------------------------- */

/* An answer that is a job tells by its state; one that refuses to cancel, by what it is. */
static bool shows_end(const struct outcome_index *outcomes, const struct tally_note *note,
                      const struct request_end *end)
{
    static const char ended[] = "400:job_not_cancellable";
    if (note->kind == TALLY_POLL && note->outcome >= 0)
        return outcome_index_ends(outcomes, (size_t)note->outcome);
    if (note->status < 300)
        return outcome_shows_end(end->body, end->len);
    return note->outcome >= 0 && note->kind == TALLY_CANCEL &&
           strcmp(outcome_index_outcome(outcomes, (size_t)note->outcome)->name, ended) == 0;
}

static bool says_new(const struct request_end *end)
{
    struct json_peek peek = json_peek_begin(end->body, end->body ? end->len : 0);
    for (struct json_part name, value; json_peek_next(&peek, &name, &value);)
        if (json_part_is(name, "is_new"))
            return json_part_is(value, "true");
    return false;
}

static void take_retry_after(void *arg, const char *name, size_t name_len, const char *value,
                             size_t value_len)
{
    static const char wanted[] = "Retry-After";
    enum { SECOND = 1000, DAY = 24 * 60 * 60 };
    char *end;
    (void)value_len; /* it is NUL-terminated */
    if (name_len != sizeof wanted - 1 || strncasecmp(name, wanted, name_len) != 0)
        return;
    long long seconds = strtoll(value, &end, 10);
    if (end != value && !*end && seconds > 0)
        *(int64_t *)arg = (seconds < DAY ? seconds : DAY) * SECOND;
}

/* -- creations --------------------------------------------------------------------------------- */

/* An address, and what it would be without what only means something here. */
struct address {
    char whole[EMAIL_SIZE], plain[EMAIL_SIZE];
};

/* As magic_is_member() takes it. */
static void note_email(struct registry *registry, const struct workspace *workspace,
                       const char *email, struct address *address, struct tally_note *note)
{
    struct plan plan;
    bool has_tag = false;
    if (!email || strlen(email) > EMAIL_MAX)
        return;
    email_fold(email, address->whole);
    memcpy(address->plain, address->whole, sizeof address->plain);
    plan_init(&plan);
    if (strchr(email, '+') && atomic_load(&workspace->magic))
        while (!registry_lists_member(registry, workspace, address->plain) &&
               magic_take_tag(address->plain, &plan))
            has_tag = true;
    note->email = address->plain;
    note->magic_email = has_tag ? address->whole : NULL;
}

static void note_body(struct registry *registry, struct request *request,
                      const struct workspace *workspace, struct address *address,
                      struct tally_note *note)
{
    const json_t *body = NULL;
    struct err err;
    size_t len;
    const char *bytes = request_body(request, &len);
    if (request_json(request, &body, &err) < 0 || !json_is_object(body)) {
        note->body = hash_bytes(bytes, len);
        return;
    }
    note->body = hash_json(body);
    note->request_id = json_string_value(json_object_get(body, "request_id"));
    if (note->request_id && !*note->request_id)
        note->request_id = NULL;
    if (workspace)
        note_email(registry, workspace, json_string_value(json_object_get(body, "user_email")),
                   address, note);
}

/* -- the whole --------------------------------------------------------------------------------- */

/* HEAD shows a client nothing. */
static enum tally_kind kind_of(const struct outcome_operation *operation, struct request *request)
{
    return operation && !request_is_head(request) ? operation->kind : TALLY_OTHER;
}

/* Those of time, which only a real clock makes sense of. */
static uint64_t of_time(void)
{
    uint64_t findings = 0;
    for (int i = 0; i < FINDINGS; i++)
        if (lint_kinds[i].real_clock_only)
            findings |= finding_bit((enum finding)i);
    return findings;
}

static bool has_real_clock(const struct workspace *workspace)
{
    return workspace && workspace_clock(workspace).mode == CLOCK_REAL;
}

uint64_t request_note(const struct control *control, struct request *request,
                      const struct request_end *end, struct workspace *workspace,
                      const struct outcome_operation *operation, struct tally *tally,
                      const struct journal_entry *entry)
{
    struct address address;
    struct tally_note note = {
        .kind = kind_of(operation, request),
        .outcome = entry->outcome,
        .operation = entry->operation_id,
        .status = end->status,
        .end = entry->end,
        .sent_at = entry->sent_at,
        .ended_at = entry->sent_at + entry->duration,
        .at = entry->at,
        .key = entry->key,
        .job = entry->job,
    };
    if (note.status == 429 || note.status == 503)
        request_each_answer_header(request, take_retry_after, &note.retry_after);
    if (note.kind != TALLY_OTHER)
        note.shows_end = shows_end(control->outcomes, &note, end);
    if (note.kind == TALLY_CREATE && note.end == JOURNAL_ANSWERED && request_is_left(request))
        note.end = JOURNAL_LEFT; /* nobody learns of the answer */
    if (note.kind == TALLY_CREATE) {
        note.is_new = says_new(end);
        note_body(engine_registry(control->engine), request, workspace, &address, &note);
    }
    uint64_t found = tally_note(tally, &note);
    if (found && !has_real_clock(workspace))
        found &= ~of_time();
    return found;
}
