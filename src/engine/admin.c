#include "engine/admin.h"

#include "base/digest.h"
#include "base/log.h"
#include "base/time.h"
#include "engine/draw.h"
#include "engine/generator.h"
#include "engine/internal.h"
#include "engine/rules.h"
#include "engine/timers.h"
#include "store/delivery.h"
#include "store/job.h"

#include <stdio.h>
#include <string.h>

#define KEY_PREFIX "exec_live_"
static const char key_alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
enum { KEY_LETTERS = sizeof key_alphabet - 1, KEY_PREFIX_LEN = sizeof KEY_PREFIX - 1 };

bool api_key_looks_right(const char *text)
{
    return strlen(text) == API_KEY_SIZE - 1 && strncmp(text, KEY_PREFIX, KEY_PREFIX_LEN) == 0 &&
           strspn(text + KEY_PREFIX_LEN, key_alphabet) == API_KEY_SIZE - 1 - KEY_PREFIX_LEN;
}

void api_key_draw(char ret_key[API_KEY_SIZE])
{
    char *to = ret_key + snprintf(ret_key, API_KEY_SIZE, KEY_PREFIX);
    while (to < ret_key + API_KEY_SIZE - 1) {
        unsigned char byte;
        id_random(&byte, sizeof byte);
        if (byte < 256 / KEY_LETTERS * KEY_LETTERS) /* or some letters would come more often */
            *to++ = key_alphabet[byte % KEY_LETTERS];
    }
    *to = '\0';
}

void api_key_describe(const char *key, struct key_row *row)
{
    size_t len = strlen(key);
    digest_sha256(key, len, row->hash);
    snprintf(row->last4, sizeof row->last4, "%s", key + (len > 4 ? len - 4 : 0));
}

/* -- making ------------------------------------------------------------------------------------ */

static int find_conflict(struct workspace_make *self, struct db *db)
{
    bool taken = false;
    self->outcome = MAKE_SLUG_TAKEN;
    int status = workspace_name_exists(db, self->row.slug, &taken);
    if (status == 0 && !taken) {
        self->outcome = MAKE_PROJECT_TAKEN;
        status = workspace_project_exists(db, self->row.project_id, &taken);
    }
    if (status == 0 && !taken) {
        self->outcome = MAKE_KEY_TAKEN;
        status = key_exists(db, self->key.hash, &taken);
    }
    if (status == 0 && !taken)
        self->outcome = MAKE_DONE;
    return status;
}

/* The workspace's own key, which may be one of the state that it begins with. */
static int insert_key(struct workspace_make *self, struct db *db)
{
    self->key.workspace = self->row.pk;
    int status = key_exists(db, self->key.hash, &self->knows_key);
    return status < 0 || self->knows_key ? status : key_insert(db, &self->key);
}

/* Its rules have ids of its own seed; there is no workspace in memory yet. */
static int insert_rules(const struct workspace_make *self, struct db *db)
{
    struct workspace unborn = {.row = self->row};
    if (!self->rule_count)
        return 0;
    clock_share(&unborn.clock, &self->row.clock);
    return rules_insert(db, &unborn, self->rules, self->rule_count);
}

static int make_run(struct write *write, struct db *db)
{
    struct workspace_make *self = (struct workspace_make *)write;
    int status = find_conflict(self, db);
    if (status < 0 || self->outcome != MAKE_DONE)
        return status;
    while ((status = workspace_insert(db, &self->row)) == ERR_EXISTS)
        id_hex(self->row.id); /* the other names are free */
    if (status < 0)
        return status;
    if (self->state)
        status = state_put(db, &self->row, self->state, &self->event, &self->fault);
    if (status == ERR_INVALID)
        self->outcome = MAKE_STATE_REFUSED; /* and what was written is rolled back */
    if (status == 0)
        status = insert_key(self, db);
    for (size_t i = 0; status == 0 && i < self->member_count; i++) {
        struct member_row member = self->members[i];
        member.workspace = self->row.pk;
        status = member_insert(db, &member);
        if (status == ERR_EXISTS) /* given twice */
            status = 0;
    }
    if (status == 0)
        status = insert_rules(self, db);
    rule_set_release(self->rule_set); /* of a run that was rolled back */
    self->rule_set = NULL;
    if (status == 0)
        status = rules_read_all(db, self->row.pk, &self->rule_set);
    return status < 0 ? status : state_remember(db, self->row.pk);
}

/* Who may use the workspace, in memory. */
static int add_access(const struct workspace_make *self, struct registry *registry)
{
    int status = self->state ? state_take_access(registry, self->state) : 0;
    for (size_t i = 0; status == 0 && i < self->member_count; i++) {
        struct member_row member = self->members[i];
        member.workspace = self->row.pk;
        status = registry_add_member(registry, &member);
    }
    if (status == 0 && !self->knows_key)
        status = registry_add_key(registry, &self->key);
    return status;
}

