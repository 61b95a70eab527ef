/* From a text to a report, and why a text is none. */
#include "report/internal.h"

#include "base/escape.h"
#include "base/json.h"
#include "base/json_line.h"

#include <string.h>

/*
 * Fifty times what a server ever writes. In memory a value takes thirty times its text, "[],", and
 * the parser asks nobody before it takes that.
 */
enum { VALUES_MAX = 1000000 };

/* Whether a text has so many values, at most: strings apart, each but the first follows one of
 * these. */
static bool has_too_many(const char *text, size_t len)
{
    size_t values = 1;
    bool within = false; /* a string */
    for (size_t i = 0; i < len && values <= VALUES_MAX; i++) {
        if (text[i] == '"')
            within = !within;
        else if (within)
            i += text[i] == '\\';
        else
            values += text[i] == ',' || text[i] == '[' || text[i] == '{';
    }
    return values > VALUES_MAX;
}

/* Why a text is not JSON. What jansson quotes of it may be anything. */
static int tell_syntax(const char *text, size_t len, const json_error_t *where, struct err *err)
{
    char shown[sizeof where->text];
    size_t start = strspn(text, " \t\r\n");
    escape_text(ESCAPE_PLAIN, where->text, strlen(where->text), shown, sizeof shown);
    if (json_error_code(where) == json_error_out_of_memory)
        return err_set(err, ERR_NO_MEMORY, "out of memory");
    if (start == len)
        return err_set(err, ERR_INVALID, "is empty");
    if (text[start] == '<')
        return err_set(err, ERR_INVALID,
                       "is XML or HTML: reports are read in their JSON form alone");
    if (text[start] == '#')
        return err_set(err, ERR_INVALID,
                       "looks like Markdown: reports are read in their JSON form alone");
    if (json_error_code(where) == json_error_premature_end_of_input)
        return err_set(err, ERR_INVALID, "is cut off: the JSON ends too early, in line %d",
                       where->line);
    return err_set(err, ERR_INVALID, "is not valid JSON: line %d, column %d: %s", where->line,
                   where->column, shown);
}

int report_parse(const char *text, size_t len, struct report **ret_report, struct err *err)
{
    static const char mark[] = "\xef\xbb\xbf"; /* what some editors put in front */
    json_error_t where;
    struct err why = {""};
    struct reading reading = {.err = &why};
    if (len >= 3 && memcmp(text, mark, 3) == 0) {
        text += 3;
        len -= 3;
    }
    if (has_too_many(text, len))
        return err_set(err, ERR_INVALID, "has more values than any report");
    json_t *document = len ? json_read(text, len, JSON_DECODE_ANY, &where) : NULL;
    if (!document)
        return len ? tell_syntax(text, len, &where, err) : err_set(err, ERR_INVALID, "is empty");
    int status = report_read_at(&reading, document, ret_report);
    json_decref(document);
    if (status == ERR_INVALID && *reading.place)
        return err_set(err, status, "line %zu: %s", json_line_of(text, reading.place), why.text);
    return status < 0 ? err_set(err, status, "%s", why.text) : 0;
}
