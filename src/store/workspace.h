/* Workspaces, their API keys and their members. */
#ifndef UNDERSTUDY_STORE_WORKSPACE_H
#define UNDERSTUDY_STORE_WORKSPACE_H

#include "base/digest.h"
#include "base/email.h"
#include "store/db.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    WORKSPACE_ID_SIZE = 64,    /* 12 hex characters, or "default" */
    WORKSPACE_SLUG_SIZE = 64,  /* a DNS label and a NUL */
    WORKSPACE_NAME_SIZE = 256, /* bytes of UTF-8 and a NUL */
    PROJECT_ID_SIZE = 64,
    KEY_HASH_SIZE = DIGEST_SIZE, /* SHA-256 */
    KEY_LAST4_SIZE = 5,
    EMAIL_SIZE = EMAIL_MAX + 1,
};

struct workspace_row {
    int64_t pk; /* what the other tables refer to */
    char id[WORKSPACE_ID_SIZE];
    char slug[WORKSPACE_SLUG_SIZE];
    char name[WORKSPACE_NAME_SIZE];
    char project_id[PROJECT_ID_SIZE];
    bool active;
    int64_t created_at;
};

struct key_row {
    int64_t workspace;
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

/* Visit every row, in order of creation; a negative result of the visitor ends it and is returned.
 */
int workspace_each(struct db *db, int (*visit)(const struct workspace_row *row, void *arg),
                   void *arg);
int key_each(struct db *db, int (*visit)(const struct key_row *row, void *arg), void *arg);
int member_each(struct db *db, int (*visit)(const struct member_row *row, void *arg), void *arg);

#endif
