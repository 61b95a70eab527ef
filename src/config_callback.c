/* The values that say where callbacks may go, and whom they trust (config_value.h). */
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "config_value.h"
#include "engine/reach.h"
#include "engine/trust.h"

static int no_memory(struct err *err)
{
    return err_set(err, ERR_NO_MEMORY, "out of memory");
}

int config_parse_callback_allow(const char *text, void *target, struct err *err)
{
    struct config *config = target;
    int status = reach_check_allowed(text, err);
    if (status < 0 || !config)
        return status;
    char *copy = strdup(text);
    char **all =
        reallocarray(config->callback_allows, config->callback_allow_count + 1, sizeof *all);
    if (all)
        config->callback_allows = all;
    if (!copy || !all) {
        free(copy);
        return no_memory(err);
    }
    all[config->callback_allow_count++] = copy;
    return 0;
}

int config_parse_callback_ca(const char *text, void *target, struct err *err)
{
    struct config *config = target;
    int status = trust_check(text, err);
    if (status < 0 || !config)
        return status;
    char *copy = strdup(text);
    if (!copy)
        return no_memory(err);
    free(config->callback_ca);
    config->callback_ca = copy;
    return 0;
}
