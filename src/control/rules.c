/* listRules, createRule, getRule, deleteRule, deleteRules. */
#include "control/rules.h"

#include "base/json.h"
#include "control/internal.h"
#include "control/list.h"
#include "control/outcomes.h"
#include "control/wait.h"
#include "http/respond.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATH_SIZE = 48 };

/* -- reading ----------------------------------------------------------------------------------- */

void rules_read_finish(struct rules_read *rules)
{
    for (size_t i = 0; i < rules->count; i++)
        rule_release(rules->rules[i]);
    free(rules->rules);
    *rules = (struct rules_read){0};
}

/* Whether there is the outcome that a rule asks for. */
static int check_outcome(struct request *request, const struct rule *rule, const char *prefix,
                         struct complaint *complaint)
{
    const struct rule_match *match = &rule->match;
    const char *operation = match->operation < 0 ? NULL : rule_operations[match->operation];
    struct buf detail = BUF_INIT;
    if (rule->action.kind != ACTION_OUTCOME ||
        outcome_check(control_of(request), operation, rule->action.outcome, &detail,
                      &complaint->hint))
        return 0;
    complain(complaint, "invalid_field", "%sdo.respond must be an outcome: %s", prefix,
             detail.data ? detail.data : "");
    buf_finish(&detail);
    return ERR_INVALID;
}

static bool read_one(struct request *request, const char *prefix, const json_t *value,
                     struct rules_read *rules)
{
    struct complaint complaint = COMPLAINT_INIT;
    struct rule *rule = NULL;
    int status = rule_parse(value, prefix, &complaint, &rule);
    if (status == 0) {
        rules->rules[rules->count++] = rule;
        status = check_outcome(request, rule, prefix, &complaint);
    }
    if (status == ERR_INVALID)
        control_complain(request, &complaint);
    else if (status < 0)
        router_fail(request, status, NULL);
    complaint_finish(&complaint);
    return status == 0;
}

bool rules_read(struct request *request, const char *name, const json_t *value,
                struct rules_read *rules)
{
    size_t count = json_is_array(value) ? json_array_size(value) : 1;
    char prefix[PATH_SIZE];
    if (count > RULES_MAX) {
        control_problem(request, 422, "too_many_rules", "A workspace has at most 10000 rules",
                        "DELETE /_mock/rules?label= deletes all of a label");
        return false;
    }
    rules->rules = calloc(count + 1, sizeof(struct rule *));
    if (!rules->rules) {
        router_fail(request, ERR_NO_MEMORY, NULL);
        return false;
    }
    if (!json_is_array(value))
        return read_one(request, "", value, rules);
    for (size_t i = 0; i < count; i++) {
        snprintf(prefix, sizeof prefix, "%s[%zu].", name, i);
        if (!read_one(request, prefix, json_array_get(value, i), rules))
            return false;
    }
    return true;
}

/* -- showing ----------------------------------------------------------------------------------- */

static void put_member(struct buf *out, const json_t *document, const char *name)
{
    const json_t *value = json_object_get(document, name);
    buf_printf(out, ",\"%s\":", name);
    if (value)
        json_put_value(out, value);
    else
        buf_puts(out, "null");
}

static void put_number(struct buf *out, const char *name, int64_t number)
{
    if (number < 0)
        buf_printf(out, ",\"%s\":null", name);
    else
        buf_printf(out, ",\"%s\":%lld", name, (long long)number);
}

static void put_hit(struct buf *out, const struct rule_hit *hit)
{
    buf_printf(out, "{\"request\":%lld,\"job\":", (long long)hit->request);
    json_put_text(out, *hit->job ? hit->job : NULL);
    buf_puts(out, ",\"at\":");
    control_put_time(out, hit->at);
    buf_putc(out, '}');
}

static void put_hits(struct buf *out, struct rule *rule)
{
    struct rule_hit *hits = NULL;
    size_t kept = 0;
    int64_t count = 0;
    if (rule_read_hits(rule, &hits, &kept, &count) < 0)
        out->failed = true;
    buf_printf(out, ",\"hit_count\":%lld,\"hits\":[", (long long)count);
    for (size_t i = 0; i < kept; i++) {
        buf_puts(out, i ? "," : "");
        put_hit(out, &hits[i]);
    }
    buf_putc(out, ']');
    free(hits);
}

static void put_rule(struct buf *out, struct rule *rule)
{
    buf_printf(out, "{\"id\":\"%s\",\"label\":", rule->id);
    json_put_text(out, rule->label);
    put_member(out, rule->document, "match");
    put_member(out, rule->document, "do");
    put_number(out, "times", rule->times);
    put_number(out, "skip", rule->skip);
    put_number(out, "uses_left", atomic_load(&rule->left));
    put_hits(out, rule);
    buf_puts(out, ",\"created_at\":");
    control_put_time(out, rule->created_at);
    buf_putc(out, '}');
}

static void refuse_absent(struct request *request)
{
    control_problem(request, 404, "rule_not_found", "The workspace has no rule with this id",
                    "GET /_mock/rules lists them");
}

/* -- createRule -------------------------------------------------------------------------------- */

