/*
 * One loop: take what others have sent, queue what the store says is given, begin attempts where
 * there is room, have libcurl work, end those that are over, and sleep until libcurl has something
 * to do or somebody wakes it.
 *
 * The number of the last delivery that is queued is all that the sender has to know to find the
 * next ones; whether one is still to be sent, the store is asked when its turn comes. What came of
 * an attempt stays in memory until it is written. While there is too much of that, because the
 * store is slow or fails, nothing is begun.
 */
#include "engine/sender.h"

#include "base/heap.h"
#include "base/log.h"
#include "base/time.h"
#include "engine/attempt.h"
#include "engine/internal.h"
#include "engine/receivers.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    /* Of one turn of the loop: so few that those under way do not wait for them. */
    READ_AT_ONCE = 256,
    BEGIN_AT_ONCE = 32,
    UNWRITTEN_MAX = 1024,
    RETRY_MS = 250,
    SLEEP_MAX_MS = 10000,
};

/* A workspace whose attempts are to be looked through. */
struct forgetting {
    struct forgetting *next;
    struct workspace *workspace; /* with a reference */
    void (*done)(void *arg);
    void *arg;
};

struct sender {
    struct engine *engine;
    struct sender_options options;
    CURLM *multi;
    pthread_t thread;
    bool has_thread;
    atomic_llong given; /* the last number that is committed */
    atomic_bool woken, stopping;

    pthread_mutex_t lock;
    struct forgetting *forgettings; /* under the lock */
    struct attempt *written;        /* likewise: the writer is done with them, well or not */

    /* The thread's. */
    struct db *db;
    int64_t read; /* the number up to which deliveries are queued */
    struct receivers receivers;
    struct attempt *under_way;
    struct heap answers;     /* of these, those to inboxes: when they get their answers */
    size_t under_way_count;  /* of these, those with libcurl */
    size_t unwritten_count;  /* those with the writer, and the unsaved */
    struct attempt *unsaved; /* that the writer refused */
    int64_t retry_at;        /* real: not earlier than this, after a failure; 0 */
    bool failing[2];         /* of enum store_use */
};

enum store_use { READING, WRITING };

static void wake(struct sender *sender)
{
    if (!atomic_exchange(&sender->woken, true))
        curl_multi_wakeup(sender->multi);
}

/* The writer's thread. */
static void committed(void *arg, int64_t number)
{
    struct sender *sender = arg;
    atomic_store(&sender->given, number);
    wake(sender);
}

/* -- lists of attempts ------------------------------------------------------------------------- */

static void put(struct attempt **list, struct attempt *attempt)
{
    attempt->next = *list;
    if (attempt->next)
        attempt->next->place_in_list = &attempt->next;
    attempt->place_in_list = list;
    *list = attempt;
}

static void take_out(struct attempt *attempt)
{
    *attempt->place_in_list = attempt->next;
    if (attempt->next)
        attempt->next->place_in_list = attempt->place_in_list;
    attempt->next = NULL;
    attempt->place_in_list = NULL;
}

/* Says once that something fails that is tried again, and once that it works. */
static void note_result(struct sender *sender, enum store_use use, int status)
{
    bool failing = status < 0;
    if (failing)
        sender->retry_at = time_steady_ms() + RETRY_MS;
    if (failing == sender->failing[use])
        return;
    sender->failing[use] = failing;
    if (failing)
        log_event(LOG_ERROR,
                  use == READING ? "callbacks wait: the store cannot be read"
                                 : "callbacks wait: the store refuses to be written",
                  LOG_STR("reason", err_reason(status)));
    else
        log_message(LOG_INFO, "callbacks go on");
}

/* -- what is to be sent ------------------------------------------------------------------------ */

static int take_given(const struct delivery_given *given, void *arg)
{
    struct sender *sender = arg;
    struct waiting waiting = {.delivery = given->seq, .sending = given->sending};
    char name[URL_AUTHORITY_SIZE];
    struct workspace_row row;
    int status = 0;
    waiting.workspace = registry_by_pk(sender->engine->registry, given->workspace);
    if (waiting.workspace && given->callback_url) {
        registry_read_row(sender->engine->registry, waiting.workspace, &row);
        status = attempt_name_receiver(&sender->options, &row, given, name);
        if (status == 0)
            status = receivers_put(&sender->receivers, name, &waiting);
    }
    if (status < 0 || !given->callback_url)
        workspace_release(waiting.workspace);
    if (status == 0)
        sender->read = given->sending;
    return status;
}

