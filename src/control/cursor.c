#include "control/cursor.h"

#include "base/duration.h"
#include "engine/rules.h"
#include "engine/workspace.h"

#include <stdio.h>
#include <string.h>

void cursor_format(const struct cursor *cursor, char ret_text[CURSOR_SIZE])
{
    int len = snprintf(ret_text, CURSOR_SIZE, "%lld.%lld", (long long)cursor->jobs,
                       (long long)cursor->requests);
    if (cursor->workspaces || cursor->rules)
        len += snprintf(ret_text + len, CURSOR_SIZE - (size_t)len, ".%lld",
                        (long long)cursor->workspaces);
    if (cursor->rules)
        snprintf(ret_text + len, CURSOR_SIZE - (size_t)len, ".%lld", (long long)cursor->rules);
}

bool cursor_parse(const char *text, struct cursor *ret_cursor)
{
    int64_t parts[CURSOR_PARTS] = {0};
    for (size_t i = 0;; i++) {
        char digits[CURSOR_SIZE];
        size_t len = strcspn(text, ".");
        if (i == CURSOR_PARTS || len >= sizeof digits)
            return false;
        memcpy(digits, text, len);
        digits[len] = '\0';
        if (number_parse(digits, &parts[i], NULL) < 0)
            return false;
        if (!text[len])
            break;
        text += len + 1;
    }
    *ret_cursor = (struct cursor){
        .jobs = parts[0], .requests = parts[1], .workspaces = parts[2], .rules = parts[3]};
    return true;
}

struct cursor cursor_now(struct workspace *workspace)
{
    return (struct cursor){.jobs = atomic_load(&workspace->events.jobs),
                           .requests = atomic_load(&workspace->requests),
                           .rules = workspace_newest_rule(workspace)};
}
