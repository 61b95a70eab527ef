/* Workspaces, their API keys and their members. */
#ifndef UNDERSTUDY_STORE_WORKSPACE_H
#define UNDERSTUDY_STORE_WORKSPACE_H

#include "base/digest.h"
#include "base/email.h"
#include "base/id.h"
#include "store/db.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    WORKSPACE_ID_SIZE = 64,    /* 12 hex characters, or "default" */
    WORKSPACE_SLUG_SIZE = 64,  /* a DNS label and a NUL */
    WORKSPACE_NAME_SIZE = 256, /* bytes of UTF-8 and a NUL */
    RUN_SIZE = 201,            /* likewise, of a run's label */
    PROJECT_ID_SIZE = 64,
    SEED_MAX = 100,               /* bytes of a seed that is a text */
    SEED_SIZE = 6 * SEED_MAX + 3, /* as JSON: every byte escaped, quotes and a NUL */
    KEY_HASH_SIZE = DIGEST_SIZE,  /* SHA-256 */
    KEY_LAST4_SIZE = 5,
    EMAIL_SIZE = EMAIL_MAX + 1,
    PUBLIC_URL_SIZE = 384,       /* leaves room for /w/<slug> and a path in URL_BASE_SIZE */
    RATE_LIMIT_MAX = 100000,     /* times that are remembered for each key, 8 bytes each */
    CALLBACK_RETRIES_SIZE = 512, /* twenty durations as texts */
    CALLBACK_MAP_SIZE = 2048,
    WEBHOOK_SECRETS_SIZE = 256, /* two of 64 bytes in base64, with their prefixes */
};

/* Which settings a workspace has of its own; the others are the server's. */
enum settings_given {
    GIVEN_QUEUE_TIME = 1,
    GIVEN_PROCESSING_TIME = 2,
    GIVEN_MAX_PROCESSING = 4,
    GIVEN_MAGIC = 8,
    GIVEN_CALLBACK_TIMEOUT = 16,
    GIVEN_CALLBACK_CONNECT_TIMEOUT = 32,
    GIVEN_CALLBACK_ON = 64,
};

/* How many requests a key may make, in sliding windows; 0: no limit (S26). */
struct rate_limit {
    int64_t per_minute, per_day, creations_per_minute;
};

/* How callbacks are delivered. The texts are JSON as settings show it; "": none is set. */
struct callback_row {
    int64_t timeout, connect_timeout;    /* real ms */
    unsigned on;                         /* a bit for each state of a job that is told */
    char retries[CALLBACK_RETRIES_SIZE]; /* a list of durations, or "standard" */
    char map[CALLBACK_MAP_SIZE];         /* an object of prefixes and what takes their place */
    char secrets[WEBHOOK_SECRETS_SIZE];  /* a list of one or two */
};

struct settings_row {
    unsigned given;                                      /* enum settings_given */
    int64_t queue_time, processing_time, max_processing; /* ms; jobs at once, 0: no limit */
    double jitter;                                       /* 0 to 1 */
    struct rate_limit rate;
    bool magic;                       /* addresses and texts may steer jobs */
    bool any_key;                     /* under the path prefix any well-formed key is taken */
    char public_url[PUBLIC_URL_SIZE]; /* "": the server's */
    int64_t room_since;               /* when max_processing last made room */
    struct callback_row callback;
    uint64_t lint_ignored; /* findings that are neither shown nor counted: bits, by their numbers */
};

/* How a workspace's clock goes: see engine/clock.h. */
enum clock_mode { CLOCK_REAL, CLOCK_SCALED, CLOCK_MANUAL, CLOCK_AUTO };
enum { CLOCK_MODES = CLOCK_AUTO + 1 };

struct clock_row {
    enum clock_mode mode;
    double scale;         /* of CLOCK_SCALED */
    int64_t base, anchor; /* it showed `base` when real time was `anchor` */
};

