/* verifyRequests: the wait, and the answers about requests. */
#include "control/verify.h"

#include "base/json.h"
#include "control/internal.h"
#include "control/outcome_of.h"
#include "control/request_view.h"
#include "http/respond.h"

#include <stdio.h>
#include <stdlib.h>

/* -- answers ----------------------------------------------------------------------------------- */

/* `"matched":…,"requests":[…],"left_out":…` */
static void put_requests(struct request *request, const struct verify *verify, struct buf *out)
{
    int64_t shown = 0;
    buf_printf(out, "\"matched\":%lld,\"requests\":[", (long long)verify->matched);
    for (size_t i = 0; i < verify->witness_count; i++) {
        const struct witness *witness = &verify->witnesses[i];
        struct journal_entry *entry =
            witness->is_shown ? journal_find(verify->journal, witness->number) : NULL;
        if (!entry) /* or it was evicted after it was looked at */
            continue;
        struct request_view view = {.entry = entry, .outcomes = control_of(request)->outcomes};
        buf_puts(out, shown++ ? "," : "");
        request_view_put_short(out, &view);
        journal_entry_release(entry);
    }
    buf_printf(out, "],\"left_out\":%lld,", (long long)(verify->matched - shown));
}

/* `"order":{"steps":3,"reached":1,"requests":[5]}`, or null where none was asked for. */
static void put_order(const struct verify *verify, const struct verdict *verdict, struct buf *out)
{
    if (!verify->step_count) {
        buf_puts(out, "\"order\":null,");
        return;
    }
    buf_printf(out, "\"order\":{\"steps\":%zu,\"reached\":%zu,\"requests\":[", verify->step_count,
               verdict->reached);
    for (size_t i = 0; i < verdict->reached; i++)
        buf_printf(out, "%s%lld", i ? "," : "", (long long)verdict->steps[i]);
    buf_puts(out, "]},");
}

static int put_members(struct request *request, const struct verify *verify,
                       const struct verdict *verdict, int64_t unattributed, struct db *db,
                       struct buf *out)
{
    put_requests(request, verify, out);
    put_order(verify, verdict, out);
    return verify_put_sums(request, verify, unattributed, db, out);
}

static void answer(struct request *request, const struct verify *verify,
                   const struct verdict *verdict, struct db *db)
{
    struct unattributed unattributed;
    struct buf body = BUF_INIT;
    verify_count_unattributed(request, verify, &unattributed);
    buf_putc(&body, '{');
    int status = put_members(request, verify, verdict, unattributed.count, db, &body);
    buf_putc(&body, '}');
    if (status < 0) {
        buf_finish(&body);
        router_fail(request, status, "cannot read the workspace's cursor");
    } else {
        respond(request, 200, content_type_json, &body);
    }
}

/* -- why it is not so -------------------------------------------------------------------------- */

/* "exactly 1 was expected" */
static void put_expected(const struct verify *verify, struct buf *out)
{
    long long min = (long long)verify->min, max = (long long)verify->max;
    if (max == 0)
        buf_puts(out, "none was");
    else if (verify->is_exact)
        buf_printf(out, "exactly %lld %s", max, max == 1 ? "was" : "were");
    else if (max < 0)
        buf_printf(out, "at least %lld %s", min, min == 1 ? "was" : "were");
    else if (min > 0)
        buf_printf(out, "%lld to %lld were", min, max);
    else
        buf_printf(out, "at most %lld %s", max, max == 1 ? "was" : "were");
    buf_puts(out, " expected");
}

static void put_count(const struct verify *verify, struct buf *out)
{
    buf_printf(out, "%lld of %lld requests %s, and ", (long long)verify->matched,
               (long long)verify->considered, verify->matched == 1 ? "fits" : "fit");
    put_expected(verify, out);
}

static void put_none(const struct verify *verify, const struct unattributed *unattributed,
                     int unanswered, struct buf *out)
{
    buf_puts(out, unanswered ? "No request of this workspace has been answered"
                             : "No request reached this workspace");
    if (verify->since.journal)
        buf_puts(out, " since then");
    verify_put_unattributed(out, unattributed);
}

static void put_step(const struct verify *verify, const struct verdict *verdict, struct buf *out)
{
    buf_printf(out, "order[%zu] did not come", verdict->reached);
    if (verdict->last)
        buf_printf(out, " after request %lld, which is order[%zu]",
                   (long long)verdict->last->number, verdict->reached - 1);
    buf_printf(out, "; %lld requests came", (long long)verify->considered);
}

/* Why it cannot be told. */
static void put_unknown(const struct verify *verify, struct buf *out)
{
    if (verify->lost)
        buf_printf(out,
                   "Of up to %lld requests that came nothing is known any more, for want of "
                   "room, and they may matter",
                   (long long)verify->lost);
    if (verify->first_unsure)
        buf_printf(out,
                   "%sOf request %lld not all that it said is kept, and what is missing may "
                   "matter",
                   verify->lost ? ". " : "", (long long)verify->first_unsure);
    buf_puts(out, ": ");
}

static bool is_count_right(const struct verify *verify)
{
    return verify->matched >= verify->min && (verify->max < 0 || verify->matched <= verify->max);
}

static void put_detail(const struct verify *verify, const struct verdict *verdict,
                       const struct unattributed *unattributed, int unanswered,
                       struct verify_refusal *refusal)
{
    struct buf *detail = &refusal->detail;
    if (verdict->is_unknown)
        put_unknown(verify, detail);
    if (!verify->considered)
        put_none(verify, unattributed, unanswered, detail);
    else if (!is_count_right(verify) || verdict->reached == verify->step_count)
        put_count(verify, detail);
    else
        put_step(verify, verdict, detail);
    verify_put_unanswered(detail, unanswered);
}

