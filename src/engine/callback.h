/* How a workspace's callbacks are delivered, as its settings say. Pure; any thread. */
#ifndef UNDERSTUDY_ENGINE_CALLBACK_H
#define UNDERSTUDY_ENGINE_CALLBACK_H

#include "store/workspace.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Whether another try follows the first `tries` (at least 1) where they failed; *ret_ms is how long
 * after it, of the workspace's clock, and *ret_varies whether that is varied by 10 % either way.
 */
bool callback_retry(const struct settings_row *settings, int64_t tries, int64_t *ret_ms,
                    bool *ret_varies);

#endif
