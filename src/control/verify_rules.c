/*
 * Whether every rule of a workspace was used: acted, or, where it only watches, saw something. Who
 * makes a rule means it to match; where it never did, the requests that came nearest to it say why.
 */
#include "base/json.h"
#include "control/internal.h"
#include "control/verify.h"
#include "engine/rules.h"
#include "http/respond.h"

#include <string.h>

enum {
    SHOWN = 20,     /* rules that were not used */
    EXPLAINED = 10, /* of them with the nearest requests: each costs a search of its own */
};

/* -- which rules must be used ------------------------------------------------------------------ */

/* Whether it acts on whatever fits: then nothing comes to what stands behind it. */
static bool always_acts(const struct rule *rule)
{
    return rule->times < 0 && !rule->skip && rule->kind != RULE_WATCH &&
           rule->action.kind != ACTION_OUTCOME && rule->action.kind != ACTION_TRANSITION &&
           (rule->kind != RULE_WEBHOOK || rule->match.operation >= 0);
}

/* Whether it matches all that another one does: it asks for some of the same, and nothing else. */
static bool covers(const struct rule *rule, const struct rule *other)
{
    json_t *own = json_object_get(rule->document, "match");
    const json_t *others = json_object_get(other->document, "match");
    for (void *at = json_object_iter(own); at; at = json_object_iter_next(own, at)) {
        const json_t *value = json_object_get(others, json_object_iter_key(at));
        if (!value || !json_equal(value, json_object_iter_value(at)))
            return false;
    }
    return true;
}

/* An override behind a newer one that always comes before it is put out of effect, not forgotten.
 */
static bool is_overridden(const struct rule_set *set, size_t index)
{
    const struct rule *rule = set->rules[index];
    if (rule->times >= 0 || rule->kind == RULE_WATCH)
        return false;
    for (size_t i = index + 1; i < set->count; i++)
        if (set->rules[i]->kind == rule->kind && always_acts(set->rules[i]) &&
            covers(set->rules[i], rule))
            return true;
    return false;
}

static bool is_unused(const struct rule_set *set, size_t index)
{
    return atomic_load(&set->rules[index]->hit_count) == 0 && !is_overridden(set, index);
}

static int64_t count_unused(const struct rule_set *set)
{
    int64_t count = 0;
    for (size_t i = 0; set && i < set->count; i++)
        count += is_unused(set, i);
    return count;
}

/* -- it is so ---------------------------------------------------------------------------------- */

/* How many requests there are to compare rules with. */
static int count_requests(struct verify *verify)
{
    struct journal_entry **entries;
    size_t count;
    if (!journal_read(verify->journal, 0, INT64_MAX, &entries, &count))
        return ERR_NO_MEMORY;
    verify->considered = 0;
    for (size_t i = 0; i < count; i++)
        verify->considered += !entries[i]->is_control;
    journal_release_all(entries, count);
    return 0;
}

static int put_sums(struct request *request, struct verify *verify, const struct rule_set *set,
                    struct db *db, struct unattributed *unattributed, struct buf *out)
{
    int status = count_requests(verify);
    verify_count_unattributed(request, verify, unattributed);
    buf_printf(out, "\"rules\":%zu,", set ? set->count : 0);
    return status < 0 ? status : verify_put_sums(request, verify, unattributed->count, db, out);
}

static void answer(struct request *request, struct verify *verify, const struct rule_set *set)
{
    struct unattributed unattributed;
    struct buf body = BUF_INIT;
    struct db *db = control_reader(request);
    if (!db)
        return;
    buf_putc(&body, '{');
    int status = put_sums(request, verify, set, db, &unattributed, &body);
    buf_putc(&body, '}');
    if (status < 0) {
        buf_finish(&body);
        router_fail(request, status, "cannot read the journal");
    } else {
        respond(request, 200, content_type_json, &body);
    }
}

