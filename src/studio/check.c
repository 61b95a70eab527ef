#include "studio/check.h"

#include "base/email.h"

bool check_email(const json_t *value)
{
    return email_looks_right(json_string_value(value), json_string_length(value));
}

bool check_not_empty(const json_t *value)
{
    return json_string_length(value) > 0;
}
