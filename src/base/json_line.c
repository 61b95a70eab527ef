/*
 * A walk along the text: it goes into the members and elements that the path names and skips the
 * others. Names in the path are compared with the text as it stands, escapes and all: a name that
 * needs any is not found, and the line is that of its object.
 */
#include "base/json_line.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static const char *skip_space(const char *at)
{
    return at + strspn(at, " \t\r\n");
}

/* Past the string that begins here. */
static const char *skip_string(const char *at)
{
    for (at++; *at && *at != '"'; at++)
        if (*at == '\\' && at[1])
            at++;
    return *at ? at + 1 : at;
}

/* Past the value that begins here. */
static const char *skip_value(const char *at)
{
    size_t depth = 0;
    do {
        if (*at == '"') {
            at = skip_string(at);
            continue;
        }
        depth += *at == '{' || *at == '[';
        if ((*at == '}' || *at == ']' || *at == ',') && !depth)
            return at;
        depth -= *at == '}' || *at == ']';
        at += *at != '\0';
    } while (*at && (depth || (*at != ',' && *at != '}' && *at != ']')));
    return at;
}

/* The value of the member of that name in the object that begins here; NULL: there is none. */
static const char *find_member(const char *at, const char *name, size_t len)
{
    at = skip_space(at + 1);
    while (*at == '"') {
        const char *start = at + 1;
        at = skip_string(at);
        bool found = (size_t)(at - 1 - start) == len && memcmp(start, name, len) == 0;
        at = skip_space(at);
        at = skip_space(at + (*at == ':'));
        if (found)
            return at;
        at = skip_space(skip_value(at));
        at = skip_space(at + (*at == ','));
    }
    return NULL;
}

static const char *find_element(const char *at, size_t index)
{
    at = skip_space(at + 1);
    for (; index && *at && *at != ']'; index--) {
        at = skip_space(skip_value(at));
        at = skip_space(at + (*at == ','));
    }
    return *at && *at != ']' ? at : NULL;
}

size_t json_line_of(const char *text, const char *path)
{
    const char *at = skip_space(text);
    while (*path) {
        const char *next = NULL;
        if (*path == '[' && *at == '[') {
            char *end;
            next = find_element(at, strtoul(path + 1, &end, 10));
            path = *end ? end + 1 : end;
        } else {
            path += *path == '.';
            size_t len = strcspn(path, ".[");
            next = *at == '{' ? find_member(at, path, len) : NULL;
            path += len;
        }
        if (!next)
            break;
        at = next;
    }
    size_t line = 1;
    for (const char *c = text; c < at; c++)
        line += *c == '\n';
    return line;
}
