/* What all answers of a verification have in common. */
#include "base/blot.h"
#include "base/json.h"
#include "control/internal.h"
#include "control/verify.h"
#include "http/problem.h"

#include <string.h>

/* -- requests that belong to no workspace ------------------------------------------------------ */

static void count_key(struct unattributed *all, const char *key)
{
    size_t known = 0;
    all->keyed++;
    while (known < all->keys && known < sizeof all->key / sizeof *all->key &&
           strcmp(all->key[known], key) != 0)
        known++;
    if (known < all->keys || known == sizeof all->key / sizeof *all->key)
        return;
    memcpy(all->key[all->keys++], key, sizeof *all->key);
}

/* When the last request before the cursor was sent, where that is still there. */
static int64_t began_at(const struct verify *verify)
{
    int64_t since = verify->since.journal;
    struct journal_entry *entry = since ? journal_find(verify->journal, since) : NULL;
    int64_t at = entry ? entry->sent_at : 0;
    journal_entry_release(entry);
    return at;
}

void verify_count_unattributed(struct request *request, const struct verify *verify,
                               struct unattributed *ret)
{
    struct journal *nobodys = engine_nobodys_journal(control_of(request)->engine);
    int64_t since = began_at(verify);
    struct journal_entry **entries;
    size_t count;
    *ret = (struct unattributed){.count = 0};
    if (!nobodys || !journal_read(nobodys, 0, INT64_MAX, &entries, &count))
        return;
    for (size_t i = 0; i < count; i++) {
        if (entries[i]->sent_at < since)
            continue;
        ret->count++;
        if (*entries[i]->key)
            count_key(ret, entries[i]->key);
        else
            ret->keyless++;
    }
    journal_release_all(entries, count);
    if (!since)
        ret->count += journal_evicted(nobodys).count;
}

void verify_put_unattributed(struct buf *out, const struct unattributed *all)
{
    if (!all->count)
        return;
    buf_puts(out, "; ");
    if (all->keyed) {
        buf_printf(out, "%lld came with ", (long long)all->keyed);
        buf_puts(out, all->keys > 1 ? "unknown keys " : "an unknown key ");
        for (size_t i = 0; i < all->keys; i++)
            buf_printf(out, "%s…%s", i ? ", " : "", all->key[i]);
    }
    if (all->keyless)
        buf_printf(out, "%s%lld %s", all->keyed ? " and " : "", (long long)all->keyless,
                   all->keyed ? "without a key" : "came without a key");
    if (!all->keyed && !all->keyless)
        buf_printf(out, "%lld came that belong to no workspace", (long long)all->count);
}

void verify_put_unanswered(struct buf *out, int unanswered)
{
    if (unanswered)
        buf_printf(out, "; %d %s not answered yet", unanswered,
                   unanswered == 1 ? "request is" : "requests are");
}

int verify_put_sums(struct request *request, const struct verify *verify, int64_t unattributed,
                    struct db *db, struct buf *out)
{
    struct cursor now = cursor_now(mock_workspace(request));
    char text[CURSOR_SIZE];
    int status = cursor_complete(mock_workspace(request), db, &now);
    if (!verify->rules)
        now.journal = verify->until; /* what came since then was not looked at */
    cursor_format(&now, text);
    buf_printf(out, "\"considered\":%lld,\"unattributed\":%lld,\"cursor\":\"%s\"",
               (long long)verify->considered, (long long)unattributed, text);
    return status;
}

/* -- 409 --------------------------------------------------------------------------------------- */

void verify_tell_first(struct request *request, struct verify_refusal *refusal)
{
    const char *line = refusal->lines.data;
    if (request_prefers_text(request) || buf_failed(&refusal->lines) || !line)
        return;
    buf_puts(&refusal->detail, ". The nearest is ");
    for (bool is_head = true; *line && (is_head || *line == ' '); is_head = false) {
        size_t len = strcspn(line, "\n"), indent = strspn(line, " ");
        buf_append(&refusal->detail, line + indent, len - indent);
        line += len + 1;
        if (*line == ' ')
            buf_puts(&refusal->detail, is_head ? " " : "; ");
    }
}

static void blot(struct buf *text)
{
    if (text->data)
        blot_keys(text->data, text->len, true);
}

void verify_refuse(struct request *request, int status, struct verify_refusal *refusal)
{
    struct buf *parts[] = {&refusal->detail, &refusal->hint, &refusal->members, &refusal->lines};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        if (buf_failed(parts[i]))
            status = ERR_NO_MEMORY;
        blot(parts[i]);
    }
    if (status < 0)
        router_fail(request, status, "cannot read the journal");
    else
        problem_answer_more(request, 409, refusal->name, "Conflict",
                            refusal->detail.data ? refusal->detail.data : "", refusal->hint.data,
                            &(struct problem_more){refusal->members.data, refusal->lines.data});
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        buf_finish(parts[i]);
}
