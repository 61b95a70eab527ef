/*
 * RFC 9457 problem documents: the errors of whatever belongs to neither documented API (H3, C4).
 * HTTP threads.
 */
#ifndef UNDERSTUDY_HTTP_PROBLEM_H
#define UNDERSTUDY_HTTP_PROBLEM_H

#include "base/buf.h"
#include "http/router.h"

/*
 * Answers {type: "urn:understudy:<name>", title, status, detail, hint?}; `hint` is NULL where there
 * is nothing to advise. The same as lines of text where the client prefers that.
 */
void problem_answer(struct request *request, int status, const char *name, const char *title,
                    const char *detail, const char *hint);

/* What a problem says beyond that: members as JSON, each with a comma before it, and the same in
 * words, in whole lines. Either may be NULL. */
struct problem_more {
    const char *members, *lines;
};

void problem_answer_more(struct request *request, int status, const char *name, const char *title,
                         const char *detail, const char *hint, const struct problem_more *more);

/* The same, written: returns its content type. `request` NULL: as JSON. */
const char *problem_write(struct request *request, struct buf *out, int status, const char *name,
                          const char *title, const char *detail, const char *hint);
const char *problem_write_refusal(struct request *request, struct buf *out,
                                  const struct refusal *refusal);

/* struct api's refuse. */
void problem_refuse(struct request *request, const struct refusal *refusal);

#endif
