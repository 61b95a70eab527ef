#include "engine/rule_set.h"

#include <stdlib.h>
#include <string.h>

static struct rule_screen screen_of(struct rule *rule)
{
    const struct rule_match *match = &rule->match;
    return (struct rule_screen){
        .operation = match->operation,
        .email_hash = match->email && !match->email_end ? rule_hash(match->email) : 0,
        .request_id_hash = match->request_id ? rule_hash(match->request_id) : 0,
        .rule = rule};
}

static void put_in_order(struct rule_set *set)
{
    size_t at = 0;
    for (size_t i = 0; i < set->count; i++)
        if (set->rules[i]->times >= 0)
            set->screen[at++] = screen_of(set->rules[i]);
    for (size_t i = set->count; i-- > 0;)
        if (set->rules[i]->times < 0)
            set->screen[at++] = screen_of(set->rules[i]);
}

struct rule_set *rule_set_create(struct rule *const *rules, size_t count)
{
    struct rule_set *set = calloc(1, sizeof *set);
    if (!set)
        return NULL;
    atomic_init(&set->references, 1);
    set->rules = calloc(count + 1, sizeof(struct rule *));
    set->screen = calloc(count + 1, sizeof *set->screen);
    if (!set->rules || !set->screen) {
        rule_set_release(set);
        return NULL;
    }
    for (size_t i = 0; i < count; i++)
        set->rules[i] = rule_hold(rules[i]);
    set->count = count;
    put_in_order(set);
    return set;
}

struct rule_set *rule_set_hold(struct rule_set *set)
{
    atomic_fetch_add(&set->references, 1);
    return set;
}

void rule_set_release(struct rule_set *set)
{
    if (!set || atomic_fetch_sub(&set->references, 1) > 1)
        return;
    for (size_t i = 0; i < set->count; i++)
        rule_release(set->rules[i]);
    free(set->rules);
    free(set->screen);
    free(set);
}

struct rule *rule_set_find(const struct rule_set *set, const char *id)
{
    for (size_t i = 0; set && i < set->count; i++)
        if (strcmp(set->rules[i]->id, id) == 0)
            return set->rules[i];
    return NULL;
}

size_t rule_set_count_unused(const struct rule_set *set)
{
    size_t unused = 0;
    for (size_t i = 0; set && i < set->count; i++)
        unused += atomic_load(&set->rules[i]->hit_count) == 0;
    return unused;
}

/* -- matching ---------------------------------------------------------------------------------- */

static int add(struct rule_list *list, struct rule *rule)
{
    if (list->count == list->capacity) {
        size_t capacity = list->capacity ? list->capacity * 2 : 4;
        struct rule_candidate *items = realloc(list->items, capacity * sizeof *items);
        if (!items)
            return ERR_NO_MEMORY;
        list->items = items;
        list->capacity = capacity;
    }
    list->items[list->count++] = (struct rule_candidate){.rule = rule};
    return 0;
}

/* Whether what can be told at a glance allows a match: 1, 0, or the error of `fill`. */
static int passes(const struct rule_screen *screen, struct rule_request *request)
{
    if (screen->operation >= 0 && screen->operation != request->operation)
        return 0;
    if (!screen->email_hash && !screen->request_id_hash)
        return 1;
    int status = rule_request_fill(request);
    if (status < 0)
        return status;
    return (!screen->email_hash || screen->email_hash == request->email_hash) &&
           (!screen->request_id_hash || screen->request_id_hash == request->request_id_hash);
}

/* Whether a kind's list has one that acts whatever the others do. */
static bool is_settled(const struct rule_list *list)
{
    return list->count && rule_is_free(list->items[list->count - 1].rule);
}

int rule_set_match(const struct rule_set *set, struct rule_request *request,
                   struct rule_list lists[RULE_KINDS])
{
    for (size_t i = 0; i < set->count; i++) {
        int status = passes(&set->screen[i], request);
        if (status == 0)
            continue;
        struct rule *rule = set->screen[i].rule;
        struct rule_list *list = &lists[rule->kind];
        if (status > 0 && (rule_is_spent(rule) || (rule->kind != RULE_WATCH && is_settled(list))))
            continue;
        if (status > 0)
            status = rule_matches(rule, request);
        if (status > 0)
            status = rule->kind != RULE_WATCH || rule_sees(rule) ? add(list, rule) : 0;
        if (status < 0)
            return status;
    }
    return 0;
}
