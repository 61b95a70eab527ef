/* Inside the Scenarios API: what its handlers share. HTTP threads. */
#ifndef UNDERSTUDY_SCENARIOS_INTERNAL_H
#define UNDERSTUDY_SCENARIOS_INTERNAL_H

#include "base/buf.h"
#include "base/fields.h"
#include "engine/rules.h"
#include "http/outcome.h"
#include "http/router.h"
#include "scenarios/scenarios.h"
#include "store/project_scenario.h"

extern const struct route scenario_routes[];
extern const size_t scenario_route_count;

/* What the operations may answer (outcomes.c). */
extern const struct outcome scenario_outcomes[];
extern const size_t scenario_outcome_count;

/* The fields of both bodies, in the document's order; PUT requires none. */
extern const struct field scenario_fields[];
extern const size_t scenario_field_count;

/* What a body gave. */
struct scenario_body {
    struct field_text name, instructions;
    const json_t *messages;
    struct field_whole max_messages;
    struct field_text success_criteria, failure_criteria, failure_criteria_mode;
    const json_t *evaluators, *persona_ids;
};

/* -- project.c: whose project it is (E10) -------------------------------------------------------
 */

/* struct api's admit, deny and leave. */
bool project_admit(struct request *request, const struct route *route);
void project_deny(struct request *request);
void project_begin(struct request *request);
void project_leave(struct request *request);

/* The workspace that the project belongs to; the request holds the reference. */
struct workspace *project_workspace(struct request *request);

/* The request among the workspace's rules. */
struct rule_subject *project_subject(struct request *request);

/* The same as struct api's `about`: NULL where the request was refused before it came to that. */
void *project_about(struct request *request);

/* -- errors.c: {"error": message} ---------------------------------------------------------------
 */

enum scenarios_error {
    SCENARIOS_NOT_JSON,     /* E11; the value says why */
    SCENARIOS_NO_OBJECT,    /* E11 */
    SCENARIOS_NO_NAME,      /* E2, E4 */
    SCENARIOS_NOT_FOUND,    /* E3 to E5 */
    SCENARIOS_NO_PROJECT,   /* E10; the project */
    SCENARIOS_NO_WORKSPACE, /* H7; the slug */
    SCENARIOS_GONE,
    SCENARIOS_NAME_TAKEN, /* E2, E4; the name */
    SCENARIOS_MEDIA_TYPE, /* E11; the type */
};

/* Answers with an error, whose message has `value` in it where it is about one. */
void scenarios_error(struct request *request, enum scenarios_error error, const char *value);

/* The bodies: of an error, of a field with a wrong value (E8), of a refusal. */
void scenarios_put_error(struct buf *out, enum scenarios_error error, const char *value);
void scenarios_put_wrong(struct buf *out, const struct field *field);
void scenarios_put_refusal(struct buf *out, const struct refusal *refusal);

/* struct api's refuse and write_refusal. */
extern const char scenarios_failure[]; /* that of 500 (H6) */
const char *scenarios_write_refusal(struct buf *out, const struct refusal *refusal);
void scenarios_refuse(struct request *request, const struct refusal *refusal);

/* -- body.c --------------------------------------------------------------------------------------
 */

/*
 * Reads the body (E2, E8, E11). `creating`: a name is required. False: the request was answered
 * with what is wrong.
 */
bool scenarios_read_body(struct request *request, bool creating, struct scenario_body *ret_body);

/* The one serializer of a scenario (E6). */
void scenario_put_json(struct buf *out, const struct project_scenario *scenario);

/* -- handlers ------------------------------------------------------------------------------------
 */

void scenario_list_handler(struct request *request);
void scenario_get_handler(struct request *request);
void scenario_create_handler(struct request *request);
void scenario_update_handler(struct request *request);
void scenario_delete_handler(struct request *request);

#endif
