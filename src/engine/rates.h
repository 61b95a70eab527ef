/*
 * Rate limits (S26): for each key the times of the requests that were let through, so that windows
 * slide exactly. Times are the workspace's clock's. Any thread.
 */
#ifndef UNDERSTUDY_ENGINE_RATES_H
#define UNDERSTUDY_ENGINE_RATES_H

#include "store/workspace.h"

struct rates;

struct rates *rates_create(void); /* NULL: out of memory */
void rates_destroy(struct rates *rates);

/* Forgets every request. */
void rates_clear(struct rates *rates);

/*
 * Whether the key may make a request now; if so it is counted. Else *ret_wait is how long it must
 * wait, in ms. A key for which there is no memory is let through.
 */
bool rates_take(struct rates *rates, const unsigned char hash[KEY_HASH_SIZE],
                const struct rate_limit *limit, bool creates, int64_t now, int64_t *ret_wait);

#endif
