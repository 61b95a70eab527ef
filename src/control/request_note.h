/*
 * A request to one of the APIs, told to the tally of its workspace (engine/tally.h) when it is
 * over. What only reads pays for little; of what creates, the body is looked at. HTTP threads.
 */
#ifndef UNDERSTUDY_CONTROL_REQUEST_NOTE_H
#define UNDERSTUDY_CONTROL_REQUEST_NOTE_H

#include "control/control.h"
#include "http/record.h"

struct journal_entry;
struct outcome_operation;
struct tally;

/*
 * Counts it: what it shows about its client together with those before it comes back as a set of
 * findings, which are not counted yet, without those of time where the clock is not real. `entry`
 * has all but its texts; `workspace` NULL: it belongs to none; `operation` NULL: it is none of
 * theirs.
 */
uint64_t request_note(const struct control *control, struct request *request,
                      const struct request_end *end, struct workspace *workspace,
                      const struct outcome_operation *operation, struct tally *tally,
                      const struct journal_entry *entry);

#endif
