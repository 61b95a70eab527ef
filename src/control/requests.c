/* listRequests, getRequest and deleteRequests: what the client under test sent (engine/journal.h).
 */
#include "control/internal.h"
#include "control/list.h"
#include "control/request_filter.h"
#include "control/request_view.h"
#include "control/wait.h"
#include "engine/finding.h"
#include "http/respond.h"

#include "base/duration.h"

#include <string.h>

/* So many entries before the first that is shown are looked at for the one that it repeats. */
enum { LOOK_BACK = 1024 };

/* -- listRequests: what is asked --------------------------------------------------------------- */

static const char *const formats[] = {"json", "har", NULL};

struct request_list_query {
    struct request_filter_params filter;
    struct field_whole finding, format;
    struct list_params list;
};

const struct param request_list_params[] = {
    REQUEST_FILTER_PARAMS(struct request_list_query, filter),
    {"finding", PARAM_WORD, "the id of a finding that requests show",
     .words = finding_request_names, .offset = offsetof(struct request_list_query, finding)},
    {"format", PARAM_WORD, "json or har", .words = formats,
     .offset = offsetof(struct request_list_query, format)},
    LIST_SINCE_PARAM(struct request_list_query, list),
    LIST_LIMIT_PARAM(struct request_list_query, list),
    LIST_MIN_PARAM(struct request_list_query, list),
    LIST_WAIT_PARAM(struct request_list_query, list),
};
const size_t request_list_param_count = sizeof request_list_params / sizeof *request_list_params;

struct request_list {
    struct control_wait wait; /* of no use for what is nobody's */
    struct list_query query;
    struct journal *journal;
    int64_t workspace; /* its key; 0: nobody's */
    struct request_filter filter;
    uint64_t findings; /* any of these; 0: whether there are any or not */
    uint64_t ignored;  /* findings that are not shown */
    bool har;
    int64_t after; /* the last entry that was counted, and how many were */
    int64_t found;
    uint64_t ahead; /* bit n: the entry n + 1 after that does not fit; set while nobody looks */
};

/* -- looking ----------------------------------------------------------------------------------- */

/* 1, 0 or an error. */
static int fits(const struct request_list *list, const struct journal_entry *entry, struct db *db)
{
    if (list->findings && !(entry->findings & list->findings & ~list->ignored))
        return 0;
    return request_filter_fits(&list->filter, entry, db, list->workspace);
}

/* How many fit in (after, until], at most `max`, and how many there are; or an error. */
static int count(const struct request_list *list, struct db *db, int64_t after, int64_t until,
                 int64_t max, int64_t *ret_fit, int64_t *ret_all)
{
    struct journal_entry **entries;
    size_t number;
    int status = 0;
    *ret_fit = *ret_all = 0;
    if (!journal_read(list->journal, after, until, &entries, &number))
        return ERR_NO_MEMORY;
    for (size_t i = 0; i < number && status >= 0 && *ret_fit < max; i++) {
        status = fits(list, entries[i], db);
        *ret_fit += status > 0;
        *ret_all += !entries[i]->is_control;
    }
    journal_release_all(entries, number);
    return status < 0 ? status : 0;
}

/* Writes those in (since, io_now->journal]; where it ends early, io_now becomes its end. */
static int put_items(struct request *request, const struct request_list *list, struct db *db,
                     struct buf *out, struct cursor *io_now)
{
    int64_t since = list->query.since.journal, shown = 0;
    struct journal_entry **entries;
    size_t number;
    int status = 0;
    if (!journal_read(list->journal, since > LOOK_BACK ? since - LOOK_BACK : 0, io_now->journal,
                      &entries, &number))
        return ERR_NO_MEMORY;
    for (size_t i = 0; i < number; i++) {
        if (entries[i]->number <= since || (status = fits(list, entries[i], db)) == 0)
            continue;
        if (status < 0)
            break;
        struct request_view view = {.entry = entries[i],
                                    .outcomes = control_of(request)->outcomes,
                                    .ignored = list->ignored,
                                    .retry_of = request_view_retry_of(entries, i)};
        buf_puts(out, shown++ ? "," : "");
        (list->har ? request_view_put_har : request_view_put)(out, &view);
        if (shown >= list->query.limit || out->len >= LIST_BYTES_MAX) {
            io_now->journal = entries[i]->number;
            break;
        }
    }
    journal_release_all(entries, number);
    return status < 0 ? status : 0;
}

static void answer_har(struct request *request, struct buf *body, const struct cursor *cursor)
{
    char text[CURSOR_SIZE];
    cursor_format(cursor, text);
    request_view_end_har(body, text);
    respond(request, 200, content_type_json, body);
}

