/*
 * A workspace's clock. It shows base + rate × (real − anchor): real time itself, real time at
 * another speed, or a time that stands until it is moved. Everything of a workspace goes by it but
 * what holds a socket or a caller (C10).
 *
 * It is changed on the writer's thread. Inside a transaction the writer goes by the time as it will
 * be, everybody else by the time as it was committed: so nothing is answered that is not so.
 */
#ifndef UNDERSTUDY_ENGINE_CLOCK_H
#define UNDERSTUDY_ENGINE_CLOCK_H

#include "store/workspace.h"

#include <stdatomic.h>
#include <stdbool.h>

struct workspace;

/* Slower is as good as standing still, faster as good as a jump. */
#define CLOCK_SCALE_MIN 0.001
#define CLOCK_SCALE_MAX 1000000.0

/* A clock_row that any thread may read while the writer's changes it. */
struct clock_shared {
    atomic_uint version; /* odd while it is being changed */
    atomic_int mode;
    _Atomic double scale;
    atomic_llong base, anchor;
};

/* What the writer's transaction has made of the clock, if it has. */
struct clock_coming {
    struct clock_row row;
    bool is_set;
    unsigned long rollbacks; /* as of when that was true (see db_rollbacks()) */
};

/* -- pure -------------------------------------------------------------------------------------- */

/* What the clock shows at that real time, TIME_MAX at most; all in milliseconds since the epoch. */
int64_t clock_show(const struct clock_row *clock, int64_t real);

/* The real time when it shows `at`, or has shown it; TIME_NEVER where it stands before that. */
int64_t clock_real_at(const struct clock_row *clock, int64_t at);

/* A clock of that mode which shows `now` at that real time. */
struct clock_row clock_make(enum clock_mode mode, double scale, int64_t now, int64_t real);

/* The same clock, set to `now` at that real time. */
struct clock_row clock_moved(const struct clock_row *clock, int64_t now, int64_t real);

/* Whether it stands until it is moved. */
bool clock_stands(const struct clock_row *clock);

/* "real", "scaled", "manual", "auto". */
const char *clock_mode_name(enum clock_mode mode);
bool clock_mode_parse(const char *name, enum clock_mode *ret_mode);

/* -- a workspace's ----------------------------------------------------------------------------- */

/* What it shows now (S20), and the whole of it. Any thread. */
int64_t workspace_now(const struct workspace *workspace);
struct clock_row workspace_clock(const struct workspace *workspace);

/* The same inside the writer's transaction. */
int64_t workspace_now_in(struct db *db, const struct workspace *workspace);
struct clock_row workspace_clock_in(struct db *db, const struct workspace *workspace);

/* Sets it, in the store and for the rest of the transaction. The writer's thread. */
int workspace_set_clock_in(struct db *db, struct workspace *workspace,
                           const struct clock_row *clock);

/*
 * Moves it ahead to `at`, where that lies ahead; *ret_moved tells whether it did, and is for
 * operation->moves_clock. The writer's thread, in a `run`.
 */
int workspace_move_clock_in(struct db *db, struct workspace *workspace, int64_t at,
                            bool *ret_moved);

/* After the commit of an operation that moves it: everybody goes by what that made of it. The
 * writer's thread. */
void workspace_publish_clock(struct workspace *workspace, const struct clock_row *clock);

/*
 * Takes the clock, for what moves it in several steps: false, and nothing is taken, where somebody
 * has it (409 clock_busy). Meanwhile no timer fires but those that the taker fires, and GETs do not
 * move an auto clock. It is given back by clock_give_back() of engine/advance.h. Any thread.
 */
bool clock_take(struct workspace *workspace);
bool clock_is_taken(const struct workspace *workspace);

/*
 * Somebody waits for a clock that was taken: an advance that waits for attempts at callbacks ends.
 * He says so until he has it or gives up. Any thread.
 */
void clock_ask_back(struct workspace *workspace);
void clock_ask_no_more(struct workspace *workspace);
bool clock_is_asked_back(const struct workspace *workspace);

/* What a new workspace's clock is. */
void clock_share(struct clock_shared *shared, const struct clock_row *clock);

#endif
