#include "wire.h"

#include "fuzz.h"
#include "program.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ANSWER_MS = 10000 };

void wire_finish(struct wire *wire)
{
    close(wire->fd);
    buf_finish(&wire->in);
    *wire = (struct wire){.fd = -1};
}

void wire_clear(struct wire *wire)
{
    wire->in.len -= wire->at;
    if (wire->at)
        memmove(wire->in.data, wire->in.data + wire->at, wire->in.len + 1);
    wire->at = 0;
}

bool wire_read(struct wire *wire, int ms)
{
    char bytes[16384];
    struct pollfd ready = {.fd = wire->fd, .events = POLLIN};
    if (wire->ended)
        return true;
    int events = poll(&ready, 1, ms);
    if (events < 0 && errno == EINTR) /* libFuzzer looks at the time by a signal */
        return true;
    if (events <= 0)
        return false;
    ssize_t got = recv(wire->fd, bytes, sizeof bytes, MSG_DONTWAIT);
    if (got > 0)
        buf_append(&wire->in, bytes, (size_t)got);
    else if (got == 0 || (errno != EAGAIN && errno != EINTR))
        wire->ended = true;
    return true;
}

void wire_send(struct wire *wire, const void *bytes, size_t len)
{
    const char *at = bytes;
    while (len && !wire->ended) {
        ssize_t sent = send(wire->fd, at, len, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent > 0) {
            at += sent;
            len -= (size_t)sent;
        } else if (errno == EAGAIN) {
            struct pollfd ready = {.fd = wire->fd, .events = POLLIN | POLLOUT};
            poll(&ready, 1, 1000);
            if (ready.revents & POLLIN)
                wire_read(wire, 0);
        } else {
            return;
        }
    }
}

/* -- answers ----------------------------------------------------------------------------------- */

struct framing {
    bool has_length, chunked;
    size_t length;
};

static void take_header(const char *line, size_t len, struct framing *framing,
                        struct wire_answer *answer)
{
    const char *colon = memchr(line, ':', len);
    FUZZ_CHECK(colon && colon > line && colon[1] == ' ', "an answer's header: %.*s", (int)len,
               line);
    const char *value = colon + 2;
    int value_len = (int)(len - (size_t)(value - line));
    for (size_t i = 0; i < len; i++)
        FUZZ_CHECK((unsigned char)line[i] >= ' ' && line[i] != 127,
                   "a control character in a header");
    if (strncasecmp(line, "content-length:", 15) == 0) {
        FUZZ_CHECK(!framing->has_length, "two lengths");
        framing->has_length = true;
        framing->length = strtoul(value, NULL, 10);
    } else if (strncasecmp(line, "transfer-encoding:", 18) == 0) {
        framing->chunked = true;
    } else if (strncasecmp(line, "connection:", 11) == 0) {
        answer->closes = value_len == 5 && strncasecmp(value, "close", 5) == 0;
    } else if (strncasecmp(line, "content-type:", 13) == 0) {
        snprintf(answer->type, sizeof answer->type, "%.*s", value_len, value);
    }
}

/* Reads the head at `text`; its length, or 0: it is not whole. */
static size_t take_head(const char *text, size_t len, struct framing *framing,
                        struct wire_answer *answer)
{
    const char *at = text, *end = len ? memmem(text, len, "\r\n\r\n", 4) : NULL;
    if (!end)
        return 0;
    FUZZ_CHECK(sscanf(at, "HTTP/1.%*1[01] %3d", &answer->status) == 1, "no status line: %.60s", at);
    for (at = strstr(at, "\r\n") + 2; at < end + 2;) {
        const char *line_end = strstr(at, "\r\n");
        take_header(at, (size_t)(line_end - at), framing, answer);
        at = line_end + 2;
    }
    return (size_t)(end - text) + 4;
}

int wire_answer(struct wire *wire, bool is_head, struct wire_answer *ret_answer)
{
    struct framing framing = {0};
    const char *text = wire->in.data ? wire->in.data + wire->at : "";
    size_t left = wire->in.len - wire->at;
    *ret_answer = (struct wire_answer){0};
    size_t head = take_head(text, left, &framing, ret_answer);
    if (!head)
        return 0;
    int status = ret_answer->status;
    bool empty = is_head || status == 204 || status == 304 || status < 200;
    FUZZ_CHECK(!framing.chunked, "a chunked answer");
    FUZZ_CHECK(empty || framing.has_length, "an answer without a length");
    ret_answer->body = text + head;
    ret_answer->len = empty ? 0 : framing.length;
    if (left - head < ret_answer->len)
        return 0;
    wire->at += head + ret_answer->len;
    return 1;
}

/* -- asking ------------------------------------------------------------------------------------ */

void wire_ask(struct wire *wire, const char *method, const char *target, const char *body,
              struct wire_answer *ret_answer)
{
    struct buf request = BUF_INIT;
    size_t len = body ? strlen(body) : 0;
    buf_printf(&request, "%s %s HTTP/1.1\r\nHost: localhost\r\n%sContent-Length: %zu\r\n\r\n",
               method, target,
               strstr(target, "/_mock") ? "" : "Authorization: Bearer " PROGRAM_KEY "\r\n", len);
    buf_append(&request, body ? body : "", len);
    wire_clear(wire);
    wire_send(wire, request.data, request.len);
    buf_finish(&request);
    while (!wire_answer(wire, false, ret_answer)) {
        FUZZ_CHECK(!wire->ended, "%s %s: cut off", method, target);
        FUZZ_CHECK(wire_read(wire, ANSWER_MS), "%s %s: no answer", method, target);
    }
    FUZZ_CHECK(ret_answer->status < 500, "%s %s: %d %.*s", method, target, ret_answer->status,
               (int)ret_answer->len, ret_answer->body);
}

json_t *wire_ask_json(struct wire *wire, const char *method, const char *target, const char *body,
                      int *ret_status)
{
    struct wire_answer answer;
    wire_ask(wire, method, target, body, &answer);
    json_t *value = json_loadb(answer.body, answer.len, JSON_DECODE_ANY, NULL);
    FUZZ_CHECK(value || !answer.len || !strstr(answer.type, "json"), "%s %s: no JSON: %.*s", method,
               target, (int)answer.len, answer.body);
    if (ret_status)
        *ret_status = answer.status;
    return value;
}
