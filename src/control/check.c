/* Checks of fields that only the control plane has. */
#include "base/duration.h"
#include "control/internal.h"
#include "control/list.h"

bool check_wait(const json_t *value)
{
    int64_t ms;
    return duration_parse(json_string_value(value), &ms, NULL) == 0 && ms <= WAIT_MAX_MS;
}

bool check_count(const json_t *value)
{
    return json_number_value(value) >= 1;
}