/* Nobody finds it before all of it is there: somebody else may know its key or slug already. */
static int make_apply(struct operation *operation)
{
    struct workspace_make *self = (struct workspace_make *)operation;
    struct engine *engine = operation->engine;
    struct workspace *made;
    if (self->outcome != MAKE_DONE)
        return 0;
    int status = registry_prepare_workspace(engine->registry, &self->row, self->event, &made);
    if (status < 0)
        return status;
    status = add_access(self, engine->registry);
    rules_replace(made, self->rule_set);
    self->rule_set = NULL;
    worker_schedule(engine->worker, made, 0);
    registry_announce_workspace(engine->registry, made);
    if (self->row.ttl)
        janitor_wake(engine->janitor);
    return status;
}

void workspace_make_init(struct workspace_make *make, struct engine *engine)
{
    operation_init(&make->operation, engine, NULL, make_run);
    make->operation.apply = make_apply;
}

/* -- changing ---------------------------------------------------------------------------------- */

static int64_t limit_of(const struct engine *engine, const struct settings_row *settings)
{
    return settings->given & GIVEN_MAX_PROCESSING
               ? settings->max_processing
               : registry_defaults(engine->registry)->max_processing;
}

/* The row is read anew: another change may have been written in the same transaction. */
static int change_run(struct write *write, struct db *db)
{
    struct workspace_change *self = (struct workspace_change *)write;
    const struct workspace *workspace = self->operation.workspace;
    struct workspace_row *row = &self->row;
    int status = workspace_read(db, workspace->row.pk, row);
    if (status < 0)
        return status;
    if (self->name)
        snprintf(row->name, sizeof row->name, "%s", self->name);
    if (self->active >= 0)
        row->active = self->active;
    if (self->ttl >= 0)
        row->ttl = self->ttl;
    int64_t before = limit_of(self->operation.engine, &row->settings);
    settings_change(&self->settings, &row->settings);
    int64_t after = limit_of(self->operation.engine, &row->settings);
    self->made_room = before && (!after || after > before);
    if (self->made_room)
        row->settings.room_since = workspace_now_in(db, workspace);
    return workspace_update(db, row);
}

static int change_apply(struct operation *operation)
{
    struct workspace_change *self = (struct workspace_change *)operation;
    registry_update_workspace(operation->engine->registry, operation->workspace, &self->row);
    if (self->ttl > 0)
        janitor_wake(operation->engine->janitor);
    return 0;
}

void workspace_change_init(struct workspace_change *change, struct engine *engine,
                           struct workspace *workspace)
{
    *change = (struct workspace_change){.active = -1, .ttl = -1};
    operation_init(&change->operation, engine, workspace, change_run);
    change->operation.apply = change_apply;
}

/* Timers of one transaction: others wait for the same writer. */
enum { TIMERS_AT_ONCE = 256 };

static int timers_run(struct write *write, struct db *db)
{
    struct timers_run *self = (struct timers_run *)write;
    struct workspace *workspace = self->operation.workspace;
    int64_t now = workspace_now_in(db, workspace), next;
    int status = timers_fire(db, workspace, now, TIMERS_AT_ONCE, &next);
    if (status == 0) {
        self->more = next <= now;
        self->operation.due_at = next;
    }
    return status;
}

void timers_run_init(struct timers_run *timers, struct engine *engine, struct workspace *workspace)
{
    operation_init(&timers->operation, engine, workspace, timers_run);
}

/* -- deleting ---------------------------------------------------------------------------------- */

static int delete_run(struct write *write, struct db *db)
{
    struct workspace_delete *self = (struct workspace_delete *)write;
    struct workspace *workspace = self->operation.workspace;
    self->kept =
        self->if_unused && workspace_used_at(workspace) + workspace->row.ttl > time_steady_ms();
    if (self->kept)
        return 0;
    int status = job_count_unfinished(db, workspace->row.pk, &self->unfinished_jobs);
    if (status == 0)
        status = delivery_count_failed(db, workspace->row.pk, &self->failed_deliveries);
    if (status == 0)
        status = workspace_bury(db, workspace->row.pk);
    workspace->buried = status == 0;
    workspace->buried_rollbacks = db_rollbacks(db);
    return status;
}

static int delete_apply(struct operation *operation)
{
    struct workspace_delete *self = (struct workspace_delete *)operation;
    struct engine *engine = operation->engine;
    struct workspace *workspace = operation->workspace;
    if (self->kept)
        return 0;
    struct rule_set *rules = workspace_rules(workspace);
    self->requests = atomic_load(&workspace->requests);
    self->unused_rules = (int64_t)rule_set_count_unused(rules);
    rule_set_release(rules);
    worker_forget(engine->worker, workspace);
    feed_tell_deleted(workspace);
    events_end_waits(workspace, WAIT_DELETED);
    events_hurry(workspace);
    registry_remove_workspace(engine->registry, workspace);
    if (self->if_unused)
        log_event(LOG_INFO, "workspace deleted: its ttl has passed",
                  LOG_STR("workspace", workspace->row.slug));
    janitor_wake(engine->janitor);
    return 0;
}

