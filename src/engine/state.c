/* Putting a workspace back as a document says: PUT of a state, and reset (engine/state.h). */
#include "engine/state.h"
#include "engine/admin.h"

#include "base/json.h"
#include "base/time.h"
#include "engine/internal.h"
#include "engine/rates.h"
#include "engine/rules.h"
#include "engine/settings.h"
#include "engine/state_fields.h"
#include "engine/tally.h"
#include "store/inbox.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int refuse(struct state_fault *fault, const char *problem)
{
    snprintf(fault->problem, sizeof fault->problem, "%s", problem);
    return ERR_INVALID;
}

/* -- secrets that a document leaves out -------------------------------------------------------- */

struct filling {
    json_t *headers; /* of the document */
    const char *missing;
};

/* Fills values that are null with those of the job as it is. */
static int fill_headers(const struct job_input *input, void *arg)
{
    struct filling *filling = arg;
    const char *name;
    json_t *value, *known = input && input->callback_headers
                                ? json_read_text(input->callback_headers, 0)
                                : NULL;
    json_object_foreach(filling->headers, name, value)
    {
        json_t *kept = json_object_get(known, name);
        if (json_is_null(value) && kept)
            json_object_set(filling->headers, name, kept);
        else if (json_is_null(value))
            filling->missing = name;
    }
    json_decref(known);
    return 0;
}

/* The headers of a job as they are to be stored, where the document leaves values out; the caller's
 * to free. */
static int resolve(struct db *db, int64_t pk, const json_t *job, size_t index, char **ret_text,
                   struct state_fault *fault)
{
    const json_t *headers = json_object_get(job, "callback_headers");
    struct filling filling = {.missing = NULL};
    struct buf text = BUF_INIT;
    struct job known;
    size_t len;
    if (!state_lacks_secret(headers))
        return 0;
    filling.headers = json_copy((json_t *)headers);
    int status = job_by_id(db, pk, json_string_value(json_object_get(job, "id")), &known);
    if (status == 0)
        status = job_input(db, known.seq, fill_headers, &filling);
    else if (status == ERR_NOT_FOUND)
        status = fill_headers(NULL, &filling);
    if (status == 0 && filling.missing) {
        state_want_secret(fault, index, filling.missing);
        status = ERR_INVALID;
    }
    if (status == 0)
        json_put_value(&text, filling.headers);
    json_decref(filling.headers);
    if (status == 0 && !(*ret_text = buf_take(&text, &len)))
        status = ERR_NO_MEMORY;
    buf_finish(&text);
    return status;
}

/* Settings of a document, with secrets that it leaves out as they are now. */
static int put_settings(const struct settings_row *given, struct settings_row *io_settings,
                        struct state_fault *fault)
{
    struct settings_row settings = *given;
    size_t index = 0;
    int status = settings_keep_secrets(&settings, io_settings, &index);
    if (status == ERR_NOT_FOUND) {
        state_want_webhook_secret(fault, index);
        status = ERR_INVALID;
    }
    if (status == 0)
        *io_settings = settings;
    return status;
}

/* For each job of the document; NULL where it says all. */
struct secrets {
    char **headers;
    size_t count;
};

static void secrets_finish(struct secrets *secrets)
{
    for (size_t i = 0; i < secrets->count; i++)
        free(secrets->headers[i]);
    free(secrets->headers);
}

static int resolve_all(struct db *db, int64_t pk, const json_t *document, struct secrets *secrets,
                       struct state_fault *fault)
{
    const json_t *jobs = json_object_get(document, "jobs");
    int status = 0;
    *secrets = (struct secrets){.count = json_array_size(jobs)};
    secrets->headers = calloc(secrets->count + 1, sizeof *secrets->headers);
    if (!secrets->headers)
        return ERR_NO_MEMORY;
    for (size_t i = 0; status == 0 && i < secrets->count; i++)
        status = resolve(db, pk, json_array_get(jobs, i), i, &secrets->headers[i], fault);
    return status;
}

/* -- rows -------------------------------------------------------------------------------------- */

/* The base of urls with this workspace's prefix, in `text`. */
static void add_prefix(struct snapshot_value *base, const struct workspace_row *row,
                       char text[URL_BASE_SIZE + STATE_PREFIX_SIZE])
{
    char prefix[STATE_PREFIX_SIZE];
    state_url_prefix(row, prefix);
    int len = snprintf(text, URL_BASE_SIZE + STATE_PREFIX_SIZE, "%s%s", base->text, prefix);
    *base = (struct snapshot_value){.text = text, .len = (size_t)len};
}

