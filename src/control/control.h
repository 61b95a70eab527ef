/*
 * What belongs to neither documented API: whether the server is alive and ready, the OpenAPI
 * documents, and an answer for every path that is nobody's.
 */
#ifndef UNDERSTUDY_CONTROL_CONTROL_H
#define UNDERSTUDY_CONTROL_CONTROL_H

#include "engine/engine.h"
#include "http/router.h"

struct control {
    struct engine *engine;
    struct api api;
};

/* Sets it up; everything given must outlive the server. */
void control_init(struct control *control, struct engine *engine);

#endif
