/* How a workspace's callbacks are delivered, as its settings say. Pure; any thread. */
#ifndef UNDERSTUDY_ENGINE_CALLBACK_H
#define UNDERSTUDY_ENGINE_CALLBACK_H

#include "base/buf.h"
#include "base/err.h"
#include "store/job.h"
#include "store/workspace.h"

#include <stdbool.h>
#include <stdint.h>

/* Real ms that an attempt may take, and that its connection may take to be there. */
int64_t callback_timeout(const struct settings_row *settings);
int64_t callback_connect_timeout(const struct settings_row *settings);

/* Whether this end of a job is told. */
bool callback_is_on(const struct settings_row *settings, enum job_status end);

/*
 * The wait before the try that follows `tries` tries of the schedule, on the workspace's clock;
 * false: none follows. *ret_varies: it is varied by 10 % either way.
 */
bool callback_retry(const struct settings_row *settings, int64_t tries, int64_t *ret_ms,
                    bool *ret_varies);

/*
 * Appends where a callback goes: the place of the longest prefix in callback_map with what follows
 * the prefix in the URL, that of "*" as it is, or the URL itself. ERR_NO_MEMORY, ERR_CORRUPT.
 */
int callback_map(const struct settings_row *settings, const char *url, struct buf *out);

#endif
