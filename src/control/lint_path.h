/* "Did you mean …?" of paths. Pure; any thread. */
#ifndef UNDERSTUDY_CONTROL_LINT_PATH_H
#define UNDERSTUDY_CONTROL_LINT_PATH_H

#include "base/buf.h"
#include "http/router.h"

/*
 * Whether a path that is none of theirs is nearly one of these APIs': a slash at its end or
 * doubled, another case, a letter or two, nothing in the place of an id, or another beginning
 * before what tells the API (/scenario-studio/jobs, /rest/v2/…). Paths that the real service may
 * well have, such as /api/projects/p, are not. Appends the path, and the one that was
 * meant, both with {job_id} and the like in the place of ids; either may be NULL.
 */
bool lint_path_meant(const struct api *const *apis, size_t count, const char *method,
                     const char *path, struct buf *shown, struct buf *meant);

#endif