enum wait_look verify_look_at_rules(struct request *request, struct control_wait *self)
{
    struct rule_set *set = workspace_rules(mock_workspace(request));
    bool is_so = count_unused(set) == 0;
    if (is_so)
        answer(request, (struct verify *)self, set);
    rule_set_release(set);
    return is_so ? LOOK_ANSWERED : LOOK_NOT_YET;
}

/* -- it is not --------------------------------------------------------------------------------- */

static int put_nearest(struct request *request, const struct verify *verify, struct rule *rule,
                       struct db *db, struct verify_refusal *refusal)
{
    struct request_filter filter = REQUEST_FILTER_INIT;
    size_t count;
    filter.match = rule; /* borrowed */
    struct verify_target target = {.journal = verify->journal,
                                   .workspace = verify->workspace,
                                   .filters = {&filter},
                                   .match = {"match."},
                                   .own = {""},
                                   .count = 1,
                                   .rule = rule};
    return verify_put_nearest(request, &target, db, &refusal->members, &refusal->lines, &count);
}

/* {id, label, match, nearest} */
static int put_rule(struct request *request, const struct verify *verify, struct rule *rule,
                    bool explained, struct db *db, struct verify_refusal *refusal)
{
    struct buf *out = &refusal->members;
    int status = 0;
    buf_puts(out, "{\"id\":");
    json_put_text(out, rule->id);
    buf_puts(out, ",\"label\":");
    json_put_text(out, rule->label);
    buf_puts(out, ",\"match\":");
    json_put_value(out, json_object_get(rule->document, "match"));
    buf_puts(out, ",\"nearest\":");
    buf_printf(&refusal->lines, "rule %s", rule->id);
    buf_puts(&refusal->lines, explained ? ", which came nearest:\n" : "\n");
    if (explained)
        status = put_nearest(request, verify, rule, db, refusal);
    else
        buf_puts(out, "[]");
    buf_putc(out, '}');
    return status;
}

static int put_unused(struct request *request, const struct verify *verify,
                      const struct rule_set *set, struct db *db, struct verify_refusal *refusal)
{
    int64_t shown = 0, unused = count_unused(set);
    int status = 0;
    buf_puts(&refusal->members, ",\"unused\":[");
    for (size_t i = 0; set && status == 0 && shown < SHOWN && i < set->count; i++) {
        if (!is_unused(set, i))
            continue;
        buf_puts(&refusal->members, shown ? "," : "");
        status = put_rule(request, verify, set->rules[i], shown < EXPLAINED, db, refusal);
        shown++;
    }
    buf_printf(&refusal->members, "],\"left_out\":%lld",
               (long long)(unused > shown ? unused - shown : 0));
    return status;
}

static void put_detail(const struct verify *verify, const struct rule_set *set,
                       const struct unattributed *unattributed, int unanswered, struct buf *detail)
{
    int64_t unused = count_unused(set);
    size_t rules = set ? set->count : 0;
    buf_printf(detail, "%lld of %zu rules %s never used; ", (long long)unused, rules,
               unused == 1 ? "was" : "were");
    if (verify->considered)
        buf_printf(detail, "%lld requests came", (long long)verify->considered);
    else
        buf_puts(detail, unanswered ? "no request of this workspace has been answered"
                                    : "no request reached this workspace");
    if (!verify->considered)
        verify_put_unattributed(detail, unattributed);
    verify_put_unanswered(detail, unanswered);
}

void verify_refuse_rules(struct request *request, struct control_wait *self)
{
    struct verify *verify = (struct verify *)self;
    struct verify_refusal refusal = {.name = "not_verified"};
    struct unattributed unattributed;
    struct db *db = control_reader(request);
    if (!db)
        return;
    struct rule_set *set = workspace_rules(mock_workspace(request));
    buf_putc(&refusal.members, ',');
    int status = put_sums(request, verify, set, db, &unattributed, &refusal.members);
    put_detail(verify, set, &unattributed, events_untold(mock_workspace(request)), &refusal.detail);
    if (status == 0)
        status = put_unused(request, verify, set, db, &refusal);
    rule_set_release(set);
    verify_refuse(request, status, &refusal);
}
