#include "engine/internal.h"

#include "base/time.h"
#include "engine/rules.h"
#include "engine/tally.h"
#include "engine/timers.h"
#include "store/delivery.h"
#include "store/job.h"

#include <stdlib.h>

struct loading {
    struct db *db;
    struct registry *registry;
    int64_t started_at; /* the server, in real ms */
    int status;         /* of the rules */
};

static int take_workspace(const struct workspace_row *row, void *arg)
{
    const struct loading *loading = arg;
    int64_t jobs = 0;
    int status = job_last_event(loading->db, row->pk, &jobs);
    if (status < 0)
        return status;
    return registry_add_workspace(loading->registry, row, jobs,
                                  row->created_at < loading->started_at ? loading->started_at : 0);
}

static int take_key(const struct key_row *row, void *registry)
{
    return registry_add_key(registry, row);
}

static int take_member(const struct member_row *row, void *registry)
{
    return registry_add_member(registry, row);
}

static void take_rules(struct workspace *workspace, void *arg)
{
    struct loading *loading = arg;
    if (loading->status == 0)
        loading->status = rules_load(loading->db, workspace);
}

static int load(struct engine *engine, int64_t started_at, struct err *err)
{
    struct db *db = store_reader(engine->store, err);
    if (!db)
        return ERR_IO;
    struct loading loading = {.db = db, .registry = engine->registry, .started_at = started_at};
    int status = workspace_each(db, take_workspace, &loading);
    if (status == 0)
        status = key_each(db, take_key, engine->registry);
    if (status == 0)
        status = member_each(db, take_member, engine->registry);
    if (status == 0) {
        registry_each(engine->registry, take_rules, &loading);
        status = loading.status;
    }
    return status < 0 ? err_set(err, status, "cannot read the workspaces: %s", err_reason(status))
                      : 0;
}

/* -- catching up ------------------------------------------------------------------------------- */

/* Timers that one transaction of the start fires. */
enum { CATCH_UP_TIMERS = 1000 };

struct catch_up {
    struct write write;
    struct engine *engine;
    struct workspace *workspace;
    int64_t next;
    int status;
};

static int catch_up_run(struct write *write, struct db *db)
{
    struct catch_up *self = (struct catch_up *)write;
    return timers_fire(db, self->workspace, workspace_now_in(db, self->workspace), CATCH_UP_TIMERS,
                       &self->next);
}

/* What fell due while the server was down happens now, with the times it would have had. */
static void catch_up_workspace(struct workspace *workspace, void *arg)
{
    struct catch_up *self = arg;
    self->workspace = workspace;
    do {
        int status = store_write(self->engine->store, &self->write);
        if (status < 0) {
            self->status = status;
            return;
        }
    } while (self->next <= workspace_now(workspace));
    worker_schedule(self->engine->worker, workspace, self->next);
}

static int catch_up(struct engine *engine, struct err *err)
{
    struct catch_up self = {.write = {.run = catch_up_run}, .engine = engine};
    registry_each(engine->registry, catch_up_workspace, &self);
    if (self.status < 0)
        return err_set(err, self.status, "cannot bring the jobs up to date: %s",
                       err_reason(self.status));
    return 0;
}

/* -- callbacks --------------------------------------------------------------------------------- */

static int forget_sending(struct write *write, struct db *db)
{
    (void)write;
    return delivery_forget_sending(db);
}

/* Attempts that were under way when the server ended are made again. */
static int start_sender(struct engine *engine, const struct sender_options *options,
                        struct err *err)
{
    struct write write = {.run = forget_sending};
    int status = store_write(engine->store, &write);
    if (status < 0)
        return err_set(err, status, "cannot take up the callbacks: %s", err_reason(status));
    return options->reach ? sender_start(engine, options, &engine->sender, err) : 0;
}

/* What is written down of requests, and what is counted. False: out of memory. */
static bool start_counting(struct engine *engine)
{
    engine->nobodys = journal_create(engine->journals);
    engine->runs = runs_create();
    engine->nobodys_tally = tally_create();
    return engine->nobodys && engine->runs && engine->nobodys_tally;
}

/* -- the engine -------------------------------------------------------------------------------- */

int engine_start(struct store *store, const struct engine_options *options,
                 struct engine **ret_engine, struct err *err)
{
    int64_t started_at = time_steady_ms(); /* what is made at the start is not older than that */
    int status = engine_bootstrap(store, options, err);
    if (status < 0)
        return status;
    struct engine *engine = calloc(1, sizeof *engine);
    if (!engine)
        return err_set(err, ERR_NO_MEMORY, "out of memory");
    engine->store = store;
    engine->registry = registry_create(&options->settings);
    engine->deadlines = deadlines_create();
    engine->feeds = engine->deadlines ? feeds_create(engine->deadlines) : NULL;
    engine->journals = journals_create(options->journal_memory, options->journal_threads);
    if (!engine->registry || !engine->feeds || !engine->journals ||
        (options->journal_memory && !start_counting(engine)))
        status = err_set(err, ERR_NO_MEMORY, "out of memory");
    if (status == 0)
        registry_keep_journals(engine->registry, engine->journals, engine->runs);
    if (status == 0)
        status = load(engine, started_at, err);
    if (status == 0)
        status = worker_start(store, engine->deadlines, &engine->worker, err);
    if (status == 0)
        status = start_sender(engine, &options->sender, err);
    if (status == 0)
        status = catch_up(engine, err);
    if (status == 0)
        status = janitor_start(engine, &engine->janitor, err);
    if (status < 0) {
        engine_stop(engine);
        return status;
    }
    *ret_engine = engine;
    return 0;
}

