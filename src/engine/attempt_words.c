/* What an attempt failed by, in words for whoever runs the receiver. */
#include "engine/attempt.h"

#include "base/duration.h"

#include <string.h>

/* What stands for the %s of some words. */
enum about {
    NOTHING,
    HOST,   /* the URL's */
    PLACE,  /* the URL's host and port */
    REASON, /* what the operating system says */
    DETAIL, /* what libcurl says */
};

static const struct {
    CURLcode code;
    enum about about;
    const char *words;
} table[] = {
    {CURLE_UNSUPPORTED_PROTOCOL, NOTHING, "the receiver's answer is not HTTP"},
    {CURLE_WEIRD_SERVER_REPLY, NOTHING, "the receiver's answer is not HTTP"},
    {CURLE_HTTP2, NOTHING, "the receiver's answer is not HTTP/1.1"},
    {CURLE_URL_MALFORMAT, DETAIL, "the URL cannot be called: %s"},
    {CURLE_COULDNT_RESOLVE_HOST, HOST, "the name %s is not known"},
    {CURLE_COULDNT_CONNECT, REASON, "no connection: %s"},
    {CURLE_SSL_CONNECT_ERROR, DETAIL, "no TLS with the receiver: %s"},
    {CURLE_SSL_CERTPROBLEM, DETAIL, "the receiver's certificate is not accepted: %s"},
    {CURLE_SSL_ISSUER_ERROR, DETAIL, "the receiver's certificate is not accepted: %s"},
    {CURLE_SSL_CACERT_BADFILE, DETAIL, "the certificates that are trusted cannot be read: %s"},
    {CURLE_GOT_NOTHING, NOTHING, "the receiver closed the connection without an answer"},
    {CURLE_PARTIAL_FILE, NOTHING, "the receiver closed the connection within its answer"},
    {CURLE_SEND_ERROR, REASON, "the connection broke: %s"},
    {CURLE_RECV_ERROR, REASON, "the connection broke: %s"},
    {CURLE_BAD_CONTENT_ENCODING, NOTHING, "the answer's transfer coding is broken"},
    {CURLE_OUT_OF_MEMORY, NOTHING, "out of memory"},
};

static const char *reason(const struct attempt *attempt, CURLcode code)
{
    long number = 0;
    curl_easy_getinfo(attempt->easy, CURLINFO_OS_ERRNO, &number);
    if (number)
        return strerror((int)number);
    return *attempt->detail ? attempt->detail : curl_easy_strerror(code);
}

/* Whether a phase of the transfer is over. */
static bool is_past(const struct attempt *attempt, CURLINFO phase)
{
    curl_off_t time = 0;
    curl_easy_getinfo(attempt->easy, phase, &time);
    return time > 0;
}

static void explain_timeout(const struct attempt *attempt, struct err *words)
{
    bool connected = is_past(attempt, CURLINFO_PRETRANSFER_TIME_T);
    int64_t limit = connected || attempt->timeout < attempt->connect_timeout
                        ? attempt->timeout
                        : attempt->connect_timeout;
    char text[DURATION_TEXT_SIZE];
    duration_format(limit, text);
    if (!is_past(attempt, CURLINFO_NAMELOOKUP_TIME_T))
        err_set(words, 0, "the name %s was not found within %s", attempt->place.host, text);
    else if (!connected)
        err_set(words, 0, "no connection to %s:%s within %s", attempt->place.host,
                attempt->place.port, text);
    else if (is_past(attempt, CURLINFO_STARTTRANSFER_TIME_T))
        err_set(words, 0, "the receiver did not end its answer within %s", text);
    else
        err_set(words, 0, "the receiver did not answer within %s", text);
}

static const char *about_what(const struct attempt *attempt, enum about about, CURLcode code)
{
    switch (about) {
    case HOST:
        return attempt->place.host;
    case REASON:
        return reason(attempt, code);
    case DETAIL:
        return *attempt->detail ? attempt->detail : curl_easy_strerror(code);
    default:
        return "";
    }
}

void attempt_explain(const struct attempt *attempt, CURLcode code, struct err *ret_words)
{
    const struct answer *answer = &attempt->answer;
    if (answer->head_too_long || answer->body_too_long) {
        err_set(ret_words, 0, "the %s of the answer is longer than %d KiB",
                answer->head_too_long ? "head" : "body", ANSWER_MAX / 1024);
        return;
    }
    if (code == CURLE_OPERATION_TIMEDOUT) {
        explain_timeout(attempt, ret_words);
        return;
    }
    if (code == CURLE_PEER_FAILED_VERIFICATION) {
        trust_explain(attempt->easy, attempt->place.host, about_what(attempt, DETAIL, code),
                      ret_words);
        return;
    }
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (table[i].code == code) {
            err_set(ret_words, 0, table[i].words, about_what(attempt, table[i].about, code));
            return;
        }
    err_set(ret_words, 0, "the attempt failed: %s", curl_easy_strerror(code));
}
