#include "control/secrets.h"

#include "base/blot.h"
#include "base/json.h"
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

/* JSON within texts, so deep: what is deeper is nobody's mistake, and the stack has an end. */
enum { TEXTS_MAX = 2 };

bool secrets_are_in(const char *member)
{
    return blot_find(member, strlen(member), SECRETS_MEMBER) != NULL;
}

/* A text or a number becomes its length: "(12 bytes)". */
static json_t *measure_one(const json_t *value)
{
    char *text = json_is_string(value) ? NULL : json_dumps(value, JSON_ENCODE_ANY);
    json_t *length = json_sprintf("(%zu bytes)", text ? strlen(text) : json_string_length(value));
    free(text);
    return length;
}

/* All such, wherever they stand in it. */
static json_t *measure(const json_t *value)
{
    json_t *copy;
    const char *name;
    json_t *part;
    size_t index;
    if (json_is_string(value) || json_is_number(value))
        return measure_one(value);
    if (!json_is_object(value) && !json_is_array(value))
        return json_incref((json_t *)value);
    copy = json_is_object(value) ? json_object() : json_array();
    json_object_foreach((json_t *)value, name, part)
    {
        json_object_set_new(copy, name, measure(part));
    }
    json_array_foreach((json_t *)value, index, part)
    {
        json_array_append_new(copy, measure(part));
    }
    return copy;
}

static json_t *blot(const json_t *value, int texts);

/* Words, or JSON once more, as of a client that encodes its body twice. */
static json_t *blot_text(const json_t *text, int texts)
{
    const char *words = json_string_value(text);
    json_t *value, *copy;
    char *again;
    if (!secrets_are_in(words) || !strchr("{[\"", words[strspn(words, " \t\r\n")]))
        return json_incref((json_t *)text);
    value = texts < TEXTS_MAX
                ? json_read(words, json_string_length(text), JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL)
                : NULL;
    if (!value)
        return measure_one(text);
    copy = blot(value, texts + 1);
    again = copy ? json_dumps(copy, JSON_ENCODE_ANY | JSON_COMPACT) : NULL;
    json_decref(copy);
    json_decref(value);
    copy = again ? json_string(again) : NULL;
    free(again);
    return copy;
}

static json_t *blot(const json_t *value, int texts)
{
    json_t *copy;
    const char *name;
    json_t *part;
    size_t index;
    if (json_is_string(value))
        return blot_text(value, texts);
    if (!json_is_object(value) && !json_is_array(value))
        return json_incref((json_t *)value);
    copy = json_is_object(value) ? json_object() : json_array();
    json_object_foreach((json_t *)value, name, part)
    {
        json_object_set_new(copy, name, secrets_are_in(name) ? measure(part) : blot(part, texts));
    }
    json_array_foreach((json_t *)value, index, part)
    {
        json_array_append_new(copy, blot(part, texts));
    }
    return copy;
}

json_t *secrets_blot(const json_t *value)
{
    bool before = memory_lacked();
    memory_forget_lack();
    json_t *copy = blot(value, 0);
    if (memory_lacked()) { /* some of it may be missing */
        json_decref(copy);
        copy = NULL;
    }
    if (before)
        memory_note_lack();
    return copy;
}
