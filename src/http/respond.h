/* Answers. Each request gets exactly one; HTTP threads only. */
#ifndef UNDERSTUDY_HTTP_RESPOND_H
#define UNDERSTUDY_HTTP_RESPOND_H

#include "base/buf.h"
#include "http/request.h"

extern const char content_type_json[];     /* application/json; charset=utf-8 (H1) */
extern const char content_type_problem[];  /* application/problem+json (C4) */
extern const char content_type_text[];     /* text/plain; charset=utf-8 (C4) */
extern const char content_type_html[];     /* text/html; charset=utf-8 */
extern const char content_type_yaml[];     /* application/yaml */
extern const char content_type_markdown[]; /* text/markdown; charset=utf-8 */
extern const char content_type_xml[];      /* application/xml */
extern const char content_type_events[];   /* text/event-stream */
extern const char content_type_metrics[];  /* text/plain; version=0.0.4; charset=utf-8 */

/* Adds a header to the answer that follows. `name` is static; the value is copied. */
void respond_header(struct request *request, const char *name, const char *value);

/* Adds Retry-After: whole seconds. */
void respond_retry_after(struct request *request, int64_t seconds);

/*
 * Answers with `body`, which is emptied. `content_type` is one of the above. When memory ran out
 * while the body was written, the answer is a 500 instead.
 */
void respond(struct request *request, int status, const char *content_type, struct buf *body);

/* Answers with a body that outlives the server. */
void respond_static(struct request *request, int status, const char *content_type, const char *body,
                    size_t len);

/* Answers 204: no body, no content type. */
void respond_empty(struct request *request);

#endif
