/*
 * What is remembered of a workspace's requests when the journal has long forgotten them: how often
 * each outcome was answered, what was found wrong with the client (control/lint.h), how its
 * request_ids were used and how its jobs were polled.
 *
 * A workspace has one from its beginning to its end, where there is a journal. What counts "ever"
 * outlives resets; what counts "now" begins anew at each. When the workspace ends, its tally is
 * merged into that of its run (engine/runs.h). Everything is bounded; what there was no room for is
 * counted.
 *
 * Noting a read takes no lock: threads count for themselves, and a job that is known is found
 * without one. Noting what writes takes the tally's lock for a moment.
 */
#ifndef UNDERSTUDY_ENGINE_TALLY_H
#define UNDERSTUDY_ENGINE_TALLY_H

#include "base/buf.h"
#include "base/id.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    TALLY_OUTCOMES_MAX = 512, /* numbers of outcomes; the caller's, control/outcome_of.h */
    TALLY_FINDINGS_MAX = 64,  /* kinds of findings; the caller's, control/lint.h: bits of a set */
    TALLY_JOBS_MAX = 10000,   /* that are told one by one, of a workspace or a run */
    TALLY_IDS_MAX = 10000,    /* request_ids, likewise */
};

struct tally;

/* How a job was polled. Real times in ms. */
struct tally_job {
    char job[ID_HEX_SIZE];
    int64_t polls;             /* GETs of it that were answered with it */
    int64_t after_end;         /* of these, those after one had shown its end */
    int64_t shortest;          /* between two of them; -1: fewer than two */
    int64_t first_at, last_at; /* of the polls; 0: none */
    bool made;                 /* by a request, that is; else by a state or a session's page */
    bool end_seen;             /* a poll or a cancel has shown its end */
    bool called_back;          /* a callback of it was answered with 2xx */
};

/* How a request_id was used. */
struct tally_request_id {
    const char *operation;  /* static: createScenarioJob or createScenarioStudioSession */
    const char *request_id; /* the tally's */
    int64_t sent;           /* requests with it */
    int64_t made;           /* that were answered with something new */
    int64_t known;          /* that were answered with what was there */
    int64_t failed;         /* that were answered with an error, or not at all */
    int64_t other_bodies;   /* that differed from the first in more than white space */
};

#endif
