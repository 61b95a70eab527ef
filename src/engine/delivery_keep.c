#include "engine/delivery_keep.h"

#include "store/attempt.h"
#include "store/delivery_list.h"

/* How much may be too much: a look reads a line of an index for each delivery that is kept. */
enum { LOOK_EACH = 256, LOOK_EACH_BYTES = 4 * 1024 * 1024 };

int delivery_keep_attempts(struct db *db, struct delivery *delivery)
{
    int64_t dropped = 0;
    if (delivery->attempts <= ATTEMPTS_KEPT && delivery->bytes <= ATTEMPTS_KEPT_BYTES)
        return 0;
    int status = attempt_trim(db, delivery->seq, ATTEMPTS_KEPT, ATTEMPTS_KEPT_BYTES, &dropped);
    delivery->bytes -= dropped;
    return status;
}

int delivery_keep(struct db *db, struct workspace *workspace, const struct delivery *delivery,
                  int64_t bytes)
{
    workspace->ends_unlooked++;
    workspace->bytes_unlooked += bytes;
    if (workspace->ends_unlooked < LOOK_EACH && workspace->bytes_unlooked < LOOK_EACH_BYTES)
        return 0;
    workspace->ends_unlooked = 0;
    workspace->bytes_unlooked = 0;
    return delivery_prune(db, workspace->row.pk, DELIVERIES_KEPT, DELIVERIES_KEPT_BYTES,
                          delivery->seq);
}
