/*
 * How a workspace has its callbacks delivered: what its settings say, or else their defaults. Pure;
 * any thread.
 */
#ifndef UNDERSTUDY_ENGINE_CALLBACK_H
#define UNDERSTUDY_ENGINE_CALLBACK_H

#include "base/buf.h"
#include "store/job.h"
#include "store/workspace.h"

/* How long an attempt may take, and its connection of that; real ms. */
int64_t callback_timeout(const struct settings_row *settings);
int64_t callback_connect_timeout(const struct settings_row *settings);

/* Whether an end in that state is told. */
bool callback_is_on(const struct settings_row *settings, enum job_status status);

/*
 * How long is waited before the try that follows `tries` tries, on the workspace's clock; false:
 * none follows. *ret_varies: the seed says how far it differs.
 */
bool callback_retry(const struct settings_row *settings, int64_t tries, int64_t *ret_ms,
                    bool *ret_varies);

/* Where a callback to `url` goes. ERR_NO_MEMORY. */
int callback_map(const struct settings_row *settings, const char *url, struct buf *out);

#endif
