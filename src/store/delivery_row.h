/* Inside the store: a delivery's columns, for every statement that reads whole deliveries. */
#ifndef UNDERSTUDY_STORE_DELIVERY_ROW_H
#define UNDERSTUDY_STORE_DELIVERY_ROW_H

#include "store/delivery.h"
#include "store/query.h"

/* What a statement selects first, from a delivery joined with its job. */
#define DELIVERY_COLUMNS                                                                           \
    "delivery.seq, delivery.job, job.id, delivery.id, message, delivery.status,"                   \
    " delivery.created_at, delivery.due_at, ended_at, sending, delivery.by_hand, attempts, tries," \
    " delivery.bytes, cut, rule"
#define DELIVERY_JOB_JOIN " JOIN job ON job.seq = delivery.job"

enum { DELIVERY_COLUMN_COUNT = 16 };

/* Reads them from the present row. */
void delivery_row_read(struct query *query, struct delivery *ret_delivery);

#endif
