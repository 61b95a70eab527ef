/* Whether values may be what they are given for: for tables of fields. Pure; any thread. */
#ifndef UNDERSTUDY_ENGINE_CHECK_H
#define UNDERSTUDY_ENGINE_CHECK_H

#include <jansson.h>
#include <stdbool.h>

bool check_slug(const json_t *value); /* of a workspace: a DNS label in lower case */
bool check_project_id(const json_t *value);
bool check_name(const json_t *value);   /* likewise: 1 to 255 bytes */
bool check_run(const json_t *value);    /* a run's label: 1 to 200 bytes */
bool check_ttl(const json_t *value);    /* a duration above zero */
bool check_member(const json_t *value); /* an address, or a pattern of one */
bool check_scenario_name(const json_t *value);
bool check_scenario_slug(const json_t *value);
bool check_error_code(const json_t *value);
bool check_error_message(const json_t *value);
bool check_api_key(const json_t *value); /* of the form that keys have (S1) */

#endif
