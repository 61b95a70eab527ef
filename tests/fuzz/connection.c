/*
 * A connection: any bytes, sent to the whole server over a socket pair. A reference reads them as
 * strictly as RFC 9112 does. What it takes for right gets one answer each, in order; where it sees
 * what has to be refused (H5), that request is refused, and nothing behind it is answered; what is
 * neither, it makes no claim about. So none smuggles a second request.
 */
#include "fuzz.h"
#include "program.h"
#include "wire.h"

#include <ctype.h>
#include <linux/sockios.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    RENEW = 20000,   /* inputs, after which the store is made afresh */
    HEAD_MAX = 8000, /* bytes: well below what is refused for its size */
    ANSWER_MS = 10000,
    LOOK_US = 20,
    LOOKS = 1000,
};

/* -- the reference ----------------------------------------------------------------------------- */

enum verdict { RIGHT, TO_BE_REFUSED, UNKNOWN };

struct reading {
    enum verdict verdict;
    size_t len;            /* with its body */
    bool is_head, is_last; /* last: perhaps */
    unsigned hosts, lengths, encodings;
    bool modern;
    size_t length;
};

static bool is_token(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (!isalnum((unsigned char)text[i]) && (!text[i] || !strchr("!#$%&'*+-.^_`|~", text[i])))
            return false;
    return len > 0;
}

static bool is_plain(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)text[i] < ' ' || text[i] == 127)
            return false;
    return true;
}

/* METHOD /target HTTP/1.x, one blank each, in plain ASCII. */
static bool read_first(const char *line, size_t len, struct reading *reading)
{
    const char *blank = memchr(line, ' ', len), *end = line + len;
    if (!blank || !is_token(line, (size_t)(blank - line)) || !is_plain(line, len))
        return false;
    const char *target = blank + 1, *stop = memchr(target, ' ', (size_t)(end - target));
    if (!stop || *target != '/' || end - stop != 9 || memcmp(stop, " HTTP/1.", 8) != 0)
        return false;
    for (const char *at = target; at < stop; at++)
        if ((unsigned char)*at > 126 || *at == '#')
            return false;
    reading->modern = end[-1] == '1';
    reading->is_head = blank - line == 4 && memcmp(line, "HEAD", 4) == 0;
    reading->is_last = !reading->modern;
    return end[-1] == '1' || end[-1] == '0';
}

static bool is(const char *name, size_t len, const char *wanted)
{
    return len == strlen(wanted) && strncasecmp(name, wanted, len) == 0;
}

static enum verdict read_framing(const char *name, size_t len, const char *value, size_t value_len,
                                 struct reading *reading)
{
    if (is(name, len, "Content-Length")) {
        for (size_t i = 0; i < value_len; i++)
            if (!isdigit((unsigned char)value[i]))
                return TO_BE_REFUSED;
        reading->lengths++;
        reading->length = strtoul(value, NULL, 10);
        return value_len && value_len < 8 ? RIGHT : UNKNOWN;
    }
    if (is(name, len, "Transfer-Encoding")) {
        reading->encodings++;
        return is(value, value_len, "chunked") ? RIGHT : TO_BE_REFUSED;
    }
    if (is(name, len, "Connection"))
        reading->is_last |= !is(value, value_len, "keep-alive");
    if (is(name, len, "Expect") || is(name, len, "Upgrade"))
        return UNKNOWN;
    reading->hosts += is(name, len, "Host");
    return RIGHT;
}

static enum verdict read_header(const char *line, size_t len, struct reading *reading)
{
    const char *colon = memchr(line, ':', len);
    if (!is_plain(line, len) && !memchr(line, '\t', len))
        return UNKNOWN; /* refused, but how it is read until there is the library's own */
    if (*line == ' ' || *line == '\t')
        return colon ? TO_BE_REFUSED : UNKNOWN;
    if (!colon || colon == line)
        return UNKNOWN;
    size_t name_len = (size_t)(colon - line);
    if (colon[-1] == ' ' && is_token(line, name_len - 1))
        return TO_BE_REFUSED;
    if (!is_token(line, name_len) || !is_plain(line, len))
        return UNKNOWN;
    const char *value = colon + 1, *end = line + len;
    while (value < end && *value == ' ')
        value++;
    bool trails = value < end && end[-1] == ' ';
    enum verdict verdict = read_framing(line, name_len, value, (size_t)(end - value), reading);
    return trails && verdict == TO_BE_REFUSED ? UNKNOWN : verdict;
}

/* Chunks without extensions and trailers; their length, 0 where it is anything else. */
static size_t read_chunks(const char *text, size_t len)
{
    const char *at = text, *end = text + len;
    for (;;) {
        size_t size = 0, digits = 0;
        for (; at < end && isxdigit((unsigned char)*at); at++, digits++)
            size = size * 16 +
                   (size_t)(isdigit((unsigned char)*at) ? *at - '0' : (*at | 32) - 'a' + 10);
        if (!digits || digits > 5 || end - at < 2 || memcmp(at, "\r\n", 2) != 0)
            return 0;
        at += 2;
        if ((size_t)(end - at) < size + 2 || memcmp(at + size, "\r\n", 2) != 0)
            return 0;
        at += size + 2;
        if (!size)
            return (size_t)(at - text);
    }
}

