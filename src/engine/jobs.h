/*
 * What the Studio API asks of the engine, as operations (engine/engine.h): their `run` fills in the
 * outcome, whose refusals have written nothing. Inputs are borrowed until the sender is woken.
 */
#ifndef UNDERSTUDY_ENGINE_JOBS_H
#define UNDERSTUDY_ENGINE_JOBS_H

#include "engine/rules.h"
#include "store/session.h"

/* POST of a job or of a session: S12 (known request id), S8, S9, in this order (S10). */
enum create_outcome { CREATE_NEW, CREATE_KNOWN, CREATE_NO_MEMBER, CREATE_NO_SOURCE };

struct job_create {
    struct operation operation;
    struct job_input input;
    const char *base;             /* of urls, at most URL_BASE_SIZE - 1 bytes */
    bool is_member;               /* whether input.user_email is one */
    struct plan plan;             /* what is said of it: plan_init() where nothing is */
    struct rule_subject *subject; /* what rules say, above that; NULL: nothing */
    enum create_outcome outcome;
    struct job job; /* CREATE_NEW, CREATE_KNOWN */
    /* Of that new job, which has ended already: what is sent before anybody is answered; else "".
     */
    char delivery[ID_HEX_SIZE];
};

struct session_create {
    struct operation operation;
    struct session_input input;
    const char *base;
    bool is_member;
    enum create_outcome outcome;
    struct session session; /* CREATE_NEW, CREATE_KNOWN */
};

/* DELETE of a job (S16, S17, S22). */
enum cancel_outcome { CANCEL_DONE, CANCEL_NO_JOB, CANCEL_ENDED };

struct job_cancel {
    struct operation operation;
    const char *id;
    enum cancel_outcome outcome;
    struct job job; /* CANCEL_DONE; CANCEL_ENDED: as it ended */
};

/* A visit to a session's page, which starts its job, once (S13). */
struct session_open {
    struct operation operation;
    const char *id;
    struct rule_subject *subject; /* as in struct job_create */
    char job[ID_HEX_SIZE];        /* out: the session's; "" */
};

/* The `run` of each, for operation_init(). */
int job_create_run(struct write *write, struct db *db);
int job_cancel_run(struct write *write, struct db *db);
int session_create_run(struct write *write, struct db *db);
int session_open_run(struct write *write, struct db *db);

#endif
