/*
 * The guard (H4, H5), against a slow reference: each rule as a regular expression over the whole of
 * what it is about. An input is a request's head: method, target and version on the first line, a
 * header on each other, its name before the first colon.
 */
#include "http/guard.h"

#include "fuzz.h"

#include <regex.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { HEADERS_MAX = 64 };

struct header {
    char *name, *value;
    size_t name_len, value_len;
};

struct head {
    char *method, *target, *version;
    struct header headers[HEADERS_MAX];
    size_t count;
};

/* -- the reference ----------------------------------------------------------------------------- */

#define TOKEN "^[!#$%&'*+.^_`|~[:alnum:]-]+$"
#define PORT  "(:([0-9]{0,5}))?"

static bool fits(const char *pattern, const char *text)
{
    static struct {
        const char *pattern;
        regex_t compiled;
    } known[16];
    size_t i = 0;
    while (known[i].pattern && strcmp(known[i].pattern, pattern) != 0)
        i++;
    if (!known[i].pattern) {
        FUZZ_CHECK(regcomp(&known[i].compiled, pattern, REG_EXTENDED | REG_NOSUB) == 0, "%s",
                   pattern);
        known[i].pattern = pattern;
    }
    return regexec(&known[i].compiled, text, 0, NULL, 0) == 0;
}

static const struct header *find(const struct head *head, const char *name, size_t *ret_count)
{
    const struct header *last = NULL;
    *ret_count = 0;
    for (size_t i = 0; i < head->count; i++)
        if (strcasecmp(head->headers[i].name, name) == 0) {
            last = &head->headers[i];
            ++*ret_count;
        }
    return last;
}

static bool is_host(const char *host)
{
    const char *port = strrchr(host, ':');
    if (strlen(host) > 300 || !fits("^(\\[[0-9a-fA-F:.]{2,}\\]|[[:alnum:]._-]+)" PORT "$", host))
        return false;
    return !port || strchr(port, ']') || atol(port + 1) <= 65535;
}

/* Where the path begins: after the authority of an absolute form. NULL: there is none. */
static const char *path_of(const char *target)
{
    if (fits("^[hH][tT][tT][pP]://", target))
        target += 7 + strcspn(target + 7, "/?#");
    return *target == '/' ? target : NULL;
}

static bool is_target(const struct head *head, const struct header *host)
{
    const char *target = head->target, *path = path_of(target);
    if (!fits("^[^\001-\040\177#]*$", target))
        return false;
    if (fits("^[hH][tT][tT][pP]://", target)) {
        size_t len = strcspn(target + 7, "/?");
        if (!host || strlen(host->value) != len || strncasecmp(target + 7, host->value, len) != 0)
            return false;
    }
    if (!path)
        return strcmp(target, "*") == 0;
    char *only = strndup(path, strcspn(path, "?"));
    bool good = fits("^([^%]|%(0[1-9a-fA-F]|[1-9a-fA-F][0-9a-fA-F]))*$", only);
    free(only);
    return good;
}

static bool headers_are_plain(const struct head *head)
{
    for (size_t i = 0; i < head->count; i++) {
        const struct header *header = &head->headers[i];
        bool has_nul =
            strlen(header->name) != header->name_len || strlen(header->value) != header->value_len;
        if (has_nul || !fits(TOKEN, header->name) ||
            !fits("^[^\001-\010\012-\037\177]*$", header->value))
            return false;
    }
    return true;
}

static bool is_right(const struct head *head)
{
    size_t hosts, lengths, encodings;
    const struct header *host = find(head, "Host", &hosts);
    const struct header *length = find(head, "Content-Length", &lengths);
    const struct header *encoding = find(head, "Transfer-Encoding", &encodings);
    bool modern = strcmp(head->version, "HTTP/1.1") == 0;
    if (!fits(TOKEN, head->method) || !headers_are_plain(head) || !is_target(head, host))
        return false;
    if (!modern && strcmp(head->version, "HTTP/1.0") != 0)
        return false;
    if (hosts > 1 || lengths > 1 || encodings > 1 || lengths + encodings > 1 || (modern && !hosts))
        return false;
    if (host && !is_host(host->value))
        return false;
    if (length && !fits("^[0-9]{1,18}$", length->value))
        return false;
    return !encoding || (modern && strcasecmp(encoding->value, "chunked") == 0);
}

/* -- both -------------------------------------------------------------------------------------- */

static void read_header(struct fuzz_input *line, struct header *header)
{
    header->name = fuzz_line(line, ':', &header->name_len);
    header->value = fuzz_rest(line, &header->value_len);
}

static void read_head(struct fuzz_input *input, struct head *head)
{
    size_t len;
    *head = (struct head){0};
    head->method = fuzz_line(input, ' ', &len);
    head->target = fuzz_line(input, ' ', &len);
    head->version = fuzz_line(input, '\n', &len);
    while (input->left && head->count < HEADERS_MAX) {
        char *text = fuzz_line(input, '\n', &len);
        struct fuzz_input line = {(const uint8_t *)text, len};
        read_header(&line, &head->headers[head->count++]);
        free(text);
    }
}

static void free_head(struct head *head)
{
    free(head->method);
    free(head->target);
    free(head->version);
    for (size_t i = 0; i < head->count; i++) {
        free(head->headers[i].name);
        free(head->headers[i].value);
    }
}

/* What the others go by, of a head that is right. */
static void check_found(const struct head *head, const struct guard *guard)
{
    size_t hosts, lengths, encodings, keys, pathlen = 0;
    const struct header *host = find(head, "Host", &hosts);
    const struct header *length = find(head, "Content-Length", &lengths);
    const struct header *key = find(head, "Authorization", &keys);
    const char *path = guard_path(head->target, &pathlen);
    find(head, "Transfer-Encoding", &encodings);
    FUZZ_CHECK(guard->host == (host ? host->value : NULL), "another host");
    FUZZ_CHECK(guard->has_length == (lengths > 0) && guard->chunked == (encodings > 0),
               "another framing");
    FUZZ_CHECK(guard->length == (length ? strtoull(length->value, NULL, 10) : 0), "another length");
    FUZZ_CHECK(keys != 1 || guard->authorization == key->value, "another key");
    FUZZ_CHECK(keys < 2 || !*guard->authorization, "one of several keys");
    FUZZ_CHECK(path == path_of(head->target), "another path");
    FUZZ_CHECK(!path || pathlen == strcspn(path, "?"), "a path of another length");
}

static bool says_forwarded(const struct head *head)
{
    for (size_t i = 0; i < head->count; i++)
        if (fits("^([vV][iI][aA]|[fF][oO][rR][wW][aA][rR][dD][eE][dD]|"
                 "[xX]-[fF][oO][rR][wW][aA][rR][dD][eE][dD]-.+)$",
                 head->headers[i].name))
            return true;
    return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct fuzz_input input = {bytes, len};
    struct guard guard = {0};
    struct head head;
    read_head(&input, &head);
    for (size_t i = 0; i < head.count; i++)
        guard_header(&guard, head.headers[i].name, head.headers[i].name_len, head.headers[i].value,
                     head.headers[i].value_len);
    const char *problem = guard_finish(&guard, head.method, head.version, head.target);
    FUZZ_CHECK(!problem == is_right(&head), "the guard says: %s",
               problem ? problem : "it is right");
    FUZZ_CHECK(guard_is_host(head.target) == is_host(head.target), "a host was misjudged");
    if (!problem) {
        check_found(&head, &guard);
        FUZZ_CHECK(guard.forwarded == says_forwarded(&head), "a proxy was misjudged");
    }
    free_head(&head);
    return 0;
}
