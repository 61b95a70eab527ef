#include "engine/check.h"

#include "base/duration.h"
#include "base/email.h"
#include "engine/admin.h"
#include "engine/generator.h"

#include <string.h>

bool check_slug(const json_t *value)
{
    const char *text = json_string_value(value);
    size_t len = json_string_length(value);
    return len > 0 && len < WORKSPACE_SLUG_SIZE &&
           strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-") == len && *text != '-' &&
           text[len - 1] != '-';
}

bool check_project_id(const json_t *value)
{
    const char *text = json_string_value(value);
    size_t len = json_string_length(value);
    if (!len || len >= PROJECT_ID_SIZE)
        return false;
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)text[i] <= ' ' || text[i] == 0x7f || text[i] == '/')
            return false;
    return true;
}

bool check_name(const json_t *value)
{
    size_t len = json_string_length(value);
    return len > 0 && len < WORKSPACE_NAME_SIZE;
}

bool check_run(const json_t *value)
{
    size_t len = json_string_length(value);
    return len > 0 && len < RUN_SIZE;
}

bool check_ttl(const json_t *value)
{
    int64_t ms = 0;
    return duration_parse(json_string_value(value), &ms, NULL) == 0 && ms > 0;
}

/* An address, or a pattern of one: no white space, no control characters. */
bool check_member(const json_t *value)
{
    const char *text = json_string_value(value);
    size_t len = json_string_length(value);
    if (!text || !len || len > EMAIL_MAX)
        return false;
    if (!strchr(text, '*'))
        return email_looks_right(text, len);
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)text[i] <= ' ' || text[i] == 0x7f)
            return false;
    return true;
}

bool check_api_key(const json_t *value)
{
    return api_key_looks_right(json_string_value(value));
}

bool check_scenario_name(const json_t *value)
{
    size_t len = json_string_length(value);
    return len > 0 && len < SCENARIO_NAME_SIZE;
}

bool check_scenario_slug(const json_t *value)
{
    const char *text = json_string_value(value);
    size_t len = json_string_length(value);
    return len > 0 && len < GENERATOR_SLUG_SIZE &&
           strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-") == len && *text != '-' &&
           text[len - 1] != '-';
}

bool check_error_code(const json_t *value)
{
    size_t len = json_string_length(value);
    return len > 0 && len < ERROR_CODE_SIZE;
}

bool check_error_message(const json_t *value)
{
    size_t len = json_string_length(value);
    return len > 0 && len < ERROR_MESSAGE_SIZE;
}
