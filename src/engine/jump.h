/*
 * An auto clock's jumps, as an operation of one or several steps (engine/engine.h): after a GET of
 * an unfinished job to that job's next event, and, where a wait of the control plane is blocked
 * with nothing in flight, to the next event of the workspace. What is due on the way fires too, in
 * order, and what is due at the same instant. Where the clock is not auto, or somebody has taken
 * it, it does nothing; nor does a wait's while an attempt at a callback is under way, from which
 * more may follow. A GET's does: who handles a callback may poll another job meanwhile.
 */
#ifndef UNDERSTUDY_ENGINE_JUMP_H
#define UNDERSTUDY_ENGINE_JUMP_H

#include "engine/engine.h"
#include "store/job.h"

struct jump {
    struct operation operation; /* its status: 0, or the error of the last step */
    bool moved;                 /* out: an event was found, and has fired */

    /* jump.c's */
    char job[ID_HEX_SIZE];
    enum job_status seen;
    bool over, arrived;
    int64_t last;
    void (*wake)(void *arg);
    void *arg;
};

/* Whether a GET that shows this makes the clock jump: the job is moved by a timer, and the clock is
 * auto and not taken. Any thread. */
bool jump_follows(const struct workspace *workspace, const struct job *job);

/*
 * Jumps until `job`, which was seen in the state that it says, has left that; NULL: to the next
 * event of the workspace. `wake(arg)` follows once all is committed, on the writer's thread or from
 * within; until then the caller keeps `jump` and a reference to the workspace. Any thread.
 */
void jump_begin(struct jump *jump, struct engine *engine, struct workspace *workspace,
                const struct job *job, void (*wake)(void *arg), void *arg);

#endif
