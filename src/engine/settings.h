/* The settings of a workspace, as JSON gives them. Any thread. */
#ifndef UNDERSTUDY_ENGINE_SETTINGS_H
#define UNDERSTUDY_ENGINE_SETTINGS_H

#include "base/complaint.h"
#include "engine/workspace.h"

extern const struct field settings_fields[];
extern const size_t settings_field_count;

/* Which settings are to be what; the others stay. */
struct settings_change {
    struct settings_row row; /* `given`: of these, which to change; GIVEN_* */
    bool sets_jitter, sets_rate, sets_any_key, sets_public_url;
    bool sets_retries, sets_map, sets_secrets;
    bool sets_lint;
    bool may_keep_secrets; /* in: null in place of one stands for what is there already */
};

/* Reads an object; its fields are named after `prefix`. ERR_INVALID with a complaint. */
int settings_take(const json_t *object, const char *prefix, struct settings_change *change,
                  struct complaint *complaint);

void settings_change(const struct settings_change *change, struct settings_row *settings);

/*
 * Puts secrets of `before` where `settings`, which were read with `may_keep_secrets`, leave them
 * out: the first for the first. ERR_NOT_FOUND: *ret_index has none there; ERR_NO_MEMORY.
 */
int settings_keep_secrets(struct settings_row *settings, const struct settings_row *before,
                          size_t *ret_index);

/* How secrets are written: null, which keeps them where it is put back; by their ends, by which
 * their owner knows them; or as they are. */
enum settings_secrets { SECRETS_LEFT_OUT, SECRETS_SHOWN_BY_END, SECRETS_SHOWN_WHOLE };

struct settings_view {
    const struct settings *server; /* what counts where the workspace has none of its own; NULL:
                                      only its own are written */
    const char *public_url;        /* likewise; NULL: none */
    enum settings_secrets secrets;
};

/* Writes settings as a JSON object. */
void settings_put(struct buf *out, const struct settings_row *own,
                  const struct settings_view *view);

#endif
