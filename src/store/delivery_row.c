#include "store/delivery_row.h"

void delivery_row_read(struct query *query, struct delivery *delivery)
{
    *delivery = (struct delivery){
        .seq = query_get_int(query, 0),
        .job = query_get_int(query, 1),
        .status = (enum delivery_status)query_get_int(query, 5),
        .created_at = query_get_int(query, 6),
        .due_at = query_get_int_or(query, 7, -1),
        .ended_at = query_get_int_or(query, 8, -1),
        .sending = query_get_int(query, 9),
        .by_hand = query_get_int(query, 10) != 0,
        .attempts = query_get_int(query, 11),
        .tries = query_get_int(query, 12),
        .bytes = query_get_int(query, 13),
        .cut = query_get_int_or(query, 14, -1),
    };
    query_copy_text(query, 2, delivery->job_id, sizeof delivery->job_id);
    query_copy_text(query, 3, delivery->id, sizeof delivery->id);
    query_copy_text(query, 4, delivery->message, sizeof delivery->message);
    query_copy_text(query, 15, delivery->rule, sizeof delivery->rule);
}
