/* The query string, cut at & and =, then decoded as forms are: + is a space. */
#include "http/internal.h"

#include <ctype.h>
#include <string.h>
#include <unistr.h>

static int hex_value(char c)
{
    return c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;
}

/* Decodes in place; false: a bad escape, a NUL, or no UTF-8. */
static bool decode(char *text)
{
    char *to = text;
    for (const char *at = text; *at; at++) {
        if (*at == '%') {
            if (!isxdigit((unsigned char)at[1]) || !isxdigit((unsigned char)at[2]))
                return false;
            *to = (char)(hex_value(at[1]) << 4 | hex_value(at[2]));
            if (!*to++)
                return false;
            at += 2;
        } else {
            *to = *at;
            if (*to == '+')
                *to = ' ';
            to++;
        }
    }
    *to = '\0';
    return !u8_check((const uint8_t *)text, (size_t)(to - text));
}

static int take(struct request *request, char *text, struct err *err)
{
    static char none[1];
    char *equals = strchr(text, '=');
    struct query_param *param = &request->query[request->query_count];
    if (!*text)
        return 0;
    if (request->query_count == QUERY_PARAMS_MAX)
        return err_set(err, ERR_INVALID, "The query has too many parameters");
    if (equals)
        *equals++ = '\0';
    if (!decode(text) || (equals && !decode(equals)))
        return err_set(err, ERR_INVALID,
                       "The query has a bad escape, or is not UTF-8 when decoded");
    *param = (struct query_param){text, equals ? equals : none};
    request->query_count++;
    return 0;
}

static int parse(struct request *request, const char *query, struct err *err)
{
    char *text = request_copy(request, query, strlen(query));
    request->query_count = 0;
    request->query = request_alloc(request, QUERY_PARAMS_MAX * sizeof *request->query);
    if (!text || !request->query)
        return err_set(err, ERR_NO_MEMORY, "out of memory");
    int status = 0;
    for (char *next; text && status == 0; text = next) {
        next = strchr(text, '&');
        if (next)
            *next++ = '\0';
        status = take(request, text, err);
    }
    if (status < 0)
        request->query = NULL;
    return status;
}

int request_query(struct request *request, const struct query_param **ret_params, size_t *ret_count,
                  struct err *err)
{
    const char *query = strchr(request->target, '?');
    int status = query && !request->query ? parse(request, query + 1, err) : 0;
    if (status < 0)
        return status;
    *ret_params = request->query;
    *ret_count = request->query_count;
    return 0;
}
