#include "engine/clock.h"

#include "base/time.h"
#include "engine/workspace.h"

#include <string.h>

/* -- pure -------------------------------------------------------------------------------------- */

bool clock_stands(const struct clock_row *clock)
{
    return clock->mode == CLOCK_MANUAL || clock->mode == CLOCK_AUTO;
}

int64_t clock_show(const struct clock_row *clock, int64_t real)
{
    int64_t passed = real - clock->anchor;
    if (clock->mode == CLOCK_SCALED)
        passed = (int64_t)((double)passed * clock->scale);
    int64_t now = clock->base + (clock_stands(clock) ? 0 : passed);
    return now > TIME_MAX ? TIME_MAX : now;
}

int64_t clock_real_at(const struct clock_row *clock, int64_t at)
{
    int64_t left = at - clock->base;
    if (at > TIME_MAX)
        return TIME_NEVER;
    if (clock_stands(clock))
        return left > 0 ? TIME_NEVER : clock->anchor;
    if (clock->mode == CLOCK_SCALED) {
        double real = (double)left / clock->scale;
        if (real > (double)(TIME_NEVER / 2))
            return TIME_NEVER;
        /* Rounded up: a timer that wakes a moment early finds that it is not due yet. */
        left = (int64_t)real;
        while ((int64_t)((double)left * clock->scale) < at - clock->base)
            left++;
    }
    return clock->anchor + left;
}

struct clock_row clock_make(enum clock_mode mode, double scale, int64_t now, int64_t real)
{
    return (struct clock_row){.mode = mode, .scale = scale, .base = now, .anchor = real};
}

struct clock_row clock_moved(const struct clock_row *clock, int64_t now, int64_t real)
{
    return clock_make(clock->mode, clock->scale, now, real);
}

static const char *const mode_names[CLOCK_MODES] = {"real", "scaled", "manual", "auto"};

const char *clock_mode_name(enum clock_mode mode)
{
    return mode_names[mode];
}

bool clock_mode_parse(const char *name, enum clock_mode *ret_mode)
{
    for (size_t i = 0; i < CLOCK_MODES; i++) {
        if (strcmp(name, mode_names[i]) != 0)
            continue;
        *ret_mode = (enum clock_mode)i;
        return true;
    }
    return false;
}

/* -- shared ------------------------------------------------------------------------------------ */

/* One thread writes; readers try again where it wrote meanwhile. */
void clock_share(struct clock_shared *shared, const struct clock_row *clock)
{
    atomic_fetch_add(&shared->version, 1);
    atomic_store(&shared->mode, (int)clock->mode);
    atomic_store(&shared->scale, clock->scale);
    atomic_store(&shared->base, clock->base);
    atomic_store(&shared->anchor, clock->anchor);
    atomic_fetch_add(&shared->version, 1);
}

struct clock_row workspace_clock(const struct workspace *workspace)
{
    const struct clock_shared *shared = &workspace->clock;
    struct clock_row row;
    unsigned version;
    do {
        version = atomic_load(&shared->version) & ~1U;
        row.mode = (enum clock_mode)atomic_load(&shared->mode);
        row.scale = atomic_load(&shared->scale);
        row.base = atomic_load(&shared->base);
        row.anchor = atomic_load(&shared->anchor);
    } while (atomic_load(&shared->version) != version);
    return row;
}

int64_t workspace_now(const struct workspace *workspace)
{
    struct clock_row clock = workspace_clock(workspace);
    return clock_show(&clock, time_steady_ms());
}

/* -- in a transaction -------------------------------------------------------------------------- */

struct clock_row workspace_clock_in(struct db *db, const struct workspace *workspace)
{
    const struct clock_coming *coming = &workspace->coming_clock;
    struct workspace_row row;
    if (!coming->is_set)
        return workspace_clock(workspace);
    /* After a roll-back, only the store knows whether it was this one that was undone. */
    if (coming->rollbacks != db_rollbacks(db) && workspace_read(db, workspace->row.pk, &row) == 0)
        return row.clock;
    return coming->row;
}

int64_t workspace_now_in(struct db *db, const struct workspace *workspace)
{
    struct clock_row clock = workspace_clock_in(db, workspace);
    return clock_show(&clock, time_steady_ms());
}

int workspace_set_clock_in(struct db *db, struct workspace *workspace,
                           const struct clock_row *clock)
{
    int status = workspace_set_clock(db, workspace->row.pk, clock);
    if (status == 0)
        workspace->coming_clock =
            (struct clock_coming){.row = *clock, .is_set = true, .rollbacks = db_rollbacks(db)};
    return status;
}

int workspace_move_clock_in(struct db *db, struct workspace *workspace, int64_t at, bool *ret_moved)
{
    struct clock_row clock = workspace_clock_in(db, workspace);
    int64_t real = time_steady_ms();
    bool moves = at > clock_show(&clock, real);
    clock = clock_moved(&clock, at, real);
    int status = moves ? workspace_set_clock_in(db, workspace, &clock) : 0;
    if (status == 0)
        *ret_moved = moves;
    return status;
}

/* No message runs while those of a batch are told of its commit, so nothing is coming after it. */
void workspace_publish_clock(struct workspace *workspace, const struct clock_row *clock)
{
    clock_share(&workspace->clock, clock);
    workspace->coming_clock.is_set = false;
}

/* -- taking ------------------------------------------------------------------------------------ */

bool clock_take(struct workspace *workspace)
{
    return !atomic_exchange(&workspace->clock_taken, true);
}

bool clock_is_taken(const struct workspace *workspace)
{
    return atomic_load(&workspace->clock_taken);
}

void clock_ask_back(struct workspace *workspace)
{
    atomic_fetch_add(&workspace->clock_asked, 1);
    events_post(workspace, EVENT_CLOCK); /* an advance that waits looks again */
}

void clock_ask_no_more(struct workspace *workspace)
{
    atomic_fetch_sub(&workspace->clock_asked, 1);
}

bool clock_is_asked_back(const struct workspace *workspace)
{
    return atomic_load(&workspace->clock_asked) > 0;
}
