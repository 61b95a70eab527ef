/*
 * What is to be sent: the number of the last delivery that is queued is all that the sender has to
 * know to find the next ones. Whether one is still to be sent, the store is asked when its turn
 * comes.
 */
#include "engine/sender_internal.h"

enum {
    /* Of one turn of the loop: so few that those under way do not wait for them. */
    READ_AT_ONCE = 256,
    BEGIN_AT_ONCE = 32,
    /* What came of an attempt stays in memory until it is written. While there is so much of that,
       because the store is slow or fails, nothing is begun. */
    UNWRITTEN_MAX = 1024,
};

/* -- queueing ---------------------------------------------------------------------------------- */

static int queue(struct sender *sender, const struct delivery_given *given)
{
    struct waiting waiting = {.delivery = given->seq, .sending = given->sending};
    char name[URL_AUTHORITY_SIZE];
    struct workspace_row row;
    waiting.workspace = registry_by_pk(sender->engine->registry, given->workspace);
    if (!waiting.workspace) /* it has just been deleted */
        return 0;
    registry_read_row(sender->engine->registry, waiting.workspace, &row);
    int status = attempt_name_receiver(&sender->options, &row, given, name);
    if (status == 0)
        status = receivers_put(&sender->receivers, name, &waiting);
    if (status < 0)
        workspace_release(waiting.workspace);
    return status;
}

struct given_reading {
    struct sender *sender;
    size_t count;
};

static int take_given(const struct delivery_given *given, void *arg)
{
    struct given_reading *reading = arg;
    int status = given->callback_url ? queue(reading->sender, given) : 0;
    if (status < 0)
        return status;
    reading->sender->read = given->sending;
    reading->count++;
    return 0;
}

void sender_read_given(struct sender *sender)
{
    int64_t given = atomic_load(&sender->given);
    struct given_reading reading = {.sender = sender};
    if (sender->read >= given)
        return;
    int status = delivery_each_given(sender->db, sender->read, READ_AT_ONCE, take_given, &reading);
    sender_note(sender, READING, status);
    /* What had the other numbers was rolled back, or is gone. */
    if (status == 0 && reading.count < READ_AT_ONCE && sender->read < given)
        sender->read = given;
}

bool sender_has_given(const struct sender *sender)
{
    return sender->read < atomic_load(&sender->given);
}

/* -- attempts ---------------------------------------------------------------------------------- */

bool sender_has_room(const struct sender *sender)
{
    return sender->under_way_count < sender->options.in_all &&
           sender->unwritten_count < UNWRITTEN_MAX && receivers_can_take(&sender->receivers);
}

int sender_look_up(struct sender *sender, const struct waiting *waiting,
                   struct delivery *ret_delivery)
{
    if (atomic_load(&waiting->workspace->gone))
        return ERR_NOT_FOUND;
    int status = delivery_by_seq(sender->db, waiting->delivery, ret_delivery);
    return status == 0 && ret_delivery->sending != waiting->sending ? ERR_NOT_FOUND : status;
}

/* What does not go over the network is the writer's at once. */
static void begin(struct sender *sender, struct receiver *receiver, struct attempt *attempt)
{
    attempt->sender = sender;
    attempt->receiver = receiver;
    if (!attempt->easy) {
        sender_write(sender, attempt);
        return;
    }
    attempt_put(&sender->under_way, attempt);
    sender->under_way_count++;
    if (curl_multi_add_handle(sender->multi, attempt->easy) != CURLM_OK)
        sender_put_off(sender, attempt);
}

void sender_put_off(struct sender *sender, struct attempt *attempt)
{
    attempt->lacked_memory = true;
    sender_note(sender, READING, ERR_NO_MEMORY);
}

void sender_begin_again(struct sender *sender)
{
    for (struct attempt *attempt = sender->under_way; attempt; attempt = attempt->next) {
        if (!attempt->lacked_memory)
            continue;
        attempt->lacked_memory = false;
        if (attempt_set_up_again(attempt, &sender->options) < 0 ||
            curl_multi_add_handle(sender->multi, attempt->easy) != CURLM_OK)
            sender_put_off(sender, attempt);
    }
}

/* The next one in turn; false: something failed that is to be tried again. */
static bool begin_next(struct sender *sender)
{
    struct receiver *receiver;
    struct attempt *attempt;
    struct delivery delivery;
    struct waiting *waiting = receivers_take(&sender->receivers, &receiver);
    int status = sender_look_up(sender, waiting, &delivery);
    if (status == 0)
        status = attempt_create(&sender->options, sender->engine, waiting->workspace, sender->db,
                                &delivery, &attempt);
    bool failed = status < 0 && status != ERR_NOT_FOUND;
    sender_note(sender, READING, failed ? status : 0);
    if (failed) {
        receivers_put_back(&sender->receivers, receiver, waiting);
        return false;
    }
    if (status == 0)
        begin(sender, receiver, attempt);
    else
        receivers_done(&sender->receivers, receiver);
    waiting_free(waiting);
    return true;
}

void sender_begin_attempts(struct sender *sender)
{
    for (size_t i = 0; i < BEGIN_AT_ONCE && sender_has_room(sender); i++)
        if (!begin_next(sender))
            break;
}

void sender_leave_receiver(struct sender *sender, struct attempt *attempt)
{
    if (attempt->receiver)
        receivers_done(&sender->receivers, attempt->receiver);
    attempt->receiver = NULL;
}

void sender_end_attempt(struct sender *sender, struct attempt *attempt)
{
    if (attempt->easy || attempt->lacked_memory) {
        if (attempt->easy)
            curl_multi_remove_handle(sender->multi, attempt->easy);
        sender->under_way_count--;
    } else {
        heap_remove(&sender->answers, &attempt->answer_due);
    }
    attempt_take_out(attempt);
    sender_leave_receiver(sender, attempt);
}