/* Queues what was given since. */
static void read_given(struct sender *sender)
{
    int64_t given = atomic_load(&sender->given);
    if (sender->read >= given)
        return;
    int64_t before = sender->read;
    int status = delivery_each_given(sender->db, before, READ_AT_ONCE, take_given, sender);
    note_result(sender, READING, status);
    if (status == 0 && sender->read == before)
        sender->read = given; /* what had these numbers is gone */
}

/* -- attempts ---------------------------------------------------------------------------------- */

/* The writer's thread, or the sender's where the queue is full. */
static void was_written(void *arg)
{
    struct attempt *attempt = arg;
    struct sender *sender = attempt->sender;
    pthread_mutex_lock(&sender->lock);
    attempt->next = sender->written;
    sender->written = attempt;
    pthread_mutex_unlock(&sender->lock);
    wake(sender);
}

static void submit(struct attempt *attempt)
{
    operation_submit(&attempt->end.operation, was_written, attempt);
}

static void hand_to_writer(struct sender *sender, struct attempt *attempt)
{
    sender->unwritten_count++;
    submit(attempt);
}

/* What does not go over the network is the writer's at once. */
static void begin(struct sender *sender, struct receiver *receiver, struct attempt *attempt)
{
    attempt->sender = sender;
    attempt->receiver = receiver;
    if (!attempt->easy) {
        hand_to_writer(sender, attempt);
        return;
    }
    put(&sender->under_way, attempt);
    sender->under_way_count++;
    curl_multi_add_handle(sender->multi, attempt->easy);
}

/* The receiver has room again. */
static void leave_receiver(struct sender *sender, struct attempt *attempt)
{
    if (attempt->receiver)
        receivers_done(&sender->receivers, attempt->receiver);
    attempt->receiver = NULL;
}

/* Takes it from libcurl, or from those whose answer is to come. */
static void end(struct sender *sender, struct attempt *attempt)
{
    if (attempt->easy) {
        curl_multi_remove_handle(sender->multi, attempt->easy);
        sender->under_way_count--;
    } else {
        heap_remove(&sender->answers, &attempt->answer_due);
    }
    take_out(attempt);
    leave_receiver(sender, attempt);
}

/* ERR_NOT_FOUND: it is not to be sent any more. */
static int look_up(struct sender *sender, const struct waiting *waiting, struct delivery *delivery)
{
    if (atomic_load(&waiting->workspace->gone))
        return ERR_NOT_FOUND;
    int status = delivery_by_seq(sender->db, waiting->delivery, delivery);
    return status == 0 && delivery->sending != waiting->sending ? ERR_NOT_FOUND : status;
}

