#include "engine/callback.h"

#include "base/duration.h"

#include <jansson.h>
#include <string.h>

/* What Standard Webhooks propose, and its users are used to. */
static const char *const standard[] = {"5s", "5m", "30m", "2h", "5h", "10h", "10h"};
enum { STANDARD = sizeof standard / sizeof *standard };

bool callback_retry(const struct settings_row *settings, int64_t tries, int64_t *ret_ms,
                    bool *ret_varies)
{
    const char *text = settings->callback.retries, *wait = NULL;
    json_t *list = NULL;
    *ret_varies = strcmp(text, "\"standard\"") == 0;
    if (*ret_varies) {
        wait = tries <= STANDARD ? standard[tries - 1] : NULL;
    } else if (*text) {
        list = json_loads(text, 0, NULL);
        wait = json_string_value(json_array_get(list, (size_t)tries - 1));
    }
    bool is_there = wait && duration_parse(wait, ret_ms, NULL) == 0;
    json_decref(list);
    return is_there;
}