struct workspace_row {
    int64_t pk; /* what the other tables refer to */
    char id[WORKSPACE_ID_SIZE];
    char slug[WORKSPACE_SLUG_SIZE];
    char name[WORKSPACE_NAME_SIZE];
    char project_id[PROJECT_ID_SIZE];
    bool active;
    int64_t created_at;
    int64_t ttl; /* ms of real time since its last request; 0: it stays */
    struct settings_row settings;
    struct clock_row clock;
    char run[RUN_SIZE];   /* the label of the run that it is of; "": of none. It never changes */
    int64_t draws;        /* from the seed so far, as of when the row was read */
    char seed[SEED_SIZE]; /* a JSON text or number; "": ids come from the cryptographic source */
};

struct key_row {
    int64_t workspace;
    char id[ID_HEX_SIZE]; /* "": key_insert() draws one */
    unsigned char hash[KEY_HASH_SIZE];
    char last4[KEY_LAST4_SIZE];
    bool active;
    int64_t created_at;
};

struct member_row {
    int64_t workspace;
    char email[EMAIL_SIZE]; /* ASCII letters in lower case */
    int64_t created_at;
};

/* Insert on the writer's connection; workspace_insert() sets row->pk. ERR_EXISTS: a unique value is
 * taken. */
int workspace_insert(struct db *db, struct workspace_row *row);
int key_insert(struct db *db, const struct key_row *row);
int member_insert(struct db *db, const struct member_row *row);

/* Reads the row with that pk. ERR_NOT_FOUND. */
int workspace_read(struct db *db, int64_t pk, struct workspace_row *ret_row);

/* Writes name, active, ttl and settings of the row with that pk. ERR_NOT_FOUND. Writer. */
int workspace_update(struct db *db, const struct workspace_row *row);

/* Sets a workspace's clock; counts one more draw from its seed, and says how many there were
 * before. Writer. */
int workspace_set_clock(struct db *db, int64_t pk, const struct clock_row *clock);
int workspace_set_seed(struct db *db, int64_t pk, const char *seed, int64_t draws);
int workspace_count_draw(struct db *db, int64_t pk, int64_t *ret_before);

/* Whether a workspace that is there has this id or slug, or this project; whether a key is known.
 */
int workspace_name_exists(struct db *db, const char *name, bool *ret_exists);
int workspace_project_exists(struct db *db, const char *project, bool *ret_exists);
int key_exists(struct db *db, const unsigned char hash[KEY_HASH_SIZE], bool *ret_exists);

/* What a reset puts back, as a JSON document; ERR_NOT_FOUND where none was set. Lets `visit` see
 * it. Setting it: the writer. */
int workspace_set_origin(struct db *db, int64_t pk, const char *document, size_t len);
int workspace_read_origin(struct db *db, int64_t pk,
                          int (*visit)(const char *document, size_t len, void *arg), void *arg);

/*
 * Deletes a workspace as far as anybody can see: its names are free, its keys and members gone, and
 * workspace_each() leaves it out. What it owns is left to workspace_purge(). Writer.
 */
int workspace_bury(struct db *db, int64_t pk);

/*
 * Removes some rows of deleted workspaces: so few that the writer is soon free again. *ret_more
 * tells whether it is to be called again. A pk is never given twice. Writer.
 */
int workspace_purge(struct db *db, bool *ret_more);

/* Keys and members of one workspace, in order of creation. */
int key_each_of(struct db *db, int64_t workspace,
                int (*visit)(const struct key_row *row, void *arg), void *arg);
int member_each_of(struct db *db, int64_t workspace,
                   int (*visit)(const struct member_row *row, void *arg), void *arg);

/* Change the key with that id, or delete it; delete a member. ERR_NOT_FOUND. Writer. */
int key_set_active(struct db *db, int64_t workspace, const char *id, bool active);
int key_delete(struct db *db, int64_t workspace, const char *id);
int key_delete_all(struct db *db, int64_t workspace);
int member_delete_all(struct db *db, int64_t workspace);
int member_delete(struct db *db, int64_t workspace, const char *email);

/* Visit every row, in order of creation; a negative result of the visitor ends it and is returned.
 */
int workspace_each(struct db *db, int (*visit)(const struct workspace_row *row, void *arg),
                   void *arg);
int key_each(struct db *db, int (*visit)(const struct key_row *row, void *arg), void *arg);
int member_each(struct db *db, int (*visit)(const struct member_row *row, void *arg), void *arg);

#endif
