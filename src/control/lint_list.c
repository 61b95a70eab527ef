/* listFindings: what is wrong with the client under test, as its requests have shown it. */
#include "base/blot.h"
#include "control/internal.h"
#include "control/lint.h"
#include "control/lint_late.h"
#include "control/lint_where.h"
#include "control/list.h"
#include "engine/journal.h"
#include "http/respond.h"

#include <string.h>

struct lint_query {
    const char *since;
    struct field_whole severity, id;
};

#define TO(member_) .offset = offsetof(struct lint_query, member_)

const struct param lint_list_params[] = {
    {"severity", PARAM_WORD, "error, warning or info", .words = lint_severity_names, TO(severity)},
    {"id", PARAM_WORD, "the id of a finding", .words = finding_names, TO(id)},
    {"since", PARAM_TEXT, "a cursor that this server gave", TO(since)},
};
const size_t lint_list_param_count = sizeof lint_list_params / sizeof *lint_list_params;

struct lint {
    struct lint_groups *groups;
    struct lint_late *late; /* NULL: nothing of that is wanted, or there */
    uint64_t wanted;        /* findings */
    int64_t considered;
    const struct journal_entry *entry; /* that is looked at */
    int status;
};

uint64_t lint_ignored(struct request *request)
{
    struct workspace *workspace = mock_workspace(request);
    return workspace ? atomic_load(&workspace->lint_ignored) : 0;
}

/* -- looking ----------------------------------------------------------------------------------- */

static void add_place(void *arg, enum finding finding, const char *where)
{
    struct lint *lint = arg;
    const struct journal_entry *entry = lint->entry;
    int64_t at = entry->at >= 0 ? entry->at : entry->sent_at;
    struct lint_group found = {.finding = finding,
                               .operation = entry->operation_id,
                               .where = where,
                               .count = 1,
                               .first_at = at,
                               .last_at = at,
                               .requests = {entry->number},
                               .request_count = 1};
    int status = lint_groups_add(lint->groups, &found);
    if (status < 0)
        lint->status = status;
}

static void look_at(struct lint *lint, const struct control *control,
                    const struct journal_entry *entry)
{
    struct lint_where where = {.apis = control->options.apis,
                               .api_count = control->options.api_count,
                               .visit = add_place,
                               .arg = lint};
    uint64_t findings = entry->findings & lint->wanted;
    if (entry->is_control)
        return;
    lint->considered++;
    lint->entry = entry;
    int status = findings ? lint_where_each(&where, entry, findings) : 0;
    if (lint->late)
        lint_late_see(lint->late, entry);
    if (status < 0)
        lint->status = status;
}

static int prepare(struct request *request, struct lint *lint)
{
    const struct workspace *workspace = mock_workspace(request);
    uint64_t late = lint->wanted & ~(finding_bit((enum finding)REQUEST_FINDINGS) - 1);
    lint->groups = lint_groups_create();
    if (!lint->groups)
        return ERR_NO_MEMORY;
    if (!workspace || !late)
        return 0;
    struct err err;
    struct db *db = store_reader(engine_store(control_of(request)->engine), &err);
    return db ? lint_late_create(workspace, db, late, &lint->late) : ERR_IO;
}

/* Those after `since`. */
static int look(struct request *request, struct lint *lint, struct journal *journal, int64_t since)
{
    struct journal_entry **entries;
    size_t count;
    int status = prepare(request, lint);
    if (status < 0 || !journal_read(journal, since, INT64_MAX, &entries, &count))
        return status < 0 ? status : ERR_NO_MEMORY;
    for (size_t i = 0; i < count && lint->status == 0; i++)
        look_at(lint, control_of(request), entries[i]);
    journal_release_all(entries, count);
    if (lint->status == 0 && lint->late)
        lint->status = lint_late_add(lint->late, !since, lint->groups);
    return lint->status;
}

/* -- the handler ------------------------------------------------------------------------------- */

static bool read_query(struct request *request, struct journal *journal, struct lint *lint,
                       struct cursor *ret_since)
{
    struct lint_query query = {.since = NULL};
    if (!params_read(request, &query))
        return false;
    if (query.since &&
        (!cursor_parse(query.since, ret_since) || ret_since->journal > journal_newest(journal))) {
        list_refuse_since(request, false);
        return false;
    }
    lint->wanted = ~lint_ignored(request);
    if (query.id.given)
        lint->wanted &= finding_bit((enum finding)query.id.value);
    for (int i = 0; query.severity.given && i < FINDINGS; i++)
        if (lint_kinds[i].severity != (enum lint_severity)query.severity.value)
            lint->wanted &= ~finding_bit((enum finding)i);
    return true;
}

static void answer(struct request *request, struct journal *journal, const struct lint *lint,
                   int64_t since)
{
    struct journal_loss loss = journal_evicted(journal);
    struct buf body = BUF_INIT;
    buf_puts(&body, "{\"items\":[");
    lint_groups_put(lint->groups, &body);
    buf_printf(&body, "],\"considered\":%lld,\"left_out\":%lld,\"complete\":%s}",
               (long long)lint->considered, (long long)lint_groups_left_out(lint->groups),
               loss.newest > since ? "false" : "true");
    if (body.data) /* the journal's texts have no API keys left; the addresses of late ones may */
        blot_keys(body.data, body.len, true);
    respond(request, 200, content_type_json, &body);
}

void lint_handler(struct request *request)
{
    struct journal *journal = control_journal(request);
    struct cursor since = {.journal = 0};
    struct lint lint = {.groups = NULL};
    if (!journal || !read_query(request, journal, &lint, &since))
        return;
    int status = look(request, &lint, journal, since.journal);
    if (status < 0)
        router_fail(request, status, "cannot read the journal");
    else
        answer(request, journal, &lint, since.journal);
    lint_late_destroy(lint.late);
    lint_groups_destroy(lint.groups);
}
