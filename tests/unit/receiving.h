/*
 * An engine without a sender, whose test is the receiver of its callbacks: an attempt ends when the
 * test says so.
 */
#ifndef UNDERSTUDY_TESTS_RECEIVING_H
#define UNDERSTUDY_TESTS_RECEIVING_H

#include <pthread.h>
#include <stdbool.h>

#include "engine/advance.h"
#include "engine/delivery.h"

enum { SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE };
#define BASE INT64_C(4000000000000) /* what the tests' clocks show first */

extern struct store *store;
extern struct engine *engine;
extern struct workspace *workspace; /* the default one; jobs take 10 s and 290 s */
extern struct advance advance;      /* the one that a test has at a time */

/* A fixture. */
void receiving_begin(void);
void receiving_end(void);

/* Somebody who is woken once. */
struct wait {
    pthread_mutex_t lock;
    pthread_cond_t woken;
    int wakes;
};
#define WAIT                                                                                       \
    {                                                                                              \
        PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0                                     \
    }

void wake(void *arg);
void await(struct wait *wait);

int operate(struct operation *operation); /* its status, once it is over */

/* The workspace's clock, from now on; its callbacks' retries, as settings show them. */
void set_mode(enum clock_mode mode, int64_t now);
void set_retries(const char *json);

/* A job; where `end_in` is 0 or more, with a callback, and ending after so long. */
struct job create(int64_t end_in);
enum job_status status_of(const struct job *job);

/* An advance: what is asked, its beginning, and its end; or until it waits for somebody, when all
 * that it was to do first is done. */
struct advance *prepare(enum advance_until until, int64_t amount);
void start(void);
enum advance_outcome finish(void);
void let_wait(void);

/* The next attempt that begins, whether one has, and its end; the delivery as it is then. */
struct delivery take(void);
bool has_begun(void);
struct delivery answer(const struct delivery *delivery, enum attempt_outcome outcome,
                       int64_t retry_after);

#endif
