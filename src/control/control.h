/*
 * What belongs to neither documented API: whether the server is alive and ready, the OpenAPI
 * documents, an answer for every path that is nobody's, and the control plane under /_mock.
 */
#ifndef UNDERSTUDY_CONTROL_CONTROL_H
#define UNDERSTUDY_CONTROL_CONTROL_H

#include "control/access.h"
#include "control/metrics.h"
#include "engine/engine.h"
#include "http/router.h"

/* All of it must outlive the server. */
struct control_options {
    struct access_policy policy;
    const char *version;
    const char *options_json;      /* the options in force, as a JSON object without secrets */
    const struct api *const *apis; /* those whose outcomes rules may ask for */
    size_t api_count;
};

struct outcome_index;

struct control {
    struct engine *engine;
    struct control_options options;
    struct api api;                 /* what no other API covers */
    struct api mock;                /* /_mock, and /metrics, which is guarded likewise */
    struct outcome_index *outcomes; /* control/outcome_of.h */
    struct metrics metrics;
};

/* Sets both up; everything given must outlive the server, and the APIs must be set up already.
 * ERR_NO_MEMORY. Zeroes are fine to finish. */
int control_init(struct control *control, struct engine *engine,
                 const struct control_options *options);
void control_finish(struct control *control);

#endif
