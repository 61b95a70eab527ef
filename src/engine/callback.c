#include "engine/callback.h"

enum { TIMEOUT_MS = 15000, CONNECT_TIMEOUT_MS = 5000 };

int64_t callback_timeout(const struct settings_row *settings)
{
    return settings->given & GIVEN_CALLBACK_TIMEOUT ? settings->callback.timeout : TIMEOUT_MS;
}

int64_t callback_connect_timeout(const struct settings_row *settings)
{
    return settings->given & GIVEN_CALLBACK_CONNECT_TIMEOUT ? settings->callback.connect_timeout
                                                            : CONNECT_TIMEOUT_MS;
}

bool callback_is_on(const struct settings_row *settings, enum job_status status)
{
    return !(settings->given & GIVEN_CALLBACK_ON) || settings->callback.on & 1U << status;
}

bool callback_retry(const struct settings_row *settings, int64_t tries, int64_t *ret_ms,
                    bool *ret_varies)
{
    (void)settings;
    (void)tries;
    (void)ret_ms;
    (void)ret_varies;
    return false;
}

int callback_map(const struct settings_row *settings, const char *url, struct buf *out)
{
    (void)settings;
    buf_puts(out, url);
    return buf_failed(out) ? ERR_NO_MEMORY : 0;
}
