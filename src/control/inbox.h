/* Inboxes, as the control plane takes and shows them. HTTP threads. */
#ifndef UNDERSTUDY_CONTROL_INBOX_H
#define UNDERSTUDY_CONTROL_INBOX_H

#include "base/buf.h"
#include "http/request.h"
#include "store/inbox.h"

/*
 * The headers that a request came with, as a JSON object in their order; those of one name joined
 * by ", ". Not whole are secrets of ours: in Authorization an API key that some workspace has, in
 * any of them the control token.
 */
void inbox_put_headers(struct request *request, struct buf *out);

/* Where it was sent to, in full, but for the control token. */
void inbox_put_url(struct request *request, struct buf *out);

/* Writes a message; `name` is its inbox's. */
void inbox_put_message(struct buf *out, const char *name, const struct inbox_message *message);

#endif
