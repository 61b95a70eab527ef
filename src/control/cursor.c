#include "control/cursor.h"

#include "base/duration.h"
#include "engine/journal.h"
#include "engine/rules.h"
#include "engine/workspace.h"
#include "store/delivery.h"
#include "store/inbox.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

/* In their order; two are always written. */
static const size_t places[CURSOR_PARTS] = {
    offsetof(struct cursor, jobs),       offsetof(struct cursor, requests),
    offsetof(struct cursor, workspaces), offsetof(struct cursor, rules),
    offsetof(struct cursor, webhooks),   offsetof(struct cursor, inbox),
    offsetof(struct cursor, journal),    offsetof(struct cursor, at),
    offsetof(struct cursor, sent),       offsetof(struct cursor, place),
    offsetof(struct cursor, step),       offsetof(struct cursor, told),
    offsetof(struct cursor, attempts),
};
enum { ALWAYS_WRITTEN = 2 };

static int64_t *part(const struct cursor *cursor, size_t index)
{
    return (int64_t *)((char *)cursor + places[index]);
}

void cursor_format(const struct cursor *cursor, char ret_text[CURSOR_SIZE])
{
    size_t count = CURSOR_PARTS;
    int len = 0;
    while (count > ALWAYS_WRITTEN && !*part(cursor, count - 1))
        count--;
    for (size_t i = 0; i < count; i++)
        len += snprintf(ret_text + len, CURSOR_SIZE - (size_t)len, "%s%lld", i ? "." : "",
                        (long long)*part(cursor, i));
}

bool cursor_parse(const char *text, struct cursor *ret_cursor)
{
    struct cursor cursor = {0};
    for (size_t i = 0;; i++) {
        char digits[CURSOR_SIZE];
        size_t len = strcspn(text, ".");
        if (i == CURSOR_PARTS || len >= sizeof digits)
            return false;
        memcpy(digits, text, len);
        digits[len] = '\0';
        if (number_parse(digits, part(&cursor, i), NULL) < 0)
            return false;
        if (!text[len])
            break;
        text += len + 1;
    }
    *ret_cursor = cursor;
    return true;
}

struct cursor cursor_now(struct workspace *workspace)
{
    struct journal *journal = workspace->journal;
    return (struct cursor){.jobs = atomic_load(&workspace->events.jobs),
                           .requests = atomic_load(&workspace->requests),
                           .rules = workspace_newest_rule(workspace),
                           .journal = journal ? journal_newest(journal) : 0};
}

int cursor_complete(struct workspace *workspace, struct db *db, struct cursor *io_cursor)
{
    int64_t pk = workspace->row.pk;
    int status = delivery_last(db, pk, &io_cursor->webhooks);
    return status < 0 ? status : inbox_last(db, pk, &io_cursor->inbox);
}