/* The next one in turn; false: something failed that is to be tried again. */
static bool begin_next(struct sender *sender)
{
    struct receiver *receiver;
    struct attempt *attempt;
    struct delivery delivery;
    struct waiting *waiting = receivers_take(&sender->receivers, &receiver);
    int status = look_up(sender, waiting, &delivery);
    if (status == 0)
        status = attempt_create(&sender->options, sender->engine, waiting->workspace, sender->db,
                                &delivery, &attempt);
    bool failed = status < 0 && status != ERR_NOT_FOUND;
    note_result(sender, READING, failed ? status : 0);
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

static bool has_room(const struct sender *sender)
{
    return sender->under_way_count < sender->options.in_all &&
           sender->unwritten_count < UNWRITTEN_MAX && receivers_can_take(&sender->receivers);
}

static void begin_attempts(struct sender *sender)
{
    for (size_t i = 0; i < BEGIN_AT_ONCE && has_room(sender); i++)
        if (!begin_next(sender))
            break;
}

/* -- what came of them ------------------------------------------------------------------------- */

static void log_end(const struct attempt *attempt)
{
    const struct delivery_end *end = &attempt->end;
    bool failed = end->attempt.outcome != ATTEMPT_DELIVERED;
    bool for_good = failed && delivery_has_ended(end->status);
    char to[URL_AUTHORITY_SIZE], url[URL_AUTHORITY_SIZE + sizeof "https://"];
    url_format_authority(&attempt->place, to);
    snprintf(url, sizeof url, "%s://%s", attempt->place.scheme, to);
    log_event(for_good ? LOG_WARN : LOG_DEBUG,
              failed ? "a callback was not delivered" : "a callback was delivered",
              LOG_STR("workspace", attempt->workspace->row.slug),
              LOG_STR("delivery", attempt->delivery), LOG_STR("to", url),
              LOG_STR("reason", failed ? end->attempt.error : NULL));
}

/* The message is in its inbox, and the answer takes its time; the attempt no longer than it may. */
static void await_answer(struct sender *sender, struct attempt *attempt)
{
    int64_t delay =
        attempt->reply.delay < attempt->timeout ? attempt->reply.delay : attempt->timeout;
    put(&sender->under_way, attempt);
    if (heap_put(&sender->answers, &attempt->answer_due, time_steady_ms() + delay) < 0) {
        end(sender, attempt);
        attempt_conclude_later(attempt);
        hand_to_writer(sender, attempt);
    }
}

static void end_answers(struct sender *sender)
{
    struct heap_entry *first;
    while ((first = heap_first(&sender->answers)) && first->at <= time_steady_ms()) {
        struct attempt *attempt = HEAP_OWNER(first, struct attempt, answer_due);
        end(sender, attempt);
        attempt_conclude_later(attempt);
        hand_to_writer(sender, attempt);
    }
}

/* Those that the writer is done with are over, or are to be written once more. */
static void take_written(struct sender *sender)
{
    pthread_mutex_lock(&sender->lock);
    struct attempt *attempt = sender->written;
    sender->written = NULL;
    pthread_mutex_unlock(&sender->lock);
    for (struct attempt *next; attempt; attempt = next) {
        int status = attempt->end.operation.status;
        next = attempt->next;
        note_result(sender, WRITING, status == ERR_GONE ? 0 : status);
        if (status == 0 && attempt->answers_later) {
            sender->unwritten_count--;
            await_answer(sender, attempt);
        } else if (status == 0 || status == ERR_GONE) {
            if (status == 0 && attempt->end.attempt.number)
                log_end(attempt);
            sender->unwritten_count--;
            leave_receiver(sender, attempt);
            attempt_destroy(attempt);
        } else {
            put(&sender->unsaved, attempt);
        }
    }
}

static void submit_unsaved(struct sender *sender)
{
    struct attempt *attempt = sender->unsaved;
    sender->unsaved = NULL;
    for (struct attempt *next; attempt; attempt = next) {
        next = attempt->next;
        submit(attempt);
    }
}

static void end_attempts(struct sender *sender)
{
    CURLMsg *message;
    int left;
    while ((message = curl_multi_info_read(sender->multi, &left))) {
        struct attempt *attempt = NULL;
        CURLcode code = message->data.result;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &attempt);
        end(sender, attempt);
        attempt_conclude(attempt, code);
        hand_to_writer(sender, attempt);
    }
}

/* -- forgetting -------------------------------------------------------------------------------- */

static void forget(struct sender *sender, const struct workspace *workspace)
{
    struct delivery delivery;
    for (struct attempt *attempt = sender->under_way, *next; attempt; attempt = next) {
        const struct waiting given = {.workspace = attempt->workspace,
                                      .delivery = attempt->end.delivery,
                                      .sending = attempt->end.sending};
        next = attempt->next;
        if (attempt->workspace != workspace || look_up(sender, &given, &delivery) != ERR_NOT_FOUND)
            continue;
        end(sender, attempt);
        attempt_destroy(attempt);
    }
}

static void take_forgettings(struct sender *sender)
{
    pthread_mutex_lock(&sender->lock);
    struct forgetting *forgetting = sender->forgettings;
    sender->forgettings = NULL;
    pthread_mutex_unlock(&sender->lock);
    for (struct forgetting *next; forgetting; forgetting = next) {
        next = forgetting->next;
        forget(sender, forgetting->workspace);
        if (forgetting->done)
            forgetting->done(forgetting->arg);
        workspace_release(forgetting->workspace);
        free(forgetting);
    }
}

void sender_forget(struct sender *sender, struct workspace *workspace, void (*done)(void *arg),
                   void *arg)
{
    struct forgetting *forgetting = sender ? malloc(sizeof *forgetting) : NULL;
    if (!forgetting) { /* attempts end by themselves, too */
        if (done)
            done(arg);
        return;
    }
    atomic_fetch_add(&workspace->references, 1);
    *forgetting = (struct forgetting){.workspace = workspace, .done = done, .arg = arg};
    pthread_mutex_lock(&sender->lock);
    forgetting->next = sender->forgettings;
    sender->forgettings = forgetting;
    pthread_mutex_unlock(&sender->lock);
    wake(sender);
}

/* -- the thread -------------------------------------------------------------------------------- */

