/*
 * Writes each request down in the journal of the workspace that it belongs to (engine/journal.h):
 * those to both APIs and the pages, and what writes through the control plane. What is secret stays
 * out. HTTP threads.
 */
#ifndef UNDERSTUDY_CONTROL_RECORDER_H
#define UNDERSTUDY_CONTROL_RECORDER_H

#include "control/control.h"
#include "http/record.h"

/* What the server calls; `control` must outlive it. */
struct recorder recorder_of(struct control *control);

#endif