void engine_stop(struct engine *engine)
{
    if (!engine)
        return;
    janitor_stop(engine->janitor);
    sender_stop(engine->sender);
    worker_stop(engine->worker);
    feeds_destroy(engine->feeds);
    deadlines_destroy(engine->deadlines);
    registry_destroy(engine->registry);
    runs_destroy(engine->runs);
    journal_destroy(engine->nobodys);
    tally_destroy(engine->nobodys_tally);
    journals_destroy(engine->journals);
    free(engine);
}

struct store *engine_store(struct engine *engine)
{
    return engine->store;
}

struct sender *engine_sender(struct engine *engine)
{
    return engine->sender;
}

struct registry *engine_registry(struct engine *engine)
{
    return engine->registry;
}

struct journals *engine_journals(struct engine *engine)
{
    return engine->journals;
}

struct journal *engine_nobodys_journal(struct engine *engine)
{
    return engine->nobodys;
}

struct runs *engine_runs(struct engine *engine)
{
    return engine->runs;
}

struct tally *engine_nobodys_tally(struct engine *engine)
{
    return engine->nobodys_tally;
}

static void end_waits(struct workspace *workspace, void *arg)
{
    (void)arg;
    events_end_waits(workspace, WAIT_STOPPED);
}

void engine_end_waits(struct engine *engine)
{
    atomic_store(&engine->stopping, true);
    registry_each(engine->registry, end_waits, NULL);
}

struct feeds *engine_feeds(struct engine *engine)
{
    return engine->feeds;
}

struct deadlines *engine_deadlines(struct engine *engine)
{
    return engine->deadlines;
}

/* -- operations -------------------------------------------------------------------------------- */

/* Timers that are due as soon as they are set; the worker fires what is left. */
enum { DUE_TIMERS = 64 };

static int fire_due(struct operation *operation, struct db *db)
{
    struct workspace *workspace = operation->workspace;
    int64_t next;
    if (operation->due_at == TIME_NEVER || clock_is_taken(workspace))
        return 0;
    struct clock_row clock = workspace_clock_in(db, workspace);
    if (!clock_stands(&clock) || operation->due_at > clock.base)
        return 0;
    int status = timers_fire(db, workspace, clock.base, DUE_TIMERS, &next);
    operation->posts |= EVENT_JOB;
    if (status == 0)
        operation->due_at = next;
    return status;
}

static int operation_run(struct write *write, struct db *db)
{
    struct operation *operation = (struct operation *)write;
    bool gone = false; /* a workspace may be deleted while a request is on its way here */
    int status = operation->workspace ? workspace_is_gone(db, operation->workspace, &gone) : 0;
    operation->status = gone ? ERR_GONE : 0;
    operation->new_job = 0; /* of a run that was rolled back, as the rest */
    operation->posts = 0;
    operation->due_at = TIME_NEVER;
    operation->settles = false;
    operation->moves_clock = false;
    if (status == 0 && !gone)
        status = operation->run(write, db);
    if (status == 0)
        status = fire_due(operation, db);
    if (status == 0 && operation->moves_clock)
        operation->clock = workspace_clock_in(db, operation->workspace);
    if (operation->workspace)
        feed_take_notes(operation->workspace, &operation->notes);
    return status;
}

/* The worker goes by the clock and the timers as they are now. */
static void schedule(const struct operation *operation)
{
    struct worker *worker = operation->engine->worker;
    if (operation->settles)
        worker_settle(worker, operation->workspace, operation->due_at);
    else if (operation->moves_clock)
        worker_reclock(worker, operation->workspace);
    if (operation->due_at != TIME_NEVER)
        worker_schedule(worker, operation->workspace, operation->due_at);
}

/* What was committed is told to those who listen. */
static void tell_feed(struct operation *operation)
{
    if (operation->status < 0)
        feed_drop_notes(&operation->notes);
    else if (operation->workspace)
        feed_tell_notes(operation->workspace, &operation->notes);
    if (operation->status == 0 && operation->moves_clock)
        feed_tell_clock(operation->workspace);
}

/* And to those who wait. */
static void tell(const struct operation *operation)
{
    if (operation->new_job)
        events_post_job(operation->workspace, operation->new_job);
    if (operation->posts || operation->moves_clock)
        events_post(operation->workspace,
                    operation->posts | (operation->moves_clock ? EVENT_CLOCK : 0U));
}

static void operation_done(struct write *write, int status)
{
    struct operation *operation = (struct operation *)write;
    if (status < 0)
        operation->status = status;
    if (operation->status == 0 && operation->moves_clock)
        workspace_publish_clock(operation->workspace, &operation->clock);
    tell_feed(operation);
    if (operation->status == 0 && operation->apply)
        operation->status = operation->apply(operation);
    if (operation->status == 0)
        tell(operation);
    if (operation->status == 0)
        schedule(operation);
    operation->wake(operation->arg); /* from here on it may be gone */
}

void operation_init(struct operation *operation, struct engine *engine, struct workspace *workspace,
                    int (*run)(struct write *write, struct db *db))
{
    *operation = (struct operation){.write = {.run = operation_run, .done = operation_done},
                                    .engine = engine,
                                    .workspace = workspace,
                                    .run = run,
                                    .due_at = TIME_NEVER};
}

void operation_submit(struct operation *operation, void (*wake)(void *arg), void *arg)
{
    operation->wake = wake;
    operation->arg = arg;
    int status = store_submit(operation->engine->store, &operation->write);
    if (status < 0)
        operation_done(&operation->write, status);
}