void workspace_delete_init(struct workspace_delete *deletion, struct engine *engine,
                           struct workspace *workspace)
{
    *deletion = (struct workspace_delete){0};
    operation_init(&deletion->operation, engine, workspace, delete_run);
    deletion->operation.apply = delete_apply;
}

/* -- keys -------------------------------------------------------------------------------------- */

static int add_key(struct key_change *self, struct db *db)
{
    int status = key_exists(db, self->row.hash, &self->taken);
    if (status < 0 || self->taken)
        return status;
    while ((status = key_insert(db, &self->row)) == ERR_EXISTS)
        id_hex(self->row.id);
    return status;
}

static int key_run(struct write *write, struct db *db)
{
    struct key_change *self = (struct key_change *)write;
    int status = 0;
    self->row.workspace = self->operation.workspace->row.pk;
    self->taken = false;
    if (self->kind == KEY_ADD)
        status = add_key(self, db);
    else if (self->kind == KEY_SET_ACTIVE)
        status = key_set_active(db, self->row.workspace, self->row.id, self->row.active);
    else
        status = key_delete(db, self->row.workspace, self->row.id);
    self->absent = status == ERR_NOT_FOUND;
    return self->absent ? 0 : status;
}

static int key_apply(struct operation *operation)
{
    struct key_change *self = (struct key_change *)operation;
    struct registry *registry = operation->engine->registry;
    if (self->taken || self->absent)
        return 0;
    if (self->kind == KEY_ADD)
        return registry_add_key(registry, &self->row);
    if (self->kind == KEY_SET_ACTIVE)
        registry_update_key(registry, &self->row);
    else
        registry_remove_key(registry, self->row.hash);
    return 0;
}

void key_change_init(struct key_change *change, struct engine *engine, struct workspace *workspace)
{
    operation_init(&change->operation, engine, workspace, key_run);
    change->operation.apply = key_apply;
}

/* -- members ----------------------------------------------------------------------------------- */

static int member_run(struct write *write, struct db *db)
{
    struct member_change *self = (struct member_change *)write;
    self->row.workspace = self->operation.workspace->row.pk;
    int status = self->removes ? member_delete(db, self->row.workspace, self->row.email)
                               : member_insert(db, &self->row);
    self->known = status == ERR_EXISTS;
    self->absent = status == ERR_NOT_FOUND;
    return self->known || self->absent ? 0 : status;
}

static int member_apply(struct operation *operation)
{
    struct member_change *self = (struct member_change *)operation;
    struct registry *registry = operation->engine->registry;
    if (self->known || self->absent)
        return 0;
    if (!self->removes)
        return registry_add_member(registry, &self->row);
    registry_remove_member(registry, operation->workspace, self->row.email);
    return 0;
}

void member_change_init(struct member_change *change, struct engine *engine,
                        struct workspace *workspace)
{
    operation_init(&change->operation, engine, workspace, member_run);
    change->operation.apply = member_apply;
}

/* -- sources of remixes ------------------------------------------------------------------------ */

static int id_exists(struct db *db, int64_t workspace, const char *id, bool *ret_exists)
{
    struct scenario found;
    int status = scenario_by_id(db, workspace, id, &found);
    *ret_exists = status == 0;
    return status == ERR_NOT_FOUND ? 0 : status;
}

/* The id and the slug that were given, or else made. */
static int name_source(const struct source_make *self, struct db *db, struct scenario *scenario)
{
    int status = 0;
    if (self->id)
        snprintf(scenario->id, sizeof scenario->id, "%s", self->id);
    else
        status = draw_hex(db, self->operation.workspace, scenario->id);
    if (self->slug)
        snprintf(scenario->slug, sizeof scenario->slug, "%s", self->slug);
    else if (!generator_slug(scenario->name, scenario->slug))
        snprintf(scenario->slug, sizeof scenario->slug, "scenario-%s", scenario->id);
    return status;
}

static int source_run(struct write *write, struct db *db)
{
    struct source_make *self = (struct source_make *)write;
    const struct workspace *workspace = self->operation.workspace;
    struct scenario *scenario = &self->scenario;
    self->scenario.created_at = workspace_now_in(db, workspace);
    self->slug_taken = false;
    int status = name_source(self, db, scenario);
    if (status == 0)
        status = id_exists(db, workspace->row.pk, scenario->id, &self->id_taken);
    if (status == 0 && !self->id_taken)
        status = scenario_slug_exists(db, workspace->row.pk, scenario->slug, &self->slug_taken);
    if (status < 0 || self->id_taken || self->slug_taken)
        return status;
    return scenario_insert(db, workspace->row.pk, scenario);
}

void source_make_init(struct source_make *make, struct engine *engine, struct workspace *workspace)
{
    operation_init(&make->operation, engine, workspace, source_run);
}