static void answer_list(struct request *request, const struct request_list *list, struct db *db,
                        struct cursor now)
{
    struct buf body = BUF_INIT;
    struct journal_loss loss;
    if (list->har)
        request_view_begin_har(&body, control_of(request)->options.version);
    else
        buf_puts(&body, "{\"items\":[");
    struct workspace *workspace = mock_workspace(request);
    int status = workspace ? cursor_complete(workspace, db, &now) : 0;
    if (status == 0)
        status = put_items(request, list, db, &body, &now);
    if (status < 0) {
        buf_finish(&body);
        router_fail(request, status, "cannot read the journal");
        return;
    }
    loss = journal_evicted(list->journal); /* after: what was lost meanwhile is told */
    if (list->har) {
        answer_har(request, &body, &now);
        return;
    }
    buf_printf(&body, "],\"evicted\":%lld,\"complete\":%s,\"cursor\":\"", (long long)loss.count,
               loss.newest > list->query.since.journal ? "false" : "true");
    char text[CURSOR_SIZE];
    cursor_format(&now, text);
    buf_printf(&body, "%s\"}", text);
    respond(request, 200, content_type_json, &body);
}

static struct cursor present(struct request *request, const struct request_list *list)
{
    struct workspace *workspace = mock_workspace(request);
    if (workspace)
        return cursor_now(workspace);
    return (struct cursor){.journal = journal_newest(list->journal)};
}

static enum wait_look look_at_list(struct request *request, struct control_wait *self)
{
    struct request_list *list = (struct request_list *)self;
    struct cursor now = present(request, list);
    int64_t missing = list->query.min - list->found, fit = 0, all;
    struct db *db = control_reader(request);
    if (!db)
        return LOOK_ANSWERED;
    int status = missing > 0 ? count(list, db, list->after, now.journal, missing, &fit, &all) : 0;
    if (status < 0) {
        router_fail(request, status, "cannot read the journal");
        return LOOK_ANSWERED;
    }
    if (fit < missing) {
        list->after = now.journal; /* what was counted never changes */
        list->ahead = 0;
        list->found += fit;
        return LOOK_NOT_YET;
    }
    answer_list(request, list, db, now);
    return LOOK_ANSWERED;
}

/*
 * One that does not fit need not be counted when it is looked at again. They come in the order of
 * their numbers, but for those that are written down at the same time.
 */
static bool minds_entry(struct control_wait *self, struct journal_request *asked)
{
    enum { AHEAD_MAX = 64 };
    struct request_list *list = (struct request_list *)self;
    int64_t place = asked->entry->number - list->after - 1;
    if (place < 0)
        return false;
    if (place >= AHEAD_MAX || request_filter_fits_asked(&list->filter, asked) != 0)
        return true;
    list->ahead |= UINT64_C(1) << place;
    for (; list->ahead & 1; list->ahead >>= 1)
        list->after++;
    return false;
}

static void tell_list(struct request *request, struct control_wait *self, struct buf *detail,
                      struct buf *hint)
{
    const struct request_list *list = (struct request_list *)self;
    struct db *db = store_reader(engine_store(control_of(request)->engine), NULL);
    struct journal *nobodys = engine_nobodys_journal(control_of(request)->engine);
    int64_t fit = 0, all = 0;
    if (!db || count(list, db, list->query.since.journal, journal_newest(list->journal), INT64_MAX,
                     &fit, &all) < 0) {
        buf_puts(detail, "The journal cannot be read");
        return;
    }
    buf_printf(detail,
               "%lld of the %lld requests that were asked for have come; %lld others do not fit",
               (long long)fit, (long long)list->query.min, (long long)(all - fit));
    if (journal_evicted(list->journal).newest > list->query.since.journal)
        buf_puts(detail, ", and there were more, for which there is no room any more");
    if (!all && list->journal != nobodys && journal_newest(nobodys) > 0)
        buf_puts(hint, "Some requests belong to no workspace, for want of its key, for one: "
                       "GET /_mock/requests?workspace=_none");
}

/* -- the handler ------------------------------------------------------------------------------- */

static bool read_list(struct request *request, struct request_list *list)
{
    struct request_list_query query = {.list = {0}};
    if (!params_read(request, &query) || !list_read(request, &query.list, &list->query) ||
        !request_filter_read(request, &query.filter, &list->filter))
        return false;
    if (list->query.since.journal > journal_newest(list->journal)) {
        list_refuse_since(request, false);
        return false;
    }
    if (list->query.wait && !mock_workspace(request)) {
        control_problem(request, 422, "invalid_parameter",
                        "wait must be left out where workspace is _none: only what happens in a "
                        "workspace can be waited for",
                        NULL);
        return false;
    }
    if (query.finding.given)
        list->findings = finding_bit((enum finding)query.finding.value);
    list->ignored = lint_ignored(request);
    list->har = query.format.value == 1;
    list->after = list->query.since.journal;
    return true;
}

