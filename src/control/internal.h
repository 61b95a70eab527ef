/* Inside the control room. HTTP threads. */
#ifndef UNDERSTUDY_CONTROL_INTERNAL_H
#define UNDERSTUDY_CONTROL_INTERNAL_H

#include "control/control.h"

extern const struct route control_routes[];
extern const size_t control_route_count;

void health_handler(struct request *request);    /* health.c */
void readiness_handler(struct request *request); /* health.c */
void openapi_handler(struct request *request);   /* openapi.c */

#endif