static int insert_row(struct db *db, const struct workspace_row *workspace,
                      const struct state_list *list, struct state_row *row, const char *headers,
                      struct state_fault *fault)
{
    char base_text[URL_BASE_SIZE + STATE_PREFIX_SIZE];
    struct snapshot_value *values = row->values;
    int base = state_base_place(list->table);
    if (base >= 0)
        add_prefix(&values[base], workspace, base_text);
    if (headers)
        values[STATE_JOB_HEADERS] =
            (struct snapshot_value){.text = headers, .len = strlen(headers)};
    int status = snapshot_insert(db, list->table, workspace->pk, values);
    if (status == 0 && row->has_plan && list->table == SNAPSHOT_JOBS)
        status = snapshot_insert_plan(db, workspace->pk, values[STATE_JOB_ID].text, row->plan);
    if (status == ERR_EXISTS)
        return refuse(fault, "has a value that must be unique and is another one's too");
    if (status == ERR_NOT_FOUND)
        return refuse(fault, "names a job that is not in the document");
    return status;
}

static int insert_list(struct db *db, const struct workspace_row *workspace,
                       const struct state_list *list, const json_t *document,
                       const struct secrets *secrets, int64_t *io_event, struct state_fault *fault)
{
    const json_t *items = json_object_get(document, list->name);
    struct state_row row = {.marks = 0};
    int status = 0;
    for (size_t i = 0; status == 0 && i < json_array_size(items); i++) {
        if (!state_take_row(list, i, json_array_get(items, i), &row, fault)) {
            status = ERR_NO_MEMORY; /* it was right when it was checked */
            break;
        }
        bool is_job = list->table == SNAPSHOT_JOBS;
        status = insert_row(db, workspace, list, &row, is_job ? secrets->headers[i] : NULL, fault);
        if (is_job && row.values[STATE_JOB_NUMBER].number > *io_event)
            *io_event = row.values[STATE_JOB_NUMBER].number;
    }
    state_row_finish(&row);
    return status;
}

static int put_rows(struct db *db, const struct workspace_row *workspace, const json_t *document,
                    bool keeps_rules, int64_t *io_event, struct state_fault *fault)
{
    struct secrets secrets;
    int status = resolve_all(db, workspace->pk, document, &secrets, fault);
    for (size_t i = 0; status == 0 && i < SNAPSHOT_TABLES; i++)
        if (!(keeps_rules && i == SNAPSHOT_RULES))
            status = snapshot_clear(db, (enum snapshot_table)i, workspace->pk);
    if (status == 0)
        status = inbox_clear(db, workspace->pk);
    for (size_t i = 0; status == 0 && i < SNAPSHOT_TABLES; i++)
        if (!(keeps_rules && i == SNAPSHOT_RULES))
            status =
                insert_list(db, workspace, &state_lists[i], document, &secrets, io_event, fault);
    secrets_finish(&secrets);
    return status;
}

/* -- keys and members -------------------------------------------------------------------------- */

static int put_keys(struct db *db, int64_t pk, const struct state_document *document,
                    struct state_fault *fault)
{
    bool taken = false;
    int status = document->head.keys ? key_delete_all(db, pk) : 0;
    for (size_t i = 0; status == 0 && i < document->key_count; i++) {
        document->keys[i].workspace = pk;
        status = key_exists(db, document->keys[i].hash, &taken);
        if (status == 0 && !taken)
            status = key_insert(db, &document->keys[i]);
        if (taken || status == ERR_EXISTS) {
            /* Within the document they are different ones. */
            snprintf(fault->path, sizeof fault->path, "keys[%zu]", i);
            status = refuse(fault, "is a key of another workspace");
            fault->is_taken = true;
        }
    }
    return status;
}

static int note_member(const struct member_row *row, void *arg)
{
    json_t *since = arg;
    return json_object_set_new(since, row->email, json_integer(row->created_at));
}

/* Those that stay are members since when they were. */
static int keep_members(struct db *db, int64_t pk, const struct state_document *document)
{
    json_t *since = json_object();
    int status = since ? member_each_of(db, pk, note_member, since) : ERR_NO_MEMORY;
    for (size_t i = 0; status == 0 && i < document->member_count; i++) {
        struct member_row *member = &document->members[i];
        json_t *known = json_object_get(since, member->email);
        if (known)
            member->created_at = json_integer_value(known);
    }
    json_decref(since);
    return status;
}

static int put_members(struct db *db, int64_t pk, const struct state_document *document)
{
    int status = keep_members(db, pk, document);
    if (status == 0 && document->head.members)
        status = member_delete_all(db, pk);
    for (size_t i = 0; status == 0 && i < document->member_count; i++) {
        document->members[i].workspace = pk;
        status = member_insert(db, &document->members[i]);
        if (status == ERR_EXISTS) /* given twice */
            status = 0;
    }
    return status;
}

/* -- the whole --------------------------------------------------------------------------------- */

int state_put(struct db *db, struct workspace_row *io_row, struct state_document *document,
              int64_t *io_event, struct state_fault *ret_fault)
{
    const struct state_head *head = &document->head;
    struct workspace_row *row = io_row;
    *ret_fault = (struct state_fault){.path = ""};
    if (head->name)
        snprintf(row->name, sizeof row->name, "%s", head->name);
    if (head->active >= 0)
        row->active = head->active;
    if (head->ttl >= 0)
        row->ttl = head->ttl;
    row->clock = head->clock;
    row->draws = head->draws;
    memcpy(row->seed, head->seed, sizeof row->seed);
    int status =
        document->keeps_settings ? 0 : put_settings(&head->settings, &row->settings, ret_fault);
    if (status == 0)
        status = put_rows(db, row, document->json, document->keeps_rules, io_event, ret_fault);
    if (status == 0)
        status = put_keys(db, row->pk, document, ret_fault);
    if (status == 0)
        status = put_members(db, row->pk, document);
    if (status == 0)
        status = workspace_update(db, row);
    if (status == 0)
        status = workspace_set_seed(db, row->pk, row->seed, row->draws);
    return status;
}

