/*
 * The query parameters of the control plane's operations, as tables: admit.c refuses what no row
 * knows (C2), and the contract test holds the tables against the document. HTTP threads.
 *
 *     static const … {"limit", PARAM_WHOLE, "a whole number …", .min = 1, .max = 1000, TO(limit)}
 *
 * A row in operation_params (params.c) gives an operation its table; ?workspace= is known to every
 * operation that is about one workspace, and is in no table.
 */
#ifndef UNDERSTUDY_CONTROL_PARAMS_H
#define UNDERSTUDY_CONTROL_PARAMS_H

#include "base/fields.h"
#include "http/request.h"

enum param_type {
    PARAM_TEXT,     /* → const char *, the request's; not "" */
    PARAM_WHOLE,    /* → struct field_whole */
    PARAM_DURATION, /* → struct field_whole, in milliseconds; "90s" (C3) */
    PARAM_WORD,     /* → struct field_whole, the place of the word among `words` */
};

struct param {
    const char *name;
    enum param_type type;
    const char *what;         /* completes "<name> must be …" */
    int64_t min, max;         /* of a whole number or a duration */
    const char *const *words; /* a NULL ends them */
    size_t offset;            /* of the destination in the struct */
};

struct operation_params {
    const char *operation_id;
    const struct param *params;
    const size_t *count;
};

extern const struct operation_params operation_params[];
extern const size_t operation_params_count;

enum { PARAMS_MAX = 24 }; /* of one operation */

/* Whether the operation knows it, and all names that it knows, `names` ended by a NULL. */
bool params_know(const char *operation_id, const char *name);
void params_names(const char *operation_id, bool with_workspace,
                  const char *ret_names[PARAMS_MAX + 2]);

/*
 * Reads the request's query into `dest`, whose destinations must be zero before, by its operation's
 * table. False: the request was answered (C2).
 */
bool params_read(struct request *request, void *dest);

#endif
