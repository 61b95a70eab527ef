/*
 * What a rule has a job's callback do, as {"do":{"webhook":…}} says it: kept with the job as that
 * JSON, and read when its deliveries are made. Any thread.
 */
#ifndef UNDERSTUDY_ENGINE_WEBHOOK_H
#define UNDERSTUDY_ENGINE_WEBHOOK_H

#include "base/err.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct rule_place;

enum { WEBHOOK_DUPLICATE_MAX = 100 };

struct webhook {
    int64_t duplicate;  /* how many in all; 1 */
    int64_t delay;      /* ms of the workspace's clock; 0 */
    bool drop;          /* none is sent */
    bool hold;          /* until it is released */
    bool before_answer; /* the job ends as it is made; who made it hears of it after the callback */
    int64_t truncate;   /* bytes of the body that are sent; -1: all */
    const json_t *body; /* in place of the job's, borrowed: a text as it is, else JSON; NULL */
};

/* Reads the object at `place`'s member "webhook". ERR_INVALID with a complaint. */
int webhook_take(const struct rule_place *above, const json_t *object, struct webhook *ret_webhook);

/* Reads what is kept with a job; *ret_document, the caller's, is what it borrows from. ERR_CORRUPT.
 */
int webhook_load(const char *text, json_t **ret_document, struct webhook *ret_webhook);

#endif