struct creation {
    struct rules_add add;
    struct rules_read rules;
    bool was_array;
};

static void finish_creation(void *state)
{
    rules_read_finish(&((struct creation *)state)->rules);
}

static void answer_creation(struct request *request)
{
    const struct creation *creation = request_state(request);
    struct buf body = BUF_INIT;
    if (control_failed(request, &creation->add.operation))
        return;
    if (creation->add.too_many) {
        control_problem(request, 422, "too_many_rules", "A workspace has at most 10000 rules",
                        "DELETE /_mock/rules?label= deletes all of a label");
        return;
    }
    buf_puts(&body, creation->was_array ? "[" : "");
    for (size_t i = 0; i < creation->rules.count; i++) {
        buf_puts(&body, i ? "," : "");
        put_rule(&body, creation->rules.rules[i]);
    }
    buf_puts(&body, creation->was_array ? "]" : "");
    respond(request, 201, content_type_json, &body);
}

void rule_create_handler(struct request *request)
{
    struct creation *creation = request_new_state(request, sizeof *creation, finish_creation);
    const json_t *body;
    if (!creation) {
        router_fail(request, ERR_NO_MEMORY, NULL);
        return;
    }
    if (!control_read_value(request, &body))
        return;
    if (!json_is_array(body) && !json_is_object(body)) {
        control_problem(request, 422, "invalid_body",
                        "The body must be a rule, as a JSON object, or an array of them", NULL);
        return;
    }
    if (!rules_read(request, "", body, &creation->rules))
        return;
    creation->was_array = json_is_array(body);
    creation->add.rules = creation->rules.rules;
    creation->add.count = creation->rules.count;
    rules_add_init(&creation->add, control_of(request)->engine, mock_workspace(request));
    control_operate(request, &creation->add.operation, answer_creation);
}

/* -- listRules --------------------------------------------------------------------------------- */

struct list_query_params {
    const char *label;
    struct list_params list;
};

const struct param rule_list_params[] = {
    {"label", PARAM_TEXT, "a text that is not empty",
     .offset = offsetof(struct list_query_params, label)},
    LIST_SINCE_PARAM(struct list_query_params, list),
    LIST_LIMIT_PARAM(struct list_query_params, list),
    LIST_MIN_PARAM(struct list_query_params, list),
    LIST_WAIT_PARAM(struct list_query_params, list),
};
const size_t rule_list_param_count = sizeof rule_list_params / sizeof *rule_list_params;

struct rule_list_request {
    struct control_wait wait;
    struct list_query query;
    const char *label;
};

static bool is_listed(const struct rule_list_request *self, const struct rule *rule)
{
    return rule->seq > self->query.since.rules &&
           (!self->label || (rule->label && strcmp(rule->label, self->label) == 0));
}

static int64_t count_listed(const struct rule_list_request *self, const struct rule_set *set)
{
    int64_t count = 0;
    for (size_t i = 0; set && i < set->count; i++)
        count += is_listed(self, set->rules[i]);
    return count;
}

static void answer_list(struct request *request, const struct rule_list_request *self,
                        const struct rule_set *set)
{
    struct cursor now = cursor_now(mock_workspace(request));
    struct db *db = control_reader(request);
    struct buf body = BUF_INIT;
    int64_t shown = 0, last = self->query.since.rules;
    if (!db)
        return;
    int status = cursor_complete(mock_workspace(request), db, &now);
    if (status < 0) {
        router_fail(request, status, "cannot read the workspace's cursor");
        return;
    }
    now.rules = set && set->count && set->rules[set->count - 1]->seq > last
                    ? set->rules[set->count - 1]->seq
                    : last;
    buf_puts(&body, "{\"items\":[");
    for (size_t i = 0; set && i < set->count; i++) {
        if (!is_listed(self, set->rules[i]))
            continue;
        if (shown == self->query.limit || body.len >= LIST_BYTES_MAX) {
            now.rules = last; /* there is more */
            break;
        }
        buf_puts(&body, shown++ ? "," : "");
        put_rule(&body, set->rules[i]);
        last = set->rules[i]->seq;
    }
    list_answer(request, &body, &now);
}

static enum wait_look look_at_list(struct request *request, struct control_wait *wait)
{
    const struct rule_list_request *self = (struct rule_list_request *)wait;
    struct rule_set *set = workspace_rules(mock_workspace(request));
    bool enough = count_listed(self, set) >= self->query.min;
    if (enough)
        answer_list(request, self, set);
    rule_set_release(set);
    return enough ? LOOK_ANSWERED : LOOK_NOT_YET;
}

static void tell_list(struct request *request, struct control_wait *wait, struct buf *detail,
                      struct buf *hint)
{
    const struct rule_list_request *self = (struct rule_list_request *)wait;
    struct rule_set *set = workspace_rules(mock_workspace(request));
    buf_printf(detail, "%lld of the %lld rules that were asked for are there",
               (long long)count_listed(self, set), (long long)self->query.min);
    buf_puts(hint, "POST /_mock/rules makes rules; GET /_mock/rules/{id}?min=1&wait=5s waits for "
                   "what a rule does");
    rule_set_release(set);
}

