#include "control/outcomes.h"

#include "control/internal.h"

#include <string.h>

bool outcome_check(const struct control *control, const char *operation, const char *name,
                   struct buf *detail, struct buf *hint)
{
    for (size_t i = 0; i < control->options.api_count; i++) {
        const struct api *api = control->options.apis[i];
        for (size_t j = 0; j < api->route_count; j++)
            if ((!operation || strcmp(operation, api->routes[j].operation_id) == 0) &&
                outcome_find(api, api->routes[j].operation_id, name))
                return true;
    }
    buf_puts(detail, "There is no outcome ");
    control_quote(detail, name);
    buf_puts(hint, "GET /_mock/outcomes lists them");
    return false;
}
