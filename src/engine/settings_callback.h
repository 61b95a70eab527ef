/* Those settings that say how callbacks are delivered; for engine/settings.c. */
#ifndef UNDERSTUDY_ENGINE_SETTINGS_CALLBACK_H
#define UNDERSTUDY_ENGINE_SETTINGS_CALLBACK_H

#include "engine/settings.h"

#define CALLBACK_RETRIES_MAX 20

/* As the fields of settings have them. */
struct settings_callback {
    struct field_whole timeout, connect_timeout;
    const json_t *retries, *map, *on, *secrets;
};

/* Of enum job_status; the names that callback_on may have, NULL-terminated, and what they are. */
extern const char *const callback_on_names[];
extern const unsigned callback_on_bits[];

/* For their fields: what can be told without saying which member is wrong. */
bool settings_check_timeout(const json_t *value);
bool settings_check_retries(const json_t *value);
bool settings_check_secrets(const json_t *value);

/* Reads the rest into a change. ERR_INVALID with a complaint, ERR_NO_MEMORY. */
int settings_take_callback(const struct settings_callback *body, const char *prefix,
                           struct settings_change *change, struct complaint *complaint);

#endif
