/*
 * What happens in a workspace, told one by one to those who listen: requests, transitions of jobs,
 * attempts at callbacks, moves of the clock, hits of rules. A workspace has a feed from the first
 * time that somebody listens; before, telling costs a look at a pointer.
 *
 * A feed keeps the last events in a ring, so that a listener may come back to where it was; it
 * keeps nothing for each listener. One that is so slow that the ring has gone past it has lost its
 * place for good.
 *
 * What a transaction makes happen is noted by whoever writes it, and told when it is committed:
 *
 *     feed_note_transition(…);                       in a `run`
 *     feed_take_notes(workspace, &notes);            at its end, whatever came of it
 *     feed_tell_notes(workspace, &notes);            after the commit; or feed_drop_notes(&notes)
 */
#ifndef UNDERSTUDY_ENGINE_FEED_H
#define UNDERSTUDY_ENGINE_FEED_H

#include "base/buf.h"
#include "base/deadlines.h"
#include "engine/workspace.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    FEED_KEPT = 1000,             /* events of a workspace, */
    FEED_BYTES_MAX = 1024 * 1024, /* and their bytes */
};

struct delivery;
struct attempt_row;
struct job;
struct job_change;
struct journal_entry;
struct rule;
struct rule_hit;

/* -- those of a server -------------------------------------------------------------------------
 */

/* What all feeds share: a deadline by which listeners are woken. NULL: out of memory. */
struct feeds *feeds_create(struct deadlines *deadlines);

/* When no deadline passes any more, and nobody listens; before the workspaces go. NULL is fine. */
void feeds_destroy(struct feeds *feeds);

/* Whether any workspace has, or had, a feed. Any thread. */
bool feeds_exist(const struct feeds *feeds);

/* How many listen. Any thread. */
int64_t feeds_listeners(const struct feeds *feeds);

/* A workspace's, which owns it, made where there is none yet; NULL: out of memory. Any thread. */
struct feed *feeds_of(struct feeds *feeds, struct workspace *workspace);
void feed_destroy(struct feed *feed); /* NULL is fine */

/* Whether there is one: whoever has to do something for what he tells, asks first. Any thread. */
bool workspace_has_feed(const struct workspace *workspace);

/* -- listening ---------------------------------------------------------------------------------
 */

struct feed_item;

/* The listener's own; `wake(arg)` is called by any thread when there is more to read, with a lock
 * held, so that it must only tell. Reading is for one thread at a time. */
struct feed_listener {
    struct feed *feed;
    void (*wake)(void *arg);
    void *arg;
    struct feed_listener *next, **place; /* feed.c's */
    int64_t read;                        /* the number of the last event that it has got */
    struct feed_item *rest;              /* that event, where `at` of it is given, and not all */
    size_t at;
};

/*
 * Begins to listen behind the event of number `after`, or, where that is FEED_NOW, behind what has
 * happened so far. Where events after it are not kept any more, behind the last of those; then the
 * number of those that are lost is returned, or FEED_FOREIGN, where `after` is not of this feed.
 * The caller has filled in `wake` and `arg`.
 */
enum { FEED_NOW = -1, FEED_FOREIGN = -1 };
int64_t feed_listen(struct feed *feed, struct feed_listener *listener, int64_t after);
void feed_leave(struct feed_listener *listener); /* nothing, where it never listened */

enum feed_read {
    FEED_SOME,    /* *ret_len bytes of events, as the protocol has them */
    FEED_NOTHING, /* there is no more yet */
    FEED_BEHIND,  /* what comes next is not kept any more: it is *ret_len events behind */
    FEED_ENDED,   /* the workspace is deleted, and that was read */
};
enum feed_read feed_read(struct feed_listener *listener, char *to, size_t max, size_t *ret_len);

/* -- telling -----------------------------------------------------------------------------------
 */

/* Noted in a transaction; the writer's thread. */
struct feed_notes {
    struct feed_item *first, *last;
};

/* An event's data is a JSON object, which is emptied; NULL, or out of memory, it is not told. */
void feed_note(const struct workspace *workspace, const char *type, struct buf *data);
void feed_take_notes(struct workspace *workspace, struct feed_notes *io_notes);
void feed_tell_notes(struct workspace *workspace, struct feed_notes *notes);
void feed_drop_notes(struct feed_notes *notes);

/* Tells at once. Any thread. */
void feed_tell(struct workspace *workspace, const char *type, struct buf *data);

/* The same, and nothing after it. */
void feed_end(struct workspace *workspace, const char *type, struct buf *data);

/* -- in words (feed_words.c); nothing where there is no feed ------------------------------------
 */

/* A job was made; or has moved as `change` says. The writer's thread, in a transaction. */
void feed_note_job(const struct workspace *workspace, const struct job *job);
void feed_note_transition(const struct workspace *workspace, const struct job *job,
                          const struct job_change *change);

/* An attempt has ended, and the delivery is as it is now. Likewise. */
void feed_note_attempt(const struct workspace *workspace, const struct delivery *delivery,
                       const struct attempt_row *attempt);

/* Any thread. */
void feed_tell_clock(struct workspace *workspace);
void feed_tell_hit(struct workspace *workspace, const struct rule *rule,
                   const struct rule_hit *hit);
void feed_tell_request(struct workspace *workspace, const struct journal_entry *entry);
void feed_tell_reset(struct workspace *workspace);
void feed_tell_deleted(struct workspace *workspace);

#endif
