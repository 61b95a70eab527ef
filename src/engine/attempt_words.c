/* What an attempt failed by, in words for whoever runs the receiver. */
#include "engine/attempt.h"

#include "base/duration.h"

#include <string.h>

/* What stands for the %s of some words. */
enum about {
    NOTHING,
    HOST,   /* the URL's */
    DETAIL, /* what libcurl says */
};

static const struct {
    CURLcode code;
    enum about about;
    const char *words;
} table[] = {
    {CURLE_UNSUPPORTED_PROTOCOL, NOTHING, "the receiver's answer is not HTTP"},
    {CURLE_WEIRD_SERVER_REPLY, NOTHING, "the receiver's answer is not HTTP"},
    {CURLE_BAD_FUNCTION_ARGUMENT, NOTHING, "the receiver's answer is not HTTP"},
    {CURLE_HTTP2, NOTHING, "the receiver's answer is not HTTP/1.1"},
    {CURLE_URL_MALFORMAT, DETAIL, "the URL cannot be called: %s"},
    {CURLE_COULDNT_RESOLVE_HOST, HOST, "the name %s is not known"},
    {CURLE_SSL_CONNECT_ERROR, DETAIL, "no TLS with the receiver: %s"},
    {CURLE_SSL_CERTPROBLEM, DETAIL, "the receiver's certificate is not accepted: %s"},
    {CURLE_SSL_ISSUER_ERROR, DETAIL, "the receiver's certificate is not accepted: %s"},
    {CURLE_SSL_CACERT_BADFILE, DETAIL, "the certificates that are trusted cannot be read: %s"},
    {CURLE_GOT_NOTHING, NOTHING, "the receiver closed the connection without an answer"},
    {CURLE_PARTIAL_FILE, NOTHING, "the receiver closed the connection within its answer"},
    {CURLE_SEND_ERROR, DETAIL, "the request cannot be sent: %s"},
    {CURLE_RECV_ERROR, DETAIL, "the answer cannot be read: %s"},
    {CURLE_BAD_CONTENT_ENCODING, NOTHING, "the answer's transfer coding is broken"},
    {CURLE_OUT_OF_MEMORY, NOTHING, "out of memory"},
};

static const char *detail_of(const struct attempt *attempt, CURLcode code)
{
    return *attempt->detail ? attempt->detail : curl_easy_strerror(code);
}

/* What the operating system says of the connection; false: nothing. */
static bool explain_connection(const struct attempt *attempt, CURLcode code, struct err *words)
{
    char to[URL_AUTHORITY_SIZE];
    long number = 0;
    url_format_authority(&attempt->place, to);
    curl_easy_getinfo(attempt->easy, CURLINFO_OS_ERRNO, &number);
    if (code == CURLE_COULDNT_CONNECT)
        err_set(words, 0, "no connection to %s: %s", to,
                number ? err_system((int)number) : detail_of(attempt, code));
    else if (number && (code == CURLE_RECV_ERROR || code == CURLE_SEND_ERROR))
        err_set(words, 0, "the connection broke: %s", err_system((int)number));
    else
        return false;
    return true;
}

/* Whether a phase of the transfer is over. */
static bool is_past(const struct attempt *attempt, CURLINFO phase)
{
    curl_off_t time = 0;
    curl_easy_getinfo(attempt->easy, phase, &time);
    return time > 0;
}

void attempt_explain_silence(const struct attempt *attempt, struct err *ret_words)
{
    char text[DURATION_TEXT_SIZE];
    duration_format(attempt->timeout, text);
    err_set(ret_words, 0, "the receiver did not answer within %s", text);
}

static void explain_timeout(const struct attempt *attempt, struct err *words)
{
    bool connected = is_past(attempt, CURLINFO_PRETRANSFER_TIME_T);
    int64_t limit = connected || attempt->timeout < attempt->connect_timeout
                        ? attempt->timeout
                        : attempt->connect_timeout;
    char text[DURATION_TEXT_SIZE], to[URL_AUTHORITY_SIZE];
    duration_format(limit, text);
    url_format_authority(&attempt->place, to);
    if (!is_past(attempt, CURLINFO_NAMELOOKUP_TIME_T))
        err_set(words, 0, "the name %s was not found within %s", attempt->place.host, text);
    else if (!connected)
        err_set(words, 0, "no connection to %s within %s", to, text);
    else if (attempt->answer.has_head)
        err_set(words, 0, "the receiver did not end its answer within %s", text);
    else
        attempt_explain_silence(attempt, words);
}

void attempt_explain(const struct attempt *attempt, CURLcode code, struct err *ret_words)
{
    const struct answer *answer = &attempt->answer;
    /* What libcurl lacks the memory for, once an answer has begun, is a line without an end. */
    bool endless = code == CURLE_OUT_OF_MEMORY && !answer->has_head;
    if (answer->head_too_long || answer->body_too_long || endless) {
        err_set(ret_words, 0, "the %s of the answer is longer than %d KiB",
                answer->body_too_long ? "body" : "head", ANSWER_MAX / 1024);
        return;
    }
    if (code == CURLE_OPERATION_TIMEDOUT) {
        explain_timeout(attempt, ret_words);
        return;
    }
    if (explain_connection(attempt, code, ret_words))
        return;
    if (code == CURLE_PEER_FAILED_VERIFICATION) {
        trust_explain(attempt->easy, attempt->place.host, detail_of(attempt, code), ret_words);
        return;
    }
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (table[i].code == code) {
            err_set(ret_words, 0, table[i].words,
                    table[i].about == HOST ? attempt->place.host : detail_of(attempt, code));
            return;
        }
    err_set(ret_words, 0, "the attempt failed: %s", curl_easy_strerror(code));
}
