/*
 * The requests that came nearest to what was expected. All of them are looked at for what costs
 * little to see; of those that differ least in that, so many in the rest as can be looked at while
 * others wait for the thread.
 */
#include "base/time.h"
#include "control/internal.h"
#include "control/outcome_of.h"
#include "control/request_view.h"
#include "control/verify.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    SHOWN = 3,
    CLOSELY_MAX = 500, /* a body's parse each, some ten microseconds */
    TEXT_SIZE = 120,
};

struct candidate {
    struct journal_entry *entry;
    size_t count; /* of fields that differ; at first, at a glance */
    unsigned distance;
};

struct search {
    const struct verify_target *target;
    struct db *db;
    struct candidate best[SHOWN];
    size_t count;
};

/* -- what differs beyond the filters ----------------------------------------------------------- */

/* Requests up to the last step are before the next one. */
static void differ_place(const struct verify_target *target, const struct journal_entry *entry,
                         struct differ *differ)
{
    const struct witness *last = target->last;
    char expected[TEXT_SIZE], seen[TEXT_SIZE];
    if (!last || entry->sent_at > last->sent_at ||
        (entry->sent_at == last->sent_at && entry->number > last->number))
        return;
    snprintf(expected, sizeof expected, "after request %lld", (long long)last->number);
    snprintf(seen, sizeof seen, entry->number == last->number ? "that request" : "before it");
    request_differ_add(differ, target->step, expected, seen);
}

/* Why a rule did not act on a request that fits: none of it is certain but that it did not. */
static void differ_use(const struct rule *rule, const struct journal_entry *entry,
                       struct differ *differ)
{
    char made[TIME_TEXT_SIZE], came[TIME_TEXT_SIZE], text[TEXT_SIZE];
    if (entry->at >= 0 && entry->at < rule->created_at) {
        time_format_millis(rule->created_at, made);
        time_format_millis(entry->at, came);
        snprintf(text, sizeof text, "made at %s, before the request", made);
        request_differ_add(differ, "rule", text, came);
    } else if (!differ->count && rule->skip) {
        snprintf(text, sizeof text, "more than %lld requests that fit, which it lets pass",
                 (long long)rule->skip);
        request_differ_add(differ, "skip", text, "one of these");
    } else if (!differ->count) {
        request_differ_add(differ, "rule", rule->id, *entry->rule ? entry->rule : NULL);
    }
}

static int differ(const struct verify_target *target, struct db *db,
                  const struct journal_entry *entry, struct differ *io_differ)
{
    struct journal_request asked;
    int status = journal_request_init(&asked, entry, db, target->workspace);
    for (size_t i = 0; status == 0 && i < target->count; i++) {
        io_differ->match = target->match[i];
        io_differ->own = target->own[i];
        status = request_differ(target->filters[i], &asked, io_differ);
    }
    differ_place(target, entry, io_differ);
    if (target->rule && !io_differ->at_a_glance)
        differ_use(target->rule, entry, io_differ);
    journal_request_finish(&asked);
    return status;
}

/* -- the nearest ------------------------------------------------------------------------------- */

/* Fewer fields first, then less of a difference, then the newer one. */
static int by_nearness(const void *a, const void *b)
{
    const struct candidate *left = a, *right = b;
    if (left->count != right->count)
        return left->count < right->count ? -1 : 1;
    if (left->distance != right->distance)
        return left->distance < right->distance ? -1 : 1;
    return (right->entry->number > left->entry->number) -
           (right->entry->number < left->entry->number);
}

static int glance(struct search *search, struct candidate *candidate)
{
    struct differ seen = {.at_a_glance = true};
    int status = differ(search->target, NULL, candidate->entry, &seen);
    candidate->count = seen.count;
    return status;
}

static int look_closely(struct search *search, const struct candidate *candidate)
{
    struct differ seen = {.match = NULL};
    struct candidate close = *candidate;
    int status = differ(search->target, search->db, candidate->entry, &seen);
    if (status < 0 || seen.count + seen.unsure == 0)
        return status;
    close.count = seen.count;
    close.distance = seen.distance;
    if (search->count < SHOWN)
        search->best[search->count++] = close;
    else if (by_nearness(&close, &search->best[SHOWN - 1]) < 0)
        search->best[SHOWN - 1] = close;
    qsort(search->best, search->count, sizeof *search->best, by_nearness);
    return 0;
}

