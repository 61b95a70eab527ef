/* The Scenarios API under /api: rules E1 to E11 of the contract. No authentication. */
#ifndef UNDERSTUDY_SCENARIOS_SCENARIOS_H
#define UNDERSTUDY_SCENARIOS_SCENARIOS_H

#include "engine/engine.h"
#include "http/router.h"

#include <stdbool.h>

struct scenarios {
    struct engine *engine;
    bool strict_projects;  /* only the workspaces' own projects exist (E10) */
    struct hook intercept; /* before each handler, about a struct rule_subject; set it once */
    struct api api;        /* /api */
};

/* Sets the API up; everything given must outlive the server. */
void scenarios_init(struct scenarios *scenarios, struct engine *engine, bool strict_projects);

#endif
