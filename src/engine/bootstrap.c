/*
 * The first start, and what the command line asks for at every one: workspaces, keys and members
 * that are missing are made in one transaction.
 */
#include "engine/internal.h"

#include "base/id.h"
#include "base/time.h"
#include "engine/state.h"

#include <stdio.h>
#include <string.h>

/* The vendor's own documentation shows this key and this member. */
static const char documented_key[] = "exec_live_aB3dE5fG7hI9jK1lM3nO5pQ7rS9tU1vW3xY5zA7b";
static const char documented_member[] = "jane@acme.com";

struct bootstrap {
    struct write write;
    const struct engine_options *options;
    struct err *err;
    int64_t now;
    bool made_default;
};

struct search {
    const char *name;            /* an id or a slug */
    const unsigned char *hash;   /* or a key */
    struct workspace_row *found; /* or NULL */
    int64_t owner;               /* of the key; 0: nobody */
};

static int look_at_workspace(const struct workspace_row *row, void *arg)
{
    struct search *search = arg;
    if (strcmp(row->id, search->name) == 0 || strcmp(row->slug, search->name) == 0)
        *search->found = *row;
    return 0;
}

/* Makes a workspace; `project_id` NULL: one is drawn. */
static int make_named(struct db *db, const char *name, const char *project_id, int64_t now,
                      struct workspace_row *ret)
{
    *ret = (struct workspace_row){.active = true, .created_at = now};
    id_hex(ret->id);
    id_hex(ret->project_id);
    if (project_id)
        snprintf(ret->project_id, sizeof ret->project_id, "%s", project_id);
    snprintf(ret->slug, sizeof ret->slug, "%s", name);
    snprintf(ret->name, sizeof ret->name, "%s", name);
    int status = workspace_insert(db, ret);
    return status < 0 ? status : state_remember(db, ret->pk);
}

/* The workspace of that name, made where it is not there. */
static int want_workspace(struct db *db, const char *name, int64_t now, struct workspace_row *ret)
{
    ret->pk = 0;
    int status =
        workspace_each(db, look_at_workspace, &(struct search){.name = name, .found = ret});
    return status < 0 || ret->pk ? status : make_named(db, name, NULL, now, ret);
}

static int look_at_key(const struct key_row *row, void *arg)
{
    struct search *search = arg;
    if (memcmp(row->hash, search->hash, sizeof row->hash) == 0)
        search->owner = row->workspace;
    return 0;
}

static int want_key(struct db *db, const struct engine_grant *grant, int64_t now, struct err *err)
{
    struct workspace_row workspace;
    struct key_row row = {.active = true, .created_at = now};
    const char *name = grant->workspace ? grant->workspace : DEFAULT_WORKSPACE;
    size_t len = strlen(grant->value);

    digest_sha256(grant->value, len, row.hash);
    snprintf(row.last4, sizeof row.last4, "%s", grant->value + (len > 4 ? len - 4 : 0));
    struct search search = {.hash = row.hash};
    int status = want_workspace(db, name, now, &workspace);
    if (status == 0)
        status = key_each(db, look_at_key, &search);
    if (status < 0 || search.owner == workspace.pk)
        return status;
    if (search.owner)
        return err_set(err, ERR_INVALID,
                       "the API key that ends in %s belongs to another workspace than %s already; "
                       "use another key, or another store with --db",
                       row.last4, name);
    row.workspace = workspace.pk;
    return key_insert(db, &row);
}

static int want_member(struct db *db, const struct engine_grant *grant, int64_t now)
{
    struct workspace_row workspace;
    struct member_row row = {.created_at = now};
    int status = want_workspace(db, grant->workspace ? grant->workspace : DEFAULT_WORKSPACE, now,
                                &workspace);
    if (status < 0)
        return status;
    row.workspace = workspace.pk;
    email_fold(grant->value, row.email);
    status = member_insert(db, &row);
    return status == ERR_EXISTS ? 0 : status;
}

/* The default workspace, with what the documents show, where a store has none yet. */
static int want_default(struct db *db, struct bootstrap *self)
{
    struct workspace_row row = {.pk = 0};
    int status = workspace_each(db, look_at_workspace,
                                &(struct search){.name = DEFAULT_WORKSPACE, .found = &row});
    if (status < 0 || row.pk)
        return status;
    row = (struct workspace_row){.id = DEFAULT_WORKSPACE,
                                 .slug = DEFAULT_SLUG,
                                 .name = "Acme Corp",
                                 .project_id = "default",
                                 .active = true,
                                 .created_at = self->now};
    self->made_default = true;
    if ((status = workspace_insert(db, &row)) == 0)
        status = state_remember(db, row.pk);
    if (status < 0 || self->options->no_defaults)
        return status;
    status = want_key(db, &(struct engine_grant){.value = documented_key}, self->now, self->err);
    if (status == 0)
        status = want_member(db, &(struct engine_grant){.value = documented_member}, self->now);
    return status;
}

/* -- states ------------------------------------------------------------------------------------ */

/* Puts a state into a workspace that was just made. */
static int put_state(struct db *db, struct workspace_row *row, struct state_document *document,
                     const struct engine_state *state, struct err *err)
{
    struct state_fault fault;
    int64_t event = 0;
    int status = state_put(db, row, document, &event, &fault);
    if (status == 0)
        status = workspace_set_clock(db, row->pk, &row->clock);
    if (status == 0)
        status = state_remember(db, row->pk);
    if (status == ERR_INVALID)
        err_set(err, status, "%s: %s%s%s", state->path, fault.path, *fault.path ? " " : "",
                fault.problem);
    return status;
}

static int want_state(struct db *db, const struct bootstrap *self, const struct engine_state *state)
{
    struct state_document document;
    struct state_fault fault;
    struct workspace_row row = {.pk = 0};
    int status = state_document_init(&document, state->document, self->now, &fault);
    if (status < 0)
        return status;
    const char *slug = document.head.slug ? document.head.slug : DEFAULT_SLUG;
    bool is_default = strcmp(slug, DEFAULT_SLUG) == 0;
    status = workspace_each(db, look_at_workspace, &(struct search){.name = slug, .found = &row});
    bool is_new = is_default ? self->made_default : !row.pk;
    if (status == 0 && !row.pk)
        status = make_named(db, slug, document.head.project_id, self->now, &row);
    if (status == ERR_EXISTS)
        status = err_set(self->err, ERR_INVALID, "%s: workspace.project_id is another workspace's",
                         state->path);
    else if (status == 0 && is_new)
        status = put_state(db, &row, &document, state, self->err);
    state_document_finish(&document);
    return status;
}

static int bootstrap_run(struct write *write, struct db *db)
{
    struct bootstrap *self = (struct bootstrap *)write;
    const struct engine_options *options = self->options;
    self->made_default = false;
    int status = want_default(db, self);
    for (size_t i = 0; status == 0 && i < options->state_count; i++)
        status = want_state(db, self, &options->states[i]);
    for (size_t i = 0; status == 0 && i < options->key_count; i++)
        status = want_key(db, &options->keys[i], self->now, self->err);
    for (size_t i = 0; status == 0 && i < options->member_count; i++)
        status = want_member(db, &options->members[i], self->now);
    return status;
}

int engine_bootstrap(struct store *store, const struct engine_options *options, struct err *err)
{
    struct bootstrap self = {
        .write = {.run = bootstrap_run}, .options = options, .err = err, .now = time_steady_ms()};
    int status = store_write(store, &self.write);
    if (status < 0 && status != ERR_INVALID) /* which has told its reason */
        err_set(err, status, "cannot write the workspaces: %s", err_reason(status));
    return status;
}