static int by_number(const void *a, const void *b)
{
    const struct candidate *left = a, *right = b;
    return (left->entry->number > right->entry->number) -
           (left->entry->number < right->entry->number);
}

/* Of an order it is known which requests are the step, but came too early: all others differ in one
 * thing more. The candidates are in the order of their numbers. */
static void prefer_steps(const struct verify_target *target, struct candidate *candidates,
                         size_t count)
{
    for (size_t i = 0; target->step && i < count; i++)
        candidates[i].count++;
    for (size_t i = 0; i < target->witness_count; i++) {
        struct journal_entry key = {.number = target->witnesses[i].number};
        struct candidate sought = {.entry = &key};
        if (!(target->witnesses[i].steps & target->step_bit))
            continue;
        struct candidate *found = bsearch(&sought, candidates, count, sizeof *found, by_number);
        if (found)
            found->count--;
    }
}

/* What differs more at a glance than the last of the best does in all, cannot be among them. */
static int find(struct search *search, struct candidate *candidates, size_t count)
{
    int status = 0;
    for (size_t i = 0; status == 0 && i < count; i++)
        status = glance(search, &candidates[i]);
    prefer_steps(search->target, candidates, count);
    qsort(candidates, count, sizeof *candidates, by_nearness);
    for (size_t i = 0; status == 0 && i < count && i < CLOSELY_MAX; i++) {
        if (search->count == SHOWN && candidates[i].count > search->best[SHOWN - 1].count)
            break;
        status = look_closely(search, &candidates[i]);
    }
    return status;
}

/* -- showing ----------------------------------------------------------------------------------- */

static void put_line(struct buf *out, const struct journal_entry *entry)
{
    struct buf what = BUF_INIT;
    buf_printf(&what, "%s %s", entry->method, entry->path ? entry->path : entry->target);
    buf_printf(out, "request %lld, ", (long long)entry->number);
    complain_quote(out, what.data ? what.data : "");
    buf_finish(&what);
    if (entry->status)
        buf_printf(out, ", answered with %d:\n", entry->status);
    else
        buf_puts(out, ", not answered:\n");
}

static int put(struct request *request, const struct search *search, struct buf *items,
               struct buf *lines)
{
    int status = 0;
    buf_putc(items, '[');
    for (size_t i = 0; status == 0 && i < search->count; i++) {
        struct differ shown = {.items = items, .lines = lines};
        struct request_view view = {.entry = search->best[i].entry,
                                    .outcomes = control_of(request)->outcomes};
        buf_puts(items, i ? ",{\"request\":" : "{\"request\":");
        request_view_put_short(items, &view);
        buf_puts(items, ",\"differs\":[");
        put_line(lines, view.entry);
        status = differ(search->target, search->db, view.entry, &shown);
        buf_puts(items, "]}");
    }
    buf_putc(items, ']');
    return status;
}

/* Without what wrote through the control plane. */
static size_t take_requests(struct journal_entry **entries, size_t count,
                            struct candidate *candidates)
{
    size_t taken = 0;
    for (size_t i = 0; i < count; i++)
        if (!entries[i]->is_control)
            candidates[taken++] = (struct candidate){.entry = entries[i]};
    return taken;
}

int verify_put_nearest(struct request *request, const struct verify_target *target, struct db *db,
                       struct buf *items, struct buf *lines, size_t *ret_count)
{
    struct search search = {.target = target, .db = db};
    struct journal_entry **entries;
    size_t count;
    if (!journal_read(target->journal, target->after, INT64_MAX, &entries, &count))
        return ERR_NO_MEMORY;
    struct candidate *candidates = malloc((count + 1) * sizeof *candidates);
    int status = candidates ? 0 : ERR_NO_MEMORY;
    if (status == 0)
        status = find(&search, candidates, take_requests(entries, count, candidates));
    if (status == 0)
        status = put(request, &search, items, lines);
    *ret_count = search.count;
    free(candidates);
    journal_release_all(entries, count);
    return status;
}
