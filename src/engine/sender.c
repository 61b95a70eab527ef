/*
 * One loop: take what others have sent, queue what the store says is given, begin attempts where
 * there is room (sender_given.c), have libcurl work, have written what came of those that are over
 * (sender_written.c), and sleep until libcurl has something to do or somebody wakes it.
 */
#include "base/log.h"
#include "base/time.h"
#include "engine/sender_internal.h"

#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

enum { RETRY_MS = 250, SLEEP_MAX_MS = 10000, NICE = 5 };

/* A workspace whose attempts are to be looked through. */
struct forgetting {
    struct forgetting *next;
    struct workspace *workspace; /* with a reference */
    void (*done)(void *arg);
    void *arg;
};

void sender_wake(struct sender *sender)
{
    if (!atomic_exchange(&sender->woken, true))
        curl_multi_wakeup(sender->multi);
}

/* The writer's thread. */
static void committed(void *arg, int64_t number)
{
    struct sender *sender = arg;
    atomic_store(&sender->given, number);
    sender_wake(sender);
}

void sender_note(struct sender *sender, enum store_use use, int status)
{
    static const char *const events[STORE_USES] = {
        [READING] = "callbacks wait: the store cannot be read",
        [WRITING] = "callbacks wait: what came of them cannot be written",
    };
    bool failing = status < 0;
    if (failing)
        sender->retry_at = time_steady_ms() + RETRY_MS;
    failing &= !store_logs(status); /* then the store has said it */
    if (failing == sender->failing[use])
        return;
    sender->failing[use] = failing;
    if (failing)
        log_event(LOG_ERROR, events[use], LOG_STR("reason", err_reason(status)));
    else
        log_message(LOG_INFO, "callbacks go on");
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
        if (attempt->workspace != workspace ||
            sender_look_up(sender, &given, &delivery) != ERR_NOT_FOUND)
            continue;
        sender_end_attempt(sender, attempt);
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
    sender_wake(sender);
}

/* -- the thread -------------------------------------------------------------------------------- */

/* How long there is nothing to do unless libcurl has something, or somebody wakes it. */
static int sleep_ms(const struct sender *sender)
{
    int64_t now = time_steady_ms(), until = now + SLEEP_MAX_MS;
    const struct heap_entry *answer = heap_first(&sender->answers);
    if (sender->retry_at && sender->retry_at < until)
        until = sender->retry_at;
    else if (!sender->retry_at && (sender_has_given(sender) || sender_has_room(sender)))
        until = now;
    if (answer && answer->at < until)
        until = answer->at;
    return until > now ? (int)(until - now) : 0;
}

static void turn(struct sender *sender)
{
    int running;
    if (sender->retry_at && time_steady_ms() >= sender->retry_at) {
        sender->retry_at = 0;
        sender_write_unsaved(sender);
        sender_begin_again(sender);
    }
    sender_take_written(sender);
    take_forgettings(sender);
    if (!sender->retry_at)
        sender_read_given(sender);
    if (!sender->retry_at)
        sender_begin_attempts(sender);
    curl_multi_perform(sender->multi, &running);
    sender_write_ended(sender);
    sender_write_answered(sender);
    curl_multi_poll(sender->multi, NULL, 0, sleep_ms(sender), NULL);
}

static void give_up_all(struct sender *sender)
{
    for (struct attempt *attempt; (attempt = sender->under_way);) {
        sender_end_attempt(sender, attempt);
        attempt_destroy(attempt);
    }
}

/* Gives up what is under way, also what the writer hands back as such, and waits for the writer. */
static void finish(struct sender *sender)
{
    for (;;) {
        atomic_exchange(&sender->woken, false);
        sender_take_written(sender);
        give_up_all(sender);
        sender_drop_unsaved(sender);
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

/* Where the processor is short, requests go before callbacks. */
static void stand_back(void)
{
    setpriority(PRIO_PROCESS, (id_t)gettid(), NICE);
}

static void *sender_main(void *arg)
{
    struct sender *sender = arg;
    stand_back();
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
        sender_wake(sender);
        pthread_join(sender->thread, NULL);
    }
    receivers_finish(&sender->receivers);
    heap_finish(&sender->answers);
    curl_multi_cleanup(sender->multi);
    pthread_mutex_lock(&sender->lock); /* whoever wrote the last one may still hold it */
    pthread_mutex_unlock(&sender->lock);
    pthread_mutex_destroy(&sender->lock);
    free(sender);
}
