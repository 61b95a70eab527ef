/*
 * The one way in which a request to the control plane waits (C9): look; where it is not yet so,
 * suspend until something has happened in the workspace that may change it; look again. No thread
 * waits.
 *
 *     struct mine { struct control_wait wait; … };
 *
 *     struct mine *mine = control_wait_state(request, sizeof *mine);
 *     mine->wait.kinds = EVENT_JOB; mine->wait.ms = …; mine->wait.look = …; mine->wait.tell = …;
 *     control_wait(request);
 *
 * Where the time runs out the answer is 409 `wait_expired`, where it can no longer come true 409
 * `wait_impossible` at once, where nobody was to wait (`ms` 0) 409 `not_so`; `tell` says why (C5).
 * A reset or deletion of the workspace ends it with 409, the server's stop with 503.
 *
 * In a workspace whose clock is `auto`, a wait with nothing in flight jumps to what is due next.
 *
 * A wait is a request: as long as it is under way, the workspace's ttl does not run. HTTP threads.
 */
#ifndef UNDERSTUDY_CONTROL_WAIT_H
#define UNDERSTUDY_CONTROL_WAIT_H

#include "base/buf.h"
#include "control/journal_match.h"
#include "engine/events.h"
#include "engine/jump.h"
#include "http/request.h"

enum wait_look {
    LOOK_ANSWERED, /* the request was: it is so, or something is wrong with it */
    LOOK_NOT_YET,
    LOOK_NEVER, /* it can no longer come true */
};

/* The first member of the request's state. The handler sets the first part. */
struct control_wait {
    unsigned kinds; /* of enum event_kind: what may change what `look` finds */
    int64_t ms;     /* real time; 0: look once */
    enum wait_look (*look)(struct request *request, struct control_wait *self);
    /* After LOOK_NOT_YET or LOOK_NEVER: why, and what to do about it. `hint` may stay empty. */
    void (*tell)(struct request *request, struct control_wait *self, struct buf *detail,
                 struct buf *hint);

    /* Instead of `tell`, for a 409 of its own: answers, whichever of these it is. Or NULL. */
    void (*refuse)(struct request *request, struct control_wait *self);

    /* Whether one request that was written down (EVENT_JOURNAL) may change what `look` finds; NULL:
       each may. Called by the thread that wrote it down, when nobody looks, with a lock held. */
    bool (*minds)(struct control_wait *self, struct journal_request *asked);

    /* Releases what the state owns; or NULL. Once, at the request's end. */
    void (*finish)(struct control_wait *self);

    struct waiter waiter; /* the rest is wait.c's */
    struct jump jump;
    bool open, passed, jumped_in_vain;
};

/* The request's state, of `size` zero bytes, that begins with a struct control_wait, as early as
 * possible: a reset after it ends the wait. NULL: answered. */
void *control_wait_state(struct request *request, size_t size);

/* Looks, and waits. */
void control_wait(struct request *request);

/* Whether it has waited already. What then is not there any more went with a reset or deletion,
 * which is about to end the wait: it is no 404, but LOOK_NOT_YET. */
bool control_wait_is_open(const struct control_wait *wait);

/*
 * Appends why time has not brought it yet: "the clock is manual, next event in 40s: POST
 * /_mock/clock/advance". Without a look into the store where that fails.
 */
void wait_tell_clock(struct request *request, struct buf *out);

/* Answers that a wait is over for good: WAIT_RESET, WAIT_DELETED or WAIT_STOPPED. */
void control_refuse_end(struct request *request, enum wait_end end);

#endif