int state_document_init(struct state_document *document, const json_t *json, int64_t now,
                        struct state_fault *ret_fault)
{
    *document = (struct state_document){.json = json};
    if (!state_check(json, now, &document->head, ret_fault))
        return ERR_INVALID;
    const struct state_head *head = &document->head;
    document->key_count = json_array_size(head->keys);
    document->member_count = json_array_size(head->members);
    document->keys = calloc(document->key_count + 1, sizeof *document->keys);
    document->members = calloc(document->member_count + 1, sizeof *document->members);
    if (!document->keys || !document->members) {
        state_document_finish(document);
        return ERR_NO_MEMORY;
    }
    for (size_t i = 0; i < document->key_count; i++)
        state_key(json_array_get(head->keys, i), now, &document->keys[i]);
    for (size_t i = 0; i < document->member_count; i++) {
        document->members[i].created_at = now;
        email_fold(json_string_value(json_array_get(head->members, i)), document->members[i].email);
    }
    return 0;
}

void state_document_finish(struct state_document *document)
{
    free(document->keys);
    free(document->members);
    document->keys = NULL;
    document->members = NULL;
}

/* -- the operation ----------------------------------------------------------------------------- */

static int replace_run(struct write *write, struct db *db)
{
    struct state_replace *self = (struct state_replace *)write;
    struct workspace *workspace = self->operation.workspace;
    int status = workspace_read(db, workspace->row.pk, &self->row);
    self->event = workspace->events.jobs_drawn;
    if (status == 0)
        status = state_put(db, &self->row, self->document, &self->event, &self->fault);
    if (self->event > workspace->events.jobs_drawn) /* before anybody draws the next one */
        workspace->events.jobs_drawn = self->event;
    if (self->restarts_clock && self->row.clock.anchor)
        self->row.clock.anchor = time_steady_ms();
    if (status == 0)
        status = workspace_set_clock_in(db, workspace, &self->row.clock);
    rule_set_release(self->rules); /* of a run that was rolled back */
    self->rules = NULL;
    if (status == 0)
        status = rules_read_all(db, workspace->row.pk, &self->rules);
    self->operation.moves_clock = status == 0;
    self->operation.posts = EVENT_JOB | EVENT_RULE;
    return status;
}

int state_take_access(struct registry *registry, const struct state_document *document)
{
    int status = 0;
    for (size_t i = 0; status == 0 && i < document->key_count; i++)
        status = registry_add_key(registry, &document->keys[i]);
    for (size_t i = 0; status == 0 && i < document->member_count; i++)
        status = registry_add_member(registry, &document->members[i]);
    return status;
}

/* Nothing of what there was before is missing from then on. */
static void begin_anew(struct workspace *workspace)
{
    atomic_store(&workspace->past.started_at, 0);
    atomic_store(&workspace->past.forgotten, 0);
    atomic_store(&workspace->past.requests, atomic_load(&workspace->requests));
    if (workspace->journal)
        journal_clear(workspace->journal);
}

static int replace_apply(struct operation *operation)
{
    struct state_replace *self = (struct state_replace *)operation;
    struct workspace *workspace = operation->workspace;
    struct registry *registry = operation->engine->registry;
    registry_update_workspace(registry, workspace, &self->row);
    if (self->document->head.keys)
        registry_remove_keys(registry, workspace);
    if (self->document->head.members)
        registry_remove_members(registry, workspace);
    int status = state_take_access(registry, self->document);
    if (!self->document->keeps_rules) {
        rules_replace(workspace, self->rules);
        self->rules = NULL;
    }
    rates_clear(workspace->rates);
    memset(workspace->slug_hints, 0, sizeof workspace->slug_hints);
    operation->due_at = 0; /* the worker looks what is due, by the settings as they are now */
    operation->new_job = self->event; /* so many are there to be seen */
    if (self->row.ttl)
        janitor_wake(operation->engine->janitor);
    if (workspace->tally)
        tally_reset(workspace->tally);
    feed_tell_reset(workspace);
    events_end_waits(workspace, WAIT_RESET);
    atomic_store(&workspace->past.jobs, self->event);
    atomic_store(&workspace->past.stored, false);
    if (self->clears_journal)
        begin_anew(workspace);
    return status;
}

void state_replace_init(struct state_replace *replace, struct engine *engine,
                        struct workspace *workspace, struct state_document *document)
{
    *replace = (struct state_replace){.document = document};
    operation_init(&replace->operation, engine, workspace, replace_run);
    replace->operation.apply = replace_apply;
}
