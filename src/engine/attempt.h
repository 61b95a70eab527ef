/*
 * One attempt at a delivery: a request put together as it is to arrive, a transfer of libcurl's for
 * it, and what came of that. The sender's thread alone (engine/sender.h).
 */
#ifndef UNDERSTUDY_ENGINE_ATTEMPT_H
#define UNDERSTUDY_ENGINE_ATTEMPT_H

#include "base/buf.h"
#include "base/url.h"
#include "engine/answer.h"
#include "engine/delivery.h"
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
    bool blocked; /* one was not, because of: */
    struct err reason;
    char address[ATTEMPT_ADDRESS_SIZE];
    struct err error;

    /* The sender's. */
    struct sender *sender;
    struct receiver *receiver;
    struct attempt *next, **place_in_list;
};

/*
 * An attempt at a delivery that was given to the sender, ready to be sent. A reference to the
 * workspace is taken. ERR_NOT_FOUND: there is nothing to be sent; else what `db` says.
 */
int attempt_create(const struct sender_options *options, struct engine *engine,
                   struct workspace *workspace, struct db *db, const struct delivery *delivery,
                   struct attempt **ret_attempt);

/* The transfer is over: fills in what is to be written. It is not with a multi handle any more. */
void attempt_conclude(struct attempt *attempt, CURLcode code);

void attempt_destroy(struct attempt *attempt); /* NULL is fine */

/* In a person's words, why an attempt has failed without a whole answer (attempt_words.c). */
void attempt_explain(const struct attempt *attempt, CURLcode code, struct err *ret_words);

#endif
