/* Carries out what a rule does to a request. HTTP threads. */
#ifndef UNDERSTUDY_CONTROL_PERFORM_H
#define UNDERSTUDY_CONTROL_PERFORM_H

#include "engine/action.h"
#include "http/request.h"

/*
 * In the place of request_handle(), once: answers, now or later, as `action` says, and calls
 * request_handle() where the request is to do what it does. ACTION_JOB, ACTION_WEBHOOK,
 * ACTION_TRANSITION and ACTION_NONE change nothing here: whoever knows them has seen to them
 * before. An outcome that does not fit the request's operation changes nothing either.
 *
 * `rule_id` is for the log. `action`, with its strings, must last until this returns; what is still
 * needed then is copied.
 */
void perform_action(struct request *request, const struct action *action, const char *rule_id);

#endif