static void finish_list(struct control_wait *self)
{
    request_filter_finish(&((struct request_list *)self)->filter);
}

static void finish_nobodys_list(void *self)
{
    finish_list(self);
}

/* Nobody's list is looked at once. */
static void answer_nobodys(struct request *request, struct journal *journal)
{
    struct request_list *list = request_new_state(request, sizeof *list, finish_nobodys_list);
    if (!list) {
        router_fail(request, ERR_NO_MEMORY, NULL);
        return;
    }
    list->journal = journal;
    if (!read_list(request, list) || look_at_list(request, &list->wait) == LOOK_ANSWERED)
        return;
    struct buf detail = BUF_INIT, hint = BUF_INIT;
    tell_list(request, &list->wait, &detail, &hint);
    control_problem(request, 409, "not_so", detail.data ? detail.data : "", NULL);
    buf_finish(&detail);
    buf_finish(&hint);
}

void mock_request_list_handler(struct request *request)
{
    struct journal *journal = control_journal(request);
    if (!journal)
        return;
    if (!mock_workspace(request)) {
        answer_nobodys(request, journal);
        return;
    }
    struct request_list *list = control_wait_state(request, sizeof *list);
    if (!list)
        return;
    list->wait.finish = finish_list;
    list->journal = journal;
    list->workspace = mock_workspace(request)->row.pk;
    if (!read_list(request, list))
        return;
    list->wait.kinds = EVENT_JOURNAL;
    list->wait.ms = list->query.wait;
    list->wait.minds = minds_entry;
    list->wait.look = look_at_list;
    list->wait.tell = tell_list;
    control_wait(request);
}

/* -- getRequest -------------------------------------------------------------------------------- */

/* The newest entry of that X-Request-Id; 0. */
static int64_t number_of(struct journal *journal, const char *id)
{
    struct journal_entry **entries;
    size_t count;
    int64_t number = 0;
    if (!journal_read(journal, 0, INT64_MAX, &entries, &count))
        return 0;
    for (size_t i = count; i-- > 0 && !number;)
        if (!entries[i]->is_control && strcmp(entries[i]->id, id) == 0)
            number = entries[i]->number;
    journal_release_all(entries, count);
    return number;
}

static bool put_entry(struct request *request, struct journal *journal, int64_t number,
                      struct buf *out)
{
    struct journal_entry **entries;
    size_t count;
    bool found = false;
    if (!journal_read(journal, number > LOOK_BACK ? number - LOOK_BACK : 0, number, &entries,
                      &count))
        return false;
    if (count && entries[count - 1]->number == number && !entries[count - 1]->is_control) {
        found = true;
        request_view_put(
            out, &(struct request_view){.entry = entries[count - 1],
                                        .outcomes = control_of(request)->outcomes,
                                        .ignored = lint_ignored(request),
                                        .retry_of = request_view_retry_of(entries, count - 1)});
    }
    journal_release_all(entries, count);
    return found;
}

void mock_request_get_handler(struct request *request)
{
    const char *id = request_param(request, 0);
    struct journal *journal = control_journal(request);
    struct buf body = BUF_INIT;
    int64_t number;
    if (!journal)
        return;
    if (number_parse(id, &number, NULL) < 0)
        number = number_of(journal, id);
    if (number > 0 && put_entry(request, journal, number, &body)) {
        respond(request, 200, content_type_json, &body);
        return;
    }
    buf_finish(&body);
    control_problem(request, 404, "request_not_found",
                    journal_evicted(journal).newest >= number && number > 0
                        ? "The request is not in the journal any more, for want of room"
                        : "The journal has no request of this number or X-Request-Id",
                    "GET /_mock/requests lists them");
}

/* -- deleteRequests ---------------------------------------------------------------------------- */

void mock_requests_delete_handler(struct request *request)
{
    struct journal *journal = control_journal(request);
    struct buf body = BUF_INIT;
    if (!journal)
        return;
    if (mock_workspace(request))
        atomic_store(&mock_workspace(request)->past.forgotten, journal_newest(journal));
    buf_printf(&body, "{\"deleted\":%zu}", journal_clear(journal));
    respond(request, 200, content_type_json, &body);
}
