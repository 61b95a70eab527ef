/* For now every address may be reached. */
#include "engine/reach.h"

#include <stdlib.h>

struct reach {
    enum reach_policy policy;
};

int reach_create(const struct reach_options *options, struct reach **ret_reach, struct err *err)
{
    struct reach *reach = malloc(sizeof *reach);
    if (!reach)
        return err_set(err, ERR_NO_MEMORY, "out of memory");
    reach->policy = options->policy;
    *ret_reach = reach;
    return 0;
}

void reach_destroy(struct reach *reach)
{
    free(reach);
}

bool reach_allows(const struct reach *reach, const char *host, const struct sockaddr *address,
                  struct err *err)
{
    (void)reach;
    (void)host;
    (void)address;
    (void)err;
    return true;
}
