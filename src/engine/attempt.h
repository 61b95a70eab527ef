/*
 * One attempt at a delivery: a request put together as it is to arrive, a transfer of libcurl's for
 * it, and what came of that. The sender's thread alone (engine/sender.h).
 */
#ifndef UNDERSTUDY_ENGINE_ATTEMPT_H
#define UNDERSTUDY_ENGINE_ATTEMPT_H

#include "base/buf.h"
#include "base/heap.h"
#include "base/url.h"
#include "engine/answer.h"
#include "engine/delivery.h"
#include "engine/inbox.h"
#include "engine/sender.h"

#include <curl/curl.h>

enum { ATTEMPT_ADDRESS_SIZE = 64 }; /* "[" an IPv6 address "]:" a port */

struct attempt {
    struct delivery_end end; /* what is written down of it */
    struct workspace *workspace;
    char delivery[ID_HEX_SIZE];

    /* The request. */
    const struct reach *reach;
    struct buf url;
    struct url_place place;
    struct curl_slist *headers;
    struct buf own_headers; /* of these, ours: a JSON object */
    struct buf body;
    size_t body_len; /* that is sent of it */
    int64_t timeout, connect_timeout;
    CURL *easy;
    char detail[CURL_ERROR_SIZE]; /* what libcurl says of a failure */

    struct answer answer;
    bool opened;  /* a connection was tried */
    bool blocked; /* one was not, or is not to be, because of: */
    struct err reason;
    char address[ATTEMPT_ADDRESS_SIZE];
    struct err error;

    /* To an inbox of our own. */
    char inbox[INBOX_NAME_SIZE]; /* "": it is not */
    struct buf head;             /* the headers, as a JSON object */
    struct inbox_reply reply;
    bool answers_later; /* the message is there, the answer comes after its delay */
    struct heap_entry answer_due;

    /* The sender's. */
    struct sender *sender;
    struct receiver *receiver;
    bool lacked_memory; /* libcurl had none: it is made once more */
    struct attempt *next, **place_in_list;
};

/* Names the receiver of a delivery, as the settings of its workspace are now; each inbox is one,
 * for it may be slow by itself. ERR_NO_MEMORY. */
int attempt_name_receiver(const struct sender_options *options, const struct workspace_row *row,
                          const struct delivery_given *given, char ret_name[URL_AUTHORITY_SIZE]);

/*
 * An attempt at a delivery that was given to the sender, ready to be sent. A reference to the
 * workspace is taken. ERR_NOT_FOUND: there is nothing to be sent; else what `db` says.
 */
int attempt_create(const struct sender_options *options, struct engine *engine,
                   struct workspace *workspace, struct db *db, const struct delivery *delivery,
                   struct attempt **ret_attempt);

/* The transfer is over: fills in what is to be written. It is not with a multi handle any more. */
void attempt_conclude(struct attempt *attempt, CURLcode code);

/* Whether the transfer ended because libcurl had no memory. It says the same of a line of the
 * answer that is longer than it takes: not once the receiver has said something. */
bool attempt_lacked_memory(const struct attempt *attempt, CURLcode code);

/* Before it is given to libcurl once more, which had no memory for it. ERR_NO_MEMORY: nor now, and
 * its handle may be NULL. */
int attempt_set_up_again(struct attempt *attempt, const struct sender_options *options);

void attempt_destroy(struct attempt *attempt); /* NULL is fine */

/* Puts it first in a list; takes it out of the one that it is in. */
void attempt_put(struct attempt **list, struct attempt *attempt);
void attempt_take_out(struct attempt *attempt);

/* -- to an inbox of our own (attempt_inbox.c) -------------------------------------------------- */

/* Has its `end` put the message into the inbox. ERR_NO_MEMORY. */
int attempt_set_up_inbox(struct attempt *attempt);

/* The delay of an attempt that answers later is over, or its time: as attempt_conclude(). */
void attempt_conclude_later(struct attempt *attempt);

/* -- inside ------------------------------------------------------------------------------------ */

/* Fills in what is to be written; `status` 0: there was no answer. */
void attempt_fill_row(struct attempt *attempt, enum attempt_outcome outcome, long status);

/* How an answer counts that came whole, and why it is no success. */
enum attempt_outcome attempt_judge(struct attempt *attempt, long status);

/* In a person's words, why an attempt has failed without a whole answer; and that there was none in
 * time (attempt_words.c). */
void attempt_explain(const struct attempt *attempt, CURLcode code, struct err *ret_words);
void attempt_explain_silence(const struct attempt *attempt, struct err *ret_words);

#endif