static void put_hint(const struct verify *verify, const struct verdict *verdict,
                     const struct unattributed *unattributed, struct buf *hint)
{
    if (verdict->is_unknown && verify->lost)
        buf_puts(hint, "A journal keeps 10000 requests and 64 MiB, and all together what "
                       "--journal-memory says: ask with since, or DELETE /_mock/requests first");
    else if (!verify->considered && unattributed->count)
        buf_puts(hint, "GET /_mock/requests?workspace=_none shows what belongs to no workspace");
    else if (verify->considered)
        buf_puts(hint, "GET /_mock/requests shows what came, with bodies and answers");
}

/* Where too many came, those that are too many are shown; and what did not is near to nothing. */
static int put_nearest(struct request *request, const struct verify *verify,
                       const struct verdict *verdict, struct db *db, struct verify_refusal *refusal)
{
    char step[24], prefix[sizeof step + 1];
    size_t count = 0;
    bool is_order = verdict->reached < verify->step_count && is_count_right(verify);
    struct verify_target target = {.journal = verify->journal,
                                   .workspace = verify->workspace,
                                   .after = verify->since.journal,
                                   .filters = {&verify->filter},
                                   .match = {"match."},
                                   .own = {""},
                                   .count = 1};
    buf_puts(&refusal->members, ",\"nearest\":");
    if (verdict->too_many) {
        buf_puts(&refusal->members, "[]");
        return 0;
    }
    if (is_order) {
        snprintf(step, sizeof step, "order[%zu]", verdict->reached);
        snprintf(prefix, sizeof prefix, "%s.", step);
        target.filters[1] = &verify->steps[verdict->reached];
        target.match[1] = target.own[1] = prefix;
        target.count = 2;
        target.last = verdict->last;
        target.step = step;
        target.step_bit = UINT64_C(1) << verdict->reached;
        target.witnesses = verify->witnesses;
        target.witness_count = verify->witness_count;
    }
    int status =
        verify_put_nearest(request, &target, db, &refusal->members, &refusal->lines, &count);
    if (count)
        verify_tell_first(request, refusal);
    return status;
}

static void refuse(struct request *request, struct control_wait *self)
{
    struct verify *verify = (struct verify *)self;
    struct verify_refusal refusal = {.name = "not_verified"};
    struct unattributed unattributed;
    struct verdict verdict;
    struct db *db = control_reader(request);
    if (!db)
        return;
    verify_judge(verify, &verdict);
    if (verdict.is_unknown)
        refusal.name = "journal_truncated";
    verify_count_unattributed(request, verify, &unattributed);
    put_detail(verify, &verdict, &unattributed, events_untold(mock_workspace(request)), &refusal);
    put_hint(verify, &verdict, &unattributed, &refusal.hint);
    buf_putc(&refusal.members, ',');
    int status = put_members(request, verify, &verdict, unattributed.count, db, &refusal.members);
    if (status == 0)
        status = put_nearest(request, verify, &verdict, db, &refusal);
    verify_refuse(request, status, &refusal);
}

/* -- the wait ---------------------------------------------------------------------------------- */

static enum wait_look look(struct request *request, struct control_wait *self)
{
    struct verify *verify = (struct verify *)self;
    struct verdict verdict;
    struct db *db = control_reader(request);
    if (!db)
        return LOOK_ANSWERED;
    int status = verify_learn(verify, db);
    if (status < 0) {
        router_fail(request, status, "cannot read the journal");
        return LOOK_ANSWERED;
    }
    verify_judge(verify, &verdict);
    if (!verdict.is_so)
        return verdict.is_over ? LOOK_NEVER : LOOK_NOT_YET;
    answer(request, verify, &verdict, db);
    return LOOK_ANSWERED;
}

/* Not one that does not fit; but what is not looked at before it is evicted is lost. */
static bool minds(struct control_wait *self, struct journal_request *asked)
{
    enum { UNLOOKED_MAX = 1000 };
    const struct verify *verify = (struct verify *)self;
    enum request_fit fit;
    return asked->entry->number > verify->until + UNLOOKED_MAX ||
           request_filter_judge(&verify->filter, asked, &fit) < 0 || fit != FIT_NO;
}

static void finish(struct control_wait *self)
{
    struct verify *verify = (struct verify *)self;
    request_filter_finish(&verify->filter);
    for (size_t i = 0; i < verify->step_count; i++)
        request_filter_finish(&verify->steps[i]);
    free(verify->steps);
    free(verify->witnesses);
}

void verify_handler(struct request *request)
{
    struct journal *journal = control_journal(request);
    struct verify *verify = journal ? control_wait_state(request, sizeof *verify) : NULL;
    if (!verify)
        return;
    verify->wait.finish = finish;
    verify->journal = journal;
    verify->workspace = mock_workspace(request)->row.pk;
    if (!verify_read(request, verify))
        return;
    verify->wait.kinds = verify->rules ? EVENT_RULE : EVENT_JOURNAL;
    verify->wait.minds = verify->rules ? NULL : minds;
    verify->wait.look = verify->rules ? verify_look_at_rules : look;
    verify->wait.refuse = verify->rules ? verify_refuse_rules : refuse;
    control_wait(request);
}
