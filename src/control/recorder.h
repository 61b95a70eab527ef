/*
 * Counts each request (control/metrics.h); tells those to both APIs and the pages to whoever
 * listens to their workspace (engine/feed.h); and writes these down in its journal
 * (engine/journal.h), with what writes through the control plane. What is secret stays out. HTTP
 * threads.
 */
#ifndef UNDERSTUDY_CONTROL_RECORDER_H
#define UNDERSTUDY_CONTROL_RECORDER_H

#include "control/control.h"
#include "http/record.h"

/* What the server calls; `control` must outlive it. */
struct recorder recorder_of(struct control *control);

#endif
