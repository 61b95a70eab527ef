/* A delivery as the control plane shows it: in a list by its newest attempt, by itself with all
 * that are kept. HTTP threads. */
#ifndef UNDERSTUDY_CONTROL_WEBHOOK_VIEW_H
#define UNDERSTUDY_CONTROL_WEBHOOK_VIEW_H

#include "base/buf.h"
#include "http/request.h"
#include "store/delivery_list.h"

#include <stdbool.h>

/* Appends one of a list. */
void webhook_put_item(struct buf *out, const struct delivery_item *item);

/* Answers 200 with one that was read; `reveal`: the values of callback_headers too. */
void webhook_answer(struct request *request, const struct delivery *delivery, bool reveal);

/* Answers 404: the workspace has none of the id in the path. */
void webhook_refuse(struct request *request);

#endif