/* How long there is nothing to do unless libcurl has something, or somebody wakes it. */
static int sleep_ms(const struct sender *sender)
{
    if (sender->retry_at) {
        int64_t left = sender->retry_at - time_steady_ms();
        return left > 0 ? (int)left : 0;
    }
    if (sender->read < atomic_load(&sender->given) || has_room(sender))
        return 0;
    const struct heap_entry *answer = heap_first(&sender->answers);
    int64_t left = answer ? answer->at - time_steady_ms() : SLEEP_MAX_MS;
    return left < 0 ? 0 : left < SLEEP_MAX_MS ? (int)left : SLEEP_MAX_MS;
}

static void turn(struct sender *sender)
{
    int running;
    if (sender->retry_at && time_steady_ms() >= sender->retry_at) {
        sender->retry_at = 0;
        submit_unsaved(sender);
    }
    take_written(sender);
    take_forgettings(sender);
    if (!sender->retry_at)
        read_given(sender);
    if (!sender->retry_at)
        begin_attempts(sender);
    curl_multi_perform(sender->multi, &running);
    end_attempts(sender);
    end_answers(sender);
    curl_multi_poll(sender->multi, NULL, 0, sleep_ms(sender), NULL);
}

/* They are made again at the next start. */
static void drop_unsaved(struct sender *sender)
{
    for (struct attempt *attempt = sender->unsaved, *next; attempt; attempt = next) {
        next = attempt->next;
        attempt_destroy(attempt);
        sender->unwritten_count--;
    }
    sender->unsaved = NULL;
}

/* Gives up what is under way, and waits for what is with the writer. */
static void finish(struct sender *sender)
{
    while (sender->under_way) {
        struct attempt *attempt = sender->under_way;
        end(sender, attempt);
        attempt_destroy(attempt);
    }
    for (;;) {
        atomic_exchange(&sender->woken, false);
        take_written(sender);
        drop_unsaved(sender);
        if (!sender->unwritten_count)
            break;
        curl_multi_poll(sender->multi, NULL, 0, SLEEP_MAX_MS, NULL);
    }
    take_forgettings(sender);
}

/* Whoever wakes the sender from here on ends its next sleep; what was sent before is seen by it. */
static bool goes_on(struct sender *sender)
{
    atomic_exchange(&sender->woken, false);
    return !atomic_load(&sender->stopping);
}

static bool open_reader(struct sender *sender)
{
    struct err err = {""};
    sender->db = store_reader(sender->engine->store, &err);
    if (!sender->db)
        log_event(LOG_ERROR, "callbacks wait: the store cannot be read",
                  LOG_STR("reason", err.text));
    return sender->db != NULL;
}

static void *sender_main(void *arg)
{
    struct sender *sender = arg;
    while (goes_on(sender) && !open_reader(sender))
        curl_multi_poll(sender->multi, NULL, 0, SLEEP_MAX_MS, NULL);
    while (goes_on(sender))
        turn(sender);
    finish(sender);
    return NULL;
}

int sender_start(struct engine *engine, const struct sender_options *options,
                 struct sender **ret_sender, struct err *err)
{
    struct sender *sender = calloc(1, sizeof *sender);
    CURLM *multi = sender ? curl_multi_init() : NULL;
    if (!multi) {
        free(sender);
        return err_set(err, ERR_NO_MEMORY, "out of memory");
    }
    sender->engine = engine;
    sender->options = *options;
    if (!sender->options.in_all || sender->options.in_all > SENDER_IN_ALL)
        sender->options.in_all = SENDER_IN_ALL;
    sender->multi = multi;
    pthread_mutex_init(&sender->lock, NULL);
    receivers_init(&sender->receivers, SENDER_AT_ONCE);
    sender->has_thread = pthread_create(&sender->thread, NULL, sender_main, sender) == 0;
    if (!sender->has_thread) {
        sender_stop(sender);
        return err_set(err, ERR_INTERNAL, "cannot start the sender's thread");
    }
    store_watch(engine->store, committed, sender);
    *ret_sender = sender;
    return 0;
}

void sender_stop(struct sender *sender)
{
    if (!sender)
        return;
    store_watch(sender->engine->store, NULL, NULL);
    atomic_store(&sender->stopping, true);
    if (sender->has_thread) {
        wake(sender);
        pthread_join(sender->thread, NULL);
    }
    receivers_finish(&sender->receivers);
    heap_finish(&sender->answers);
    curl_multi_cleanup(sender->multi);
    pthread_mutex_destroy(&sender->lock);
    free(sender);
}
