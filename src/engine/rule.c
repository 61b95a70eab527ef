#include "engine/rule.h"

#include <stdlib.h>
#include <string.h>

struct rule_owned {
    struct rule_owned *next;
    max_align_t bytes[];
};

void *rule_alloc(struct rule *rule, size_t size)
{
    struct rule_owned *owned = calloc(1, sizeof *owned + size);
    if (!owned)
        return NULL;
    owned->next = rule->owned;
    rule->owned = owned;
    return owned->bytes;
}

struct rule *rule_hold(struct rule *rule)
{
    atomic_fetch_add(&rule->references, 1);
    return rule;
}

void rule_release(struct rule *rule)
{
    if (!rule || atomic_fetch_sub(&rule->references, 1) > 1)
        return;
    pattern_destroy(rule->match.prompt_pattern);
    for (struct rule_owned *owned = rule->owned, *next; owned; owned = next) {
        next = owned->next;
        free(owned);
    }
    json_decref(rule->document);
    pthread_mutex_destroy(&rule->lock);
    free(rule->hits);
    free(rule);
}

bool rule_is_free(const struct rule *rule)
{
    return rule->times < 0 && atomic_load(&rule->skip_left) == 0;
}

bool rule_is_spent(const struct rule *rule)
{
    return atomic_load(&rule->left) == 0;
}

/* Takes one of a number that is above zero. */
static bool take_one(atomic_llong *number)
{
    long long now = atomic_load(number);
    while (now > 0)
        if (atomic_compare_exchange_weak(number, &now, now - 1))
            return true;
    return false;
}

bool rule_sees(struct rule *rule)
{
    if (take_one(&rule->skip_left))
        return false;
    return rule->times < 0 || take_one(&rule->left);
}

void rule_set(struct rule *rule, const struct rule_uses *uses)
{
    atomic_store(&rule->left, uses->left);
    atomic_store(&rule->skip_left, uses->skip);
}

/* -- hits, with the lock held ------------------------------------------------------------------ */

/* Makes room for one more, up to what is kept. */
static bool make_room(struct rule *rule)
{
    if (rule->hits_kept < rule->hits_capacity || rule->hits_capacity == RULE_HITS_KEPT)
        return true;
    size_t capacity = rule->hits_capacity ? rule->hits_capacity * 2 : 8;
    if (capacity > RULE_HITS_KEPT)
        capacity = RULE_HITS_KEPT;
    struct rule_hit *hits = realloc(rule->hits, capacity * sizeof *hits);
    if (!hits)
        return false;
    rule->hits = hits;
    rule->hits_capacity = capacity;
    return true;
}

void rule_take_hits(struct rule *rule, struct rule *before)
{
    pthread_mutex_lock(&before->lock); /* the other one nobody knows yet */
    rule->hits = before->hits;
    rule->hits_kept = before->hits_kept;
    rule->hits_capacity = before->hits_capacity;
    rule->hits_oldest = before->hits_oldest;
    atomic_store(&rule->hit_count, atomic_load(&before->hit_count));
    before->hits = NULL;
    before->hits_kept = before->hits_capacity = before->hits_oldest = 0;
    pthread_mutex_unlock(&before->lock);
}

void rule_note(struct rule *rule, const struct rule_hit *hit)
{
    pthread_mutex_lock(&rule->lock);
    if (rule->hits_kept == RULE_HITS_KEPT) {
        rule->hits[rule->hits_oldest] = *hit;
        rule->hits_oldest = (rule->hits_oldest + 1) % RULE_HITS_KEPT;
    } else if (make_room(rule)) {
        rule->hits[rule->hits_kept++] = *hit;
    }
    atomic_fetch_add(&rule->hit_count, 1);
    pthread_mutex_unlock(&rule->lock);
}

int rule_read_hits(struct rule *rule, struct rule_hit **ret_hits, size_t *ret_kept,
                   int64_t *ret_count)
{
    pthread_mutex_lock(&rule->lock);
    size_t kept = rule->hits_kept;
    int64_t count = atomic_load(&rule->hit_count);
    struct rule_hit *hits = malloc((kept + 1) * sizeof *hits);
    for (size_t i = 0; hits && i < kept; i++)
        hits[i] = rule->hits[(rule->hits_oldest + i) % RULE_HITS_KEPT];
    pthread_mutex_unlock(&rule->lock);
    if (!hits)
        return ERR_NO_MEMORY;
    *ret_hits = hits;
    *ret_kept = kept;
    *ret_count = count;
    return 0;
}
