#include "engine/receivers.h"

#include "base/err.h"
#include "engine/workspace.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

struct receiver {
    const char *name; /* first: what a search compares */
    struct waiting *first, **last;
    size_t under_way;
    struct receiver *next; /* in turn */
    bool in_turn;
    char text[];
};

static int compare(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

void receivers_init(struct receivers *receivers, size_t at_once)
{
    *receivers = (struct receivers){.at_once = at_once};
    receivers->last = &receivers->first;
}

void waiting_free(struct waiting *waiting)
{
    workspace_release(waiting->workspace);
    free(waiting);
}

static void free_receiver(void *node)
{
    struct receiver *receiver = node;
    for (struct waiting *waiting = receiver->first, *next; waiting; waiting = next) {
        next = waiting->next;
        waiting_free(waiting);
    }
    free(receiver);
}

void receivers_finish(struct receivers *receivers)
{
    tdestroy(receivers->tree, free_receiver);
    receivers_init(receivers, receivers->at_once);
}

/* Has it served in its turn, where there is something to serve, and room. */
static void line_up(struct receivers *receivers, struct receiver *receiver)
{
    if (receiver->in_turn || !receiver->first || receiver->under_way >= receivers->at_once)
        return;
    receiver->in_turn = true;
    receiver->next = NULL;
    *receivers->last = receiver;
    receivers->last = &receiver->next;
}

static struct receiver *find_or_make(struct receivers *receivers, const char *name)
{
    struct receiver **place = tfind(&name, &receivers->tree, compare);
    if (place)
        return *place;
    size_t size = strlen(name) + 1;
    struct receiver *receiver = calloc(1, sizeof *receiver + size);
    if (!receiver)
        return NULL;
    memcpy(receiver->text, name, size);
    receiver->name = receiver->text;
    receiver->last = &receiver->first;
    if (tsearch(receiver, &receivers->tree, compare))
        return receiver;
    free(receiver);
    return NULL;
}

static void drop_if_idle(struct receivers *receivers, struct receiver *receiver)
{
    if (receiver->first || receiver->under_way)
        return;
    tdelete(receiver, &receivers->tree, compare);
    free(receiver);
}

int receivers_put(struct receivers *receivers, const char *name, const struct waiting *waiting)
{
    struct waiting *copy = malloc(sizeof *copy);
    struct receiver *receiver = copy ? find_or_make(receivers, name) : NULL;
    if (!receiver) {
        free(copy);
        return ERR_NO_MEMORY;
    }
    *copy = *waiting;
    copy->next = NULL;
    *receiver->last = copy;
    receiver->last = &copy->next;
    line_up(receivers, receiver);
    return 0;
}

bool receivers_can_take(const struct receivers *receivers)
{
    return receivers->first != NULL;
}

struct waiting *receivers_take(struct receivers *receivers, struct receiver **ret_receiver)
{
    struct receiver *receiver = receivers->first;
    if (!receiver)
        return NULL;
    receivers->first = receiver->next;
    if (!receivers->first)
        receivers->last = &receivers->first;
    receiver->in_turn = false;

    struct waiting *waiting = receiver->first;
    receiver->first = waiting->next;
    if (!receiver->first)
        receiver->last = &receiver->first;
    receiver->under_way++;
    line_up(receivers, receiver);
    *ret_receiver = receiver;
    return waiting;
}

void receivers_done(struct receivers *receivers, struct receiver *receiver)
{
    receiver->under_way--;
    line_up(receivers, receiver);
    drop_if_idle(receivers, receiver);
}

void receivers_put_back(struct receivers *receivers, struct receiver *receiver,
                        struct waiting *waiting)
{
    waiting->next = receiver->first;
    if (!receiver->first)
        receiver->last = &waiting->next;
    receiver->first = waiting;
    receivers_done(receivers, receiver);
}

const char *receiver_name(const struct receiver *receiver)
{
    return receiver->name;
}
