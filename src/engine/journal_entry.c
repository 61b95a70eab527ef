/* Entries of the journal: each in memory of its own, in one piece. */
#include "engine/journal.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

const char *const journal_end_names[JOURNAL_ENDS + 1] = {
    "answered", "truncated", "dripped", "dropped", "hung", "garbage", "left", NULL,
};

struct journal_entry *journal_entry_hold(struct journal_entry *entry)
{
    atomic_fetch_add(&entry->references, 1);
    return entry;
}

void journal_entry_release(struct journal_entry *entry)
{
    if (entry && atomic_fetch_sub(&entry->references, 1) == 1)
        free(entry);
}

static size_t kept(const struct journal_text *text, size_t max)
{
    return text->len < max ? text->len : max;
}

static const char *copy(char **io_at, const char *text, size_t len)
{
    char *at = *io_at;
    if (!text)
        return NULL;
    memcpy(at, text, len);
    at[len] = '\0';
    *io_at += len + 1;
    return at;
}

static void copy_text(char **io_at, struct journal_text *text, size_t max)
{
    size_t len = kept(text, max);
    text->data = copy(io_at, text->data, len);
    text->len = len;
}

static size_t length(const char *text)
{
    return text ? strlen(text) : 0;
}

/* Whether one text is how the other ends, so that it need not be kept twice. */
static bool ends_in(const char *text, size_t len, const char *end, size_t end_len)
{
    return end && end_len <= len && memcmp(text + len - end_len, end, end_len) == 0;
}

struct journal_entry *journal_entry_create(const struct journal_entry *from)
{
    enum { NULS = 8 };
    size_t method = length(from->method), target = length(from->target), path = length(from->path),
           id = length(from->id);
    bool is_end = ends_in(from->target, target, from->path, path);
    size_t bytes = method + target + (is_end ? 0 : path) + id + from->headers.len +
                   from->answer_headers.len + kept(&from->body, JOURNAL_BODY_MAX) +
                   kept(&from->answer, JOURNAL_BODY_MAX) + NULS;
    struct journal_entry *entry = malloc(sizeof *entry + bytes);
    if (!entry)
        return NULL;
    char *at = entry->bytes;
    memcpy(entry, from, sizeof *entry);
    atomic_init(&entry->references, 1);
    entry->size = sizeof *entry + bytes;
    entry->method = copy(&at, from->method, method);
    entry->target = copy(&at, from->target, target);
    entry->path = is_end ? entry->target + target - path : copy(&at, from->path, path);
    entry->id = copy(&at, from->id, id);
    copy_text(&at, &entry->headers, SIZE_MAX);
    copy_text(&at, &entry->answer_headers, SIZE_MAX);
    copy_text(&at, &entry->body, JOURNAL_BODY_MAX);
    copy_text(&at, &entry->answer, JOURNAL_BODY_MAX);
    return entry;
}

bool journal_next_header(const struct journal_text *headers, size_t *io_at, const char **ret_name,
                         const char **ret_value)
{
    if (!headers->data || *io_at >= headers->len)
        return false;
    *ret_name = headers->data + *io_at;
    *ret_value = *ret_name + strlen(*ret_name) + 1;
    *io_at += strlen(*ret_name) + strlen(*ret_value) + 2;
    return true;
}

const char *journal_header(const struct journal_text *headers, const char *name)
{
    const char *known, *value;
    for (size_t place = 0; journal_next_header(headers, &place, &known, &value);)
        if (strcasecmp(known, name) == 0)
            return value;
    return NULL;
}
