/*
 * What is known of the requests that came, and what follows from it. Each request is looked at
 * once, soon after it ended: who waits long does not look at all of them again for each that comes.
 *
 * Of some requests it is not known whether they fit: those that were evicted before they were
 * looked at, and those whose body is not kept whole. So the number of those that fit lies between
 * two bounds, and an answer is given where it is the same for all of what lies between.
 */
#include "control/verify.h"

#include <stdlib.h>
#include <string.h>

/* -- learning ---------------------------------------------------------------------------------- */

static void begin_anew(struct verify *verify, int64_t cleared)
{
    verify->cleared = cleared;
    verify->until = cleared > verify->since.journal ? cleared : verify->since.journal;
    verify->considered = verify->matched = verify->lost = 0;
    verify->unsure = verify->first_unsure = 0;
    verify->witness_count = verify->shown = 0;
}

static int remember(struct verify *verify, const struct witness *witness)
{
    if (verify->witness_count == VERIFY_WITNESSES_MAX) {
        verify->lost++;
        return 0;
    }
    if (verify->witness_count == verify->witness_capacity) {
        size_t capacity = verify->witness_capacity ? verify->witness_capacity * 2 : 16;
        struct witness *grown = realloc(verify->witnesses, capacity * sizeof *grown);
        if (!grown)
            return ERR_NO_MEMORY;
        verify->witnesses = grown;
        verify->witness_capacity = capacity;
    }
    verify->witnesses[verify->witness_count++] = *witness;
    return 0;
}

/* Which steps a request is; `fit`: of the filter. */
static int find_steps(const struct verify *verify, struct journal_request *asked,
                      enum request_fit fit, struct witness *witness)
{
    for (size_t i = 0; i < verify->step_count; i++) {
        enum request_fit step;
        int status = request_filter_judge(&verify->steps[i], asked, &step);
        if (status < 0)
            return status;
        if (step == FIT_YES && fit == FIT_YES)
            witness->steps |= UINT64_C(1) << i;
        else if (step != FIT_NO)
            witness->unsure_steps |= UINT64_C(1) << i;
    }
    return 0;
}

static int take(struct verify *verify, struct journal_request *asked)
{
    struct witness witness = {.number = asked->entry->number, .sent_at = asked->entry->sent_at};
    enum request_fit fit;
    int status = request_filter_judge(&verify->filter, asked, &fit);
    if (status < 0 || fit == FIT_NO)
        return status;
    status = find_steps(verify, asked, fit, &witness);
    if (status < 0)
        return status;
    verify->matched += fit == FIT_YES;
    bool is_first = fit == FIT_UNSURE && verify->unsure++ == 0;
    if (is_first || (witness.unsure_steps && !verify->first_unsure))
        verify->first_unsure = witness.number;
    witness.is_shown = fit == FIT_YES && verify->shown < VERIFY_SHOWN_MAX;
    verify->shown += witness.is_shown;
    bool counts = witness.is_shown || witness.steps || witness.unsure_steps;
    return counts ? remember(verify, &witness) : 0;
}

static int look_at(struct verify *verify, const struct journal_entry *entry, struct db *db)
{
    struct journal_request asked;
    if (entry->is_control)
        return 0;
    verify->considered++;
    int status = journal_request_init(&asked, entry, db, verify->workspace);
    if (status == 0)
        status = take(verify, &asked);
    journal_request_finish(&asked);
    return status;
}

/*
 * Numbers have no gaps but for what was evicted or deleted. What was lost is asked after what there
 * is, so that none of what is missing there is missing here. False: all was deleted meanwhile.
 */
static bool read_new(struct verify *verify, struct journal_entry ***ret_entries, size_t *ret_count,
                     int *ret_status)
{
    int64_t newest = journal_newest(verify->journal);
    *ret_count = 0;
    *ret_entries = NULL;
    if (!journal_read(verify->journal, verify->until, newest, ret_entries, ret_count)) {
        *ret_status = ERR_NO_MEMORY;
        return true;
    }
    struct journal_loss loss = journal_evicted(verify->journal);
    if (journal_cleared(verify->journal) != verify->cleared) {
        journal_release_all(*ret_entries, *ret_count);
        return false;
    }
    int64_t missing = newest - verify->until - (int64_t)*ret_count;
    if (missing > 0 && loss.newest > verify->until)
        verify->lost += missing < loss.count ? missing : loss.count;
    verify->until = newest;
    return true;
}

int verify_learn(struct verify *verify, struct db *db)
{
    struct journal_entry **entries;
    size_t count;
    int status = 0;
    for (;;) {
        int64_t cleared = journal_cleared(verify->journal);
        if (cleared != verify->cleared || verify->until < verify->since.journal)
            begin_anew(verify, cleared);
        if (read_new(verify, &entries, &count, &status))
            break;
    }
    for (size_t i = 0; i < count && status == 0; i++)
        status = look_at(verify, entries[i], db);
    if (entries)
        journal_release_all(entries, count);
    return status;
}

/* -- judging ----------------------------------------------------------------------------------- */

/* In the order in which they were sent; those of the same millisecond, in that of their ends. */
static int by_time(const void *a, const void *b)
{
    const struct witness *left = a, *right = b;
    if (left->sent_at != right->sent_at)
        return left->sent_at < right->sent_at ? -1 : 1;
    return (left->number > right->number) - (left->number < right->number);
}

/* How many steps there are, one after the other: to take the first request that is the next step
 * leaves the most for those that follow. */
static void follow(const struct verify *verify, struct verdict *verdict)
{
    for (size_t i = 0; i < verify->witness_count && verdict->reached < verify->step_count; i++) {
        if (!(verify->witnesses[i].steps >> verdict->reached & 1))
            continue;
        verdict->last = &verify->witnesses[i];
        verdict->steps[verdict->reached++] = verify->witnesses[i].number;
    }
}

/* Whether the order may have come about, for all that is known. */
static bool may_follow(const struct verify *verify)
{
    size_t reached = 0;
    for (size_t i = 0; i < verify->witness_count && reached < verify->step_count; i++) {
        const struct witness *witness = &verify->witnesses[i];
        reached += (witness->steps | witness->unsure_steps) >> reached & 1;
    }
    return reached == verify->step_count || verify->lost > 0;
}

void verify_judge(struct verify *verify, struct verdict *ret)
{
    *ret = (struct verdict){.is_so = false};
    int64_t least = verify->matched, most = least + verify->unsure + verify->lost;
    bool has_max = verify->max >= 0;
    if (verify->step_count && verify->witness_count)
        qsort(verify->witnesses, verify->witness_count, sizeof *verify->witnesses, by_time);
    follow(verify, ret);
    bool is_count = least >= verify->min && (!has_max || most <= verify->max);
    bool is_order = ret->reached == verify->step_count;
    ret->is_so = is_count && is_order;
    ret->too_many = has_max && least > verify->max;
    ret->is_over = has_max && most > verify->max;
    ret->is_unknown =
        !ret->is_so && !ret->too_many && most >= verify->min && (is_order || may_follow(verify));
}
