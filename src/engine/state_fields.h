/*
 * How a workspace's rows look in its state document: one table a list, one row a value, in the
 * order of store/snapshot.h. Both ways go by them. Pure; any thread.
 */
#ifndef UNDERSTUDY_ENGINE_STATE_FIELDS_H
#define UNDERSTUDY_ENGINE_STATE_FIELDS_H

#include "base/buf.h"
#include "base/complaint.h"
#include "engine/state.h"
#include "store/snapshot.h"

/* As far as every reader of JSON counts, and far from where counting on overflows. */
#define STATE_WHOLE_MAX (INT64_C(1) << 53)

enum state_type {
    STATE_TEXT,     /* at most `max` bytes */
    STATE_ID,       /* 1 to `max` letters, digits, - and _, that nothing has to escape */
    STATE_SLUG,     /* 1 to `max` lower-case letters, digits and - */
    STATE_BASE,     /* the base of urls */
    STATE_URL,      /* that can be called (S6) */
    STATE_WHOLE,    /* a whole number from `min` to `max`; max 0: STATE_WHOLE_MAX */
    STATE_TIME,     /* "2024-03-01T10:00:00.000Z" */
    STATE_DURATION, /* "90s" */
    STATE_WORD,     /* one of `words`; its place among them is stored */
    STATE_LIST,     /* a JSON array, kept as text */
    STATE_OBJECT,   /* a JSON object, kept as text */
    STATE_HEADERS,  /* an object of texts, kept as text; values are secret */
};

struct state_field {
    const char *name;
    enum state_type type;
    bool required; /* else null or absent is null */
    bool or_zero;  /* else 0, where `required` is not */
    size_t max;    /* bytes of a text */
    size_t min;
    const char *const *words; /* NULL-terminated */
};

struct state_list {
    const char *name; /* the document's */
    enum snapshot_table table;
    const struct state_field *fields;
    size_t count;
};

extern const struct state_list state_lists[SNAPSHOT_TABLES];
extern const struct state_field state_plan_fields[];
extern const size_t state_plan_field_count;

/* Writes `"name":value,` for each field. Secrets are written as null unless `reveal`. */
void state_put_fields(struct buf *out, const struct state_field *fields, size_t count,
                      const struct snapshot_value *values, bool reveal);

/* Places of a job's values, of its plan's, and of others'. */
enum {
    STATE_JOB_NUMBER = 0,
    STATE_JOB_ID = 1,
    STATE_JOB_STATUS = 2,
    STATE_JOB_CREATED = 3,
    STATE_JOB_STARTED = 4,
    STATE_JOB_COMPLETED = 5,
    STATE_JOB_DUE = 6,
    STATE_JOB_START_CAUSE = 9,
    STATE_JOB_END_CAUSE = 10,
    STATE_JOB_SCENARIO = 11,
    STATE_JOB_ERROR_CODE = 12,
    STATE_JOB_BASE = 14,
    STATE_SESSION_BASE = 3,
    STATE_JOB_HEADERS = 20,
    STATE_PLAN_POLLS_QUEUED = 5,
    STATE_PLAN_POLLS_PROCESSING = 6,
    STATE_PLAN_HOLD = 7,
    STATE_PLAN_WEBHOOK = 10,
    STATE_DELIVERY_STATUS = 1,
    STATE_DELIVERY_DUE = 5,
    STATE_DELIVERY_ENDED = 6,
    STATE_RULE_ID = 0,
    STATE_RULE_LEFT = 2,
    STATE_RULE_SKIP = 3,
    STATE_RULE_HITS = 4,
};

/* Where a row has the base of urls; -1: nowhere. A document has it without the prefix that the urls
 * of all workspaces but the default one bear (H7): "/w/<slug>", else "". */
int state_base_place(enum snapshot_table table);

enum { STATE_PREFIX_SIZE = WORKSPACE_SLUG_SIZE + 4 };
void state_url_prefix(const struct workspace_row *row, char ret_prefix[STATE_PREFIX_SIZE]);

/* A row that was read, and what its values borrow from besides the document. Zeroed at first. */
struct state_row {
    struct snapshot_value values[SNAPSHOT_COLUMNS_MAX], plan[SNAPSHOT_COLUMNS_MAX];
    struct buf texts[SNAPSHOT_COLUMNS_MAX], plan_texts[SNAPSHOT_COLUMNS_MAX];
    bool has_plan;
    unsigned marks; /* of enum job_mark */
};

/* Reads one row of a list, and what must hold between its values. False: see `fault`. */
bool state_take_row(const struct state_list *list, size_t index, const json_t *object,
                    struct state_row *row, struct state_fault *fault);
void state_row_finish(struct state_row *row);

/*
 * Reads an object into values, which borrow from it and from `texts`, a buffer for each of the
 * fields. False: `fault` says what is wrong where, its path continued from what is there.
 */
bool state_take_fields(const json_t *object, const struct state_field *fields, size_t count,
                       struct snapshot_value *values, struct buf *texts, struct state_fault *fault);

/* -- between the files of a state -------------------------------------------------------------- */

/* What is wrong at a fault's path, or what a table of fields says of it; both false. */
bool state_wrong(struct state_fault *fault, const char *problem);
bool state_complain(struct complaint *complaint, struct state_fault *fault);

bool state_is_id(const char *text, size_t max);

/* All rows of a document, each by itself and between them. A list may be NULL. */
bool state_check_lists(const json_t *const lists[SNAPSHOT_TABLES], struct state_fault *fault);

/* The name of a header without its value; NULL: all have one. And that a job misses one. */
const char *state_lacks_secret(const json_t *headers);
void state_want_secret(struct state_fault *fault, size_t job, const char *header);

/* The same of a secret of webhooks. */
void state_want_webhook_secret(struct state_fault *fault, size_t index);

#endif
