/*
 * The sender: one thread that sends all callbacks, by curl_multi. What it is to send it reads from
 * the store, in the order of the numbers that the deliveries were given (engine/delivery.h); what
 * came of it goes to the writer as a delivery_end. It keeps a queue for each receiver (host and
 * port), so that a slow one holds up no other: at most SENDER_AT_ONCE attempts to each are under
 * way, and SENDER_IN_ALL. What waits in a queue is a few words of memory; the rest is read when its
 * turn comes.
 *
 * Each attempt has a connection of its own, which is what is written down.
 */
#ifndef UNDERSTUDY_ENGINE_SENDER_H
#define UNDERSTUDY_ENGINE_SENDER_H

#include "base/err.h"
#include "engine/reach.h"
#include "engine/trust.h"

#include <stddef.h>
#include <stdint.h>

struct engine;
struct workspace;
struct sender;

enum {
    SENDER_AT_ONCE = 8,
    SENDER_IN_ALL = 512,
};

struct sender_options {
    const struct reach *reach; /* outlives the sender */
    const struct trust *trust; /* likewise; NULL: whom libcurl trusts */
    const char *version;       /* of the User-Agent */
    size_t in_all;             /* attempts at once; 0: SENDER_IN_ALL */
};

/* Before any delivery is begun. The strings of the options outlive it. */
int sender_start(struct engine *engine, const struct sender_options *options,
                 struct sender **ret_sender, struct err *err);

/* NULL is fine. Attempts under way are given up; they are made again at the next start. */
void sender_stop(struct sender *sender);

/*
 * The workspace was reset or deleted: attempts at deliveries that it has no more are given up, and
 * then `done(arg)` is called, on the sender's thread, or from within where `sender` is NULL. `done`
 * may be NULL. Any thread.
 */
void sender_forget(struct sender *sender, struct workspace *workspace, void (*done)(void *arg),
                   void *arg);

#endif
