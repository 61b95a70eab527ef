/*
 * Inside the sender (engine/sender.h): what it knows, and what is done in a turn of its loop. All
 * of it is its thread's, but for what says otherwise.
 */
#ifndef UNDERSTUDY_ENGINE_SENDER_INTERNAL_H
#define UNDERSTUDY_ENGINE_SENDER_INTERNAL_H

#include "base/heap.h"
#include "engine/attempt.h"
#include "engine/internal.h"
#include "engine/receivers.h"

#include <pthread.h>

enum store_use { READING, WRITING };
enum { STORE_USES = WRITING + 1 };

struct sender {
    struct engine *engine;
    struct sender_options options;
    CURLM *multi;
    pthread_t thread;
    bool has_thread;
    atomic_llong given; /* the last number that is committed */
    atomic_bool woken, stopping;

    pthread_mutex_t lock;
    struct forgetting *forgettings; /* under the lock */
    struct attempt *written;        /* likewise: the writer is done with them, well or not */

    /* The thread's. */
    struct db *db;
    int64_t read; /* the number up to which deliveries are queued */
    struct receivers receivers;
    struct attempt *under_way;
    struct heap answers;      /* of these, those to inboxes: when they get their answers */
    size_t under_way_count;   /* of these, those with libcurl */
    size_t unwritten_count;   /* those with the writer, and the unsaved */
    struct attempt *unsaved;  /* that the writer refused */
    int64_t retry_at;         /* real: not earlier than this, after a failure; 0 */
    bool failing[STORE_USES]; /* and that was said */
};

/* Has the loop take another turn. Any thread. */
void sender_wake(struct sender *sender);

/* Says once that a use of the store fails, which is tried again, and once that it works. */
void sender_note(struct sender *sender, enum store_use use, int status);

/* -- sender_given.c: what is to be sent ----------------------------------------------------------
 */

/* Queues some of what was given since; whether there may be more. */
void sender_read_given(struct sender *sender);
bool sender_has_given(const struct sender *sender);

/* Begins some of the attempts that there is room for; whether there are more. */
void sender_begin_attempts(struct sender *sender);
bool sender_has_room(const struct sender *sender);

/* ERR_NOT_FOUND: it is not to be sent any more. */
int sender_look_up(struct sender *sender, const struct waiting *waiting,
                   struct delivery *ret_delivery);

/* libcurl has no memory for an attempt: that is no failure of its receiver, and it is begun again
 * after a while, in which the receiver gets one less at a time. */
void sender_put_off(struct sender *sender, struct attempt *attempt);
void sender_begin_again(struct sender *sender);

/* Takes an attempt from libcurl, or from those whose answer is to come. */
void sender_end_attempt(struct sender *sender, struct attempt *attempt);

/* Its receiver has room again, where it has not yet. */
void sender_leave_receiver(struct sender *sender, struct attempt *attempt);

/* -- sender_written.c: what came of it -----------------------------------------------------------
 */

/* Hands what came of an attempt to the writer. */
void sender_write(struct sender *sender, struct attempt *attempt);

/* The same, of those that libcurl is done with, and of those whose answer comes now. */
void sender_write_ended(struct sender *sender);
void sender_write_answered(struct sender *sender);

/* Those that the writer is done with are over, or are to be written once more; writes these. */
void sender_take_written(struct sender *sender);
void sender_write_unsaved(struct sender *sender);

/* Frees these: they are made again at the next start. */
void sender_drop_unsaved(struct sender *sender);

#endif
