/* What came of attempts goes to the writer, and stays in memory until it is written. */
#include "base/log.h"
#include "base/time.h"
#include "engine/sender_internal.h"

#include <stdio.h>

/* The writer's thread, or the sender's where the queue is full. */
static void was_written(void *arg)
{
    struct attempt *attempt = arg;
    struct sender *sender = attempt->sender;
    pthread_mutex_lock(&sender->lock);
    attempt->next = sender->written;
    sender->written = attempt;
    sender_wake(sender); /* once the lock is let go, the sender may end with this one */
    pthread_mutex_unlock(&sender->lock);
}

static void submit(struct attempt *attempt)
{
    operation_submit(&attempt->end.operation, was_written, attempt);
}

void sender_write(struct sender *sender, struct attempt *attempt)
{
    sender->unwritten_count++;
    submit(attempt);
}

void sender_write_ended(struct sender *sender)
{
    CURLMsg *message;
    int left;
    while ((message = curl_multi_info_read(sender->multi, &left))) {
        struct attempt *attempt = NULL;
        CURLcode code = message->data.result;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &attempt);
        if (attempt_lacked_memory(attempt, code)) {
            curl_multi_remove_handle(sender->multi, attempt->easy);
            sender_put_off(sender, attempt);
            continue;
        }
        sender_end_attempt(sender, attempt);
        attempt_conclude(attempt, code);
        sender_write(sender, attempt);
    }
}

/* -- answers of inboxes that take their time --------------------------------------------------- */

static void answer(struct sender *sender, struct attempt *attempt)
{
    sender_end_attempt(sender, attempt);
    attempt_conclude_later(attempt);
    sender_write(sender, attempt);
}

/* The message is in its inbox; the answer takes its time, and the attempt no longer than it may. */
static void await_answer(struct sender *sender, struct attempt *attempt)
{
    int64_t delay =
        attempt->reply.delay < attempt->timeout ? attempt->reply.delay : attempt->timeout;
    attempt_put(&sender->under_way, attempt);
    if (heap_put(&sender->answers, &attempt->answer_due, time_steady_ms() + delay) < 0)
        answer(sender, attempt);
}

void sender_write_answered(struct sender *sender)
{
    struct heap_entry *first;
    while ((first = heap_first(&sender->answers)) && first->at <= time_steady_ms())
        answer(sender, HEAP_OWNER(first, struct attempt, answer_due));
}

/* -- written, or not --------------------------------------------------------------------------- */

/* Without what may be secret: no path, no query, no header. */
static void log_end(const struct attempt *attempt)
{
    const struct delivery_end *end = &attempt->end;
    bool failed = end->attempt.outcome != ATTEMPT_DELIVERED;
    enum log_level level = failed && delivery_has_ended(end->status) ? LOG_WARN : LOG_DEBUG;
    char to[URL_AUTHORITY_SIZE], url[URL_AUTHORITY_SIZE + sizeof "https://"];
    if (!log_enabled(level))
        return;
    url_format_authority(&attempt->place, to);
    snprintf(url, sizeof url, "%s://%s", attempt->place.scheme, to);
    log_event(level, failed ? "a callback was not delivered" : "a callback was delivered",
              LOG_STR("workspace", attempt->workspace->row.slug),
              LOG_STR("delivery", attempt->delivery), LOG_STR("to", url),
              LOG_STR("reason", failed ? end->attempt.error : NULL));
}

static void finish(struct sender *sender, struct attempt *attempt)
{
    if (attempt->end.operation.status == 0 && attempt->end.attempt.number)
        log_end(attempt);
    sender_leave_receiver(sender, attempt);
    attempt_destroy(attempt);
}

/* The writer is done with it. */
static void take(struct sender *sender, struct attempt *attempt)
{
    int status = attempt->end.operation.status;
    bool is_gone = status == ERR_GONE;
    sender_note(sender, WRITING, is_gone ? 0 : status);
    if (status < 0 && !is_gone) {
        attempt_put(&sender->unsaved, attempt);
        return;
    }
    sender->unwritten_count--;
    if (status == 0 && attempt->answers_later)
        await_answer(sender, attempt);
    else
        finish(sender, attempt);
}

void sender_take_written(struct sender *sender)
{
    pthread_mutex_lock(&sender->lock);
    struct attempt *attempt = sender->written;
    sender->written = NULL;
    pthread_mutex_unlock(&sender->lock);
    for (struct attempt *next; attempt; attempt = next) {
        next = attempt->next;
        take(sender, attempt);
    }
}

void sender_write_unsaved(struct sender *sender)
{
    struct attempt *attempt = sender->unsaved;
    sender->unsaved = NULL;
    for (struct attempt *next; attempt; attempt = next) {
        next = attempt->next;
        submit(attempt);
    }
}

void sender_drop_unsaved(struct sender *sender)
{
    for (struct attempt *attempt = sender->unsaved, *next; attempt; attempt = next) {
        next = attempt->next;
        sender->unwritten_count--;
        sender_leave_receiver(sender, attempt);
        attempt_destroy(attempt);
    }
    sender->unsaved = NULL;
}
