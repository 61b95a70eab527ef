/* The settings of a workspace, as JSON gives them. Any thread. */
#ifndef UNDERSTUDY_ENGINE_SETTINGS_H
#define UNDERSTUDY_ENGINE_SETTINGS_H

#include "base/complaint.h"
#include "store/workspace.h"

extern const struct field settings_fields[];
extern const size_t settings_field_count;

/* Which settings are to be what; the others stay. */
struct settings_change {
    struct settings_row row; /* `given`: of these, which to change; GIVEN_* */
    bool sets_jitter, sets_rate, sets_any_key, sets_public_url;
};

/* Reads an object; its fields are named after `prefix`. ERR_INVALID with a complaint. */
int settings_take(const json_t *object, const char *prefix, struct settings_change *change,
                  struct complaint *complaint);

void settings_change(const struct settings_change *change, struct settings_row *settings);

#endif