void rule_list_handler(struct request *request)
{
    struct list_query_params params = {.label = NULL};
    struct rule_list_request *self = control_wait_state(request, sizeof *self);
    if (!self || !params_read(request, &params) || !list_read(request, &params.list, &self->query))
        return;
    self->label = params.label;
    self->wait.kinds = EVENT_RULE;
    self->wait.ms = self->query.wait;
    self->wait.look = look_at_list;
    self->wait.tell = tell_list;
    control_wait(request);
}

/* -- getRule ----------------------------------------------------------------------------------- */

struct get_params {
    struct field_whole min, wait;
};

const struct param rule_get_params[] = {
    {"min", PARAM_WHOLE, "a whole number of hits, from 1 to 1000000", .min = 1, .max = 1000000,
     .offset = offsetof(struct get_params, min)},
    WAIT_PARAM(struct get_params, wait),
};
const size_t rule_get_param_count = sizeof rule_get_params / sizeof *rule_get_params;

struct rule_wait {
    struct control_wait wait;
    int64_t min;
};

static enum wait_look look_at_rule(struct request *request, struct control_wait *wait)
{
    const struct rule_wait *self = (struct rule_wait *)wait;
    struct rule_set *set = workspace_rules(mock_workspace(request));
    struct rule *rule = rule_set_find(set, request_param(request, 0));
    struct buf body = BUF_INIT;
    int64_t hits = rule ? atomic_load(&rule->hit_count) : 0;
    enum wait_look look = LOOK_ANSWERED;
    if (!rule) {
        refuse_absent(request);
    } else if (hits >= self->min) {
        put_rule(&body, rule);
        respond(request, 200, content_type_json, &body);
    } else { /* a rule that is used up has all the hits that it will have */
        int64_t left = atomic_load(&rule->left);
        look = left == 0 && rule->times < self->min ? LOOK_NEVER : LOOK_NOT_YET;
    }
    rule_set_release(set);
    return look;
}

static void tell_rule(struct request *request, struct control_wait *wait, struct buf *detail,
                      struct buf *hint)
{
    const struct rule_wait *self = (struct rule_wait *)wait;
    struct rule_set *set = workspace_rules(mock_workspace(request));
    struct rule *rule = rule_set_find(set, request_param(request, 0));
    int64_t left = rule ? atomic_load(&rule->left) : 0;
    buf_printf(detail, "The rule has %lld of the %lld hits that were asked for",
               rule ? (long long)atomic_load(&rule->hit_count) : 0, (long long)self->min);
    if (left == 0)
        buf_puts(detail, ", and it is used up");
    else if (rule && atomic_load(&rule->skip_left) > 0)
        buf_printf(detail, ", and lets the next %lld matches pass",
                   (long long)atomic_load(&rule->skip_left));
    buf_puts(hint, "A rule acts on requests to the APIs of its own workspace, and only where none "
                   "comes before it");
    rule_set_release(set);
}

void rule_get_handler(struct request *request)
{
    struct get_params params = {.min = {0}};
    struct rule_wait *self = control_wait_state(request, sizeof *self);
    if (!self || !params_read(request, &params))
        return;
    self->min = params.min.given ? params.min.value : params.wait.value > 0;
    self->wait.kinds = EVENT_RULE;
    self->wait.ms = params.wait.value;
    self->wait.look = look_at_rule;
    self->wait.tell = tell_rule;
    control_wait(request);
}

/* -- deleteRule, deleteRules ------------------------------------------------------------------- */

struct delete_params {
    const char *label;
};

const struct param rule_delete_params[] = {
    {"label", PARAM_TEXT, "a text that is not empty",
     .offset = offsetof(struct delete_params, label)},
};
const size_t rule_delete_param_count = sizeof rule_delete_params / sizeof *rule_delete_params;

static void answer_deletion(struct request *request)
{
    const struct rules_delete *deletion = request_state(request);
    struct buf body = BUF_INIT;
    if (control_failed(request, &deletion->operation))
        return;
    if (deletion->label) {
        buf_printf(&body, "{\"deleted\":%lld}", (long long)deletion->count);
        respond(request, 200, content_type_json, &body);
    } else if (deletion->count) {
        respond_empty(request);
    } else {
        refuse_absent(request);
    }
}

static void delete_rules(struct request *request, const char *id, const char *label)
{
    struct rules_delete *deletion = control_state(request, sizeof *deletion);
    if (!deletion)
        return;
    deletion->id = id;
    deletion->label = label;
    rules_delete_init(deletion, control_of(request)->engine, mock_workspace(request));
    control_operate(request, &deletion->operation, answer_deletion);
}

void rule_delete_handler(struct request *request)
{
    delete_rules(request, request_param(request, 0), NULL);
}

void rules_delete_handler(struct request *request)
{
    struct delete_params params = {.label = NULL};
    if (!params_read(request, &params))
        return;
    if (params.label)
        delete_rules(request, NULL, params.label);
    else
        control_problem(request, 422, "missing_parameter", "label is required",
                        "DELETE /_mock/rules/{id} deletes one rule");
}
