/*
 * Rules, between an API and its handlers: finds those that match a request, uses up what acts, and
 * has it carried out. HTTP threads.
 */
#ifndef UNDERSTUDY_CONTROL_INTERCEPT_H
#define UNDERSTUDY_CONTROL_INTERCEPT_H

#include "engine/engine.h"
#include "http/router.h"

/* What the APIs call before their handlers; `about` is a struct rule_subject. `engine` must outlive
 * the server. */
struct hook intercept_hook(struct engine *engine);

#endif