static void read_body(const char *text, size_t len, struct reading *reading)
{
    size_t body = reading->encodings ? read_chunks(text, len) : reading->length;
    if (body > len || (reading->encodings && !body))
        reading->verdict = UNKNOWN;
    reading->len += body;
}

/* Where the line that begins here ends, in a head whose last one does. */
static const char *end_of_line(const char *at)
{
    while (at[0] != '\r' || at[1] != '\n')
        at++;
    return at;
}

static size_t head_len(const char *text, size_t len)
{
    for (size_t i = 0; i + 4 <= len; i++)
        if (memcmp(text + i, "\r\n\r\n", 4) == 0)
            return i + 4;
    return 0;
}

static struct reading read_request(const char *text, size_t len)
{
    struct reading reading = {.verdict = UNKNOWN, .len = head_len(text, len)};
    if (!reading.len || reading.len > HEAD_MAX)
        return reading;
    const char *line_end = end_of_line(text), *end = text + reading.len - 4;
    if (!read_first(text, (size_t)(line_end - text), &reading))
        return reading;
    reading.verdict = RIGHT;
    while (line_end < end) {
        const char *line = line_end + 2;
        line_end = end_of_line(line);
        enum verdict verdict = read_header(line, (size_t)(line_end - line), &reading);
        reading.verdict = verdict > reading.verdict ? verdict : reading.verdict;
    }
    if (reading.verdict == UNKNOWN)
        return reading;
    if (reading.hosts > 1 || (reading.modern && !reading.hosts) ||
        reading.lengths + reading.encodings > 1 || (reading.encodings && !reading.modern))
        reading.verdict = TO_BE_REFUSED;
    if (reading.verdict == RIGHT)
        read_body(text + reading.len, len - reading.len, &reading);
    return reading;
}

/* -- both -------------------------------------------------------------------------------------- */

/* The answer to a request that is right. */
static struct wire_answer await(struct wire *wire, bool is_head)
{
    struct wire_answer answer;
    while (!wire_answer(wire, is_head, &answer)) {
        FUZZ_CHECK(!wire->ended, "a request that is right was not answered");
        FUZZ_CHECK(wire_read(wire, ANSWER_MS), "no answer in %d ms", ANSWER_MS);
    }
    FUZZ_CHECK(answer.status >= 200 && answer.status < 500, "an answer of %d", answer.status);
    return answer;
}

/*
 * Waits until the server has read all, a little while at most. libmicrohttpd's epoll is told of new
 * bytes and of the end once each: an end that comes with the last bytes of what is not whole yet it
 * finds only when the connection's time is over.
 */
static void let_read(const struct wire *wire)
{
    int left = 1;
    for (int i = 0; i < LOOKS && ioctl(wire->fd, SIOCOUTQ, &left) == 0 && left; i++)
        usleep(LOOK_US);
}

static void await_end(struct wire *wire)
{
    let_read(wire);
    shutdown(wire->fd, SHUT_WR);
    while (!wire->ended)
        FUZZ_CHECK(wire_read(wire, ANSWER_MS), "the connection stays open");
}

/*
 * A request that is refused is answered once at most, and nothing behind it. (Of its own page about
 * a Content-Length libmicrohttpd 0.9.75 sends the head twice: so what follows is searched for
 * answers to anything else.)
 */
static void check_refusal(struct wire *wire, bool is_head)
{
    struct wire_answer answer, next;
    await_end(wire);
    if (!wire_answer(wire, is_head, &answer))
        return;
    FUZZ_CHECK(answer.status >= 400 && answer.status < 506 && answer.status != 500,
               "what is ambiguous is answered with %d", answer.status);
    for (char *at = wire->in.data + wire->at; (at = strstr(at, "HTTP/1.")); at++) {
        wire->at = (size_t)(at - wire->in.data);
        FUZZ_CHECK(!wire_answer(wire, is_head, &next) || next.status == answer.status,
                   "what follows is answered too: %s", at);
    }
}

static void check_answers(struct wire *wire, const char *text, size_t len)
{
    while (len) {
        struct reading reading = read_request(text, len);
        if (reading.verdict == TO_BE_REFUSED)
            check_refusal(wire, reading.is_head);
        if (reading.verdict != RIGHT)
            break;
        struct wire_answer answer = await(wire, reading.is_head);
        text += reading.len;
        len -= reading.len;
        if (answer.closes || reading.is_last) {
            await_end(wire);
            FUZZ_CHECK(!answer.closes || wire->at == wire->in.len, "answers after the last one");
            return;
        }
    }
    await_end(wire);
    FUZZ_CHECK(len || wire->at == wire->in.len, "more answers than requests");
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static const struct program_options options = {.sends = false};
    static struct program *program;
    static unsigned long inputs;
    if (program && inputs % RENEW == 0) {
        program_stop(program);
        program = NULL;
    }
    if (!program)
        program = program_start(&options);
    inputs++;
    struct wire wire = {.fd = program_connect(program)};
    wire_send(&wire, bytes, len);
    check_answers(&wire, (const char *)bytes, len);
    wire_finish(&wire);
    return 0;
}
