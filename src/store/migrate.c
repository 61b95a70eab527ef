/*
 * Migrations: schema/NNNN_name.sql, applied in the order of their numbers, all that a store lacks
 * in one transaction with the number they bring it to, so that a crash leaves the old layout or the
 * new one, and a new store is made with few syncs.
 */
#include "base/embed.h"
#include "store/db_internal.h"

#include <stdio.h>

int db_newest_layout(void)
{
    int count = 0;
    while (schema_files[count].name)
        count++;
    return count;
}

/* In the transaction that is under way. */
static int apply(struct db *db, int layout, struct err *err)
{
    char stamp[120];
    int newest = db_newest_layout(), status = 0;
    for (; layout < newest && status == 0; layout++)
        status = db_execute(db, schema_files[layout].data, err);
    snprintf(stamp, sizeof stamp, "PRAGMA application_id=%d; PRAGMA user_version=%d; COMMIT",
             STORE_APPLICATION_ID, newest);
    return status < 0 ? status : db_execute(db, stamp, err);
}

/* The look at the file's first page is not taken where SQLite had to undo a crash first. */
static int check_owner(struct db *db, struct err *err)
{
    int64_t id = 0;
    int status = db_integer(db, "PRAGMA application_id", &id, err);
    if (status == 0 && id != STORE_APPLICATION_ID)
        status = err_set(err, ERR_FOREIGN, "it is another program's SQLite file");
    return status;
}

int db_migrate(struct db *db, struct err *err)
{
    int newest = db_newest_layout();
    int64_t layout = 0;
    /* Read under the write lock, so that nobody migrates beside us. */
    int status = db_execute(db, "BEGIN IMMEDIATE", err);
    if (status == 0)
        status = db_integer(db, "PRAGMA user_version", &layout, err);
    if (status == 0 && layout > 0)
        status = check_owner(db, err);
    if (status == 0 && layout > newest)
        status = err_set(err, ERR_NEWER, "it has layout %d, and this version knows up to %d",
                         (int)layout, newest);
    if (status == 0 && layout < newest)
        status = apply(db, (int)layout, err);
    db_rollback(db); /* of what was not committed */
    return status;
}
