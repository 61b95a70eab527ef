/*
 * What a rule does to a request, instead of or after what the request does by itself. Plain data;
 * strings belong to the rule that has them.
 */
#ifndef UNDERSTUDY_ENGINE_ACTION_H
#define UNDERSTUDY_ENGINE_ACTION_H

#include "engine/plan.h"
#include "engine/webhook.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum action_kind {
    ACTION_NONE,       /* the rule only watches */
    ACTION_JOB,        /* what becomes of the job that the request makes: `plan` */
    ACTION_WEBHOOK,    /* what becomes of its callback: `webhook` */
    ACTION_ANSWER,     /* {"respond":{status, body?, headers?}} */
    ACTION_OUTCOME,    /* {"respond":"<outcome>", "retry_after"?} */
    ACTION_DELAY,      /* {"delay":"3s"}: then as usual */
    ACTION_TRANSITION, /* {"transition":{"to":…}}: moves the request's job, then as usual */
    ACTION_DROP,       /* {"drop":"before"|"after_commit"} */
    ACTION_TRUNCATE,   /* {"truncate":40}: bytes of the answer's body */
    ACTION_DRIP,       /* {"drip":"10B/s"} */
    ACTION_HANG,       /* {"hang":"60s"}, then the connection is reset */
    ACTION_GARBAGE,    /* {"garbage":true} */
};

enum {
    /* As an answer has room for them, the content type that is added included. */
    ACTION_HEADERS_MAX = 16,
    ACTION_HEADER_BYTES_MAX = 2048,
};

struct action_header {
    const char *name, *value;
};

struct action {
    enum action_kind kind;
    bool after_commit;        /* the request does what it does; only then this */
    struct plan plan;         /* ACTION_JOB; ACTION_TRANSITION: error and scenario */
    struct webhook webhook;   /* ACTION_WEBHOOK, */
    const char *webhook_text; /* and as it is kept with the job */
    int64_t amount;           /* ms of delay or hang, bytes to truncate at, bytes a second */
    int to;                   /* ACTION_TRANSITION: enum job_status */
    int status;               /* ACTION_ANSWER */
    const char *body;         /* likewise, as it is to be sent; NULL: none */
    size_t body_len;
    const struct action_header *headers;
    size_t header_count;
    const char *outcome; /* ACTION_OUTCOME: the whole or the short name, as it was given */
    int64_t retry_after; /* likewise: seconds; -1: not said */
};

#endif
